//! One span: the constant facts of its call site are copied, the rest is written.

use opentelemetry::trace::{Status, TraceState};

use super::attribute::{attribute, attributes};
use super::proto::{self, FIXED32, FIXED64, LEN, VARINT, message, tag};
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
/// Field 16 needs a tag of two bytes.
const FLAGS: [u8; 2] = [tag(0, FIXED32) | 0x80, 1];

/// The fields that are equal in all spans of a call site, encoded.
#[derive(Debug)]
pub(super) struct SiteFields {
    /// Name, kind, code attributes: a span with a name of its own copies from the kind on, one that
    /// shows less of the code up to there.
    fields: Vec<u8>,
    name_end: usize,
    /// Where the fields end with so many code attributes.
    ends: [usize; 4],
}

impl SiteFields {
    pub(super) fn new(site: &Site) -> Self {
        let mut fields = Vec::new();
        proto::text(&mut fields, NAME, &site.name);
        let name_end = fields.len();
        fields.extend_from_slice(&[KIND, kind(&site.kind)]);
        let mut ends = [fields.len(); 4];
        if let Some(code) = &site.code {
            for (count, (key, value)) in (1..).zip(code.attributes()) {
                attribute(&mut fields, ATTRIBUTES, key, &value);
                ends[count] = fields.len();
            }
        }
        Self {
            fields,
            name_end,
            ends,
        }
    }

    fn write(&self, out: &mut Vec<u8>, span: &SpanView<'_>) {
        let own_name = span.has_own_name();
        let start = if own_name { self.name_end } else { 0 };
        // Rarely, a later attribute replaces one of the call site's.
        let replaced = span.is_code_set_later();
        let count = if replaced {
            0
        } else {
            span.code_attributes_len()
        };
        out.extend_from_slice(&self.fields[start..self.ends[count]]);
        if own_name {
            proto::text(out, NAME, span.name());
        }
        if replaced {
            let code = span.code_attributes();
            let code = code.filter(|(key, _)| !span.is_set_later(key));
            attributes(out, ATTRIBUTES, code);
        }
    }
}

/// Writes the span's fields, without the tag and length of the whole.
pub(super) fn span(out: &mut Vec<u8>, site: &SiteFields, span: &SpanView<'_>) {
    identity(out, span);
    site.write(out, span);
    attributes(out, ATTRIBUTES, span.early_attributes());
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

/// Ids, flags and times have a fixed width, so they are laid out at once.
fn identity(out: &mut Vec<u8>, span: &SpanView<'_>) {
    const WITHOUT_PARENT: usize = 52;
    let flags = flags(span.trace_flags().to_u8(), span.is_parent_remote());
    let parent = span.parent_span_id().to_bytes();
    let mut fields = [0_u8; WITHOUT_PARENT + 10];
    fields[0..2].copy_from_slice(&[TRACE_ID, 16]);
    fields[2..18].copy_from_slice(&span.trace_id().to_bytes());
    fields[18..20].copy_from_slice(&[SPAN_ID, 8]);
    fields[20..28].copy_from_slice(&span.span_id().to_bytes());
    fields[28..30].copy_from_slice(&FLAGS);
    fields[30..34].copy_from_slice(&flags.to_le_bytes());
    fields[34] = START;
    fields[35..43].copy_from_slice(&span.start_time_unix_nano().to_le_bytes());
    fields[43] = END;
    fields[44..52].copy_from_slice(&span.end_time_unix_nano().to_le_bytes());
    fields[52..54].copy_from_slice(&[PARENT_SPAN_ID, 8]);
    fields[54..62].copy_from_slice(&parent);
    let is_root = parent == [0; 8];
    let len = if is_root {
        WITHOUT_PARENT
    } else {
        fields.len()
    };
    out.extend_from_slice(&fields[..len]);
}

fn trace_state(out: &mut Vec<u8>, tag: u8, state: &TraceState) {
    if *state != TraceState::NONE {
        proto::text(out, tag, &state.header());
    }
}

fn event(out: &mut Vec<u8>, event: &EventView<'_>) {
    out.push(tag(1, FIXED64));
    out.extend_from_slice(&event.time_unix_nano().to_le_bytes());
    proto::text(out, tag(2, LEN), event.name());
    attributes(out, tag(3, LEN), event.attributes());
    proto::uint32(out, tag(4, VARINT), event.dropped_attributes_count());
}

fn link(out: &mut Vec<u8>, link: &LinkView<'_>) {
    let context = link.span_context();
    proto::bytes(out, tag(1, LEN), &context.trace_id().to_bytes());
    proto::bytes(out, tag(2, LEN), &context.span_id().to_bytes());
    trace_state(out, tag(3, LEN), context.trace_state());
    attributes(out, tag(4, LEN), link.attributes());
    proto::uint32(out, tag(5, VARINT), link.dropped_attributes_count());
    out.push(tag(6, FIXED32));
    let flags = flags(context.trace_flags().to_u8(), context.is_remote());
    out.extend_from_slice(&flags.to_le_bytes());
}

fn status(out: &mut Vec<u8>, status: &Status) {
    const MESSAGE: u8 = tag(2, LEN);
    const CODE: u8 = tag(3, VARINT);
    match status {
        Status::Unset => {}
        Status::Ok => out.extend_from_slice(&[STATUS, 2, CODE, 1]),
        Status::Error { description } => message(out, STATUS, 1, |out| {
            proto::text(out, MESSAGE, description);
            out.extend_from_slice(&[CODE, 2]);
        }),
    }
}
