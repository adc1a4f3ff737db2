//! The OpenTelemetry SDK by hand, as its documentation shows it; with `CODE`, made to send the
//! three `code.*` attributes that our spans always carry.

use std::error::Error;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::trace::{FutureExt, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span, SpanData,
    SpanExporter, SpanProcessor,
};

use super::{BATCH, Destination, Pipeline, QUEUE, Subject};
use crate::executor::yield_once;
use crate::gate::Gate;
use crate::workload::{
    Bodies, Failed, Refused, Workload, fail, is_dropped, repeat, step, with_twenty,
};

pub(super) struct Sdk<const CODE: bool>;

/// One tracer per value of `CODE`.
static TRACERS: [OnceLock<SdkTracer>; 2] = [const { OnceLock::new() }; 2];

fn tracer<const CODE: bool>() -> &'static SdkTracer {
    TRACERS[usize::from(CODE)]
        .get()
        .expect("the subject is installed")
}

fn attributes<const CODE: bool, const N: usize>(
    arguments: [KeyValue; N],
    function: &'static str,
    line: u32,
) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(if CODE { N + 3 } else { N });
    if CODE {
        attributes.extend([
            KeyValue::new("code.function.name", function),
            KeyValue::new("code.file.path", file!()),
            KeyValue::new("code.line.number", i64::from(line)),
        ]);
    }
    attributes.extend(arguments);
    attributes
}

async fn checkout<const CODE: bool>(order_id: u64, customer: &str) -> Result<u64, Refused> {
    let tracer = tracer::<CODE>();
    let span = tracer
        .span_builder("checkout")
        .with_attributes(attributes::<CODE, 2>(
            [
                KeyValue::new("order_id", order_id as i64),
                KeyValue::new("customer", customer.to_owned()),
            ],
            concat!(module_path!(), "::checkout"),
            line!(),
        ))
        .start(tracer);
    let context = Context::current_with_span(span);
    let result = async {
        let id = load::<CODE>(order_id)?;
        yield_once().await;
        let id = price::<CODE>(id)?;
        let id = store::<CODE>(id)?;
        Ok(id + customer.len() as u64)
    }
    .with_context(context.clone())
    .await;
    finish(&context, &result);
    result
}

/// What all sync functions share; the name, the function and the line are their own.
#[inline(always)]
fn in_span<const CODE: bool, const N: usize, E: Error>(
    name: &'static str,
    function: &'static str,
    line: u32,
    arguments: [KeyValue; N],
    body: impl FnOnce() -> Result<u64, E>,
) -> Result<u64, E> {
    let tracer = tracer::<CODE>();
    let span = tracer
        .span_builder(name)
        .with_attributes(attributes::<CODE, N>(arguments, function, line))
        .start(tracer);
    let context = Context::current_with_span(span);
    let _entered = context.clone().attach();
    let result = body();
    finish(&context, &result);
    result
}

fn finish<E: Error>(context: &Context, result: &Result<u64, E>) {
    if let Err(error) = result {
        context.span().record_error(error);
        context.span().set_status(Status::error(error.to_string()));
    }
}

/// Opens a span named after a function, with numbers as arguments.
macro_rules! traced {
    ($function:ident, [$($argument:ident),*], $body:expr) => {
        in_span::<CODE, _, _>(
            stringify!($function),
            concat!(module_path!(), "::", stringify!($function)),
            line!(),
            [$(KeyValue::new(stringify!($argument), $argument as i64)),*],
            || $body,
        )
    };
}

#[inline(never)]
fn load<const CODE: bool>(id: u64) -> Result<u64, Refused> {
    traced!(load, [id], step(id))
}

#[inline(never)]
fn price<const CODE: bool>(id: u64) -> Result<u64, Refused> {
    traced!(price, [id], step(id))
}

#[inline(never)]
fn store<const CODE: bool>(id: u64) -> Result<u64, Refused> {
    traced!(store, [id], step(id))
}

#[inline(never)]
fn nested<const CODE: bool>(id: u64) -> Result<u64, Refused> {
    traced!(nested, [id], {
        if id == 1 {
            step(id)
        } else {
            nested::<CODE>(id - 1)
        }
    })
}

#[inline(never)]
fn fan_out<const CODE: bool>(count: u64) -> Result<u64, Refused> {
    traced!(fan_out, [count], {
        (0..count).try_fold(0, |sum, id| Ok(sum + load::<CODE>(id)?))
    })
}

#[inline(never)]
fn place<const CODE: bool>(id: u64) -> Result<u64, Failed> {
    traced!(place, [id], reserve::<CODE>(id))
}

#[inline(never)]
fn reserve<const CODE: bool>(id: u64) -> Result<u64, Failed> {
    traced!(reserve, [id], fail(id))
}

#[inline(never)]
#[expect(clippy::too_many_arguments)]
fn described<const CODE: bool>(
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
    traced!(
        described,
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t],
        { step(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t) }
    )
}

fn describe<const CODE: bool>(id: u64) -> Result<u64, Refused> {
    with_twenty!(described::<CODE>, id)
}

#[inline(never)]
fn search<const CODE: bool>(text: &str) -> Result<u64, Refused> {
    in_span::<CODE, _, _>(
        "search",
        concat!(module_path!(), "::search"),
        line!(),
        [KeyValue::new("text", text.to_owned())],
        || step(text.len() as u64),
    )
}

impl<const CODE: bool> Subject for Sdk<CODE> {
    fn name(&self) -> &'static str {
        if CODE { "SDK + code" } else { "SDK" }
    }

    fn crates(&self) -> &'static [&'static str] {
        &["opentelemetry_sdk", "opentelemetry-otlp"]
    }

    fn sends_code(&self) -> bool {
        CODE
    }

    fn install(&self, destination: &Destination) -> Result<Box<dyn Pipeline>, Box<dyn Error>> {
        let provider = provider(destination)?;
        TRACERS[usize::from(CODE)]
            .set(provider.tracer("benches"))
            .map_err(|_| "installed twice")?;
        if matches!(destination, Destination::Off) {
            provider.shutdown()?;
        }
        Ok(Box::new(provider))
    }

    fn run(&self, workload: Workload, orders: Range<u64>) {
        Bodies {
            checkout: checkout::<CODE>,
            nested: nested::<CODE>,
            fan_out: fan_out::<CODE>,
            place: place::<CODE>,
            describe: describe::<CODE>,
            search: search::<CODE>,
        }
        .run(workload, orders);
    }

    fn calls(&self, count: u64) {
        let root = tracer::<CODE>().start("calls");
        let _entered = Context::current_with_span(root).attach();
        repeat(count, load::<CODE>);
    }

    fn future_size(&self) -> usize {
        size_of_val(&checkout::<CODE>(0, ""))
    }
}

impl Pipeline for SdkTracerProvider {
    fn flush(&self) {
        // A failure shows in the number of delivered spans.
        let _ = self.force_flush();
    }

    fn shutdown(&self) {
        let _ = SdkTracerProvider::shutdown(self);
    }
}

/// A provider that sends to `destination`; tracing-opentelemetry uses it too.
pub(super) fn provider(destination: &Destination) -> Result<SdkTracerProvider, Box<dyn Error>> {
    let builder = SdkTracerProvider::builder().with_resource(resource());
    Ok(match destination {
        Destination::Off => builder.build(),
        Destination::Unsampled(gate) => builder
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .with_span_processor(batching(Null(gate.clone())))
            .build(),
        Destination::HalfDropped(gate) => builder
            .with_span_processor(HalfDropped(batching(Null(gate.clone()))))
            .build(),
        Destination::Null(gate) => builder
            .with_span_processor(batching(Null(gate.clone())))
            .build(),
        Destination::Otlp(url) => builder.with_span_processor(batching(otlp(url)?)).build(),
    })
}

/// What every exporter of the SDK is told about this service.
pub(super) fn resource() -> Resource {
    Resource::builder().with_service_name("benches").build()
}

/// The exporter that a user of the SDK would take; fastrace uses it too.
pub(super) fn otlp(url: &str) -> Result<opentelemetry_otlp::SpanExporter, Box<dyn Error>> {
    Ok(opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{url}/v1/traces"))
        .build()?)
}

fn batching<E: SpanExporter + 'static>(exporter: E) -> BatchSpanProcessor {
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(Duration::from_secs(1))
        .build();
    BatchSpanProcessor::builder(exporter)
        .with_batch_config(config)
        .build()
}

#[derive(Debug)]
struct Null(Arc<Gate>);

impl SpanExporter for Null {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.pass(batch.len());
        Ok(())
    }
}

/// A processor before the one that batches is where the SDK lets its user drop a span.
#[derive(Debug)]
struct HalfDropped(BatchSpanProcessor);

impl SpanProcessor for HalfDropped {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !is_dropped(&span.name) {
            self.0.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
