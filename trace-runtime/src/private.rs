//! What generated code may touch, and nobody else: names here change without notice.

use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::ops::Deref;

use opentelemetry::trace::SpanContext;
pub use opentelemetry::trace::SpanKind as Kind;

pub use crate::callsite::{Callsite, Level};
use crate::inside::limit_in;
pub use crate::inside::{
    Inside, NewEvent, add_event, always, error, event, inside, set, set_debug, set_display,
};
#[cfg(feature = "stream")]
pub use crate::integration::stream::{call_stream, observed_in_span, stream_in_span};
pub use crate::lazy_callsite::{LazyCallsite, start};
use crate::outcome;
pub use crate::outcome::{AnyError, Arg, Arguments, ByItself, ByType, ErrorOf, Held};
pub use crate::outcome::{How, Look, LookUp, Of, returns};
#[cfg(feature = "http")]
pub use crate::outcome::{HttpDeciding, HttpOutcome, StatusLater, StatusOf, WithStatus};
pub use crate::outcome::{Outcome, Sink};
pub use crate::outcome::{failed, outcome, status_is_failure};
pub use crate::propagation::ParentSource;
use crate::redact::{Secrecy, secrecy};
pub use crate::span::{Active, Entering, Holder, ParentChoice, Start};
pub use crate::span::{current, enter, off, parent, root};
pub use crate::span_future::{Ending, Opening};
use crate::{ToValue, Value};

/// Whether the started span records, so that the user's expressions are worth evaluating.
#[inline]
pub fn enabled(span: &Start) -> bool {
    span.is_recording()
}

/// The same, once the body has run.
#[inline]
pub fn enabled_late(span: &Active) -> bool {
    span.is_recording()
}

/// Records an argument of one of the language's own types: nothing is left to infer.
macro_rules! arguments {
    ($($name:ident: $type:ty),*) => {
        impl Start {
            $(
                #[allow(missing_docs, reason = "as above")]
                #[inline]
                pub fn $name(self, key: usize, value: $type) -> Self {
                    Arg(&value).__record(self, key)
                }
            )*

            #[allow(missing_docs, reason = "as above")]
            #[inline]
            pub fn __str(self, key: usize, value: &str) -> Self {
                Arg(value).__record(self, key)
            }
        }
    };
}

arguments!(
    __bool: bool, __char: char, __f32: f32, __f64: f64,
    __i8: i8, __i16: i16, __i32: i32, __i64: i64, __i128: i128, __isize: isize,
    __u8: u8, __u16: u16, __u32: u32, __u64: u64, __u128: u128, __usize: usize
);

/// Records a field.
pub fn record<T: ToValue + ?Sized>(span: &mut Start, key: usize, value: &T) {
    span.field(key, value.to_value());
}

/// Records a field's `Debug` output.
pub fn record_debug<T: Debug + ?Sized>(span: &mut Start, key: usize, value: &T) {
    span.field(key, debug(value));
}

/// Records a field's `Display` output.
pub fn record_display<T: Display + ?Sized>(span: &mut Start, key: usize, value: &T) {
    span.field(key, display(value));
}

/// Records that there is a value, and not which.
pub fn redacted(mut span: Start, key: usize) -> Start {
    span.redacted(key);
    span
}

/// Links the span to others.
pub fn links<L>(span: &mut Start, links: L)
where
    L: IntoIterator,
    L::Item: IntoLink,
{
    span.links(links.into_iter().filter_map(IntoLink::into_link));
}

/// What `links = ..` may hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be linked to",
    note = "`links = ..` takes span contexts, contexts, references to them, or options of these"
)]
pub trait IntoLink {
    /// The span to link to.
    fn into_link(self) -> Option<SpanContext>;
}

impl IntoLink for SpanContext {
    fn into_link(self) -> Option<SpanContext> {
        Some(self)
    }
}

impl IntoLink for opentelemetry::Context {
    fn into_link(self) -> Option<SpanContext> {
        (&self).into_link()
    }
}

impl IntoLink for &opentelemetry::Context {
    fn into_link(self) -> Option<SpanContext> {
        use opentelemetry::trace::TraceContextExt;
        Some(self.span().span_context().clone())
    }
}

impl IntoLink for &SpanContext {
    fn into_link(self) -> Option<SpanContext> {
        Some(self.clone())
    }
}

impl<L: IntoLink> IntoLink for Option<L> {
    fn into_link(self) -> Option<SpanContext> {
        self.and_then(L::into_link)
    }
}

/// Sets an attribute after the body has run.
pub fn late<T: ToValue + ?Sized>(span: &Active, key: usize, value: &T) {
    set_late(span, key, value.to_value());
}

/// The same, of a value's `Debug` output.
pub fn late_debug<T: Debug + ?Sized>(span: &Active, key: usize, value: &T) {
    set_late(span, key, debug(value));
}

/// The same, of a value's `Display` output.
pub fn late_display<T: Display + ?Sized>(span: &Active, key: usize, value: &T) {
    set_late(span, key, display(value));
}

fn set_late(span: &Active, key: usize, value: Value<'_>) {
    let Some(cx) = span.context() else { return };
    let key = span.key(key);
    span.set(key, shown(key, limit_in(cx, value)));
}

/// Sets `error.type` to what the user says.
pub fn error_type<T: ToValue>(span: &Active, value: T) {
    span.set("error.type", value.to_value());
}

/// The value, or what stands in its place if the key names a secret.
pub(crate) fn shown<'a>(key: &str, value: Value<'a>) -> Value<'a> {
    let hidden = match secrecy(key) {
        Secrecy::Open => false,
        Secrecy::Secret => value != Value::None,
        Secrecy::SecretText => matches!(value, Value::Str(_) | Value::Array(_)),
    };
    if hidden {
        Value::Str(crate::record::REDACTED_TEXT.into())
    } else {
        value
    }
}

pub(crate) fn debug<T: Debug + ?Sized>(value: &T) -> Value<'static> {
    Value::Str(Cow::Owned(format!("{value:?}")))
}

pub(crate) fn display<T: Display + ?Sized>(value: &T) -> Value<'static> {
    Value::Str(Cow::Owned(value.to_string()))
}

/// The value a function returned, recorded as a value or else by its `Debug` output.
#[derive(Debug)]
pub struct Whole<'a, T: ?Sized>(WholeDebug<'a, T>);

/// The look-up's second step.
#[derive(Debug)]
pub struct WholeDebug<'a, T: ?Sized>(&'a T);

/// Where the look-up begins.
pub fn whole<T: ?Sized>(value: &T) -> Whole<'_, T> {
    Whole(WholeDebug(value))
}

impl<'a, T: ?Sized> Deref for Whole<'a, T> {
    type Target = WholeDebug<'a, T>;

    fn deref(&self) -> &WholeDebug<'a, T> {
        &self.0
    }
}

impl<T: ToValue + ?Sized> Whole<'_, T> {
    /// Records the value.
    pub fn __record(&self, span: &Active, key: usize) {
        late(span, key, self.0.0);
    }
}

impl<T: Debug + ?Sized> WholeDebug<'_, T> {
    /// Records its `Debug` output.
    pub fn __record(&self, span: &Active, key: usize) {
        late_debug(span, key, self.0);
    }
}

/// Runs the body inside the span, which then waits for what comes after; the arguments are dropped
/// when the body ends.
#[inline]
pub fn call<A, R>(span: Start, arguments: A, body: impl FnOnce(A) -> R) -> (R, Active) {
    let mut span = enter(span);
    let ret = span.run(move || body(arguments));
    (ret, span)
}

/// Runs a body inside the span whose outcome nobody asks for.
#[inline]
pub fn call_only<A, R>(span: Start, arguments: A, body: impl FnOnce(A) -> R) -> R {
    outcome::call(span, arguments, body, |_, _| {})
}

/// Runs a body that returns a future; the span goes on with it.
#[inline]
pub fn call_unfinished<A, R>(span: &mut Active, arguments: A, body: impl FnOnce(A) -> R) -> R {
    let future = span.run(move || body(arguments));
    span.wait();
    future
}

/// The same, for a body that returns some future of an output.
#[inline]
pub fn call_future<O, A, F: Future<Output = O>>(
    span: &mut Active,
    arguments: A,
    body: impl FnOnce(A) -> F,
) -> F {
    call_unfinished(span, arguments, body)
}

/// Runs the future inside the span, which then waits for what comes after.
#[inline]
pub fn in_span<F: Future>(span: Start, future: F) -> Opening<F> {
    Opening::entering(span, future)
}

/// Runs a future inside the span whose outcome nobody asks for.
#[inline]
pub fn in_span_only<F: Future>(span: Start, future: F) -> Ending<F> {
    Ending::entering(span, future, |_, _| {})
}

/// [`in_span`], where the span has begun with the call that made the future.
#[inline]
pub fn resume<F: Future>(span: Active, future: F) -> Opening<F> {
    Opening::entered(span, future)
}

/// [`in_span_only`], where the span has begun with the call that made the future.
#[inline]
pub fn resume_only<F: Future>(span: Active, future: F) -> Ending<F> {
    Ending::entered(span, future)
}

/// Makes the span current until the end of the scope, for bodies that cannot move into a closure.
pub fn attach(span: &mut Active) -> Attached<'_> {
    let attached = span.context().cloned().map(opentelemetry::Context::attach);
    Attached {
        _attached: attached,
        span,
        panicking: std::thread::panicking(),
    }
}

/// Detaches the span; notices a panic.
#[derive(Debug)]
pub struct Attached<'a> {
    _attached: Option<opentelemetry::ContextGuard>,
    span: &'a mut Active,
    panicking: bool,
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.panicking {
            self.span.mark_running();
        }
    }
}

/// A value of the function's return type that is never made: it tells the compiler the type.
pub fn fake<R>() -> R {
    unreachable!("stands in a branch that is never taken")
}
