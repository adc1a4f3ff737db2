//! What the bridges of `tracing` and `log` share: the current span as a line shows it, and an event as
//! a span keeps it.

mod event;
mod line;
mod once;

pub(super) use event::Fields;
#[cfg(feature = "log")]
pub(super) use line::TextValue;
pub(super) use line::{Current, Shown, current};
pub(super) use once::begin;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;

use crate::pipeline::thread;

/// The context, if it has a span.
fn context() -> Option<Context> {
    let current = |cx: &Context| cx.has_active_span().then(|| cx.clone());
    // Not while the thread ends: the API's own state may be gone.
    thread::with(|_| Context::map_current(current))?
}

/// Whether a line of this target may be written while the API or a span processor holds what the
/// current span is read from: asking would panic, or wait forever.
pub(super) fn is_from_opentelemetry(target: &str) -> bool {
    matches!(target, "opentelemetry" | "opentelemetry_sdk")
}
