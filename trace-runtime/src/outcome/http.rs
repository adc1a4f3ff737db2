//! Responses and status codes as outcomes.

use std::marker::PhantomData;
use std::ops::Deref;

use ::http::{Response, StatusCode};
use opentelemetry::trace::SpanKind;

use super::error::{self, Held, How, KnownError, Look};
use super::returns::ends;
use super::{Deciding, ErrorOf, Failed, Failure, Fallible, Sink};
use crate::Value;

/// A return value, if it is a `Result` of a response and an error that decides for itself.
#[derive(Debug)]
pub struct HttpDeciding<C>(pub(super) HttpOutcome<C>);

/// A return value, if it is or holds a response.
#[derive(Debug)]
pub struct HttpOutcome<C>(pub(super) Deciding<C>);

impl<C> HttpDeciding<C> {
    #[inline]
    pub(super) fn new(returned: Deciding<C>) -> Self {
        Self(HttpOutcome(returned))
    }
}

impl<C> Deref for HttpDeciding<C> {
    type Target = HttpOutcome<C>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<C> Deref for HttpOutcome<C> {
    type Target = Deciding<C>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// What has a status code.
pub trait HasStatus {
    #[doc(hidden)]
    fn status_code(&self) -> u16;
}

impl HasStatus for StatusCode {
    fn status_code(&self) -> u16 {
        self.as_u16()
    }
}

impl<B> HasStatus for Response<B> {
    fn status_code(&self) -> u16 {
        self.status().as_u16()
    }
}

impl<'r, T: HasStatus, E: Failure> HttpDeciding<&'r Result<T, E>> {
    /// The error, or the status of the response.
    #[inline]
    pub fn __error(&self) -> ErrorOf<Held<'r, E>> {
        error::new(Held {
            status: self.__ok().map(T::status_code),
            ..Held::deciding(self.error())
        })
    }
}

impl<'r, T: HasStatus, E> HttpOutcome<&'r Result<T, E>> {
    /// The error, or the status of the response.
    #[inline]
    pub fn __error(&self) -> ErrorOf<Held<'r, E>> {
        error::new(Held {
            status: self.__ok().map(T::status_code),
            ..Held::plain(self.error())
        })
    }
}

impl<R: HasStatus> HttpOutcome<&R> {
    /// The status.
    #[inline]
    pub fn __error(&self) -> StatusOf<R> {
        StatusOf::new(self.0.0.0.0)
    }
}

/// The status of a function that returns a response.
#[derive(Debug)]
pub struct StatusOf<R> {
    code: u16,
    of: PhantomData<fn() -> R>,
}

impl<R> StatusOf<R> {
    fn new(status: &R) -> Self
    where
        R: HasStatus,
    {
        Self {
            code: status.status_code(),
            of: PhantomData,
        }
    }

    /// Records the status; fails the span if it is an error.
    #[inline]
    pub fn __record<S: Sink>(&self, sink: &mut S) {
        record(self.code, sink);
    }

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

    /// Records the status; fails the span if the user's function says so.
    pub fn __record_if<S: Sink>(&self, ret: &R, failed: impl FnOnce(&R) -> bool, sink: &mut S) {
        if sink.recording() {
            attribute(self.code, sink);
            if failed(ret) {
                sink.fail(Failed::other());
            }
        }
    }
}

/// The status of a function that is going to return a response.
#[derive(Debug)]
pub struct StatusLater<R>(pub(super) PhantomData<fn() -> R>);

ends!([R: HasStatus] [] [] StatusLater<R> => R, |ret, span| record(
    ret.status_code(),
    span
));

/// At the error, or at the status of the response.
#[derive(Debug)]
pub struct WithStatus<L>(PhantomData<fn() -> L>);

impl<T: HasStatus, E, L: Look<T, E>> Look<T, E> for WithStatus<L> {
    #[inline]
    fn hold(ret: &Result<T, E>) -> Held<'_, E> {
        Held {
            status: ret.as_ref().ok().map(T::status_code),
            ..L::hold(ret)
        }
    }
}

/// Records the status of a response; fails the span if the span's kind calls it an error.
#[inline]
pub(crate) fn record<S: Sink>(code: u16, sink: &mut S) {
    if !sink.recording() {
        return;
    }
    attribute(code, sink);
    let is_error = match sink.kind() {
        SpanKind::Server => code >= 500,
        SpanKind::Client => code >= 400,
        _ => false,
    };
    if is_error {
        sink.fail(failed(code));
    }
}

pub(super) fn attribute<S: Sink>(code: u16, sink: &mut S) {
    sink.attribute("http.response.status_code", Value::I64(i64::from(code)));
}

/// The conventions want no description for what the code already says.
fn failed(code: u16) -> Failed {
    Failed {
        error_type: code.to_string().into(),
        ..Failed::other()
    }
}

/// A status as the error: handlers return `Result<T, StatusCode>`.
macro_rules! errors {
    ($([$($generics:tt)*] $error:ty),*) => {
        $(
            ends!(
                [$($generics)* L] [T,] [L: Look<T, $error>,]
                KnownError<How<$error, L>> => Result<T, $error>,
                |ret, span| record_error(&L::hold(ret), span)
            );

            impl<$($generics)*> KnownError<Held<'_, $error>> {
                /// Records the status; fails the span if it is an error.
                pub fn __record<S: Sink>(&self, sink: &mut S) {
                    record_error(self.__held(), sink);
                }

                /// The same: a status says it all.
                pub fn __record_debug<S: Sink>(&self, sink: &mut S) {
                    record_error(self.__held(), sink);
                }

                /// The same: a status says it all.
                pub fn __record_display<S: Sink>(&self, sink: &mut S) {
                    record_error(self.__held(), sink);
                }

                /// Records the status; fails the span if the user's function says so.
                pub fn __record_if<S: Sink, R>(
                    &self,
                    ret: &R,
                    failed: impl FnOnce(&R) -> bool,
                    sink: &mut S,
                ) {
                    record_if(self.__held(), sink, || failed(ret));
                }
            }
        )*
    };
}

errors!([] StatusCode, [B,] Response<B>);

/// On a span that is neither server nor client, an `Err` is an error whatever its code.
fn record_error<E: HasStatus, S: Sink>(held: &Held<'_, E>, sink: &mut S) {
    let Some(code) = held.error.map(E::status_code).or(held.status) else {
        return;
    };
    record(code, sink);
    let is_http = matches!(sink.kind(), SpanKind::Server | SpanKind::Client);
    if sink.recording() && held.error.is_some() && !is_http {
        sink.fail(failed(code));
    }
}

fn record_if<E: HasStatus, S: Sink>(
    held: &Held<'_, E>,
    sink: &mut S,
    is_failure: impl FnOnce() -> bool,
) {
    if !sink.recording() {
        return;
    }
    let code = held.error.map(E::status_code).or(held.status);
    if let Some(code) = code {
        attribute(code, sink);
    }
    if is_failure() {
        sink.fail(code.map_or_else(Failed::other, failed));
    }
}
