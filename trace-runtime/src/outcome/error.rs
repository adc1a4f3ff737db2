//! Finding out what kind of error the error is.
//!
//! What most errors are, an `Error`, comes first: each step of the look-up costs the compiler as much
//! as the rest of a call. Whether the error is a `Failure` is another question, asked before.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;
use std::ops::Deref;

use super::describe::{Found, Shown};
use super::returns::ends;
use super::{Failed, Failure, Sink};

/// The error at the end of the look-up, if there is one.
pub struct Held<'r, E> {
    pub(super) error: Option<&'r E>,
    /// The error once more, if it decides for itself.
    pub(super) failure: Option<&'r dyn Failure>,
    /// The status of the response that the function returned instead.
    #[cfg(feature = "http")]
    pub(super) status: Option<u16>,
}

impl<E> Debug for Held<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

impl<'r, E> Held<'r, E> {
    /// An error that is judged by its type alone.
    #[inline]
    pub(super) fn plain(error: Option<&'r E>) -> Self {
        Self {
            error,
            failure: None,
            #[cfg(feature = "http")]
            status: None,
        }
    }

    /// An error that decides for itself.
    #[inline]
    pub(super) fn deciding(error: Option<&'r E>) -> Self
    where
        E: Failure,
    {
        Self {
            failure: error.map(|error| error as &dyn Failure),
            ..Self::plain(error)
        }
    }

    /// What went wrong, of which the look-up has found `found`.
    #[inline]
    fn found(&self, found: Found<'r>) -> Found<'r> {
        match self.failure {
            Some(failure) => found.deciding(failure),
            None => found,
        }
    }
}

/// What there is to know about an error before there is one: its type, and how to look at it.
pub struct How<E, L>(PhantomData<fn() -> (E, L)>);

impl<E, L> Debug for How<E, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("How").finish_non_exhaustive()
    }
}

impl<E, L> How<E, L> {
    #[inline]
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

/// How an error is looked at.
pub trait Look<T, E> {
    #[doc(hidden)]
    fn hold(ret: &Result<T, E>) -> Held<'_, E>;
}

/// The error is judged by its type alone.
#[derive(Debug)]
pub struct ByType;

impl<T, E> Look<T, E> for ByType {
    #[inline]
    fn hold(ret: &Result<T, E>) -> Held<'_, E> {
        Held::plain(ret.as_ref().err())
    }
}

/// The error decides for itself.
#[derive(Debug)]
pub struct ByItself;

impl<T, E: Failure> Look<T, E> for ByItself {
    #[inline]
    fn hold(ret: &Result<T, E>) -> Held<'_, E> {
        Held::deciding(ret.as_ref().err())
    }
}

/// An error by itself, if it decides for itself.
#[derive(Debug)]
pub struct AnyError<'r, E>(PlainError<'r, E>);

/// An error by itself.
#[derive(Debug)]
pub struct PlainError<'r, E>(&'r E);

/// Where the look-up of an error begins that no function returned.
#[inline]
pub(crate) fn any_error<E>(error: &E) -> AnyError<'_, E> {
    AnyError(PlainError(error))
}

impl<'r, E> Deref for AnyError<'r, E> {
    type Target = PlainError<'r, E>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'r, E: Failure> AnyError<'r, E> {
    /// The error, for a look-up of its own.
    #[inline]
    pub fn __error(&self) -> ErrorOf<Held<'r, E>> {
        new(Held::deciding(Some(self.0.0)))
    }
}

impl<'r, E> PlainError<'r, E> {
    /// The error, for a look-up of its own.
    #[inline]
    pub fn __error(&self) -> ErrorOf<Held<'r, E>> {
        new(Held::plain(Some(self.0)))
    }
}

/// The types of the look-up, each holding the next, the last one holding
/// what is known about the error: [`Held`], or [`How`].
macro_rules! levels {
    (@wrap $inner:expr, $first:ident $($rest:ident)*) => {
        $first(levels!(@wrap $inner, $($rest)*))
    };
    (@wrap $inner:expr,) => { $inner };
    ($($(#[$doc:meta])* $level:ident($next:ident)),*; $last:ident) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $level<H>($next<H>);

            impl<H> Deref for $level<H> {
                type Target = $next<H>;

                #[inline]
                fn deref(&self) -> &Self::Target {
                    &self.0
                }
            }

            impl<H> $level<H> {
                #[inline]
                pub(super) fn __held(&self) -> &H {
                    self.0.__held()
                }
            }
        )*

        /// An error of which nothing is known.
        #[derive(Debug)]
        pub struct $last<H>(H);

        impl<H> $last<H> {
            #[inline]
            pub(super) fn __held(&self) -> &H {
                &self.0
            }
        }

        /// Where the look-up begins.
        #[inline]
        pub(super) fn new<H>(held: H) -> ErrorOf<H> {
            let error = $last(held);
            levels!(@wrap error, $($level)*)
        }
    };
}

levels!(
    /// An `Error`.
    ErrorOf(KnownError),
    /// Types that are known by name: `Box<dyn Error + Send>`, and what has a status.
    KnownError(SendSyncError),
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
        ends!(
            [$($generics)* L] [T,] [L: Look<T, $error>,] $level<How<$error, L>> => Result<T, $error>,
            |ret, span| record(&L::hold(ret), span, |$value| $found)
        );

        impl<$($generics)*> $level<Held<'_, $error>> {
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
// the two types that have a level.
methods!(ErrorOf<E>, [E: Error,], |error| {
    Found::typed::<E>(Shown::Chain(error))
});
methods!(KnownError<Box<dyn Error + Send + 'e>>, ['e,], |error| {
    Found::untyped(Shown::Chain(&**error))
});
methods!(SendSyncError<E>, ['e, E: AsRef<dyn Error + Send + Sync + 'e>,], |error| {
    Found::untyped(Shown::Chain(error.as_ref()))
});
methods!(HeldError<E>, ['e, E: AsRef<dyn Error + 'e>,], |error| {
    Found::untyped(Shown::Chain(error.as_ref()))
});
methods!(DisplayError<E>, [E: Display,], |error| {
    Found::typed::<E>(Shown::Display(error))
});
methods!(DebugError<E>, [E: Debug,], |error| {
    Found::typed::<E>(Shown::Debug(error))
});
methods!(Opaque<E>, [E,], |_error| Found::typed::<E>(Shown::Nothing));

#[inline]
fn record<'r, E, S: Sink>(
    held: &Held<'r, E>,
    sink: &mut S,
    found: impl FnOnce(&'r E) -> Found<'r>,
) {
    if !sink.recording() {
        return;
    }
    #[cfg(feature = "http")]
    if let Some(status) = held.status {
        super::http::record(status, sink);
    }
    if let Some(error) = held.error {
        found_error(held.found(found(error)), sink);
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
        Some(error) => held.found(found(error)).into_failed(),
        None => Failed::other(),
    });
}
