//! The error of a service or of a body.

use std::fmt::Display;

use super::url;
use crate::outcome::{Failed, Sink, service_failed};
use crate::pipeline::thread;
use crate::redact::{Secrecy, secrecy};
use crate::span::Active;
use crate::tracer::global;

/// Fails the span, if it records.
pub(crate) fn record<E: Display + 'static>(error: &E, span: &mut Active) {
    if Sink::recording(span) {
        fail(service_failed(error), span);
    }
}

/// Fails the span. Clients like to name the URL that they could not reach: no secret in it is shown.
pub(crate) fn fail(mut failed: Failed, span: &mut Active) {
    let scoped = span.context().and_then(global::scoped);
    let core = thread::with(|thread| thread.tracer(scoped)).flatten();
    let mut hides = |name: &str| {
        secrecy(name) != Secrecy::Open || core.is_some_and(|core| core.hides_late(name))
    };
    failed.description = url::in_text(&failed.description, &mut hides);
    if let Some(exception) = &mut failed.exception {
        let stacktrace = exception.stacktrace.as_deref();
        exception.stacktrace = stacktrace.map(|text| url::in_text(text, &mut hides));
    }
    span.fail(failed);
}
