//! What sending, receiving and processing return, as far as spans care.

use std::fmt::Display;

use crate::outcome::{Failed, Sink, service_failed};
use crate::span::Active;

/// A return value that says whether it went well: a `Result` whose error can be displayed, or `()`.
pub trait Handled: sealed::Sealed {
    /// What there is if it went well.
    type Value;

    #[doc(hidden)]
    fn value(&self) -> Option<&Self::Value>;

    #[doc(hidden)]
    fn failed(&self) -> Option<Failed>;
}

impl Handled for () {
    type Value = ();

    fn value(&self) -> Option<&()> {
        Some(self)
    }

    fn failed(&self) -> Option<Failed> {
        None
    }
}

impl<T, E: Display + 'static> Handled for Result<T, E> {
    type Value = T;

    fn value(&self) -> Option<&T> {
        self.as_ref().ok()
    }

    fn failed(&self) -> Option<Failed> {
        self.as_ref().err().map(service_failed)
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for () {}
    impl<T, E> Sealed for Result<T, E> {}
}

/// Fails the span if it did not go well.
pub(super) fn record<R: Handled>(span: &mut Active, result: &R) {
    if Sink::recording(span) {
        if let Some(failed) = result.failed() {
            span.fail(failed);
        }
    }
}
