//! What the compiler says about `#[traced]`: what must compile, and what must not, and why.
