//! A function whose result has something to say: the end of most functions.
//!
//! `returns::<R>().__how().__call(span, arguments, body)` asks the type of what the body is going to
//! return how it speaks about the span, before there is a value. So all the rest happens in one place:
//! nothing has to be handed on, neither in the compiler nor when it runs, and it is out of the way
//! of a function whose span is off.

use std::fmt;
use std::marker::PhantomData;

#[cfg(feature = "http")]
use super::http::{HasStatus, HttpDeciding, HttpOutcome, StatusLater, WithStatus};
use super::{Deciding, ErrorOf, Failure, How, LookUp, NoError, NoResult, Returned, error, look_at};
use crate::span::{Active, Start, enter};

/// The type of a value that there is not yet.
pub struct Of<R>(PhantomData<fn() -> R>);

impl<R> fmt::Debug for Of<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Of").finish_non_exhaustive()
    }
}

/// Where the look-up of a function begins that returns `R`.
#[inline]
pub fn returns<R>() -> LookUp<Of<R>> {
    look_at(Of(PhantomData))
}

impl<T, E: Failure> Deciding<Of<Result<T, E>>> {
    /// How an error speaks, for a look-up of its own.
    #[inline]
    pub fn __how(&self) -> ErrorOf<How<E, error::ByItself>> {
        error::new(How::new())
    }
}

impl<T, E> Returned<Of<Result<T, E>>> {
    /// How an error speaks, for a look-up of its own.
    #[inline]
    pub fn __how(&self) -> ErrorOf<How<E, error::ByType>> {
        error::new(How::new())
    }
}

impl<R> NoResult<Of<R>> {
    /// There is no error.
    #[inline]
    pub fn __how(&self) -> NoError<R> {
        NoError(PhantomData)
    }
}

#[cfg(feature = "http")]
impl<T: HasStatus, E: Failure> HttpDeciding<Of<Result<T, E>>> {
    /// How an error speaks, or the status of the response.
    #[inline]
    pub fn __how(&self) -> ErrorOf<How<E, WithStatus<error::ByItself>>> {
        error::new(How::new())
    }
}

#[cfg(feature = "http")]
impl<T: HasStatus, E> HttpOutcome<Of<Result<T, E>>> {
    /// How an error speaks, or the status of the response.
    #[inline]
    pub fn __how(&self) -> ErrorOf<How<E, WithStatus<error::ByType>>> {
        error::new(How::new())
    }
}

#[cfg(feature = "http")]
impl<R: HasStatus> HttpOutcome<Of<R>> {
    /// The status.
    #[inline]
    pub fn __how(&self) -> StatusLater<R> {
        StatusLater(PhantomData)
    }
}

/// The last step, on each of the types that the look-up may end at.
macro_rules! ends {
    ([$($generics:tt)*] [$($of:tt)*] [$($where:tt)*] $how:ty => $ret:ty, $say:expr) => {
        impl<$($generics)*> $how {
            /// Runs the body inside the span, lets its result speak, and ends the span.
            #[inline(always)]
            pub fn __call<$($of)* A, F>(
                &self,
                span: $crate::span::Start,
                arguments: A,
                body: F,
            ) -> $ret
            where
                F: FnOnce(A) -> $ret,
                $($where)*
            {
                $crate::outcome::returns::call(span, arguments, body, $say)
            }

            /// The same of a future.
            #[inline]
            pub fn __future<$($of)* F>(
                &self,
                span: $crate::span::Start,
                future: F,
            ) -> $crate::span_future::Ending<F>
            where
                F: ::std::future::Future<Output = $ret>,
                $($where)*
            {
                $crate::span_future::Ending::entering(span, future, $say)
            }
        }
    };
}

pub(super) use ends;

ends!([R] [] [] NoError<R> => R, |_, _| {});

/// Runs the body. Where the span is off, nothing else happens than a comparison.
#[inline(always)]
pub(crate) fn call<R, A>(
    span: Start,
    arguments: A,
    body: impl FnOnce(A) -> R,
    say: impl FnOnce(&R, &mut Active),
) -> R {
    if span.is_off() {
        std::mem::forget(span);
        return body(arguments);
    }
    call_in_span(span, arguments, body, say)
}

#[inline(never)]
fn call_in_span<R, A>(
    span: Start,
    arguments: A,
    body: impl FnOnce(A) -> R,
    say: impl FnOnce(&R, &mut Active),
) -> R {
    let mut span = enter(span);
    let ret = span.run(move || body(arguments));
    say(&ret, &mut span);
    ret
}
