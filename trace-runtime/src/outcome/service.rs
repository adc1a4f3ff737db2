//! The error of a service, of which the code around it only knows that it can be displayed.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;

use super::Failed;
use super::describe::{Found, Shown};

/// What a span says about the error.
#[cold]
pub(crate) fn failed<E: Display + 'static>(error: &E) -> Failed {
    found(error).into_failed()
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
