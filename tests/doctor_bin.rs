//! The example `doctor`, in a process and an environment of its own.

use std::process::{Command, Output};

use serde_json::Value;

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doctor"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the example runs")
}

#[test]
fn json_is_one_object_with_values_and_sources() {
    let output = run(
        &["--json", "--offline"],
        &[
            ("JAEGER_SERVICE_NAME", "old"),
            ("JAEGER_SAMPLER_TYPE", "const"),
            ("JAEGER_SAMPLER_PARAM", "0"),
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(json["service_name"]["value"], "old");
    assert_eq!(json["service_name"]["source"], "JAEGER_SERVICE_NAME");
    assert_eq!(json["sampler"]["value"], "parentbased_always_off");
    assert_eq!(json["sampler"]["source"], "JAEGER_SAMPLER_TYPE");
    assert_eq!(json["exporters"][0]["value"], "otlp");
}

#[test]
fn the_text_has_the_table_and_the_verdict() {
    let output = run(&["--offline"], &[("OTEL_SERVICE_NAME", "shop")]);
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find(|line| line.starts_with("resource.service.name"));
    let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
    assert_eq!(
        words,
        ["resource.service.name", "shop", "OTEL_SERVICE_NAME"]
    );
    assert!(text.contains("nothing is wrong"), "{text}");
}

#[test]
fn an_unknown_argument_is_refused() {
    let output = run(&["--jsno"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("`--jsno`"), "{said}");
}
