//! Finding out what kind of error the error is.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;

use super::describe::{Found, Shown};
use super::{Failed, Failure, Sink};

/// The error at the end of the look-up, if there is one.
#[derive(Debug)]
pub(super) struct Held<'r, E> {
    pub(super) error: Option<&'r E>,
    /// The status of the response that the function returned instead.
    #[cfg(feature = "http")]
    pub(super) status: Option<u16>,
}

/// The error of a function that returned this.
#[inline]
pub(crate) fn error_of<E>(error: Option<&E>) -> ErrorOf<'_, E> {
    new(Held {
        error,
        #[cfg(feature = "http")]
        status: None,
    })
}

/// The same for a function that returns a response.
#[cfg(feature = "http")]
#[inline]
pub(super) fn error_or_status<E>(error: Option<&E>, status: Option<u16>) -> ErrorOf<'_, E> {
    new(Held { error, status })
}

/// The types of the look-up, each holding the next, the last one holding the error.
macro_rules! levels {
    (@wrap $inner:expr, $first:ident $($rest:ident)*) => {
        $first(levels!(@wrap $inner, $($rest)*))
    };
    (@wrap $inner:expr,) => { $inner };
    ($($(#[$doc:meta])* $level:ident($next:ident)),*; $last:ident) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $level<'r, E>($next<'r, E>);

            impl<'r, E> Deref for $level<'r, E> {
                type Target = $next<'r, E>;

                #[inline]
                fn deref(&self) -> &Self::Target {
                    &self.0
                }
            }

            impl<'r, E> $level<'r, E> {
                #[inline]
                pub(super) fn __held(&self) -> &Held<'r, E> {
                    self.0.__held()
                }
            }
        )*

        /// An error of which nothing is known.
        #[derive(Debug)]
        pub struct $last<'r, E>(Held<'r, E>);

        impl<'r, E> $last<'r, E> {
            #[inline]
            pub(super) fn __held(&self) -> &Held<'r, E> {
                &self.0
            }
        }

        #[inline]
        fn new<E>(held: Held<'_, E>) -> ErrorOf<'_, E> {
            let error = $last(held);
            levels!(@wrap error, $($level)*)
        }
    };
}

levels!(
    /// An error that decides for itself and is an `Error`.
    ErrorOf(FailureDisplay),
    /// An error that decides for itself and is `Display`.
    FailureDisplay(FailureDebug),
    /// An error that decides for itself and is `Debug`.
    FailureDebug(FailureOnly),
    /// An error that decides for itself.
    FailureOnly(StdError),
    /// An `Error`.
    StdError(SendSyncError),
    /// What holds an `Error`, such as `Box<dyn Error + Send + Sync>` and `anyhow::Error`.
    SendSyncError(HeldError),
    /// What holds an `Error`, such as `Box<dyn Error>`.
    HeldError(DisplayError),
    /// `Display`.
    DisplayError(DebugError),
    /// `Debug`.
    DebugError(Opaque);
    Opaque
);

/// The methods of one level.
macro_rules! methods {
    ($level:ident<$error:ty>, [$($generics:tt)*], |$value:ident| $found:expr) => {
        impl<$($generics)*> $level<'_, $error> {
            /// Fails the span if there is an error.
            #[inline]
            pub fn __record<S: Sink>(&self, sink: &mut S) {
                record(self.__held(), sink, |$value| $found);
            }

            /// The same, described by the error's `Debug`.
            pub fn __record_debug<S: Sink>(&self, sink: &mut S)
            where
                $error: Debug,
            {
                record(self.__held(), sink, |$value| {
                    $found.described(format_args!("{:?}", $value))
                });
            }

            /// The same, described by the error's `Display`.
            pub fn __record_display<S: Sink>(&self, sink: &mut S)
            where
                $error: Display,
            {
                record(self.__held(), sink, |$value| {
                    $found.described(format_args!("{}", $value))
                });
            }

            /// Fails the span if the user's function says so.
            #[inline]
            pub fn __record_if<S: Sink, R>(
                &self,
                ret: &R,
                failed: impl FnOnce(&R) -> bool,
                sink: &mut S,
            ) {
                if sink.recording() && failed(ret) {
                    fail(self.__held(), sink, |$value| $found);
                }
            }
        }
    };
}

// In the order of the look-up. `Box<dyn Error + Send>` holds an `Error` too, but is no `AsRef` of
// the two types that have a level; it can stand first, because nobody implements `Failure` for it.
methods!(ErrorOf<E>, [E: Failure + Error], |error| {
    Found::typed::<E>(Shown::Chain(error)).deciding(error)
});
methods!(ErrorOf<Box<dyn Error + Send + 'e>>, ['e], |error| {
    Found::untyped(Shown::Chain(&**error))
});
methods!(FailureDisplay<E>, [E: Failure + Display], |error| {
    Found::typed::<E>(Shown::Display(error)).deciding(error)
});
methods!(FailureDebug<E>, [E: Failure + Debug], |error| {
    Found::typed::<E>(Shown::Debug(error)).deciding(error)
});
methods!(FailureOnly<E>, [E: Failure], |error| {
    Found::typed::<E>(Shown::Nothing).deciding(error)
});
methods!(StdError<E>, [E: Error], |error| {
    Found::typed::<E>(Shown::Chain(error))
});
methods!(SendSyncError<E>, ['e, E: AsRef<dyn Error + Send + Sync + 'e>], |error| {
    Found::untyped(Shown::Chain(error.as_ref()))
});
methods!(HeldError<E>, ['e, E: AsRef<dyn Error + 'e>], |error| {
    Found::untyped(Shown::Chain(error.as_ref()))
});
methods!(DisplayError<E>, [E: Display], |error| {
    Found::typed::<E>(Shown::Display(error))
});
methods!(DebugError<E>, [E: Debug], |error| {
    Found::typed::<E>(Shown::Debug(error))
});
methods!(Opaque<E>, [E], |_error| Found::typed::<E>(Shown::Nothing));

#[inline]
fn record<'r, E, S: Sink>(
    held: &Held<'r, E>,
    sink: &mut S,
    found: impl FnOnce(&'r E) -> Found<'r>,
) {
    #[cfg(feature = "http")]
    if let Some(status) = held.status {
        super::http::record(status, sink);
    }
    if let Some(error) = held.error {
        if sink.recording() {
            found_error(found(error), sink);
        }
    }
}

#[cold]
fn found_error<S: Sink>(found: Found<'_>, sink: &mut S) {
    if found.is_failure(sink.kind()) {
        sink.fail(found.into_failed());
    }
}

#[cold]
fn fail<'r, E, S: Sink>(held: &Held<'r, E>, sink: &mut S, found: impl FnOnce(&'r E) -> Found<'r>) {
    sink.fail(match held.error {
        Some(error) => found(error).into_failed(),
        None => Failed::other(),
    });
}
