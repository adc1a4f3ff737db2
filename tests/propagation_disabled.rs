//! A process that records nothing still hands traces on. In a process of its own, because the
//! propagators are the process's.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::global;
use trace_runtime::{Tracer, extract, inject, traced};

#[traced]
fn call() -> HashMap<String, String> {
    let mut headers = HashMap::new();
    inject(&mut headers);
    headers
}

#[test]
fn propagators_work_in_a_disabled_process() {
    let guard = Tracer::builder()
        .with_env(|name| match name {
            "OTEL_SDK_DISABLED" => Some("true".to_owned()),
            "OTEL_PROPAGATORS" => Some("b3,jaeger".to_owned()),
            _ => None,
        })
        .with_service_name("disabled")
        .install()
        .unwrap();
    const IDS: &str = "463ac35c9f6413ad48485a3953bb6124-0020000000000001";
    let incoming = HashMap::from([("b3".to_owned(), format!("{IDS}-1"))]);
    let _attached = extract(&incoming).attach();
    let headers = call();
    assert_eq!(headers["b3"], format!("{IDS}-1"));
    assert_eq!(
        headers["uber-trace-id"],
        format!("{}:0:1", IDS.replace('-', ":"))
    );

    // Those who ask the OpenTelemetry API get the same.
    let mut other = HashMap::new();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&Context::current(), &mut other);
    });
    assert_eq!(other, headers);
    assert_eq!(guard.stats().ended, 0);
}
