//! The environment of a real process.

use std::ffi::OsStr;
use std::process::{Command, Output};
use std::sync::mpsc::channel;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// What the child says before and after it starts tracing.
const STARTED: &str = "started: ";

/// Runs a service that only starts tracing, with these variables and no others.
fn run(variables: &[(&str, &OsStr)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scenarios"));
    command.arg("init").env_clear();
    command.env("OTEL_SERVICE_NAME", "child");
    command.envs(variables.iter().copied());
    command.output().expect("the scenario runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn strict_prints_the_whole_list_and_exits_with_status_78() {
    let output = run(&[
        ("TRACED_STRICT", "1".as_ref()),
        ("OTEL_TRACES_EXPORTER", "none".as_ref()),
        ("OTEL_BSP_SCHEDULE_DELAY", "0".as_ref()),
        ("JAEGER_SAMPLER_TYPE", "ratelimiting".as_ref()),
    ]);
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(78), "{printed}");
    assert!(!stdout(&output).contains(STARTED));
    assert!(printed.contains("`OTEL_BSP_SCHEDULE_DELAY=0`"), "{printed}");
    assert!(
        printed.contains("`JAEGER_SAMPLER_TYPE=ratelimiting`"),
        "{printed}"
    );
}

#[test]
fn bad_values_do_not_stop_the_process() {
    let output = run(&[
        ("OTEL_TRACES_EXPORTER", "none".as_ref()),
        ("OTEL_BSP_SCHEDULE_DELAY", "0".as_ref()),
    ]);
    let printed = stdout(&output);
    assert!(output.status.success(), "{printed}\n{}", stderr(&output));
    assert!(
        printed.contains("error: `OTEL_BSP_SCHEDULE_DELAY=0`: "),
        "{printed}"
    );
    assert!(printed.contains(STARTED), "{printed}");
}

#[test]
fn an_unknown_exporter_leaves_the_process_without_one() {
    let output = run(&[
        ("OTEL_TRACES_EXPORTER", "zipkin".as_ref()),
        ("JAEGER_AGENT_HOST", "127.0.0.1".as_ref()),
    ]);
    let printed = stdout(&output);
    assert!(output.status.success(), "{printed}");
    let exporters = printed.lines().find(|line| line.starts_with("exporters"));
    let words: Vec<_> = exporters.unwrap_or_default().split_whitespace().collect();
    assert_eq!(
        words,
        ["exporters", "none", "OTEL_TRACES_EXPORTER"],
        "{printed}"
    );
    assert!(
        stderr(&output).contains("`OTEL_TRACES_EXPORTER=zipkin`"),
        "{output:?}"
    );
}

#[cfg(unix)]
#[test]
fn what_is_not_utf8_is_reported() {
    use std::os::unix::ffi::OsStrExt;

    let output = run(&[
        ("OTEL_TRACES_EXPORTER", "none".as_ref()),
        ("OTEL_PROPAGATORS", OsStr::from_bytes(b"b3\xff")),
    ]);
    let printed = stdout(&output);
    assert!(
        printed.contains("error: `OTEL_PROPAGATORS=b3\u{fffd}`: expected UTF-8"),
        "{printed}"
    );
}

/// Where spans may go without leaving this machine, what else a value may be, and what it may not.
const PIECES: &[&str] = &[
    "http://",
    "https://",
    "127.0.0.1",
    "localhost",
    "[::1]",
    ":",
    "1",
    "4318",
    "/",
    "?",
    "@",
    "=",
    ",",
    ";",
    "%41",
    "%",
    "${",
    "}",
    " ",
    "é",
    "\n",
    "-",
    "0",
    "0.5",
    "ms",
    "1s",
    "true",
    "none",
    "otlp",
    "jaeger",
    "console",
    "file",
    "grpc",
    "http/json",
    "udp/thrift.compact",
    "gzip",
    "b3",
    "always_on",
    "traceidratio",
    "jaeger_remote",
    "remote",
    "const",
    "ratelimiting",
    "debug",
    "all",
    "logs",
    "a=b",
    "endpoint=http://127.0.0.1:1",
    "2147483648",
    "99999999999999999999",
];

/// The variables of the documented tables.
fn variables() -> Vec<&'static str> {
    let tables = include_str!("../trace-runtime/src/config/ENVIRONMENT.md").lines();
    let cells = tables
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1));
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    // The doctor ends the process by design, and takes its time for the network.
    names.filter(|name| *name != "TRACED_DOCTOR").collect()
}

#[test]
fn no_environment_makes_the_start_panic_or_hang() {
    let value = prop::collection::vec(select(PIECES), 0..5).prop_map(|pieces| pieces.concat());
    let environment = prop::collection::vec((select(variables()), value), 0..10);
    let config = ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::with_cases(100)
    };
    proptest!(config, |(environment in environment)| {
        let (sender, ended) = channel();
        let given = environment.clone();
        std::thread::spawn(move || {
            let variables: Vec<_> = given
                .iter()
                .map(|(name, value)| (*name, OsStr::new(value)))
                .collect();
            let _ = sender.send(run(&variables));
        });
        let Ok(output) = ended.recv_timeout(Duration::from_secs(60)) else {
            return Err(TestCaseError::fail("hangs"));
        };
        let strict = environment.iter().any(|(name, _)| *name == "TRACED_STRICT");
        let code = output.status.code();
        prop_assert!(code == Some(0) || strict && code == Some(78), "{}", stderr(&output));
        prop_assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    });
}
