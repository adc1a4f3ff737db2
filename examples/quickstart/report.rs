//! What the program says on standard output; the traces themselves go to standard error or a
//! collector.

use trace_runtime::TracerGuard;

use crate::options::Options;
use crate::shopper::{Answer, Cart};

/// Where the spans go, without those that are drawn on the terminal.
fn collectors(guards: &[TracerGuard]) -> Vec<String> {
    let exporters = guards.iter().flat_map(|guard| guard.stats().exporters);
    let mut targets: Vec<String> = exporters.map(|exporter| exporter.target).collect();
    targets.retain(|target| !target.starts_with("console"));
    targets.sort();
    targets.dedup();
    targets
}

/// Where the traces can be looked at, if they are sent anywhere.
pub(crate) fn jaeger_ui(guards: &[TracerGuard], options: &Options) -> Option<String> {
    (!collectors(guards).is_empty()).then(|| options.jaeger_ui.clone())
}

pub(crate) fn answer(cart: &Cart, answer: &Answer, jaeger_ui: Option<&str>) {
    let Answer {
        status,
        trace_id,
        body,
    } = answer;
    println!(
        "cart {} of {}: {status}, {body}",
        cart.cart_id, cart.customer
    );
    if let Some(jaeger_ui) = jaeger_ui {
        println!("  {jaeger_ui}/trace/{trace_id}");
    }
}

pub(crate) fn how_to_ask(gateway: &str) {
    let body = r#"{"cart_id": 1, "customer": "ann", "express": true, "card": "4111"}"#;
    println!("\ncurl {gateway}/checkout --json '{body}'");
    println!("ctrl-c ends it");
}

pub(crate) fn what_next(guards: &[TracerGuard]) {
    let spans: u64 = guards.iter().map(|guard| guard.stats().exported).sum();
    match collectors(guards).as_slice() {
        [] => println!(
            "See them in Jaeger: docker run --rm -p 16686:16686 -p 4318:4318 \
             jaegertracing/all-in-one, then run this with \
             OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"
        ),
        targets => println!("{spans} spans delivered to {}", targets.join(", ")),
    }
}
