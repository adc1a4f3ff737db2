//! What few spans have: everything that is said about a span after its body began.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, Status, TraceState};
use opentelemetry::{KeyValue, Value};

/// The rare part of a record, in a box of its own.
#[derive(Debug, Default)]
pub(crate) struct Late {
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) events: Vec<Event>,
    pub(crate) links: Vec<Link>,
    pub(crate) status: Status,
    pub(crate) trace_state: TraceState,
    pub(crate) dropped_attributes: u32,
    pub(crate) dropped_events: u32,
    pub(crate) dropped_links: u32,
}

/// Something that happened while the span was open.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: Cow<'static, str>,
    pub(crate) time: EventTime,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) dropped_attributes: u32,
}

/// When an event happened: by our clock, or by the caller's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EventTime {
    Ticks(u64),
    Wall(SystemTime),
}

/// A span that this one has to do with, though it is not its parent.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) span_context: SpanContext,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) dropped_attributes: u32,
}

impl Late {
    /// Roughly the bytes it holds on the heap, for the bound of the queue.
    pub(crate) fn bytes(&self) -> usize {
        let attributes = |list: &[KeyValue]| {
            list.iter()
                .map(|kv| size_of::<KeyValue>() + kv.key.as_str().len() + value_bytes(&kv.value))
                .sum::<usize>()
        };
        let events: usize = self
            .events
            .iter()
            .map(|e| size_of::<Event>() + e.name.len() + attributes(&e.attributes))
            .sum();
        let links: usize = self
            .links
            .iter()
            .map(|l| size_of::<Link>() + attributes(&l.attributes))
            .sum();
        let description = match &self.status {
            Status::Error { description } => description.len(),
            _ => 0,
        };
        size_of::<Self>()
            + self.name.as_ref().map_or(0, |name| name.len())
            + attributes(&self.attributes)
            + events
            + links
            + description
    }
}

fn value_bytes(value: &Value) -> usize {
    use opentelemetry::Array;
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::String(texts)) => texts
            .iter()
            .map(|t| size_of_val(t) + t.as_str().len())
            .sum(),
        Value::Array(Array::Bool(list)) => list.len(),
        Value::Array(Array::I64(list)) => 8 * list.len(),
        Value::Array(Array::F64(list)) => 8 * list.len(),
        _ => 0,
    }
}
