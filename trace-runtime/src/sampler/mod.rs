//! Which traces are recorded.
//!
//! A sampler decides about roots and, unless it is parent-based, about spans with a remote parent.
//! Below a local parent nothing is decided: the child does what its parent does.

mod rate_limiting;
#[cfg(feature = "remote-sampler")]
mod remote;

use std::fmt;
use std::sync::Arc;

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceId, TraceState};
use opentelemetry::{KeyValue, Value};

#[cfg(feature = "remote-sampler")]
#[allow(unused_imports, reason = "kept by the tracer")]
pub(crate) use remote::Poller;
#[cfg(feature = "remote-sampler")]
pub use remote::RemoteSampling;

use crate::propagation::Hints;
use rate_limiting::TokenBucket;

/// Decides which traces are recorded.
///
/// Samplers given in code are parent-based, like the words `parentbased_*` of
/// `OTEL_TRACES_SAMPLER`: the caller's decision holds for the whole trace, and the sampler is asked
/// about roots only. [`ignore_remote_parent`](Self::ignore_remote_parent) makes it decide for spans
/// with a remote parent as well.
///
/// ```
/// use trace_runtime::sampler::Sampler;
///
/// let tenth = Sampler::ratio(0.1);
/// let at_most_five_a_second = Sampler::rate_limited(5.0);
/// let no_probes = Sampler::custom(|span| span.name != "GET /health");
/// let whatever_callers_say = Sampler::ratio(0.1).ignore_remote_parent();
/// ```
#[derive(Clone)]
pub struct Sampler {
    root: Root,
    follows_remote_parent: bool,
    /// Debug requests are honoured, but nobody can flood us with them.
    debug: Arc<TokenBucket>,
}

#[derive(Clone)]
enum Root {
    AlwaysOn,
    AlwaysOff,
    Ratio(Ratio),
    RateLimited(Arc<TokenBucket>),
    #[cfg(feature = "remote-sampler")]
    Remote(Arc<remote::Remote>),
    Custom(Arc<Decide>),
}

type Decide = dyn Fn(&SamplingInput<'_>) -> Sampling + Send + Sync;

/// Debug requests per second.
const DEBUG_RATE: f64 = 1.0;

impl Sampler {
    /// Records every trace.
    #[must_use]
    pub fn always_on() -> Self {
        Sampler::from_root(Root::AlwaysOn)
    }

    /// Records no trace that starts here.
    #[must_use]
    pub fn always_off() -> Self {
        Sampler::from_root(Root::AlwaysOff)
    }

    /// Records this part of all traces, the same ones as any OpenTelemetry SDK with this ratio.
    ///
    /// A ratio below 0 or not a number is 0, one above 1 is 1.
    #[must_use]
    pub fn ratio(ratio: f64) -> Self {
        Sampler::from_root(Root::Ratio(Ratio::new(ratio)))
    }

    /// Records at most so many traces a second, and `max(rate, 1)` at once after a pause.
    ///
    /// A rate that is not positive records nothing.
    #[must_use]
    pub fn rate_limited(traces_per_second: f64) -> Self {
        let bucket = TokenBucket::new(traces_per_second);
        Sampler::from_root(Root::RateLimited(Arc::new(bucket)))
    }

    /// Asks a Jaeger agent or collector, for instance `http://localhost:5778/sampling`, and
    /// follows its changes. [`RemoteSampling`] has more to set.
    #[cfg(feature = "remote-sampler")]
    #[must_use]
    pub fn remote(url: impl Into<String>) -> Self {
        RemoteSampling::new(url).into()
    }

    /// Decides by a function, which may answer with a `bool`, a [`SamplingDecision`] or a whole
    /// [`Sampling`], and may ask other samplers.
    #[must_use]
    pub fn custom<F, S>(decide: F) -> Self
    where
        F: Fn(&SamplingInput<'_>) -> S + Send + Sync + 'static,
        S: Into<Sampling>,
    {
        Sampler::from_root(Root::Custom(Arc::new(move |input| decide(input).into())))
    }

    /// Follows the decision of a remote parent. This is the default.
    #[must_use]
    pub fn parent_based(mut self) -> Self {
        self.follows_remote_parent = true;
        self
    }

    /// Decides for spans with a remote parent, too, like the words without `parentbased_` of
    /// `OTEL_TRACES_SAMPLER`. Local children still do what their parent does.
    #[must_use]
    pub fn ignore_remote_parent(mut self) -> Self {
        self.follows_remote_parent = false;
        self
    }

    fn from_root(root: Root) -> Self {
        Sampler {
            root,
            follows_remote_parent: true,
            debug: Arc::new(TokenBucket::new(DEBUG_RATE)),
        }
    }

    /// Decides about a root or a span with a remote parent.
    #[must_use]
    pub fn sample(&self, input: &SamplingInput<'_>) -> Sampling {
        let hints = input.hints;
        if self.follows_remote_parent {
            let parent = input
                .parent
                .filter(|parent| parent.is_valid() && !hints.deferred);
            if let Some(sampled) = parent.map(SpanContext::is_sampled).or(hints.decided) {
                return sampled.into();
            }
        }
        if hints.debug && (hints.trusted || self.debug.take()) {
            return Sampling {
                forced: true,
                ..SamplingDecision::RecordAndSample.into()
            };
        }
        match &self.root {
            Root::AlwaysOn => true.into(),
            Root::AlwaysOff => false.into(),
            Root::Ratio(ratio) => ratio.samples(input.trace_id).into(),
            Root::RateLimited(bucket) => {
                Sampling::explained(bucket.take(), "ratelimiting", bucket.rate())
            }
            #[cfg(feature = "remote-sampler")]
            Root::Remote(remote) => remote.sample(input),
            Root::Custom(decide) => decide(input),
        }
    }

    /// Whether every trace is recorded that begins here and of which nobody asked otherwise.
    #[inline]
    pub(crate) fn is_always_on(&self) -> bool {
        matches!(self.root, Root::AlwaysOn)
    }

    /// Whether the decision may depend on the span's name; if not, the name may be left empty.
    #[must_use]
    pub fn needs_name(&self) -> bool {
        match &self.root {
            Root::AlwaysOn | Root::AlwaysOff | Root::Ratio(_) | Root::RateLimited(_) => false,
            #[cfg(feature = "remote-sampler")]
            Root::Remote(remote) => remote.needs_name(),
            Root::Custom(_) => true,
        }
    }

    /// Starts what the sampler runs in the background; it stops when the result is dropped.
    ///
    /// `report` is called on that thread, once for each change between failing and working.
    #[cfg(feature = "remote-sampler")]
    #[allow(dead_code, reason = "called by the tracer")]
    pub(crate) fn start(
        &self,
        service_name: &str,
        report: impl Fn(String) + Send + 'static,
    ) -> std::io::Result<Option<Poller>> {
        match &self.root {
            Root::Remote(remote) => Poller::start(remote, service_name, report).map(Some),
            _ => Ok(None),
        }
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.follows_remote_parent {
            f.write_str("parent-based ")?;
        }
        match &self.root {
            Root::AlwaysOn => f.write_str("always on"),
            Root::AlwaysOff => f.write_str("always off"),
            Root::Ratio(ratio) => write!(f, "ratio {}", ratio.ratio),
            Root::RateLimited(bucket) => write!(f, "{} traces a second", bucket.rate()),
            #[cfg(feature = "remote-sampler")]
            Root::Remote(remote) => write!(f, "remote {}", remote.shown_url()),
            Root::Custom(_) => f.write_str("custom"),
        }
    }
}

/// What a sampler may look at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SamplingInput<'a> {
    /// The name the span starts with; may be empty if the sampler does not need it.
    pub name: &'a str,
    /// Server, client, internal and so on.
    pub kind: SpanKind,
    /// The remote parent; `None` for a root.
    pub parent: Option<&'a SpanContext>,
    /// The id of the trace the span belongs to.
    pub trace_id: TraceId,
    /// The spans it is linked to, as far as they are known at the start.
    pub links: &'a [Link],
    hints: Hints,
}

impl<'a> SamplingInput<'a> {
    /// The input for a root; the other fields can be set.
    #[must_use]
    pub fn new(name: &'a str, kind: SpanKind, trace_id: TraceId) -> Self {
        SamplingInput {
            name,
            kind,
            parent: None,
            trace_id,
            links: &[],
            hints: Hints::default(),
        }
    }

    /// Adds what the carrier said about sampling.
    #[allow(dead_code, reason = "called by the tracer")]
    pub(crate) fn with_hints(mut self, hints: Hints) -> Self {
        self.hints = hints;
        self
    }
}

/// What happens to a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamplingDecision {
    /// Nothing is recorded.
    Drop,
    /// The span records, but is not exported, and callees are told not to sample.
    RecordOnly,
    /// The span records and is exported.
    RecordAndSample,
}

/// The answer of a sampler.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sampling {
    /// What happens to the span.
    pub decision: SamplingDecision,
    /// Attributes for the span, if it records.
    pub attributes: Vec<KeyValue>,
    /// The trace state of the span; `None` keeps the parent's.
    pub trace_state: Option<TraceState>,
    /// A debug request decided this.
    pub(crate) forced: bool,
}

impl Sampling {
    /// A decision with the attributes Jaeger's clients give to roots.
    fn explained(sampled: bool, sampler: &'static str, param: impl Into<Value>) -> Self {
        let mut sampling = Sampling::from(sampled);
        if sampled {
            sampling.attributes = vec![
                KeyValue::new("sampler.type", sampler),
                KeyValue::new("sampler.param", param),
            ];
        }
        sampling
    }
}

impl From<SamplingDecision> for Sampling {
    fn from(decision: SamplingDecision) -> Self {
        Sampling {
            decision,
            attributes: Vec::new(),
            trace_state: None,
            forced: false,
        }
    }
}

impl From<bool> for Sampling {
    /// `true` records and exports, `false` drops.
    fn from(sampled: bool) -> Self {
        if sampled {
            SamplingDecision::RecordAndSample.into()
        } else {
            SamplingDecision::Drop.into()
        }
    }
}

/// A part of all trace ids, chosen as the OpenTelemetry SDKs do it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ratio {
    ratio: f64,
    /// Of the 63 bits compared.
    bound: u64,
}

impl Ratio {
    fn new(ratio: f64) -> Self {
        let ratio = if ratio.is_nan() {
            0.0
        } else {
            ratio.clamp(0.0, 1.0)
        };
        let bound = (ratio * (1u64 << 63) as f64) as u64;
        Ratio { ratio, bound }
    }

    fn samples(self, trace_id: TraceId) -> bool {
        let low = u128::from_be_bytes(trace_id.to_bytes()) as u64;
        low >> 1 < self.bound
    }
}

#[cfg(test)]
mod tests;
