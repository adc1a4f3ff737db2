//! `#[traced]` and our own pipeline, at their defaults.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use trace_runtime::{Batch, ExportError, Exporter, Keep, Sampler, Tracer, TracerGuard, traced};

use super::{Destination, Pipeline, Subject};
use crate::executor::yield_once;
use crate::gate::Gate;
use crate::workload::{
    Bodies, Failed, Refused, Workload, fail, is_dropped, repeat, step, with_twenty,
};

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
#[inline(never)]
fn nested(id: u64) -> Result<u64, Refused> {
    if id == 1 { step(id) } else { nested(id - 1) }
}

#[traced]
#[inline(never)]
fn fan_out(count: u64) -> Result<u64, Refused> {
    (0..count).try_fold(0, |sum, id| Ok(sum + load(id)?))
}

#[traced]
#[inline(never)]
fn place(id: u64) -> Result<u64, Failed> {
    reserve(id)
}

#[traced]
#[inline(never)]
fn reserve(id: u64) -> Result<u64, Failed> {
    fail(id)
}

#[traced]
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

#[traced]
#[inline(never)]
fn search(text: &str) -> Result<u64, Refused> {
    step(text.len() as u64)
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
            Destination::Unsampled(gate) => builder
                .with_sampler(Sampler::always_off())
                .with_exporter(Null(gate.clone())),
            Destination::HalfDropped(gate) => builder
                .with_on_end(|span| match is_dropped(&span.name) {
                    true => Keep::No,
                    false => Keep::Yes,
                })
                .with_exporter(Null(gate.clone())),
            Destination::Null(gate) => builder.with_exporter(Null(gate.clone())),
            Destination::Otlp(url) => builder.with_endpoint(url),
        };
        Ok(Box::new(builder.install()?))
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
