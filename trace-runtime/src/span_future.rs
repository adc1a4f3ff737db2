//! Futures inside a span or a context: attached for every poll, and while they are dropped.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use opentelemetry::Context;
use pin_project_lite::pin_project;

use crate::span::{Active, Entering, Holder, Start};

pin_project! {
    /// A future, or something else that is polled, inside a span of its own or its caller's.
    #[derive(Debug)]
    pub struct InSpan<T, S>
    where
        S: Holder,
    {
        // Dropped early, with the span's context attached.
        #[pin]
        inner: Option<T>,
        span: S,
    }

    impl<T, S> PinnedDrop for InSpan<T, S>
    where
        S: Holder,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let span = this.span.span();
                let _attached = span.context().cloned().map(Context::attach);
                this.inner.set(None);
            }
        }
    }
}

/// Runs the future inside the span, which then waits for what comes after.
#[cfg(any(feature = "messaging", feature = "reqwest"))]
pub(crate) fn in_span<F: Future>(span: &mut Active, future: F) -> InSpan<F, &mut Active> {
    InSpan::new(span, future)
}

impl<T, S: Holder> InSpan<T, S> {
    pub(crate) fn new(mut span: S, inner: T) -> Self {
        span.span().wait();
        Self {
            inner: Some(inner),
            span,
        }
    }

    /// Polls what is inside with the span's context attached, and drops it inside, too, once it is
    /// done. `None` if it was done before.
    #[inline]
    pub(crate) fn poll_inside<R>(
        self: Pin<&mut Self>,
        poll: impl FnOnce(Pin<&mut T>) -> Poll<R>,
        is_done: impl FnOnce(&R) -> bool,
    ) -> Option<Poll<R>> {
        let mut this = self.project();
        let inner = this.inner.as_mut().as_pin_mut()?;
        let span = this.span.span();
        let attached = span.attach();
        let result = poll(inner);
        match &result {
            _ if attached.is_none() => {}
            Poll::Ready(result) if is_done(result) => {
                // What the body still holds goes inside the span.
                this.inner.set(None);
                span.rest();
            }
            _ => span.wait(),
        }
        Some(result)
    }
}

impl<T> InSpan<T, Entering> {
    #[inline]
    fn entering(span: Start, inner: T) -> Self {
        Self {
            inner: Some(inner),
            span: Entering::Started(span),
        }
    }
}

#[cfg(any(feature = "stream", feature = "tower"))]
impl<T> InSpan<T, Active> {
    /// What is inside, until it is done.
    pub(crate) fn inner(&self) -> Option<&T> {
        self.inner.as_ref()
    }

    pub(crate) fn span(self: Pin<&mut Self>) -> &mut Active {
        self.project().span
    }
}

#[cfg(feature = "stream")]
impl<T> InSpan<T, Active> {
    pub(crate) fn span_ref(&self) -> &Active {
        &self.span
    }

    /// Moves everything out of one that has not been pinned.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            inner: self.inner.take(),
            span: self.span.take(),
        }
    }
}

impl<F: Future, S: Holder> Future for InSpan<F, S> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        match self.poll_inside(|future| future.poll(task), |_| true) {
            Some(result) => result,
            None => panic!("`async fn` resumed after completion"),
        }
    }
}

pin_project! {
    /// A future inside a span of its own, whose result has something to say about it.
    pub struct Ending<F: Future> {
        #[pin]
        inner: InSpan<F, Entering>,
        say: fn(&F::Output, &mut Active),
    }
}

impl<F: Future> fmt::Debug for Ending<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").finish_non_exhaustive()
    }
}

impl<F: Future> Ending<F> {
    /// The span is entered when the future is polled first.
    #[inline]
    pub(crate) fn entering(span: Start, future: F, say: fn(&F::Output, &mut Active)) -> Self {
        let inner = InSpan::entering(span, future);
        Self { inner, say }
    }

    /// The span was entered with the call that made the future; nobody asks how it goes.
    #[inline]
    pub(crate) fn entered(span: Active, future: F) -> Self {
        Self {
            inner: InSpan::new(Entering::Entered(span), future),
            say: |_, _| {},
        }
    }
}

impl<F: Future> Future for Ending<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll(task);
        if let Poll::Ready(ret) = &polled {
            let span = this.inner.project().span.span();
            (this.say)(ret, span);
            span.end();
        }
        polled
    }
}

pin_project! {
    /// A future inside a span of its own, that arrives at its output together with the span.
    pub struct Opening<F> {
        #[pin]
        inner: InSpan<F, Entering>,
    }
}

impl<F> fmt::Debug for Opening<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}

impl<F> Opening<F> {
    /// The span is entered when the future is polled first.
    #[inline]
    pub(crate) fn entering(span: Start, future: F) -> Self {
        Self {
            inner: InSpan::entering(span, future),
        }
    }

    /// The span was entered with the call that made the future.
    #[inline]
    pub(crate) fn entered(span: Active, future: F) -> Self {
        Self {
            inner: InSpan::new(Entering::Entered(span), future),
        }
    }
}

impl<F: Future> Future for Opening<F> {
    type Output = (F::Output, Active);

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let mut inner = self.project().inner;
        let polled = inner.as_mut().poll(task);
        polled.map(|ret| (ret, inner.project().span.span().take()))
    }
}

pin_project! {
    /// A future inside a context.
    #[derive(Debug)]
    pub struct WithContext<F> {
        #[pin]
        future: Option<F>,
        cx: Context,
    }

    impl<F> PinnedDrop for WithContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _attached = this.cx.clone().attach();
                this.future.set(None);
            }
        }
    }
}

impl<F> WithContext<F> {
    pub(crate) fn new(future: F, cx: Context) -> Self {
        Self {
            future: Some(future),
            cx,
        }
    }
}

impl<F: Future> Future for WithContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _attached = this.cx.clone().attach();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("future polled after completion");
        };
        let result = future.poll(task);
        if result.is_ready() {
            this.future.set(None);
        }
        result
    }
}
