//! What the return value of a traced function says about its span.
//!
//! Generated code hands over the value of any type, `outcome(&ret).__error().__record(&mut span)`,
//! and method lookup finds out what it is: every type here derefs to the next one, and each has the
//! method only where its own bound holds, so that the first bound that holds decides. This sees
//! through aliases, needs no trait in scope and costs the compiler less than autoref does. Names
//! begin with `__` because a blanket trait of the user's would win otherwise.
//!
//! Where a function has no options about its result, the look-up begins before there is one:
//! `returns::<R>().__how().__call(span, arguments, body)`.
//!
//! Two look-ups rather than one: functions that return no `Result` need not go through the types of
//! [`error`], and whether an error is a [`Failure`] is known before what else it is.

mod argument;
mod describe;
mod error;
#[cfg(feature = "http")]
mod http;
mod returns;
#[cfg(any(feature = "messaging", feature = "stream", feature = "tower"))]
mod service;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Deref;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, SpanRef, Status};

pub use argument::{Arg, Arguments};
pub(crate) use error::any_error;
pub use error::{AnyError, ByItself, ByType, ErrorOf, Held, How, Look};
#[cfg(feature = "tower")]
pub(crate) use http::record as record_status;
#[cfg(feature = "http")]
pub use http::{HttpDeciding, HttpOutcome, StatusLater, StatusOf, WithStatus};
pub(crate) use returns::call;
pub use returns::{Of, returns};
#[cfg(feature = "reqwest")]
pub(crate) use service::client_failed;
#[cfg(any(feature = "messaging", feature = "stream", feature = "tower"))]
pub(crate) use service::failed as service_failed;

use crate::{Value, bubble};

/// An error that decides for itself what a span says about it.
///
/// `#[traced]` asks an `Err` of such a type for `error.type`, and whether it is a failure at all:
/// that an order was not found is no fault of the server. `#[derive(Failure)]` implements it for
/// enums.
///
/// ```
/// use std::borrow::Cow;
/// use trace_runtime::{Failure, opentelemetry::trace::SpanKind};
///
/// struct Declined { code: u16 }
///
/// impl Failure for Declined {
///     fn error_type(&self) -> Cow<'static, str> {
///         format!("declined_{}", self.code).into()
///     }
///     fn is_failure(&self, kind: SpanKind) -> bool {
///         kind != SpanKind::Server || self.code >= 500
///     }
/// }
/// ```
pub trait Failure {
    /// The attribute `error.type`: a word of which there are few, to group failures by.
    fn error_type(&self) -> Cow<'static, str>;

    /// Whether a span of this kind that ends with this error failed.
    fn is_failure(&self, kind: SpanKind) -> bool {
        let _ = kind;
        true
    }
}

/// Whether an error that answers a request with this status is a failure: `#[traced(status = ..)]`.
pub fn status_is_failure(code: u16, kind: &SpanKind) -> bool {
    match code {
        0..400 => false,
        400..500 => *kind == SpanKind::Client,
        500.. => true,
    }
}

macro_rules! pointers {
    ($($type:ty),*) => {
        $(
            impl<T: Failure + ?Sized> Failure for $type {
                fn error_type(&self) -> Cow<'static, str> {
                    (**self).error_type()
                }

                fn is_failure(&self, kind: SpanKind) -> bool {
                    (**self).is_failure(kind)
                }
            }
        )*
    };
}

pointers!(&T, &mut T, Box<T>, std::rc::Rc<T>, std::sync::Arc<T>);

/// Everything that a span says about a failure.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed {
    /// `error.type`.
    pub(crate) error_type: Cow<'static, str>,
    /// The description of the status and `exception.message`.
    pub(crate) description: String,
    /// What the exception event says besides; no event without it.
    pub(crate) exception: Option<Exception>,
}

/// The rest of an exception event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    /// `exception.type`: the error's type, where it is known, whatever `error.type` says.
    pub(crate) type_name: Cow<'static, str>,
    /// `exception.stacktrace`.
    pub(crate) stacktrace: Option<String>,
    /// Equal for errors with the same root cause, to tell when an error bubbles up.
    pub(crate) identity: u64,
}

impl Exception {
    /// The attributes of the event.
    pub(crate) fn attributes(&self, message: &str) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(3);
        attributes.extend([
            KeyValue::new("exception.type", self.type_name.clone()),
            KeyValue::new("exception.message", message.to_owned()),
        ]);
        if let Some(stacktrace) = &self.stacktrace {
            attributes.push(KeyValue::new("exception.stacktrace", stacktrace.clone()));
        }
        attributes
    }
}

/// What an exception event says about an error whose type is not known.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) fn exception_attributes(error: &(dyn std::error::Error + 'static)) -> Vec<KeyValue> {
    use describe::{Found, Shown};
    let failed = Found::untyped(Shown::Chain(error)).into_failed();
    let exception = failed.exception.as_ref();
    exception.map_or_else(Vec::new, |exception| {
        exception.attributes(&failed.description)
    })
}

impl Failed {
    /// Writes it all to the span; `add_event` adds the exception event.
    pub(crate) fn write_to(
        self,
        span: &SpanRef<'_>,
        add_event: impl FnOnce(&SpanRef<'_>, Vec<KeyValue>),
    ) {
        if let Some(exception) = &self.exception {
            let span_id = span.span_context().span_id();
            if !bubble::is_repeated(span_id, exception.identity) {
                add_event(span, exception.attributes(&self.description));
            }
        }
        span.set_attribute(KeyValue::new("error.type", self.error_type));
        span.set_status(Status::error(self.description));
    }

    /// A failure of which nothing is known.
    fn other() -> Self {
        Self {
            error_type: Cow::Borrowed(describe::OTHER),
            description: String::new(),
            exception: None,
        }
    }
}

/// The open span, as far as an outcome needs to know it.
pub trait Sink {
    /// Whether anything is recorded; nothing of the user's is called otherwise.
    fn recording(&self) -> bool;

    /// The span's kind.
    fn kind(&self) -> SpanKind;

    /// Marks the span as failed.
    fn fail(&mut self, failed: Failed);

    /// Sets an attribute; the last one under a key wins.
    fn attribute(&mut self, key: &'static str, value: Value<'_>);
}

impl<S: Sink> Sink for &mut S {
    fn recording(&self) -> bool {
        (**self).recording()
    }

    fn kind(&self) -> SpanKind {
        (**self).kind()
    }

    fn fail(&mut self, failed: Failed) {
        (**self).fail(failed);
    }

    fn attribute(&mut self, key: &'static str, value: Value<'_>) {
        (**self).attribute(key, value);
    }
}

/// The return value of a traced function.
#[inline]
pub fn outcome<R>(ret: &R) -> Outcome<'_, R> {
    look_at(ret)
}

#[inline]
fn look_at<C>(content: C) -> LookUp<C> {
    let returned = Deciding(Returned(NoResult(content)));
    #[cfg(feature = "http")]
    let returned = HttpDeciding::new(returned);
    returned
}

/// A return value, looked at.
pub type Outcome<'r, R> = LookUp<&'r R>;

/// Where the look-up begins.
#[cfg(feature = "http")]
pub type LookUp<C> = HttpDeciding<C>;
/// Where the look-up begins.
#[cfg(not(feature = "http"))]
pub type LookUp<C> = Deciding<C>;

/// A return value, if it is a `Result` whose error decides for itself.
#[derive(Debug)]
pub struct Deciding<C>(Returned<C>);

impl<C> Deref for Deciding<C> {
    type Target = Returned<C>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'r, T, E: Failure> Deciding<&'r Result<T, E>> {
    /// The error, for a look-up of its own.
    #[inline]
    pub fn __error(&self) -> ErrorOf<Held<'r, E>> {
        error::new(Held::deciding(self.0.error()))
    }
}

/// A return value, if it is a `Result`.
#[derive(Debug)]
pub struct Returned<C>(NoResult<C>);

impl<C> Deref for Returned<C> {
    type Target = NoResult<C>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'r, T, E> Returned<&'r Result<T, E>> {
    /// The error, for a look-up of its own.
    #[inline]
    pub fn __error(&self) -> ErrorOf<Held<'r, E>> {
        error::new(Held::plain(self.error()))
    }

    /// The value of an `Ok`.
    #[inline]
    pub fn __ok(&self) -> Option<&'r T> {
        self.0.0.as_ref().ok()
    }

    #[inline]
    fn error(&self) -> Option<&'r E> {
        self.0.0.as_ref().err()
    }
}

/// A return value that is no `Result`.
#[derive(Debug)]
pub struct NoResult<C>(C);

impl<'r, R> NoResult<&'r R> {
    /// There is no error.
    #[inline]
    pub fn __error(&self) -> NoError<R> {
        NoError(PhantomData)
    }

    /// The value.
    #[inline]
    pub fn __ok(&self) -> Option<&'r R> {
        Some(self.0)
    }
}

/// The error of a function that does not return a `Result`.
#[derive(Debug)]
pub struct NoError<R>(PhantomData<fn() -> R>);

impl<R> NoError<R> {
    /// Nothing to say.
    #[inline]
    pub fn __record<S: Sink>(&self, _sink: &mut S) {}

    /// Does not compile: there is no error to show.
    pub fn __record_debug<S: Sink>(&self, _sink: &mut S)
    where
        R: Fallible,
    {
    }

    /// Does not compile: there is no error to show.
    pub fn __record_display<S: Sink>(&self, _sink: &mut S)
    where
        R: Fallible,
    {
    }

    /// Fails the span if the user's function says so.
    #[inline]
    pub fn __record_if<S: Sink>(&self, ret: &R, failed: impl FnOnce(&R) -> bool, sink: &mut S) {
        if sink.recording() && failed(ret) {
            sink.fail(Failed::other());
        }
    }
}

/// The error that a function returned.
#[inline]
pub fn failed<R: Fallible>(ret: &R) -> Option<&R::Error> {
    ret.error()
}

/// A return type that `err(..)` can look into.
#[diagnostic::on_unimplemented(
    message = "`err(..)` requires a function that returns a `Result`",
    label = "this is no `Result`",
    note = "use `err_if = ..` to tell a failure by the returned value"
)]
pub trait Fallible: sealed::Sealed {
    /// The type of the error.
    type Error;

    #[doc(hidden)]
    fn error(&self) -> Option<&Self::Error>;
}

impl<T, E> Fallible for Result<T, E> {
    type Error = E;

    #[inline]
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

mod sealed {
    pub trait Sealed {}

    impl<T, E> Sealed for Result<T, E> {}
}

#[cfg(test)]
mod tests;
