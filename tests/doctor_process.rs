//! `TRACED_DOCTOR` in the environment of a real process: this test program started again.

use std::ffi::OsStr;
use std::process::{Command, Output};

use serde_json::Value;
use tests::collector::Collector;

/// What the child says when it goes on after its start.
const STARTED: &str = "the service has started";

/// Not a test: the others run it in a child.
#[test]
#[ignore = "started by the other tests as a child"]
fn child() {
    let _guard = match std::env::var_os("CHILD_INSTALLS") {
        Some(_) => trace_runtime::Tracer::builder()
            .with_service_name("in-code")
            .install()
            .expect("good settings"),
        None => trace_runtime::init_tracer(),
    };
    println!("{STARTED}");
}

fn run(variables: &[(&str, &str)]) -> Output {
    let program = std::env::current_exe().expect("the test knows its own path");
    let mut command = Command::new(program);
    command.args(["--exact", "child", "--ignored", "--nocapture"]);
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| is_ours(name)) {
        command.env_remove(name);
    }
    command.env("OTEL_SERVICE_NAME", "child");
    command.envs(variables.iter().copied());
    command.output().expect("the test can start itself")
}

fn is_ours(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["OTEL_", "JAEGER_", "TRACED_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_doctor_reports_and_ends_the_process() {
    let collector = Collector::start();
    let output = run(&[
        ("TRACED_DOCTOR", "1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url()),
    ]);
    let printed = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(printed.contains("nothing is wrong"), "{printed}");
    assert!(!printed.contains(STARTED), "{printed}");
    let received = collector.wait_for(1);
    assert_eq!(received[0].service, "child");
    assert_eq!(received[0].span.name, "doctor");
}

#[test]
fn bad_values_end_with_status_1_even_when_strict() {
    let output = run(&[
        ("TRACED_DOCTOR", "json"),
        ("TRACED_STRICT", "1"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("CHILD_INSTALLS", "1"),
    ]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let printed = stdout(&output);
    let line = printed.lines().find(|line| line.starts_with('{'));
    let json: Value = serde_json::from_str(line.expect("a line of JSON")).expect("valid JSON");
    assert_eq!(json["service_name"]["value"], "in-code");
    assert_eq!(
        json["diagnostics"][0]["variable"],
        "OTEL_BSP_SCHEDULE_DELAY"
    );
    assert!(!printed.contains(STARTED), "{printed}");
}

#[test]
fn without_it_the_service_starts() {
    for value in ["0", "maybe", ""] {
        let output = run(&[("TRACED_DOCTOR", value), ("OTEL_TRACES_EXPORTER", "none")]);
        assert!(stdout(&output).contains(STARTED), "{output:?}");
    }
}
