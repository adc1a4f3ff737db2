//! The log: JSON with the ids of the span, and warnings on their spans, too.

use opentelemetry::global;
use trace_runtime::tracing::{SpanEvents, WithSpan};
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

pub(crate) fn init() -> crate::Result<()> {
    let lines = fmt::layer()
        .json()
        .map_event_format(WithSpan::json)
        .with_filter(LevelFilter::INFO);
    // Only the application's: those of its libraries are none of ours.
    let spans = tracing_opentelemetry::layer()
        .with_tracer(global::tracer("stack"))
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_filter(filter_fn(|metadata| {
            metadata.is_span() && metadata.target().starts_with("stack")
        }));
    tracing_subscriber::registry()
        .with(spans)
        .with(lines)
        .with(SpanEvents::new().with_filter(LevelFilter::WARN))
        .try_init()?;
    Ok(())
}
