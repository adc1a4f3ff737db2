//! The bound on finished spans, shared by the threads of one tracer, and the list of their buffers.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::buffer::{Drained, ThreadBuffer};
use super::chunk::Spares;
use super::control::Waker;
use super::open::OpenCounts;
use super::sync::{Arc, AtomicBool, AtomicI64, Mutex, MutexGuard};
use crate::record::Records;

/// Bytes taken beside each span's credit; a usual span is smaller.
const BYTES_PER_SPAN: i64 = 128;

/// How soon the worker looks again after it has found a batch. Waking it takes a request thread ten
/// times as long as recording a span.
const NAP: Duration = Duration::from_millis(1);

/// Counts what may be buffered. Threads take credits in small handfuls, the worker returns them.
#[derive(Debug)]
pub(crate) struct Queue {
    spans: AtomicI64,
    bytes: AtomicI64,
    max_spans: i64,
    handful: i64,
    batch: i64,
    pub(crate) waker: Waker,
    closed: AtomicBool,
    buffers: Mutex<Buffers>,
    pub(super) spares: Spares,
}

#[derive(Debug, Default)]
struct Buffers {
    live: Vec<Arc<ThreadBuffer>>,
    /// What the threads that are gone have counted.
    past: Totals,
}

/// One round through the threads' buffers, which takes at least what is there when it begins, and ends
/// even if a thread writes faster than it is read: of none it takes more than was queued in all.
#[derive(Debug)]
pub(crate) struct Round {
    /// Those that are left, the one at hand last.
    threads: Vec<Arc<ThreadBuffer>>,
    most: usize,
    /// What may still be taken from the one at hand.
    left: usize,
}

/// Sums over all threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) ended: u64,
    pub(crate) dropped_queue_full: u64,
    pub(crate) open: OpenCounts,
    #[cfg(feature = "metrics")]
    pub(crate) unsampled: u64,
}

impl Totals {
    fn add(&mut self, thread: &ThreadBuffer) {
        self.ended += thread.ended.load(Ordering::Relaxed);
        self.dropped_queue_full += thread.dropped_queue_full.load(Ordering::Relaxed);
        thread.open.add_to(&mut self.open);
        #[cfg(feature = "metrics")]
        {
            self.unsampled += thread.unsampled.load(Ordering::Relaxed);
        }
    }
}

impl Queue {
    /// At most `spans` finished spans of together `bytes`; the worker is woken at `batch` spans.
    pub(crate) fn new(spans: usize, bytes: usize, batch: usize) -> Self {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Self {
            spans: AtomicI64::new(count(spans)),
            bytes: AtomicI64::new(count(bytes)),
            max_spans: count(spans),
            handful: (count(spans) / 64).clamp(1, 32),
            batch: count(batch).min(count(spans)),
            waker: Waker::default(),
            closed: AtomicBool::new(false),
            buffers: Mutex::default(),
            spares: Spares::default(),
        }
    }

    /// Nothing will be taken out any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn buffers(&self) -> MutexGuard<'_, Buffers> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn register(&self, buffer: Arc<ThreadBuffer>) {
        self.buffers().live.push(buffer);
    }

    /// Begins a round through all buffers.
    pub(crate) fn round(&self) -> Round {
        let most = usize::try_from(self.queued()).unwrap_or(0);
        Round {
            threads: self.buffers().live.iter().rev().cloned().collect(),
            most,
            left: most,
        }
    }

    /// Moves finished spans to `into`; true when there is no more room before the end of the round.
    pub(crate) fn drain(&self, round: &mut Round, into: &mut Records) -> bool {
        while let Some(thread) = round.threads.last() {
            let before = into.len();
            let most = round.left.min(into.left());
            let drained = thread.drain(into, most, &self.spares);
            round.left -= into.len() - before;
            if drained == Drained::Enough && round.left > 0 {
                return true;
            }
            if drained == Drained::Forever {
                self.forget(thread);
            }
            round.threads.pop();
            round.left = round.most;
        }
        false
    }

    fn forget(&self, thread: &Arc<ThreadBuffer>) {
        let mut buffers = self.buffers();
        buffers.past.add(thread);
        buffers.live.retain(|live| !Arc::ptr_eq(live, thread));
    }

    pub(crate) fn totals(&self) -> Totals {
        let buffers = self.buffers();
        let mut totals = buffers.past.clone();
        buffers.live.iter().for_each(|thread| totals.add(thread));
        totals
    }

    /// How many spans have found the queue full.
    pub(crate) fn dropped(&self) -> u64 {
        let buffers = self.buffers();
        let of = |thread: &Arc<ThreadBuffer>| thread.dropped_queue_full.load(Ordering::Relaxed);
        buffers.past.dropped_queue_full + buffers.live.iter().map(of).sum::<u64>()
    }

    /// The worker is done with spans: they no longer count against the bound.
    pub(crate) fn release(&self, spans: usize, bytes: usize) {
        self.give_back(Credits {
            spans: spans as i64,
            bytes: bytes as i64,
        });
    }

    /// Queued spans that took `before` bytes now take `after`.
    pub(crate) fn adjust_bytes(&self, before: usize, after: usize) {
        self.bytes
            .fetch_add(before as i64 - after as i64, Ordering::Relaxed);
    }

    pub(crate) fn give_back(&self, credits: Credits) {
        self.spans.fetch_add(credits.spans, Ordering::Relaxed);
        self.bytes.fetch_add(credits.bytes, Ordering::Relaxed);
    }

    /// Takes a handful of credits, with room for a span of `bytes`; false when there are none.
    #[cold]
    fn refill(&self, credits: &mut Credits, bytes: i64) -> bool {
        if credits.spans == 0 {
            let taken = take(&self.spans, self.handful, 1);
            credits.spans = taken;
            self.waker.tell(self.queued());
            if taken == 0 {
                return false;
            }
        }
        if credits.bytes < bytes {
            let wanted = (bytes - credits.bytes).max(credits.spans * BYTES_PER_SPAN);
            credits.bytes += take(&self.bytes, wanted, bytes - credits.bytes);
        }
        let enough = credits.bytes >= bytes;
        if !enough {
            self.waker.tell(self.max_spans);
        }
        enough
    }

    /// Spans that wait, or may come to wait without anybody asking.
    fn queued(&self) -> i64 {
        self.max_spans - self.spans.load(Ordering::Relaxed)
    }

    pub(crate) fn has_batch(&self) -> bool {
        self.queued() >= self.batch
    }

    /// The worker sleeps until a batch is queued.
    pub(crate) fn sleep(&self, until: Instant) {
        self.waker.sleep(until, self.batch);
    }

    /// The worker sleeps a moment; nobody pays for waking it up unless the queue fills meanwhile.
    pub(crate) fn nap(&self) {
        self.waker
            .sleep(Instant::now() + NAP, self.batch.max(self.max_spans / 2));
    }

    #[cfg(test)]
    pub(crate) fn threads(&self) -> usize {
        self.buffers().live.len()
    }

    #[cfg(test)]
    pub(crate) fn available(&self) -> (i64, i64) {
        (
            self.spans.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        )
    }
}

/// Takes up to `wanted`, but nothing if there is less than `least`.
fn take(available: &AtomicI64, wanted: i64, least: i64) -> i64 {
    let before = available.fetch_sub(wanted, Ordering::Relaxed);
    let taken = if before >= least {
        wanted.min(before)
    } else {
        0
    };
    if taken < wanted {
        available.fetch_add(wanted - taken, Ordering::Relaxed);
    }
    taken
}

/// What one thread may still buffer without asking.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Credits {
    spans: i64,
    bytes: i64,
}

impl Credits {
    /// Pays for one span; false when the queue is full.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: usize, queue: &Queue) -> bool {
        let bytes = bytes as i64;
        if (self.spans == 0 || self.bytes < bytes) && !queue.refill(self, bytes) {
            return false;
        }
        self.spans -= 1;
        self.bytes -= bytes;
        true
    }
}
