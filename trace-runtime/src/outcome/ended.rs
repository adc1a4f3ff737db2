//! What a traced function has returned, together with its span: the end of most functions.
//!
//! `ended.__how().__end(ended)` asks the value's type what the span has to say, ends the span and
//! gives the value back. Nothing here has to be dropped, so that the compiler need not see to what
//! each call in between would leave behind if it panicked: none of them does.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

#[cfg(feature = "http")]
use super::http::{HasStatus, HttpDeciding, HttpOutcome, StatusOf};
use super::{Deciding, ErrorOf, Failure, How, LookUp, NoError, NoResult, Returned, error, look_at};
use crate::span::Active;

/// What a traced function has returned, while its span waits for the outcome.
pub type Ended<R> = LookUp<Kept<R>>;

/// A value and the span it came from.
pub struct Kept<R> {
    ret: R,
    span: ManuallyDrop<Active>,
}

impl<R> fmt::Debug for Kept<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl<R> Ended<R> {
    #[inline]
    pub(crate) fn keep(ret: R, span: Active) -> Self {
        let span = ManuallyDrop::new(span);
        look_at(Kept { ret, span })
    }

    /// The value, and the span, which ends when it is dropped.
    #[inline]
    pub fn __open(self) -> (R, Active) {
        #[cfg(feature = "http")]
        let Kept { ret, span } = self.0.0.0.0.0;
        #[cfg(not(feature = "http"))]
        let Kept { ret, span } = self.0.0.0;
        (ret, ManuallyDrop::into_inner(span))
    }

    /// Lets the value say what it has to say, and ends the span. Where the span is off, nothing else
    /// happens than a comparison.
    #[inline(always)]
    pub(super) fn end(self, say: impl FnOnce(&R, &mut Active)) -> R {
        let (ret, span) = self.__open();
        match span.context() {
            None => std::mem::forget(span),
            Some(_) => end(&ret, span, say),
        }
        ret
    }
}

#[inline(never)]
fn end<R>(ret: &R, mut span: Active, say: impl FnOnce(&R, &mut Active)) {
    say(ret, &mut span);
}

impl<T, E: Failure> Deciding<Kept<Result<T, E>>> {
    /// How an error speaks, for a look-up of its own.
    #[inline]
    pub fn __how(&self) -> ErrorOf<How<E>> {
        error::new(How::deciding())
    }
}

impl<T, E> Returned<Kept<Result<T, E>>> {
    /// How an error speaks, for a look-up of its own.
    #[inline]
    pub fn __how(&self) -> ErrorOf<How<E>> {
        error::new(How::plain())
    }
}

impl<R> NoResult<Kept<R>> {
    /// There is no error.
    #[inline]
    pub fn __how(&self) -> NoError<R> {
        NoError(PhantomData)
    }
}

impl<R> NoError<R> {
    /// Ends the span.
    #[inline]
    pub fn __end(&self, ended: Ended<R>) -> R {
        ended.__open().0
    }
}

#[cfg(feature = "http")]
impl<T: HasStatus, E: Failure> HttpDeciding<Kept<Result<T, E>>> {
    /// How an error speaks, or the status of the response.
    #[inline]
    pub fn __how(&self) -> ErrorOf<How<E>> {
        error::new(How {
            status: self.status(),
            ..How::deciding()
        })
    }
}

#[cfg(feature = "http")]
impl<T: HasStatus, E> HttpOutcome<Kept<Result<T, E>>> {
    /// How an error speaks, or the status of the response.
    #[inline]
    pub fn __how(&self) -> ErrorOf<How<E>> {
        error::new(How {
            status: self.status(),
            ..How::plain()
        })
    }

    #[inline]
    fn status(&self) -> Option<u16> {
        let kept: &NoResult<_> = self;
        kept.0.ret.as_ref().ok().map(T::status_code)
    }
}

#[cfg(feature = "http")]
impl<R: HasStatus> HttpOutcome<Kept<R>> {
    /// The status.
    #[inline]
    pub fn __how(&self) -> StatusOf<R> {
        let kept: &NoResult<_> = self;
        StatusOf::new(&kept.0.ret)
    }
}
