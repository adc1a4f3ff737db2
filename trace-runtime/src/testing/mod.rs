//! Spans as test results: a tracer for one scope that sends nothing and keeps its spans.
//!
//! [`capture`] begins, [`Capture::scope`] and [`Capture::scope_async`] run what is looked at. What came
//! of it is compared as a whole, as [`tree`](Capture::tree), a stable text for snapshots; by
//! [`assert_trace!`], which says only what matters and explains what differs; or span by span, as
//! [`spans`](Capture::spans).
//!
//! # A program
//!
//! ```
//! use trace_runtime::testing::{assert_trace, capture};
//! use trace_runtime::traced;
//!
//! #[traced]
//! async fn stock(sku: &str) -> Result<u64, std::num::ParseIntError> {
//!     sku.parse()
//! }
//!
//! #[traced]
//! async fn checkout(cart: u64) -> bool {
//!     stock("7").await.is_ok() & stock("none").await.is_ok()
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let capture = capture();
//!     assert!(!capture.scope_async(checkout(3)).await);
//!
//!     assert_trace!(capture, "checkout" [cart = 3] {
//!         "stock" [sku = "7", error = false],
//!         "stock" [sku = "none", error.type = "core::num::error::ParseIntError"] {},
//!     });
//!     assert!(capture.tree().starts_with("checkout {cart=3}\n  stock {sku=\"7\"}\n  stock"));
//!     assert_eq!(capture.spans().len(), 3);
//! }
//! ```

mod assert_trace;
#[doc(hidden)]
pub mod expected;
mod tree;

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use crate::Sampler;
use crate::clock::Anchor;
use crate::config::CodeMode;
use crate::record::{Records, SpanRecord};
use crate::tracer::{Core, Tracer, global};

#[doc(inline)]
pub use crate::assert_trace;

/// Captures the spans of a scope, on whatever threads it carries its context to.
///
/// Starts no thread, sends nothing and leaves the rest of the process alone, so tests run in
/// parallel. Every level is recorded.
///
/// ```
/// use trace_runtime::{testing, traced};
///
/// #[traced]
/// fn double(n: u64) -> u64 {
///     2 * n
/// }
///
/// let capture = testing::capture();
/// capture.scope(|| double(21));
/// assert_eq!(capture.tree(), "double {n=21}\n");
/// assert_eq!(capture.spans()[0].attribute("n"), Some(&21.into()));
/// ```
pub fn capture() -> Capture {
    capture_with(Sampler::always_on())
}

/// The same, with a sampler.
pub fn capture_with(sampler: Sampler) -> Capture {
    let core = Core::keeping(sampler);
    global::activate(core);
    Capture {
        tracer: Tracer { core },
        taken: Mutex::default(),
    }
}

/// The spans of a scope, see [`capture`].
#[derive(Debug)]
pub struct Capture {
    tracer: Tracer,
    taken: Mutex<Vec<Records>>,
}

impl Capture {
    /// Runs `body`, capturing its spans.
    pub fn scope<R>(&self, body: impl FnOnce() -> R) -> R {
        self.tracer.in_scope(body)
    }

    /// The future, captured whenever it is polled.
    pub fn scope_async<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        self.tracer.in_scope_async(future)
    }

    /// The tracer that captures, to hand to layers and builders.
    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// The spans that have ended so far, by their start.
    pub fn spans(&self) -> Vec<SpanRecord> {
        let mut ended = Records::new(Anchor::now(), CodeMode::All);
        let queue = &self.tracer.core.queue;
        queue.drain(&mut queue.round(), &mut ended);
        queue.release(ended.len(), ended.queued_bytes());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.push(ended);
        // One reading of the clock for all, so that equal ticks stay equal.
        let anchor = Anchor::now();
        let mut spans: Vec<SpanRecord> = Vec::new();
        for records in &mut *taken {
            records.set_anchor(anchor);
            spans.extend(records.iter().map(|view| SpanRecord::from(&view)));
        }
        spans.sort_by_key(|span| span.start_time);
        spans
    }

    /// The spans as stable text, without ids and times: one line per span, children indented,
    /// concurrent siblings sorted.
    pub fn tree(&self) -> String {
        tree::tree(&self.spans())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        global::deactivate(self.tracer.core);
        self.tracer.core.queue.close();
    }
}
