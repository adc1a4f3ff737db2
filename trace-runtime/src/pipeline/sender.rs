//! Delivery to one exporter: one attempt at a time, a growing pause after a failure, nothing thrown
//! away that could still be delivered.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::queue::Queue;
use super::report::Reporter;
use super::stats::{SenderCounters, WorkerCounters};
use crate::diagnostics::Diagnostic;
use crate::exporter::{Batch, ExportError, Exporter, Resource};
use crate::plain_text;
use crate::record::Records;

/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A receiver may ask for a longer pause, but not for any length.
const LONGEST_ASKED: Duration = Duration::from_secs(60);
/// Stands for "no limit" where a moment is needed.
const UNLIMITED: Duration = Duration::from_secs(3600);

/// A batch between the worker and its exporters. It counts against the queue's bound until the last
/// exporter is done with it.
#[derive(Debug)]
pub(crate) struct Pending {
    records: Records,
    bytes: usize,
    /// The most spans that any exporter lost, and that were too large for any.
    failed: AtomicU64,
    too_large: AtomicU64,
    queue: Arc<Queue>,
    counters: Arc<WorkerCounters>,
}

impl Pending {
    pub(crate) fn new(
        records: Records,
        bytes: usize,
        queue: &Arc<Queue>,
        counters: &Arc<WorkerCounters>,
    ) -> Arc<Self> {
        Arc::new(Self {
            records,
            bytes,
            failed: AtomicU64::new(0),
            too_large: AtomicU64::new(0),
            queue: Arc::clone(queue),
            counters: Arc::clone(counters),
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let spans = self.records.len() as u64;
        let lost = self.failed.load(Ordering::Relaxed).min(spans);
        let too_large = self.too_large.load(Ordering::Relaxed).min(lost);
        let add = |counter: &AtomicU64, spans| counter.fetch_add(spans, Ordering::Relaxed);
        add(&self.counters.failed, lost - too_large);
        add(&self.counters.dropped_too_large, too_large);
        add(&self.counters.exported, spans - lost);
        self.queue.release(self.records.len(), self.bytes);
    }
}

/// How hard to try.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effort {
    /// In the usual course of things: failures are retried later.
    Usual,
    /// Now, whatever pause was planned; failures are retried later.
    Now(Instant),
    /// For the last time: what fails is lost.
    Last(Instant),
}

/// What all senders of a tracer share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) resource: Arc<Resource>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) reporter: Arc<Reporter>,
    /// Bounds one attempt.
    pub(crate) timeout: Option<Duration>,
}

/// One exporter with what waits for it.
pub(crate) struct Sender {
    exporter: Box<dyn Exporter>,
    outbox: VecDeque<Arc<Pending>>,
    shared: Shared,
    counters: Arc<SenderCounters>,
    pause: Duration,
    retry_at: Option<Instant>,
    complaint: Option<String>,
}

impl Sender {
    pub(crate) fn new(
        exporter: Box<dyn Exporter>,
        shared: Shared,
        counters: Arc<SenderCounters>,
    ) -> Self {
        Self {
            exporter,
            outbox: VecDeque::new(),
            shared,
            counters,
            pause: FIRST_PAUSE,
            retry_at: None,
            complaint: None,
        }
    }

    /// Takes on a batch, to be delivered by the next [`deliver`](Self::deliver).
    pub(crate) fn accept(&mut self, batch: Arc<Pending>) {
        self.counters
            .accepted
            .fetch_add(batch.records.len() as u64, Ordering::Relaxed);
        self.outbox.push_back(batch);
    }

    /// Delivers what it can; says when to come back if something is left.
    pub(crate) fn deliver(&mut self, effort: Effort) -> Option<Instant> {
        while let Some(batch) = self.outbox.front() {
            let now = Instant::now();
            let limit = now + self.shared.timeout.unwrap_or(UNLIMITED);
            let deadline = match (effort, self.retry_at) {
                (Effort::Usual, Some(retry_at)) if now < retry_at => return Some(retry_at),
                (Effort::Usual, _) => limit,
                (Effort::Now(until) | Effort::Last(until), _) => limit.min(until),
            };
            let batch = Arc::clone(batch);
            let too_large = self.exporter.dropped_too_large();
            match self.attempt(&batch, deadline) {
                Ok(()) => self.done(&batch, 0, 0),
                Err(ExportError::Rejected { spans, message }) => {
                    let spans = spans.min(batch.records.len() as u64);
                    self.complain(
                        format!(
                            "refused by {}: {}: {message}",
                            self.counters.target,
                            plain_text::spans(spans)
                        ),
                        &message,
                    );
                    let dropped = self.exporter.dropped_too_large();
                    let too_large = dropped.saturating_sub(too_large);
                    self.done(&batch, spans, too_large);
                }
                Err(ExportError::Unreachable(message)) => {
                    if !self.postpone(effort, None, &message) {
                        return self.retry_at;
                    }
                }
                Err(ExportError::Retry { after, message }) => {
                    if !self.postpone(effort, after, &message) {
                        return self.retry_at;
                    }
                }
            }
        }
        None
    }

    fn attempt(&mut self, batch: &Pending, deadline: Instant) -> Result<(), ExportError> {
        let batch = Batch {
            resource: &self.shared.resource,
            records: &batch.records,
            deadline,
            dropped: self.shared.queue.dropped(),
        };
        let exporter = &mut self.exporter;
        catch_unwind(AssertUnwindSafe(|| exporter.export(&batch))).unwrap_or_else(|panic| {
            let spans = batch.records.len() as u64;
            let message = format!("the exporter panicked: {}", panic_message(&*panic));
            Err(ExportError::Rejected { spans, message })
        })
    }

    /// The exporter is done with the first batch of the outbox; so many spans of it are lost, and so
    /// many of these were too large.
    fn done(&mut self, batch: &Pending, lost: u64, too_large: u64) {
        let spans = batch.records.len() as u64;
        let too_large = too_large.min(lost);
        batch.failed.fetch_max(lost, Ordering::Relaxed);
        batch.too_large.fetch_max(too_large, Ordering::Relaxed);
        let add = |counter: &AtomicU64, spans| counter.fetch_add(spans, Ordering::Relaxed);
        add(&self.counters.failed, lost - too_large);
        add(&self.counters.dropped_too_large, too_large);
        add(&self.counters.exported, spans - lost);
        self.outbox.pop_front();
        self.pause = FIRST_PAUSE;
        self.retry_at = None;
        if lost < spans {
            self.recovered();
        }
    }

    /// The batch stays where it is; true when it was the last attempt and all is given up.
    fn postpone(&mut self, effort: Effort, after: Option<Duration>, message: &str) -> bool {
        let target = &self.counters.target;
        if let Effort::Last(_) = effort {
            let lost: usize = self.outbox.iter().map(|batch| batch.records.len()).sum();
            self.complain(
                format!(
                    "not delivered to {target}: {}: {message}",
                    plain_text::spans(lost as u64)
                ),
                message,
            );
            #[cfg(feature = "metrics")]
            self.counters
                .undelivered
                .fetch_add(lost as u64, Ordering::Relaxed);
            while let Some(batch) = self.outbox.front().cloned() {
                self.done(&batch, batch.records.len() as u64, 0);
            }
            return true;
        }
        self.complain(
            format!("cannot deliver spans to {target}: {message}; they are kept and retried"),
            message,
        );
        let pause = after.map_or_else(|| jittered(self.pause), |after| after.min(LONGEST_ASKED));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.retry_at = Some(Instant::now() + pause);
        false
    }

    fn complain(&mut self, text: String, reason: &str) {
        self.counters.set_error(Some(reason.to_owned()));
        self.shared.reporter.note(Diagnostic::warning(text.clone()));
        self.complaint = Some(text);
    }

    fn recovered(&mut self) {
        if let Some(complaint) = self.complaint.take() {
            self.counters.set_error(None);
            let good = format!("spans are delivered to {} again", self.counters.target);
            self.shared.reporter.forget(&complaint);
            self.shared.reporter.forget(&good);
            self.shared.reporter.note(Diagnostic::warning(good));
        }
    }

    /// The exporter may deliver what it holds back itself.
    pub(crate) fn shutdown(&mut self, until: Instant) {
        let exporter = &mut self.exporter;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| exporter.shutdown(until))) {
            let message = panic_message(&*panic);
            let target = &self.counters.target;
            self.shared.reporter.note(Diagnostic::warning(format!(
                "the exporter to {target} panicked at its end: {message}"
            )));
        }
    }
}

/// Between half of the pause and all of it, so that processes do not come back together.
fn jittered(pause: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let part = (RandomState::new().hash_one(Instant::now()) % 1024) as u32;
    pause / 2 + pause / 2 * part / 1024
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    match panic.downcast_ref::<&str>() {
        Some(text) => text,
        None => panic
            .downcast_ref::<String>()
            .map_or("no message", String::as_str),
    }
}
