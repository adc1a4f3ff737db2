//! One span: the constant facts of its call site are copied, the rest is written.

use opentelemetry::SpanId;
use opentelemetry::trace::{Status, TraceState};

use super::attribute::{KeyTemplate, attribute, attributes};
use super::buffer::Buffer;
use super::proto::{self, FIXED32, FIXED64, LEN, VARINT, end_message, message, tag};
use crate::Value;
use crate::callsite::Site;
use crate::exporter::json::{flags, kind};
use crate::{EventView, LinkView, SpanView};

const TRACE_ID: u8 = tag(1, LEN);
const SPAN_ID: u8 = tag(2, LEN);
const TRACE_STATE: u8 = tag(3, LEN);
const PARENT_SPAN_ID: u8 = tag(4, LEN);
const NAME: u8 = tag(5, LEN);
const KIND: u8 = tag(6, VARINT);
const START: u8 = tag(7, FIXED64);
const END: u8 = tag(8, FIXED64);
const ATTRIBUTES: u8 = tag(9, LEN);
const DROPPED_ATTRIBUTES: u8 = tag(10, VARINT);
const EVENTS: u8 = tag(11, LEN);
const DROPPED_EVENTS: u8 = tag(12, VARINT);
const LINKS: u8 = tag(13, LEN);
const DROPPED_LINKS: u8 = tag(14, VARINT);
const STATUS: u8 = tag(15, LEN);
/// The length of the field for the parent's id.
const PARENT: usize = 10;
/// Field 16 needs a tag of two bytes.
const FLAGS: [u8; 2] = [tag(0, FIXED32) | 0x80, 1];

/// A span of a call site with its ids and times left blank: copied at once, then filled in.
#[derive(Debug)]
pub(super) struct SiteTemplate {
    /// Tag and length of the whole; ids, flags, times; kind; name; code attributes. A span with a name
    /// of its own leaves out the name, one that shows less of the code ends earlier.
    fields: Vec<u8>,
    name_start: usize,
    /// Where the fields end with so many code attributes; with none, the name ends there.
    ends: [usize; 4],
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    name: &'static str,
    template: Option<KeyTemplate>,
}

/// Bytes that the length of a span most likely takes.
const LENGTH: usize = 2;
/// Where the blanks begin, and where they end.
const AT_LENGTH: usize = 1;
const AT_TRACE_ID: usize = 5;
const AT_SPAN_ID: usize = 23;
const AT_FLAGS: usize = 33;
const AT_START: usize = 38;
const AT_END: usize = 47;
const BLANKS: usize = 55;

impl SiteTemplate {
    /// For spans that are fields with this tag.
    pub(super) fn new(tag: u8, site: &Site) -> Self {
        let mut fields = Buffer::default();
        fields.put([tag, 0, 0]);
        proto::bytes(&mut fields, TRACE_ID, &[0; 16]);
        proto::bytes(&mut fields, SPAN_ID, &[0; 8]);
        fields.put(FLAGS);
        fields.put([0; 4]);
        fields.push(START);
        fields.put([0; 8]);
        fields.push(END);
        fields.put([0; 8]);
        debug_assert_eq!(fields.len(), BLANKS);
        fields.put([KIND, kind(&site.kind)]);
        let name_start = fields.len();
        proto::text(&mut fields, NAME, &site.name);
        let mut ends = [fields.len(); 4];
        if let Some(code) = &site.code {
            for (count, (key, value)) in (1..).zip(code.attributes()) {
                attribute(&mut fields, ATTRIBUTES, key, &value);
                ends[count] = fields.len();
            }
        }
        let key = |name: &&'static str| Key {
            name,
            template: KeyTemplate::new(ATTRIBUTES, name),
        };
        Self {
            fields: fields.written().to_vec(),
            name_start,
            ends,
            keys: site.keys.iter().map(key).collect(),
        }
    }

    /// Writes the span.
    #[inline]
    pub(super) fn span(&self, out: &mut Buffer, span: &SpanView<'_>) {
        let start = out.len();
        if span.has_late() || span.has_own_name() {
            self.unusual(out, span);
        } else {
            self.constants(
                out,
                span,
                &self.fields[..self.ends[span.code_attributes_shown()]],
            );
            self.attributes(out, span);
        }
        end_message(out, start + AT_LENGTH, LENGTH);
    }

    /// Writes these fields, filled in, and the parent's id.
    #[inline]
    fn constants(&self, out: &mut Buffer, span: &SpanView<'_>, fields: &[u8]) {
        let room = out.room(fields.len() + PARENT);
        let (place, parent) = room.split_at_mut(fields.len());
        place.copy_from_slice(fields);
        if let Some(blanks) = place.first_chunk_mut() {
            fill_in(blanks, span);
        }
        let mut len = fields.len();
        if span.parent_span_id() != SpanId::INVALID {
            (parent[0], parent[1]) = (PARENT_SPAN_ID, 8);
            parent[2..].copy_from_slice(&span.parent_span_id().to_bytes());
            len += PARENT;
        }
        out.advance(len);
    }

    /// Writes what the span's function recorded before its body began.
    #[inline]
    fn attributes(&self, out: &mut Buffer, span: &SpanView<'_>) {
        let mut entries = span.stored_attributes();
        while let Some((index, value)) = entries.next_stored() {
            let Some(key) = self.keys.get(index) else {
                continue;
            };
            let template = key.template.as_ref();
            if !template.is_some_and(|template| template.write(out, &value)) {
                attribute(out, ATTRIBUTES, key.name, &Value::from(value));
            }
        }
    }

    /// A span with a name of its own, or with what most spans have nothing of.
    fn unusual(&self, out: &mut Buffer, span: &SpanView<'_>) {
        // Rarely, a later attribute replaces one of the call site's.
        let replaced = span.is_code_set_later();
        let count = if replaced {
            0
        } else {
            span.code_attributes_shown()
        };
        self.constants(out, span, &self.fields[..self.name_start]);
        proto::text(out, NAME, span.name());
        out.extend(&self.fields[self.ends[0]..self.ends[count]]);
        if replaced {
            let code = span.code_attributes();
            let code = code.filter(|(key, _)| !span.is_set_later(key));
            attributes(out, ATTRIBUTES, code);
        }
        attributes(out, ATTRIBUTES, span.early_attributes());
        if span.has_late() {
            late(out, span);
        }
    }
}

/// What has a fixed width stands at a fixed place.
#[inline]
fn fill_in(blanks: &mut [u8; BLANKS], span: &SpanView<'_>) {
    let flags = flags(span.trace_flags().to_u8(), span.is_parent_remote());
    let (start, end) = span.times();
    blanks[AT_TRACE_ID..][..16].copy_from_slice(&span.trace_id().to_bytes());
    blanks[AT_SPAN_ID..][..8].copy_from_slice(&span.span_id().to_bytes());
    blanks[AT_FLAGS..][..4].copy_from_slice(&flags.to_le_bytes());
    blanks[AT_START..][..8].copy_from_slice(&start.to_le_bytes());
    blanks[AT_END..][..8].copy_from_slice(&end.to_le_bytes());
}

/// What most spans have nothing of.
fn late(out: &mut Buffer, span: &SpanView<'_>) {
    attributes(out, ATTRIBUTES, span.late_attributes());
    trace_state(out, TRACE_STATE, span.trace_state());
    for event in span.events() {
        message(out, EVENTS, 1, |out| self::event(out, &event));
    }
    for link in span.links() {
        message(out, LINKS, 1, |out| self::link(out, &link));
    }
    status(out, span.status());
    proto::uint32(out, DROPPED_ATTRIBUTES, span.dropped_attributes_count());
    proto::uint32(out, DROPPED_EVENTS, span.dropped_events_count());
    proto::uint32(out, DROPPED_LINKS, span.dropped_links_count());
}

fn trace_state(out: &mut Buffer, tag: u8, state: &TraceState) {
    if *state != TraceState::NONE {
        proto::text(out, tag, &state.header());
    }
}

fn event(out: &mut Buffer, event: &EventView<'_>) {
    out.push(tag(1, FIXED64));
    out.put(event.time_unix_nano().to_le_bytes());
    proto::text(out, tag(2, LEN), event.name());
    attributes(out, tag(3, LEN), event.attributes());
    proto::uint32(out, tag(4, VARINT), event.dropped_attributes_count());
}

fn link(out: &mut Buffer, link: &LinkView<'_>) {
    let context = link.span_context();
    proto::bytes(out, tag(1, LEN), &context.trace_id().to_bytes());
    proto::bytes(out, tag(2, LEN), &context.span_id().to_bytes());
    trace_state(out, tag(3, LEN), context.trace_state());
    attributes(out, tag(4, LEN), link.attributes());
    proto::uint32(out, tag(5, VARINT), link.dropped_attributes_count());
    out.push(tag(6, FIXED32));
    let flags = flags(context.trace_flags().to_u8(), context.is_remote());
    out.put(flags.to_le_bytes());
}

fn status(out: &mut Buffer, status: &Status) {
    const MESSAGE: u8 = tag(2, LEN);
    const CODE: u8 = tag(3, VARINT);
    match status {
        Status::Unset => {}
        Status::Ok => out.put([STATUS, 2, CODE, 1]),
        Status::Error { description } => message(out, STATUS, 1, |out| {
            proto::text(out, MESSAGE, description);
            out.put([CODE, 2]);
        }),
    }
}
