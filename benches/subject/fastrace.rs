//! fastrace with properties, reporting through fastrace-opentelemetry.

use std::borrow::Cow;
use std::error::Error;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::future::FutureExt;
use fastrace::local::LocalSpan;
use fastrace::{Event, Span};
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;

use super::sdk::{otlp, resource};
use super::{BATCH, Destination, Pipeline, Subject};
use crate::executor::yield_once;
use crate::gate::Gate;
use crate::workload::{
    Bodies, Failed, Refused, Workload, fail, is_dropped, repeat, step, with_twenty,
};

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

#[fastrace::trace(short_name = true, properties = { "id": "{id}" })]
#[inline(never)]
fn nested(id: u64) -> Result<u64, Refused> {
    if id == 1 { step(id) } else { nested(id - 1) }
}

/// A span without a parent, which the attribute cannot make.
fn in_root<const N: usize, T>(
    name: &'static str,
    properties: impl FnOnce() -> [(&'static str, String); N],
    body: impl FnOnce() -> T,
) -> T {
    let root = root(name).with_properties(properties);
    let _entered = root.set_local_parent();
    body()
}

#[inline(never)]
fn nested_root(id: u64) -> Result<u64, Refused> {
    in_root("nested", || [("id", id.to_string())], || nested(id - 1))
}

#[inline(never)]
fn fan_out(count: u64) -> Result<u64, Refused> {
    in_root(
        "fan_out",
        || [("count", count.to_string())],
        || (0..count).try_fold(0, |sum, id| Ok(sum + load(id)?)),
    )
}

#[inline(never)]
fn place(id: u64) -> Result<u64, Failed> {
    in_root("place", || [("id", id.to_string())], || noted(reserve(id)))
}

#[fastrace::trace(short_name = true, properties = { "id": "{id}" })]
#[inline(never)]
fn reserve(id: u64) -> Result<u64, Failed> {
    noted(fail(id))
}

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
    let properties = || {
        [
            ("a", a.to_string()),
            ("b", b.to_string()),
            ("c", c.to_string()),
            ("d", d.to_string()),
            ("e", e.to_string()),
            ("f", f.to_string()),
            ("g", g.to_string()),
            ("h", h.to_string()),
            ("i", i.to_string()),
            ("j", j.to_string()),
            ("k", k.to_string()),
            ("l", l.to_string()),
            ("m", m.to_string()),
            ("n", n.to_string()),
            ("o", o.to_string()),
            ("p", p.to_string()),
            ("q", q.to_string()),
            ("r", r.to_string()),
            ("s", s.to_string()),
            ("t", t.to_string()),
        ]
    };
    in_root("described", properties, || {
        step(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t)
    })
}

fn describe(id: u64) -> Result<u64, Refused> {
    with_twenty!(described, id)
}

#[inline(never)]
fn search(text: &str) -> Result<u64, Refused> {
    in_root(
        "search",
        || [("text", text.to_owned())],
        || step(text.len() as u64),
    )
}

/// fastrace leaves errors to its user: the event that the others record by themselves.
fn noted<T, E: Error>(result: Result<T, E>) -> Result<T, E> {
    if let Err(error) = &result {
        LocalSpan::add_event(
            Event::new("exception").with_property(|| ("exception.message", error.to_string())),
        );
    }
    result
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
            Destination::Unsampled(gate) => {
                MODE.store(UNSAMPLED, Ordering::Relaxed);
                fastrace::set_reporter(Null(gate.clone()), config);
            }
            Destination::HalfDropped(gate) => {
                fastrace::set_reporter(HalfDropped(Null(gate.clone())), config);
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

    fn run(&self, workload: Workload, orders: Range<u64>) {
        Bodies {
            checkout,
            nested: nested_root,
            fan_out,
            place,
            describe,
            search,
        }
        .run(workload, orders);
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

struct HalfDropped(Null);

impl Reporter for HalfDropped {
    fn report(&mut self, mut spans: Vec<SpanRecord>) {
        spans.retain(|span| !is_dropped(&span.name));
        self.0.report(spans);
    }
}
