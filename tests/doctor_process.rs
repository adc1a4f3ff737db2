//! `TRACED_DOCTOR` in the environment of a real process.

use std::process::{Command, Output};

use serde_json::Value;
use tests::collector::Collector;

/// What the child says when it goes on after its start.
const STARTED: &str = "started: ";

/// Runs a service that only starts tracing, with these variables and no others.
fn run(variables: &[(&str, &str)]) -> Output {
    run_scenario("init", variables)
}

fn run_scenario(scenario: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scenarios"));
    command.arg(scenario).env_clear();
    command.env("OTEL_SERVICE_NAME", "child");
    command.envs(variables.iter().copied());
    command.output().expect("the scenario runs")
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
    let variables = [
        ("TRACED_DOCTOR", "json"),
        ("TRACED_STRICT", "1"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
    ];
    let output = run_scenario("install", &variables);
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
