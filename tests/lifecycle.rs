//! A tracer's life in a process of its own: lazy start, explicit start, exit, fork, threads.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tests::closed_port::ClosedPort;
use tests::collector::{Collector, Mood, Received};

/// A run of `scenarios.rs` with nothing but these variables in its environment.
fn command(scenario: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scenarios"));
    command
        .arg(scenario)
        .env_clear()
        .envs(variables.iter().copied());
    command
}

fn run(scenario: &str, variables: &[(&str, &str)]) -> Output {
    let output = command(scenario, variables)
        .output()
        .expect("the scenario runs");
    assert!(output.status.success(), "{scenario}: {}", stderr(&output));
    output
}

fn run_with(collector: &Collector, scenario: &str) -> Output {
    run(
        scenario,
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())],
    )
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn count<'a>(spans: impl IntoIterator<Item = &'a Received>, n: u64) -> usize {
    let wanted = format!("IntValue({n})");
    spans
        .into_iter()
        .filter(|span| span.text("n").as_deref() == Some(&*wanted))
        .count()
}

#[test]
fn the_builder_owns_a_tracer_that_a_span_has_started() {
    let collector = Collector::start();
    let output = run_with(&collector, "span-before-install");
    let spans = collector.spans();
    for n in 1..=10 {
        assert_eq!(count(&spans, n), 1, "span {n} of {}", stdout(&output));
    }
    let named = spans.iter().filter(|span| span.service == "named");
    assert_eq!(
        named.count(),
        9,
        "all but the first belong to the builder's service"
    );
}

#[test]
fn without_configuration_and_init_there_is_no_thread_no_output_and_no_socket() {
    let output = run("nothing-configured", &[]);
    assert_eq!(stdout(&output), "threads=1 sockets=0\n");
    assert_eq!(stderr(&output), "");
}

#[test]
fn exit_without_shutdown_loses_nothing() {
    let collector = Collector::start();
    run_with(&collector, "exit-after-init");
    assert_eq!(collector.spans().len(), 2);
}

#[test]
fn a_lazily_started_process_loses_nothing_at_its_exit() {
    for scenario in ["exit-lazily-started", "return-lazily-started"] {
        let collector = Collector::start();
        run_with(&collector, scenario);
        assert_eq!(collector.spans().len(), 1, "{scenario}");
    }
}

#[test]
fn spans_in_thread_local_destructors_are_recorded_or_left_out_but_never_crash() {
    let collector = Collector::start();
    let output = run_with(&collector, "thread-local-destructor");
    let spans = collector.spans();
    assert_eq!(count(&spans, 1), 1, "{}", stdout(&output));
    assert_eq!(
        count(&spans, 99),
        1,
        "the destructor that runs before ours is recorded"
    );
}

#[test]
fn a_traced_exporter_does_not_trace_itself() {
    let output = run("traced-exporter", &[]);
    assert_eq!(
        stdout(&output).matches("exported ").count(),
        1,
        "{}",
        stdout(&output)
    );
    assert!(stdout(&output).contains("exported work"));
}

#[test]
fn both_sides_of_a_fork_deliver_with_ids_of_their_own() {
    let collector = Collector::start();
    run_with(&collector, "fork");
    let spans = collector.spans();
    for n in 1..=3 {
        assert_eq!(count(&spans, n), 1, "span {n}: {spans:#?}");
    }
    let traces: HashSet<_> = spans.iter().map(|span| &span.span.trace_id).collect();
    let ids: HashSet<_> = spans.iter().map(|span| &span.span.span_id).collect();
    assert_eq!((traces.len(), ids.len()), (3, 3));
}

#[test]
fn a_runtime_may_be_dropped_before_the_guard() {
    let collector = Collector::start();
    let output = run_with(&collector, "runtime-dropped");
    let spans = collector.spans();
    assert_eq!(spans.len(), 2, "{}", stdout(&output));
    let cancelled = spans
        .iter()
        .find(|span| span.span.name == "pending_task")
        .expect("a span");
    assert_eq!(
        cancelled.text("traced.cancelled").as_deref(),
        Some("BoolValue(true)")
    );
}

#[test]
fn spans_open_at_shutdown_are_named() {
    let collector = Collector::start();
    let output = run_with(&collector, "open-at-shutdown");
    let said = stderr(&output);
    assert!(said.contains("still open at the end: 1 span: "), "{said}");
    assert!(
        said.contains("`pending_task` at tests/scenarios.rs:"),
        "{said}"
    );
    assert!(
        stdout(&output).contains("dropped_after_shutdown: 1"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_guard_dropped_at_once_is_explained_with_its_place() {
    let collector = Collector::start();
    let output = run_with(&collector, "guard-dropped");
    let said = stderr(&output);
    assert_eq!(said.matches("was dropped after").count(), 1, "{said}");
    assert!(said.contains("tests/scenarios.rs:"), "{said}");
}

#[test]
fn a_second_explicit_init_changes_nothing_and_says_so() {
    let collector = Collector::start();
    let output = run_with(&collector, "second-init");
    assert!(collector.spans().iter().all(|span| span.service != "other"));
    assert_eq!(collector.spans().len(), 2);
    assert!(stdout(&output).contains("was already initialised at tests/scenarios.rs:"));
}

#[test]
fn spans_that_end_after_the_shutdown_are_counted() {
    let collector = Collector::start();
    let output = run_with(&collector, "late-span");
    assert_eq!(collector.spans().len(), 1);
    let stats = stdout(&output);
    assert!(
        stats.contains("ended: 2") && stats.contains("dropped_after_shutdown: 1"),
        "{stats}"
    );
}

#[test]
fn a_panic_is_told_with_its_message() {
    let collector = Collector::start();
    run_with(&collector, "panic");
    let spans = collector.spans();
    let span = &spans.first().expect("a span").span;
    let status = span.status.as_ref().expect("a status");
    assert_eq!((status.code, status.message.as_str()), (2, "n is 3"));
    assert_eq!(span.events.len(), 1);
}

#[test]
fn strict_mode_ends_the_process_with_the_list_of_what_is_wrong() {
    let variables = [
        ("TRACED_STRICT", "1"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
    ];
    let output = command("strict", &variables)
        .output()
        .expect("the scenario runs");
    assert_eq!(output.status.code(), Some(78));
    let said = stderr(&output);
    assert!(
        said.contains("OTEL_TRACES_SAMPLER") && said.contains("sometimes"),
        "{said}"
    );
    assert!(said.contains("OTEL_BSP_SCHEDULE_DELAY"), "{said}");
}

/// Starts `collector-later`, and lets it end when told.
fn start(url: &str) -> std::process::Child {
    let mut command = command("collector-later", &[("OTEL_EXPORTER_OTLP_ENDPOINT", url)]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("the scenario runs")
}

fn end(mut child: std::process::Child) -> Output {
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(b"end\n")
        .expect("the child reads");
    child.wait_with_output().expect("the child ends")
}

#[test]
fn a_collector_that_is_down_is_named_once_and_does_not_delay_the_exit() {
    let port = ClosedPort::default();
    let output = end(start(&port.url()));
    let said = stderr(&output);
    let address = port.address.to_string();
    assert!(
        said.contains(&address) && said.contains("refused"),
        "{said}"
    );
    let took: u64 = stdout(&output)
        .trim_start_matches("took=")
        .split(' ')
        .next()
        .and_then(|ms| ms.parse().ok())
        .expect("the time it took");
    assert!(took < 500, "the exit took {took} ms");
    assert!(
        stdout(&output).contains("failed: 100"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_collector_that_never_answers_costs_at_most_the_shutdown_time() {
    let collector = Collector::in_mood(Mood::Silent);
    let began = Instant::now();
    let output = end(start(&collector.url()));
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{}",
        stdout(&output)
    );
    assert!(stdout(&output).contains("Err("), "{}", stdout(&output));
}

#[test]
fn a_collector_that_comes_up_later_gets_every_span() {
    let port = ClosedPort::default();
    let child = start(&port.url());
    std::thread::sleep(Duration::from_secs(3)); // the time the collector is down
    let collector = Collector::listen(port.listen(), Mood::Accept);
    let spans = collector.wait_for(100);
    end(child);
    assert_eq!(spans.len(), 100);
}

#[test]
fn a_thousand_tasks_racing_to_start_the_tracer_lose_and_mix_up_nothing() {
    let collector = Collector::start();
    let output = run_with(&collector, "thousand-tasks");
    let stats = stdout(&output);
    assert!(
        stats.contains("ended: 10000, exported: 10000, failed: 0, queued: 0"),
        "{stats}"
    );
    let spans = collector.spans();
    assert_eq!(spans.len(), 10_000);
    let by_id: HashMap<_, _> = spans
        .iter()
        .map(|span| (&span.span.span_id, span))
        .collect();
    assert_eq!(by_id.len(), 10_000, "every span once");
    for span in &spans {
        let depth = span.text("depth");
        if depth.as_deref() == Some("IntValue(0)") {
            assert!(span.span.parent_span_id.is_empty());
            continue;
        }
        let parent = by_id[&span.span.parent_span_id];
        assert_eq!(parent.span.trace_id, span.span.trace_id);
        assert_eq!(parent.text("task"), span.text("task"));
        let number = |text: Option<String>| {
            text.and_then(|t| {
                t.trim_matches(|c: char| !c.is_ascii_digit())
                    .parse::<u64>()
                    .ok()
            })
        };
        assert_eq!(number(parent.text("depth")).map(|d| d + 1), number(depth));
    }
}
