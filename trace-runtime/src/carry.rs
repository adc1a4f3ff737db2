//! Taking the current span along: to tasks, threads and callbacks.

use std::future::Future;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{SpanId, TraceId};

use crate::span_future::WithContext;

/// Futures that keep the context they were made in.
pub trait InCurrentContext: Future + Sized {
    /// The future, with the context that is current now whenever it is polled.
    ///
    /// ```
    /// use trace_runtime::InCurrentContext;
    ///
    /// let task = async { /* below the span that is current here */ }.in_current_context();
    /// # drop(task);
    /// ```
    fn in_current_context(self) -> WithContext<Self> {
        WithContext::new(self, Context::current())
    }
}

impl<F: Future> InCurrentContext for F {}

/// A closure for another thread that runs in the context that is current now.
///
/// ```
/// let below_the_current_span = trace_runtime::carry(|| 6 * 7);
/// assert_eq!(std::thread::spawn(below_the_current_span).join().unwrap(), 42);
/// ```
pub fn carry<R>(body: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let cx = Context::current();
    move || {
        let _attached = cx.attach();
        body()
    }
}

/// The same for a closure that is called any number of times, say by rayon's parallel iterators.
///
/// ```
/// use rayon::prelude::*;
///
/// let doubled = [1, 2, 3].par_iter().map(trace_runtime::carry_fn(|n| 2 * n));
/// assert_eq!(doubled.sum::<i32>(), 12);
/// ```
pub fn carry_fn<A, R>(body: impl Fn(A) -> R) -> impl Fn(A) -> R {
    let cx = Context::current();
    move |argument| {
        let _attached = cx.clone().attach();
        body(argument)
    }
}

/// [`tokio::spawn`], for a future that keeps the current context.
///
/// What becomes of the spans of a bare `tokio::spawn` is told in [`tasks`](crate::tasks).
#[cfg(feature = "tokio")]
#[track_caller]
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_current_context())
}

/// [`tokio::task::spawn_blocking`], for a closure that keeps the current context.
#[cfg(feature = "tokio")]
#[track_caller]
pub fn spawn_blocking<R>(body: impl FnOnce() -> R + Send + 'static) -> tokio::task::JoinHandle<R>
where
    R: Send + 'static,
{
    tokio::task::spawn_blocking(carry(body))
}

/// The id of the current trace; `None` where there is no span.
///
/// ```
/// assert_eq!(trace_runtime::trace_id(), None);
/// ```
pub fn trace_id() -> Option<TraceId> {
    Some(Context::current().span().span_context().trace_id()).filter(|id| *id != TraceId::INVALID)
}

/// The id of the current span; `None` where there is none.
pub fn span_id() -> Option<SpanId> {
    Some(Context::current().span().span_context().span_id()).filter(|id| *id != SpanId::INVALID)
}
