//! OTLP over HTTP or gRPC: encoded straight from the records, as protobuf or JSON.

#[cfg(feature = "otlp-http")]
mod answer;
mod attribute;
mod buffer;
mod encode;
#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "otlp-http")]
mod http;
mod partial;
mod proto;
mod span;
#[cfg(all(test, feature = "otlp-http"))]
mod tests;

#[cfg(all(test, feature = "otlp-http"))]
pub(crate) use self::encode::Encoder;
#[cfg(feature = "otlp-grpc")]
pub(crate) use self::grpc::{OtlpGrpc, OtlpGrpcSettings};
#[cfg(feature = "otlp-http")]
pub(crate) use self::http::{Format, OtlpHttp, OtlpHttpSettings};
