//! Spans for other people's building blocks.

#[cfg(feature = "tower")]
pub mod tower;
