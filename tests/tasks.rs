//! Shapes of traces: recursion, error chains, tasks that outlive who started them, drops.

use std::fmt;
use std::pin::Pin;

use opentelemetry::trace::Status;
use trace_runtime::{testing, traced};

#[traced]
fn factorial(n: u64) -> u64 {
    if n < 2 { 1 } else { n * factorial(n - 1) }
}

#[traced]
async fn factorial_async(n: u64) -> u64 {
    tokio::task::yield_now().await;
    if n < 2 {
        1
    } else {
        n * Box::pin(factorial_async(n - 1)).await
    }
}

#[traced]
fn factorial_boxed(n: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        tokio::task::yield_now().await;
        if n < 2 {
            1
        } else {
            n * factorial_boxed(n - 1).await
        }
    })
}

#[tokio::test]
async fn recursion_becomes_a_chain_of_spans() {
    let chain = |name: &str| format!("{name} {{n=3}}\n  {name} {{n=2}}\n    {name} {{n=1}}\n");
    let capture = testing::capture();
    assert_eq!(capture.scope(|| factorial(3)), 6);
    assert_eq!(capture.tree(), chain("factorial"));
    let capture = testing::capture();
    assert_eq!(capture.scope_async(factorial_async(3)).await, 6);
    assert_eq!(capture.tree(), chain("factorial_async"));
    let capture = testing::capture();
    let boxed = capture.scope_async(async { factorial_boxed(3).await });
    assert_eq!(boxed.await, 6);
    assert_eq!(capture.tree(), chain("factorial_boxed"));
}

#[derive(Debug)]
enum StoreError {
    Io(std::io::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot store")
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let Self::Io(error) = self;
        Some(error)
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

#[traced(kind = client)]
fn write() -> std::io::Result<()> {
    Err(std::io::Error::new(
        std::io::ErrorKind::StorageFull,
        "disk is full",
    ))
}

#[traced]
async fn store() -> Result<(), StoreError> {
    tokio::task::yield_now().await;
    write()?;
    Ok(())
}

#[traced]
async fn checkout() -> anyhow::Result<()> {
    store().await?;
    Ok(())
}

#[traced(kind = server)]
async fn handler() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    checkout().await?;
    Ok(())
}

#[tokio::test]
async fn an_error_through_four_question_marks_is_told_once_where_it_began() {
    let capture = testing::capture();
    capture.scope_async(handler()).await.unwrap_err();
    let spans = capture.spans();
    let found: Vec<_> = spans
        .iter()
        .map(|span| {
            let error_type = span.attribute("error.type").map(ToString::to_string);
            (&*span.name, &span.status, error_type, span.events.len())
        })
        .collect();
    let whole = Status::error("cannot store: disk is full");
    let disk = Status::error("disk is full");
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(
        found,
        [
            ("handler", &whole, named("StorageFull"), 0),
            ("checkout", &whole, named("StorageFull"), 0),
            ("store", &whole, named("tasks::StoreError"), 0),
            ("write", &disk, named("std::io::error::Error"), 1),
        ]
    );
}

#[traced]
async fn worker(goes_on: tokio::sync::oneshot::Receiver<()>) {
    goes_on.await.unwrap();
}

#[traced]
async fn starts(goes_on: tokio::sync::oneshot::Receiver<()>) -> tokio::task::JoinHandle<()> {
    trace_runtime::spawn(worker(goes_on))
}

#[traced]
fn between() {}

#[tokio::test]
async fn a_span_ends_with_its_function_whatever_its_tasks_do() {
    let capture = testing::capture();
    let (go, goes_on) = tokio::sync::oneshot::channel();
    let task = capture.scope_async(starts(goes_on)).await;
    capture.scope(between);
    go.send(()).unwrap();
    task.await.unwrap();
    assert_eq!(capture.tree(), "starts\n  worker\nbetween\n");
    let spans = capture.spans();
    let by_name = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (starts, between, worker) = (by_name("starts"), by_name("between"), by_name("worker"));
    assert!(starts.end_time <= between.start_time);
    assert!(between.end_time <= worker.end_time);
    assert_eq!(worker.parent_span_id, starts.span_id);
}

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        dropped(self.0);
    }
}

#[traced]
fn dropped(name: &str) {
    let _ = name;
}

#[traced]
fn drops(_a: Noisy, b: Noisy, _: Noisy) {
    let _local = Noisy("local");
    drop(b);
}

#[traced]
async fn drops_async(_a: Noisy, b: Noisy, _: Noisy) {
    let _local = Noisy("local");
    tokio::task::yield_now().await;
    drop(b);
}

#[tokio::test]
async fn arguments_and_locals_are_dropped_in_order() {
    let noisy = || (Noisy("a"), Noisy("b"), Noisy("c"));
    let order = |indent: [&str; 4], names: [&str; 4]| {
        let lines = indent.into_iter().zip(names);
        let lines = lines.map(|(indent, name)| format!("{indent}dropped {{name=\"{name}\"}}\n"));
        lines.collect::<String>()
    };
    let names = ["b", "local", "c", "a"];
    let capture = testing::capture();
    capture.scope(|| {
        let (a, b, c) = noisy();
        drops(a, b, c);
    });
    let inside = order(["  "; 4], names);
    assert_eq!(capture.tree(), format!("drops\n{inside}"));
    // What the body of an async function leaves where it is goes when the span has been left.
    let capture = testing::capture();
    let (a, b, c) = noisy();
    capture.scope_async(drops_async(a, b, c)).await;
    let inside = order(["  ", "  ", "", ""], names);
    assert_eq!(capture.tree(), format!("drops_async\n{inside}"));
}
