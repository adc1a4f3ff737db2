//! One span in the words of Jaeger's IDL.

use std::collections::HashMap;

use opentelemetry::trace::{SpanContext, SpanKind, Status};
use opentelemetry::{SpanId, TraceId};

use super::tag;
use super::thrift::{Protocol, Structs, structure};
use crate::callsite::{self, Site};
use crate::{EventView, SpanView, Value};

/// `SpanRefType` of Jaeger's IDL.
const CHILD_OF: i32 = 0;
const FOLLOWS_FROM: i32 = 1;

/// Bits of `Span.flags`. W3C's second bit means something else.
const SAMPLED: i32 = 1;
const DEBUG: i32 = 2;

/// Encodes spans. It keeps what it made of each call site, and its buffers.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    sites: HashMap<u32, SiteTags>,
    tags: Structs,
    logs: Structs,
    fields: Structs,
    references: Structs,
}

/// The tags that are equal in all spans of a call site.
#[derive(Debug)]
struct SiteTags {
    /// So many of the `code.*` attributes.
    code: [Structs; 4],
    /// Kind and scope.
    facts: Structs,
}

impl Encoder {
    /// Appends a `Span`.
    pub(super) fn span<P: Protocol>(&mut self, out: &mut Vec<u8>, span: &SpanView<'_>) {
        self.tags::<P>(span);
        self.logs::<P>(span);
        self.references::<P>(span);
        let (high, low) = halves(span.trace_id());
        let start = span.start_time_unix_nano();
        let duration = span.end_time_unix_nano().saturating_sub(start);
        structure::<P>(out, |fields| {
            fields.i64(1, low);
            fields.i64(2, high);
            fields.i64(3, id(span.span_id()));
            fields.i64(4, id(span.parent_span_id()));
            fields.string(5, span.name());
            fields.optional_list(6, &self.references);
            fields.i32(7, flags(span));
            fields.i64(8, micros(start));
            fields.i64(9, micros(duration));
            fields.optional_list(10, &self.tags);
            fields.optional_list(11, &self.logs);
        });
    }

    fn tags<P: Protocol>(&mut self, span: &SpanView<'_>) {
        let site = self
            .sites
            .entry(span.site_id())
            .or_insert_with(|| SiteTags::new::<P>(callsite::site(span.site_id())));
        let tags = &mut self.tags;
        tags.clear();
        if span.is_code_set_later() {
            for (key, value) in span.code_attributes() {
                if !span.is_set_later(key) {
                    tag::push::<P>(tags, key, &value);
                }
            }
        } else {
            tags.extend(&site.code[span.code_attributes_shown()]);
        }
        for (key, value) in span.own_attributes() {
            if !is_said_otherwise(key, span) {
                tag::push::<P>(tags, key, &value);
            }
        }
        tags.extend(&site.facts);
        for (key, value) in outcome(span) {
            tag::push::<P>(tags, key, &value);
        }
    }

    fn logs<P: Protocol>(&mut self, span: &SpanView<'_>) {
        self.logs.clear();
        for event in span.events() {
            fields::<P>(&mut self.fields, &event);
            let time = micros(event.time_unix_nano());
            self.logs.push::<P>(|log| {
                log.i64(1, time);
                log.list(2, &self.fields);
            });
        }
    }

    /// The links. Jaeger adds the parent, `Span.parentSpanId`, by itself, unless there is a reference
    /// to it already: a link to the parent would leave the span without one.
    fn references<P: Protocol>(&mut self, span: &SpanView<'_>) {
        let references = &mut self.references;
        references.clear();
        let parent = (span.trace_id(), span.parent_span_id());
        let links_parent = span.links().any(|link| {
            let context = link.span_context();
            (context.trace_id(), context.span_id()) == parent
        });
        if links_parent && parent.1 != SpanId::INVALID {
            reference::<P>(references, CHILD_OF, parent.0, parent.1);
        }
        for link in span.links() {
            let context: &SpanContext = link.span_context();
            reference::<P>(
                references,
                FOLLOWS_FROM,
                context.trace_id(),
                context.span_id(),
            );
        }
    }
}

impl SiteTags {
    fn new<P: Protocol>(site: &Site) -> Self {
        let attributes = site.code.as_ref().map(|code| code.attributes());
        let code = std::array::from_fn(|count| {
            let mut tags = Structs::default();
            for (key, value) in attributes.iter().flatten().take(count) {
                tag::push::<P>(&mut tags, key, value);
            }
            tags
        });
        let mut facts = Structs::default();
        for (key, value) in self::facts(site) {
            tag::push::<P>(&mut facts, key, &value);
        }
        Self { code, facts }
    }
}

fn reference<P: Protocol>(references: &mut Structs, kind: i32, trace: TraceId, span: SpanId) {
    let (high, low) = halves(trace);
    references.push::<P>(|fields| {
        fields.i32(1, kind);
        fields.i64(2, low);
        fields.i64(3, high);
        fields.i64(4, id(span));
    });
}

/// An event's fields: its name as `event`, unless an attribute says that already.
fn fields<P: Protocol>(fields: &mut Structs, event: &EventView<'_>) {
    fields.clear();
    if event.attributes().all(|(key, _)| key != "event") {
        tag::push::<P>(fields, "event", &Value::Str(event.name().into()));
    }
    for (key, value) in event.attributes() {
        tag::push::<P>(fields, key, &value);
    }
    let dropped = event.dropped_attributes_count();
    tag::push::<P>(fields, "otel.dropped_attributes_count", &count(dropped));
}

type Tag<'a> = (&'static str, Value<'a>);

/// Kind and scope, the latter under its old name too, which Jaeger 1.x shows.
fn facts(site: &Site) -> [Tag<'_>; 5] {
    let name = || text(site.scope.name());
    let version = || text(site.scope.version().unwrap_or_default());
    [
        ("otel.scope.name", name()),
        ("otel.scope.version", version()),
        ("otel.library.name", name()),
        ("otel.library.version", version()),
        ("span.kind", text(kind(&site.kind))),
    ]
}

/// Status and what the limits left out.
fn outcome<'a>(span: &SpanView<'a>) -> [Tag<'a>; 6] {
    let (error, code, description) = match span.status() {
        Status::Unset => (Value::None, "", ""),
        Status::Ok => (Value::None, "OK", ""),
        Status::Error { description } => (Value::Bool(true), "ERROR", description.as_ref()),
    };
    [
        ("error", error),
        ("otel.status_code", text(code)),
        ("otel.status_description", text(description)),
        (
            "otel.dropped_attributes_count",
            count(span.dropped_attributes_count()),
        ),
        (
            "otel.dropped_events_count",
            count(span.dropped_events_count()),
        ),
        (
            "otel.dropped_links_count",
            count(span.dropped_links_count()),
        ),
    ]
}

/// Whether a tag of ours has this key, too: Jaeger would show both, and search by either.
fn is_said_otherwise(key: &str, span: &SpanView<'_>) -> bool {
    let special = key == "error" || key == "span.kind" || key.starts_with("otel.");
    let is_said = |(ours, value): Tag<'_>| ours == key && value != Value::None;
    special
        && (outcome(span).into_iter().any(is_said)
            || facts(callsite::site(span.site_id()))
                .into_iter()
                .any(is_said))
}

/// The kind in OpenTracing's words, which have none for an internal span.
fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

fn text(text: &str) -> Value<'_> {
    if text.is_empty() {
        Value::None
    } else {
        Value::Str(text.into())
    }
}

fn count(count: u32) -> Value<'static> {
    if count == 0 {
        Value::None
    } else {
        Value::I64(count.into())
    }
}

fn flags(span: &SpanView<'_>) -> i32 {
    match (span.is_debug(), span.trace_flags().is_sampled()) {
        (true, _) => SAMPLED | DEBUG,
        (false, true) => SAMPLED,
        (false, false) => 0,
    }
}

fn id(id: SpanId) -> i64 {
    i64::from_be_bytes(id.to_bytes())
}

/// High and low.
fn halves(id: TraceId) -> (i64, i64) {
    let id = u128::from_be_bytes(id.to_bytes());
    ((id >> 64) as i64, id as i64)
}

/// Never negative: 2^64 nanoseconds are less than 2^63 microseconds.
fn micros(nanos: u64) -> i64 {
    (nanos / 1000) as i64
}
