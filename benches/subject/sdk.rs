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
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanData,
    SpanExporter,
};

use super::{BATCH, Destination, Pipeline, QUEUE, Subject};
use crate::executor::yield_once;
use crate::gate::Gate;
use crate::workload::{Refused, drive, repeat, step};

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

/// What the three steps share; the name, the function and the line are their own.
#[inline(always)]
fn traced_step<const CODE: bool>(
    name: &'static str,
    function: &'static str,
    line: u32,
    id: u64,
) -> Result<u64, Refused> {
    let tracer = tracer::<CODE>();
    let span = tracer
        .span_builder(name)
        .with_attributes(attributes::<CODE, 1>(
            [KeyValue::new("id", id as i64)],
            function,
            line,
        ))
        .start(tracer);
    let context = Context::current_with_span(span);
    let _entered = context.clone().attach();
    let result = step(id);
    finish(&context, &result);
    result
}

fn finish(context: &Context, result: &Result<u64, Refused>) {
    if let Err(error) = result {
        context.span().set_status(Status::error(error.to_string()));
    }
}

#[inline(never)]
fn load<const CODE: bool>(id: u64) -> Result<u64, Refused> {
    traced_step::<CODE>("load", concat!(module_path!(), "::load"), line!(), id)
}

#[inline(never)]
fn price<const CODE: bool>(id: u64) -> Result<u64, Refused> {
    traced_step::<CODE>("price", concat!(module_path!(), "::price"), line!(), id)
}

#[inline(never)]
fn store<const CODE: bool>(id: u64) -> Result<u64, Refused> {
    traced_step::<CODE>("store", concat!(module_path!(), "::store"), line!(), id)
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

    fn traces(&self, orders: Range<u64>) {
        drive(orders, checkout::<CODE>);
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
        Destination::Unsampled => builder
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
            .with_span_processor(batching(Null(Arc::new(Gate::opened()))))
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
