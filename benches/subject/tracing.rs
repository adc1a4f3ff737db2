//! `tracing` with `tracing-opentelemetry` on top of the OpenTelemetry SDK, all at their defaults.

use std::error::Error;
use std::ops::Range;

use opentelemetry::trace::TracerProvider;
use tracing::instrument;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::layer::SubscriberExt;

use super::sdk::provider;
use super::{Destination, Pipeline, Subject};
use crate::executor::yield_once;
use crate::workload::{Refused, drive, repeat, step};

pub(super) struct Tracing;

#[instrument(err)]
async fn checkout(order_id: u64, customer: &str) -> Result<u64, Refused> {
    let id = load(order_id)?;
    yield_once().await;
    let id = price(id)?;
    let id = store(id)?;
    Ok(id + customer.len() as u64)
}

#[instrument(err)]
#[inline(never)]
fn load(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[instrument(err)]
#[inline(never)]
fn price(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[instrument(err)]
#[inline(never)]
fn store(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[instrument]
fn calls(count: u64) {
    repeat(count, load);
}

impl Subject for Tracing {
    fn name(&self) -> &'static str {
        "tracing"
    }

    fn crates(&self) -> &'static [&'static str] {
        &["tracing", "tracing-opentelemetry"]
    }

    fn install(&self, destination: &Destination) -> Result<Box<dyn Pipeline>, Box<dyn Error>> {
        let provider = provider(destination)?;
        if !matches!(destination, Destination::Off) {
            let layer = OpenTelemetryLayer::new(provider.tracer("benches"));
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::set_global_default(subscriber)?;
        }
        Ok(Box::new(provider))
    }

    fn traces(&self, orders: Range<u64>) {
        drive(orders, checkout);
    }

    fn calls(&self, count: u64) {
        calls(count);
    }

    fn future_size(&self) -> usize {
        size_of_val(&checkout(0, ""))
    }
}
