//! Panics: every span they pass is failed, the innermost one tells what happened, once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use opentelemetry::trace::Status;
use trace_runtime::{
    Batch, ExportError, Exporter, SpanRecord, Tracer, TracerGuard, testing, traced,
};

struct Nowhere;

impl Exporter for Nowhere {
    fn export(&mut self, _: &Batch<'_>) -> Result<(), ExportError> {
        Ok(())
    }

    fn target(&self) -> String {
        "nowhere".to_owned()
    }
}

/// An explicit start chains the panic hook, from which spans know message and place.
fn hook() {
    static GUARD: OnceLock<TracerGuard> = OnceLock::new();
    GUARD.get_or_init(|| {
        let builder = Tracer::builder().with_env(|_| None);
        builder.with_exporter(Nowhere).install().expect("a tracer")
    });
}

/// Name, status and number of events of each span, and that each is a panic's.
fn panicked(spans: &[SpanRecord]) -> Vec<(&str, &Status, usize)> {
    let each = spans.iter().map(|span| {
        assert_eq!(span.attribute("error.type"), Some(&"panic".into()));
        (&*span.name, &span.status, span.events.len())
    });
    each.collect()
}

#[traced]
fn inner(n: u64) -> Result<u64, String> {
    assert!(n == 0, "n is {n}");
    Ok(n)
}

#[traced]
fn middle(n: u64) -> Result<u64, String> {
    inner(n)
}

#[traced]
fn outer(n: u64) -> Result<u64, String> {
    middle(n)
}

#[test]
fn a_panic_fails_every_span_and_is_told_once() {
    hook();
    let capture = testing::capture();
    capture.scope(|| catch_unwind(|| outer(7))).unwrap_err();
    let spans = capture.spans();
    let (told, passed) = (Status::error("n is 7"), Status::error(""));
    assert_eq!(
        panicked(&spans),
        [
            ("outer", &passed, 0),
            ("middle", &passed, 0),
            ("inner", &told, 1)
        ]
    );
    let event = &spans[2].events[0];
    let text = |key: &str| {
        let found = event.attributes.iter().find(|kv| kv.key.as_str() == key);
        found.map(|kv| kv.value.to_string())
    };
    assert_eq!(event.name, "exception");
    assert_eq!(text("exception.type").as_deref(), Some("panic"));
    assert_eq!(text("exception.message").as_deref(), Some("n is 7"));
    let place = text("exception.stacktrace").unwrap();
    assert!(place.contains(file!()), "{place}");
}

#[traced]
async fn inner_async(n: u64) -> u64 {
    tokio::task::yield_now().await;
    assert!(n == 0, "n is {n}");
    n
}

#[traced]
async fn outer_async(n: u64) -> u64 {
    tokio::task::yield_now().await;
    inner_async(n).await
}

#[tokio::test]
async fn a_panic_in_a_task_fails_every_span_and_is_told_once() {
    hook();
    let capture = testing::capture();
    let task = tokio::spawn(capture.scope_async(outer_async(7)));
    assert!(task.await.unwrap_err().is_panic());
    let spans = capture.spans();
    let (told, passed) = (Status::error("n is 7"), Status::error(""));
    assert_eq!(
        panicked(&spans),
        [("outer_async", &passed, 0), ("inner_async", &told, 1)]
    );
    assert!(
        spans
            .iter()
            .all(|span| span.attribute("traced.cancelled").is_none())
    );
}

#[traced]
fn survives() -> bool {
    catch_unwind(AssertUnwindSafe(|| inner(7))).is_err()
}

#[test]
fn a_panic_that_is_caught_fails_only_what_it_passed() {
    hook();
    let capture = testing::capture();
    assert!(capture.scope(survives));
    let spans = capture.spans();
    assert_eq!(spans[0].status, Status::Unset);
    assert_eq!(
        panicked(&spans[1..]),
        [("inner", &Status::error("n is 7"), 1)]
    );
}

struct TracesInDrop;

impl Drop for TracesInDrop {
    fn drop(&mut self) {
        cleans_up();
    }
}

#[traced]
fn cleans_up() {}

#[traced]
fn holds_something() {
    let _held = TracesInDrop;
    panic!("with something to clean up");
}

/// A function that runs to its end during an unwinding panic has not panicked.
#[test]
fn spans_of_the_clean_up_are_fine() {
    hook();
    let capture = testing::capture();
    capture.scope(|| catch_unwind(holds_something)).unwrap_err();
    let tree = capture.tree();
    let last = tree.lines().last();
    assert_eq!(last, Some("  cleans_up"), "{tree}");
    let spans = capture.spans();
    assert_eq!(spans[0].status, Status::error("with something to clean up"));
    assert_eq!(spans[0].events.len(), 1);
}

#[traced]
fn iterator(n: u8) -> impl Iterator<Item = u8> {
    assert!(n > 0, "empty");
    0..n
}

#[test]
fn a_body_that_stays_in_place_panics_like_any_other() {
    hook();
    let capture = testing::capture();
    let panic = capture.scope(|| catch_unwind(|| iterator(0).count()));
    panic.unwrap_err();
    let empty = Status::error("empty");
    assert_eq!(panicked(&capture.spans()), [("iterator", &empty, 1)]);
}

#[traced(fields(n = { assert!(n > 0, "no n"); n }))]
fn with_field(n: u8) -> u8 {
    n
}

#[test]
fn a_panic_in_a_field_is_a_panic_of_the_function() {
    hook();
    let capture = testing::capture();
    let panic = capture.scope(|| catch_unwind(|| with_field(0)));
    panic.unwrap_err();
    let no_n = Status::error("no n");
    assert_eq!(panicked(&capture.spans()), [("with_field", &no_n, 1)]);
}

#[traced(fields(number = text.parse::<u64>()?))]
fn asks_first(text: &str) -> Result<(), std::num::ParseIntError> {
    Ok(())
}

#[traced(fields(number = text.parse::<u64>()?))]
async fn asks_first_async(text: &str) -> Result<(), std::num::ParseIntError> {
    Ok(())
}

/// The function is left before its body began: no panic, whatever else it is.
#[test]
fn a_field_may_leave_the_function() {
    let capture = testing::capture();
    capture.scope(|| asks_first("x")).unwrap_err();
    let asked = capture.scope_async(asks_first_async("x"));
    let mut asked = std::pin::pin!(asked);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(asked.as_mut().poll(&mut task).is_ready());
    assert_eq!(
        capture.tree(),
        "asks_first {text=\"x\"}\nasks_first_async {text=\"x\"}\n"
    );
}
