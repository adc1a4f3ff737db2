//! What the tests share.

pub mod collector;
pub mod jaeger_thrift_agent;
pub mod jaeger_thrift_idl;
