//! A span that is entered: current while its function runs, ended with the outcome.

use opentelemetry::trace::{SpanKind, SpanRef, Status, TraceContextExt};
use opentelemetry::{Context, ContextGuard, KeyValue};

use super::NOW;
use super::live::{Live, LiveSpan};
use super::start::Start;
use crate::callsite::{self, Callsite};
use crate::outcome::{Failed, Sink};
#[cfg(feature = "metrics")]
use crate::pipeline::thread;
use crate::{Value, panic_hook};

/// A span whose function is running, or was.
///
/// It stays where it is made, as far as it can: whatever is copied right after it was written in
/// pieces waits until they have reached the cache.
#[derive(Debug)]
pub struct Active(Option<Entered>);

/// What is current while the function runs.
#[derive(Debug, Default)]
struct Entered {
    cx: Context,
    site: u32,
    /// False if the context only passes on the ids of a trace that is not sampled.
    recording: bool,
    cancelled_is_error: bool,
    phase: Phase,
    /// The record of a span that is only timed.
    #[cfg(feature = "metrics")]
    timed: Option<Box<Live>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// The body has ended, or has not begun.
    #[default]
    Resting,
    /// The body is running: a drop now is an unwinding panic.
    Running,
    /// A future waits: a drop now cancels it.
    Waiting,
}

/// Makes the span current as soon as the body runs.
#[inline]
pub fn enter(mut start: Start) -> Active {
    let live = start.0.take();
    std::mem::forget(start); // empty now
    match live {
        None => Active(None),
        Some(live) => Active::entered(live),
    }
}

impl Active {
    #[inline(never)]
    fn entered(mut live: Box<Live>) -> Self {
        let base = live.base.take();
        if live.passing {
            let base = base.unwrap_or_else(Context::current);
            #[cfg(feature = "metrics")]
            if live.is_timed_only() {
                return Self::timed(live, base);
            }
            return Self::passing(base.with_remote_span_context(live.context));
        }
        let mode = live.core.cancelled;
        let kind = live.callsite.map(Callsite::kind_of);
        Self(Some(Entered {
            site: live.site,
            recording: true,
            cancelled_is_error: kind.is_some_and(|kind| mode.is_error(kind)),
            phase: Phase::Resting,
            #[cfg(feature = "metrics")]
            timed: None,
            cx: match base {
                Some(base) => base.with_span(LiveSpan::new(live)),
                None => Context::current_with_span(LiveSpan::new(live)),
            },
        }))
    }

    /// No span, but what runs here runs in `cx`.
    pub(crate) fn passing(cx: Context) -> Self {
        Self(Some(Entered {
            cx,
            ..Entered::default()
        }))
    }

    /// A span that is only timed. Where a trace begins its ids are passed on; below that nothing is to
    /// be added to the context.
    #[cfg(feature = "metrics")]
    fn timed(live: Box<Live>, base: Context) -> Self {
        let mut active = match live.context.is_valid() {
            true => Self::passing(base.with_remote_span_context(live.context.clone())),
            false => Self::passing(base),
        };
        if let Some(entered) = &mut active.0 {
            let kind = live.callsite.map(Callsite::kind_of);
            entered.cancelled_is_error =
                kind.is_some_and(|kind| live.core.cancelled.is_error(kind));
            entered.site = live.site;
            entered.timed = Some(live);
        }
        active
    }

    /// The record of a span that is only timed.
    #[cfg(feature = "metrics")]
    fn only_timed(&mut self) -> Option<&mut Live> {
        self.0.as_mut()?.timed.as_deref_mut()
    }

    /// Whether anybody wants to know if the function failed.
    #[inline]
    fn wants_outcome(&self) -> bool {
        #[cfg(feature = "metrics")]
        if self
            .0
            .as_ref()
            .is_some_and(|entered| entered.timed.is_some())
        {
            return true;
        }
        self.is_recording()
    }
}

impl Entered {
    /// Goes on as the body begins to run.
    #[inline(never)]
    fn attach(&mut self) -> ContextGuard {
        self.phase = Phase::Running;
        // The older of the two goes to the API, which is going to read it at once.
        let kept = self.cx.clone();
        std::mem::replace(&mut self.cx, kept).attach()
    }

    #[inline(never)]
    fn end(&mut self) {
        if self.recording {
            let span = self.cx.span();
            match self.phase {
                Phase::Resting => {}
                Phase::Running => end_with_panic(&span),
                Phase::Waiting => end_cancelled(&span, self.cancelled_is_error),
            }
            span.end_with_timestamp(NOW);
        }
        #[cfg(feature = "metrics")]
        if let Some(live) = self.timed.take() {
            end_timed(live, self.phase, self.cancelled_is_error);
        }
    }
}

impl Drop for Active {
    #[inline]
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(feature = "metrics")]
fn end_timed(mut live: Box<Live>, phase: Phase, cancelled_is_error: bool) {
    let error = match phase {
        Phase::Running => Some("panic"),
        Phase::Waiting => cancelled_is_error.then_some("cancelled"),
        Phase::Resting => None,
    };
    if let Some(error) = error {
        live.keep_error(KeyValue::new("error.type", error));
    }
    live.end_unsampled(None);
    thread::keep(live);
}

#[cold]
fn end_cancelled(span: &SpanRef<'_>, is_error: bool) {
    span.set_attribute(KeyValue::new("traced.cancelled", true));
    if is_error {
        span.set_attribute(KeyValue::new("error.type", "cancelled"));
        span.set_status(Status::error("cancelled"));
    }
}

#[cold]
fn end_with_panic(span: &SpanRef<'_>) {
    span.set_attribute(KeyValue::new("error.type", "panic"));
    match panic_hook::take() {
        Some(panic) => {
            span.set_status(Status::error(panic.message.clone()));
            span.add_event_with_timestamp("exception", NOW, panic.attributes());
        }
        None => span.set_status(Status::error("")),
    }
}

impl Active {
    /// Moves the span out, to somebody who goes on with it; dropping the result ends it.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Ends the span where it is.
    #[inline]
    pub(crate) fn end(&mut self) {
        if let Some(entered) = &mut self.0 {
            entered.end();
            self.0 = None;
        }
    }

    /// Runs `body` inside the span.
    #[inline]
    pub(crate) fn run<R>(&mut self, body: impl FnOnce() -> R) -> R {
        let attached = self.attach();
        let result = body();
        if attached.is_some() {
            drop(attached);
            self.rest();
        }
        result
    }

    /// The body begins to run, or goes on, until the result is dropped.
    #[inline]
    pub(crate) fn attach(&mut self) -> Option<ContextGuard> {
        self.0.as_mut().map(|entered| entered.attach())
    }

    /// The future was made and has not been polled: dropping it now cancels it.
    pub(crate) fn wait(&mut self) {
        self.set_phase(Phase::Waiting);
    }

    /// The future is done.
    pub(crate) fn rest(&mut self) {
        self.set_phase(Phase::Resting);
    }

    /// The body is running.
    pub(crate) fn mark_running(&mut self) {
        self.set_phase(Phase::Running);
    }

    #[inline]
    fn set_phase(&mut self, phase: Phase) {
        if let Some(entered) = &mut self.0 {
            entered.phase = phase;
        }
    }

    #[inline]
    pub(crate) fn context(&self) -> Option<&Context> {
        self.0.as_ref().map(|entered| &entered.cx)
    }

    #[inline]
    pub(crate) fn is_recording(&self) -> bool {
        self.0.as_ref().is_some_and(|entered| entered.recording)
    }

    /// The call site's key at this position.
    pub(crate) fn key(&self, index: usize) -> &'static str {
        let site = self.0.as_ref().map(|entered| callsite::site(entered.site));
        site.and_then(|site| site.keys.get(index).copied())
            .unwrap_or("")
    }

    /// Sets an attribute after the body began.
    pub(crate) fn set(&self, key: &'static str, value: Value<'_>) {
        // What is only timed stands in the context of another span.
        #[cfg(feature = "metrics")]
        if !self.is_recording() {
            return;
        }
        if let (Some(cx), Some(value)) =
            (self.context(), Option::<opentelemetry::Value>::from(value))
        {
            cx.span().set_attribute(KeyValue::new(key, value));
        }
    }
}

/// For layers and streams, whose spans move from a future into what goes on.
#[cfg(any(feature = "stream", feature = "tower"))]
impl Active {
    /// No span.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Whether a drop now would be a cancellation.
    #[cfg(feature = "tower")]
    pub(crate) fn is_cancelled_by_drop(&self) -> bool {
        let entered = self.0.as_ref().filter(|entered| entered.recording);
        entered.is_some_and(|entered| entered.phase == Phase::Waiting)
    }

    /// Gives the span another name.
    #[cfg(feature = "tower")]
    pub(crate) fn rename(&self, name: &'static str) {
        if let (Some(cx), true) = (self.context(), self.is_recording()) {
            cx.span().update_name(name);
        }
    }

    /// Adds an event.
    #[cfg(feature = "tower")]
    pub(crate) fn event(&self, name: &'static str) {
        if let (Some(cx), true) = (self.context(), self.is_recording()) {
            cx.span().add_event_with_timestamp(name, NOW, Vec::new());
        }
    }
}

impl Sink for Active {
    #[inline]
    fn recording(&self) -> bool {
        self.wants_outcome()
    }

    fn kind(&self) -> SpanKind {
        let site = self.0.as_ref().map(|entered| callsite::site(entered.site));
        site.map_or(SpanKind::Internal, |site| site.kind.clone())
    }

    fn fail(&mut self, failed: Failed) {
        #[cfg(feature = "metrics")]
        if let Some(live) = self.only_timed() {
            return live.keep_error(KeyValue::new("error.type", failed.error_type));
        }
        let Some(cx) = self.context() else { return };
        failed.write_to(&cx.span(), |span, attributes| {
            span.add_event_with_timestamp("exception", NOW, attributes);
        });
    }

    fn attribute(&mut self, key: &'static str, value: Value<'_>) {
        self.set(key, value);
    }
}
