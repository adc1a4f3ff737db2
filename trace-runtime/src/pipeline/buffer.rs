//! The buffer between one thread and the worker: chunks of words, written by their owner and read
//! by the worker up to a released length.
//!
//! The words are atomics that are stored and loaded relaxed, which costs nothing on the machines
//! we run on and needs no `unsafe`: the release store of the length orders them.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::chunk::{Chunk, Spares};
use super::open::{OpenSpans, OpenWriter};
use super::queue::{Credits, Queue};
use super::sync::{Arc, AtomicBool, AtomicU64, Mutex};
use crate::record::{Header, Late, Records, flag};

/// What the worker sees of one thread.
#[derive(Debug)]
pub(crate) struct ThreadBuffer {
    reader: Mutex<(Arc<Chunk>, usize)>,
    /// The thread will write no more.
    closed: AtomicBool,
    /// Spans that ended on the thread, and those of them that found the queue full. Only the owner
    /// writes these, so a plain store is enough.
    pub(crate) ended: AtomicU64,
    pub(crate) dropped_queue_full: AtomicU64,
    pub(crate) open: OpenSpans,
    /// Spans that began on the thread and are not sampled, as far as they are timed.
    #[cfg(feature = "metrics")]
    pub(crate) unsampled: AtomicU64,
}

/// How far a buffer was emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// As far as was asked for: more may be left.
    Enough,
    /// All that was there.
    All,
    /// All, and the thread is gone.
    Forever,
}

impl ThreadBuffer {
    /// Moves up to `most` released records to `into`.
    pub(super) fn drain(&self, into: &mut Records, most: usize, spares: &Spares) -> Drained {
        let closed = self.closed.load(Ordering::Acquire);
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let (chunk, read) = &mut *reader;
        let enough = into.len() + most;
        loop {
            // In this order: once there is a next chunk, the length read after it is final.
            let next = chunk.next();
            let released = chunk.released.load(Ordering::Acquire);
            while *read < released {
                if into.len() >= enough {
                    return Drained::Enough;
                }
                *read += copy_record(chunk, *read, into);
            }
            match next {
                Some(next) => {
                    spares.keep(std::mem::replace(chunk, next));
                    *read = 0;
                }
                None if closed => return Drained::Forever,
                None => return Drained::All,
            }
        }
    }
}

fn copy_record(chunk: &Chunk, start: usize, into: &mut Records) -> usize {
    let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
    let words = &chunk.words[start..];
    let len = Header::record_words(load(&words[0]));
    let late = if load(&words[1]) as u16 & flag::LATE == 0 {
        None
    } else {
        chunk.late().pop_front()
    };
    into.push(len, words[..len].iter().map(load), late);
    len
}

/// The owner's side of a [`ThreadBuffer`].
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<ThreadBuffer>,
    chunk: Arc<Chunk>,
    written: usize,
    open: OpenWriter,
    credits: Credits,
    queue: Arc<Queue>,
}

impl Writer {
    /// A buffer that the queue's worker knows of.
    pub(crate) fn register(queue: &Arc<Queue>) -> Self {
        let chunk = queue.spares.take(0);
        let shared = Arc::new(ThreadBuffer {
            reader: Mutex::new((Arc::clone(&chunk), 0)),
            closed: AtomicBool::new(false),
            ended: AtomicU64::new(0),
            dropped_queue_full: AtomicU64::new(0),
            open: OpenSpans::default(),
            #[cfg(feature = "metrics")]
            unsampled: AtomicU64::new(0),
        });
        queue.register(Arc::clone(&shared));
        Self {
            shared,
            chunk,
            written: 0,
            open: OpenWriter::default(),
            credits: Credits::default(),
            queue: Arc::clone(queue),
        }
    }

    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Counts a span that began on this thread.
    #[inline]
    pub(crate) fn opened(&mut self, site: u32) {
        self.open.add(&self.shared.open, site, 1);
    }

    /// Stores a finished span, or drops and counts it when the queue is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, header: &Header, attributes: &[u8], late: Option<Box<Late>>) {
        add(&self.shared.ended, 1);
        self.open.add(&self.shared.open, header.site, -1);
        if !self.store(header, attributes, late) {
            add(&self.shared.dropped_queue_full, 1);
        }
    }

    /// Counts a span that began on this thread and is not sampled.
    #[cfg(feature = "metrics")]
    pub(crate) fn opened_unsampled(&mut self) {
        add(&self.shared.unsampled, 1);
    }

    /// Stores such a span when it has ended, if there is room: it is in no books but its own.
    #[cfg(feature = "metrics")]
    pub(crate) fn push_unsampled(
        &mut self,
        header: &Header,
        attributes: &[u8],
        late: Option<Box<Late>>,
    ) {
        self.store(header, attributes, late);
    }

    /// False if the queue is full.
    #[inline(always)]
    fn store(&mut self, header: &Header, attributes: &[u8], late: Option<Box<Late>>) -> bool {
        let words = Header::WORDS + attributes.len() / 8;
        let bytes = 8 * words + late.as_ref().map_or(0, |late| late.bytes());
        if !self.credits.spend(bytes, &self.queue) {
            return false;
        }
        if self.written + words > self.chunk.words.len() {
            self.next_chunk(words);
        }
        if let Some(late) = late {
            self.chunk.late().push_back(late);
        }
        let place = &self.chunk.words[self.written..self.written + words];
        let (head, tail) = place.split_at(Header::WORDS);
        for (word, value) in head.iter().zip(header.to_words(words)) {
            word.store(value, Ordering::Relaxed);
        }
        for (word, bytes) in tail.iter().zip(attributes.chunks_exact(8)) {
            let value = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
            word.store(value, Ordering::Relaxed);
        }
        self.written += words;
        self.chunk.released.store(self.written, Ordering::Release);
        true
    }

    #[cold]
    fn next_chunk(&mut self, words: usize) {
        let next = self.queue.spares.take(words);
        self.chunk.continue_in(&next);
        self.chunk = next;
        self.written = 0;
    }

    /// Forgets the buffer without touching the queue: in a forked child both are the parent's.
    pub(crate) fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.give_back(std::mem::take(&mut self.credits));
        self.shared.closed.store(true, Ordering::Release);
    }
}

/// Adds to a counter that only this thread writes.
#[inline]
fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed) + n, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callsite;
    use crate::clock::Anchor;
    use crate::config::CodeMode;
    use crate::record::Room;
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::SpanKind;

    fn queue(spans: usize, bytes: usize) -> Arc<Queue> {
        Arc::new(Queue::new(spans, bytes, 512))
    }

    fn header(span_id: u64) -> Header {
        let scope = InstrumentationScope::builder("buffer").build();
        Header {
            site: callsite::api_site(&scope, SpanKind::Internal),
            span_id,
            ..Header::default()
        }
    }

    fn drained(queue: &Queue) -> Records {
        let mut records = Records::new(Anchor::now(), CodeMode::All);
        assert!(!queue.drain(&mut queue.round(), &mut records));
        records
    }

    fn ids(records: &Records) -> Vec<u64> {
        let id = |view: crate::SpanView<'_>| u64::from_be_bytes(view.span_id().to_bytes());
        records.iter().map(id).collect()
    }

    #[test]
    fn records_arrive_in_order_across_chunks_with_their_boxes() {
        let queue = queue(100_000, 1 << 30);
        let mut writer = Writer::register(&queue);
        let long = vec![7; 20_000];
        for id in 0..1000 {
            let mut header = header(id);
            let late = (id % 3 == 0).then(|| {
                header.flags |= flag::LATE;
                Box::new(Late {
                    name: Some(id.to_string().into()),
                    ..Late::default()
                })
            });
            writer.push(&header, if id % 100 == 0 { &long } else { &[] }, late);
        }
        let records = drained(&queue);
        assert_eq!(ids(&records), (0..1000).collect::<Vec<_>>());
        for (id, view) in records.iter().enumerate() {
            assert_eq!(view.has_own_name(), id % 3 == 0);
            assert!(id % 3 != 0 || view.name() == id.to_string());
        }
    }

    #[test]
    fn a_round_in_batches_takes_what_was_there_from_every_thread() {
        let queue = queue(1000, 1 << 20);
        let mut writers = [(); 3].map(|()| Writer::register(&queue));
        for id in 0..90 {
            writers[id as usize % 3].push(&header(id), &[], None);
        }
        let mut round = queue.round();
        let (mut seen, mut more) = (Vec::new(), true);
        while more {
            let mut batch = Records::within(&Room::default(), 8, Anchor::now(), CodeMode::All);
            more = queue.drain(&mut round, &mut batch);
            assert!(batch.len() == 8 || !more);
            seen.extend(ids(&batch));
            // A thread that goes on meanwhile does not make the round longer for ever.
            for id in 0..8 {
                writers[0].push(&header(100 + id), &[], None);
            }
        }
        let before = seen.iter().copied().filter(|id| *id < 100);
        let of_each = (0..3).flat_map(|thread| (0..30).map(move |n| 3 * n + thread));
        assert_eq!(before.collect::<Vec<_>>(), of_each.collect::<Vec<_>>());
        assert!(seen.len() < 90 + 200, "{}", seen.len());
    }

    #[test]
    fn a_full_queue_drops_and_counts_and_recovers() {
        let queue = queue(10, 1 << 20);
        let mut writer = Writer::register(&queue);
        for id in 0..15 {
            writer.push(&header(id), &[], None);
        }
        let records = drained(&queue);
        assert_eq!(records.len(), 10);
        assert_eq!(queue.totals().dropped_queue_full, 5);
        queue.release(records.len(), records.queued_bytes());
        writer.push(&header(99), &[], None);
        let records = drained(&queue);
        assert_eq!(ids(&records), [99]);
    }

    #[test]
    fn the_bound_in_bytes_holds() {
        let queue = queue(1000, 10_000);
        let mut writer = Writer::register(&queue);
        for id in 0..100 {
            writer.push(&header(id), &[1; 936], None); // 1000 bytes with its header
        }
        let records = drained(&queue);
        assert_eq!(records.len(), 10);
    }

    #[test]
    fn a_thread_that_ends_hands_its_buffer_over_and_returns_its_credits() {
        let queue = queue(64, 1 << 20);
        for _ in 0..10 {
            let own = Arc::clone(&queue);
            std::thread::spawn(move || Writer::register(&own).push(&header(1), &[], None))
                .join()
                .expect("the thread ends");
            let records = drained(&queue);
            assert_eq!(records.len(), 1);
            queue.release(1, records.queued_bytes());
        }
        assert_eq!(queue.totals().ended, 10);
        assert_eq!(queue.threads(), 0);
        assert_eq!(queue.available(), (64, 1 << 20));
    }
}
