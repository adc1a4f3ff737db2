//! From finished spans to exporters: failures, several exporters, hooks, and the books.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::InMemorySpanExporter;
use trace_runtime::{
    Batch, ExportError, Exporter, Keep, SpanRecord, Stats, Tracer, TracerBuilder, TracerGuard,
    traced,
};

#[traced]
fn work(n: u64) -> u64 {
    n + 1
}

/// What an exporter does with a batch.
type Act = Box<dyn FnMut(&Batch<'_>) -> Result<(), ExportError> + Send>;

struct Acting(Act);

impl Exporter for Acting {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        (self.0)(batch)
    }

    fn target(&self) -> String {
        "the test".into()
    }
}

fn acting(act: impl FnMut(&Batch<'_>) -> Result<(), ExportError> + Send + 'static) -> Acting {
    Acting(Box::new(act))
}

fn builder() -> TracerBuilder {
    Tracer::builder()
        .with_env(|name| (name == "TRACED_LOG").then(|| "off".to_owned()))
        .with_service_name("pipeline")
}

fn run(builder: TracerBuilder, spans: u64) -> (Tracer, TracerGuard) {
    let (tracer, guard) = builder.build().expect("a good builder");
    tracer.in_scope(|| (0..spans).for_each(|n| drop(work(n).to_string())));
    (tracer, guard)
}

fn assert_adds_up(stats: &Stats) {
    let sum = stats.exported
        + stats.failed
        + stats.queued
        + stats.dropped_queue_full
        + stats.dropped_on_end
        + stats.dropped_not_sampled
        + stats.dropped_after_shutdown;
    assert_eq!(stats.ended, sum, "{stats:?}");
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_panicking_exporter_loses_its_batch_and_gets_the_next() {
    let mut calls = 0;
    let names = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&names);
    let exporter = acting(move |batch| {
        calls += 1;
        assert!(calls > 1, "the first batch is too much");
        seen.lock()
            .unwrap()
            .extend(batch.spans().map(|span| span.name().to_owned()));
        Ok(())
    });
    let (tracer, guard) = run(builder().with_exporter(exporter), 3);
    let error = guard.flush().expect_err("the exporter panics");
    assert!(
        error.to_string().contains("the first batch is too much"),
        "{error}"
    );
    tracer.in_scope(|| work(1));
    guard.shutdown(LONG).expect("the second batch is delivered");
    assert_eq!(*names.lock().unwrap(), ["work"]);
    let stats = guard.stats();
    assert_eq!((stats.failed, stats.exported), (3, 1));
    assert_adds_up(&stats);
}

#[test]
fn a_batch_that_fails_for_now_is_kept_and_delivered_once() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&attempts);
    let exporter = acting(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Err(ExportError::Unreachable("nobody is there".into())),
        1 => Err(ExportError::Retry {
            after: None,
            message: "come back later".into(),
        }),
        _ => Ok(()),
    });
    let (_tracer, guard) = run(builder().with_exporter(exporter), 5);
    let error = guard.flush().expect_err("the first attempt fails");
    assert_eq!((error.exported(), error.lost()), (0, 5));
    assert_eq!(error.reason(), "nobody is there");
    assert_eq!(guard.stats().queued, 5);
    guard.flush().expect_err("the second attempt fails");
    guard.flush().expect("the third attempt succeeds");
    let stats = guard.stats();
    assert_eq!((stats.exported, stats.queued), (5, 0));
    assert_adds_up(&stats);
    let said: Vec<_> = guard
        .diagnostics()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        said.iter()
            .any(|line| line.contains("the test: nobody is there")),
        "{said:?}"
    );
}

#[test]
fn a_blocked_exporter_does_not_delay_another() {
    let release = Arc::new(Barrier::new(2));
    let blocked = Arc::clone(&release);
    let (arrived, arrivals) = std::sync::mpsc::channel();
    let builder = builder()
        .with_exporter(acting(move |_| {
            blocked.wait();
            Ok(())
        }))
        .with_exporter(acting(move |batch| {
            arrived.send(batch.spans().len()).expect("the test listens");
            Ok(())
        }))
        .with_flush_interval(Duration::from_millis(10));
    let (_tracer, guard) = run(builder, 4);
    let mut spans = 0;
    while spans < 4 {
        spans += arrivals
            .recv_timeout(LONG)
            .expect("the other exporter is not delayed");
    }
    assert_eq!(
        guard.stats().exported,
        0,
        "a span counts when every exporter has it"
    );
    release.wait();
    // What the interval cut into several batches blocks once for each.
    std::thread::spawn(move || {
        loop {
            release.wait();
        }
    });
    guard.shutdown(LONG).expect("both deliver");
    let stats = guard.stats();
    assert_eq!(stats.exported, 4);
    assert!(
        stats
            .exporters
            .iter()
            .all(|exporter| exporter.exported == 4),
        "{stats:?}"
    );
    assert_adds_up(&stats);
}

#[test]
fn the_rest_of_a_burst_is_delivered_without_a_flush() {
    let (arrived, arrivals) = std::sync::mpsc::channel();
    let builder = builder()
        .with_env(|name| match name {
            "TRACED_LOG" => Some("off".to_owned()),
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" => Some("8".to_owned()),
            _ => None,
        })
        .with_exporter(acting(move |batch| {
            arrived.send(batch.spans().len()).expect("the test listens");
            Ok(())
        }))
        .with_flush_interval(Duration::from_millis(10));
    let (_tracer, guard) = run(builder, 83);
    let mut spans = 0;
    while spans < 83 {
        let batch = arrivals.recv_timeout(LONG).expect("the rest comes, too");
        assert!((1..=8).contains(&batch), "a batch of {batch}");
        spans += batch;
    }
    guard.shutdown(LONG).expect("nothing is left");
    assert_eq!((spans, guard.stats().exported), (83, 83));
    assert_adds_up(&guard.stats());
}

#[test]
fn hooks_scrub_enrich_and_drop_before_anything_is_sent() {
    let seen = Arc::new(Mutex::new(Vec::<SpanRecord>::new()));
    let sink = Arc::clone(&seen);
    let exporter = acting(move |batch| {
        sink.lock()
            .unwrap()
            .extend(batch.spans().map(|span| SpanRecord::from(&span)));
        Ok(())
    });
    let builder = builder().with_exporter(exporter).with_on_end(|span| {
        span.set_attribute(KeyValue::new("region", "eu"));
        match span.attribute("n") {
            Some(opentelemetry::Value::I64(n)) if n % 2 == 0 => Keep::No,
            Some(opentelemetry::Value::I64(3)) => panic!("a hook that fails lets nothing through"),
            _ => Keep::Yes,
        }
    });
    let (_tracer, guard) = run(builder, 10);
    guard.shutdown(LONG).expect("delivery");
    let seen = seen.lock().unwrap();
    let numbers: Vec<_> = seen
        .iter()
        .filter_map(|span| span.attribute("n").cloned())
        .collect();
    assert_eq!(numbers, [1.into(), 5.into(), 7.into(), 9.into()]);
    assert!(
        seen.iter()
            .all(|span| span.attribute("region") == Some(&"eu".into()))
    );
    assert!(
        seen.iter()
            .all(|span| span.attribute("code.function.name").is_some())
    );
    let stats = guard.stats();
    assert_eq!((stats.exported, stats.dropped_on_end), (4, 6));
    assert_adds_up(&stats);
}

#[test]
fn exporters_of_the_sdk_get_the_same_spans() {
    let memory = InMemorySpanExporter::default();
    let (_tracer, guard) = run(builder().with_sdk_exporter(memory.clone()), 2);
    guard.flush().expect("delivery");
    let spans = memory.get_finished_spans().expect("the exporter's memory");
    assert_eq!(spans.len(), 2);
    assert!(spans.iter().all(|span| span.name == "work"));
    assert!(spans[0].attributes.contains(&KeyValue::new("n", 0)));
}

#[test]
fn a_full_queue_drops_and_counts() {
    let builder = builder()
        .with_env(|name| match name {
            "OTEL_BSP_MAX_QUEUE_SIZE" => Some("64".into()),
            "TRACED_LOG" => Some("off".into()),
            _ => None,
        })
        .with_exporter(acting(|_| Err(ExportError::Unreachable("down".into()))));
    let (_tracer, guard) = run(builder, 1000);
    let stats = guard.stats();
    assert_eq!(stats.ended, 1000);
    assert!(stats.dropped_queue_full >= 1000 - 64 - 64, "{stats:?}");
    assert_adds_up(&stats);
    let error = guard.shutdown(LONG).expect_err("the exporter is down");
    assert_eq!(error.exported(), 0);
    let stats = guard.stats();
    assert_eq!(stats.failed + stats.dropped_queue_full, 1000);
    assert_adds_up(&stats);
}

#[test]
fn shutting_down_again_answers_the_same_at_once() {
    let exporter = acting(|_| Err(ExportError::Unreachable("down".into())));
    let (_tracer, guard) = run(builder().with_exporter(exporter), 3);
    let first = guard.shutdown(LONG).expect_err("the exporter is down");
    let began = Instant::now();
    assert_eq!(guard.shutdown(LONG), Err(first.clone()));
    assert_eq!(guard.flush(), Err(first));
    assert!(began.elapsed() < LONG);
}

#[test]
fn local_tracers_keep_their_spans_apart() {
    let memory = || {
        let spans = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&spans);
        let exporter = acting(move |batch| {
            let service = batch.resource().service_name().to_owned();
            sink.lock()
                .unwrap()
                .extend(batch.spans().map(|_| service.clone()));
            Ok(())
        });
        (spans, exporter)
    };
    let (gateway_spans, exporter) = memory();
    let (gateway, gateway_guard) = builder()
        .with_service_name("gateway")
        .with_exporter(exporter)
        .build()
        .expect("a tracer");
    let (orders_spans, exporter) = memory();
    let (orders, orders_guard) = builder()
        .with_service_name("orders")
        .with_exporter(exporter)
        .build()
        .expect("a tracer");
    gateway.in_scope(|| {
        work(1);
        orders.in_scope(|| work(2));
        work(3);
    });
    gateway_guard.shutdown(LONG).expect("delivery");
    orders_guard.shutdown(LONG).expect("delivery");
    assert_eq!(*gateway_spans.lock().unwrap(), ["gateway", "gateway"]);
    assert_eq!(*orders_spans.lock().unwrap(), ["orders"]);
}

#[test]
fn no_timeout_is_too_long() {
    let (_tracer, guard) = run(builder().with_exporter(acting(|_| Ok(()))), 1);
    guard.shutdown(Duration::MAX).expect("delivery");
    assert_eq!(guard.stats().exported, 1);
}
