//! Spans on their way out, as the protocol setting asks: posted as JSON, or written to a file.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use trace_runtime::{Tracer, TracerBuilder, traced};

#[traced]
fn checkout(order_id: u64, user: &str) -> usize {
    parcel(order_id) + user.len()
}

#[traced]
fn parcel(weight: u64) -> usize {
    weight as usize
}

fn tracer(variables: &[(&'static str, &str)]) -> TracerBuilder {
    let variables: HashMap<_, _> = variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    Tracer::builder()
        .with_service_name("orders")
        .with_env(move |name| variables.get(name).cloned())
}

/// Answers one request, with the head and body that it gives back.
fn receive_one() -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            stream.read_line(&mut head).unwrap();
        }
        head.make_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length = length.lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        stream.get_mut().write_all(answer).unwrap();
        sender
            .send((head, String::from_utf8(body).unwrap()))
            .unwrap();
    });
    (url, receiver)
}

fn check_both_spans(json: &str) {
    for part in [
        r#"{"key":"service.name","value":{"stringValue":"orders"}}"#,
        r#""name":"checkout""#,
        r#""name":"parcel""#,
        r#"{"key":"order_id","value":{"intValue":"7"}}"#,
        r#"{"key":"user","value":{"stringValue":"ann"}}"#,
        r#"{"key":"weight","value":{"intValue":"7"}}"#,
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
}

#[test]
fn http_json_is_posted_to_the_same_path() {
    let (url, request) = receive_one();
    let (tracer, guard) = tracer(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b"),
    ])
    .build()
    .unwrap();
    assert_eq!(tracer.in_scope(|| checkout(7, "ann")), 10);
    guard.shutdown(Duration::from_secs(20)).unwrap();
    let (head, body) = request.recv().unwrap();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    for line in ["content-type: application/json", "x-tenant: a b"] {
        assert!(head.lines().any(|have| have == line), "{line} in {head}");
    }
    check_both_spans(&body);
}

#[test]
fn the_file_exporter_writes_lines_of_json() {
    let name = format!("trace-runtime-otlp-{}.jsonl", std::process::id());
    let path = std::env::temp_dir().join(name);
    let (tracer, guard) = tracer(&[
        ("OTEL_TRACES_EXPORTER", "file"),
        ("TRACED_FILE", path.to_str().unwrap()),
    ])
    .build()
    .unwrap();
    tracer.in_scope(|| checkout(7, "ann"));
    guard.shutdown(Duration::from_secs(20)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    check_both_spans(&text);
}

#[test]
fn what_the_receiver_refuses_is_counted_and_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:hidden@{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut line = String::new();
        while stream.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        let answer =
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot here\n";
        stream.get_mut().write_all(answer).unwrap();
        // Until the client hangs up: closing with unread bytes would take the answer back.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let (tracer, guard) = tracer(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)])
        .build()
        .unwrap();
    tracer.in_scope(|| checkout(7, "ann"));
    let error = guard.shutdown(Duration::from_secs(20)).unwrap_err();
    let said = format!("{error} {:?}", guard.diagnostics());
    assert!(said.contains("2 spans: HTTP 404 Not Found"), "{said}");
    let lines = guard.diagnostics();
    let named = |line: &String| line.matches("127.0.0.1").count() == 1;
    assert!(
        lines
            .iter()
            .map(ToString::to_string)
            .any(|line| named(&line)),
        "{said}"
    );
    assert!(
        said.contains("not here") && !said.contains("hidden"),
        "{said}"
    );
}
