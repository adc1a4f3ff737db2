//! `Batch` and the call `emitBatch` of Jaeger's IDL.

use super::tag;
use super::thrift::{Fields, Protocol, Structs, structure};
use crate::Resource;

/// Everything in a batch but the spans.
#[derive(Debug)]
pub(super) struct Frame {
    /// A `Process`.
    pub(super) process: Vec<u8>,
    /// Counts up from 1, so that a collector can tell how many batches it missed.
    pub(super) sequence: i64,
    pub(super) stats: ClientStats,
}

/// What a client has lost since it started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClientStats {
    pub(super) full_queue_dropped: u64,
    pub(super) too_large_dropped: u64,
    pub(super) failed_to_emit: u64,
}

impl Default for Frame {
    fn default() -> Self {
        Self {
            process: Vec::new(),
            sequence: 1,
            stats: ClientStats::default(),
        }
    }
}

impl Frame {
    pub(super) fn set_resource<P: Protocol>(&mut self, resource: &Resource) {
        let mut tags = Structs::default();
        for (key, value) in resource.attributes() {
            if key != "service.name" {
                tag::push::<P>(&mut tags, key, value);
            }
        }
        self.process.clear();
        structure::<P>(&mut self.process, |process| {
            process.string(1, resource.service_name());
            process.optional_list(2, &tags);
        });
    }

    /// Replaces `out` by a bare `Batch`, the body of a post.
    pub(super) fn write_batch<P: Protocol>(&self, out: &mut Vec<u8>, spans: &Structs) {
        out.clear();
        structure::<P>(out, |batch| self.batch(batch, spans));
    }

    /// Replaces `out` by the call of an agent, one datagram.
    pub(super) fn write_call<P: Protocol>(&self, out: &mut Vec<u8>, spans: &Structs) {
        out.clear();
        // The envelope's number has 31 bits and starts again.
        P::oneway(out, "emitBatch", (self.sequence & 0x7fff_ffff) as i32);
        structure::<P>(out, |arguments| {
            arguments.structure(1, |batch| self.batch(batch, spans));
        });
    }

    fn batch<P: Protocol>(&self, batch: &mut Fields<'_, P>, spans: &Structs) {
        batch.encoded(1, &self.process);
        batch.list(2, spans);
        batch.i64(3, self.sequence);
        batch.structure(4, |stats| {
            stats.i64(1, self.stats.full_queue_dropped as i64);
            stats.i64(2, self.stats.too_large_dropped as i64);
            stats.i64(3, self.stats.failed_to_emit as i64);
        });
    }
}
