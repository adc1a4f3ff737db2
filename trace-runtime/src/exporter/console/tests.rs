//! Whole drawings, from the batches of one or two tracers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;

use super::{Console, Output, Style};
use crate::exporter::{Batch, Exporter, Resource};
use crate::record::SpanRecord;
use crate::tree::sample::{SpanExt, records, span};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Exports every list of spans as a batch of its service, and shuts down.
fn drawn(style: &Style, batches: Vec<(&str, Vec<SpanRecord>)>) -> String {
    let written = Written::default();
    let output = Output::new(written.clone());
    let mut consoles: Vec<Console> = batches
        .iter()
        .map(|_| Console::on(output.clone(), style.clone(), Duration::from_secs(600)))
        .collect();
    let now = Instant::now();
    for (console, (service, spans)) in consoles.iter_mut().zip(batches) {
        let resource = Resource {
            attributes: vec![(
                "service.name".into(),
                crate::Value::Str(service.to_owned().into()),
            )],
        };
        let records = records(spans);
        let batch = Batch {
            resource: &resource,
            records: &records,
            deadline: now,
            dropped: 0,
        };
        console.export(&batch).unwrap();
    }
    for console in &mut consoles {
        console.shutdown(now);
    }
    written.text()
}

fn check(spans: Vec<SpanRecord>, expected: &Expect) {
    expected.assert_eq(&drawn(&Style::plain(100), vec![("orders", spans)]));
}

fn exception(kind: &'static str, message: &'static str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("exception.type", kind),
        KeyValue::new("exception.message", message),
        KeyValue::new("exception.stacktrace", "Caused by: the test"),
    ]
}

/// A request through two services that fails in the innermost function.
fn checkout() -> Vec<(&'static str, Vec<SpanRecord>)> {
    const DECLINED: &str = "card ending in 42 was declined";
    let gateway = vec![
        span(2, 1, "auth").between(400, 12_500).with("user", "ann"),
        span(3, 1, "POST orders:8080")
            .kind(SpanKind::Client)
            .between(13_000, 1_210_000)
            .with("http.response.status_code", 502)
            .failed("502"),
        span(1, 0, "POST /checkout")
            .kind(SpanKind::Server)
            .between(0, 1_240_000)
            .with("http.route", "/checkout")
            .with("http.response.status_code", 502)
            .failed("502"),
    ];
    let charge = span(7, 5, "charge")
        .kind(SpanKind::Client)
        .between(250_000, 1_150_000)
        .with("amount", 12.5)
        .with("note", "two words")
        .with("error.type", "CardDeclined")
        .with("code.function.name", "orders::payment::charge")
        .with("code.file.path", "src/payment.rs")
        .with("code.line.number", 88)
        .event("retry", 700_000, vec![KeyValue::new("attempt", 2)])
        .event("exception", 1_149_000, exception("CardDeclined", DECLINED))
        .failed(DECLINED);
    let place = span(5, 4, "Orders::place")
        .between(20_000, 1_190_000)
        .with("order_id", 7)
        .with("error.type", "CardDeclined")
        .failed(DECLINED);
    let server = span(4, 3, "POST /orders")
        .remote()
        .kind(SpanKind::Server)
        .between(15_000, 1_200_000)
        .with("error.type", "CheckoutError")
        .event(
            "exception",
            1_195_000,
            exception(
                "CheckoutError",
                "order 7 failed: card ending in 42 was declined",
            ),
        )
        .failed("order 7 failed: card ending in 42 was declined");
    let reserve = span(6, 5, "Orders::reserve")
        .between(22_000, 52_000)
        .with("sku", "A-1")
        .with("count", 2);
    vec![
        ("orders", vec![reserve, charge, place, server]),
        ("gateway", gateway),
    ]
}

#[test]
fn a_failed_request_is_drawn_across_services() {
    expect![[]].assert_eq(&drawn(&Style::plain(110), checkout()));
}

#[test]
fn a_narrow_terminal_cuts_names_and_leaves_arguments_out() {
    expect![[]].assert_eq(&drawn(&Style::plain(60), checkout()));
}

#[test]
fn colours_mark_outcome_and_service() {
    let style = Style {
        colour: true,
        ..Style::plain(110)
    };
    let text = drawn(&style, checkout());
    expect![[]].assert_eq(&text.replace('\x1b', "^"));
}

#[test]
fn good_requests_are_a_line_each() {
    let mut second = span(3, 0, "GET /orders/{id}").between(20_000, 32_345);
    second.trace_id = opentelemetry::TraceId::from(2_u128);
    let spans = vec![
        span(2, 1, "load").between(100, 900).with("id", 7),
        span(1, 0, "GET /").between(0, 1_000),
        second,
    ];
    check(spans, &expect![[]]);
}

#[test]
fn a_panic_shows_where_it_happened() {
    let mut event = exception(
        "panic",
        "index out of bounds:\nthe len is 3\nbut the index is 7",
    );
    event.push(KeyValue::new("code.file.path", "src/cart.rs"));
    event.push(KeyValue::new("code.line.number", 12));
    let spans = vec![
        span(2, 1, "Cart::item")
            .between(10, 40)
            .with("error.type", "panic")
            .with("code.file.path", "src/elsewhere.rs")
            .with("code.line.number", 1)
            .event("exception", 40, event)
            .failed("index out of bounds:\nthe len is 3\nbut the index is 7"),
        span(1, 0, "GET /cart")
            .between(0, 60)
            .with("error.type", "panic")
            .failed("panic"),
    ];
    check(spans, &expect![[]]);
}

#[test]
fn cancelled_requests_are_drawn_and_survived_exceptions_too() {
    let spans = vec![
        span(2, 1, "query")
            .between(10, 40)
            .with("traced.cancelled", true),
        span(3, 1, "cache").between(45, 50).event(
            "exception",
            47,
            exception("Timeout", "no answer"),
        ),
        span(1, 0, "GET /").between(0, 60),
    ];
    check(spans, &expect![[]]);
}

#[test]
fn an_incomplete_trace_says_so() {
    let spans = vec![
        span(3, 2, "inner").between(10, 20).failed("no"),
        span(4, 9, "other").between(30, 40),
    ];
    check(spans, &expect![[]]);
}

#[test]
fn values_cannot_steer_the_terminal() {
    let spans = vec![
        span(1, 0, "na\x1b[2Jme")
            .between(0, 60)
            .with("a", "\x1b]8;;http://evil\x1b\\")
            .event("e\x1b", 1, vec![KeyValue::new("k\r", "\x07")])
            .failed("\x1b[31mred\u{202e}"),
    ];
    let text = drawn(&Style::plain(100), vec![("or\x1bders", spans)]);
    assert!(!text.contains(['\x1b', '\r', '\x07', '\u{202e}']), "{text}");
}

#[test]
fn a_very_deep_trace_stays_within_the_width() {
    let spans: Vec<SpanRecord> = (1..=300)
        .map(|id| span(id, id - 1, "recurse").between(id, 1000 - id))
        .chain([span(999, 300, "innermost")
            .between(400, 500)
            .failed("too deep")])
        .collect();
    let text = drawn(&Style::plain(80), vec![("orders", spans)]);
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(80), "{longest:?}");
    assert!(text.contains("300╴✗ innermost"), "{text}");
}
