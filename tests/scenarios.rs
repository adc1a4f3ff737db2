//! A service for the lifecycle tests: one scenario per run, named by the first argument.
//!
//! What a process does at its start and end can only be tested in a process of its own.

mod forked;

use std::cell::RefCell;
use std::pin::Pin;
use std::process::exit;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _};
use trace_runtime::{Batch, ExportError, Exporter, Tracer, TracerGuard, traced};

#[traced]
fn work(n: u64) -> u64 {
    n + 1
}

#[traced]
fn traced_exporter_step() {}

fn main() {
    let scenario = std::env::args().nth(1).expect("the name of a scenario");
    match scenario.as_str() {
        "span-before-install" => span_before_install(),
        "nothing-configured" => nothing_configured(),
        "exit-after-init" => exit_after_init(),
        "exit-lazily-started" => {
            work(1);
            exit(0)
        }
        "return-lazily-started" => {
            work(1);
        }
        "thread-local-destructor" => thread_local_destructor(),
        "traced-exporter" => traced_exporter(),
        "fork" => fork(),
        "runtime-dropped" => runtime_dropped(),
        "open-at-shutdown" => open_at_shutdown(),
        "guard-dropped" => guard_dropped(),
        "second-init" => second_init(),
        "collector-later" => collector_later(),
        "late-span" => late_span(),
        "panic" => panics(),
        "init" => init(trace_runtime::init_tracer()),
        "install" => init(
            Tracer::builder()
                .with_service_name("in-code")
                .install()
                .expect("good settings"),
        ),
        "strict" => drop(trace_runtime::init_tracer()),
        "thousand-tasks" => thousand_tasks(),
        other => panic!("unknown scenario {other}"),
    }
}

/// Says what the tracer has found, and that the service goes on.
fn init(guard: TracerGuard) {
    for diagnostic in guard.diagnostics() {
        println!("{}: {diagnostic}", diagnostic.severity());
    }
    println!("started: {}", guard.config());
}

fn span_before_install() {
    work(1);
    let open = Context::current();
    let guard = Tracer::builder()
        .with_service_name("named")
        .install()
        .expect("a good builder");
    drop(open);
    for n in 2..=10 {
        work(n);
    }
    guard.shutdown(Duration::from_secs(5)).expect("delivery");
    println!("{:?}", guard.stats());
}

/// Prints what a quiet process must not have: threads and sockets.
fn nothing_configured() {
    for n in 0..1000 {
        work(n);
    }
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    let sockets = std::fs::read_dir("/proc/self/fd").map_or(0, |fds| {
        let targets = fds
            .flatten()
            .filter_map(|fd| std::fs::read_link(fd.path()).ok());
        targets
            .filter(|target| target.to_string_lossy().starts_with("socket:"))
            .count()
    });
    println!("threads={threads} sockets={sockets}");
}

fn exit_after_init() {
    let _guard = trace_runtime::init_tracer();
    std::thread::spawn(|| work(1))
        .join()
        .expect("the thread ends");
    work(2);
    exit(0)
}

struct AtThreadEnd;

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        work(99);
    }
}

thread_local! {
    static BEFORE: RefCell<Option<AtThreadEnd>> = const { RefCell::new(None) };
    static AFTER: RefCell<Option<AtThreadEnd>> = const { RefCell::new(None) };
}

fn thread_local_destructor() {
    let guard = trace_runtime::init_tracer();
    std::thread::spawn(|| {
        // Registered before our thread-locals, so dropped after them; and the other way round.
        BEFORE.set(Some(AtThreadEnd));
        work(1);
        AFTER.set(Some(AtThreadEnd));
    })
    .join()
    .expect("no destructor panics");
    guard.shutdown(Duration::from_secs(5)).expect("delivery");
    println!("{:?}", guard.stats());
}

struct Traced;

impl Exporter for Traced {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        traced_exporter_step();
        for span in batch.spans() {
            println!("exported {}", span.name());
        }
        Ok(())
    }

    fn target(&self) -> String {
        traced_exporter_step();
        "standard output".into()
    }
}

fn traced_exporter() {
    let guard = Tracer::builder()
        .with_exporter(Traced)
        .with_on_end(|_| {
            work(0);
            trace_runtime::Keep::Yes
        })
        .install()
        .expect("a good builder");
    work(1);
    guard.shutdown(Duration::from_secs(5)).expect("delivery");
    println!("{:?}", guard.stats());
}

fn fork() {
    let guard = trace_runtime::init_tracer();
    work(1);
    let Some(child) = forked::fork() else {
        work(2);
        drop(guard);
        exit(0)
    };
    work(3);
    assert_eq!(child.wait(), 0, "the child exits");
    guard.shutdown(Duration::from_secs(5)).expect("delivery");
}

fn runtime_dropped() {
    let guard = trace_runtime::init_tracer();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        trace_runtime::spawn(async { work(1) })
            .await
            .expect("the task ends");
        let (started, waits) = tokio::sync::oneshot::channel();
        trace_runtime::spawn(pending_task(started));
        waits.await.expect("the task starts");
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    guard.shutdown(Duration::from_secs(5)).expect("delivery");
    println!("{:?}", guard.stats());
}

#[traced]
async fn pending_task(started: tokio::sync::oneshot::Sender<()>) {
    let _ = started.send(());
    std::future::pending::<()>().await;
}

fn open_at_shutdown() {
    let guard = trace_runtime::init_tracer();
    let mut task = Box::pin(pending_task(tokio::sync::oneshot::channel().0));
    let waker = std::task::Waker::noop();
    let polled = task
        .as_mut()
        .poll(&mut std::task::Context::from_waker(waker));
    assert!(polled.is_pending());
    guard.shutdown(Duration::from_secs(5)).expect("delivery");
    drop(task);
    println!("{:?}", guard.stats());
}

fn guard_dropped() {
    let _ = trace_runtime::init_tracer();
    work(1);
}

fn second_init() {
    let first = trace_runtime::init_tracer();
    let second = Tracer::builder()
        .with_service_name("other")
        .install()
        .expect("inert");
    work(1);
    drop(second);
    work(2);
    first.shutdown(Duration::from_secs(5)).expect("delivery");
    for diagnostic in first.diagnostics() {
        println!("{diagnostic}");
    }
}

/// Lives on until a line comes on standard input, then says what became of its spans.
fn collector_later() {
    let guard = trace_runtime::init_tracer();
    for n in 0..100 {
        work(n);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
    let began = Instant::now();
    let result = guard.shutdown(Duration::from_secs(5));
    println!("took={} result={result:?}", began.elapsed().as_millis());
    println!("{:?}", guard.stats());
}

fn late_span() {
    let guard = trace_runtime::init_tracer();
    let span = opentelemetry::global::tracer("late").start("late");
    let cx = Context::current_with_span(span);
    work(1);
    guard.shutdown(Duration::from_secs(5)).expect("delivery");
    cx.span().end();
    println!("{:?}", guard.stats());
}

#[traced]
fn fragile(n: u64) {
    assert!(n == 0, "n is {n}");
}

fn panics() {
    let guard = trace_runtime::init_tracer();
    let result = std::panic::catch_unwind(|| fragile(3));
    assert!(result.is_err());
    guard.shutdown(Duration::from_secs(5)).expect("delivery");
}

#[traced]
async fn level(task: u64, depth: u64) {
    tokio::task::yield_now().await;
    if depth < 9 {
        if depth % 3 == 2 {
            trace_runtime::spawn(boxed_level(task, depth + 1))
                .await
                .expect("the task ends");
        } else {
            Box::pin(level(task, depth + 1)).await;
        }
    }
}

/// Tells the compiler that the future can move to another thread, which it cannot find out in a cycle.
fn boxed_level(task: u64, depth: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(level(task, depth))
}

/// The first call starts the tracer, on whichever thread it is; the exit delivers.
fn thousand_tasks() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..1000).map(|task| tokio::spawn(level(task, 0))).collect();
        for task in tasks {
            task.await.expect("the task ends");
        }
    });
    let guard = trace_runtime::init_tracer();
    guard.flush().expect("delivery");
    println!("{:?}", guard.stats());
}
