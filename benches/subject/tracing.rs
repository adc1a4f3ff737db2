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
use crate::workload::{Bodies, Failed, Refused, Workload, fail, repeat, step, with_twenty};

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

#[instrument(err)]
#[inline(never)]
fn nested(id: u64) -> Result<u64, Refused> {
    if id == 1 { step(id) } else { nested(id - 1) }
}

#[instrument(err)]
#[inline(never)]
fn fan_out(count: u64) -> Result<u64, Refused> {
    (0..count).try_fold(0, |sum, id| Ok(sum + load(id)?))
}

#[instrument(err)]
#[inline(never)]
fn place(id: u64) -> Result<u64, Failed> {
    reserve(id)
}

#[instrument(err)]
#[inline(never)]
fn reserve(id: u64) -> Result<u64, Failed> {
    fail(id)
}

#[instrument(err)]
#[inline(never)]
#[expect(clippy::too_many_arguments)]
fn described(
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: u64,
    h: u64,
    i: u64,
    j: u64,
    k: u64,
    l: u64,
    m: u64,
    n: u64,
    o: u64,
    p: u64,
    q: u64,
    r: u64,
    s: u64,
    t: u64,
) -> Result<u64, Refused> {
    step(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t)
}

fn describe(id: u64) -> Result<u64, Refused> {
    with_twenty!(described, id)
}

#[instrument(err)]
#[inline(never)]
fn search(text: &str) -> Result<u64, Refused> {
    step(text.len() as u64)
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

    fn run(&self, workload: Workload, orders: Range<u64>) {
        Bodies {
            checkout,
            nested,
            fan_out,
            place,
            describe,
            search,
        }
        .run(workload, orders);
    }

    fn calls(&self, count: u64) {
        calls(count);
    }

    fn future_size(&self) -> usize {
        size_of_val(&checkout(0, ""))
    }
}
