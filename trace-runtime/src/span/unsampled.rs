//! Spans of traces that are not sampled: nothing is recorded of them, but with feature `metrics` and a
//! meter they are timed.
//!
//! Such a span is a record that passes nothing on but its call site, its name, its start and end, and why
//! it failed. It stands in no context; the worker counts it and throws it away.

/// Whether any tracer of this process times what it does not sample.
#[inline]
pub(super) fn are_timed() -> bool {
    #[cfg(feature = "metrics")]
    let timed = on::TIMED.load(std::sync::atomic::Ordering::Relaxed);
    #[cfg(not(feature = "metrics"))]
    let timed = false;
    timed
}

#[cfg(feature = "metrics")]
pub(crate) use on::*;

#[cfg(feature = "metrics")]
mod on {
    use std::borrow::Cow;
    use std::sync::atomic::{AtomicBool, Ordering};

    use opentelemetry::trace::{SpanContext, Status};
    use opentelemetry::{Context, KeyValue, SpanId};

    use super::super::Live;
    use crate::callsite::Callsite;
    use crate::pipeline::thread::ThreadState;
    use crate::record::flag;
    use crate::tracer::Core;

    pub(super) static TIMED: AtomicBool = AtomicBool::new(false);

    /// A tracer that times them has started.
    pub(crate) fn time() {
        TIMED.store(true, Ordering::Relaxed);
    }

    /// A span below a local one that is not sampled; `None` if its tracer does not time it.
    pub(in crate::span) fn below(
        thread: &ThreadState,
        core: &'static Core,
        callsite: Option<&'static Callsite>,
        site: u32,
        base: Option<Context>,
        name: Option<Cow<'static, str>>,
    ) -> Option<Box<Live>> {
        if !core.times_unsampled {
            return None;
        }
        let mut live = thread.open_unsampled(core)?;
        live.begin(callsite, site, SpanContext::NONE, SpanId::INVALID);
        live.passing = true;
        live.base = base;
        mark(&mut live, name);
        Some(live)
    }

    /// The first span of a trace that is not sampled, or goes on unsampled.
    pub(in crate::span) fn root(
        thread: &ThreadState,
        live: &mut Live,
        name: impl FnOnce() -> Option<Cow<'static, str>>,
    ) {
        if live.core.times_unsampled && thread.count_unsampled(live.core).is_some() {
            mark(live, name());
        }
    }

    fn mark(live: &mut Live, name: Option<Cow<'static, str>>) {
        live.flags |= flag::UNSAMPLED;
        if let Some(name) = name {
            live.attributes.push_name(&name);
        }
    }

    impl Live {
        /// Whether this stands for a span that is only timed.
        pub(in crate::span) fn is_timed_only(&self) -> bool {
            self.passing && self.flags & flag::UNSAMPLED != 0
        }

        /// Keeps the attribute if it says why the span failed.
        pub(crate) fn keep_error(&mut self, attribute: KeyValue) {
            if attribute.key.as_str() == "error.type" {
                self.set(attribute);
            }
        }

        /// The same for a status.
        pub(crate) fn keep_status(&mut self, status: &Status) {
            if matches!(status, Status::Error { .. }) {
                self.late().status = Status::error("");
            }
        }

        /// Hands the span to the worker, which counts it.
        pub(in crate::span) fn end_unsampled(&mut self, wall_end: Option<u64>) {
            if !self.core.is_closed() {
                self.end(wall_end);
            }
        }
    }
}
