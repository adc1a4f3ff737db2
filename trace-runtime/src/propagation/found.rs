//! What formats find in a carrier, and how their findings are put together.

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};

use super::parent::{RemoteParent, RootRequest};

/// What one format, or several of them, found in a carrier.
#[derive(Default)]
pub(super) struct Found {
    pub(super) trace: Option<FoundTrace>,
    pub(super) baggage: Option<Baggage>,
    /// What a carrier without a trace asks of the root that will start here.
    pub(super) root: Option<RootRequest>,
}

/// A valid remote span context and what OpenTelemetry's type has no room for.
pub(super) struct FoundTrace {
    pub(super) span_context: SpanContext,
    /// The whole `tracestate` where OpenTelemetry refuses a part of it.
    pub(super) full_tracestate: Option<String>,
    /// The caller asks for this very trace: sample it whatever the sampler says.
    pub(super) debug: bool,
    /// The caller left the sampling decision to us.
    pub(super) deferred: bool,
}

impl FoundTrace {
    /// `self`, completed by the same span context in another format: W3C has a trace state, B3 and
    /// Jaeger have a debug flag, and a caller that writes several formats means all of it.
    fn over(self, other: FoundTrace) -> FoundTrace {
        let (mine, theirs) = (&self.span_context, &other.span_context);
        if mine.trace_id() != theirs.trace_id() || mine.span_id() != theirs.span_id() {
            return self;
        }
        let random = (mine.trace_flags() | theirs.trace_flags()) & !TraceFlags::SAMPLED;
        let sampled = if self.deferred {
            theirs.is_sampled()
        } else {
            mine.is_sampled()
        };
        let mine_has_state = *mine.trace_state() != TraceState::NONE;
        let state_of = if mine_has_state { mine } else { theirs };
        let span_context = SpanContext::new(
            mine.trace_id(),
            mine.span_id(),
            random.with_sampled(sampled),
            true,
            state_of.trace_state().clone(),
        );
        FoundTrace {
            span_context,
            full_tracestate: self.full_tracestate.or(other.full_tracestate),
            debug: sampled && (self.debug || other.debug),
            deferred: self.deferred && other.deferred,
        }
    }
}

impl Found {
    /// `self` where it has something, else `other`; baggage is merged key by key.
    pub(super) fn over(self, other: Found) -> Found {
        Found {
            trace: match (self.trace, other.trace) {
                (Some(mine), Some(other)) => Some(mine.over(other)),
                (mine, other) => mine.or(other),
            },
            baggage: match (self.baggage, other.baggage) {
                (Some(mine), Some(other)) => Some(merge(&mine, other)),
                (mine, other) => mine.or(other),
            },
            root: self.root.or(other.root),
        }
    }

    /// `cx` with what was found; `None` if nothing was.
    pub(super) fn into_context(self, cx: &Context) -> Option<Context> {
        let with_baggage = self.baggage.map(|baggage| cx.with_baggage(baggage));
        let cx = with_baggage.as_ref().unwrap_or(cx);
        match (self.trace, self.root) {
            (Some(trace), _) => {
                let span_context = trace.span_context.clone();
                let cx = cx.with_value(RemoteParent::from(trace));
                Some(cx.with_remote_span_context(span_context))
            }
            (None, Some(request)) => Some(cx.with_value(request)),
            (None, None) => with_baggage,
        }
    }
}

fn merge(winner: &Baggage, mut merged: Baggage) -> Baggage {
    for (key, (value, properties)) in winner {
        // Jaeger's baggage has no properties; W3C's for the same value remain true.
        let adds_nothing = properties.as_str().is_empty() && merged.get(key) == Some(value);
        if !adds_nothing {
            merged.insert_with_metadata(key.clone(), value.clone(), properties.clone());
        }
    }
    merged
}
