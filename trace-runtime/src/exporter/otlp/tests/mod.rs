//! What arrives is what the records say.

mod any_input;
mod decoded;
mod posted;
