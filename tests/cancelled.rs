//! Futures that are dropped before they are done.

use std::cell::Cell;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::trace::Status;
use trace_runtime::testing::{self, Capture};
use trace_runtime::{Batch, ExportError, Exporter, SpanRecord, Tracer, traced};

/// Whether the span says that it was cancelled, and its status.
fn cancelled(span: &SpanRecord) -> (bool, Status) {
    let flag = span.attribute("traced.cancelled");
    (flag == Some(&true.into()), span.status.clone())
}

fn only(capture: &Capture) -> (bool, Status) {
    let spans = capture.spans();
    assert_eq!(spans.len(), 1, "{spans:?}");
    cancelled(&spans[0])
}

/// The future itself, polled once and dropped.
async fn poll_once<F: Future>(future: F) {
    let mut future = std::pin::pin!(future);
    let poll = std::future::poll_fn(|task| std::task::Poll::Ready(future.as_mut().poll(task)));
    assert!(poll.await.is_pending());
}

#[traced]
async fn waits() -> Result<(), String> {
    pending().await
}

#[traced(kind = client)]
async fn calls() -> Result<(), String> {
    pending().await
}

#[traced(kind = producer)]
async fn sends() {
    waits().await.unwrap();
}

#[traced(kind = server)]
async fn serves() {
    calls().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_timeout_cancels() {
    let capture = testing::capture();
    let future = capture.scope_async(tokio::time::timeout(Duration::from_secs(9), calls()));
    future.await.unwrap_err();
    assert_eq!(only(&capture), (true, Status::error("cancelled")));
    let spans = capture.spans();
    assert_eq!(spans[0].attribute("error.type"), Some(&"cancelled".into()));
    assert!(spans[0].events.is_empty());
}

#[tokio::test]
async fn the_loser_of_a_select_is_cancelled_and_has_not_failed() {
    let capture = testing::capture();
    let race = async {
        tokio::select! {
            biased;
            _ = waits() => panic!("it never ends"),
            () = tokio::task::yield_now() => {}
        }
    };
    capture.scope_async(race).await;
    assert_eq!(only(&capture), (true, Status::Unset));
}

#[tokio::test]
async fn an_aborted_task_is_cancelled_with_all_its_spans() {
    let capture = testing::capture();
    let (started, is_started) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(capture.scope_async(async {
        let waiting = async {
            started.send(()).unwrap();
            serves().await;
        };
        waiting.await;
    }));
    is_started.await.unwrap();
    tokio::task::yield_now().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(
        capture.tree(),
        "serves [server] {traced.cancelled=true}\n  \
         calls [client] {traced.cancelled=true, error.type=\"cancelled\"} !error \"cancelled\"\n"
    );
}

#[tokio::test]
async fn calls_to_others_fail_by_it_and_nothing_else_does() {
    let capture = testing::capture();
    capture
        .scope_async(async {
            poll_once(sends()).await;
            poll_once(serves()).await;
        })
        .await;
    let error = "{traced.cancelled=true, error.type=\"cancelled\"} !error \"cancelled\"";
    assert_eq!(
        capture.tree(),
        format!(
            "sends [producer] {error}\n  waits {{traced.cancelled=true}}\n\
             serves [server] {{traced.cancelled=true}}\n  calls [client] {error}\n"
        )
    );
}

#[tokio::test]
async fn an_async_function_that_was_never_polled_has_no_span() {
    let capture = testing::capture();
    capture.scope(|| drop(waits()));
    assert_eq!(capture.tree(), "");
}

#[tokio::test]
async fn a_future_that_is_done_is_not_cancelled() {
    #[traced]
    async fn finishes() -> u8 {
        tokio::task::yield_now().await;
        1
    }

    let capture = testing::capture();
    let mut future = Box::pin(capture.scope_async(finishes()));
    assert_eq!(future.as_mut().await, 1);
    assert_eq!(only(&capture), (false, Status::Unset));
    drop(future);
    assert_eq!(capture.spans().len(), 1);
}

thread_local!(static TRACE: Cell<Option<String>> = const { Cell::new(None) });

struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        let trace_id = trace_runtime::trace_id().map(|id| id.to_string());
        TRACE.set(trace_id);
        releases();
    }
}

#[traced]
fn releases() {}

#[traced]
async fn holds(argument: Held) {
    let _local = Held;
    pending::<()>().await;
    drop(argument);
}

#[tokio::test]
async fn what_a_cancelled_future_holds_is_dropped_inside_its_span() {
    let capture = testing::capture();
    capture.scope_async(poll_once(holds(Held))).await;
    assert_eq!(
        capture.tree(),
        "holds {traced.cancelled=true}\n  releases\n  releases\n"
    );
    let trace_id = capture.spans()[0].trace_id.to_string();
    assert_eq!(TRACE.take(), Some(trace_id));
}

struct Nowhere;

impl Exporter for Nowhere {
    fn export(&mut self, _: &Batch<'_>) -> Result<(), ExportError> {
        Ok(())
    }

    fn target(&self) -> String {
        "nowhere".to_owned()
    }
}

/// The outcome of an internal and of a client span with `TRACED_CANCELLED` set.
async fn with_mode(mode: &'static str) -> Vec<(bool, Status)> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&found);
    let (tracer, guard) = Tracer::builder()
        .with_env(move |name| (name == "TRACED_CANCELLED").then(|| mode.to_owned()))
        .with_on_end(move |span| {
            seen.lock().unwrap().push(cancelled(span));
            trace_runtime::Keep::Yes
        })
        .with_exporter(Nowhere)
        .build()
        .unwrap();
    tracer.in_scope_async(poll_once(waits())).await;
    tracer.in_scope_async(poll_once(calls())).await;
    guard.flush().unwrap();
    found.lock().unwrap().clone()
}

#[tokio::test]
async fn a_variable_says_which_spans_fail() {
    let failed = (true, Status::error("cancelled"));
    let fine = (true, Status::Unset);
    assert_eq!(with_mode("kind").await, [fine.clone(), failed.clone()]);
    assert_eq!(with_mode("error").await, [failed.clone(), failed]);
    assert_eq!(with_mode("unset").await, [fine.clone(), fine]);
}
