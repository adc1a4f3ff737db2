//! Metrics on the global meter provider, which a process has only one of.

use expect_test::expect;
use tests::meter::Meters;
use trace_runtime::{Sampler, Tracer, traced};

#[traced]
fn work() {}

#[test]
fn tracers_report_to_the_global_meter_provider_from_when_there_is_one() {
    let tracer = || {
        Tracer::builder()
            .with_env(|name| (name == "TRACED_LOG").then(|| "off".into()))
            .with_exporter(trace_runtime::Console::new())
            .with_sampler(Sampler::always_off())
            .build()
            .unwrap()
    };
    let (too_early, early_guard) = tracer();
    let meters = Meters::default();
    opentelemetry::global::set_meter_provider(meters.provider().clone());
    too_early.in_scope(work);
    early_guard.flush().unwrap();
    assert_eq!(meters.read(""), "");

    let (first, first_guard) = tracer();
    let (second, second_guard) = tracer();
    first.in_scope(work);
    second.in_scope(|| (work(), work()));
    first_guard.flush().unwrap();
    second_guard.flush().unwrap();
    expect![[r#"
        otel.sdk.exporter.span.exported {otel.component.name=trace_runtime::exporter::console::Console/0, otel.component.type=trace_runtime::exporter::console::Console} 0
        otel.sdk.exporter.span.exported {otel.component.name=trace_runtime::exporter::console::Console/1, otel.component.type=trace_runtime::exporter::console::Console} 0
        otel.sdk.exporter.span.inflight {otel.component.name=trace_runtime::exporter::console::Console/0, otel.component.type=trace_runtime::exporter::console::Console} 0
        otel.sdk.exporter.span.inflight {otel.component.name=trace_runtime::exporter::console::Console/1, otel.component.type=trace_runtime::exporter::console::Console} 0
        otel.sdk.processor.span.processed {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 0
        otel.sdk.processor.span.processed {otel.component.name=batching_span_processor/1, otel.component.type=batching_span_processor} 0
        otel.sdk.processor.span.queue.capacity {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 32768
        otel.sdk.processor.span.queue.capacity {otel.component.name=batching_span_processor/1, otel.component.type=batching_span_processor} 32768
        otel.sdk.processor.span.queue.size {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 0
        otel.sdk.processor.span.queue.size {otel.component.name=batching_span_processor/1, otel.component.type=batching_span_processor} 0
        otel.sdk.span.live {} 0
        otel.sdk.span.started {otel.span.sampling_result=DROP} 3
        traces.span.metrics.duration {span.name=work} 3
    "#]].assert_eq(&meters.read(""));
}
