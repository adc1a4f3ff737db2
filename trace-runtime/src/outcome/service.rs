//! The error of a service, of which the code around it only knows that it can be displayed.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;

use super::Failed;
#[cfg(feature = "reqwest")]
use super::describe::io_kind;
use super::describe::{Found, Shown};

/// What a span says about the error.
#[cold]
pub(crate) fn failed<E: Display + 'static>(error: &E) -> Failed {
    found(error).into_failed()
}

/// What a span says about an error of a client: `error.type` is the kind of the `io::Error` behind it, else
/// `word`.
#[cfg(feature = "reqwest")]
#[cold]
pub(crate) fn client_failed<E: Error + 'static>(error: &E, word: &'static str) -> Failed {
    Failed {
        error_type: io_kind(error).map_or(word.into(), Into::into),
        ..Found::typed::<E>(Shown::Chain(error)).into_failed()
    }
}

/// Boxed errors tell their sources; of others no more than the text is known.
fn found<E: Display + 'static>(error: &E) -> Found<'_> {
    let any: &dyn Any = error;
    if let Some(error) = any.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Found::untyped(Shown::Chain(&**error));
    }
    if let Some(error) = any.downcast_ref::<Box<dyn Error + Send>>() {
        return Found::untyped(Shown::Chain(&**error));
    }
    if let Some(error) = any.downcast_ref::<Box<dyn Error>>() {
        return Found::untyped(Shown::Chain(&**error));
    }
    Found::typed::<E>(Shown::Display(error))
}
