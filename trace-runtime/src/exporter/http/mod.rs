//! What the exporters over HTTP share: one POST per batch on a connection that is kept open.

pub(crate) mod answer;
mod client;
pub(crate) mod endpoint;
pub(crate) mod retry_after;
#[cfg(test)]
#[cfg_attr(not(feature = "otlp-http"), expect(dead_code))]
pub(crate) mod server;

pub(crate) use answer::Answer;
pub(crate) use client::Client;
pub(crate) use endpoint::Endpoint;
