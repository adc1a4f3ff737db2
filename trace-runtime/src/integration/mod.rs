//! Spans for other people's building blocks.

#[cfg(feature = "messaging")]
pub mod messaging;
#[cfg(feature = "tower")]
pub mod tower;
