//! The live record, from the start of a span to its end.

use std::borrow::Cow;

use opentelemetry::trace::{SpanContext, Status, TraceState};
use opentelemetry::{Context, KeyValue, SpanId, TraceFlags, TraceId};

use crate::callsite::Callsite;
use crate::record::{AttributeBuffer, Event, EventTime, Header, Late, Link, REDACTED_TEXT, flag};
use crate::tracer::Core;
use crate::{clock, panic_hook, pipeline::thread};

/// The record of a span that has not ended. It stays in one box, which the thread keeps for the
/// next span when this one ends.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) core: &'static Core,
    /// `None` for spans of the OpenTelemetry API.
    pub(super) callsite: Option<&'static Callsite>,
    pub(crate) header: Header,
    pub(super) trace_state: TraceState,
    /// The context to enter, if it is not the current one.
    pub(super) base: Option<Context>,
    /// Records nothing: a trace that is not sampled, whose ids travel on.
    pub(super) passing: bool,
    /// Spans of the OpenTelemetry API end when they are dropped; ours end explicitly.
    pub(super) ends_on_drop: bool,
    pub(crate) attributes: AttributeBuffer,
    pub(crate) late: Option<Box<Late>>,
}

impl Live {
    /// The record of no span in particular.
    #[cold]
    pub(crate) fn blank(core: &'static Core) -> Box<Self> {
        Box::new(Self {
            core,
            callsite: None,
            header: Header::default(),
            trace_state: TraceState::NONE,
            base: None,
            passing: false,
            ends_on_drop: false,
            attributes: AttributeBuffer::new(),
            late: None,
        })
    }

    /// A span that begins now.
    #[inline]
    pub(super) fn begin(
        &mut self,
        callsite: Option<&'static Callsite>,
        site: u32,
        trace_id: TraceId,
        span_id: SpanId,
        parent_id: SpanId,
    ) {
        self.callsite = callsite;
        self.header = Header {
            site,
            flags: 0,
            trace_flags: 0,
            trace_id: u128::from_be_bytes(trace_id.to_bytes()),
            span_id: u64::from_be_bytes(span_id.to_bytes()),
            parent_span_id: u64::from_be_bytes(parent_id.to_bytes()),
            start: clock::ticks(),
            end: 0,
        };
        (self.passing, self.ends_on_drop) = (false, false);
    }

    /// Forgets the span that has ended; false if the record is not worth keeping.
    #[inline]
    pub(crate) fn clear(&mut self) -> bool {
        self.base.is_none() && self.late.is_none() && self.attributes.clear()
    }

    /// The span as others see it.
    #[inline]
    pub(super) fn take_context(&mut self) -> SpanContext {
        SpanContext::new(
            TraceId::from(self.header.trace_id),
            SpanId::from(self.header.span_id),
            TraceFlags::new(self.header.trace_flags),
            false,
            std::mem::take(&mut self.trace_state),
        )
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
        mut attributes: Vec<KeyValue>,
    ) {
        let limits = &self.core.limits;
        for attribute in &mut attributes {
            if self.core.hides_late(attribute.key.as_str()) {
                attribute.value = REDACTED_TEXT.into();
            }
        }
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
        self.header.start = unix_nanos;
        self.header.flags |= flag::WALL_START;
    }

    /// A panic unwinds before the body could begin.
    #[cold]
    pub(super) fn abandon(mut self: Box<Self>) {
        if !self.passing {
            self.fail_by_panic();
            LiveSpan::recording(self).finish(None);
        }
    }

    /// The panic that unwinds through the span ends it.
    fn fail_by_panic(&mut self) {
        self.set(KeyValue::new("error.type", "panic"));
        let panic = panic_hook::take();
        let description = panic.as_ref().map(|panic| panic.message.clone());
        self.late().status = Status::error(description.unwrap_or_default());
        if let Some(panic) = panic {
            let now = EventTime::Ticks(clock::ticks());
            self.add_event("exception".into(), now, panic.attributes());
        }
    }
}

/// A span of this crate as the OpenTelemetry API sees it, in a context or in the user's hands.
#[derive(Debug)]
pub struct LiveSpan {
    context: SpanContext,
    /// `None` once the span has ended, and for a span that records nothing.
    live: Option<Box<Live>>,
}

impl LiveSpan {
    #[inline]
    pub(crate) fn recording(mut live: Box<Live>) -> Self {
        Self {
            context: live.take_context(),
            live: Some(live),
        }
    }

    /// A span that records nothing and has these ids, so that what is below it stays joined.
    pub(crate) fn passing(context: SpanContext) -> Self {
        Self {
            context,
            live: None,
        }
    }

    pub(crate) fn context(&self) -> &SpanContext {
        &self.context
    }

    /// The record, while the span has not ended.
    pub(crate) fn live(&mut self) -> Option<&mut Live> {
        self.live.as_deref_mut()
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// Stores the span as finished, once.
    #[inline]
    pub(crate) fn finish(&mut self, wall_end: Option<u64>) {
        let Some(mut live) = self.live.take() else {
            return;
        };
        match wall_end {
            None => live.header.end = clock::ticks(),
            Some(end) => {
                live.header.end = end;
                live.header.flags |= flag::WALL_END;
            }
        }
        if live.core.is_closed() {
            live.core.count_after_shutdown();
            return;
        }
        if *self.context.trace_state() != TraceState::NONE {
            live.late().trace_state = self.context.trace_state().clone();
        }
        if live.late.is_some() {
            live.header.flags |= flag::LATE;
        }
        thread::finish(live);
    }
}

impl Drop for LiveSpan {
    #[inline]
    fn drop(&mut self) {
        if self.live.as_ref().is_some_and(|live| live.ends_on_drop) {
            self.finish(None);
        }
    }
}
