//! OTLP as JSON: for receivers that ask for it, and for files.
//!
//! The mapping is protobuf's, with two exceptions of OTLP: ids are in hexadecimal digits, and
//! enumerations are numbers.

mod numbers;
pub(crate) mod writer;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::Status;

pub(crate) use self::numbers::{flags, kind};
#[cfg(feature = "jaeger")]
pub(crate) use self::writer::string;
use self::writer::{Object, object};
use crate::{Batch, EventView, LinkView, SpanView, Value};

/// Appends the `ExportTraceServiceRequest` for this batch, on one line.
pub(crate) fn request(batch: &Batch<'_>, out: &mut Vec<u8>) {
    let scopes = scopes(batch);
    object(out, |request| {
        request.list("resourceSpans", std::iter::once(batch), |spans, batch| {
            spans.object("resource", |resource| {
                let known = batch.resource().attributes();
                attributes(resource, known.map(|(key, value)| (key, value.clone())));
            });
            spans.list("scopeSpans", scopes.iter(), |spans, scope| {
                spans.object("scope", |object| self::scope(object, scope));
                let own = batch.spans().filter(|span| span.scope() == *scope);
                spans.list("spans", own, |object, span| self::span(object, &span));
                spans.text("schemaUrl", scope.schema_url().unwrap_or_default());
            });
        });
    });
}

/// The scopes of the batch, each once.
fn scopes(batch: &Batch<'_>) -> Vec<&'static InstrumentationScope> {
    let mut scopes: Vec<&InstrumentationScope> = Vec::new();
    for span in batch.spans() {
        if !scopes.contains(&span.scope()) {
            scopes.push(span.scope());
        }
    }
    scopes
}

fn scope(object: &mut Object<'_>, scope: &InstrumentationScope) {
    object.text("name", scope.name());
    object.text("version", scope.version().unwrap_or_default());
    let known = scope.attributes();
    attributes(
        object,
        known.map(|kv| (kv.key.as_str(), Value::from(&kv.value))),
    );
}

fn span(object: &mut Object<'_>, span: &SpanView<'_>) {
    object.hex("traceId", &span.trace_id().to_bytes());
    object.hex("spanId", &span.span_id().to_bytes());
    object.text("traceState", &span.trace_state().header());
    let parent = span.parent_span_id().to_bytes();
    if parent != [0; 8] {
        object.hex("parentSpanId", &parent);
    }
    let flags = flags(span.trace_flags().to_u8(), span.is_parent_remote());
    object.plain("flags", flags);
    object.text("name", span.name());
    object.plain("kind", kind(span.kind()));
    object.quoted("startTimeUnixNano", span.start_time_unix_nano());
    object.quoted("endTimeUnixNano", span.end_time_unix_nano());
    attributes(object, span.attributes());
    object.count("droppedAttributesCount", span.dropped_attributes_count());
    object.list("events", span.events(), event);
    object.count("droppedEventsCount", span.dropped_events_count());
    object.list("links", span.links(), link);
    object.count("droppedLinksCount", span.dropped_links_count());
    match span.status() {
        Status::Unset => {}
        Status::Ok => object.object("status", |status| status.plain("code", 1)),
        Status::Error { description } => object.object("status", |status| {
            status.text("message", description);
            status.plain("code", 2);
        }),
    }
}

// By value, as the iterators give them.
fn event(object: &mut Object<'_>, event: EventView<'_>) {
    object.quoted("timeUnixNano", event.time_unix_nano());
    object.text("name", event.name());
    attributes(object, event.attributes());
    object.count("droppedAttributesCount", event.dropped_attributes_count());
}

// By value, as the iterators give them.
fn link(object: &mut Object<'_>, link: LinkView<'_>) {
    let context = link.span_context();
    object.hex("traceId", &context.trace_id().to_bytes());
    object.hex("spanId", &context.span_id().to_bytes());
    object.text("traceState", &context.trace_state().header());
    attributes(object, link.attributes());
    object.count("droppedAttributesCount", link.dropped_attributes_count());
    let flags = flags(context.trace_flags().to_u8(), context.is_remote());
    object.plain("flags", flags);
}

fn attributes<'a>(object: &mut Object<'_>, attributes: impl Iterator<Item = (&'a str, Value<'a>)>) {
    let some = attributes.filter(|(_, value)| !matches!(value, Value::None));
    object.list("attributes", some, |object, (key, value)| {
        object.any_text("key", key);
        object.object("value", |object| any_value(object, &value));
    });
}

fn any_value(object: &mut Object<'_>, value: &Value<'_>) {
    match value {
        Value::None => {}
        Value::Bool(v) => object.plain("boolValue", v),
        Value::I64(v) => object.quoted("intValue", v),
        Value::F64(v) => object.float("doubleValue", *v),
        Value::Str(v) => object.any_text("stringValue", v),
        Value::Array(elements) => object.object("arrayValue", |array| {
            array.any_list("values", elements.iter(), any_value);
        }),
    }
}

#[cfg(all(test, feature = "otlp-http"))]
mod tests;
