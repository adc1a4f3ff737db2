//! Metrics about spans: what became of them, and how long they took, sampled or not.

use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use expect_test::expect;
use futures_util::stream::{Stream, StreamExt, iter};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Status, TraceContextExt, Tracer as _, TracerProvider as _};
use tests::meter::Meters;
use tower::{Layer, ServiceExt, service_fn};
use trace_runtime::sampler::{SamplingDecision, SamplingInput};
use trace_runtime::tower::ClientLayer;
use trace_runtime::{Batch, ExportError, Exporter, Failure, Keep, Sampler};
use trace_runtime::{Tracer, TracerBuilder, TracerGuard, traced};

const DURATION: &str = "traces.span.metrics.duration";

/// Answers every batch alike.
#[derive(Clone)]
struct Answering(Arc<Mutex<Result<(), ExportError>>>);

impl Answering {
    fn new(answer: Result<(), ExportError>) -> Self {
        Self(Arc::new(Mutex::new(answer)))
    }

    fn set(&self, answer: Result<(), ExportError>) {
        *self.0.lock().unwrap() = answer;
    }
}

impl Exporter for Answering {
    fn export(&mut self, _: &Batch<'_>) -> Result<(), ExportError> {
        self.0.lock().unwrap().clone()
    }

    fn target(&self) -> String {
        "nobody".into()
    }
}

fn environment(name: &str) -> Option<String> {
    match name {
        "OTEL_BSP_MAX_QUEUE_SIZE" => Some("4".into()),
        "OTEL_BSP_SCHEDULE_DELAY" => Some("60000".into()),
        "TRACED_LOG" => Some("off".into()),
        _ => None,
    }
}

/// Room for few bytes, which are soon used up if they are not given back.
fn few_bytes(name: &str) -> Option<String> {
    match name {
        "TRACED_MAX_QUEUE_BYTES" => Some("4096".into()),
        name => environment(name),
    }
}

fn builder(meters: &Meters) -> TracerBuilder {
    let builder = Tracer::builder().with_env(environment);
    builder.with_meter(meters.meter())
}

fn accepting(meters: &Meters) -> (Tracer, TracerGuard) {
    builder(meters)
        .with_exporter(Answering::new(Ok(())))
        .build()
        .unwrap()
}

/// A tracer that samples nothing.
fn unsampling(meters: &Meters) -> (Tracer, TracerGuard) {
    builder(meters)
        .with_exporter(Answering::new(Ok(())))
        .with_sampler(Sampler::always_off())
        .build()
        .unwrap()
}

#[derive(Debug, Failure)]
enum PaymentError {
    CardDeclined,
}

#[traced]
fn leaf(n: u64) {
    let _ = n;
}

#[traced]
fn charge(ok: bool) -> Result<(), PaymentError> {
    leaf(1);
    if ok {
        Ok(())
    } else {
        Err(PaymentError::CardDeclined)
    }
}

#[test]
fn spans_are_counted_from_their_start_to_their_delivery() {
    let meters = Meters::default();
    let (tracer, guard) = accepting(&meters);
    tracer.in_scope(|| charge(true)).unwrap();
    tracer.in_scope(open_span(&meters));
    let waiting = meters.read("otel.");
    expect![[r#"
        otel.sdk.exporter.span.exported {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
        otel.sdk.exporter.span.inflight {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
        otel.sdk.processor.span.processed {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 0
        otel.sdk.processor.span.queue.capacity {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 4
        otel.sdk.processor.span.queue.size {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 3
        otel.sdk.span.live {} 0
        otel.sdk.span.started {otel.span.sampling_result=RECORD_AND_SAMPLE} 3
    "#]].assert_eq(&waiting);
    guard.flush().unwrap();
    let delivered = meters.read("otel.");
    expect![[r#"
        otel.sdk.exporter.span.exported {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 3
        otel.sdk.exporter.span.inflight {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
        otel.sdk.processor.span.processed {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 3
        otel.sdk.processor.span.queue.capacity {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 4
        otel.sdk.processor.span.queue.size {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 0
        otel.sdk.span.live {} 0
        otel.sdk.span.started {otel.span.sampling_result=RECORD_AND_SAMPLE} 3
    "#]].assert_eq(&delivered);
}

/// Looks at the metrics while a span is open.
fn open_span(meters: &Meters) -> impl FnOnce() + '_ {
    #[traced]
    fn open(meters: &Meters) {
        assert_eq!(
            meters.read("otel.sdk.span.live"),
            "otel.sdk.span.live {} 1\n"
        );
    }
    || open(meters)
}

#[test]
fn a_full_queue_and_a_receiver_that_is_down_are_counted() {
    let meters = Meters::default();
    let down = Err(ExportError::Unreachable("connection refused".into()));
    let receiver = Answering::new(down);
    let (tracer, guard) = builder(&meters)
        .with_exporter(receiver.clone())
        .build()
        .unwrap();
    tracer.in_scope(|| (0..6).for_each(leaf));
    guard.flush().unwrap_err();
    let retried = meters.read("otel.sdk.processor.span") + &meters.read("otel.sdk.exporter");
    expect![[r#"
        otel.sdk.processor.span.processed {error.type=queue_full, otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 2
        otel.sdk.processor.span.processed {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 0
        otel.sdk.processor.span.queue.capacity {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 4
        otel.sdk.processor.span.queue.size {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 4
        otel.sdk.exporter.span.exported {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
        otel.sdk.exporter.span.inflight {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 4
    "#]].assert_eq(&retried);
    receiver.set(Err(ExportError::Rejected {
        spans: u64::MAX,
        message: "too old".into(),
    }));
    guard.flush().unwrap_err();
    let rejected =
        meters.read("otel.sdk.processor.span.processed") + &meters.read("otel.sdk.exporter");
    expect![[r#"
        otel.sdk.processor.span.processed {error.type=queue_full, otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 2
        otel.sdk.processor.span.processed {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 4
        otel.sdk.exporter.span.exported {error.type=rejected, otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 4
        otel.sdk.exporter.span.exported {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
        otel.sdk.exporter.span.inflight {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
    "#]].assert_eq(&rejected);
}

#[test]
fn what_is_lost_at_the_end_is_counted() {
    let meters = Meters::default();
    let down = Err(ExportError::Unreachable("connection refused".into()));
    let on_end = |span: &mut trace_runtime::SpanRecord| match span.attribute("n") {
        Some(n) if *n == 0.into() => Keep::No,
        _ => Keep::Yes,
    };
    let tracer = builder(&meters)
        .with_exporter(Answering::new(down))
        .with_on_end(on_end);
    let (tracer, guard) = tracer.build().unwrap();
    tracer.in_scope(|| {
        (0..3).for_each(leaf);
        ends_late(&guard);
    });
    let lost = meters.read("otel.sdk.processor.span.processed") + &meters.read("otel.sdk.exporter");
    expect![[r#"
        otel.sdk.processor.span.processed {error.type=already_shutdown, otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 1
        otel.sdk.processor.span.processed {error.type=dropped_on_end, otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 1
        otel.sdk.processor.span.processed {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 2
        otel.sdk.exporter.span.exported {error.type=undelivered, otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 2
        otel.sdk.exporter.span.exported {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
        otel.sdk.exporter.span.inflight {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
    "#]].assert_eq(&lost);
}

#[traced]
fn ends_late(guard: &TracerGuard) {
    guard.shutdown(Duration::from_secs(5)).unwrap_err();
}

#[test]
fn durations_are_told_by_name_and_error() {
    let expected = expect![[r#"
        traces.span.metrics.duration {error.type=CardDeclined, span.name=charge} 1
        traces.span.metrics.duration {span.name=charge} 2
        traces.span.metrics.duration {span.name=leaf} 3
    "#]];
    for unsampled in [false, true] {
        let meters = Meters::default();
        let (tracer, guard) = match unsampled {
            true => unsampling(&meters),
            false => accepting(&meters),
        };
        for ok in [true, false, true] {
            let _ = tracer.in_scope(|| charge(ok));
            guard.flush().unwrap(); // the queue is small
        }
        expected.assert_eq(&meters.read(DURATION));
    }
}

#[traced(fields(seen = NOT_SEEN.fetch_add(1, Ordering::Relaxed)))]
fn outer() {
    inner();
    assert!(!opentelemetry::Context::map_current(|cx| cx
        .span()
        .is_recording()));
}

static NOT_SEEN: AtomicU64 = AtomicU64::new(0);

#[traced]
fn inner() {
    leaf(1);
    leaf(2);
}

#[test]
fn what_is_not_sampled_is_timed_and_is_nothing_else() {
    let meters = Meters::default();
    let (tracer, guard) = builder(&meters)
        .with_env(few_bytes)
        .with_exporter(Answering::new(Ok(())))
        .with_sampler(Sampler::always_off())
        .build()
        .unwrap();
    tracer.in_scope(outer);
    guard.flush().unwrap();
    expect![[r#"
        traces.span.metrics.duration {span.name=inner} 1
        traces.span.metrics.duration {span.name=leaf} 2
        traces.span.metrics.duration {span.name=outer} 1
    "#]]
    .assert_eq(&meters.read(DURATION));
    assert_eq!(
        NOT_SEEN.load(Ordering::Relaxed),
        0,
        "arguments are not evaluated"
    );
    let stats = guard.stats();
    let untouched = (
        stats.ended,
        stats.open,
        stats.queued,
        stats.exported,
        stats.dropped_not_sampled,
    );
    assert_eq!(untouched, (0, 0, 0, 0, 0));
    expect![[r#"
        otel.sdk.exporter.span.exported {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
        otel.sdk.exporter.span.inflight {otel.component.name=metrics::Answering/0, otel.component.type=metrics::Answering} 0
        otel.sdk.processor.span.processed {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 0
        otel.sdk.processor.span.queue.capacity {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 4
        otel.sdk.processor.span.queue.size {otel.component.name=batching_span_processor/0, otel.component.type=batching_span_processor} 0
        otel.sdk.span.live {} 0
        otel.sdk.span.started {otel.span.sampling_result=DROP} 4
    "#]].assert_eq(&meters.read("otel."));
    // The queue has its room back.
    for _ in 0..100 {
        tracer.in_scope(|| (0..4).for_each(leaf));
        guard.flush().unwrap();
    }
    expect![[r#"
        traces.span.metrics.duration {span.name=inner} 1
        traces.span.metrics.duration {span.name=leaf} 402
        traces.span.metrics.duration {span.name=outer} 1
    "#]]
    .assert_eq(&meters.read(DURATION));
}

#[traced]
async fn fetch(fails: bool) -> Result<u64, std::io::Error> {
    tokio::task::yield_now().await;
    match fails {
        true => Err(std::io::Error::other("no")),
        false => Ok(1),
    }
}

#[traced(kind = client)]
async fn forever() {
    std::future::pending().await
}

#[traced]
async fn gather() {
    let task = trace_runtime::spawn(fetch(true));
    fetch(false).await.unwrap();
    task.await.unwrap().unwrap_err();
}

#[traced]
fn panics() {
    panic!("no");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn futures_cancellations_and_panics_are_timed_sampled_or_not() {
    let expected = expect![[r#"
        traces.span.metrics.duration {error.type=cancelled, span.name=forever} 1
        traces.span.metrics.duration {error.type=panic, span.name=panics} 1
        traces.span.metrics.duration {error.type=std::io::error::Error, span.name=fetch} 1
        traces.span.metrics.duration {span.name=fetch} 1
        traces.span.metrics.duration {span.name=gather} 1
    "#]];
    for unsampled in [false, true] {
        let meters = Meters::default();
        let (tracer, guard) = match unsampled {
            true => unsampling(&meters),
            false => accepting(&meters),
        };
        tracer.in_scope_async(gather()).await;
        guard.flush().unwrap();
        tracer.in_scope(|| {
            let mut forever = Box::pin(forever());
            let task = &mut std::task::Context::from_waker(std::task::Waker::noop());
            assert!(forever.as_mut().poll(task).is_pending());
        });
        catch_unwind(AssertUnwindSafe(|| tracer.in_scope(panics))).unwrap_err();
        guard.flush().unwrap();
        expected.assert_eq(&meters.read(DURATION));
    }
}

#[traced(name = format!("GET {route}"), kind = server)]
fn named(route: &str) {
    named_below("cache");
}

#[traced(name = name.to_owned())]
fn named_below(name: &str) {}

#[test]
fn dynamic_names_are_told_apart() {
    let meters = Meters::default();
    let (tracer, guard) = unsampling(&meters);
    tracer.in_scope(|| (named("/users/{id}"), named("/users")));
    guard.flush().unwrap();
    expect![[r#"
        traces.span.metrics.duration {span.name=GET /users/{id}} 1
        traces.span.metrics.duration {span.name=GET /users} 1
        traces.span.metrics.duration {span.name=cache} 2
    "#]]
    .assert_eq(&meters.read(DURATION));
}

#[test]
fn spans_of_the_opentelemetry_api_are_timed_too() {
    let expected = expect![[r#"
        traces.span.metrics.duration {error.type=_OTHER, span.name=failed} 1
        traces.span.metrics.duration {error.type=timeout, span.name=below} 1
        traces.span.metrics.duration {span.name=above} 1
        traces.span.metrics.duration {span.name=leaf} 1
    "#]];
    for unsampled in [false, true] {
        let meters = Meters::default();
        let (tracer, guard) = match unsampled {
            true => unsampling(&meters),
            false => accepting(&meters),
        };
        let manual = tracer.provider().tracer("manual");
        manual.in_span("above", |cx| {
            tracer.in_scope(|| leaf(1));
            let mut below = manual.start_with_context("below", &cx);
            assert_eq!(
                below.span_context().trace_id(),
                cx.span().span_context().trace_id()
            );
            below.set_attribute(KeyValue::new("error.type", "timeout"));
            below.end();
            manual.start("failed").set_status(Status::error("no"));
        });
        guard.flush().unwrap();
        expected.assert_eq(&meters.read(DURATION));
    }
}

#[test]
fn durations_are_seconds_from_start_to_end() {
    for unsampled in [false, true] {
        let meters = Meters::default();
        let (tracer, guard) = match unsampled {
            true => unsampling(&meters),
            false => accepting(&meters),
        };
        let manual = tracer.provider().tracer("manual");
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let span = manual.span_builder("dated").with_start_time(start);
        let mut span = span.start(&manual);
        span.end_with_timestamp(start + Duration::from_millis(2500));
        span.end();
        drop(span);
        guard.flush().unwrap();
        assert_eq!(meters.sum(DURATION), 2.5);
        tracer.in_scope(|| leaf(1));
        guard.flush().unwrap();
        let sum = meters.sum(DURATION);
        assert!(2.5 < sum && sum < 60.0, "{sum}");
    }
}

#[tokio::test]
async fn layers_tell_why_unsampled_requests_failed() {
    let meters = Meters::default();
    let (tracer, guard) = unsampling(&meters);
    let status = |status: u16| {
        let answer = move |_| async move { http::Response::builder().status(status).body(()) };
        ClientLayer::new()
            .with_tracer(&tracer)
            .layer(service_fn(answer))
    };
    let request = || http::Request::get("http://orders/").body(()).unwrap();
    status(200).oneshot(request()).await.unwrap();
    status(503).oneshot(request()).await.unwrap();
    status(0).oneshot(request()).await.unwrap_err();
    guard.flush().unwrap();
    expect![[r#"
        traces.span.metrics.duration {error.type=503, span.name=GET} 1
        traces.span.metrics.duration {error.type=http::error::Error, span.name=GET} 1
        traces.span.metrics.duration {span.name=GET} 1
    "#]]
    .assert_eq(&meters.read(DURATION));
}

#[traced]
fn parse(texts: Vec<&'static str>) -> impl Stream<Item = Result<u8, ParseIntError>> {
    iter(texts).map(str::parse)
}

#[tokio::test]
async fn items_tell_why_an_unsampled_stream_failed() {
    let meters = Meters::default();
    let (tracer, guard) = unsampling(&meters);
    for texts in [vec!["1", "2"], vec!["1", "x"]] {
        let parsed = tracer.in_scope(|| parse(texts));
        assert_eq!(parsed.count().await, 2);
    }
    guard.flush().unwrap();
    expect![[r#"
        traces.span.metrics.duration {error.type=core::num::error::ParseIntError, span.name=parse} 1
        traces.span.metrics.duration {span.name=parse} 1
    "#]]
    .assert_eq(&meters.read(DURATION));
}

/// Records what begins with `r`, samples what begins with `s`.
fn by_name(input: &SamplingInput<'_>) -> SamplingDecision {
    match input.name.as_bytes().first() {
        Some(b's') => SamplingDecision::RecordAndSample,
        Some(b'r') => SamplingDecision::RecordOnly,
        _ => SamplingDecision::Drop,
    }
}

#[traced]
fn sampled() {}

#[traced]
fn recorded() {
    sampled();
}

#[test]
fn what_the_sampler_said_is_told() {
    let meters = Meters::default();
    let tracer = builder(&meters).with_exporter(Answering::new(Ok(())));
    let (tracer, guard) = tracer
        .with_env(few_bytes)
        .with_sampler(Sampler::custom(by_name))
        .build()
        .unwrap();
    // Again and again, to see that the queue has all its room back.
    for _ in 0..100 {
        tracer.in_scope(|| (leaf(1), sampled(), recorded()));
        guard.flush().unwrap();
    }
    expect![[r#"
        otel.sdk.span.live {} 0
        otel.sdk.span.started {otel.span.sampling_result=DROP} 200
        otel.sdk.span.started {otel.span.sampling_result=RECORD_AND_SAMPLE} 100
        otel.sdk.span.started {otel.span.sampling_result=RECORD_ONLY} 100
    "#]]
    .assert_eq(&meters.read("otel.sdk.span"));
    expect![[r#"
        traces.span.metrics.duration {span.name=leaf} 100
        traces.span.metrics.duration {span.name=recorded} 100
        traces.span.metrics.duration {span.name=sampled} 200
    "#]]
    .assert_eq(&meters.read(DURATION));
    assert_eq!(guard.stats().exported, 100);
}

#[test]
fn one_in_a_hundred_is_exported_and_all_are_timed() {
    let meters = Meters::default();
    let (tracer, guard) = Tracer::builder()
        .with_env(|name| (name == "TRACED_LOG").then(|| "off".into()))
        .with_meter(meters.meter())
        .with_exporter(Answering::new(Ok(())))
        .with_sampler(Sampler::ratio(0.01))
        .build()
        .unwrap();
    tracer.in_scope(|| (0..2000).for_each(leaf));
    guard.flush().unwrap();
    assert!(guard.stats().exported < 200);
    assert_eq!(
        meters.read(DURATION),
        format!("{DURATION} {{span.name=leaf}} 2000\n")
    );
}

#[test]
fn without_an_exporter_spans_are_measured_all_the_same() {
    let meters = Meters::default();
    let (tracer, guard) = Tracer::builder()
        .with_env(|name| match name {
            "OTEL_TRACES_EXPORTER" => Some("none".into()),
            "TRACED_LOG" => Some("off".into()),
            _ => None,
        })
        .with_meter(meters.meter())
        .build()
        .unwrap();
    tracer.in_scope(|| leaf(1));
    guard.flush().unwrap();
    assert_eq!(
        meters.read(DURATION),
        format!("{DURATION} {{span.name=leaf}} 1\n")
    );
}

#[test]
fn at_most_500_names_are_told_apart() {
    let meters = Meters::default();
    let (tracer, guard) = Tracer::builder()
        .with_env(|name| (name == "TRACED_LOG").then(|| "off".into()))
        .with_meter(meters.meter())
        .with_exporter(Answering::new(Ok(())))
        .build()
        .unwrap();
    tracer.in_scope(|| (0..510).for_each(|n| named_below(&n.to_string())));
    guard.flush().unwrap();
    let read = meters.read(DURATION);
    assert_eq!(read.lines().count(), 501);
    assert!(read.contains("{span.name=_OTHER} 10\n"), "{read}");
}
