//! Requests that leave: the span around one, and what goes with it.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode, Uri, Version};
use opentelemetry::Context;
use opentelemetry::trace::SpanKind;

use super::attributes::{self, KEYS, NETWORK_PROTOCOL_VERSION};
use super::{Protocol, grpc};
use crate::callsite::Callsite;
use crate::integration::SCHEMA_URL;
use crate::outcome::{Sink, record_status};
use crate::propagation;
use crate::span::{self, Active, enter};
use crate::tracer::Tracer;
use crate::{ToValue, Value};

static CLIENT: Callsite =
    Callsite::new::<()>(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), KEYS)
        .name("HTTP")
        .kind(SpanKind::Client)
        .library(SCHEMA_URL);

/// How a client's requests are traced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) tracer: Option<Tracer>,
    pub(crate) inject_to: Option<InjectTo>,
}

/// The user's function that decides where context goes.
#[derive(Clone)]
pub(crate) struct InjectTo(Arc<dyn Fn(&Uri) -> bool + Send + Sync>);

impl InjectTo {
    pub(crate) fn new(decide: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(decide))
    }
}

impl fmt::Debug for InjectTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InjectTo(..)")
    }
}

impl Outgoing {
    /// The span of a request that is about to leave.
    pub(crate) fn start(
        &self,
        protocol: Protocol,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Active {
        if !CLIENT.is_enabled() {
            return Active::none();
        }
        let parent = match &self.tracer {
            Some(tracer) => span::within(tracer.scope(&Context::current())),
            None => span::current(),
        };
        let name = || match protocol {
            Protocol::Http => attributes::span_name(method, None),
            Protocol::Grpc | Protocol::GrpcWeb => grpc::span_name(uri),
        };
        let mut start = CLIENT.start_named(parent, name);
        if start.is_recording() {
            match protocol {
                Protocol::Http => attributes::client(&mut start, method, uri),
                Protocol::Grpc | Protocol::GrpcWeb => grpc::attributes(&mut start, uri),
            }
            attributes::server_of_client(&mut start, uri, headers);
        }
        enter(start)
    }

    /// Writes the current context, if it may go there.
    pub(crate) fn inject(&self, uri: &Uri, headers: &mut HeaderMap) {
        let allowed = self
            .inject_to
            .as_ref()
            .is_none_or(|InjectTo(decide)| decide(uri));
        if allowed {
            propagation::inject(headers);
        } else {
            propagation::strip(headers);
        }
    }
}

/// What the head of the response says; true if the span ends with it.
pub(crate) fn record_head(
    protocol: Protocol,
    status: StatusCode,
    version: Version,
    headers: &HeaderMap,
    span: &mut Active,
) -> bool {
    if !Sink::recording(span) {
        return true;
    }
    if protocol != Protocol::Http {
        return grpc::record_client_head(status, headers, span);
    }
    let version = attributes::version(version);
    span.set(
        NETWORK_PROTOCOL_VERSION,
        version.map_or(Value::None, ToValue::to_value),
    );
    record_status(status.as_u16(), span);
    true
}
