//! The live record, from the start of a span to its end.

use std::borrow::Cow;

use opentelemetry::trace::{SpanContext, Status, TraceState};
use opentelemetry::{Context, KeyValue, SpanId};

use crate::callsite::Callsite;
use crate::pipeline::{buffer::Writer, thread};
use crate::record::{AttributeBuffer, Event, EventTime, Header, Late, Link, REDACTED_TEXT, flag};
use crate::tracer::Core;
use crate::{clock, panic_hook};

/// The record of a span that has not ended. It stays in one box, which the thread keeps for the
/// next span when this one ends.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) core: &'static Core,
    /// `None` for spans of the OpenTelemetry API.
    pub(super) callsite: Option<&'static Callsite>,
    pub(super) context: SpanContext,
    parent_id: SpanId,
    start: u64,
    end: u64,
    pub(super) site: u32,
    pub(super) flags: u16,
    ended: bool,
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
            context: SpanContext::NONE,
            parent_id: SpanId::INVALID,
            start: 0,
            end: 0,
            site: 0,
            flags: 0,
            ended: false,
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
        context: SpanContext,
        parent_id: SpanId,
    ) {
        self.callsite = callsite;
        self.context = context;
        self.parent_id = parent_id;
        self.start = clock::ticks();
        (self.site, self.flags) = (site, 0);
        (self.ended, self.passing, self.ends_on_drop) = (false, false, false);
    }

    /// Forgets the span that has ended; false if the record is not worth keeping.
    #[inline]
    pub(crate) fn clear(&mut self) -> bool {
        self.attributes.clear();
        self.base.is_none() && self.late.is_none()
    }

    /// The span ends now, or by the caller's clock: stores it as finished, once.
    pub(super) fn end(&mut self, wall_end: Option<u64>) {
        if !self.close(wall_end) {
            return;
        }
        let (header, late) = (self.header(), self.late.take());
        let queue = &self.core.queue;
        let attributes = self.attributes.as_words();
        #[cfg(feature = "metrics")]
        if header.flags & flag::UNSAMPLED != 0 {
            return thread::push_unsampled(queue, &header, attributes, late);
        }
        thread::push(queue, &header, attributes, late);
    }

    /// The same, of a span that nobody will ask for its ids again.
    #[inline]
    fn finish(mut self: Box<Self>) {
        match self.close(None) {
            true => thread::finish(self),
            false => thread::keep(self),
        }
    }

    /// The span is over; false if it is not to be stored, because it was before or comes too late.
    #[inline]
    fn close(&mut self, wall_end: Option<u64>) -> bool {
        if std::mem::replace(&mut self.ended, true) {
            return false;
        }
        match wall_end {
            None => self.end = clock::ticks(),
            Some(unix_nanos) => {
                self.end = unix_nanos;
                self.flags |= flag::WALL_END;
            }
        }
        if self.core.is_closed() {
            self.core.count_after_shutdown();
            return false;
        }
        if *self.context.trace_state() != TraceState::NONE {
            self.keep_trace_state();
        }
        if self.late.is_some() {
            self.flags |= flag::LATE;
        }
        true
    }

    /// What is stored before the attributes. Inlined, because a copy would wait until its parts have
    /// reached the cache.
    #[inline(always)]
    fn header(&self) -> Header {
        Header {
            site: self.site,
            flags: self.flags,
            trace_flags: self.context.trace_flags().to_u8(),
            trace_id: u128::from_be_bytes(self.context.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(self.context.span_id().to_bytes()),
            parent_span_id: u64::from_be_bytes(self.parent_id.to_bytes()),
            start: self.start,
            end: self.end,
        }
    }

    /// Stores the span in this buffer.
    #[inline(always)]
    pub(crate) fn push_to(&mut self, writer: &mut Writer) {
        let late = self.late.take();
        writer.push(&self.header(), self.attributes.as_words(), late);
    }

    #[cold]
    fn keep_trace_state(&mut self) {
        self.late().trace_state = self.context.trace_state().clone();
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
        self.start = unix_nanos;
        self.flags |= flag::WALL_START;
    }

    /// The body never begins: a field's expression panics, or leaves the function by `?`.
    #[cold]
    pub(super) fn abandon(mut self: Box<Self>) {
        if !self.passing {
            if std::thread::panicking() {
                self.fail_by_panic();
            }
            self.end(None);
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
///
/// Small, because the API moves it about and puts it into a box of its own.
#[derive(Debug)]
pub struct LiveSpan {
    /// Gone once the function is over.
    live: Option<Box<Live>>,
    /// Where there is no record: ids to pass on.
    ids: Option<Box<SpanContext>>,
}

impl LiveSpan {
    /// A span with a record; one that is only timed is not recording.
    #[inline]
    pub(crate) fn new(live: Box<Live>) -> Self {
        Self {
            live: Some(live),
            ids: None,
        }
    }

    /// A span that records nothing and has these ids, so that what is below it stays joined.
    pub(crate) fn passing(context: SpanContext) -> Self {
        Self {
            live: None,
            ids: Some(Box::new(context)),
        }
    }

    #[inline]
    pub(crate) fn context(&self) -> &SpanContext {
        match (&self.live, &self.ids) {
            (Some(live), _) => &live.context,
            (None, Some(ids)) => ids,
            (None, None) => &SpanContext::NONE,
        }
    }

    /// The record, while the span has not ended.
    #[inline]
    pub(crate) fn live(&mut self) -> Option<&mut Live> {
        let live = self.live.as_deref_mut();
        live.filter(|live| !live.ended && !live.passing)
    }

    /// The record of a span that is only timed.
    #[cfg(feature = "metrics")]
    pub(crate) fn only_timed(&mut self) -> Option<&mut Live> {
        let live = self.live.as_deref_mut();
        live.filter(|live| !live.ended && live.passing)
    }

    pub(crate) fn is_live(&self) -> bool {
        let live = self.live.as_deref();
        live.is_some_and(|live| !live.ended && !live.passing)
    }

    /// The function that the span is of is over.
    #[inline]
    pub(crate) fn end_own(&mut self) {
        match self.live.take() {
            Some(live) if !live.ends_on_drop && !live.passing => live.finish(),
            live => {
                self.live = live;
                self.finish(None);
            }
        }
    }

    #[inline]
    pub(crate) fn finish(&mut self, wall_end: Option<u64>) {
        if let Some(live) = self.live() {
            live.end(wall_end);
        }
        #[cfg(feature = "metrics")]
        if let Some(live) = self.only_timed() {
            live.end_unsampled(wall_end);
        }
    }
}

impl Drop for LiveSpan {
    #[inline]
    fn drop(&mut self) {
        let Some(mut live) = self.live.take() else {
            return;
        };
        #[cfg(feature = "metrics")]
        if live.passing {
            return live.end_unsampled(None);
        }
        if live.ends_on_drop {
            live.end(None);
        }
        thread::keep(live);
    }
}
