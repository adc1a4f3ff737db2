//! The worker: the one thread that takes finished spans out of the threads' buffers.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use opentelemetry::Context;

use super::control::{Control, Request, Waker};
use super::link::Link;
use super::queue::Queue;
use super::report::Reporter;
use super::sender::{Effort, Pending, Sender, Shared};
use super::stats::{Delivery, SenderCounters, WorkerCounters};
use crate::callsite;
use crate::clock::Anchor;
use crate::config::CodeMode;
use crate::diagnostics::Diagnostic;
use crate::exporter::{Exporter, log_spans};
use crate::plain_text;
use crate::record::{Keep, Records, Room, SpanRecord};

/// What `with_on_end` was given: called in order, until one says no.
pub(crate) type OnEnd = Arc<dyn Fn(&mut SpanRecord) -> Keep + Send + Sync>;

/// How the worker of one tracer works.
pub(crate) struct Setup {
    pub(crate) shared: Shared,
    pub(crate) control: Arc<Control>,
    pub(crate) counters: Arc<WorkerCounters>,
    pub(crate) exporters: Vec<(Box<dyn Exporter>, Arc<SenderCounters>)>,
    pub(crate) on_end: Vec<OnEnd>,
    pub(crate) log_spans: bool,
    pub(crate) code: CodeMode,
    pub(crate) batch_size: usize,
    pub(crate) delay: Duration,
    /// What to print first.
    pub(crate) greeting: Option<String>,
    #[cfg(feature = "metrics")]
    pub(crate) durations: Option<crate::metrics::Durations>,
}

/// Starts the worker's thread.
pub(crate) fn start(setup: Setup) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("trace-runtime".into())
        .spawn(move || {
            // Whatever an exporter or a hook does here must not create spans of its own.
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            let control = Arc::clone(&setup.control);
            let _ended = Ended(Arc::clone(&control));
            Worker::new(setup).run();
        })
}

/// Says that the worker is gone, however it went.
struct Ended(Arc<Control>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.end();
    }
}

struct Worker {
    queue: Arc<Queue>,
    reporter: Arc<Reporter>,
    control: Arc<Control>,
    counters: Arc<WorkerCounters>,
    senders: Vec<Link>,
    sent: Vec<Arc<SenderCounters>>,
    /// Where batches are, and one that is not full yet.
    room: Room,
    begun: Option<Records>,
    on_end: Vec<OnEnd>,
    log_spans: bool,
    code: CodeMode,
    batch_size: usize,
    delay: Duration,
    #[cfg(feature = "metrics")]
    durations: Option<crate::metrics::Durations>,
}

impl Worker {
    fn new(setup: Setup) -> Self {
        setup.shared.queue.waker.adopt();
        if let Some(greeting) = &setup.greeting {
            setup.shared.reporter.line(greeting);
        }
        let sent = setup
            .exporters
            .iter()
            .map(|(_, counters)| Arc::clone(counters))
            .collect();
        let alone = setup.exporters.len() == 1;
        let senders = setup
            .exporters
            .into_iter()
            .map(|(exporter, counters)| {
                let sender = Sender::new(exporter, setup.shared.clone(), counters);
                if alone {
                    Link::Here(sender)
                } else {
                    Link::spawn(sender, &setup.shared.reporter)
                }
            })
            .collect();
        Self {
            queue: setup.shared.queue,
            reporter: setup.shared.reporter,
            control: setup.control,
            counters: setup.counters,
            senders,
            sent,
            room: Room::default(),
            begun: None,
            on_end: setup.on_end,
            log_spans: setup.log_spans,
            code: setup.code,
            batch_size: setup.batch_size,
            delay: setup.delay,
            #[cfg(feature = "metrics")]
            durations: setup.durations,
        }
    }

    fn run(mut self) {
        let mut retry_at = None;
        let mut busy = false;
        loop {
            self.reporter.print();
            let request = self.control.pending().or_else(|| self.rest(retry_at, busy));
            let before = self.delivered();
            let effort = match request {
                None => Effort::Usual,
                Some((Request::Flush { until }, _)) => Effort::Now(until),
                Some((Request::Shutdown { until }, _)) => Effort::Last(until),
            };
            (busy, retry_at) = self.work(effort);
            if let Some((request, number)) = request {
                let last = matches!(request, Request::Shutdown { .. });
                if let Request::Shutdown { until } = request {
                    self.report_open();
                    self.senders
                        .iter_mut()
                        .for_each(|sender| sender.shutdown(until));
                }
                self.reporter.print();
                self.control
                    .answer(number, self.delivery_since(&before), last);
                if last {
                    return self.linger();
                }
            }
        }
    }

    /// Until there is something to do; says what is asked.
    fn rest(&self, retry_at: Option<Instant>, busy: bool) -> Option<(Request, u64)> {
        let next = Instant::now() + self.delay;
        if let Some(at) = retry_at {
            // The collector is down: a full batch is no reason to wake up.
            self.queue.waker.sleep(at.min(next), Waker::NEVER);
            return self.control.pending();
        }
        if busy {
            self.queue.nap();
            let request = self.control.pending();
            if request.is_some() || self.queue.has_batch() {
                return request;
            }
        }
        self.queue.sleep(next);
        self.control.pending()
    }

    /// Spans that nobody will see: how many, and where the first of them began.
    fn report_open(&self) {
        let mut open: Vec<_> = self
            .queue
            .totals()
            .open
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        if open.is_empty() {
            return;
        }
        open.sort_unstable_by_key(|(site, count)| (Reverse(*count), *site));
        let spans: i64 = open.iter().map(|(_, count)| count).sum();
        let sites: Vec<_> = open
            .iter()
            .take(5)
            .map(|(id, count)| callsite::site(*id).describe(*count))
            .collect();
        let more = if open.len() > 5 { " and elsewhere" } else { "" };
        self.reporter.note(Diagnostic::warning(format!(
            "not exported because still open at the end: {}: {}{more}",
            plain_text::spans(spans.unsigned_abs()),
            sites.join(", ")
        )));
    }

    /// Stays a while if the guard was dropped suspiciously early.
    fn linger(self) {
        let Self {
            control,
            reporter,
            senders,
            on_end,
            ..
        } = self;
        drop((senders, on_end));
        if let Some(message) = control.linger() {
            reporter.note(Diagnostic::warning(message));
            reporter.print();
        }
    }

    /// Takes what the threads have finished and delivers it, one batch after the other, so that all
    /// use the same memory. Says whether there was a full one, and when to retry what has failed.
    fn work(&mut self, effort: Effort) -> (bool, Option<Instant>) {
        let mut round = self.queue.round();
        let anchor = Anchor::now();
        let (mut busy, mut retry_at) = (false, None);
        loop {
            let mut batch = self
                .begun
                .take()
                .unwrap_or_else(|| Records::within(&self.room, self.batch_size, anchor, self.code));
            batch.set_anchor(anchor);
            let more = self.queue.drain(&mut round, &mut batch);
            busy |= batch.left() == 0;
            if !more && busy && batch.left() > 0 && matches!(effort, Effort::Usual) {
                // The next look comes soon, and is most likely to fill it.
                self.begun = Some(batch);
                break;
            }
            self.accept(batch);
            if !more {
                break;
            }
            if retry_at.is_none() {
                retry_at = self.proceed(effort);
            }
        }
        let failed = retry_at.is_some();
        let effort = match effort {
            Effort::Now(_) if failed => Effort::Usual,
            effort => effort,
        };
        (busy, self.deliver(effort))
    }

    /// Gives a batch to the senders.
    fn accept(&mut self, batch: Records) {
        #[cfg(feature = "metrics")]
        let batch = self.time(batch);
        if self.log_spans {
            for view in batch.iter() {
                self.reporter.line(&log_spans::line(&view));
            }
        }
        let batch = self.apply_hooks(batch);
        if batch.len() == 0 {
            return;
        }
        let bytes = batch.queued_bytes();
        let batch = Pending::new(batch, bytes, &self.queue, &self.counters);
        for sender in &mut self.senders {
            sender.accept(Arc::clone(&batch));
        }
    }

    /// Counts how long spans took, and leaves out those that are here for nothing else.
    #[cfg(feature = "metrics")]
    fn time(&mut self, batch: Records) -> Records {
        let Some(durations) = &mut self.durations else {
            return batch;
        };
        durations.record(&batch);
        let (spans, bytes) = (batch.len(), batch.queued_bytes());
        let kept = batch.without_unsampled();
        self.queue.release(spans - kept.len(), 0);
        self.queue.adjust_bytes(bytes, kept.queued_bytes());
        kept
    }

    /// Leaves out what is not sampled, and what `with_on_end` does not keep.
    fn apply_hooks(&self, batch: Records) -> Records {
        if self.on_end.is_empty() && !batch.have_record_only() {
            return batch;
        }
        let mut kept = batch.emptied();
        for view in batch.iter() {
            if view.is_record_only() {
                self.counters
                    .dropped_not_sampled
                    .fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let mut span = SpanRecord::from(&view);
            let keep = self
                .on_end
                .iter()
                .all(|hook| self.call_hook(hook, &mut span));
            if keep {
                span.store(&mut kept);
            } else {
                self.counters.dropped_on_end.fetch_add(1, Ordering::Relaxed);
            }
        }
        // What a hook changed may be larger or smaller: the queue's books follow.
        self.queue.release(batch.len() - kept.len(), 0);
        self.queue
            .adjust_bytes(batch.queued_bytes(), kept.queued_bytes());
        kept
    }

    fn call_hook(&self, hook: &OnEnd, span: &mut SpanRecord) -> bool {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hook(span)));
        result.map(|keep| keep == Keep::Yes).unwrap_or_else(|_| {
            // A hook that scrubs secrets and fails must not let them through.
            self.reporter.note(Diagnostic::warning(
                "`with_on_end` panicked: the span is dropped",
            ));
            false
        })
    }

    /// Delivers before there is all, if it can be done here: threads of their own wait for nobody.
    fn proceed(&mut self, effort: Effort) -> Option<Instant> {
        self.senders
            .iter_mut()
            .filter_map(|sender| sender.proceed(effort))
            .min()
    }

    fn deliver(&mut self, effort: Effort) -> Option<Instant> {
        // All are asked before any is waited for, so that none delays another.
        self.senders
            .iter_mut()
            .for_each(|sender| sender.begin(effort));
        self.senders
            .iter_mut()
            .filter_map(|sender| sender.finish(effort))
            .min()
    }

    fn delivered(&self) -> Delivery {
        let sum = |of: fn(&crate::pipeline::stats::ExporterStats) -> u64| {
            self.sent.iter().map(|sender| of(&sender.snapshot())).sum()
        };
        Delivery {
            exported: sum(|s| s.exported),
            failed: sum(|s| s.failed + s.dropped_too_large),
            queued: sum(|s| s.queued),
            reason: self
                .sent
                .iter()
                .find_map(|sender| sender.snapshot().last_error),
        }
    }

    fn delivery_since(&self, before: &Delivery) -> Delivery {
        let now = self.delivered();
        Delivery {
            exported: now.exported - before.exported,
            failed: now.failed - before.failed,
            ..now
        }
    }
}
