//! The start of a span: below a local parent it records, elsewhere the sampler decides.

use std::borrow::Cow;

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceFlags};
use opentelemetry::{Context, KeyValue};

use super::live::{Live, LiveSpan};
use super::parent::{Choice, Parent, ParentChoice};
use crate::Value;
use crate::callsite::{self, Callsite};
use crate::outcome::Arguments;
use crate::pipeline::thread::{self, ThreadState};
use crate::propagation::{Hints, debug_id, mark_debug};
use crate::record::flag;
use crate::sampler::{Sampling, SamplingDecision, SamplingInput};
use crate::tracer::global;
use crate::value::limit;

/// A span that has started and whose function's body has not begun.
#[derive(Debug)]
pub struct Start(pub(super) Started);

/// How a start turned out.
#[derive(Debug)]
pub(super) enum Started {
    /// Nothing is recorded and nothing changes.
    Nothing,
    /// A trace that is not sampled: its ids travel on, in this context.
    Unsampled(Box<(SpanContext, Context)>),
    Recording(Box<Live>),
}

/// No span.
#[inline]
pub fn off() -> Start {
    Start(Started::Nothing)
}

/// What is known about a span before it starts.
struct Facts<'a> {
    callsite: Option<&'static Callsite>,
    site: u32,
    kind: SpanKind,
    links: &'a [Link],
}

/// Makes a span's name when it is needed.
type Name<'a> = Option<&'a mut dyn FnMut() -> Cow<'static, str>>;

impl Callsite {
    /// Whether a span may start here: one relaxed load.
    #[inline]
    pub fn is_enabled(&self) -> bool {
        global::is_enabled(self.level)
    }

    /// Starts a span below the current one.
    #[inline]
    pub fn start(&'static self) -> Start {
        if self.is_enabled() {
            Start(self.start_current())
        } else {
            off()
        }
    }

    #[inline(never)]
    fn start_current(&'static self) -> Started {
        thread::with(|thread| match Parent::current(thread) {
            Some(parent) => self.start_below(thread, parent, false, None),
            None => Started::Nothing,
        })
        .unwrap_or(Started::Nothing)
    }

    /// Starts a span below a chosen parent.
    pub fn start_with(&'static self, parent: ParentChoice) -> Start {
        self.start_chosen(parent, None)
    }

    /// Starts a span whose name is made when it is needed.
    pub fn start_named(
        &'static self,
        parent: ParentChoice,
        name: impl FnOnce() -> Cow<'static, str>,
    ) -> Start {
        let mut name = Some(name);
        let mut once = || name.take().map_or(Cow::Borrowed(""), |name| name());
        self.start_chosen(parent, Some(&mut once))
    }

    fn start_chosen(&'static self, ParentChoice(choice): ParentChoice, name: Name<'_>) -> Start {
        let started = thread::with(|thread| {
            let (parent, root) = match choice {
                Choice::Current => (Parent::current(thread), false),
                Choice::Root(cx) => (Parent::of(cx.unwrap_or_else(Context::current), true), true),
                Choice::Context(cx) => (Parent::of(cx, false), false),
            };
            Some(self.start_below(thread, parent?, root, name))
        });
        Start(started.flatten().unwrap_or(Started::Nothing))
    }

    #[inline]
    fn start_below(
        &'static self,
        thread: &ThreadState,
        parent: Parent,
        root: bool,
        name: Name<'_>,
    ) -> Started {
        if !parent.core.records(self) {
            return Started::Nothing;
        }
        let site = self.site_id();
        if parent.is_local() {
            return below_local(thread, parent, Some(self), site, name);
        }
        let facts = Facts {
            callsite: Some(self),
            site,
            kind: self.kind_of(),
            links: &[],
        };
        local_root(thread, parent, &facts, root, name)
    }
}

/// Starts a span of the OpenTelemetry API; `None` when nothing is recorded below `cx`.
pub(crate) fn start_in(
    cx: &Context,
    site: u32,
    kind: SpanKind,
    name: Cow<'static, str>,
    links: &[Link],
) -> Option<LiveSpan> {
    let mut name = Some(name);
    let mut name = || name.take().unwrap_or_default();
    let parent = Parent::of(cx.clone(), false)?;
    let started = thread::with(|thread| {
        if parent.is_local() {
            return below_local(thread, parent, None, site, Some(&mut name));
        }
        let facts = Facts {
            callsite: None,
            site,
            kind,
            links,
        };
        local_root(thread, parent, &facts, false, Some(&mut name))
    });
    match started? {
        Started::Nothing => None,
        Started::Unsampled(unsampled) => Some(LiveSpan::passing(unsampled.0)),
        Started::Recording(mut live) => {
            live.ends_on_drop = true;
            Some(LiveSpan::recording(live))
        }
    }
}

/// The parent is a span of this process, and sampled: so is its child.
#[inline]
fn below_local(
    thread: &ThreadState,
    parent: Parent,
    callsite: Option<&'static Callsite>,
    site: u32,
    name: Name<'_>,
) -> Started {
    let Parent {
        base,
        span_context,
        core,
    } = parent;
    let span_id = thread.open(&core.queue, site);
    let context = SpanContext::new(
        span_context.trace_id(),
        span_id,
        span_context.trace_flags(),
        false,
        span_context.trace_state().clone(),
    );
    let parent_span_id = u64::from_be_bytes(span_context.span_id().to_bytes());
    let mut live = Live::new(context, core, callsite, site, parent_span_id);
    live.base = base;
    if let Some(name) = name {
        live.attributes.push_name(&name());
    }
    Started::Recording(live)
}

/// No span of this process is the parent: the sampler decides.
#[inline(never)]
fn local_root(
    thread: &ThreadState,
    parent: Parent,
    facts: &Facts<'_>,
    root: bool,
    mut name: Name<'_>,
) -> Started {
    let Parent {
        base,
        span_context,
        core,
    } = parent;
    let remote = span_context.is_valid().then_some(&span_context);
    let trace_id = match remote {
        Some(remote) => remote.trace_id(),
        None => thread.with_ids(|ids| ids.trace_id()),
    };
    let mut cx = base.unwrap_or_else(Context::current);
    // Evaluated at most once, and before the decision only if the sampler looks at it.
    let mut known = None;
    if core.sampler.needs_name() {
        known = name.take().map(|name| name());
    }
    let site_name = || {
        facts
            .callsite
            .map_or("", |_| &callsite::site(facts.site).name)
    };
    let hints = if root {
        Hints::default()
    } else {
        Hints::of(&cx)
    };
    let mut input = SamplingInput::new(
        known.as_deref().unwrap_or_else(site_name),
        facts.kind.clone(),
        trace_id,
    )
    .with_hints(hints);
    input.parent = remote;
    input.links = facts.links;
    let Sampling {
        decision,
        attributes,
        trace_state,
        forced,
        ..
    } = core.sampler.sample(&input);

    let sampled = decision == SamplingDecision::RecordAndSample;
    // Our own trace ids are random in all their bits, which W3C level 2 lets us say.
    let random = TraceFlags::new(0x02);
    let flags = remote
        .map_or(random, SpanContext::trace_flags)
        .with_sampled(sampled);
    let trace_state = trace_state.unwrap_or_else(|| span_context.trace_state().clone());
    let context = |span_id| SpanContext::new(trace_id, span_id, flags, false, trace_state);
    if decision == SamplingDecision::Drop {
        let span_id = thread.with_ids(|ids| ids.span_id());
        return Started::Unsampled(Box::new((context(span_id), cx)));
    }
    let span_id = thread.open(&core.queue, facts.site);
    let parent_span_id = u64::from_be_bytes(span_context.span_id().to_bytes());
    let mut live = Live::new(
        context(span_id),
        core,
        facts.callsite,
        facts.site,
        parent_span_id,
    );
    live.flags |= flag::LOCAL_ROOT;
    live.flags |= if remote.is_some() {
        flag::PARENT_REMOTE
    } else {
        0
    };
    live.flags |= if sampled { 0 } else { flag::RECORD_ONLY };
    // A debug trace that goes on here, or one that a debug request starts here.
    let debug = forced || hints.debug && sampled && remote.is_some();
    live.flags |= if debug { flag::DEBUG } else { 0 };
    if let Some(name) = known.or_else(|| name.map(|name| name())) {
        live.attributes.push_name(&name);
    }
    attributes
        .into_iter()
        .for_each(|attribute| live.set(attribute));
    if forced {
        if let Some(id) = debug_id(&cx) {
            live.set(KeyValue::new("jaeger-debug-id", id.to_owned()));
        }
        cx = mark_debug(&cx, trace_id);
    }
    live.base = Some(cx);
    Started::Recording(live)
}

impl Start {
    /// Whether the span records: if not, nothing of the user's need be evaluated.
    #[inline]
    pub(crate) fn is_recording(&self) -> bool {
        matches!(self.0, Started::Recording(_))
    }

    #[inline]
    pub(super) fn live(&mut self) -> Option<&mut Live> {
        match &mut self.0 {
            Started::Recording(live) => Some(live),
            _ => None,
        }
    }

    /// Records a value under the call site's key at `index`.
    pub(crate) fn field(&mut self, index: usize, value: Value<'_>) {
        if let Some(live) = self.live() {
            live.field(index, value);
        }
    }

    /// Records that a value is there, and not which.
    pub(crate) fn redacted(&mut self, index: usize) {
        if let Some(live) = self.live() {
            live.attributes.push_redacted(index);
        }
    }

    pub(crate) fn links(&mut self, links: impl IntoIterator<Item = SpanContext>) {
        if let Some(live) = self.live() {
            for link in links.into_iter().filter(SpanContext::is_valid) {
                live.add_link(link, Vec::new());
            }
        }
    }

    /// Whether what goes by this name must not be shown, say a parameter inside a URL.
    #[cfg(feature = "tower")]
    pub(crate) fn hides(&mut self, name: &str) -> bool {
        use crate::redact::{Secrecy, secrecy};
        secrecy(name) != Secrecy::Open || self.live().is_some_and(|live| live.core.hides_late(name))
    }
}

impl Live {
    fn field(&mut self, index: usize, value: Value<'_>) {
        let (Some(callsite), core) = (self.callsite, self.core) else {
            return;
        };
        if matches!(value, Value::None) {
            return;
        }
        if u64::from(self.attributes.count()) >= core.limits.attributes {
            self.late().dropped_attributes += 1;
        } else if callsite.hides(index, is_text(&value)) || core.hides(callsite, index) {
            self.attributes.push_redacted(index);
        } else {
            let value = limit(value, &core.limits.arguments);
            self.attributes.push(index, &value);
        }
    }
}

impl Arguments for Start {
    #[inline]
    fn wants(&self) -> bool {
        self.is_recording()
    }

    #[inline(never)]
    fn argument(&mut self, index: usize, value: Value<'_>) {
        if let Some(live) = self.live() {
            if live.core.arguments.keeps(|| is_text(&value)) {
                live.field(index, value);
            }
        }
    }
}

/// Free text, alone or in an array.
fn is_text(value: &Value<'_>) -> bool {
    match value {
        Value::Str(_) => true,
        Value::Array(elements) => elements.iter().any(is_text),
        _ => false,
    }
}

impl Drop for Start {
    /// A field's expression panicked: the body will never run.
    #[inline]
    fn drop(&mut self) {
        if let Started::Recording(live) = &mut self.0 {
            live.fail_by_panic();
            live.end(None);
        }
    }
}
