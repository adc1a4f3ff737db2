//! Whole drawings, from the batches of one or two tracers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;

use super::{Console, Output, Style};
use crate::exporter::{Batch, Exporter, Resource};
use crate::forest::sample::{SpanExt, records, span};
use crate::record::SpanRecord;

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

fn console(written: &Output, style: &Style) -> Console {
    Console::on(written.clone(), style.clone(), Duration::from_secs(600))
}

fn export(console: &mut Console, service: &str, spans: Vec<SpanRecord>) {
    let name = crate::Value::Str(service.to_owned().into());
    let resource = Resource {
        attributes: vec![("service.name".into(), name)],
    };
    let batch = Batch {
        resource: &resource,
        records: &records(spans),
        deadline: Instant::now(),
        dropped: 0,
    };
    console.export(&batch).unwrap();
}

/// What stands there when every service has exported its spans and shut down.
fn drawn(style: &Style, services: Vec<(&str, Vec<SpanRecord>)>) -> String {
    let written = Written::default();
    let output = Output::new(written.clone());
    let mut consoles = Vec::new();
    for _ in &services {
        consoles.push(console(&output, style));
    }
    for (console, (service, spans)) in consoles.iter_mut().zip(services) {
        export(console, service, spans);
    }
    for mut console in consoles {
        console.shutdown(Instant::now());
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
    expect![[r#"
        ✗ error   1.24 s  gateway → orders  POST /checkout  7 spans  00000000000000000000000000000001
        ✗ POST /checkout (gateway) [server]       1.24 s  ██████████████████  http.response.status_code=502
        ├─ auth                                  12.1 ms  ▏                   user=ann
        └─ ✗ POST orders:8080 [client]            1.20 s  █████████████████▋  http.response.status_code=502
           │  ✗ 502
           └─ ✗ POST /orders (orders) [server]    1.19 s  █████████████████▍
              │  ✗ CheckoutError: order 7 failed: card ending in 42 was declined
              └─ ✗ Orders::place                  1.17 s  █████████████████▎  order_id=7
                 ├─ Orders::reserve              30.0 ms  ▍                   sku=A-1 count=2
                 └─ ✗ charge [client]             900 ms     █████████████▊   amount=12.5 note="two words"
                       ✗ CardDeclined: card ending in 42 was declined  src/payment.rs:88
                       • retry attempt=2  +450 ms

    "#]].assert_eq(&drawn(&Style::plain(110), checkout()));
}

#[test]
fn a_narrow_terminal_cuts_names_and_leaves_arguments_out() {
    expect![[r#"
        ✗ error   1.24 s  gateway → orders  POST /checkout  7 spans  00000000000000000000000000000001
        ✗ POST /check… (gateway) […    1.24 s  ██████████
        ├─ auth                       12.1 ms  ▏
        └─ ✗ POST orders:… [client]    1.20 s  █████████▊
           │  ✗ 502
           └─ ✗ POST /or… (orders)…    1.19 s  █████████▋
              │  ✗ CheckoutError: order 7 failed: card ending in 42
              │    was declined
              └─ ✗ Orders::place       1.17 s  █████████▋
                 ├─ Orders::reserve   30.0 ms  ▎
                 └─ ✗ charge [clie…    900 ms    ███████▎
                       ✗ CardDeclined: card ending in 42 was
                         declined  src/payment.rs:88
                       • retry attempt=2  +450 ms

    "#]]
    .assert_eq(&drawn(&Style::plain(60), checkout()));
}

#[test]
fn colours_mark_outcome_and_service() {
    let style = Style {
        colour: true,
        ..Style::plain(110)
    };
    let text = drawn(&style, checkout());
    expect![[r#"
        ^[31m✗ error^[0m   ^[1m1.24 s^[0m  ^[36mgateway^[0m^[2m → ^[0m^[34morders^[0m  POST /checkout^[2m  7 spans  00000000000000000000000000000001^[0m
        ^[31m✗ ^[0m^[31mPOST /checkout^[0m^[36m (gateway)^[0m^[2m [server]^[0m       1.24 s  ^[31m██████████████████^[0m  ^[2mhttp.response.status_code=502^[0m
        ^[2m├─ ^[0mauth                                  12.1 ms  ^[36m▏^[0m                   ^[2muser=ann^[0m
        ^[2m└─ ^[0m^[31m✗ ^[0m^[31mPOST orders:8080^[0m^[2m [client]^[0m            1.20 s  ^[31m█████████████████▋^[0m  ^[2mhttp.response.status_code=502^[0m
        ^[2m   │  ^[0m^[31m✗ ^[0m^[31m502^[0m
        ^[2m   └─ ^[0m^[31m✗ ^[0m^[31mPOST /orders^[0m^[34m (orders)^[0m^[2m [server]^[0m    1.19 s  ^[31m█████████████████▍^[0m
        ^[2m      │  ^[0m^[31m✗ ^[0m^[31mCheckoutError: order 7 failed: card ending in 42 was declined^[0m
        ^[2m      └─ ^[0m^[31m✗ ^[0m^[31mOrders::place^[0m                  1.17 s  ^[31m█████████████████▎^[0m  ^[2morder_id=7^[0m
        ^[2m         ├─ ^[0mOrders::reserve              30.0 ms  ^[34m▍^[0m                   ^[2msku=A-1 count=2^[0m
        ^[2m         └─ ^[0m^[31m✗ ^[0m^[31mcharge^[0m^[2m [client]^[0m             900 ms     ^[31m█████████████▊^[0m   ^[2mamount=12.5 note="two words"^[0m
        ^[2m               ^[0m^[31m✗ ^[0m^[31mCardDeclined: card ending in 42 was declined^[0m  ^[4msrc/payment.rs:88^[0m
        ^[2m               ^[0m• retry^[2m attempt=2^[0m^[2m  +450 ms^[0m

    "#]].assert_eq(&text.replace('\x1b', "^"));
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
    check(
        spans,
        &expect![[r#"
        ✓ ok     1.00 ms  orders  GET /  2 spans  00000000000000000000000000000001
        ✓ ok     12.3 ms  orders  GET /orders/{id}  1 span  00000000000000000000000000000002
    "#]],
    );
}

#[test]
fn the_first_byte_is_drawn_if_the_last_one_took_its_time() {
    let answer = |micros| {
        let span = span(1, 0, "GET /").between(0, 1_000);
        vec![
            span.with("traced.cancelled", true)
                .event("first byte", micros, Vec::new()),
        ]
    };
    let drawn = |micros| drawn(&Style::plain(100), vec![("orders", answer(micros))]);
    assert!(drawn(300).contains("• first byte  +300 µs"));
    assert!(!drawn(950).contains("first byte"));
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
    check(
        spans,
        &expect![[r#"
            ✗ error  60.0 µs  orders  GET /cart  2 spans  00000000000000000000000000000001
            ✗ GET /cart (orders)   60.0 µs  ████████████████
            └─ ✗ Cart::item        30.0 µs    ████████▋
                  ✗ panic: index out of bounds:
                    the len is 3
                    but the index is 7  src/cart.rs:12

        "#]],
    );
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
    check(
        spans,
        &expect![[r#"
            ⊘ cancelled  60.0 µs  orders  GET /  3 spans  00000000000000000000000000000001
            GET / (orders)         60.0 µs  ████████████████
            ├─ ⊘ query             30.0 µs    ████████▋
            │     ⊘ cancelled
            └─ cache               5.00 µs              █▍
                  ! Timeout: no answer

        "#]],
    );
}

#[test]
fn an_incomplete_trace_says_so() {
    let spans = vec![
        span(3, 2, "inner").between(10, 20).failed("no"),
        span(4, 9, "other").between(30, 40),
    ];
    check(
        spans,
        &expect![[r#"
            ✗ error  30.0 µs  orders  inner  2 spans, incomplete  00000000000000000000000000000001
            ✗ inner (orders)       10.0 µs  █████▍
               ✗ no
            other (orders)         10.0 µs            ██████

        "#]],
    );
}

#[test]
fn late_spans_are_a_line_unless_they_failed() {
    let written = Written::default();
    let output = Output::new(written.clone());
    for spans in [
        vec![span(1, 0, "GET /").between(0, 60)],
        vec![
            span(3, 2, "send").between(65, 69),
            span(2, 1, "audit").between(50, 90),
        ],
        vec![span(4, 1, "mail").between(70, 80).failed("refused")],
    ] {
        let mut console = console(&output, &Style::plain(100));
        export(&mut console, "orders", spans);
        console.shutdown(Instant::now());
    }
    expect![[r#"
        ✓ ok     60.0 µs  orders  GET /  1 span  00000000000000000000000000000001
        + late   40.0 µs  orders  audit, send  2 spans  00000000000000000000000000000001
        ✗ error  10.0 µs  orders  mail  1 span, late  00000000000000000000000000000001
        ✗ mail (orders)        10.0 µs  ████████████████
           ✗ refused

    "#]]
    .assert_eq(&written.text());
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
