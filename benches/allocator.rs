//! The system allocator with counters, for the runs that count.
//!
//! Timed runs leave the counters off; then an allocation costs one relaxed load more, the same
//! for every subject.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static ALLOCATED: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

thread_local! {
    /// Constant and without a destructor, so the allocator may use it at any time.
    static HERE: Cell<u64> = const { Cell::new(0) };
}

/// The allocator to install with `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

/// The counters at one moment, all since [`start`].
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    /// Allocations and reallocations of all threads.
    pub allocations: u64,
    /// The same of the calling thread.
    pub on_this_thread: u64,
    /// Bytes asked for.
    pub allocated: u64,
    /// Bytes not yet given back.
    pub live: i64,
    /// The most bytes that were live at once.
    pub peak: i64,
}

/// Counts from now on; to be called while there is only one thread.
pub fn start() {
    COUNTING.store(true, Ordering::SeqCst);
}

/// The counters now.
#[must_use]
pub fn counters() -> Counters {
    Counters {
        allocations: ALLOCATIONS.load(Ordering::Relaxed),
        on_this_thread: HERE.with(Cell::get),
        allocated: ALLOCATED.load(Ordering::Relaxed),
        live: LIVE.load(Ordering::Relaxed),
        peak: PEAK.load(Ordering::Relaxed),
    }
}

fn count(size: usize, freed: usize) {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    ALLOCATED.fetch_add(size as u64, Ordering::Relaxed);
    let change = size as i64 - freed as i64;
    let live = LIVE.fetch_add(change, Ordering::Relaxed) + change;
    PEAK.fetch_max(live, Ordering::Relaxed);
    HERE.with(|here| here.set(here.get() + 1));
}

// SAFETY: every method hands its arguments to `System` unchanged and returns what `System`
// returns; the counters neither allocate nor panic nor touch the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            count(layout.size(), 0);
        }
        // SAFETY: the caller upholds the contract of `alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            count(layout.size(), 0);
        }
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            count(size, layout.size());
        }
        // SAFETY: `pointer` came from `System` with this layout, because all methods forward.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTING.load(Ordering::Relaxed) {
            LIVE.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        }
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}
