//! What became of the finished spans.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The fate of every span that has ended so far, of one tracer.
///
/// `ended` equals the sum of all other figures, at every moment; with several exporters `exported`
/// and `failed` of [`exporters`](Self::exporters) tell about each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Spans that have ended.
    pub ended: u64,
    /// Delivered by every exporter.
    pub exported: u64,
    /// Refused by an exporter's receiver for good, or not delivered before the end.
    pub failed: u64,
    /// Waiting for delivery.
    pub queued: u64,
    /// Dropped, because the queue was full.
    pub dropped_queue_full: u64,
    /// Dropped, because no datagram holds them: see [`Exporter::dropped_too_large`].
    ///
    /// [`Exporter::dropped_too_large`]: crate::Exporter::dropped_too_large
    pub dropped_too_large: u64,
    /// Dropped by `with_on_end`.
    pub dropped_on_end: u64,
    /// Dropped, because the tracer had been shut down.
    pub dropped_after_shutdown: u64,
    /// Recorded without being sampled, which no exporter sees.
    pub dropped_not_sampled: u64,
    /// Spans that have not ended yet.
    pub open: u64,
    /// The figures of each exporter.
    pub exporters: Vec<ExporterStats>,
}

/// What one exporter did with the spans it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExporterStats {
    /// Where it delivers to, without credentials.
    pub target: String,
    /// Spans it delivered.
    pub exported: u64,
    /// Spans it could not deliver.
    pub failed: u64,
    /// Spans that were too large for it.
    pub dropped_too_large: u64,
    /// Spans it still has to deliver.
    pub queued: u64,
    /// Why the last attempt failed; `None` after a success.
    pub last_error: Option<String>,
}

/// The outcome of a flush or a shutdown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    /// Spans delivered by it, lost in it, and left for later.
    pub(crate) exported: u64,
    pub(crate) failed: u64,
    pub(crate) queued: u64,
    pub(crate) reason: Option<String>,
}

/// Counters that only the worker's side writes.
#[derive(Debug, Default)]
pub(crate) struct WorkerCounters {
    pub(crate) dropped_on_end: AtomicU64,
    pub(crate) dropped_not_sampled: AtomicU64,
    pub(crate) exported: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) dropped_too_large: AtomicU64,
}

/// What one sender counts.
#[derive(Debug)]
pub(crate) struct SenderCounters {
    pub(crate) target: String,
    #[cfg(feature = "metrics")]
    pub(crate) component_type: &'static str,
    /// Of those that failed, the ones whose last attempt found nobody.
    #[cfg(feature = "metrics")]
    pub(crate) undelivered: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) exported: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) dropped_too_large: AtomicU64,
    pub(crate) last_error: Mutex<Option<String>>,
}

impl SenderCounters {
    pub(crate) fn new(
        target: String,
        #[cfg(feature = "metrics")] component_type: &'static str,
    ) -> Self {
        Self {
            target,
            #[cfg(feature = "metrics")]
            component_type,
            #[cfg(feature = "metrics")]
            undelivered: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            exported: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped_too_large: AtomicU64::new(0),
            last_error: Mutex::new(None),
        }
    }

    pub(crate) fn set_error(&self, error: Option<String>) {
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = error;
    }

    pub(crate) fn snapshot(&self) -> ExporterStats {
        let exported = self.exported.load(Ordering::Relaxed);
        let failed = self.failed.load(Ordering::Relaxed);
        let dropped_too_large = self.dropped_too_large.load(Ordering::Relaxed);
        let accepted = self.accepted.load(Ordering::Relaxed);
        ExporterStats {
            target: self.target.clone(),
            exported,
            failed,
            dropped_too_large,
            queued: accepted.saturating_sub(exported + failed + dropped_too_large),
            last_error: self
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }
}
