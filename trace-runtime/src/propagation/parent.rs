//! What a carrier leaves in the context, and how it decides the parent of the next span.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceId};

use super::{Extract, FoundTrace};

/// Context value: the remote span that the local spans below descend from.
pub(super) struct RemoteParent {
    span_context: SpanContext,
    full_tracestate: Option<String>,
    debug: bool,
    deferred: bool,
}

/// Context value: what a carrier without a trace asks of the root that starts below.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RootRequest {
    /// The caller has decided, without naming a trace.
    Sampled(bool),
    /// Sample this one for debugging, under this name.
    Debug(Option<String>),
}

/// Context value: who asks for a debug trace may have as many as it likes.
struct TrustedDebug;

/// Context value: a remote span that the local spans below were not allowed to descend from.
struct Refused(SpanContext);

/// Context value: this trace was started by a debug request.
struct DebugTrace(TraceId);

impl From<FoundTrace> for RemoteParent {
    fn from(trace: FoundTrace) -> Self {
        RemoteParent {
            span_context: trace.span_context,
            full_tracestate: trace.full_tracestate,
            debug: trace.debug,
            deferred: trace.deferred,
        }
    }
}

impl RemoteParent {
    /// The whole `tracestate`, where OpenTelemetry's type could not hold it and nobody changed it.
    pub(super) fn full_tracestate(&self, span: &SpanContext) -> Option<&str> {
        let unchanged = self.span_context.trace_id() == span.trace_id()
            && self.span_context.trace_state() == span.trace_state();
        self.full_tracestate.as_deref().filter(|_| unchanged)
    }
}

/// Whether the trace of `span` is to be sampled everywhere, for debugging.
pub(super) fn is_debug(cx: &Context, span: &SpanContext) -> bool {
    let remote = cx
        .get::<RemoteParent>()
        .is_some_and(|remote| remote.debug && remote.span_context.trace_id() == span.trace_id());
    let local = cx
        .get::<DebugTrace>()
        .is_some_and(|debug| debug.0 == span.trace_id());
    remote || local
}

/// Whether `span` is a remote one that left the sampling decision to whoever receives it.
pub(super) fn is_deferred(cx: &Context, span: &SpanContext) -> bool {
    cx.get::<RemoteParent>()
        .is_some_and(|remote| remote.deferred && is_same(&remote.span_context, span))
}

/// What carriers said about sampling beyond the flags of the parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hints {
    /// Sample this trace whatever the sampler says.
    pub(crate) debug: bool,
    /// However many of them there are.
    pub(crate) trusted: bool,
    /// The parent's sampled flag means nothing: it left the decision to us.
    pub(crate) deferred: bool,
    /// A decision that came without a trace.
    pub(crate) decided: Option<bool>,
}

impl Hints {
    /// Whether there may be hints for a root.
    #[inline]
    pub(crate) fn are_in(cx: &Context) -> bool {
        cx.get::<RootRequest>().is_some()
    }

    /// The hints for a span whose parent is the span of `cx`: a remote one, or none.
    ///
    /// A span that starts a new trace of its own will (`root`) has no hints: use the default.
    #[allow(dead_code, reason = "called by the tracer")]
    pub(crate) fn of(cx: &Context) -> Hints {
        let span = cx.span();
        let parent = span.span_context();
        if parent.is_valid() {
            return Hints {
                debug: is_debug(cx, parent),
                deferred: is_deferred(cx, parent),
                ..Hints::default()
            };
        }
        match cx.get::<RootRequest>() {
            Some(RootRequest::Debug(_)) => Hints {
                debug: true,
                trusted: cx.get::<TrustedDebug>().is_some(),
                ..Hints::default()
            },
            Some(RootRequest::Sampled(yes)) => Hints {
                decided: Some(*yes),
                ..Hints::default()
            },
            None => Hints::default(),
        }
    }
}

/// The text of `jaeger-debug-id`, the attribute of a root that was sampled because of it.
#[allow(dead_code, reason = "called by the tracer")]
pub(crate) fn debug_id(cx: &Context) -> Option<&str> {
    match cx.get::<RootRequest>() {
        Some(RootRequest::Debug(id)) => id.as_deref(),
        _ => None,
    }
}

/// `cx` remembering that this trace is a debug trace, so that injection passes it on.
#[allow(dead_code, reason = "called by the tracer")]
pub(crate) fn mark_debug(cx: &Context, trace_id: TraceId) -> Context {
    cx.with_value(DebugTrace(trace_id))
}

/// What `#[traced(parent = ..)]` accepts: a context, a span context, anything that implements
/// [`Extract`], or an `Option` of these.
///
/// ```
/// use opentelemetry::Context;
/// use opentelemetry::trace::TraceContextExt;
/// use trace_runtime::propagation::ParentSource;
///
/// let headers = vec![("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
/// let parent = headers.parent(&Context::new()).expect("a valid header");
/// assert!(parent.span().span_context().is_remote());
///
/// assert!(None::<Context>.parent(&Context::new()).is_none());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parent of a span",
    note = "`parent = ..` takes a `Context`, a `SpanContext`, a carrier such as `HeaderMap` or any type that implements `Extract`, or an `Option` of these"
)]
pub trait ParentSource {
    /// The context to start the span in; `None` keeps the current one.
    fn parent(&self, current: &Context) -> Option<Context>;
}

/// Headers become the parent, unless they are invalid or the current span descends from them: then
/// a server layer further up has read the same headers.
impl<C: Extract> ParentSource for C {
    fn parent(&self, current: &Context) -> Option<Context> {
        let found = super::current().find(self);
        let trace = found.trace.as_ref();
        let stays = trace.is_some_and(|trace| descends_locally(current, &trace.span_context));
        if stays {
            None
        } else {
            found.into_context(current)
        }
    }
}

impl ParentSource for Context {
    fn parent(&self, _: &Context) -> Option<Context> {
        Some(self.clone())
    }
}

impl ParentSource for &Context {
    fn parent(&self, current: &Context) -> Option<Context> {
        (**self).parent(current)
    }
}

impl ParentSource for SpanContext {
    fn parent(&self, current: &Context) -> Option<Context> {
        let remote = || RemoteParent {
            span_context: self.clone(),
            full_tracestate: None,
            debug: false,
            deferred: false,
        };
        self.is_valid().then(|| {
            let parent = current.with_remote_span_context(self.clone());
            if self.is_remote() {
                parent.with_value(remote())
            } else {
                parent
            }
        })
    }
}

impl ParentSource for &SpanContext {
    fn parent(&self, current: &Context) -> Option<Context> {
        (**self).parent(current)
    }
}

impl<P: ParentSource> ParentSource for Option<P> {
    fn parent(&self, current: &Context) -> Option<Context> {
        self.as_ref().and_then(|source| source.parent(current))
    }
}

impl<P: ParentSource> ParentSource for &Option<P> {
    fn parent(&self, current: &Context) -> Option<Context> {
        (**self).parent(current)
    }
}

/// What headers of a trusted caller say: it may ask for debug traces without limit.
#[cfg(feature = "tower")]
pub(crate) fn trusted<C: Extract>(carrier: &C, current: &Context) -> Option<Context> {
    let found = carrier.parent(current)?;
    Some(match found.get::<RootRequest>() {
        Some(RootRequest::Debug(_)) => found.with_value(TrustedDebug),
        _ => found,
    })
}

/// `current` with what an untrusted caller may ask for: a debug trace, now and then.
#[cfg(feature = "tower")]
pub(crate) fn debug_request<C: Extract>(carrier: &C, current: &Context) -> Option<Context> {
    match super::current().find(carrier).root {
        Some(request @ RootRequest::Debug(_)) => Some(current.with_value(request)),
        _ => None,
    }
}

/// The span that the headers name, and `current` remembering that it is no parent for the spans
/// below; `None` if they name none, or if a layer further up has dealt with it.
#[cfg(any(feature = "messaging", feature = "tower"))]
pub(crate) fn refuse<C: Extract>(carrier: &C, current: &Context) -> Option<(SpanContext, Context)> {
    let remote = super::current().find(carrier).trace?.span_context;
    if descends_locally(current, &remote) {
        return None;
    }
    let current = current.with_value(Refused(remote.clone()));
    Some((remote, current))
}

/// Whether the current span is a local one below this remote one, or was started instead of one.
fn descends_locally(current: &Context, remote: &SpanContext) -> bool {
    let span = current.span();
    let span = span.span_context();
    let adopted = current.get::<RemoteParent>().is_some_and(|adopted| {
        span.trace_id() == remote.trace_id() && is_same(&adopted.span_context, remote)
    });
    let refused = || {
        current
            .get::<Refused>()
            .is_some_and(|refused| is_same(&refused.0, remote))
    };
    span.is_valid() && !span.is_remote() && (adopted || refused())
}

fn is_same(a: &SpanContext, b: &SpanContext) -> bool {
    a.trace_id() == b.trace_id() && a.span_id() == b.span_id()
}
