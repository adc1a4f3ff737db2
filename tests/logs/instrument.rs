//! `#[instrument]` and `#[traced]` in one program: one tree, whichever is outside.

use opentelemetry::trace::TracerProvider as _;
use tests_logs::shown;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::tracing::SpanEvents;
use trace_runtime::{InCurrentContext as _, traced};
use tracing::instrument::{Instrument as _, WithSubscriber as _};
use tracing::{Dispatch, instrument, warn};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

/// The set-up of the documentation, for this capture, without the attributes that vary.
fn subscriber(capture: &Capture) -> Dispatch {
    let spans = tracing_opentelemetry::layer()
        .with_tracer(capture.tracer().provider().tracer("instrument"))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| metadata.is_span()));
    let subscriber = tracing_subscriber::registry()
        .with(spans)
        .with(SpanEvents::new());
    Dispatch::new(subscriber)
}

fn traces(capture: &Capture) -> usize {
    let ids = capture.spans().into_iter().map(|span| span.trace_id);
    ids.collect::<std::collections::HashSet<_>>().len()
}

mod sync {
    use super::*;

    #[traced]
    pub(super) fn a(n: i64) {
        b(n + 1);
    }

    #[instrument]
    fn b(n: i64) {
        c(n + 1);
    }

    #[traced]
    fn c(n: i64) {
        d(n + 1);
    }

    #[instrument]
    fn d(n: i64) {
        warn!(n, "deep");
    }
}

#[test]
fn functions_at_alternate_depths_draw_one_tree() {
    let capture = capture();
    tracing::dispatcher::with_default(&subscriber(&capture), || {
        capture.scope(|| sync::a(1));
    });
    assert_eq!(
        capture.tree(),
        "\
a {n=1}
  b {n=2}
    c {n=3}
      d {n=4}
        - deep {level=\"WARN\", target=\"instrument::sync\", n=4}
"
    );
    assert_eq!(traces(&capture), 1);
}

#[test]
fn the_outermost_may_be_instrumented() {
    #[instrument]
    fn outer() {
        middle();
    }
    #[traced]
    fn middle() {
        inner();
        inner();
    }
    #[instrument]
    fn inner() {}
    let capture = capture();
    tracing::dispatcher::with_default(&subscriber(&capture), || capture.scope(outer));
    assert_eq!(capture.tree(), "outer\n  middle\n    inner\n    inner\n");
}

mod tasks {
    use super::*;

    #[traced]
    pub(super) async fn a(n: i64) {
        tokio::task::yield_now().await;
        b(n).await;
        tokio::task::yield_now().await;
    }

    #[instrument]
    async fn b(n: i64) {
        tokio::task::yield_now().await;
        // Ours carries the span, whoever made it.
        let task = trace_runtime::spawn(c(n).with_current_subscriber());
        task.await.expect("the task ends");
        tokio::task::yield_now().await;
    }

    #[traced]
    async fn c(n: i64) {
        tokio::task::yield_now().await;
        let task = tokio::spawn(d(n).in_current_context().with_current_subscriber());
        task.await.expect("the task ends");
        tokio::task::yield_now().await;
    }

    #[instrument]
    async fn d(n: i64) {
        tokio::task::yield_now().await;
        e(n).await;
    }

    #[traced]
    async fn e(n: i64) {
        let _ = n;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn futures_at_alternate_depths_draw_one_tree_across_awaits_and_tasks() {
    let capture = capture();
    let dispatch = subscriber(&capture);
    let many: Vec<_> = (0..8)
        .map(|n| {
            capture
                .scope_async(tasks::a(n))
                .with_subscriber(dispatch.clone())
        })
        .map(tokio::spawn)
        .collect();
    for one in many {
        one.await.expect("the task ends");
    }
    let mut trees: Vec<String> = Vec::new();
    for line in capture.tree().lines() {
        if !line.starts_with(' ') {
            trees.push(String::new());
        }
        let tree = trees.last_mut().expect("the first line is a root");
        *tree += line;
        *tree += "\n";
    }
    trees.sort();
    let expected: Vec<String> = (0..8)
        .map(|n| {
            format!(
                "a {{n={n}}}\n  b {{n={n}}}\n    c {{n={n}}}\n      d {{n={n}}}\n        e {{n={n}}}\n"
            )
        })
        .collect();
    assert_eq!(trees, expected);
    assert_eq!(traces(&capture), 8);
}

/// What the documentation warns of: a span of `tracing` that is entered again brings its own context.
#[tokio::test]
async fn a_task_that_only_tracing_carries_is_a_child_of_the_innermost_instrumented_span() {
    #[instrument]
    async fn outer() {
        middle().await;
    }
    #[traced]
    async fn middle() {
        let theirs = tokio::spawn(leaf().in_current_span().with_current_subscriber());
        theirs.await.expect("the task ends");
        let ours = trace_runtime::spawn(leaf().with_current_subscriber());
        ours.await.expect("the task ends");
    }
    #[traced]
    async fn leaf() {}
    let capture = capture();
    let dispatch = subscriber(&capture);
    capture.scope_async(outer()).with_subscriber(dispatch).await;
    assert_eq!(capture.tree(), "outer\n  leaf\n  middle\n    leaf\n");
    assert_eq!(traces(&capture), 1);
}

#[test]
fn an_event_is_recorded_once_on_the_innermost_span() {
    let capture = capture();
    tracing::dispatcher::with_default(&subscriber(&capture), || {
        capture.scope(|| {
            #[instrument]
            fn outer() {
                warn!("in the instrumented one");
                inner();
            }
            #[traced]
            fn inner() {
                warn!("in the traced one");
            }
            outer();
        });
    });
    for span in capture.spans() {
        let events: Vec<_> = span.events.iter().map(shown).collect();
        let says = match &*span.name {
            "outer" => "in the instrumented one",
            _ => "in the traced one",
        };
        assert_eq!(
            events,
            [format!("{says} {{level=\"WARN\", target=\"instrument\"}}")],
            "{}",
            span.name
        );
    }
}

#[test]
fn the_error_of_an_instrumented_function_and_of_ours_is_on_both_spans() {
    #[instrument(err)]
    fn outer() -> Result<(), std::io::Error> {
        inner()
    }
    #[traced]
    fn inner() -> Result<(), std::io::Error> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    let capture = capture();
    tracing::dispatcher::with_default(&subscriber(&capture), || {
        let _ = capture.scope(outer);
    });
    for span in capture.spans() {
        let names: Vec<_> = span.events.iter().map(|event| &*event.name).collect();
        assert_eq!(names, ["exception"], "{}", span.name);
    }
}
