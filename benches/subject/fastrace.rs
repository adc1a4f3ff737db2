//! fastrace with properties, reporting through fastrace-opentelemetry.

use std::borrow::Cow;
use std::error::Error;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use fastrace::Span;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::future::FutureExt;
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;

use super::sdk::{otlp, resource};
use super::{BATCH, Destination, Pipeline, Subject};
use crate::executor::yield_once;
use crate::gate::Gate;
use crate::workload::{Refused, drive, repeat, step};

pub(super) struct Fastrace;

/// fastrace wakes by the clock, not by a number of spans. A few batches end in this interval;
/// shorter ones cost it more, longer ones hardly less.
const REPORT_INTERVAL: Duration = Duration::from_millis(1);

/// How roots are made; set by `install`.
static MODE: AtomicU8 = AtomicU8::new(SAMPLED);
const SAMPLED: u8 = 0;
const UNSAMPLED: u8 = 1;
const OFF: u8 = 2;

fn root(name: &'static str) -> Span {
    match MODE.load(Ordering::Relaxed) {
        SAMPLED => Span::root(name, SpanContext::random()),
        UNSAMPLED => Span::root(name, SpanContext::random().sampled(false)),
        _ => Span::noop(),
    }
}

async fn checkout(order_id: u64, customer: &str) -> Result<u64, Refused> {
    let span = root("checkout").with_properties(|| {
        [
            ("order_id", order_id.to_string()),
            ("customer", customer.to_owned()),
        ]
    });
    async {
        let id = load(order_id)?;
        yield_once().await;
        let id = price(id)?;
        let id = store(id)?;
        Ok(id + customer.len() as u64)
    }
    .in_span(span)
    .await
}

#[fastrace::trace(short_name = true, properties = { "id": "{id}" })]
#[inline(never)]
fn load(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[fastrace::trace(short_name = true, properties = { "id": "{id}" })]
#[inline(never)]
fn price(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[fastrace::trace(short_name = true, properties = { "id": "{id}" })]
#[inline(never)]
fn store(id: u64) -> Result<u64, Refused> {
    step(id)
}

impl Subject for Fastrace {
    fn name(&self) -> &'static str {
        "fastrace"
    }

    fn crates(&self) -> &'static [&'static str] {
        &["fastrace", "fastrace-opentelemetry"]
    }

    fn install(&self, destination: &Destination) -> Result<Box<dyn Pipeline>, Box<dyn Error>> {
        let config = Config::default().report_interval(REPORT_INTERVAL);
        match destination {
            Destination::Off => MODE.store(OFF, Ordering::Relaxed),
            Destination::Unsampled => {
                MODE.store(UNSAMPLED, Ordering::Relaxed);
                fastrace::set_reporter(Null(Arc::new(Gate::opened())), config);
            }
            Destination::Null(gate) => fastrace::set_reporter(Null(gate.clone()), config),
            Destination::Otlp(url) => {
                let scope = InstrumentationScope::builder("benches").build();
                let reporter =
                    OpenTelemetryReporter::new(otlp(url)?, Cow::Owned(resource()), scope);
                fastrace::set_reporter(Batches(reporter), config);
            }
        }
        Ok(Box::new(Collector))
    }

    fn traces(&self, orders: Range<u64>) {
        drive(orders, checkout);
    }

    fn calls(&self, count: u64) {
        let root = root("calls");
        let _entered = root.set_local_parent();
        repeat(count, load);
    }

    fn future_size(&self) -> usize {
        size_of_val(&checkout(0, ""))
    }
}

/// fastrace's collector is a global that cannot be stopped.
struct Collector;

impl Pipeline for Collector {
    fn flush(&self) {
        fastrace::flush();
    }

    fn shutdown(&self) {
        fastrace::flush();
    }
}

/// Posts as many spans at a time as everybody else does.
struct Batches(OpenTelemetryReporter);

impl Reporter for Batches {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        let mut spans = spans.into_iter();
        while spans.len() > 0 {
            self.0.report(spans.by_ref().take(BATCH).collect());
        }
    }
}

struct Null(Arc<Gate>);

impl Reporter for Null {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.0.pass(spans.len());
    }
}
