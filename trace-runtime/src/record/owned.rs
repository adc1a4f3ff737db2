//! A finished span as a plain struct: what `with_on_end` may change and what tests look at.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId};

use super::late::{Event, EventTime, Late, Link};
use super::view::SpanView;
use super::{Header, Records, flag};
use crate::{Value, callsite, clock};

/// Whether a finished span goes on to the exporters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is exported.
    Yes,
    /// It is dropped and counted.
    No,
}

/// A finished span, owned: scrub, drop or enrich it in
/// [`with_on_end`](crate::TracerBuilder::with_on_end), look at it in tests.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpanRecord {
    /// The trace that the span belongs to.
    pub trace_id: TraceId,
    /// The span's own id.
    pub span_id: SpanId,
    /// The parent's id, or [`SpanId::INVALID`].
    pub parent_span_id: SpanId,
    /// Whether the parent was received from another process.
    pub is_parent_remote: bool,
    /// The W3C trace flags.
    pub trace_flags: TraceFlags,
    /// The W3C trace state.
    pub trace_state: TraceState,
    /// The span's name.
    pub name: Cow<'static, str>,
    /// The span's kind.
    pub kind: SpanKind,
    /// The instrumentation scope.
    pub scope: InstrumentationScope,
    /// When the span began.
    pub start_time: SystemTime,
    /// When the span ended.
    pub end_time: SystemTime,
    /// All attributes, `code.*` first.
    pub attributes: Vec<KeyValue>,
    /// What happened while the span was open.
    pub events: Vec<SpanEvent>,
    /// The spans that this one has to do with besides its parent.
    pub links: Vec<SpanLink>,
    /// The outcome.
    pub status: Status,
    /// Attributes that the limits left out.
    pub dropped_attributes_count: u32,
    /// Events that the limits left out.
    pub dropped_events_count: u32,
    /// Links that the limits left out.
    pub dropped_links_count: u32,
    is_local_root: bool,
    is_debug: bool,
}

/// Something that happened while a span was open.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpanEvent {
    /// The event's name.
    pub name: Cow<'static, str>,
    /// When it happened.
    pub time: SystemTime,
    /// The event's attributes.
    pub attributes: Vec<KeyValue>,
    /// Attributes that the limits left out.
    pub dropped_attributes_count: u32,
}

/// A link to another span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpanLink {
    /// The span it points to.
    pub span_context: SpanContext,
    /// The link's attributes.
    pub attributes: Vec<KeyValue>,
    /// Attributes that the limits left out.
    pub dropped_attributes_count: u32,
}

impl SpanRecord {
    /// The value of an attribute.
    pub fn attribute(&self, key: &str) -> Option<&opentelemetry::Value> {
        self.attributes
            .iter()
            .find(|kv| kv.key.as_str() == key)
            .map(|kv| &kv.value)
    }

    /// Sets an attribute, in place of an earlier value under its key.
    pub fn set_attribute(&mut self, attribute: KeyValue) {
        match self
            .attributes
            .iter_mut()
            .find(|kv| kv.key == attribute.key)
        {
            Some(known) => known.value = attribute.value,
            None => self.attributes.push(attribute),
        }
    }

    /// Stores it back as a record.
    pub(crate) fn store(self, records: &mut Records) {
        let mut flags = flag::LATE | flag::WALL_START | flag::WALL_END | flag::NO_CODE;
        flags |= if self.is_parent_remote {
            flag::PARENT_REMOTE
        } else {
            0
        };
        flags |= if self.is_local_root {
            flag::LOCAL_ROOT
        } else {
            0
        };
        flags |= if self.is_debug { flag::DEBUG } else { 0 };
        let header = Header {
            site: callsite::api_site(&self.scope, self.kind),
            flags,
            trace_flags: self.trace_flags.to_u8(),
            trace_id: u128::from_be_bytes(self.trace_id.to_bytes()),
            span_id: u64::from_be_bytes(self.span_id.to_bytes()),
            parent_span_id: u64::from_be_bytes(self.parent_span_id.to_bytes()),
            start: clock::unix_nanos(self.start_time),
            end: clock::unix_nanos(self.end_time),
        };
        let event = |event: SpanEvent| Event {
            name: event.name,
            time: EventTime::Wall(event.time),
            attributes: event.attributes,
            dropped_attributes: event.dropped_attributes_count,
        };
        let link = |link: SpanLink| Link {
            span_context: link.span_context,
            attributes: link.attributes,
            dropped_attributes: link.dropped_attributes_count,
        };
        let late = Late {
            name: Some(self.name),
            attributes: self.attributes,
            events: self.events.into_iter().map(event).collect(),
            links: self.links.into_iter().map(link).collect(),
            status: self.status,
            trace_state: self.trace_state,
            dropped_attributes: self.dropped_attributes_count,
            dropped_events: self.dropped_events_count,
            dropped_links: self.dropped_links_count,
        };
        records.push(
            Header::WORDS,
            header.to_words(Header::WORDS).into_iter(),
            Some(Box::new(late)),
        );
    }
}

impl From<&SpanView<'_>> for SpanRecord {
    fn from(view: &SpanView<'_>) -> Self {
        Self {
            trace_id: view.trace_id(),
            span_id: view.span_id(),
            parent_span_id: view.parent_span_id(),
            is_parent_remote: view.is_parent_remote(),
            trace_flags: view.trace_flags(),
            trace_state: view.trace_state().clone(),
            name: Cow::Owned(view.name().to_owned()),
            kind: view.kind().clone(),
            scope: view.scope().clone(),
            start_time: wall(view.start_time_unix_nano()),
            end_time: wall(view.end_time_unix_nano()),
            attributes: key_values(view.attributes()),
            events: view
                .events()
                .map(|event| SpanEvent {
                    name: Cow::Owned(event.name().to_owned()),
                    time: wall(event.time_unix_nano()),
                    attributes: key_values(event.attributes()),
                    dropped_attributes_count: event.dropped_attributes_count(),
                })
                .collect(),
            links: view
                .links()
                .map(|link| SpanLink {
                    span_context: link.span_context().clone(),
                    attributes: key_values(link.attributes()),
                    dropped_attributes_count: link.dropped_attributes_count(),
                })
                .collect(),
            status: view.status().clone(),
            dropped_attributes_count: view.dropped_attributes_count(),
            dropped_events_count: view.dropped_events_count(),
            dropped_links_count: view.dropped_links_count(),
            is_local_root: view.is_local_root(),
            is_debug: view.is_debug(),
        }
    }
}

fn key_values<'a>(attributes: impl Iterator<Item = (&'a str, Value<'a>)>) -> Vec<KeyValue> {
    attributes
        .filter_map(|(key, value)| {
            let value: Option<opentelemetry::Value> = value.into();
            Some(KeyValue::new(key.to_owned(), value?))
        })
        .collect()
}

fn wall(unix_nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(unix_nanos)
}
