//! The finished span as it is stored: a few words and, rarely, a box beside them.
//!
//! A record is a sequence of 64-bit words: [`Header`], then the attributes in the tag-length-value
//! form of [`attributes`]. What most spans never have (events, links, a status, attributes set after
//! the body began) stands in [`Late`]. [`SpanView`] reads both, and every exporter reads through it.

pub(crate) mod attributes;
mod late;
mod owned;
mod room;
mod view;

#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) use attributes::Entries;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub(crate) use attributes::Stored;
pub(crate) use attributes::{AttributeBuffer, REDACTED_TEXT};
pub(crate) use late::{Event, EventTime, Late, Link};
pub use owned::{Keep, SpanEvent, SpanLink, SpanRecord};
pub(crate) use room::Room;
pub(crate) use view::Records;
pub use view::{EventView, LinkView, SpanView};

/// Flags of a [`Header`].
pub(crate) mod flag {
    /// A [`Late`](super::Late) belongs to the record.
    pub(crate) const LATE: u16 = 1;
    /// The parent was received from another process.
    pub(crate) const PARENT_REMOTE: u16 = 1 << 1;
    /// No span of this process is the parent.
    pub(crate) const LOCAL_ROOT: u16 = 1 << 2;
    /// Recorded but not sampled: seen by nobody yet, never exported.
    pub(crate) const RECORD_ONLY: u16 = 1 << 3;
    /// Start or end is nanoseconds since the Unix epoch, not ticks.
    pub(crate) const WALL_START: u16 = 1 << 4;
    pub(crate) const WALL_END: u16 = 1 << 5;
    /// The site's `code.*` attributes are left out.
    pub(crate) const NO_CODE: u16 = 1 << 6;
    /// A local root of a debug trace, in Jaeger's sense.
    pub(crate) const DEBUG: u16 = 1 << 7;
    /// Not sampled: only timed, and in no trace at all.
    #[cfg(feature = "metrics")]
    pub(crate) const UNSAMPLED: u16 = 1 << 8;
}

/// The fixed part of a record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Header {
    pub(crate) site: u32,
    pub(crate) flags: u16,
    pub(crate) trace_flags: u8,
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    pub(crate) parent_span_id: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Header {
    pub(crate) const WORDS: usize = 8;

    /// The header of a record of `words` words, header included.
    pub(crate) fn to_words(self, words: usize) -> [u64; Self::WORDS] {
        [
            words as u64 | u64::from(self.site) << 32,
            u64::from(self.flags) | u64::from(self.trace_flags) << 16,
            self.trace_id as u64,
            (self.trace_id >> 64) as u64,
            self.span_id,
            self.parent_span_id,
            self.start,
            self.end,
        ]
    }

    /// The header and the number of words of the record.
    #[inline]
    pub(crate) fn from_bytes(bytes: &[u8; 8 * Self::WORDS]) -> (Self, usize) {
        let word = |index: usize| {
            let bytes = bytes[8 * index..][..8].try_into();
            u64::from_le_bytes(bytes.unwrap_or_default())
        };
        let header = Self {
            site: (word(0) >> 32) as u32,
            flags: word(1) as u16,
            trace_flags: (word(1) >> 16) as u8,
            trace_id: u128::from(word(2)) | u128::from(word(3)) << 64,
            span_id: word(4),
            parent_span_id: word(5),
            start: word(6),
            end: word(7),
        };
        (header, Self::record_words(word(0)))
    }

    /// The flags of the record that these bytes are.
    #[inline]
    pub(crate) fn flags_in(record: &[u8]) -> u16 {
        let flags = record.get(8..10).and_then(|flags| flags.try_into().ok());
        flags.map_or(0, u16::from_le_bytes)
    }

    /// How many words the record has that begins with this word.
    pub(crate) fn record_words(first: u64) -> usize {
        first as u32 as usize
    }
}
