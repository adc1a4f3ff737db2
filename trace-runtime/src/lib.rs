//! Tracing for Rust services.

pub mod propagation;
pub mod sampler;

pub use propagation::{extract, inject};
pub use sampler::Sampler;
