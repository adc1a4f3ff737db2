//! Tracing for Rust services.
