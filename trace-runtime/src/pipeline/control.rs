//! How the application's threads talk to the worker: wake-ups, flushes, the end.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use super::stats::Delivery;

/// Wakes the worker, at most once until it asks to be woken again.
#[derive(Debug)]
pub(crate) struct Waker {
    thread: OnceCell<Thread>,
    /// How many queued spans are a reason to wake up; [`NEVER`](Self::NEVER) while it is awake.
    wake_at: AtomicI64,
}

impl Default for Waker {
    fn default() -> Self {
        Self {
            thread: OnceCell::new(),
            wake_at: AtomicI64::new(Self::NEVER),
        }
    }
}

impl Waker {
    /// Spans are no reason to wake up.
    pub(crate) const NEVER: i64 = i64::MAX;

    /// So many spans are queued.
    #[inline]
    pub(crate) fn tell(&self, queued: i64) {
        if queued >= self.wake_at.load(Ordering::Relaxed)
            && self.wake_at.swap(Self::NEVER, Ordering::AcqRel) != Self::NEVER
        {
            self.unpark();
        }
    }

    /// Something was asked of the worker.
    pub(crate) fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// The worker sleeps until so many spans are queued, something is asked of it, or that moment.
    pub(crate) fn sleep(&self, until: Instant, queued: i64) {
        self.wake_at.store(queued, Ordering::Release);
        std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        self.wake_at.store(Self::NEVER, Ordering::Release);
    }

    /// Makes the calling thread the one that is woken.
    pub(crate) fn adopt(&self) {
        // A second worker for one queue does not exist.
        let _ = self.thread.set(std::thread::current());
    }
}

/// What the worker was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Deliver what has ended so far.
    Flush { until: Instant },
    /// Deliver, then end.
    Shutdown { until: Instant },
}

/// Requests to the worker and its answers.
#[derive(Debug, Default)]
pub(crate) struct Control {
    state: Mutex<State>,
    answered: Condvar,
    late_start: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    flush: Option<Instant>,
    shutdown: Option<Instant>,
    asked: u64,
    answer: u64,
    delivery: Delivery,
    /// Nothing will be delivered any more; the thread itself has ended.
    finished: bool,
    ended: bool,
    watch: Option<Watch>,
}

/// The guard was dropped suspiciously early: the worker stays a while, to tell if spans still start.
struct Watch {
    until: Instant,
    message: String,
    over: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Control {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and waits for the answer until `until`; `None` when there was none in time.
    pub(crate) fn ask(&self, waker: &Waker, request: Request) -> Option<Delivery> {
        let mut state = self.state();
        let until = match request {
            Request::Flush { until } => {
                state.flush = state.flush.max(Some(until));
                until
            }
            Request::Shutdown { until } => {
                state.shutdown = Some(until);
                until
            }
        };
        state.asked += 1;
        let mine = state.asked;
        waker.unpark();
        loop {
            if state.answer >= mine || state.finished {
                return Some(state.delivery.clone());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            (state, _) = self
                .answered
                .wait_timeout(state, left.min(Duration::from_secs(1)))
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The worker's side: what is asked, and the number to answer with.
    pub(crate) fn pending(&self) -> Option<(Request, u64)> {
        let mut state = self.state();
        let number = state.asked;
        if let Some(until) = state.shutdown {
            return Some((Request::Shutdown { until }, number));
        }
        state
            .flush
            .take()
            .map(|until| (Request::Flush { until }, number))
    }

    /// The worker's answer to everything asked up to `number`.
    pub(crate) fn answer(&self, number: u64, delivery: Delivery, last: bool) {
        let mut state = self.state();
        state.answer = number;
        state.delivery = delivery;
        state.finished |= last;
        self.answered.notify_all();
    }

    /// Keeps the worker after its end until `until`, or until a span starts: that is explained by
    /// `message`. Then calls `over`.
    pub(crate) fn watch(&self, until: Instant, message: String, over: Box<dyn FnOnce() + Send>) {
        self.state().watch = Some(Watch {
            until,
            message,
            over,
        });
    }

    /// A span wants to start after the end.
    pub(crate) fn note_late_start(&self, waker: &Waker) {
        if !self.late_start.swap(true, Ordering::AcqRel) {
            waker.unpark();
        }
    }

    /// The worker's last duty: says what to report, if anything.
    pub(crate) fn linger(&self) -> Option<String> {
        let watch = self.state().watch.take()?;
        while !self.late_start.load(Ordering::Acquire) && Instant::now() < watch.until {
            std::thread::park_timeout(watch.until.saturating_duration_since(Instant::now()));
        }
        (watch.over)();
        self.late_start
            .load(Ordering::Acquire)
            .then_some(watch.message)
    }

    /// Waits a moment for the worker to say what it has to say about late starts.
    pub(crate) fn await_last_words(&self, until: Instant) {
        let mut state = self.state();
        while self.late_start.load(Ordering::Acquire) && !state.ended && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            (state, _) = self
                .answered
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The worker is gone; whoever waits gets its last answer.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        (state.finished, state.ended) = (true, true);
        self.answered.notify_all();
    }

    pub(crate) fn has_finished(&self) -> bool {
        self.state().finished
    }
}
