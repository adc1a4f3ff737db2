//! The null destination: counts spans, drops them, and can be made to wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// What the null exporters of all subjects call with every batch.
#[derive(Debug)]
pub struct Gate {
    spans: AtomicU64,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// A gate that lets every batch through.
    #[must_use]
    pub fn opened() -> Self {
        Self::new(true)
    }

    /// A gate at which exporters wait, so that spans pile up behind it.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(false)
    }

    fn new(open: bool) -> Self {
        Self {
            spans: AtomicU64::new(0),
            open: Mutex::new(open),
            opened: Condvar::new(),
        }
    }

    /// Lets the waiting exporters go on.
    pub fn open(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }

    /// Takes a batch of `spans`, once the gate is open.
    pub(crate) fn pass(&self, spans: usize) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self
                .opened
                .wait(open)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.spans.fetch_add(spans as u64, Ordering::Relaxed);
    }

    /// How many spans have come through.
    pub fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }
}
