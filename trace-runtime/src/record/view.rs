//! Reading records: the one way in which exporters see spans.

use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId};

use super::attributes::Entries;
use super::late::{Event, EventTime, Late, Link};
use super::{Header, Room, flag};
use crate::Value;
use crate::callsite::{self, Code, Site};
use crate::clock::{self, Anchor};
use crate::config::CodeMode;

/// Finished spans, copied out of the threads' buffers, with the clock reading that dates them.
#[derive(Debug)]
pub(crate) struct Records {
    /// The records, one after the other, and room for more: what is in use is not cleared first.
    bytes: Vec<u8>,
    room: Room,
    /// How many bytes are in use, by how many records, and how many of these there may be.
    used: usize,
    len: usize,
    most: usize,
    /// The flags that any of them has.
    flags: u16,
    /// The boxes of those that have one, by their position, in order.
    late: Vec<(u32, Box<Late>)>,
    anchor: Anchor,
    code: CodeMode,
}

impl Records {
    /// No records; `code` says which facts of the call sites are shown.
    pub(crate) fn new(anchor: Anchor, code: CodeMode) -> Self {
        Self::within(&Room::default(), usize::MAX, anchor, code)
    }

    /// No records, and never more than `most`.
    pub(crate) fn within(room: &Room, most: usize, anchor: Anchor, code: CodeMode) -> Self {
        Self {
            bytes: room.take(),
            room: room.clone(),
            used: 0,
            len: 0,
            most,
            flags: 0,
            late: Vec::new(),
            anchor,
            code,
        }
    }

    /// No records, dated and shown like these.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.anchor, self.code)
    }

    /// How many more records there may be.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.most - self.len
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bytes that the records count against the queue's bound.
    pub(crate) fn queued_bytes(&self) -> usize {
        let late = self.late.iter().map(|(_, late)| late.bytes());
        self.used + late.sum::<usize>()
    }

    /// Appends a record of `len` words.
    #[inline]
    pub(crate) fn push(
        &mut self,
        len: usize,
        words: impl Iterator<Item = u64>,
        late: Option<Box<Late>>,
    ) {
        let (start, end) = (self.used, self.used + 8 * len);
        if end > self.bytes.len() {
            self.grow(end.max(2 * self.bytes.len()).max(FIRST_ROOM));
        }
        let record = &mut self.bytes[start..end];
        for (place, word) in record.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        self.flags |= Header::flags_in(record);
        if let Some(late) = late {
            self.late.push((self.len as u32, late));
        }
        (self.used, self.len) = (end, self.len + 1);
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.bytes.resize(bytes, 0);
    }

    /// Whether some records are for stages of our own, not for exporters.
    pub(crate) fn have_record_only(&self) -> bool {
        self.flags & flag::RECORD_ONLY != 0
    }

    /// Without the spans that are only timed.
    #[cfg(feature = "metrics")]
    pub(crate) fn without_unsampled(mut self) -> Self {
        if self.flags & flag::UNSAMPLED == 0 {
            return self;
        }
        let mut kept = self.emptied();
        let mut late = std::mem::take(&mut self.late).into_iter().peekable();
        for (at, view) in self.iter().enumerate() {
            let late = late.next_if(|(owner, _)| *owner as usize == at);
            if !view.has(flag::UNSAMPLED) {
                let words = Header::WORDS + view.attributes.len() / 8;
                let attributes = view.attributes.chunks_exact(8);
                let attributes =
                    attributes.map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
                let header = view.header.to_words(words).into_iter();
                kept.push(words, header.chain(attributes), late.map(|(_, late)| late));
            }
        }
        kept
    }

    /// Dates the records by the clock as it stands now.
    pub(crate) fn set_anchor(&mut self, anchor: Anchor) {
        self.anchor = anchor;
    }

    pub(crate) fn iter(&self) -> Iter<'_> {
        Iter {
            rest: &self.bytes[..self.used],
            at: 0,
            late: &self.late,
            records: self,
        }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.room.keep(std::mem::take(&mut self.bytes));
    }
}

/// Room for so many bytes at first: nearly a hundred spans.
const FIRST_ROOM: usize = 8 * 1024;

/// Reads records one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Iter<'a> {
    rest: &'a [u8],
    at: usize,
    /// Those of the records to come.
    late: &'a [(u32, Box<Late>)],
    records: &'a Records,
}

impl<'a> Iter<'a> {
    /// The box of the record at hand. Few have one, and in most batches none.
    #[inline]
    fn late(&mut self) -> Option<&'a Late> {
        let ((owner, late), rest) = self.late.split_first()?;
        (*owner as usize == self.at).then(|| {
            self.late = rest;
            &**late
        })
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = SpanView<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (words, rest) = self.rest.split_first_chunk()?;
        let (header, words) = Header::from_bytes(words);
        let (attributes, rest) = rest.split_at(8 * (words - Header::WORDS));
        self.rest = rest;
        let late = self.late();
        self.at += 1;
        Some(SpanView {
            header,
            attributes,
            late,
            anchor: &self.records.anchor,
            code: self.records.code,
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.records.len - self.at;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// A finished span, read from its record. Accessors only; what an exporter needs and no more.
#[derive(Clone, Debug)]
pub struct SpanView<'a> {
    header: Header,
    attributes: &'a [u8],
    late: Option<&'a Late>,
    anchor: &'a Anchor,
    code: CodeMode,
}

impl<'a> SpanView<'a> {
    fn site(&self) -> &'static Site {
        callsite::site(self.header.site)
    }

    /// The trace that the span belongs to.
    pub fn trace_id(&self) -> TraceId {
        TraceId::from(self.header.trace_id)
    }

    /// The span's own id.
    pub fn span_id(&self) -> SpanId {
        SpanId::from(self.header.span_id)
    }

    /// The parent's id, or [`SpanId::INVALID`] for the root of a trace.
    pub fn parent_span_id(&self) -> SpanId {
        SpanId::from(self.header.parent_span_id)
    }

    /// Whether the parent was received from another process.
    pub fn is_parent_remote(&self) -> bool {
        self.has(flag::PARENT_REMOTE)
    }

    /// Whether no span of this process is the parent.
    pub fn is_local_root(&self) -> bool {
        self.has(flag::LOCAL_ROOT)
    }

    /// Whether it is a local root of a debug trace, in Jaeger's sense.
    pub(crate) fn is_debug(&self) -> bool {
        self.has(flag::DEBUG)
    }

    /// Recorded for stages of our own, not for exporters.
    pub(crate) fn is_record_only(&self) -> bool {
        self.has(flag::RECORD_ONLY)
    }

    /// The W3C trace flags.
    pub fn trace_flags(&self) -> TraceFlags {
        TraceFlags::new(self.header.trace_flags)
    }

    /// The W3C trace state, empty for most.
    pub fn trace_state(&self) -> &'a TraceState {
        const NONE: &TraceState = &TraceState::NONE;
        self.late.map_or(NONE, |late| &late.trace_state)
    }

    /// The span's name.
    pub fn name(&self) -> &'a str {
        if let Some(name) = self.late.and_then(|late| late.name.as_deref()) {
            return name;
        }
        Entries(self.attributes)
            .own_name()
            .unwrap_or(&self.site().name)
    }

    /// The span's kind.
    pub fn kind(&self) -> &'static SpanKind {
        &self.site().kind
    }

    /// The instrumentation scope: package and version of the annotated crate.
    pub fn scope(&self) -> &'static InstrumentationScope {
        &self.site().scope
    }

    /// A number that is the same for all spans of one call site, scope and kind in this process.
    ///
    /// An exporter may keep what it made of the constant facts of a call site under it: the span's
    /// name unless [`has_own_name`](Self::has_own_name), [`kind`](Self::kind),
    /// [`scope`](Self::scope), [`code_attributes`](Self::code_attributes).
    pub fn site_id(&self) -> u32 {
        self.header.site
    }

    /// Whether this span's name differs from that of its call site.
    pub fn has_own_name(&self) -> bool {
        self.late.is_some_and(|late| late.name.is_some())
            || Entries(self.attributes).own_name().is_some()
    }

    /// When the span began, in nanoseconds since the Unix epoch.
    pub fn start_time_unix_nano(&self) -> u64 {
        self.time(flag::WALL_START, self.header.start)
    }

    /// When the span ended, in nanoseconds since the Unix epoch; never before its start.
    pub fn end_time_unix_nano(&self) -> u64 {
        self.times().1
    }

    /// When the span began and ended.
    #[inline]
    pub(crate) fn times(&self) -> (u64, u64) {
        let start = self.start_time_unix_nano();
        (start, self.time(flag::WALL_END, self.header.end).max(start))
    }

    /// Whether there is anything that most spans do not have.
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    pub(crate) fn has_late(&self) -> bool {
        self.late.is_some()
    }

    fn time(&self, wall: u16, time: u64) -> u64 {
        if self.has(wall) {
            time
        } else {
            self.anchor.unix_nanos(time)
        }
    }

    /// Where the traced function stands, as far as it is to be shown (`TRACED_CODE`): empty for spans
    /// of the OpenTelemetry API. The same for all spans of a call site that have any.
    pub fn code_attributes(
        &self,
    ) -> impl ExactSizeIterator<Item = (&'static str, Value<'static>)> + use<> {
        let code = self.site().code.as_ref().map(Code::attributes);
        code.into_iter()
            .flatten()
            .take(self.code_attributes_shown())
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// How many of the call site's attributes are shown, if it has any.
    #[inline]
    pub(crate) fn code_attributes_shown(&self) -> usize {
        match self.code {
            _ if self.has(flag::NO_CODE) => 0,
            CodeMode::All => 3,
            CodeMode::Function => 1,
            CodeMode::Off => 0,
        }
    }

    /// All attributes, each key once: `code.*`, arguments and fields, then what was set later.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let code = self
            .code_attributes()
            .map(|(key, value)| -> (&'a str, Value<'a>) { (key, value) });
        code.filter(|(key, _)| !self.is_set_later(key))
            .chain(self.own_attributes())
    }

    /// The attributes without those of the call site, see [`code_attributes`](Self::code_attributes).
    pub fn own_attributes(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        self.early_attributes().chain(self.late_attributes())
    }

    /// Arguments and fields as they are stored, by the position of their keys; what was set later has
    /// not replaced them here.
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    #[inline]
    pub(crate) fn stored_attributes(&self) -> Entries<'a> {
        Entries(self.attributes)
    }

    /// Arguments and fields.
    #[inline]
    pub(crate) fn early_attributes(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let (site, late) = (self.site(), self.late);
        Entries(self.attributes).filter_map(move |(index, value)| {
            let key = site.keys.get(index).copied()?;
            (!set_later(late, key)).then_some((key, value))
        })
    }

    /// What was set after the body began.
    #[inline]
    pub(crate) fn late_attributes(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let late = self.late.map_or(&[][..], |late| &late.attributes);
        key_values(late)
    }

    /// Whether `key` was set after the body began, which replaces an earlier value.
    pub fn is_set_later(&self, key: &str) -> bool {
        set_later(self.late, key)
    }

    /// Whether one of the call site's attributes was replaced.
    #[cfg(any(feature = "jaeger", feature = "otlp-grpc", feature = "otlp-http"))]
    pub(crate) fn is_code_set_later(&self) -> bool {
        self.late.is_some_and(|late| {
            late.attributes
                .iter()
                .any(|kv| kv.key.as_str().starts_with("code."))
        })
    }

    /// What happened while the span was open, in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = EventView<'a>> + use<'a> {
        let anchor = *self.anchor;
        let events = self.late.map_or(&[][..], |late| &late.events);
        events.iter().map(move |event| EventView { event, anchor })
    }

    /// The spans that this one has to do with besides its parent.
    pub fn links(&self) -> impl ExactSizeIterator<Item = LinkView<'a>> + use<'a> {
        self.late
            .map_or(&[][..], |late| &late.links)
            .iter()
            .map(LinkView)
    }

    /// The outcome.
    pub fn status(&self) -> &'a Status {
        self.late.map_or(&Status::Unset, |late| &late.status)
    }

    /// Attributes that the limits left out.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.late.map_or(0, |late| late.dropped_attributes)
    }

    /// Events that the limits left out.
    pub fn dropped_events_count(&self) -> u32 {
        self.late.map_or(0, |late| late.dropped_events)
    }

    /// Links that the limits left out.
    pub fn dropped_links_count(&self) -> u32 {
        self.late.map_or(0, |late| late.dropped_links)
    }

    fn has(&self, flag: u16) -> bool {
        self.header.flags & flag != 0
    }
}

fn set_later(late: Option<&Late>, key: &str) -> bool {
    late.is_some_and(|late| late.attributes.iter().any(|kv| kv.key.as_str() == key))
}

/// Something that happened while a span was open.
#[derive(Clone, Debug)]
pub struct EventView<'a> {
    event: &'a Event,
    anchor: Anchor,
}

impl<'a> EventView<'a> {
    /// The event's name.
    pub fn name(&self) -> &'a str {
        &self.event.name
    }

    /// When it happened, in nanoseconds since the Unix epoch.
    pub fn time_unix_nano(&self) -> u64 {
        match self.event.time {
            EventTime::Ticks(ticks) => self.anchor.unix_nanos(ticks),
            EventTime::Wall(time) => clock::unix_nanos(time),
        }
    }

    /// The event's attributes.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        key_values(&self.event.attributes)
    }

    /// Attributes that the limits left out.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.event.dropped_attributes
    }
}

/// A link to another span.
#[derive(Clone, Debug)]
pub struct LinkView<'a>(&'a Link);

impl<'a> LinkView<'a> {
    /// The span it points to.
    pub fn span_context(&self) -> &'a SpanContext {
        &self.0.span_context
    }

    /// The link's attributes.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        key_values(&self.0.attributes)
    }

    /// Attributes that the limits left out.
    pub fn dropped_attributes_count(&self) -> u32 {
        self.0.dropped_attributes
    }
}

fn key_values<'a>(list: &'a [KeyValue]) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
    list.iter()
        .map(|kv| (kv.key.as_str(), Value::from(&kv.value)))
}
