//! Spans for other people's building blocks.

#[cfg(feature = "tower")]
mod http;
#[cfg(feature = "log")]
pub mod log;
#[cfg(any(feature = "log", feature = "tracing"))]
mod log_common;
#[cfg(feature = "messaging")]
pub mod messaging;
#[cfg(any(feature = "log", feature = "tracing"))]
mod own_lines;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "stream")]
pub mod stream;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;

#[cfg(feature = "log")]
pub(crate) use own_lines::lines_to_log;
#[cfg(feature = "tracing")]
pub(crate) use own_lines::{has_subscriber, lines_to_tracing};

/// The version of the semantic conventions that spans of our own follow.
#[cfg(any(feature = "stream", feature = "tower"))]
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";
