//! `TRACED_LOG`: what we have to say ourselves goes to the subscriber, and round in no circle.

use std::time::{Duration, Instant};

use tests::closed_port::ClosedPort;
use tests_logs::Output;
use trace_runtime::Tracer;
use trace_runtime::tracing::{SpanEvents, WithSpan};
use tracing_subscriber::prelude::*;

/// The only test of this process, for the worker's thread sees only a global subscriber.
#[test]
fn our_own_lines_go_to_the_subscriber_by_default() {
    let output = Output::default();
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(output.clone())
        .map_event_format(WithSpan::json);
    tracing_subscriber::registry()
        .with(SpanEvents::new().with_max_level(tracing::Level::TRACE))
        .with(lines)
        .init();
    let port = ClosedPort::default();
    let (tracer, guard) = Tracer::builder()
        .with_service_name("shop")
        .with_endpoint(port.url())
        .with_env(|_| None)
        .with_flush_interval(Duration::from_millis(10))
        .build()
        .expect("the settings are good");
    tracer.in_scope(|| trace_runtime::span!("work" => {}));
    let _ = guard.flush();
    let deadline = Instant::now() + Duration::from_secs(20);
    let ours = loop {
        let lines = output.lines().into_iter();
        let ours: Vec<serde_json::Value> = lines
            .map(|line| serde_json::from_str(&line).expect("a JSON object"))
            .filter(|line: &serde_json::Value| line["target"] == "trace_runtime")
            .collect();
        if ours.iter().any(|line| line["level"] == "WARN") || Instant::now() > deadline {
            break ours;
        }
        std::thread::yield_now();
    };
    let warning = ours.iter().find(|line| line["level"] == "WARN");
    let warning = warning.unwrap_or_else(|| panic!("no warning in {ours:?}"));
    let text = warning["fields"]["message"].as_str().expect("a text");
    assert!(text.contains(&port.address.to_string()), "{text}");
    assert_eq!(warning["trace_id"], serde_json::Value::Null);
    let _ = guard.shutdown(Duration::from_secs(1));
    assert_eq!(guard.stats().ended, 1, "our own lines make no spans");
}
