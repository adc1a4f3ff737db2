//! What each thread keeps for itself: its id generator, its buffers, the tracer it knows of.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use opentelemetry::{Context, SpanId};

use super::buffer::Writer;
use super::queue::Queue;
use crate::ids::IdGenerator;
use crate::record::{Header, Late};
use crate::tracer::Core;
use crate::tracer::global;

thread_local! {
    /// Doubles as a sentinel: its initialiser touches the API's own thread-local first, and what was
    /// created last is destroyed first. While this is alive, `Context` does not panic.
    static THREAD: ThreadState = ThreadState::new();
}

/// The tracer's state on one thread.
pub(crate) struct ThreadState {
    /// The global tracer, as of `generation`.
    global: Cell<Option<&'static Core>>,
    generation: Cell<u32>,
    fork: Cell<u32>,
    ids: RefCell<IdGenerator>,
    writers: RefCell<Writers>,
    /// The tracer is being built on this thread: no span may start one again.
    starting: Cell<bool>,
}

/// One buffer per tracer that ended spans here; the last one used comes first.
#[derive(Default)]
struct Writers(Vec<Writer>);

impl ThreadState {
    fn new() -> Self {
        let _ = Context::current();
        Self {
            global: Cell::new(None),
            generation: Cell::new(0),
            fork: Cell::new(global::forks()),
            ids: RefCell::new(IdGenerator::seeded()),
            writers: RefCell::default(),
            starting: Cell::new(false),
        }
    }

    /// The tracer in charge: the context's, else the global one, started if need be.
    #[inline]
    pub(crate) fn tracer(&self, scoped: Option<&'static Core>) -> Option<&'static Core> {
        if self.generation.get() != global::generation() {
            self.refresh(scoped.is_none());
        }
        match scoped {
            Some(core) => Some(core.here()),
            None => self.global.get(),
        }
    }

    #[cold]
    fn refresh(&self, needs_global: bool) {
        if self.fork.replace(global::forks()) != global::forks() {
            // In a forked child: buffers and seed are the parent's.
            let writers = std::mem::take(&mut *self.writers.borrow_mut());
            writers.0.into_iter().for_each(Writer::forget);
            self.ids.replace(IdGenerator::seeded());
        }
        self.global.set(None);
        if !needs_global || self.starting.get() {
            return; // looked up by the first span that needs it
        }
        self.starting.set(true);
        let core = global::current();
        self.starting.set(false);
        self.generation.set(global::generation());
        self.global.set(core);
    }

    pub(crate) fn with_ids<R>(&self, with: impl FnOnce(&mut IdGenerator) -> R) -> R {
        with(&mut self.ids.borrow_mut())
    }

    /// Counts a span that begins here, and makes its id.
    #[inline]
    pub(crate) fn open(&self, queue: &Arc<Queue>, site: u32) -> SpanId {
        self.writers.borrow_mut().of(queue).opened(site);
        self.ids.borrow_mut().span_id()
    }
}

impl Writers {
    #[inline]
    fn of(&mut self, queue: &Arc<Queue>) -> &mut Writer {
        let found = self
            .0
            .first()
            .is_some_and(|writer| Arc::ptr_eq(writer.queue(), queue));
        if !found {
            self.bring_to_front(queue);
        }
        &mut self.0[0]
    }

    #[cold]
    fn bring_to_front(&mut self, queue: &Arc<Queue>) {
        match self
            .0
            .iter()
            .position(|writer| Arc::ptr_eq(writer.queue(), queue))
        {
            Some(at) => self.0.swap(0, at),
            None => {
                self.0.retain(|writer| !writer.queue().is_closed());
                self.0.insert(0, Writer::register(queue));
            }
        }
    }
}

/// Runs on the thread's state, unless the thread is being torn down.
#[inline]
pub(crate) fn with<R>(with: impl FnOnce(&ThreadState) -> R) -> Option<R> {
    THREAD.try_with(with).ok()
}

/// Runs `start` such that spans it may reach record nothing and start no tracer.
pub(crate) fn while_starting<R>(start: impl FnOnce() -> R) -> R {
    let before = with(|thread| thread.starting.replace(true));
    let result = start();
    let _ = with(|thread| thread.starting.set(before.unwrap_or(false)));
    result
}

/// Hands a finished span to the worker of its tracer.
#[inline]
pub(crate) fn push(queue: &Arc<Queue>, header: Header, attributes: &[u8], late: Option<Box<Late>>) {
    let mut late = late;
    let pushed = with(|thread| match thread.writers.try_borrow_mut() {
        Ok(mut writers) => {
            writers.of(queue).push(header, attributes, late.take());
            true
        }
        Err(_) => false,
    });
    if pushed != Some(true) {
        // The thread is being torn down: a buffer of its own, handed over at once.
        Writer::register(queue).push(header, attributes, late);
    }
}
