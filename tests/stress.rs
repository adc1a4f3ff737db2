//! Threads that are born and die at random, each recording spans, for so many seconds: every span
//! that ended is exported or counted as dropped, in order, whole and once.
//!
//!     cargo run --release -p tests --bin stress -- 60

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use trace_runtime::opentelemetry::Value;
use trace_runtime::opentelemetry::trace::TraceContextExt as _;
use trace_runtime::{Batch, ExportError, Exporter, SpanView, Tracer, event, traced};

/// How many threads record at a time.
const THREADS: u64 = 8;

/// What arrived of each thread: the number of its last span, and how many there were.
#[derive(Default)]
struct Arrived {
    threads: HashMap<i64, (i64, u64)>,
    spans: u64,
}

/// Fast and slow by turns, so that the queue is empty and full by turns.
struct Sink {
    arrived: Arc<Mutex<Arrived>>,
    random: Random,
}

impl Exporter for Sink {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        {
            let mut arrived = self.arrived.lock().expect("nobody panics");
            for span in batch.spans() {
                let (thread, number) = (integer(&span, "thread"), integer(&span, "number"));
                check(&span, number);
                let (last, count) = arrived.threads.entry(thread).or_insert((-1, 0));
                assert!(number > *last, "thread {thread}: {number} after {last}");
                (*last, *count) = (number, *count + 1);
                arrived.spans += 1;
            }
        }
        if self.random.next() % 64 == 0 {
            thread::sleep(Duration::from_micros(self.random.next() % 3_000));
        }
        Ok(())
    }

    fn target(&self) -> String {
        "the stress test".to_owned()
    }
}

fn integer(span: &SpanView<'_>, key: &str) -> i64 {
    let value = span.attributes().find(|(name, _)| *name == key);
    match value {
        Some((_, trace_runtime::Value::I64(value))) => value,
        other => panic!("`{key}` of {} is {other:?}", span.name()),
    }
}

/// What belongs to a span by its number has arrived with it.
fn check(span: &SpanView<'_>, number: i64) {
    assert_eq!(span.events().len(), usize::from(number % 7 == 0));
    let text = span.attributes().find(|(name, _)| *name == "text");
    let len = match text {
        Some((_, trace_runtime::Value::Str(text))) => text.len() as i64,
        other => panic!("`text` is {other:?}"),
    };
    assert_eq!(len, number % 300);
}

#[traced]
fn step(thread: i64, number: i64, text: &str) {
    if number % 7 == 0 {
        event!("seventh");
    }
    if number % 11 == 0 {
        // Through the API, and without effect on what is checked.
        let cx = trace_runtime::opentelemetry::Context::current();
        let key = trace_runtime::opentelemetry::KeyValue::new("late", Value::I64(number));
        cx.span().set_attribute(key);
    }
    std::hint::black_box((thread, text));
}

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Keeps `THREADS` threads alive until the end, each for a few spans or a few thousand.
fn birth_and_death(tracer: &Tracer, end: Instant, born: &AtomicU64, slot: u64) {
    let mut random = Random(slot + 1);
    while Instant::now() < end {
        let thread = born.fetch_add(1, Ordering::Relaxed) as i64;
        let spans = 1_i64 << (random.next() % 13);
        let own = tracer.clone();
        let life = move || {
            let text = "x".repeat(300);
            own.in_scope(|| {
                for number in 0..spans {
                    step(thread, number, &text[..(number % 300) as usize]);
                }
            });
        };
        thread::spawn(life).join().expect("a thread lives its life");
        // Now and then the worker catches up.
        thread::sleep(Duration::from_millis(random.next() % 20));
    }
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let seconds: u64 = seconds.expect("expected a number of seconds");
    let arrived = Arc::default();
    let sink = Sink {
        arrived: Arc::clone(&arrived),
        random: Random(99),
    };
    let (tracer, guard) = Tracer::builder()
        .with_service_name("stress")
        .with_env(|name| (name == "OTEL_BSP_MAX_QUEUE_SIZE").then(|| "4096".to_owned()))
        .with_exporter(sink)
        .build()
        .expect("a valid configuration");
    let end = Instant::now() + Duration::from_secs(seconds);
    let born = AtomicU64::new(0);
    thread::scope(|scope| {
        for slot in 0..THREADS {
            let (tracer, born) = (&tracer, &born);
            scope.spawn(move || birth_and_death(tracer, end, born, slot));
        }
    });
    let delivered = guard.shutdown(Duration::from_secs(60));
    let stats = guard.stats();
    println!("{} threads: {stats:?}", born.load(Ordering::Relaxed));
    assert_eq!(delivered, Ok(()));
    let arrived: std::sync::MutexGuard<'_, Arrived> = arrived.lock().expect("nobody panics");
    assert_eq!(stats.ended, stats.exported + stats.dropped_queue_full);
    assert_eq!(stats.exported, arrived.spans);
    assert_eq!((stats.open, stats.queued, stats.failed), (0, 0, 0));
    println!("every span is accounted for");
}
