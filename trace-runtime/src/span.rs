//! A span's life on the application's threads: start, arguments, entered, ended.
//!
//! [`Start`] is the span before the body runs; it owns the live record and arguments are written
//! straight into it. [`enter`] moves it into an OpenTelemetry [`Context`]. From then on only the
//! API's own methods reach it, for us as for everybody else; [`Active`] holds that context, for
//! synchronous and for asynchronous code alike.

use std::borrow::Cow;

use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceContextExt, TraceFlags};
use opentelemetry::{Context, KeyValue};

use crate::callsite::{self, Callsite};
use crate::outcome::{Arguments, Failed, Sink};
use crate::propagation::{Hints, ParentSource, debug_id, mark_debug};
use crate::record::{AttributeBuffer, Event, EventTime, Header, Late, Link, REDACTED_TEXT, flag};
use crate::sampler::{Sampling, SamplingDecision, SamplingInput};
use crate::tracer::{Core, global};
use crate::value::limit;
use crate::{Value, bubble, clock, panic_hook, pipeline::thread};

/// The live record of a span that has not ended.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) core: &'static Core,
    /// `None` for spans of the OpenTelemetry API.
    callsite: Option<&'static Callsite>,
    site: u32,
    flags: u16,
    parent_span_id: u64,
    start: u64,
    attributes: AttributeBuffer,
    late: Option<Box<Late>>,
}

impl Live {
    /// The rare part, made when first needed.
    pub(crate) fn late(&mut self) -> &mut Late {
        self.late.get_or_insert_default()
    }

    /// Sets an attribute that is not one of the call site's; the last write wins.
    pub(crate) fn set(&mut self, attribute: KeyValue) {
        let attributes = u64::from(self.attributes.count());
        let limits = &self.core.limits;
        let KeyValue { key, value, .. } = attribute;
        let value = if self.core.hides_late(key.as_str()) {
            REDACTED_TEXT.into()
        } else {
            limits.cut(value)
        };
        let late = self.late.get_or_insert_default();
        if let Some(known) = late.attributes.iter_mut().find(|known| known.key == key) {
            known.value = value;
        } else if attributes + (late.attributes.len() as u64) < limits.attributes {
            late.attributes.push(KeyValue::new(key, value));
        } else {
            late.dropped_attributes += 1;
        }
    }

    pub(crate) fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: EventTime,
        attributes: Vec<KeyValue>,
    ) {
        let limits = &self.core.limits;
        let late = self.late.get_or_insert_default();
        if late.events.len() as u64 >= limits.events {
            late.dropped_events += 1;
            return;
        }
        let (attributes, dropped_attributes) =
            limits.cut_list(attributes, limits.attributes_per_event);
        late.events.push(Event {
            name,
            time,
            attributes,
            dropped_attributes,
        });
    }

    pub(crate) fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        let limits = &self.core.limits;
        let late = self.late.get_or_insert_default();
        if late.links.len() as u64 >= limits.links {
            late.dropped_links += 1;
            return;
        }
        let (attributes, dropped_attributes) =
            limits.cut_list(attributes, limits.attributes_per_link);
        late.links.push(Link {
            span_context,
            attributes,
            dropped_attributes,
        });
    }

    /// The caller's clock instead of ours.
    pub(crate) fn set_wall_start(&mut self, unix_nanos: u64) {
        self.start = unix_nanos;
        self.flags |= flag::WALL_START;
    }

    /// Stores the span as finished.
    pub(crate) fn end(mut self, context: &SpanContext, wall_end: Option<u64>) {
        let end = match wall_end {
            None => clock::ticks(),
            Some(unix_nanos) => {
                self.flags |= flag::WALL_END;
                unix_nanos
            }
        };
        if *context.trace_state() != opentelemetry::trace::TraceState::NONE {
            self.late().trace_state = context.trace_state().clone();
        }
        if self.late.is_some() {
            self.flags |= flag::LATE;
        }
        let header = Header {
            site: self.site,
            flags: self.flags,
            trace_flags: context.trace_flags().to_u8(),
            trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(context.span_id().to_bytes()),
            parent_span_id: self.parent_span_id,
            start: self.start,
            end,
        };
        if self.core.is_closed() {
            self.core.count_after_shutdown();
            return;
        }
        thread::push(
            &self.core.queue,
            header,
            self.attributes.as_bytes(),
            self.late,
        );
    }
}

/// What a start looks at before it decides.
struct Parent {
    /// The context to start in, if it is not the current one.
    base: Option<Context>,
    span_context: SpanContext,
    core: &'static Core,
}

impl Parent {
    /// The current span; `None` when nothing may be recorded here.
    #[inline]
    fn current() -> Option<Self> {
        thread::with(|thread| {
            let (suppressed, scoped, span_context) = Context::map_current(|cx| {
                let span = cx.span();
                (
                    cx.is_telemetry_suppressed(),
                    global::scoped(cx),
                    span.span_context().clone(),
                )
            });
            let core = if suppressed {
                None
            } else {
                thread.tracer(scoped)
            }?;
            Some(Self {
                base: None,
                span_context,
                core,
            })
        })?
    }

    /// The span of `cx`, or none if a new trace begins.
    fn of(cx: Context, root: bool) -> Option<Self> {
        if cx.is_telemetry_suppressed() {
            return None;
        }
        let core = thread::with(|thread| thread.tracer(global::scoped(&cx)))??;
        let span_context = if root {
            SpanContext::NONE
        } else {
            cx.span().span_context().clone()
        };
        Some(Self {
            base: Some(cx),
            span_context,
            core,
        })
    }

    fn is_local(&self) -> bool {
        self.span_context.is_valid() && !self.span_context.is_remote()
    }
}

/// What is known about a span before it starts.
pub(crate) struct Facts<'a> {
    pub(crate) callsite: Option<&'static Callsite>,
    pub(crate) site: u32,
    pub(crate) kind: SpanKind,
    pub(crate) links: &'a [opentelemetry::trace::Link],
}

/// Starts a span below its parent, asking the sampler where there is no local parent.
#[inline]
fn begin(
    parent: Parent,
    facts: &Facts<'_>,
    root: bool,
    name: Option<&mut dyn FnMut() -> Cow<'static, str>>,
) -> Started {
    if parent.is_local() {
        if !parent.span_context.is_sampled() {
            return Started::Nothing;
        }
        let Parent {
            base,
            span_context,
            core,
        } = parent;
        let (trace_id, parent_id) = (span_context.trace_id(), span_context.span_id());
        let Some(span_id) = thread::with(|thread| {
            thread.opened(&core.queue, facts.site);
            thread.with_ids(|ids| ids.span_id())
        }) else {
            return Started::Nothing;
        };
        let context = SpanContext::new(
            trace_id,
            span_id,
            span_context.trace_flags(),
            false,
            span_context.trace_state().clone(),
        );
        let mut live = Live {
            core,
            callsite: facts.callsite,
            site: facts.site,
            flags: 0,
            parent_span_id: u64::from_be_bytes(parent_id.to_bytes()),
            start: clock::ticks(),
            attributes: AttributeBuffer::new(),
            late: None,
        };
        if let Some(name) = name {
            live.attributes.push_name(&name());
        }
        return Started::Recording(
            LiveSpan {
                context,
                live: Some(live),
                ends_on_drop: true,
            },
            base,
        );
    }
    begin_local_root(parent, facts, root, name)
}

/// No span of this process is the parent: the sampler decides.
fn begin_local_root(
    parent: Parent,
    facts: &Facts<'_>,
    root: bool,
    name: Option<&mut dyn FnMut() -> Cow<'static, str>>,
) -> Started {
    let Parent {
        base,
        span_context,
        core,
    } = parent;
    let remote = span_context.is_valid().then_some(&span_context);
    let Some((new_trace, span_id)) =
        thread::with(|thread| thread.with_ids(|ids| (ids.trace_id(), ids.span_id())))
    else {
        return Started::Nothing;
    };
    let trace_id = remote.map_or(new_trace, SpanContext::trace_id);
    let cx = base.unwrap_or_else(Context::current);
    let hints = if root {
        Hints::default()
    } else {
        Hints::of(&cx)
    };
    // Evaluated at most once, and before the decision only if the sampler looks at it.
    let mut name = name;
    let mut known = None;
    if core.sampler.needs_name() {
        known = name.take().map(|name| name());
    }
    let site_name = || {
        facts
            .callsite
            .map_or("", |_| &callsite::site(facts.site).name)
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
    let flags = remote
        .map_or(TraceFlags::new(0x02), SpanContext::trace_flags)
        .with_sampled(sampled);
    let trace_state = trace_state.unwrap_or_else(|| span_context.trace_state().clone());
    let context = SpanContext::new(trace_id, span_id, flags, false, trace_state);
    if decision == SamplingDecision::Drop {
        return Started::Unsampled(context, cx);
    }
    let _ = thread::with(|thread| thread.opened(&core.queue, facts.site));
    let mut flags = flag::LOCAL_ROOT;
    flags |= if remote.is_some() {
        flag::PARENT_REMOTE
    } else {
        0
    };
    flags |= if sampled { 0 } else { flag::RECORD_ONLY };
    // A debug trace that goes on here, or one that a debug request starts here.
    let debug = forced || hints.debug && sampled && remote.is_some();
    flags |= if debug { flag::DEBUG } else { 0 };
    let mut live = Live {
        core,
        callsite: facts.callsite,
        site: facts.site,
        flags,
        parent_span_id: u64::from_be_bytes(span_context.span_id().to_bytes()),
        start: clock::ticks(),
        attributes: AttributeBuffer::new(),
        late: None,
    };
    if let Some(name) = known.or_else(|| name.map(|name| name())) {
        live.attributes.push_name(&name);
    }
    attributes
        .into_iter()
        .for_each(|attribute| live.set(attribute));
    let mut cx = cx;
    if forced {
        if let Some(id) = debug_id(&cx) {
            live.set(KeyValue::new("jaeger-debug-id", id.to_owned()));
        }
        cx = mark_debug(&cx, trace_id);
    }
    Started::Recording(
        LiveSpan {
            context,
            live: Some(live),
            ends_on_drop: true,
        },
        Some(cx),
    )
}

/// How a start turned out.
pub(crate) enum Started {
    /// Nothing is recorded and nothing changes.
    Nothing,
    /// A trace that is not sampled: its ids travel on, from this context.
    Unsampled(SpanContext, Context),
    /// A span, to be entered in this context, or in the current one.
    Recording(LiveSpan, Option<Context>),
}

/// Starts a span through the OpenTelemetry API.
pub(crate) fn start_in(
    cx: &Context,
    site: u32,
    kind: SpanKind,
    name: Cow<'static, str>,
    links: &[opentelemetry::trace::Link],
) -> Started {
    let facts = Facts {
        callsite: None,
        site,
        kind,
        links,
    };
    let mut name = Some(name);
    let mut name = || name.take().unwrap_or_default();
    match Parent::of(cx.clone(), false) {
        Some(parent) => begin(parent, &facts, false, Some(&mut name)),
        None => Started::Nothing,
    }
}

/// The span as the OpenTelemetry API sees it, in a context or in the user's hands.
#[derive(Debug)]
pub struct LiveSpan {
    pub(crate) context: SpanContext,
    /// `None` once ended, and for spans that record nothing.
    pub(crate) live: Option<Live>,
    /// Spans of the OpenTelemetry API end when they are dropped; ours end explicitly.
    pub(crate) ends_on_drop: bool,
}

impl Drop for LiveSpan {
    fn drop(&mut self) {
        if self.ends_on_drop {
            self.finish(None);
        }
    }
}

impl LiveSpan {
    pub(crate) fn finish(&mut self, wall_end: Option<u64>) {
        if let Some(live) = self.live.take() {
            live.end(&self.context, wall_end);
        }
    }
}

/// A span that has started and whose function's body has not.
#[derive(Debug)]
pub struct Start(Option<StartState>);

#[derive(Debug)]
enum StartState {
    Unsampled(SpanContext, Context),
    Recording(LiveSpan, Option<Context>),
}

/// Whose child a span becomes.
#[derive(Debug)]
pub struct ParentChoice(Choice);

#[derive(Debug)]
enum Choice {
    Current,
    Root,
    Context(Context),
}

/// A new trace, whatever is current.
pub fn root() -> ParentChoice {
    ParentChoice(Choice::Root)
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

/// No span.
pub fn off() -> Start {
    Start(None)
}

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

    #[inline(never)]
    fn start_current(&'static self) -> Start {
        let parent = Parent::current();
        self.start_below(parent, false, None)
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

    fn start_chosen(
        &'static self,
        ParentChoice(choice): ParentChoice,
        name: Option<&mut dyn FnMut() -> Cow<'static, str>>,
    ) -> Start {
        match choice {
            Choice::Current => self.start_below(Parent::current(), false, name),
            Choice::Root => self.start_below(Parent::of(Context::current(), true), true, name),
            Choice::Context(cx) => self.start_below(Parent::of(cx, false), false, name),
        }
    }

    #[inline]
    fn start_below(
        &'static self,
        parent: Option<Parent>,
        root: bool,
        name: Option<&mut dyn FnMut() -> Cow<'static, str>>,
    ) -> Start {
        let Some(parent) = parent else { return off() };
        if !parent.core.records(self) {
            return off();
        }
        let facts = Facts {
            callsite: Some(self),
            site: self.site_id(),
            kind: self.kind_of(),
            links: &[],
        };
        Start(match begin(parent, &facts, root, name) {
            Started::Nothing => None,
            Started::Unsampled(context, cx) => Some(StartState::Unsampled(context, cx)),
            Started::Recording(span, base) => Some(StartState::Recording(span, base)),
        })
    }
}

impl Start {
    /// Whether the span records: if not, nothing of the user's need be evaluated.
    #[inline]
    pub(crate) fn is_recording(&self) -> bool {
        matches!(self.0, Some(StartState::Recording(..)))
    }

    #[inline]
    fn live(&mut self) -> Option<&mut Live> {
        match &mut self.0 {
            Some(StartState::Recording(span, _)) => span.live.as_mut(),
            _ => None,
        }
    }

    /// Records a value under the call site's key at `index`.
    pub(crate) fn field(&mut self, index: usize, value: Value<'_>) {
        let Some(live) = self.live() else { return };
        let (Some(callsite), core) = (live.callsite, live.core) else {
            return;
        };
        if matches!(value, Value::None) {
            return;
        }
        if u64::from(live.attributes.count()) >= core.limits.attributes {
            live.late().dropped_attributes += 1;
        } else if callsite.hides(index, is_text(&value)) || core.hides(callsite, index) {
            live.attributes.push_redacted(index);
        } else {
            live.attributes
                .push(index, &limit(value, &core.limits.arguments));
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
}

impl Arguments for Start {
    #[inline]
    fn wants(&self) -> bool {
        self.is_recording()
    }

    fn argument(&mut self, index: usize, value: Value<'_>) {
        let kept = self
            .live()
            .is_some_and(|live| live.core.arguments.keeps(is_text(&value)));
        if kept {
            self.field(index, value);
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
    fn drop(&mut self) {
        if let Some(StartState::Recording(span, _)) = &mut self.0 {
            record_panic(span);
            span.finish(None);
        }
    }
}

fn record_panic(span: &mut LiveSpan) {
    let Some(live) = span.live.as_mut() else {
        return;
    };
    live.set(KeyValue::new("error.type", "panic"));
    let panic = panic_hook::take();
    let description = panic
        .as_ref()
        .map_or_else(String::new, |panic| panic.message.clone());
    live.late().status = Status::error(description);
    if let Some(panic) = panic {
        live.add_event(
            "exception".into(),
            EventTime::Ticks(clock::ticks()),
            panic.attributes(),
        );
    }
}

/// A span whose function is running, or was.
///
/// Small, because the future of a traced async function keeps one.
#[derive(Debug)]
pub struct Active {
    cx: Option<Context>,
    site: u32,
    recording: bool,
    cancelled_is_error: bool,
    phase: Phase,
}

impl Active {
    const fn new(cx: Option<Context>) -> Self {
        Self {
            cx,
            site: 0,
            recording: false,
            cancelled_is_error: false,
            phase: Phase::Resting,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The body has ended, or has not begun.
    Resting,
    /// The body is running: a drop now is an unwinding panic.
    Running,
    /// A future waits: a drop now cancels it.
    Waiting,
}

/// Makes the span current as soon as the body runs.
#[inline]
pub fn enter(mut start: Start) -> Active {
    let state = start.0.take();
    std::mem::forget(start); // empty now
    match state {
        None => Active::new(None),
        Some(state) => enter_state(state),
    }
}

#[inline(never)]
fn enter_state(state: StartState) -> Active {
    match state {
        StartState::Unsampled(context, cx) => {
            Active::new(Some(cx.with_remote_span_context(context)))
        }
        StartState::Recording(mut span, base) => {
            span.ends_on_drop = false;
            let (site, cancelled_is_error) = span.live.as_ref().map_or((0, false), |live| {
                (
                    live.site,
                    live.core
                        .cancelled
                        .is_error(&callsite::site(live.site).kind),
                )
            });
            let cx = match base {
                None => Context::current_with_span(span),
                Some(base) => base.with_span(span),
            };
            Active {
                cx: Some(cx),
                site,
                recording: true,
                cancelled_is_error,
                phase: Phase::Resting,
            }
        }
    }
}

/// Ends a span at the time of the call. A span cannot end at the epoch, so this value is free to
/// mean "now, by our own clock", which saves the API's clock reading.
pub(crate) const NOW: std::time::SystemTime = std::time::UNIX_EPOCH;

impl Active {
    /// Runs `body` inside the span.
    #[inline]
    pub(crate) fn run<R>(&mut self, body: impl FnOnce() -> R) -> R {
        let Some(cx) = &self.cx else { return body() };
        let _attached = cx.clone().attach();
        self.phase = Phase::Running;
        let result = body();
        self.phase = Phase::Resting;
        result
    }

    /// The future was made and has not been polled: dropping it now cancels it.
    pub(crate) fn wait(&mut self) {
        self.phase = Phase::Waiting;
    }

    /// The future is done.
    pub(crate) fn rest(&mut self) {
        self.phase = Phase::Resting;
    }

    pub(crate) fn mark_running(&mut self) {
        self.phase = Phase::Running;
    }

    pub(crate) fn context(&self) -> Option<&Context> {
        self.cx.as_ref()
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.recording
    }

    /// The call site's key at this position.
    pub(crate) fn key(&self, index: usize) -> &'static str {
        callsite::site(self.site)
            .keys
            .get(index)
            .copied()
            .unwrap_or("")
    }

    /// Sets an attribute after the body began.
    pub(crate) fn set(&self, key: &'static str, value: Value<'_>) {
        if let (Some(cx), Some(value)) = (&self.cx, Option::<opentelemetry::Value>::from(value)) {
            cx.span().set_attribute(KeyValue::new(key, value));
        }
    }

    #[inline]
    fn end(&mut self) {
        let Some(cx) = self.cx.take() else { return };
        if !self.recording {
            return;
        }
        let span = cx.span();
        match self.phase {
            Phase::Resting => {}
            Phase::Running => end_with_panic(&span),
            Phase::Waiting => {
                span.set_attribute(KeyValue::new("traced.cancelled", true));
                if self.cancelled_is_error {
                    span.set_attribute(KeyValue::new("error.type", "cancelled"));
                    span.set_status(Status::error("cancelled"));
                }
            }
        }
        span.end_with_timestamp(NOW);
    }
}

#[cold]
fn end_with_panic(span: &opentelemetry::trace::SpanRef<'_>) {
    span.set_attribute(KeyValue::new("error.type", "panic"));
    match panic_hook::take() {
        Some(panic) => {
            span.set_status(Status::error(panic.message.clone()));
            span.add_event_with_timestamp("exception", NOW, panic.attributes());
        }
        None => span.set_status(Status::error("")),
    }
}

impl Drop for Active {
    #[inline]
    fn drop(&mut self) {
        if self.cx.is_some() {
            self.end();
        }
    }
}

impl Sink for Active {
    #[inline]
    fn recording(&self) -> bool {
        self.recording
    }

    fn kind(&self) -> SpanKind {
        callsite::site(self.site).kind.clone()
    }

    fn fail(&mut self, failed: Failed) {
        let Some(cx) = &self.cx else { return };
        let span = cx.span();
        if let Some(exception) = &failed.exception {
            let repeated = bubble::is_repeated(span.span_context().span_id(), exception.identity);
            if !repeated {
                let attributes = exception.attributes(&failed.description);
                span.add_event_with_timestamp("exception", NOW, attributes);
            }
        }
        span.set_attribute(KeyValue::new("error.type", failed.error_type));
        span.set_status(Status::error(failed.description));
    }

    fn attribute(&mut self, key: &'static str, value: Value<'_>) {
        self.set(key, value);
    }
}
