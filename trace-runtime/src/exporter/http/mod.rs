//! What the exporters over HTTP share: one POST per batch on a connection that is kept open.

mod answer;
mod client;
mod endpoint;
mod retry_after;
#[cfg(test)]
pub(crate) mod server;

pub(crate) use answer::{Answer, first_line};
pub(crate) use client::Client;
pub(crate) use endpoint::{Endpoint, base64};
