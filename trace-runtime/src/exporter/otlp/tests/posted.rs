//! The exporter against receivers that behave, and against those that do not.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;

use super::super::{Format, OtlpHttp, OtlpHttpSettings};
use crate::exporter::http::server::{Server, answer};
use crate::exporter::samples::{batch, closed_port, plain_records, some_resource};
use crate::{Batch, ExportError, Exporter};

const PROTOBUF: &str = "Content-Type: application/x-protobuf";

fn exporter(url: &str) -> OtlpHttp {
    exporter_of(url, Format::Protobuf)
}

fn exporter_of(url: &str, format: Format) -> OtlpHttp {
    OtlpHttp::new(OtlpHttpSettings {
        format,
        ..settings(url)
    })
    .unwrap()
}

fn settings(url: &str) -> OtlpHttpSettings {
    OtlpHttpSettings {
        endpoint: url.to_owned(),
        headers: vec![("x-tenant".to_owned(), "a".to_owned())],
        timeout: None,
        format: Format::Protobuf,
        #[cfg(feature = "gzip")]
        gzip: false,
        #[cfg(feature = "tls")]
        tls: Default::default(),
    }
}

fn export(exporter: &mut OtlpHttp, spans: u64) -> Result<(), ExportError> {
    exporter.export(&batch(&some_resource(), &plain_records(spans)))
}

/// Posts two spans to a receiver that answers so.
fn outcome(answer: impl Into<Vec<u8>>) -> Result<(), ExportError> {
    let server = Server::answering(answer);
    export(&mut exporter(&server.url()), 2)
}

fn rejection(answer: impl Into<Vec<u8>>) -> (u64, String) {
    match outcome(answer) {
        Err(ExportError::Rejected { spans, message }) => (spans, message),
        other => panic!("{other:?}"),
    }
}

fn unreachable_because(result: Result<(), ExportError>) -> String {
    match result {
        Err(ExportError::Unreachable(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_is_one_post() {
    let server = Server::answering(answer("200 OK", &[PROTOBUF], b""));
    assert_eq!(export(&mut exporter(&server.url()), 5), Ok(()));
    let request = server.received.recv().unwrap();
    let head = request.head.to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    let agent = concat!("user-agent: trace-runtime/", env!("CARGO_PKG_VERSION"));
    for line in ["content-type: application/x-protobuf", agent, "x-tenant: a"] {
        assert!(head.lines().any(|have| have == line), "{line} in {head}");
    }
    let body = ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap();
    assert_eq!(body.resource_spans[0].scope_spans[0].spans.len(), 5);
}

#[test]
fn an_empty_batch_is_not_sent() {
    let mut exporter = exporter("http://127.0.0.1:1/v1/traces");
    assert_eq!(export(&mut exporter, 0), Ok(()));
}

#[test]
fn the_connection_is_kept() {
    let ok = answer("200 OK", &[], b"");
    let server = Server::start(vec![vec![ok; 3]]);
    let mut exporter = exporter(&server.url());
    for _ in 0..3 {
        assert_eq!(export(&mut exporter, 1), Ok(()));
    }
    let connections: Vec<_> = server.received.try_iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[test]
fn user_info_is_sent_as_a_header_and_shown_nowhere() {
    let server = Server::answering(answer("404 Not Found", &[], b""));
    let url = format!("http://user:secret@{}/v1/traces", server.address);
    let mut exporter = exporter(&url);
    assert_eq!(exporter.target(), server.url());
    let error = export(&mut exporter, 1).unwrap_err();
    assert!(
        !format!("{error:?} {exporter:?}").contains("secret"),
        "{error:?}"
    );
    let head = server.received.recv().unwrap().head.to_ascii_lowercase();
    assert!(
        head.contains("authorization: basic dxnlcjpzzwnyzxq=\r\n"),
        "{head}"
    );
    assert!(!head.contains("user:secret"), "{head}");
}

#[test]
fn partial_success_is_reported() {
    let body = |rejected_spans, error_message: &str| {
        ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans,
                error_message: error_message.to_owned(),
            }),
        }
        .encode_to_vec()
    };
    let refused = answer("200 OK", &[PROTOBUF], &body(1, "too old\nsecond line"));
    assert_eq!(rejection(refused), (1, "too old".to_owned()));
    for harmless in [
        body(0, ""),
        body(0, "deprecated"),
        body(-1, ""),
        b"not protobuf".to_vec(),
    ] {
        assert_eq!(outcome(answer("200 OK", &[PROTOBUF], &harmless)), Ok(()));
    }
    assert_eq!(outcome(answer("202 Accepted", &[], b"")), Ok(()));
}

#[test]
fn json_is_sent_and_understood() {
    const JSON: &str = "Content-Type: application/json";
    let body = br#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#;
    let server = Server::answering(answer("200 OK", &[JSON], body));
    let result = export(&mut exporter_of(&server.url(), Format::Json), 2);
    let message = "too old".to_owned();
    assert_eq!(result, Err(ExportError::Rejected { spans: 1, message }));
    let request = server.received.recv().unwrap();
    let head = request.head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let spans = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(spans.as_array().unwrap().len(), 2);

    assert_eq!(outcome(answer("200 OK", &[JSON], b"{}")), Ok(()));
    let status = br#"{"code":3,"message":"bad trace id"}"#;
    let (_, message) = rejection(answer("400 Bad Request", &[JSON], status));
    assert!(message.ends_with(": bad trace id"), "{message}");
}

#[test]
fn busy_receivers_are_asked_again() {
    for (status, headers, after) in [
        (
            "429 Too Many Requests",
            &["Retry-After: 7"][..],
            Some(Duration::from_secs(7)),
        ),
        ("502 Bad Gateway", &[], None),
        (
            "503 Service Unavailable",
            &["Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"],
            Some(Duration::ZERO),
        ),
        ("504 Gateway Timeout", &["Retry-After: soon"], None),
    ] {
        let server = Server::answering(answer(status, headers, b"busy\r\nreally"));
        let result = export(&mut exporter(&server.url()), 2);
        let message = format!("HTTP {status}: busy");
        assert_eq!(result, Err(ExportError::Retry { after, message }));
    }
}

#[test]
fn other_answers_refuse_the_batch() {
    let server = Server::answering(answer("400 Bad Request", &[], b"what is this?"));
    let result = export(&mut exporter(&server.url()), 2);
    let message = "HTTP 400 Bad Request: what is this?".to_owned();
    assert_eq!(result, Err(ExportError::Rejected { spans: 2, message }));

    // `google.rpc.Status` with code 3 and a message.
    let status = b"\x08\x03\x12\x0cbad trace id";
    let (spans, message) = rejection(answer("400 Bad Request", &[PROTOBUF], status));
    assert_eq!(spans, 2);
    assert_eq!(message, "HTTP 400 Bad Request: bad trace id");

    let long = "x".repeat(100_000);
    let (_, message) = rejection(answer("500 Internal Server Error", &[], long.as_bytes()));
    assert!(
        message.ends_with(&format!(": {}", "x".repeat(200))) && message.len() < 300,
        "{message}"
    );
}

#[test]
fn usual_mistakes_get_a_hint() {
    let server = Server::answering(answer("404 Not Found", &[], b"404 page not found"));
    let base = format!("http://{}/", server.address);
    match export(&mut exporter(&base), 1) {
        Err(ExportError::Rejected { message, .. }) => {
            assert!(
                message.ends_with("received at the path `/v1/traces`"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
    for (status, headers, hint) in [
        ("404 Not Found", &[][..], "usually on port 4318"),
        ("401 Unauthorized", &[], "check the credentials"),
        (
            "413 Payload Too Large",
            &[],
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        ),
        (
            "200 OK",
            &["Content-Type: text/html; charset=utf-8"],
            ": a web page; ",
        ),
    ] {
        let (spans, message) = rejection(answer(status, headers, b"<html>"));
        assert!(spans == 2 && message.contains(hint), "{status}: {message}");
    }
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = Server::answering(answer("200 OK", &[], b""));
    let location = format!("Location: {}", elsewhere.url());
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
    ] {
        let (spans, message) = rejection(answer(status, &[&location], b""));
        let hint = format!("redirects are not followed, send to `{}`", elsewhere.url());
        assert!(spans == 2 && message.ends_with(&hint), "{message}");
    }
    assert!(elsewhere.received.try_recv().is_err());
}

#[test]
fn a_grpc_port_gets_a_hint() {
    // The settings frame with which an HTTP/2 server begins.
    let (spans, message) = rejection(&b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0"[..]);
    assert!(
        spans == 2 && message.contains("may speak gRPC"),
        "{message}"
    );
}

#[test]
fn a_closed_port_refuses() {
    let (_taken, address) = closed_port();
    let url = format!("http://{address}/v1/traces");
    let reason = unreachable_because(export(&mut exporter(&url), 1));
    assert_eq!(reason, "connection refused");
}

/// Exports with a deadline of two seconds, time enough for a busy machine to send, to a receiver that runs `serve` on its connection.
fn within_two_seconds(serve: impl FnOnce(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut exporter = exporter(&format!("http://{}/", listener.local_addr().unwrap()));
    thread::spawn(move || serve(listener.accept().unwrap().0));
    let (resource, records) = (some_resource(), plain_records(20));
    let allowed = Duration::from_secs(2);
    let batch = Batch {
        deadline: Instant::now() + allowed,
        ..batch(&resource, &records)
    };
    let reason = unreachable_because(exporter.export(&batch));
    let late = Instant::now().saturating_duration_since(batch.deadline);
    assert!(
        late < Duration::from_secs(2),
        "{late:?} after the deadline: {reason}"
    );
    reason
}

#[test]
fn a_silent_receiver_is_given_up_at_the_deadline() {
    let reason = within_two_seconds(|stream| {
        thread::sleep(Duration::from_secs(10)); // longer than the test
        drop(stream);
    });
    assert_eq!(reason, "connected, but no answer in time");
}

#[test]
fn a_dripping_receiver_is_given_up_at_the_deadline() {
    let reason = within_two_seconds(|mut stream| {
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Slow: "
            .iter()
            .cycle()
        {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(20)); // the pace of the drip
        }
    });
    assert!(reason.ends_with("in time"), "{reason}");
}

#[test]
fn a_deadline_in_the_past_sends_nothing() {
    let (resource, records) = (some_resource(), plain_records(1));
    let batch = Batch {
        deadline: Instant::now(),
        ..batch(&resource, &records)
    };
    let reason = unreachable_because(exporter("http://127.0.0.1:1/").export(&batch));
    assert_eq!(reason, "no time left for an attempt");
}

#[test]
fn the_configured_timeout_ends_an_attempt_before_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut exporter = OtlpHttp::new(OtlpHttpSettings {
        timeout: Some(Duration::from_secs(2)),
        ..settings(&url)
    })
    .unwrap();
    let start = Instant::now();
    // Nobody accepts, but the kernel completes the connection.
    let reason = unreachable_because(export(&mut exporter, 1));
    assert_eq!(reason, "connected, but no answer in time");
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn an_answer_whose_body_never_ends_is_still_an_answer() {
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec();
    assert_eq!(outcome(ok), Ok(()));
}

#[test]
fn a_closed_connection_is_replaced() {
    let ok = || vec![answer("200 OK", &[], b"")];
    let server = Server::start(vec![ok(), ok(), ok()]);
    let mut exporter = exporter(&server.url());
    // Each connection closes after one answer. That may be seen before the next request or during
    // it; then the batch comes again.
    for _ in 0..3 {
        let mut attempts = 0;
        while let Err(error) = export(&mut exporter, 1) {
            assert!(matches!(error, ExportError::Unreachable(_)), "{error:?}");
            attempts += 1;
            assert!(attempts < 3, "{error:?}");
        }
    }
    let connections: Vec<_> = server.received.try_iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 1, 2]);
}

#[test]
fn a_receiver_that_hangs_up_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut exporter = exporter(&format!("http://{}/", listener.local_addr().unwrap()));
    thread::spawn(move || drop(listener.accept()));
    let reason = unreachable_because(export(&mut exporter, 1));
    assert!(reason.starts_with("connection "), "{reason}");
}

#[cfg(feature = "gzip")]
#[test]
fn a_compressed_body_says_so_and_is_the_same_inside() {
    use std::io::Read;

    let server = Server::answering(answer("200 OK", &[PROTOBUF], b""));
    let mut exporter = OtlpHttp::new(OtlpHttpSettings {
        gzip: true,
        ..settings(&server.url())
    })
    .unwrap();
    assert_eq!(export(&mut exporter, 100), Ok(()));
    let received = server.received.recv().unwrap();
    let head = received.head.to_ascii_lowercase();
    assert!(head.contains("\r\ncontent-encoding: gzip\r\n"), "{head}");
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(&*received.body)
        .read_to_end(&mut body)
        .unwrap();
    assert!(received.body.len() < body.len() / 2);
    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans.len(), 100);
}
