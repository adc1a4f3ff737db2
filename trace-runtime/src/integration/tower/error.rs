//! The error of a service or of a body.

use std::fmt::Display;

use super::url;
use crate::outcome::{Sink, service_failed};
use crate::redact::{Secrecy, secrecy};
use crate::span::Active;

/// Fails the span, if it records.
pub(super) fn record<E: Display + 'static>(error: &E, span: &mut Active) {
    if !Sink::recording(span) {
        return;
    }
    // Clients like to name the URL that they could not reach.
    let hide = |text: &str| url::in_text(text, &mut |name| secrecy(name) != Secrecy::Open);
    let mut failed = service_failed(error);
    failed.description = hide(&failed.description);
    if let Some(exception) = &mut failed.exception {
        exception.stacktrace = exception.stacktrace.as_deref().map(hide);
    }
    span.fail(failed);
}
