//! Events of `tracing` as events of the span that they happened in.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use opentelemetry::Value;
use opentelemetry::trace::Status;
use tests_logs::{Output, shown};
use trace_runtime::testing::{Capture, capture, capture_with};
use trace_runtime::tracing::SpanEvents;
use trace_runtime::{Keep, Sampler, SpanRecord, Tracer, traced};
use tracing::instrument::WithSubscriber as _;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::with_default;
use tracing::{Level, debug, error, info, instrument, warn};
use tracing_subscriber::prelude::*;

fn subscriber() -> impl tracing::Subscriber + Send + Sync {
    tracing_subscriber::registry().with(SpanEvents::new())
}

/// The events of the only span that `body` runs in.
fn recorded(layer: SpanEvents, body: impl FnOnce()) -> SpanRecord {
    let capture = capture();
    let subscriber = tracing_subscriber::registry().with(layer);
    with_default(subscriber, || in_a_span(&capture, body));
    capture.spans().remove(0)
}

fn in_a_span(capture: &Capture, body: impl FnOnce()) {
    capture.scope(|| trace_runtime::span!("work" => body()));
}

fn names(span: &SpanRecord) -> Vec<&str> {
    span.events.iter().map(|event| &*event.name).collect()
}

#[test]
fn warnings_and_errors_are_recorded_with_typed_fields() {
    let span = recorded(SpanEvents::new(), || {
        info!("not this");
        debug!("nor this");
        warn!(attempt = 2, wait = 0.5, last = false, host = "db1", span = ?Some(1), "retrying");
        error!(target: "bank", huge = u64::MAX, wide = 1_i128 << 100, small = -1_i128, "no money");
    });
    let events: Vec<_> = span.events.iter().map(shown).collect();
    assert_eq!(
        events,
        [
            "retrying {level=\"WARN\", target=\"tracing_events\", attempt=2, wait=0.5, last=false, \
             host=\"db1\", span=\"Some(1)\"}",
            "no money {level=\"ERROR\", target=\"bank\", huge=\"18446744073709551615\", \
             wide=\"1267650600228229401496703205376\", small=-1}",
        ]
    );
    assert_eq!(span.status, Status::Unset, "the function decides");
}

#[test]
fn the_threshold_is_a_setting() {
    let log = || {
        error!("1");
        warn!("2");
        info!("3");
        debug!("4");
    };
    let with = |level: LevelFilter| recorded(SpanEvents::new().with_max_level(level), log);
    assert_eq!(names(&with(LevelFilter::OFF)), [""; 0]);
    assert_eq!(names(&with(LevelFilter::ERROR)), ["1"]);
    assert_eq!(names(&with(LevelFilter::INFO)), ["1", "2", "3"]);
    let span = recorded(SpanEvents::new().with_max_level(Level::DEBUG), log);
    assert_eq!(names(&span), ["1", "2", "3", "4"]);
}

#[test]
fn nothing_is_recorded_without_a_span_that_records() {
    let subscriber = subscriber();
    let off = capture_with(Sampler::always_off());
    with_default(subscriber, || {
        warn!("no span");
        in_a_span(&off, || warn!("not sampled"));
    });
    assert!(off.spans().is_empty());
}

#[test]
fn events_are_bounded_in_number_and_size() {
    struct Endless<'a>(&'a AtomicUsize);
    impl fmt::Debug for Endless<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                self.0.fetch_add(1, Ordering::Relaxed);
                f.write_str("0123456789")?;
            }
        }
    }
    let pieces = AtomicUsize::new(0);
    let span = recorded(SpanEvents::new(), || {
        let long = "é".repeat(5000);
        warn!(long = %long, text = long.as_str(), endless = ?Endless(&pieces), "{long}");
        for n in 1..200 {
            warn!(n, "again");
        }
    });
    assert_eq!(span.events.len(), 128);
    assert_eq!(span.dropped_events_count, 72);
    let event = &span.events[0];
    assert_eq!(event.name.chars().count(), 1024);
    for attribute in &event.attributes[2..] {
        let Value::String(text) = &attribute.value else {
            panic!("a text: {attribute:?}");
        };
        assert_eq!(text.as_str().chars().count(), 1024, "{}", attribute.key);
        assert!(text.as_str().ends_with('…'));
    }
    assert_eq!(event.attributes.len(), 5);
    assert!(pieces.into_inner() < 500, "formatting stops in time");
}

/// A tracer with these variables, and the spans it keeps.
fn tracer(
    variables: &[(&'static str, &'static str)],
) -> (Tracer, Arc<Mutex<Vec<SpanRecord>>>, impl Drop) {
    let variables = variables.to_vec();
    let spans = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&spans);
    let lookup = move |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let (tracer, guard) = Tracer::builder()
        .with_env(lookup)
        .with_exporter(Nowhere)
        .with_on_end(move |span: &mut SpanRecord| {
            kept.lock().expect("no panic").push(span.clone());
            Keep::No
        })
        .build()
        .expect("the settings are good");
    (tracer, spans, guard)
}

struct Nowhere;

impl trace_runtime::Exporter for Nowhere {
    fn export(&mut self, _: &trace_runtime::Batch<'_>) -> Result<(), trace_runtime::ExportError> {
        Ok(())
    }

    fn target(&self) -> String {
        "nowhere".into()
    }
}

#[test]
fn limits_of_the_environment_hold() {
    let (tracer, spans, guard) = tracer(&[
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "2"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "3"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4"),
    ]);
    with_default(subscriber(), || {
        tracer.in_scope(|| {
            trace_runtime::span!("work" => {
                warn!(a = "abcdef", b = 2, "one");
                warn!("two");
                warn!("three");
            });
        });
    });
    drop(guard);
    let spans = spans.lock().expect("no panic");
    let span = &spans[0];
    assert_eq!((span.events.len(), span.dropped_events_count), (2, 1));
    let event = &span.events[0];
    assert_eq!(
        (event.attributes.len(), event.dropped_attributes_count),
        (3, 1)
    );
    assert_eq!(event.attributes[2].value, Value::from("abcd"));
}

#[test]
fn secrets_are_redacted_also_those_of_the_environment() {
    let (tracer, spans, guard) = tracer(&[("TRACED_REDACT", "email")]);
    with_default(subscriber(), || {
        tracer.in_scope(|| {
            trace_runtime::span!("work" => {
                warn!(password = "p4ss", tokens = 3, token = "t0k", user.email = "a@b.example", "login");
                warn!(session = 1, api_key = ?"k3y", "again");
            });
        });
    });
    drop(guard);
    let spans = spans.lock().expect("no panic");
    let text = format!("{:?}", spans[0].events);
    for secret in ["p4ss", "t0k", "a@b", "k3y"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(text.matches("[redacted]").count(), 5, "{text}");
    assert!(text.contains("I64(3)"), "a number of tokens is no secret");
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
fn a_field_that_is_an_error_makes_it_an_exception() {
    let span = recorded(SpanEvents::new(), || {
        let broken = Broken(io::ErrorKind::ConnectionReset.into());
        let other = io::Error::other("another");
        error!(
            error = &broken as &(dyn Error + 'static),
            attempt = 3,
            other = &other as &(dyn Error + 'static),
            "giving up"
        );
    });
    let event = &span.events[0];
    assert_eq!(event.name, "exception");
    let get = |key: &str| {
        let found = event.attributes.iter().find(|kv| kv.key.as_str() == key);
        found.map(|kv| kv.value.to_string())
    };
    assert_eq!(get("exception.type").as_deref(), Some("ConnectionReset"));
    let message = get("exception.message").expect("a message");
    assert_eq!(message, "the connection broke: connection reset");
    let trace = get("exception.stacktrace").expect("the causes");
    assert!(
        trace.starts_with("Caused by:\n    0: connection reset"),
        "{trace}"
    );
    assert_eq!(get("message").as_deref(), Some("giving up"));
    assert_eq!(get("attempt").as_deref(), Some("3"));
    assert_eq!(get("other").as_deref(), Some("another"));
    assert_eq!(get("level").as_deref(), Some("ERROR"));
    assert_eq!(get("error"), None, "it is the exception");
    assert_eq!(span.status, Status::Unset);
}

#[test]
fn the_error_of_an_instrumented_function_is_an_exception() {
    #[instrument(err)]
    fn fails() -> Result<(), Broken> {
        Err(Broken(io::ErrorKind::ConnectionReset.into()))
    }
    let span = recorded(SpanEvents::new(), || {
        let _ = fails();
        error!(error = "a text", "with a message");
    });
    assert_eq!(names(&span), ["exception", "with a message"]);
    let attributes = &span.events[0].attributes;
    assert_eq!(attributes[0].key.as_str(), "exception.message");
    assert_eq!(attributes[0].value, Value::from("the connection broke"));
    assert_eq!(attributes.len(), 3);
    assert_eq!(span.status, Status::error("the connection broke"));

    #[instrument(err(level = "warn"))]
    fn fails_mildly() -> Result<(), Broken> {
        Err(Broken(io::ErrorKind::ConnectionReset.into()))
    }
    let span = recorded(SpanEvents::new(), || drop(fails_mildly()));
    assert_eq!(names(&span), ["exception"]);
    assert_eq!(span.status, Status::Unset);
}

#[test]
fn an_event_without_a_message_is_named_after_its_place() {
    let span = recorded(SpanEvents::new(), || warn!(n = 1));
    let name = &span.events[0].name;
    assert!(
        name.starts_with("event ") && name.contains("tracing_events.rs:"),
        "{name}"
    );
}

/// The subscriber writes both lines, but recording one event records no other.
#[test]
fn what_is_logged_while_recording_is_not_recorded() {
    struct Chatty;
    impl fmt::Debug for Chatty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            warn!("formatting");
            f.write_str("Chatty")
        }
    }
    let (output, capture) = (Output::default(), capture());
    let lines = tracing_subscriber::fmt::layer().with_writer(output.clone());
    let subscriber = tracing_subscriber::registry()
        .with(SpanEvents::new())
        .with(lines);
    with_default(subscriber, || {
        in_a_span(&capture, || warn!(chatty = ?Chatty, "outer"));
    });
    assert_eq!(names(&capture.spans()[0]), ["outer"]);
    assert!(output.lines().iter().any(|line| line.contains("outer")));
}

#[test]
fn a_panic_while_recording_does_not_end_recording() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("no output")
        }
    }
    let span = recorded(SpanEvents::new(), || {
        let log = || warn!(panics = ?Panics, "lost");
        assert!(std::panic::catch_unwind(log).is_err());
        warn!("after");
    });
    assert_eq!(names(&span), ["after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_find_their_span_across_awaits_and_tasks() {
    #[traced]
    async fn outer(n: u64) {
        warn!(n, "outer before");
        tokio::task::yield_now().await;
        trace_runtime::spawn(inner(n).with_current_subscriber())
            .await
            .expect("the task ends");
        warn!(n, "outer after");
    }
    #[traced]
    async fn inner(n: u64) {
        tokio::task::yield_now().await;
        warn!(n, "inner");
    }
    let capture = capture();
    let dispatch = tracing::Dispatch::new(subscriber());
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            tokio::spawn(
                capture
                    .scope_async(outer(n))
                    .with_subscriber(dispatch.clone()),
            )
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends");
    }
    let spans = capture.spans();
    assert_eq!(spans.len(), 8);
    for span in spans {
        let expected: &[&str] = match &*span.name {
            "outer" => &["outer before", "outer after"],
            _ => &["inner"],
        };
        assert_eq!(names(&span), expected);
        for event in &span.events {
            let n = event.attributes.iter().find(|kv| kv.key.as_str() == "n");
            assert_eq!(n.map(|kv| &kv.value), span.attribute("n"));
        }
    }
}
