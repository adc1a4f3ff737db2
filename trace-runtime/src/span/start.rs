//! The start of a span: below a local parent it records, elsewhere the sampler decides.

use std::borrow::Cow;

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceFlags, TraceState};
use opentelemetry::{Context, KeyValue, SpanId};

use super::live::{Live, LiveSpan};
use super::parent::{Choice, Parent, ParentChoice, is_dropped};
#[cfg(feature = "metrics")]
use super::unsampled;
use crate::Value;
use crate::callsite::{self, Callsite};
use crate::outcome::Arguments;
use crate::pipeline::thread::{self, ThreadState};
use crate::propagation::{Hints, debug_id, mark_debug};
use crate::record::flag;
use crate::sampler::{Sampling, SamplingDecision, SamplingInput};
use crate::tracer::{Core, global};
use crate::value::limit;

/// A span that has started and whose function's body has not begun; `None` where nothing is
/// recorded and nothing changes. One pointer, so that a span that is off costs a comparison.
#[derive(Debug)]
pub struct Start(pub(super) Option<Box<Live>>);

/// No span.
#[inline]
pub fn off() -> Start {
    Start(None)
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
            self.start_current()
        } else {
            off()
        }
    }

    /// The same, where it is known that a span may start.
    #[inline(never)]
    pub(crate) fn start_current(&'static self) -> Start {
        // Otherwise the context would panic.
        if !thread::is_alive() {
            return off();
        }
        let usual = Context::map_current(|cx| self.start_if_kept(cx));
        Start(usual.unwrap_or_else(|| self.start_apart()))
    }

    /// Below a span that is not sampled this is all that happens. Out of line, so that the API's part
    /// of the look is small enough to be inlined.
    #[inline(never)]
    fn start_if_kept(&'static self, cx: &Context) -> Option<Option<Box<Live>>> {
        let span = cx.span();
        let parent = span.span_context();
        match is_dropped(parent) || cx.is_telemetry_suppressed() {
            true => Some(None),
            false => self.start_near(cx, parent),
        }
    }

    /// The usual cases; `None` if the parent is remote, and if the tracer is not known, or does not
    /// record every trace that begins.
    #[inline(never)]
    fn start_near(&'static self, cx: &Context, parent: &SpanContext) -> Option<Option<Box<Live>>> {
        let is_root = !parent.is_valid();
        if parent.is_remote() && !is_root {
            return None;
        }
        thread::with(|thread| {
            let core = thread.known_tracer(global::scoped(cx))?;
            if !core.records(self) {
                return Some(None);
            }
            let site = self.site_id();
            if is_root {
                let is_plain = core.sampler.is_always_on() && !Hints::are_in(cx);
                return is_plain.then(|| plain_root(thread, core, self, site));
            }
            #[cfg(feature = "metrics")]
            if !parent.is_sampled() {
                return Some(unsampled::below(thread, core, Some(self), site, None, None));
            }
            Some(below_local(thread, core, parent, Some(self), site))
        })?
    }

    #[inline(never)]
    fn start_apart(&'static self) -> Option<Box<Live>> {
        let start =
            |thread: &_| self.start_under(thread, &mut Parent::current(thread)?, false, None);
        thread::with(start)?
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
            self.start_under(thread, &mut parent?, root, name)
        });
        Start(started.flatten())
    }

    fn start_under(
        &'static self,
        thread: &ThreadState,
        parent: &mut Parent,
        root: bool,
        name: Name<'_>,
    ) -> Option<Box<Live>> {
        if !parent.core.records(self) {
            return None;
        }
        let facts = Facts {
            callsite: Some(self),
            site: self.site_id(),
            kind: self.kind_of().clone(),
            links: &[],
        };
        start_with_facts(thread, parent, &facts, root, name)
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
    let mut parent = Parent::of(cx.clone(), false)?;
    let facts = Facts {
        callsite: None,
        site,
        kind,
        links,
    };
    let start = |thread: &_| start_with_facts(thread, &mut parent, &facts, false, Some(&mut name));
    let mut live = thread::with(start)??;
    if live.passing {
        #[cfg(feature = "metrics")]
        if live.is_timed_only() {
            if !live.context.is_valid() {
                live.context = parent.span_context; // what it passes on
            }
            return Some(LiveSpan::new(live));
        }
        return Some(LiveSpan::passing(live.context.clone()));
    }
    live.ends_on_drop = true;
    Some(LiveSpan::new(live))
}

fn start_with_facts(
    thread: &ThreadState,
    parent: &mut Parent,
    facts: &Facts<'_>,
    root: bool,
    name: Name<'_>,
) -> Option<Box<Live>> {
    if !parent.is_local() {
        return local_root(thread, parent, facts, root, name);
    }
    #[cfg(feature = "metrics")]
    if !parent.span_context.is_sampled() {
        let (core, base) = (parent.core, parent.base.take());
        let name = name.filter(|_| core.times_unsampled).map(|name| name());
        return unsampled::below(thread, core, facts.callsite, facts.site, base, name);
    }
    let (core, above) = (parent.core, &parent.span_context);
    let mut live = below_local(thread, core, above, facts.callsite, facts.site)?;
    live.base = parent.base.take();
    if let Some(name) = name {
        live.attributes.push_name(&name());
    }
    Some(live)
}

/// The parent is a span of this process, and sampled: so is its child.
#[inline(always)]
fn below_local(
    thread: &ThreadState,
    core: &'static Core,
    parent: &SpanContext,
    callsite: Option<&'static Callsite>,
    site: u32,
) -> Option<Box<Live>> {
    let (span_id, mut live) = thread.open(core, site)?;
    let context = SpanContext::new(
        parent.trace_id(),
        span_id,
        parent.trace_flags(),
        false,
        parent.trace_state().clone(),
    );
    live.begin(callsite, site, context, parent.span_id());
    Some(live)
}

/// A new trace, which is recorded like every other.
#[inline]
fn plain_root(
    thread: &ThreadState,
    core: &'static Core,
    callsite: &'static Callsite,
    site: u32,
) -> Option<Box<Live>> {
    let trace_id = thread.with_ids(|ids| ids.trace_id());
    let (span_id, mut live) = thread.open(core, site)?;
    let flags = RANDOM_TRACE_ID.with_sampled(true);
    let context = SpanContext::new(trace_id, span_id, flags, false, TraceState::NONE);
    live.begin(Some(callsite), site, context, SpanId::INVALID);
    live.flags |= flag::LOCAL_ROOT;
    Some(live)
}

/// Our own trace ids are random in all their bits, which W3C level 2 lets us say.
const RANDOM_TRACE_ID: TraceFlags = TraceFlags::new(0x02);

/// No span of this process is the parent: the sampler decides.
#[inline(never)]
fn local_root(
    thread: &ThreadState,
    parent: &mut Parent,
    facts: &Facts<'_>,
    root: bool,
    mut name: Name<'_>,
) -> Option<Box<Live>> {
    let mut base = parent.base.take();
    let (core, span_context) = (parent.core, &parent.span_context);
    let remote = span_context.is_valid().then_some(span_context);
    let trace_id = match remote {
        Some(remote) => remote.trace_id(),
        None => thread.with_ids(|ids| ids.trace_id()),
    };
    // Evaluated at most once, and before the decision only if the sampler looks at it.
    let mut known = None;
    let mut shown = "";
    if core.sampler.needs_name() {
        known = name.take().map(|name| name());
        shown = known
            .as_deref()
            .unwrap_or_else(|| &callsite::site(facts.site).name);
    }
    let hints = match &base {
        _ if root => Hints::default(),
        Some(cx) => Hints::of(cx),
        None => Context::map_current(Hints::of),
    };
    let mut input = SamplingInput::new(shown, facts.kind.clone(), trace_id).with_hints(hints);
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
    let flags = remote
        .map_or(RANDOM_TRACE_ID, SpanContext::trace_flags)
        .with_sampled(sampled);
    let trace_state = trace_state.unwrap_or_else(|| span_context.trace_state().clone());
    let parent_id = span_context.span_id();
    let begin = |live: &mut Live, span_id| {
        let context = SpanContext::new(trace_id, span_id, flags, false, trace_state);
        live.begin(facts.callsite, facts.site, context, parent_id);
    };
    if decision == SamplingDecision::Drop {
        let mut live = Live::blank(core);
        begin(&mut live, thread.with_ids(|ids| ids.span_id()));
        live.passing = true;
        live.base = base;
        #[cfg(feature = "metrics")]
        unsampled::root(thread, &mut live, || {
            known.or_else(|| name.map(|name| name()))
        });
        return Some(live);
    }
    let (span_id, mut live) = thread.open(core, facts.site)?;
    begin(&mut live, span_id);
    live.flags |= flag::LOCAL_ROOT;
    live.flags |= if remote.is_some() {
        flag::PARENT_REMOTE
    } else {
        0
    };
    live.flags |= if sampled { 0 } else { flag::RECORD_ONLY };
    #[cfg(feature = "metrics")]
    core.count_record_only(sampled);
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
        let cx = base.unwrap_or_else(Context::current);
        if let Some(id) = debug_id(&cx) {
            live.set(KeyValue::new("jaeger-debug-id", id.to_owned()));
        }
        base = Some(mark_debug(&cx, trace_id));
    }
    live.base = base;
    Some(live)
}

impl Start {
    /// Whether there is nothing to enter.
    #[inline]
    pub(crate) fn is_off(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the span records: if not, nothing of the user's need be evaluated.
    #[inline]
    pub(crate) fn is_recording(&self) -> bool {
        self.0.as_ref().is_some_and(|live| !live.passing)
    }

    #[inline]
    pub(super) fn live(&mut self) -> Option<&mut Live> {
        self.0.as_deref_mut().filter(|live| !live.passing)
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
        if !matches!(value, Value::None) && self.takes(index, is_text(&value)) {
            let value = limit(value, &self.core.limits.arguments);
            self.attributes.push(index, &value);
        }
    }

    /// Whether the value of this key goes on record as it is. If not, the span already says so.
    #[inline(always)]
    fn takes(&mut self, index: usize, is_text: bool) -> bool {
        let (Some(callsite), core) = (self.callsite, self.core) else {
            return false;
        };
        if u64::from(self.attributes.count()) >= core.limits.attributes {
            self.drop_attribute();
            return false;
        }
        if callsite.hides(index, is_text) || core.hides(callsite, index) {
            self.attributes.push_redacted(index);
            return false;
        }
        true
    }

    #[cold]
    fn drop_attribute(&mut self) {
        self.late().dropped_attributes += 1;
    }

    #[inline(never)]
    fn argument(&mut self, index: usize, value: Value<'_>) {
        if self.core.arguments.keeps(|| is_text(&value)) {
            self.field(index, value);
        }
    }

    /// The same for an integer, which needs no look at what it is.
    #[inline(never)]
    fn integer(&mut self, index: usize, value: i64) {
        if self.core.arguments.keeps(|| false) && self.takes(index, false) {
            self.attributes.push_i64(index, value);
        }
    }

    /// The same for a borrowed text.
    #[inline(never)]
    fn text(&mut self, index: usize, text: &str) {
        if self.core.limits.arguments.cuts(text) {
            self.argument(index, Value::Str(text.into()));
        } else if self.core.arguments.keeps(|| true) && self.takes(index, true) {
            self.attributes.push_text(index, text);
        }
    }
}

impl Arguments for Start {
    #[inline]
    fn wants(&self) -> bool {
        self.is_recording()
    }

    #[inline]
    fn argument(&mut self, index: usize, value: Value<'_>) {
        if let Some(live) = self.live() {
            live.argument(index, value);
        }
    }

    #[inline]
    fn integer(&mut self, index: usize, value: i64) {
        if let Some(live) = self.live() {
            live.integer(index, value);
        }
    }

    #[inline]
    fn text(&mut self, index: usize, text: &str) {
        if let Some(live) = self.live() {
            live.text(index, text);
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
    /// A field's expression panicked or returned: the body will never run.
    #[inline]
    fn drop(&mut self) {
        if let Some(live) = self.0.take() {
            live.abandon();
        }
    }
}
