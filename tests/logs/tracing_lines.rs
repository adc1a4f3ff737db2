//! The current span on the lines of `tracing_subscriber`.

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use serde_json::Value;
use tests_logs::Output;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::tracing::{SpanEvents, WithSpan};
use trace_runtime::{Sampler, traced};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::with_default;
use tracing::{Level, debug, info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

fn text(output: &Output) -> impl tracing::Subscriber + Send + Sync + use<> {
    tracing_subscriber::fmt()
        .with_writer(output.clone())
        .with_ansi(false)
        .without_time()
        .map_event_format(WithSpan::text)
        .finish()
}

fn json(output: &Output) -> impl tracing::Subscriber + Send + Sync + use<> {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(output.clone())
        .map_event_format(WithSpan::json);
    tracing_subscriber::registry()
        .with(lines)
        .with(SpanEvents::new())
}

fn objects(output: &Output) -> Vec<Value> {
    let parse = |line: &String| serde_json::from_str(line).expect("a JSON object");
    output.lines().iter().map(parse).collect()
}

fn ids(capture: &Capture, name: &str) -> (String, String) {
    let spans = capture.spans();
    let span = spans.iter().find(|span| span.name == name);
    let span = span.unwrap_or_else(|| panic!("no span `{name}`"));
    (span.trace_id.to_string(), span.span_id.to_string())
}

#[traced]
fn charge(order_id: u64, api_key: &str) {
    let _ = (order_id, api_key);
    info!(attempt = 1, "charging");
}

#[test]
fn text_lines_end_with_the_ids_and_the_name() {
    let (output, capture) = (Output::default(), capture());
    with_default(text(&output), || capture.scope(|| charge(7, "k")));
    let (trace_id, span_id) = ids(&capture, "charge");
    assert_eq!(
        output.lines(),
        [format!(
            " INFO tracing_lines: charging attempt=1 trace_id={trace_id} span_id={span_id} \
             span_name=\"charge\""
        )]
    );
}

#[test]
fn json_lines_have_the_ids_and_the_name_at_the_top() {
    let (output, capture) = (Output::default(), capture());
    with_default(json(&output), || {
        capture.scope(|| tracing::info_span!("outer").in_scope(|| charge(7, "k")));
    });
    let (trace_id, span_id) = ids(&capture, "charge");
    let line = &objects(&output)[0];
    assert_eq!(line["trace_id"], trace_id);
    assert_eq!(line["span_id"], span_id);
    assert_eq!(line["span_name"], "charge");
    assert_eq!(line["span_attributes"], Value::Null, "nobody asked");
    assert_eq!(line["fields"]["message"], "charging");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["span"]["name"], "outer", "a span of `tracing`");
}

#[test]
fn lines_outside_any_span_stay_as_they_are() {
    let (with, without) = (Output::default(), Output::default());
    with_default(text(&with), || info!(n = 1, "hello"));
    let plain = tracing_subscriber::fmt()
        .with_writer(without.clone())
        .with_ansi(false)
        .without_time();
    with_default(plain.finish(), || info!(n = 1, "hello"));
    assert_eq!(with.lines(), without.lines());

    let output = Output::default();
    with_default(json(&output), || warn!("hello"));
    for key in ["trace_id", "span_id", "span_name"] {
        assert_eq!(objects(&output)[0][key], Value::Null);
    }
}

#[test]
fn attributes_are_shown_when_asked_and_secrets_are_not() {
    #[traced(fields(region = "eu", share = 0.5, tags = ["a", "b"]))]
    fn pay(order_id: u64, api_key: &str) {
        let _ = api_key;
        trace_runtime::record!(rows = 3, order_id = order_id + 1);
        info!("paid");
    }
    let (lines, capture) = (Output::default(), capture());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(lines.clone())
        .map_event_format(|format| {
            WithSpan::json(format)
                .with_span_name(false)
                .with_span_attributes(true)
        })
        .finish();
    with_default(subscriber, || capture.scope(|| pay(7, "s3cr3t")));
    let line = &objects(&lines)[0];
    assert_eq!(line["span_name"], Value::Null);
    assert_eq!(
        line["span_attributes"],
        serde_json::json!({
            "api_key": "[redacted]", "region": "eu", "share": 0.5, "tags": ["a", "b"],
            "rows": 3, "order_id": 8,
        })
    );
    assert!(!lines.lines()[0].contains("s3cr3t"));

    let lines = Output::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_ansi(false)
        .map_event_format(|format| WithSpan::text(format).with_span_attributes(true))
        .finish();
    with_default(subscriber, || capture.scope(|| charge(7, "s3cr3t")));
    let line = &lines.lines()[0];
    let end = r#"span_name="charge" span_attributes={order_id=7, api_key="[redacted]"}"#;
    assert!(line.ends_with(end), "{line}");
}

#[test]
fn colours_of_text_are_kept() {
    let (with, without) = (Output::default(), Output::default());
    let coloured = |output: &Output| {
        let output = output.clone();
        tracing_subscriber::fmt()
            .with_writer(output)
            .with_ansi(true)
            .without_time()
    };
    let capture = capture();
    with_default(coloured(&without).finish(), || warn!(n = 1, "hello"));
    let subscriber = coloured(&with).map_event_format(WithSpan::text).finish();
    with_default(subscriber, || {
        capture.scope(|| trace_runtime::span!("work" => warn!(n = 1, "hello")));
    });
    let (with, without) = (&with.lines()[0], &without.lines()[0]);
    assert!(
        without.contains('\u{1b}'),
        "colours were asked for: {without}"
    );
    assert!(with.starts_with(without.as_str()), "{with}\n{without}");
}

#[test]
fn every_text_format_is_one_that_can_be_wrapped() {
    let capture = capture();
    let (compact, pretty) = (Output::default(), Output::default());
    let subscriber = tracing_subscriber::fmt().compact().with_ansi(false);
    let subscriber = subscriber
        .with_writer(compact.clone())
        .map_event_format(WithSpan::text);
    with_default(subscriber.finish(), || capture.scope(|| charge(7, "k")));
    let subscriber = tracing_subscriber::fmt().pretty().with_ansi(false);
    let subscriber = subscriber
        .with_writer(pretty.clone())
        .map_event_format(WithSpan::text);
    with_default(subscriber.finish(), || capture.scope(|| charge(7, "k")));
    for lines in [compact.lines(), pretty.lines()] {
        let with_ids = lines
            .iter()
            .filter(|line| line.ends_with("span_name=\"charge\""));
        assert_eq!(with_ids.count(), 1, "{lines:?}");
    }
}

#[test]
fn spans_of_the_api_and_below_have_ids_and_spans_of_others_no_name() {
    let (output, capture) = (Output::default(), capture());
    with_default(json(&output), || {
        capture.scope(|| {
            let tracer = capture.tracer().provider().tracer("manual");
            tracer.in_span("by hand", |_| info!("a"));
            let others = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
            others.tracer("other").in_span("of an SDK", |cx| {
                info!("b");
                assert!(cx.span().is_recording());
            });
        });
    });
    let lines = objects(&output);
    assert_eq!(lines[0]["span_name"], "by hand");
    assert_eq!(lines[0]["span_id"], ids(&capture, "by hand").1);
    assert_ne!(lines[1]["trace_id"], Value::Null);
    assert_eq!(lines[1]["span_name"], Value::Null);
}

#[test]
fn asking_a_span_leaves_it_as_it_was() {
    let (output, capture) = (Output::default(), capture());
    with_default(json(&output), || {
        capture.scope(|| {
            let tracer = capture.tracer().provider().tracer("manual");
            let mut span = tracer.start("failed");
            span.set_status(opentelemetry::trace::Status::error("broken"));
            let cx = Context::current_with_span(span);
            let _attached = cx.attach();
            info!("a");
        });
    });
    assert_eq!(objects(&output)[0]["span_name"], "failed");
    let spans = capture.spans();
    assert_eq!(
        spans[0].status,
        opentelemetry::trace::Status::error("broken")
    );
    assert_eq!((spans[0].events.len(), spans[0].attributes.len()), (0, 0));
}

#[test]
fn the_trace_of_a_caller_is_shown_even_if_it_is_not_sampled() {
    let (output, capture) = (
        Output::default(),
        trace_runtime::testing::capture_with(Sampler::always_off()),
    );
    let headers = [(
        "traceparent".to_owned(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00".to_owned(),
    )];
    let headers = std::collections::HashMap::from(headers);
    with_default(json(&output), || {
        capture.scope(|| {
            let _attached = trace_runtime::extract(&headers).attach();
            charge(7, "k");
        });
    });
    let line = &objects(&output)[0];
    assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(line["span_name"], Value::Null, "nothing records here");
    assert!(capture.spans().is_empty());
}

/// The tasks take turns, on two threads, so that each line must come from its own context.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_follow_the_span_across_awaits_and_tasks() {
    #[traced]
    async fn job(n: u64) {
        for step in 0..20_u64 {
            info!(n, step, "step");
            tokio::task::yield_now().await;
        }
    }
    let (output, capture) = (Output::default(), capture());
    let dispatch = tracing::Dispatch::new(json(&output));
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let job = capture.scope_async(job(n));
            tokio::spawn(job.with_subscriber(dispatch.clone()))
        })
        .collect();
    for task in tasks {
        task.await.expect("the job ends");
    }
    let lines = objects(&output);
    assert_eq!(lines.len(), 80);
    let spans = capture.spans();
    for line in lines {
        let n = opentelemetry::Value::from(line["fields"]["n"].as_i64().expect("a number"));
        let span = spans.iter().find(|span| span.attribute("n") == Some(&n));
        let span = span.expect("its span");
        assert_eq!(line["span_id"], span.span_id.to_string());
        assert_eq!(line["trace_id"], span.trace_id.to_string());
    }
}

#[test]
fn the_users_layers_get_everything() {
    let (output, quiet, capture) = (Output::default(), Output::default(), capture());
    let all = tracing_subscriber::fmt::layer()
        .with_writer(output.clone())
        .with_ansi(false);
    let some = tracing_subscriber::fmt::layer()
        .with_writer(quiet.clone())
        .with_ansi(false)
        .with_filter(Targets::new().with_target("tracing_lines", Level::DEBUG));
    let subscriber = tracing_subscriber::registry()
        .with(SpanEvents::new())
        .with(all)
        .with(some);
    with_default(subscriber, || {
        capture.scope(|| {
            trace_runtime::span!("work" => {
                tracing::trace!("1");
                debug!("2");
                tracing::error!("3");
            });
        });
    });
    assert_eq!(output.lines().len(), 3);
    assert_eq!(quiet.lines().len(), 2);
    assert_eq!(capture.tree().matches("work").count(), 1);
}

/// The API warns while it has borrowed what the current span is read from.
#[test]
fn what_the_api_itself_logs_is_not_asked_for_a_span() {
    let (output, capture) = (Output::default(), capture());
    with_default(json(&output), || {
        capture.scope(|| {
            trace_runtime::span!("deep" => {
                let guards: Vec<_> = (0..=u16::MAX).map(|_| Context::current().attach()).collect();
                drop(guards.into_iter().rev().collect::<Vec<_>>());
            });
        });
    });
    let lines = objects(&output);
    assert!(!lines.is_empty(), "the stack of contexts is full");
    for line in lines {
        assert_eq!(line["target"], "opentelemetry");
        assert_eq!(line["trace_id"], Value::Null);
    }
}
