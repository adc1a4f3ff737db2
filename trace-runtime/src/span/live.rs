//! The live record, from the start of a span to its end.

use std::borrow::Cow;

use opentelemetry::trace::{SpanContext, Status, TraceState};
use opentelemetry::{Context, KeyValue};

use crate::callsite::Callsite;
use crate::record::{AttributeBuffer, Event, EventTime, Header, Late, Link, REDACTED_TEXT, flag};
use crate::tracer::Core;
use crate::{clock, panic_hook, pipeline::thread};

/// The record of a span that has not ended.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) context: SpanContext,
    pub(crate) core: &'static Core,
    /// `None` for spans of the OpenTelemetry API.
    pub(super) callsite: Option<&'static Callsite>,
    /// The context to enter, if it is not the current one.
    pub(super) base: Option<Context>,
    pub(super) parent_span_id: u64,
    pub(super) start: u64,
    pub(super) site: u32,
    pub(super) flags: u16,
    ended: bool,
    /// Spans of the OpenTelemetry API end when they are dropped; ours end explicitly.
    pub(super) ends_on_drop: bool,
    pub(super) attributes: AttributeBuffer,
    late: Option<Box<Late>>,
}

impl Live {
    /// A span that begins now.
    #[inline]
    pub(super) fn new(
        context: SpanContext,
        core: &'static Core,
        callsite: Option<&'static Callsite>,
        site: u32,
        parent_span_id: u64,
    ) -> Box<Self> {
        Box::new(Self {
            context,
            core,
            callsite,
            base: None,
            parent_span_id,
            start: clock::ticks(),
            site,
            flags: 0,
            ended: false,
            ends_on_drop: false,
            attributes: AttributeBuffer::new(),
            late: None,
        })
    }

    pub(crate) fn is_recording(&self) -> bool {
        !self.ended
    }

    /// The rare part, made when first needed.
    pub(crate) fn late(&mut self) -> &mut Late {
        self.late.get_or_insert_default()
    }

    /// Sets an attribute that is not one of the call site's; the last write wins.
    pub(crate) fn set(&mut self, attribute: KeyValue) {
        let early = u64::from(self.attributes.count());
        let limits = &self.core.limits;
        let KeyValue { key, value, .. } = attribute;
        let value = if self.core.hides_late(key.as_str()) {
            REDACTED_TEXT.into()
        } else {
            limits.cut(value)
        };
        let late = self.late.get_or_insert_default();
        if let Some(known) = late.attributes.iter_mut().find(|known| known.key == key) {
            known.value = value;
        } else if early + (late.attributes.len() as u64) < limits.attributes {
            late.attributes.push(KeyValue::new(key, value));
        } else {
            late.dropped_attributes += 1;
        }
    }

    pub(crate) fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: EventTime,
        attributes: Vec<KeyValue>,
    ) {
        let limits = &self.core.limits;
        let late = self.late.get_or_insert_default();
        if late.events.len() as u64 >= limits.events {
            late.dropped_events += 1;
            return;
        }
        let (attributes, dropped_attributes) =
            limits.cut_list(attributes, limits.attributes_per_event);
        late.events.push(Event {
            name,
            time,
            attributes,
            dropped_attributes,
        });
    }

    pub(crate) fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        let limits = &self.core.limits;
        let late = self.late.get_or_insert_default();
        if late.links.len() as u64 >= limits.links {
            late.dropped_links += 1;
            return;
        }
        let (attributes, dropped_attributes) =
            limits.cut_list(attributes, limits.attributes_per_link);
        late.links.push(Link {
            span_context,
            attributes,
            dropped_attributes,
        });
    }

    /// The caller's clock instead of ours.
    pub(crate) fn set_wall_start(&mut self, unix_nanos: u64) {
        self.start = unix_nanos;
        self.flags |= flag::WALL_START;
    }

    /// The panic that unwinds through the span ends it.
    pub(super) fn fail_by_panic(&mut self) {
        self.set(KeyValue::new("error.type", "panic"));
        let panic = panic_hook::take();
        let description = panic.as_ref().map(|panic| panic.message.clone());
        self.late().status = Status::error(description.unwrap_or_default());
        if let Some(panic) = panic {
            let now = EventTime::Ticks(clock::ticks());
            self.add_event("exception".into(), now, panic.attributes());
        }
    }

    /// Stores the span as finished, once.
    pub(crate) fn end(&mut self, wall_end: Option<u64>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let mut end = wall_end.unwrap_or(0);
        match wall_end {
            None => end = clock::ticks(),
            Some(_) => self.flags |= flag::WALL_END,
        }
        if self.core.is_closed() {
            self.core.count_after_shutdown();
            return;
        }
        if *self.context.trace_state() != TraceState::NONE {
            self.late().trace_state = self.context.trace_state().clone();
        }
        let late = self.late.take();
        if late.is_some() {
            self.flags |= flag::LATE;
        }
        let header = Header {
            site: self.site,
            flags: self.flags,
            trace_flags: self.context.trace_flags().to_u8(),
            trace_id: u128::from_be_bytes(self.context.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(self.context.span_id().to_bytes()),
            parent_span_id: self.parent_span_id,
            start: self.start,
            end,
        };
        thread::push(&self.core.queue, header, self.attributes.as_bytes(), late);
    }
}

/// A span of this crate as the OpenTelemetry API sees it, in a context or in the user's hands.
#[derive(Debug)]
pub struct LiveSpan(State);

#[derive(Debug)]
enum State {
    Recording(Box<Live>),
    /// Records nothing; its ids are passed on.
    Passing(Box<SpanContext>),
}

impl LiveSpan {
    pub(crate) fn recording(live: Box<Live>) -> Self {
        Self(State::Recording(live))
    }

    /// A span that records nothing and has these ids, so that what is below it stays joined.
    pub(crate) fn passing(context: SpanContext) -> Self {
        Self(State::Passing(Box::new(context)))
    }

    pub(crate) fn context(&self) -> &SpanContext {
        match &self.0 {
            State::Recording(live) => &live.context,
            State::Passing(context) => context,
        }
    }

    /// The record, while the span has not ended.
    pub(crate) fn live(&mut self) -> Option<&mut Live> {
        match &mut self.0 {
            State::Recording(live) if live.is_recording() => Some(live),
            _ => None,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(&self.0, State::Recording(live) if live.is_recording())
    }
}

impl Drop for LiveSpan {
    #[inline]
    fn drop(&mut self) {
        if let State::Recording(live) = &mut self.0 {
            if live.ends_on_drop {
                live.end(None);
            }
        }
    }
}
