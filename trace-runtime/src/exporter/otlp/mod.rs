//! OTLP over HTTP: protobuf, encoded straight from the records.

mod answer;
mod attribute;
mod encode;
mod http;
mod proto;
mod span;
#[cfg(test)]
mod tests;

pub(crate) use self::http::{OtlpHttp, OtlpHttpSettings};
