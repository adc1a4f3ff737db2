//! Stands for a database driver that was instrumented by hand, with the OpenTelemetry API only: its
//! spans and those of `#[traced]` nest both ways.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use opentelemetry::trace::{
    FutureExt, SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use tokio::time::sleep;
use trace_runtime::{OtelTracer, Tracer, traced};

#[derive(Clone)]
pub(crate) struct Stock {
    tracer: OtelTracer,
}

impl Stock {
    pub(crate) fn new(tracer: &Tracer) -> Self {
        // In a program that is one service, `opentelemetry::global::tracer("stock-driver")` does.
        Self {
            tracer: tracer.provider().tracer("stock-driver"),
        }
    }

    /// A child of whatever span is current.
    pub(crate) async fn take(&self, sku: &str, quantity: u64) -> Result<(), StockError> {
        let span = self
            .tracer
            .span_builder("UPDATE stock")
            .with_kind(SpanKind::Client)
            .with_attributes([KeyValue::new("db.system.name", "postgresql")])
            .start(&self.tracer);
        let cx = Context::current_with_span(span);
        let taken = lock_row(sku, quantity).with_context(cx.clone()).await;
        if let Err(error) = &taken {
            cx.span().set_status(Status::error(error.to_string()));
        }
        cx.span().end();
        taken
    }
}

/// A child of the span by hand.
#[traced]
async fn lock_row(sku: &str, quantity: u64) -> Result<(), StockError> {
    sleep(Duration::from_millis(2 * quantity)).await;
    match sku {
        "sofa" => Err(StockError { transaction: 4711 }),
        _ => Ok(()),
    }
}

#[derive(Debug)]
pub(crate) struct StockError {
    transaction: u32,
}

impl fmt::Display for StockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the row is locked by transaction {}", self.transaction)
    }
}

impl Error for StockError {}
