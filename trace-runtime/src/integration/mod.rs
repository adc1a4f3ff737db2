//! Spans for other people's building blocks.

#[cfg(feature = "tower")]
mod http;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "stream")]
pub mod stream;
#[cfg(feature = "tower")]
pub mod tower;

/// The version of the semantic conventions that spans of our own follow.
#[cfg(any(feature = "stream", feature = "tower"))]
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";
