//! What the exporters over HTTP share: where they send to and, unless it is gRPC, one POST per batch on
//! a connection that is kept open.

#[cfg(any(feature = "otlp-http", feature = "jaeger"))]
pub(crate) mod answer;
#[cfg(any(feature = "otlp-http", feature = "jaeger"))]
mod client;
pub(crate) mod endpoint;
#[cfg(any(feature = "otlp-http", feature = "jaeger"))]
pub(crate) mod retry_after;
#[cfg(test)]
#[cfg_attr(not(feature = "otlp-http"), expect(dead_code))]
pub(crate) mod server;

#[cfg(any(feature = "otlp-http", feature = "jaeger"))]
pub(crate) use answer::Answer;
#[cfg(any(feature = "otlp-http", feature = "jaeger"))]
pub(crate) use client::Client;
pub(crate) use endpoint::Endpoint;
