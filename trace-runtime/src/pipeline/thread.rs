//! What each thread keeps for itself: its id generator, its buffers, the tracer it knows of.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use opentelemetry::{Context, SpanId};

use super::buffer::Writer;
use super::queue::Queue;
use crate::ids::IdGenerator;
use crate::record::{Header, Late};
use crate::span::Live;
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
    /// The tracer is being built on this thread: no span may start one again.
    starting: Cell<bool>,
    own: RefCell<Own>,
}

/// What spans take as they start and give back as they end.
struct Own {
    ids: IdGenerator,
    writers: Writers,
    spare: Spare,
}

/// One buffer per tracer that ended spans here; the last one used comes first.
#[derive(Default)]
struct Writers(Vec<Writer>);

/// The records of spans that have ended, for the next ones. One that comes from here costs a tenth of
/// a new one: it need not be allocated, filled with zeros and freed.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "what is kept is the allocation")]
struct Spare(Vec<Box<Live>>);

impl ThreadState {
    fn new() -> Self {
        let _ = Context::current();
        Self {
            global: Cell::new(None),
            generation: Cell::new(0),
            fork: Cell::new(global::forks()),
            starting: Cell::new(false),
            own: RefCell::new(Own {
                ids: IdGenerator::seeded(),
                writers: Writers::default(),
                spare: Spare::default(),
            }),
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

    /// The tracer in charge, if it is known without starting one.
    #[inline]
    pub(crate) fn known_tracer(&self, scoped: Option<&'static Core>) -> Option<&'static Core> {
        if self.generation.get() != global::generation() {
            return None;
        }
        match scoped {
            Some(core) => core.is_here().then_some(core),
            None => self.global.get(),
        }
    }

    #[cold]
    fn refresh(&self, needs_global: bool) {
        if self.fork.replace(global::forks()) != global::forks() {
            // In a forked child: buffers and seed are the parent's.
            let mut own = self.own.borrow_mut();
            let writers = std::mem::take(&mut own.writers);
            writers.0.into_iter().for_each(Writer::forget);
            own.ids = IdGenerator::seeded();
        }
        self.global.set(None);
        if !needs_global || self.starting.get() {
            return; // looked up by the first span that needs it
        }
        // Read first: what changes meanwhile is looked up by the next span.
        let generation = global::generation();
        self.starting.set(true);
        let core = global::current();
        self.starting.set(false);
        self.generation.set(generation);
        self.global.set(core);
    }

    pub(crate) fn with_ids<R>(&self, with: impl FnOnce(&mut IdGenerator) -> R) -> R {
        with(&mut self.own.borrow_mut().ids)
    }

    /// Counts a span that begins here, and makes its id and a record for it. `None` where an
    /// allocator of the user's reaches a traced function from inside here.
    #[inline(always)]
    pub(crate) fn open(&self, core: &'static Core, site: u32) -> Option<(SpanId, Box<Live>)> {
        let mut own = self.own.try_borrow_mut().ok()?;
        own.writers.of(&core.queue).opened(site);
        let live = own.spare.take(core);
        Some((own.ids.span_id(), live))
    }
}

#[cfg(feature = "metrics")]
impl ThreadState {
    /// Counts a span that is not sampled.
    pub(crate) fn count_unsampled(&self, core: &'static Core) -> Option<()> {
        let mut own = self.own.try_borrow_mut().ok()?;
        own.writers.of(&core.queue).opened_unsampled();
        Some(())
    }

    /// The same, and makes a record for it.
    pub(crate) fn open_unsampled(&self, core: &'static Core) -> Option<Box<Live>> {
        self.count_unsampled(core)?;
        Some(self.own.try_borrow_mut().ok()?.spare.take(core))
    }
}

impl Spare {
    /// As many as spans are usually open at a time.
    const MOST: usize = 64;

    #[inline]
    fn take(&mut self, core: &'static Core) -> Box<Live> {
        match self.0.pop() {
            Some(mut live) => {
                live.core = core;
                live
            }
            None => Live::blank(core),
        }
    }

    #[inline]
    fn keep(&mut self, mut live: Box<Live>) {
        if self.0.len() < Self::MOST && live.clear() {
            self.0.push(live);
        }
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

/// Whether the thread has its state still, and so its current context.
#[inline]
pub(crate) fn is_alive() -> bool {
    with(|_| ()).is_some()
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
pub(crate) fn push(
    queue: &Arc<Queue>,
    header: &Header,
    attributes: &[u8],
    mut late: Option<Box<Late>>,
) {
    let pushed = with(|thread| {
        let mut own = thread.own.try_borrow_mut().ok()?;
        own.writers.of(queue).push(header, attributes, late.take());
        Some(())
    });
    if pushed.flatten().is_none() {
        // The thread is being torn down: a buffer of its own, handed over at once.
        Writer::register(queue).push(header, attributes, late);
    }
}

/// The same, and keeps the span's record for another.
#[inline]
pub(crate) fn finish(live: Box<Live>) {
    let mut live = Some(live);
    let _ = with(|thread| {
        let mut own = thread.own.try_borrow_mut().ok()?;
        let mut live = live.take()?;
        live.push_to(own.writers.of(&live.core.queue));
        own.spare.keep(live);
        Some(())
    });
    if let Some(live) = live {
        finish_apart(live);
    }
}

/// The same where the thread is being torn down. Out of line, so that the usual way has its code to
/// itself.
#[cold]
fn finish_apart(mut live: Box<Live>) {
    live.push_to(&mut Writer::register(&live.core.queue));
}

/// The same for a span that is not sampled; what cannot be stored is not counted.
#[cfg(feature = "metrics")]
pub(crate) fn push_unsampled(
    queue: &Arc<Queue>,
    header: &Header,
    attributes: &[u8],
    late: Option<Box<Late>>,
) {
    let _ = with(|thread| {
        if let Ok(mut own) = thread.own.try_borrow_mut() {
            own.writers
                .of(queue)
                .push_unsampled(header, attributes, late);
        }
    });
}

/// Keeps the record of a span that has ended, for another.
#[inline]
pub(crate) fn keep(live: Box<Live>) {
    let _ = with(|thread| {
        if let Ok(mut own) = thread.own.try_borrow_mut() {
            own.spare.keep(live);
        }
    });
}
