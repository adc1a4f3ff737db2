//! What the tests share.

pub mod closed_port;
pub mod collector;
pub mod jaeger_thrift_agent;
pub mod jaeger_thrift_idl;
pub mod meter;
