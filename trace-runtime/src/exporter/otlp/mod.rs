//! OTLP over HTTP: encoded straight from the records, as protobuf or JSON.

mod answer;
mod attribute;
mod encode;
mod http;
mod proto;
mod span;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use self::encode::Encoder;
pub(crate) use self::http::{Format, OtlpHttp, OtlpHttpSettings};
