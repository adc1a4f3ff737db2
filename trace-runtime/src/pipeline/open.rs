//! How many spans of each call site are open, so that shutdown can name those it will never see.
//!
//! Each thread counts for itself: a span that ends on another thread counts minus one there, and
//! only the sum over all threads means something.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Open spans by call site.
pub(crate) type OpenCounts = HashMap<u32, i64>;

/// One counter per call site.
type Counters = Arc<[AtomicI64]>;

/// The counts of one thread, as the worker reads them.
#[derive(Debug, Default)]
pub(crate) struct OpenSpans(Mutex<Counters>);

impl OpenSpans {
    pub(crate) fn add_to(&self, counts: &mut OpenCounts) {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (site, counter) in counters.iter().enumerate() {
            match counter.load(Ordering::Relaxed) {
                0 => {}
                n => *counts.entry(site as u32).or_default() += n,
            }
        }
    }
}

/// The counts of one thread, as their owner writes them: no lock but when call sites appear.
#[derive(Debug, Default)]
pub(crate) struct OpenWriter(Counters);

impl OpenWriter {
    #[inline]
    pub(crate) fn add(&mut self, shared: &OpenSpans, site: u32, n: i64) {
        if self.0.len() <= site as usize {
            self.grow(shared, site as usize);
        }
        let counter = &self.0[site as usize];
        counter.store(counter.load(Ordering::Relaxed) + n, Ordering::Relaxed);
    }

    #[cold]
    fn grow(&mut self, shared: &OpenSpans, site: usize) {
        let known = self.0.iter().map(|counter| counter.load(Ordering::Relaxed));
        let len = (site + 1).next_power_of_two().max(16);
        let longer: Counters = known
            .chain(std::iter::repeat(0))
            .take(len)
            .map(AtomicI64::new)
            .collect();
        self.0 = Arc::clone(&longer);
        *shared.0.lock().unwrap_or_else(PoisonError::into_inner) = longer;
    }
}
