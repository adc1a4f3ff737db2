//! Futures inside a span or a context: attached for every poll, and while they are dropped.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use opentelemetry::Context;
use pin_project_lite::pin_project;

use crate::span::Active;

pin_project! {
    /// A future inside a span of its caller's.
    #[derive(Debug)]
    pub struct InSpan<'a, F> {
        // Dropped early, with the span's context attached.
        #[pin]
        future: Option<F>,
        span: &'a mut Active,
    }

    impl<F> PinnedDrop for InSpan<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _attached = this.span.context().cloned().map(Context::attach);
                this.future.set(None);
            }
        }
    }
}

/// Runs the future inside the span.
pub fn in_span<F: Future>(span: &mut Active, future: F) -> InSpan<'_, F> {
    span.wait();
    InSpan {
        future: Some(future),
        span,
    }
}

impl<F: Future> Future for InSpan<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("`async fn` resumed after completion");
        };
        let Some(cx) = this.span.context() else {
            return future.poll(task);
        };
        let _attached = cx.clone().attach();
        this.span.mark_running();
        let result = future.poll(task);
        if result.is_ready() {
            // What the body still holds goes inside the span.
            this.future.set(None);
            this.span.rest();
        } else {
            this.span.wait();
        }
        result
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
