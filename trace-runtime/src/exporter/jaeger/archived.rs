//! Jaeger through `opentelemetry-jaeger`, the exporter of the OpenTelemetry project that is archived:
//! for those who want, byte by byte, what they had.
#![allow(deprecated)]

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanKind, Status};
use opentelemetry_0_23 as old;
use opentelemetry_sdk_0_23::Resource as OldResource;
use opentelemetry_sdk_0_23::export::trace::{SpanData, SpanExporter};
use opentelemetry_sdk_0_23::trace::{Config, SpanEvents, SpanLinks};

use super::agent::BatchId;
use crate::config::{JaegerConfig, authority, jaeger_variables_of_process};
use crate::{Batch, EventView, ExportError, Exporter, LinkView, Resource, SpanView, Value};

const LARGEST_DATAGRAM: usize = 65_000;

/// Sends spans to an agent by Thrift compact.
///
/// The crate looks the host up when its exporter is made, so that is done with the first batch, on
/// the exporter's own thread. It fails a whole batch over one large span, so what it finds too large
/// is halved until only that span is left.
pub(super) struct Archived {
    agent: String,
    made: Option<(Resource, opentelemetry_jaeger::Exporter)>,
    /// The batch under way: so many of its spans are through, and so many of these too large.
    batch: Option<BatchId>,
    done: usize,
    refused: u64,
    too_large: u64,
}

impl Archived {
    /// # Errors
    ///
    /// The crate reads two variables by itself and lets them win: they must not say otherwise.
    pub(super) fn new(config: &JaegerConfig) -> Result<Self, String> {
        let agent = authority(&config.agent_host.value, config.agent_port.value);
        match jaeger_variables_of_process() {
            Some(theirs) if theirs != agent.replace("localhost", "127.0.0.1") => Err(format!(
                "`opentelemetry-jaeger` would send to `{theirs}`, which \
                 `OTEL_EXPORTER_JAEGER_AGENT_HOST` and `_PORT` name, and not to `{agent}`"
            )),
            _ => Ok(Self {
                agent,
                made: None,
                batch: None,
                done: 0,
                refused: 0,
                too_large: 0,
            }),
        }
    }

    /// The crate's exporter, which has the resource in it.
    fn exporter(
        &mut self,
        resource: &Resource,
    ) -> Result<&mut opentelemetry_jaeger::Exporter, String> {
        let known = self.made.take().filter(|(made, _)| made == resource);
        let made = match known {
            Some(made) => made,
            None => (resource.clone(), make(&self.agent, resource)?),
        };
        Ok(&mut self.made.insert(made).1)
    }

    /// Sends the spans in as few datagrams as halving gives.
    fn send(&mut self, resource: &Resource, spans: Vec<SpanData>) -> Result<(), String> {
        let count = spans.len();
        // The crate takes its spans, and a part of them may have to go once more.
        let again = (count > 1).then(|| spans.clone());
        let Err(error) = ready(self.exporter(resource)?.export(spans)) else {
            self.done += count;
            return Ok(());
        };
        if !is_too_large(&error) {
            return Err(error);
        }
        let Some(mut first) = again else {
            self.done += 1;
            self.refused += 1;
            return Ok(());
        };
        let rest = first.split_off(count / 2);
        self.send(resource, first)?;
        self.send(resource, rest)
    }
}

impl Exporter for Archived {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        let id = Some(BatchId::of(batch));
        if self.batch != id {
            (self.batch, self.done, self.refused) = (id, 0, 0);
        }
        let left = batch.spans().skip(self.done);
        let spans: Vec<_> = left.map(|span| span_data(&span)).collect();
        self.send(batch.resource(), spans)
            .map_err(ExportError::Unreachable)?;
        self.batch = None;
        match std::mem::take(&mut self.refused) {
            0 => Ok(()),
            spans => {
                self.too_large += spans;
                let message = format!("larger than a datagram of {LARGEST_DATAGRAM} bytes");
                Err(ExportError::Rejected { spans, message })
            }
        }
    }

    fn dropped_too_large(&self) -> u64 {
        self.too_large
    }

    fn target(&self) -> String {
        format!("udp://{} (opentelemetry-jaeger)", self.agent)
    }
}

fn make(agent: &str, resource: &Resource) -> Result<opentelemetry_jaeger::Exporter, String> {
    let attributes = key_values(resource.attributes().map(|(k, v)| (k, v.clone())));
    let config = Config::default().with_resource(OldResource::new(attributes));
    opentelemetry_jaeger::new_agent_pipeline()
        .with_endpoint(agent)
        .with_service_name(resource.service_name())
        .with_max_packet_size(LARGEST_DATAGRAM)
        .with_trace_config(config)
        .build_sync_agent_exporter()
        .map_err(|error| error.to_string())
}

/// The crate's blocking exporter has done its work when it is polled once.
fn ready<T, E: ToString>(future: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(result) => result.map_err(|error| error.to_string()),
        Poll::Pending => Err("the exporter waits".to_owned()),
    }
}

/// The type that says so is private to the crate, which will not change any more.
fn is_too_large(error: &str) -> bool {
    error.contains("over max UDP packet size")
}

fn span_data(span: &SpanView<'_>) -> SpanData {
    let mut events = SpanEvents::default();
    events.events = span.events().map(|event| self::event(&event)).collect();
    events.dropped_count = span.dropped_events_count();
    let mut links = SpanLinks::default();
    links.links = span.links().map(|link| self::link(&link)).collect();
    links.dropped_count = span.dropped_links_count();
    let context = SpanContext::new(
        span.trace_id(),
        span.span_id(),
        span.trace_flags(),
        false,
        Default::default(),
    );
    let scope = span.scope();
    let mut library = old::InstrumentationLibrary::builder(scope.name().to_owned());
    if let Some(version) = scope.version() {
        library = library.with_version(version.to_owned());
    }
    SpanData {
        span_context: span_context(&context),
        parent_span_id: old::trace::SpanId::from_bytes(span.parent_span_id().to_bytes()),
        span_kind: kind(span.kind()),
        name: span.name().to_owned().into(),
        start_time: time(span.start_time_unix_nano()),
        end_time: time(span.end_time_unix_nano()),
        attributes: key_values(span.attributes()),
        dropped_attributes_count: span.dropped_attributes_count(),
        events,
        links,
        status: match span.status() {
            Status::Unset => old::trace::Status::Unset,
            Status::Ok => old::trace::Status::Ok,
            Status::Error { description } => old::trace::Status::error(description.to_string()),
        },
        resource: Default::default(),
        instrumentation_lib: library.build(),
    }
}

fn event(event: &EventView<'_>) -> old::trace::Event {
    old::trace::Event::new(
        event.name().to_owned(),
        time(event.time_unix_nano()),
        key_values(event.attributes()),
        event.dropped_attributes_count(),
    )
}

fn link(link: &LinkView<'_>) -> old::trace::Link {
    old::trace::Link::new(
        span_context(link.span_context()),
        key_values(link.attributes()),
        link.dropped_attributes_count(),
    )
}

/// Jaeger's format has no trace state.
fn span_context(context: &SpanContext) -> old::trace::SpanContext {
    old::trace::SpanContext::new(
        old::trace::TraceId::from_bytes(context.trace_id().to_bytes()),
        old::trace::SpanId::from_bytes(context.span_id().to_bytes()),
        // W3C's bit for random ids would be Jaeger's for debugging.
        old::trace::TraceFlags::new(u8::from(context.is_sampled())),
        context.is_remote(),
        old::trace::TraceState::NONE,
    )
}

fn kind(kind: &SpanKind) -> old::trace::SpanKind {
    match kind {
        SpanKind::Client => old::trace::SpanKind::Client,
        SpanKind::Server => old::trace::SpanKind::Server,
        SpanKind::Producer => old::trace::SpanKind::Producer,
        SpanKind::Consumer => old::trace::SpanKind::Consumer,
        SpanKind::Internal => old::trace::SpanKind::Internal,
    }
}

fn key_values<'a>(attributes: impl Iterator<Item = (&'a str, Value<'a>)>) -> Vec<old::KeyValue> {
    let key_value = |(key, value): (&str, Value<'_>)| {
        let value: Option<opentelemetry::Value> = value.into();
        Some(old::KeyValue::new(key.to_owned(), self::value(value?)?))
    };
    attributes.filter_map(key_value).collect()
}

fn value(value: opentelemetry::Value) -> Option<old::Value> {
    use opentelemetry::{Array, Value};
    let text = |text: opentelemetry::StringValue| old::StringValue::from(String::from(text));
    Some(match value {
        Value::Bool(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::F64(value) => value.into(),
        Value::String(value) => old::Value::String(text(value)),
        Value::Array(array) => old::Value::Array(match array {
            Array::Bool(list) => old::Array::Bool(list),
            Array::I64(list) => old::Array::I64(list),
            Array::F64(list) => old::Array::F64(list),
            Array::String(list) => old::Array::String(list.into_iter().map(text).collect()),
            _ => return None,
        }),
        _ => return None,
    })
}

fn time(unix_nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(unix_nanos)
}
