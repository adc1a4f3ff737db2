//! The `log` facade: ids on records, warnings and errors on spans.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};

use log::kv::{self, Key, VisitSource};
use log::{LevelFilter, Log};
use opentelemetry::trace::{Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, Value};
use serde_json::json;
use tests_logs::{Output, shown};
use trace_runtime::log::LogBridge;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::tracing::SpanEvents;
use trace_runtime::{SpanRecord, traced};
use tracing_subscriber::prelude::*;

/// A logger of text, as users have it.
fn text(output: &Output) -> env_logger::Logger {
    log::set_max_level(LevelFilter::Trace);
    env_logger::Builder::new()
        .filter_level(LevelFilter::Debug)
        .format_timestamp(None)
        .target(env_logger::Target::Pipe(Box::new(output.clone())))
        .build()
}

/// A logger of JSON, as users have it.
fn json(output: &Output) -> env_logger::Logger {
    struct Pairs(serde_json::Map<String, serde_json::Value>);
    impl<'kvs> VisitSource<'kvs> for Pairs {
        fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
            let value = match value.to_i64() {
                Some(number) => json!(number),
                None => json!(value.to_string()),
            };
            self.0.insert(key.to_string(), value);
            Ok(())
        }
    }
    log::set_max_level(LevelFilter::Trace);
    env_logger::Builder::new()
        .filter_level(LevelFilter::Trace)
        .format(|out, record| {
            let mut pairs = Pairs(serde_json::Map::new());
            let count = record.key_values().count();
            record
                .key_values()
                .visit(&mut pairs)
                .map_err(io::Error::other)?;
            assert_eq!(pairs.0.len(), count, "the count is right");
            pairs
                .0
                .insert("message".into(), json!(record.args().to_string()));
            writeln!(out, "{}", serde_json::Value::Object(pairs.0))
        })
        .target(env_logger::Target::Pipe(Box::new(output.clone())))
        .build()
}

fn objects(output: &Output) -> Vec<serde_json::Value> {
    let parse = |line: &String| serde_json::from_str(line).expect("a JSON object");
    output.lines().iter().map(parse).collect()
}

fn in_a_span(capture: &Capture, body: impl FnOnce()) {
    capture.scope(|| trace_runtime::span!("work" => body()));
}

fn recorded(body: impl FnOnce(&dyn Log)) -> SpanRecord {
    let (output, capture) = (Output::default(), capture());
    let bridge = LogBridge::new(text(&output));
    in_a_span(&capture, || body(&bridge));
    capture.spans().remove(0)
}

fn names(span: &SpanRecord) -> Vec<&str> {
    span.events.iter().map(|event| &*event.name).collect()
}

#[test]
fn text_lines_have_the_ids_and_the_name() {
    let (output, capture) = (Output::default(), capture());
    let bridge = LogBridge::new(text(&output));
    in_a_span(
        &capture,
        || log::info!(logger: bridge, attempt = 2; "charging"),
    );
    let span = capture.spans().remove(0);
    let (trace_id, span_id) = (span.trace_id, span.span_id);
    assert_eq!(
        output.lines(),
        [format!(
            "[INFO  log_bridge] charging attempt=2 trace_id={trace_id} span_id={span_id} \
             span_name=work"
        )]
    );
}

#[test]
fn json_lines_have_the_ids_and_when_asked_the_attributes() {
    #[traced(fields(tags = [1, 2], ok = true))]
    fn charge(order_id: u64, api_key: &str, bridge: &dyn Log) {
        let _ = (order_id, api_key);
        log::info!(logger: bridge, attempt = 2; "charging");
    }
    let (output, capture) = (Output::default(), capture());
    let bridge = LogBridge::new(json(&output)).with_span_attributes(true);
    capture.scope(|| charge(7, "s3cr3t", &bridge));
    let span = capture.spans().remove(0);
    assert_eq!(
        objects(&output),
        [json!({
            "message": "charging",
            "attempt": 2,
            "trace_id": span.trace_id.to_string(),
            "span_id": span.span_id.to_string(),
            "span_name": "charge",
            "span_attributes.order_id": 7,
            "span_attributes.api_key": "[redacted]",
            "span_attributes.tags": "[1,2]",
            "span_attributes.ok": "true",
        })]
    );
    let output = Output::default();
    let bridge = LogBridge::new(json(&output)).with_span_name(false);
    in_a_span(&capture, || log::info!(logger: bridge, "x"));
    assert_eq!(objects(&output)[0]["span_name"], serde_json::Value::Null);
}

#[test]
fn records_outside_any_span_are_passed_on_as_they_are() {
    let output = Output::default();
    let bridge = LogBridge::new(text(&output));
    log::warn!(logger: bridge, n = 1; "hello");
    assert_eq!(output.lines(), ["[WARN  log_bridge] hello n=1"]);
}

#[test]
fn the_users_logger_gets_everything_and_filters_itself() {
    let (output, capture) = (Output::default(), capture());
    let bridge = LogBridge::new(text(&output));
    in_a_span(&capture, || {
        log::error!(logger: bridge, "1");
        log::warn!(logger: bridge, "2");
        log::info!(logger: bridge, "3");
        log::debug!(logger: bridge, "4");
        log::trace!(logger: bridge, "too fine for it");
    });
    assert_eq!(output.lines().len(), 4);
    assert!(log::log_enabled!(logger: bridge, log::Level::Debug));
    assert!(!log::log_enabled!(logger: bridge, log::Level::Trace));
    assert_eq!(names(&capture.spans()[0]), ["1", "2"]);

    let silent = LogBridge::new(
        env_logger::Builder::new()
            .filter_level(LevelFilter::Off)
            .build(),
    );
    assert!(log::log_enabled!(logger: silent, log::Level::Warn));
    assert!(!log::log_enabled!(logger: silent, log::Level::Info));
}

#[test]
fn the_threshold_is_a_setting() {
    let with = |level| {
        let (output, capture) = (Output::default(), capture());
        let bridge = LogBridge::new(text(&output)).with_max_level(level);
        in_a_span(&capture, || {
            log::error!(logger: bridge, "1");
            log::warn!(logger: bridge, "2");
            log::info!(logger: bridge, "3");
        });
        assert_eq!(output.lines().len(), 3);
        capture.spans().remove(0)
    };
    assert_eq!(names(&with(LevelFilter::Off)), [""; 0]);
    assert_eq!(names(&with(LevelFilter::Error)), ["1"]);
    assert_eq!(names(&with(LevelFilter::Info)), ["1", "2", "3"]);
}

#[test]
fn key_values_keep_their_types_and_secrets_are_redacted() {
    let span = recorded(|bridge| {
        log::warn!(
            logger: bridge,
            target: "bank",
            attempt = 2, wait = 0.5, last = false, host = "db1", point:? = Some(1), letter = 'x',
            nothing = None::<u64>, huge = u64::MAX, password = "p4ss", token = "t0k", tokens = 3;
            "retrying {}", 7
        );
    });
    let events: Vec<_> = span.events.iter().map(shown).collect();
    assert_eq!(
        events,
        [
            "retrying 7 {level=\"WARN\", target=\"bank\", attempt=2, wait=0.5, last=false, \
          host=\"db1\", point=\"Some(1)\", letter=\"x\", huge=\"18446744073709551615\", \
          password=\"[redacted]\", token=\"[redacted]\", tokens=3}"
        ]
    );
    assert_eq!(span.status, Status::Unset, "the function decides");
}

#[derive(Debug)]
struct Broken(io::Error);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection broke")
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_key_value_that_is_an_error_makes_it_an_exception() {
    let span = recorded(|bridge| {
        let broken = Broken(io::ErrorKind::ConnectionReset.into());
        log::error!(logger: bridge, error:err = broken, attempt = 3; "giving up");
    });
    let event = shown(&span.events[0]);
    // A backtrace follows where the environment asks for one.
    let (start, end) = event.split_once("connection reset").expect("the message");
    assert_eq!(
        start,
        "exception {exception.type=\"ConnectionReset\", exception.message=\"the connection broke: "
    );
    assert!(
        end.starts_with("\", exception.stacktrace=\"Caused by:\\n    0: connection reset"),
        "{end}"
    );
    assert!(
        end.ends_with(
            "\", level=\"ERROR\", target=\"log_bridge\", message=\"giving up\", attempt=3}"
        ),
        "{end}"
    );
}

#[test]
fn events_are_bounded_in_number_and_size() {
    struct Many;
    impl kv::Source for Many {
        fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
            for n in 0..100_000_i64 {
                visitor.visit_pair(Key::from_str("n"), n.into())?;
            }
            Ok(())
        }
    }
    let span = recorded(|bridge| {
        let long = "é".repeat(5000);
        let many = log::Record::builder()
            .level(log::Level::Warn)
            .key_values(&Many)
            .args(format_args!("many"))
            .build();
        bridge.log(&many);
        log::warn!(logger: bridge, long = long.as_str(), shown:% = long; "{long}");
        for _ in 2..200 {
            log::warn!(logger: bridge, "again");
        }
    });
    assert_eq!((span.events.len(), span.dropped_events_count), (128, 72));
    assert_eq!(span.events[0].attributes.len(), 128);
    assert!(span.events[0].dropped_attributes_count > 0);
    let event = &span.events[1];
    assert_eq!(event.name.chars().count(), 1024);
    for attribute in &event.attributes[2..] {
        let Value::String(text) = &attribute.value else {
            panic!("a text: {attribute:?}");
        };
        assert_eq!(text.as_str().chars().count(), 1024, "{}", attribute.key);
    }
}

/// A record that goes on to `tracing`, whose events are recorded too, is recorded once.
#[test]
fn a_record_that_becomes_an_event_of_tracing_is_recorded_once() {
    log::set_max_level(LevelFilter::Trace);
    let (output, capture) = (Output::default(), capture());
    let lines = tracing_subscriber::fmt::layer().with_writer(output.clone());
    let subscriber = tracing_subscriber::registry()
        .with(SpanEvents::new())
        .with(lines);
    let bare = tracing_log::LogTracer::new();
    let bridge = LogBridge::new(tracing_log::LogTracer::new());
    tracing::subscriber::with_default(subscriber, || {
        in_a_span(&capture, || {
            log::warn!(logger: bridge, target: "bank", "through the bridge");
            log::warn!(logger: bare, target: "bank", "without");
            log::info!(logger: bridge, "too fine");
        });
    });
    assert_eq!(output.lines().len(), 3);
    let events: Vec<_> = capture.spans()[0].events.iter().map(shown).collect();
    assert_eq!(
        events,
        [
            "through the bridge {level=\"WARN\", target=\"bank\"}",
            "without {level=\"WARN\", target=\"bank\"}",
        ]
    );
}

#[test]
fn what_is_logged_while_recording_is_passed_on_and_not_recorded() {
    struct Chatty<'a>(&'a dyn Log);
    impl fmt::Display for Chatty<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            log::warn!(logger: self.0, "formatting");
            f.write_str("Chatty")
        }
    }
    let (output, capture) = (Output::default(), capture());
    let (inner, outer) = (
        LogBridge::new(text(&output)),
        LogBridge::new(text(&Output::default())),
    );
    in_a_span(&capture, || {
        log::warn!(logger: outer, "{}", Chatty(&inner));
    });
    assert_eq!(names(&capture.spans()[0]), ["Chatty"]);
    assert!(output.lines()[0].contains("formatting"));
    assert!(
        output.lines()[0].contains("trace_id="),
        "lines have their ids all the same"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_and_events_follow_the_span_across_awaits_and_tasks() {
    #[traced]
    async fn job(n: u64, bridge: &LogBridge<env_logger::Logger>) {
        for step in 0..10_u64 {
            log::warn!(logger: bridge, n, step; "step");
            tokio::task::yield_now().await;
        }
    }
    let (output, capture) = (Output::default(), capture());
    let bridge = std::sync::Arc::new(LogBridge::new(json(&output)));
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let bridge = std::sync::Arc::clone(&bridge);
            tokio::spawn(capture.scope_async(async move { job(n, &bridge).await }))
        })
        .collect();
    for task in tasks {
        task.await.expect("the job ends");
    }
    let (lines, spans) = (objects(&output), capture.spans());
    assert_eq!((lines.len(), spans.len()), (40, 4));
    for line in lines {
        let span = spans
            .iter()
            .find(|span| line["span_id"] == span.span_id.to_string());
        let n = span.and_then(|span| span.attribute("n"));
        assert_eq!(n, Some(&Value::from(line["n"].as_i64().expect("a number"))));
    }
    assert!(spans.iter().all(|span| span.events.len() == 10));
}

/// Lines of the API and its SDK come from places where the current span must not be asked.
#[test]
fn records_of_opentelemetry_itself_are_passed_on_untouched() {
    let (output, capture) = (Output::default(), capture());
    let bridge = LogBridge::new(text(&output));
    in_a_span(&capture, || {
        opentelemetry::Context::map_current(|_| {
            log::warn!(logger: bridge, target: "opentelemetry", "too many contexts");
        });
    });
    assert_eq!(output.lines(), ["[WARN  opentelemetry] too many contexts"]);
    assert!(names(&capture.spans()[0]).is_empty());
}

/// What the lines ask for may be gone by then, and a panic in a destructor ends the process.
#[test]
fn a_thread_may_log_while_it_ends() {
    struct LogsLast(LogBridge<env_logger::Logger>);
    impl Drop for LogsLast {
        fn drop(&mut self) {
            log::warn!(logger: self.0, "the thread ends");
        }
    }
    thread_local! {
        static FIRST: std::cell::RefCell<Option<LogsLast>> = const { std::cell::RefCell::new(None) };
        static LATER: std::cell::RefCell<Option<LogsLast>> = const { std::cell::RefCell::new(None) };
    }
    let (output, capture) = (Output::default(), capture());
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let bridge = || LogBridge::new(text(&output));
            FIRST.set(Some(LogsLast(bridge())));
            let tracer = capture.tracer().provider().tracer("manual");
            let cx = capture.scope(|| Context::current_with_span(tracer.start("left open")));
            // Current until the thread is gone.
            std::mem::forget(cx.clone().attach());
            LATER.set(Some(LogsLast(bridge())));
            log::warn!(logger: bridge(), "before");
            cx.span().end();
        });
        // The end of the scope would not wait for the destructors of the thread.
        thread.join().expect("no panic");
    });
    let lines = output.lines();
    let ends = lines.iter().filter(|line| line.contains("the thread ends"));
    assert_eq!(ends.count(), 2, "{lines:?}");
    assert!(lines[0].contains("before trace_id="), "{lines:?}");
}
