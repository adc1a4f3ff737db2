//! Whose child a span becomes.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::unsampled;
use crate::pipeline::thread::{self, ThreadState};
use crate::propagation::ParentSource;
use crate::tracer::{Core, global};

/// What a start looks at before it decides.
pub(super) struct Parent {
    /// The context to start in, if it is not the current one.
    pub(super) base: Option<Context>,
    pub(super) span_context: SpanContext,
    pub(super) core: &'static Core,
}

/// What the current context says to a start.
enum Current {
    /// Suppressed, or below a span that is not sampled.
    Nothing,
    Span(SpanContext, Option<&'static Core>),
}

impl Parent {
    /// The current span; `None` when nothing will be recorded below it.
    pub(super) fn current(thread: &ThreadState) -> Option<Self> {
        let current = Context::map_current(|cx| {
            let span = cx.span();
            let span_context = span.span_context();
            if cx.is_telemetry_suppressed() || is_dropped(span_context) {
                return Current::Nothing;
            }
            // A root needs no copy of what stands for no span.
            let parent = match span_context.is_valid() {
                true => span_context.clone(),
                false => SpanContext::NONE,
            };
            Current::Span(parent, global::scoped(cx))
        });
        let Current::Span(span_context, scoped) = current else {
            return None;
        };
        let core = thread.tracer(scoped)?;
        Some(Self {
            base: None,
            span_context,
            core,
        })
    }

    /// The span of `cx`, or none if a new trace begins.
    pub(super) fn of(cx: Context, root: bool) -> Option<Self> {
        if cx.is_telemetry_suppressed() {
            return None;
        }
        let core = thread::with(|thread| thread.tracer(global::scoped(&cx)))??;
        let span_context = if root {
            SpanContext::NONE
        } else {
            cx.span().span_context().clone()
        };
        if is_dropped(&span_context) {
            return None;
        }
        Some(Self {
            base: Some(cx),
            span_context,
            core,
        })
    }

    pub(super) fn is_local(&self) -> bool {
        is_local(&self.span_context)
    }
}

fn is_local(span_context: &SpanContext) -> bool {
    span_context.is_valid() && !span_context.is_remote()
}

/// Below a local span that is not sampled nothing is, and no ids are made.
#[inline]
pub(super) fn is_dropped(span_context: &SpanContext) -> bool {
    !span_context.is_sampled() && is_local(span_context) && !unsampled::are_timed()
}

/// Whose child a span becomes, as the macro's `parent` and `root` say it.
#[derive(Debug)]
pub struct ParentChoice(pub(super) Choice);

#[derive(Debug)]
pub(super) enum Choice {
    Current,
    /// A new trace, in this context or in the current one.
    Root(Option<Context>),
    Context(Context),
}

/// A new trace, whatever is current.
pub fn root() -> ParentChoice {
    ParentChoice(Choice::Root(None))
}

/// A new trace that goes on in `cx`, whatever the span there.
#[cfg(feature = "tower")]
pub(crate) fn root_in(cx: Context) -> ParentChoice {
    ParentChoice(Choice::Root(Some(cx)))
}

/// The span of `cx`.
#[cfg(any(feature = "messaging", feature = "tower"))]
pub(crate) fn within(cx: Context) -> ParentChoice {
    ParentChoice(Choice::Context(cx))
}

/// The current span.
pub fn current() -> ParentChoice {
    ParentChoice(Choice::Current)
}

/// What `parent = ..` was given.
pub fn parent<P: ParentSource + ?Sized>(source: &P) -> ParentChoice {
    let parent = source.parent(&Context::current());
    ParentChoice(parent.map_or(Choice::Current, Choice::Context))
}
