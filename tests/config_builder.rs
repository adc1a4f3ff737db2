//! The configuration as users see it: through the builder, its errors and the guard.

use std::collections::HashMap;
use std::time::Duration;

use trace_runtime::{InitError, Severity, Tracer, TracerGuard};

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A local tracer in this environment and no other.
fn start(pairs: Pairs<'_>) -> Result<TracerGuard, InitError> {
    let map: HashMap<String, String> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let builder = Tracer::builder().with_env(move |name| map.get(name).cloned());
    builder.build().map(|(_, guard)| guard)
}

/// The line of a setting in the table.
fn line(guard: &TracerGuard, setting: &str) -> String {
    let table = guard.config().to_string();
    let found = table
        .lines()
        .find(|line| line.split_whitespace().next() == Some(setting));
    found
        .unwrap_or_else(|| panic!("no `{setting}` in\n{table}"))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn every_bad_variable_is_in_the_error() {
    let error = start(&[
        ("OTEL_TRACES_EXPORTER", "otlb"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("JAEGER_SAMPLER_REFRESH_INTERVAL", "soon"),
        ("JAEGER_AGENT_PORT", "tcp://10.0.0.1:6831"),
    ])
    .expect_err("four bad variables");
    let mut variables: Vec<_> = error
        .diagnostics()
        .iter()
        .filter_map(|diagnostic| diagnostic.variable())
        .collect();
    variables.sort_unstable();
    assert_eq!(
        variables,
        [
            "JAEGER_AGENT_PORT",
            "JAEGER_SAMPLER_REFRESH_INTERVAL",
            "OTEL_TRACES_EXPORTER",
            "OTEL_TRACES_SAMPLER_ARG"
        ]
    );
    let text = error.to_string();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.contains("`OTEL_TRACES_EXPORTER=otlb`: unknown `otlb`; expected `otlp`"));
    assert!(text.contains("`OTEL_TRACES_SAMPLER_ARG=2`: expected a number from 0 to 1"));
}

#[test]
fn bad_code_is_an_error_that_names_the_method() {
    let error = Tracer::builder()
        .with_env(|_| None)
        .with_endpoint("collector:4318")
        .with_flush_interval(Duration::ZERO)
        .build()
        .expect_err("two bad values");
    let text = error.to_string();
    assert!(text.contains("`with_endpoint=collector:4318`"), "{text}");
    assert!(text.contains("write `http://` in front"), "{text}");
    assert!(text.contains("`with_flush_interval=0`"), "{text}");
}

#[test]
fn the_guard_shows_values_and_their_sources() {
    let guard = start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("JAEGER_SERVICE_NAME", "orders"),
        ("JAEGER_REPORTER_FLUSH_INTERVAL", "2s"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", ""),
    ])
    .expect("good variables");
    assert_eq!(
        line(&guard, "exporters"),
        "exporters none OTEL_TRACES_EXPORTER"
    );
    assert_eq!(
        line(&guard, "resource.service.name"),
        "resource.service.name orders JAEGER_SERVICE_NAME"
    );
    assert_eq!(
        line(&guard, "schedule_delay"),
        "schedule_delay 2000 ms JAEGER_REPORTER_FLUSH_INTERVAL"
    );
    assert_eq!(line(&guard, "queue_size"), "queue_size 32768 default");
}

#[test]
fn the_guard_keeps_the_warnings() {
    let guard = start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SERVICE_NAME", "a"),
        ("JAEGER_SERVICE_NAME", "b"),
    ])
    .expect("no bad variable");
    let warnings: Vec<_> = guard
        .diagnostics()
        .into_iter()
        .filter(|diagnostic| diagnostic.severity() == Severity::Warning)
        .map(|diagnostic| diagnostic.to_string())
        .collect();
    assert_eq!(
        warnings,
        ["`JAEGER_SERVICE_NAME=b`: disagrees with `OTEL_SERVICE_NAME`, which wins with `a`"]
    );
}

#[test]
fn no_credential_is_printed() {
    let guard = start(&[
        ("OTEL_TRACES_EXPORTER", "jaeger,otlp"),
        ("OTEL_SERVICE_NAME", "a"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://u:hunter2@127.0.0.1:9",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20hunter2",
        ),
        ("JAEGER_ENDPOINT", "http://u:hunter2@127.0.0.1:9/api/traces"),
        ("JAEGER_USER", "hunter2"),
        ("JAEGER_PASSWORD", "hunter2"),
    ])
    .expect("good variables");
    let printed = format!(
        "{:#}\n{:?}\n{:?}",
        guard.config(),
        guard.config(),
        guard.diagnostics()
    );
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(printed.contains("authorization=[redacted]"), "{printed}");
    assert!(
        printed.contains("http://[redacted]@127.0.0.1:9/v1/traces"),
        "{printed}"
    );
}
