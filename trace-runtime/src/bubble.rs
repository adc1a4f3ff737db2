//! The same error on its way up: recorded in full where it first ends a span, and only as a status
//! in the spans around it.

use std::cell::Cell;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, SpanId};

thread_local! {
    /// The span that the last failure on this thread bubbles up to, and which error it was.
    static LAST: Cell<Option<(SpanId, u64)>> = const { Cell::new(None) };
}

/// Whether a direct child of `span` has just failed with the same error; passes the entry on to the
/// span around it, which is current again by now.
pub(crate) fn is_repeated(span: SpanId, error: u64) -> bool {
    let repeated = LAST.get() == Some((span, error));
    let around = Context::map_current(|cx| cx.span().span_context().span_id());
    LAST.set(Some((around, error)));
    repeated
}
