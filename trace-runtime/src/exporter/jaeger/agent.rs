//! Exports to an agent: few, full datagrams.

use std::marker::PhantomData;
use std::time::Instant;

use opentelemetry::SpanId;

use super::batch::Frame;
use super::connection::{SendError, Wire};
use super::span::Encoder;
use super::thrift::{Protocol, Structs};
use crate::{Batch, ExportError, Exporter};

/// An agent reads this much of a datagram and loses the rest.
const LARGEST_DATAGRAM: usize = 65_000;
/// Where a network takes less, we go down to this.
const SMALLEST_LIMIT: usize = 1_024;

/// Sends spans to an agent.
///
/// A span is sent again only if the agent refused what was sent: whoever is not there has not read
/// it, either. After any other failure a batch goes on where it stopped.
pub(super) struct Agent<P, W> {
    wire: W,
    encoder: Encoder,
    frame: Frame,
    /// Spans of the datagram that is being filled.
    spans: Structs,
    span: Vec<u8>,
    datagram: Vec<u8>,
    limit: usize,
    batch: Option<BatchId>,
    /// How far the batch has come.
    progress: Progress,
    /// Spans of the datagram that was sent last.
    last_sent: u64,
    too_large: u64,
    protocol: PhantomData<P>,
}

/// Tells one batch from another: a batch that failed comes again before any other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BatchId {
    first: SpanId,
    spans: usize,
}

impl BatchId {
    pub(super) fn of(batch: &Batch<'_>) -> Self {
        let mut spans = batch.spans();
        Self {
            spans: spans.len(),
            first: spans.next().map_or(SpanId::INVALID, |span| span.span_id()),
        }
    }
}

/// What has happened to the first spans of a batch.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// So many were sent or are too large.
    done: usize,
    too_large: u64,
}

impl<P: Protocol, W: Wire> Agent<P, W> {
    /// Does no I/O: the first batch does.
    pub(super) fn new(wire: W) -> Self {
        Self {
            wire,
            encoder: Encoder::default(),
            frame: Frame::default(),
            spans: Structs::default(),
            span: Vec::new(),
            datagram: Vec::new(),
            limit: LARGEST_DATAGRAM,
            batch: None,
            progress: Progress::default(),
            last_sent: 0,
            too_large: 0,
            protocol: PhantomData,
        }
    }

    /// Starts the batch, or goes on with it.
    fn resume(&mut self, batch: &Batch<'_>) {
        let id = BatchId::of(batch);
        if self.batch.as_ref() != Some(&id) {
            self.batch = Some(id);
            self.progress = Progress::default();
        }
        self.frame.set_resource::<P>(batch.resource());
        self.frame.stats.full_queue_dropped = batch.dropped_queue_full();
    }

    /// What was sent last may have come back since.
    fn look_back(&mut self) {
        if !self.wire.was_refused() {
            return;
        }
        if self.progress.done == 0 {
            // Of the batch before, which was taken for delivered.
            self.frame.stats.failed_to_emit += self.last_sent;
        }
        self.rewind();
    }

    /// Nobody has read what was sent.
    fn rewind(&mut self) {
        self.progress = Progress::default();
        self.last_sent = 0;
    }

    /// Sends what is left of the batch.
    fn send_rest(&mut self, batch: &Batch<'_>) -> Result<(), SendError> {
        self.look_back();
        self.spans.clear();
        let mut next = self.progress;
        let mut room = self.room(next);
        for span in batch.spans().skip(self.progress.done) {
            self.span.clear();
            self.encoder.span::<P>(&mut self.span, &span);
            let is_too_large = P::list_size(1) + self.span.len() > room;
            // The statistics may grow by a byte when there is one more to tell of.
            let more = if is_too_large { 1 } else { self.span.len() };
            let filled = P::list_size(self.spans.len() + 1) + self.spans.size();
            if self.spans.len() > 0 && filled + more > room {
                self.send(next, batch.deadline())?;
                room = self.room(next);
            }
            next.done += 1;
            if is_too_large {
                next.too_large += 1;
                room = self.room(next);
            } else {
                self.spans.push_encoded(&self.span);
            }
        }
        if self.spans.len() > 0 {
            self.send(next, batch.deadline())?;
        }
        self.progress = next;
        Ok(())
    }

    /// How much the list of spans may take in the next datagram.
    fn room(&mut self, progress: Progress) -> usize {
        self.frame.stats.too_large_dropped = self.too_large + progress.too_large;
        let empty = Structs::default();
        self.frame.write_call::<P>(&mut self.datagram, &empty);
        (self.limit + P::list_size(0)).saturating_sub(self.datagram.len())
    }

    /// Sends the datagram; when that is done, so much of the batch is.
    fn send(&mut self, done: Progress, deadline: Instant) -> Result<(), SendError> {
        if Instant::now() >= deadline {
            return Err(SendError::Failed("no time left for an attempt".to_owned()));
        }
        self.frame.write_call::<P>(&mut self.datagram, &self.spans);
        debug_assert!(self.datagram.len() <= self.limit);
        self.wire.send(&self.datagram)?;
        self.frame.sequence += 1;
        self.last_sent = self.spans.len() as u64;
        self.spans.clear();
        self.progress = done;
        Ok(())
    }

    /// The batch is through; what was too large is lost.
    fn finish(&mut self) -> Result<(), ExportError> {
        let Progress { too_large, .. } = self.progress;
        self.batch = None;
        self.too_large += too_large;
        if too_large == 0 {
            return Ok(());
        }
        Err(ExportError::Rejected {
            spans: too_large,
            message: format!("larger than a datagram of {} bytes", self.limit),
        })
    }
}

impl<P: Protocol, W: Wire> Exporter for Agent<P, W> {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        self.resume(batch);
        loop {
            return match self.send_rest(batch) {
                Ok(()) => self.finish(),
                Err(SendError::TooLong(_)) if self.limit > SMALLEST_LIMIT => {
                    self.limit = (self.limit / 2).max(SMALLEST_LIMIT);
                    continue;
                }
                Err(SendError::Refused(reason)) => {
                    self.rewind();
                    Err(ExportError::Unreachable(reason))
                }
                Err(SendError::Failed(reason) | SendError::TooLong(reason)) => {
                    Err(ExportError::Unreachable(reason))
                }
                Err(SendError::Never(message)) => {
                    let spans = batch.spans().len() as u64;
                    self.batch = None;
                    Err(ExportError::Rejected { spans, message })
                }
            };
        }
    }

    fn dropped_too_large(&self) -> u64 {
        self.too_large
    }

    fn target(&self) -> String {
        self.wire.target()
    }
}

#[cfg(test)]
mod tests;
