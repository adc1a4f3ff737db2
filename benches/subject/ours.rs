//! `#[traced]` and our own pipeline, at their defaults.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use trace_runtime::{Batch, ExportError, Exporter, Sampler, Tracer, TracerGuard, traced};

use super::{Destination, Pipeline, Subject};
use crate::executor::yield_once;
use crate::gate::Gate;
use crate::workload::{Refused, drive, repeat, step};

pub(super) struct Ours;

#[traced]
async fn checkout(order_id: u64, customer: &str) -> Result<u64, Refused> {
    let id = load(order_id)?;
    yield_once().await;
    let id = price(id)?;
    let id = store(id)?;
    Ok(id + customer.len() as u64)
}

#[traced]
#[inline(never)]
fn load(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[traced]
#[inline(never)]
fn price(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[traced]
#[inline(never)]
fn store(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[traced]
fn calls(count: u64) {
    repeat(count, load);
}

impl Subject for Ours {
    fn name(&self) -> &'static str {
        super::OURS
    }

    fn crates(&self) -> &'static [&'static str] {
        &["trace-runtime"]
    }

    fn sends_code(&self) -> bool {
        true
    }

    fn install(&self, destination: &Destination) -> Result<Box<dyn Pipeline>, Box<dyn Error>> {
        let builder = Tracer::builder()
            .with_service_name("benches")
            .with_env(|_| None);
        let builder = match destination {
            Destination::Off => {
                builder.with_env(|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned()))
            }
            Destination::Unsampled => builder
                .with_sampler(Sampler::always_off())
                .with_exporter(Null(Arc::new(Gate::opened()))),
            Destination::Null(gate) => builder.with_exporter(Null(gate.clone())),
            Destination::Otlp(url) => builder.with_endpoint(url),
        };
        Ok(Box::new(builder.install()?))
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

impl Pipeline for TracerGuard {
    fn flush(&self) {
        // A failure shows in the number of delivered spans.
        let _ = TracerGuard::flush(self);
    }

    fn shutdown(&self) {
        let _ = TracerGuard::shutdown(self, Duration::from_secs(5));
    }
}

struct Null(Arc<Gate>);

impl Exporter for Null {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        self.0.pass(batch.spans().len());
        Ok(())
    }

    fn target(&self) -> String {
        "nowhere".to_owned()
    }
}
