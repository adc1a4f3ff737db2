//! `record!`, `event!`, `set_error!` and `span!` inside a body.

use std::io;

use opentelemetry::trace::{Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use trace_runtime::{event, record, set_error, span, testing, traced};

const KEY: &str = "const.key";

struct User {
    id: u64,
}

#[traced]
fn records(user: &User) {
    let list = [1, 2];
    record!(rows = 1, ?list, "list.len" = 3 + 4, user.id, { KEY } = %"shown", none = None::<u8>);
    record!(rows = 2, api_key = "abc", token = 7);
    record!();
}

#[test]
fn attributes_are_set_and_the_last_one_wins() {
    let capture = testing::capture();
    capture.scope(|| records(&User { id: 9 }));
    assert_eq!(
        capture.tree(),
        "records {rows=2, list=\"[1, 2]\", list.len=7, user.id=9, const.key=\"shown\", api_key=\"[redacted]\", token=7}\n"
    );
}

#[traced]
fn looks_up(key: u64) {
    event!("cache miss", key, text = %key, password = "abc");
}

#[test]
fn an_event_has_a_name_and_attributes() {
    let capture = testing::capture();
    capture.scope(|| {
        looks_up(7);
    });
    let evaluated = || -> u64 { panic!("evaluated") };
    let nowhere = testing::capture_with(trace_runtime::Sampler::always_off());
    nowhere.scope(|| {
        event!("nobody is there", key = evaluated());
        record!(key = evaluated());
        set_error!(evaluated());
    });
    assert_eq!(
        capture.tree(),
        "looks_up {key=7}\n  - cache miss {key=7, text=\"7\", password=\"[redacted]\"}\n"
    );
}

#[traced]
fn falls_back() -> Result<u16, io::Error> {
    let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "port 80");
    set_error!(refused, fallback = true);
    Ok(80)
}

#[traced]
fn reports_and_returns() -> Result<(), io::Error> {
    let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "port 80");
    set_error!(&refused);
    Err(refused)
}

#[test]
fn an_error_that_is_not_returned_fails_the_span() {
    let capture = testing::capture();
    capture.scope(falls_back).unwrap();
    let spans = capture.spans();
    assert_eq!(spans[0].status, Status::error("port 80"));
    let error_type = spans[0].attribute("error.type");
    assert_eq!(error_type, Some(&"std::io::error::Error".into()));
    assert_eq!(spans[0].attribute("fallback"), Some(&true.into()));
    assert_eq!(spans[0].events.len(), 1);
}

#[test]
fn an_error_that_is_reported_and_returned_is_told_once() {
    let capture = testing::capture();
    capture.scope(reports_and_returns).unwrap_err();
    assert_eq!(capture.spans()[0].events.len(), 1);
}

#[traced]
fn parses(text: &str) -> Result<u64, std::num::ParseIntError> {
    let number: u64 = span!("parse", bytes = text.len(), ?text => {
        record!(inside = true);
        text.parse()?
    });
    Ok(span!("double" => number * 2))
}

#[test]
fn an_expression_runs_in_a_span_of_its_own() {
    let capture = testing::capture();
    assert_eq!(capture.scope(|| parses("21")), Ok(42));
    assert_eq!(
        capture.tree(),
        "parses {text=\"21\"}\n  parse {bytes=2, text=\"\\\"21\\\"\", inside=true}\n  double\n"
    );
}

#[test]
fn a_question_mark_leaves_the_span_and_the_function() {
    let capture = testing::capture();
    capture.scope(|| parses("x")).unwrap_err();
    let spans = capture.spans();
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[1].status, Status::Unset);
    assert!(spans[1].end_time <= spans[0].end_time);
}

#[test]
fn loops_and_inference_are_as_without_a_span() {
    let capture = testing::capture();
    let found = capture.scope(|| {
        for n in 0..10 {
            span!("step", n => if n == 3 { break } else { continue });
        }
        let numbers: Vec<u8> = span!("collect" => [1, 2].into_iter().collect());
        let default: String = span!("default" => Default::default());
        let nothing: Result<u8, String> = span!("result" => Ok(1));
        (numbers, default, nothing)
    });
    assert_eq!(found, (vec![1, 2], String::new(), Ok(1)));
    assert_eq!(capture.spans().len(), 7);
}

#[test]
fn a_panic_fails_the_span() {
    let capture = testing::capture();
    let run = || span!("fails" => panic!("no"));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| capture.scope(run)));
    caught.unwrap_err();
    let spans = capture.spans();
    assert_eq!(spans[0].attribute("error.type"), Some(&"panic".into()));
}

#[traced]
async fn loads(ids: &[u64]) -> u64 {
    let mut sum = 0;
    span!("load", count = ids.len() => async {
        for id in ids {
            tokio::task::yield_now().await;
            record!(last = id);
            sum += id;
        }
    })
    .await;
    record!(sum);
    sum
}

fn is_send<F: Send>(future: F) -> F {
    future
}

#[tokio::test]
async fn an_async_block_runs_in_a_span_of_its_own() {
    let capture = testing::capture();
    let sum = capture.scope_async(is_send(loads(&[1, 2]))).await;
    assert_eq!(sum, 3);
    assert_eq!(
        capture.tree(),
        "loads {ids=[1, 2], sum=3}\n  load {count=2, last=2}\n"
    );
}

#[tokio::test]
async fn a_future_that_is_never_polled_is_cancelled() {
    let capture = testing::capture();
    capture.scope(|| drop(span!("waits" => async {})));
    let cancelled = capture.spans()[0].attribute("traced.cancelled").cloned();
    assert_eq!(cancelled, Some(true.into()));
}

#[test]
fn a_name_can_be_made_when_it_is_needed() {
    let capture = testing::capture();
    capture.scope(|| span!(format!("part {}", 7), n = 1 => ()));
    assert_eq!(capture.tree(), "part 7 {n=1}\n");
    // Nothing is evaluated outside.
    let part = || -> String { panic!("evaluated") };
    let capture = testing::capture_with(trace_runtime::Sampler::always_off());
    capture.scope(|| span!("off", text = part() => ()));
}

#[test]
fn spans_of_the_api_are_spoken_to_as_well() {
    let capture = testing::capture();
    capture.scope(|| {
        let tracer = capture.tracer().provider().tracer("manual");
        tracer.in_span("by hand", |cx| {
            record!(rows = 1);
            event!("half way");
            set_error!("broken");
            assert!(cx.span().is_recording());
        });
    });
    assert_eq!(
        capture.tree(),
        "by hand {rows=1, error.type=\"str\"} !error \"broken\"\n  - half way\n  - exception {exception.type=\"str\", exception.message=\"broken\"}\n"
    );
}
