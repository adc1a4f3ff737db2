//! `ServerLayer` below a real server: what hyper does with a body is no surprise to the span.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use trace_runtime::SpanRecord;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::tower::ServerLayer;

fn chunks() -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    stream::iter([Ok(Bytes::from_static(b"a")), Ok(Bytes::from_static(b"b"))])
}

/// Serves routes of all kinds.
async fn serve(capture: &Capture) -> SocketAddr {
    let endless = || async { Body::from_stream(chunks().chain(stream::pending())) };
    let app = Router::new()
        .route("/fixed", get(|| async { "hello" }))
        .route("/chunked", get(|| async { Body::from_stream(chunks()) }))
        .route("/endless", get(endless))
        .layer(ServerLayer::new().with_tracer(capture.tracer()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn send(stream: &mut TcpStream, request: &str) {
    let head = format!("{request} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
}

async fn read_until(stream: &mut TcpStream, end: &str) {
    let mut all = Vec::new();
    while !all.ends_with(end.as_bytes()) {
        assert_ne!(stream.read_buf(&mut all).await.unwrap(), 0);
    }
}

/// The spans, once there are so many of them.
async fn spans(capture: &Capture, count: usize) -> Vec<SpanRecord> {
    let enough = async {
        loop {
            let spans = capture.spans();
            if spans.len() >= count {
                return spans;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let spans = tokio::time::timeout(Duration::from_secs(20), enough).await;
    spans.expect("the spans end")
}

#[tokio::test]
async fn responses_that_are_sent_are_not_cancelled() {
    let capture = capture();
    let mut stream = TcpStream::connect(serve(&capture).await).await.unwrap();
    for (request, end) in [
        ("GET /fixed", "hello"),
        ("HEAD /fixed", "\r\n\r\n"),
        ("GET /chunked", "0\r\n\r\n"),
        ("GET /nowhere", "\r\n\r\n"),
    ] {
        send(&mut stream, request).await;
        read_until(&mut stream, end).await;
    }
    let spans = spans(&capture, 4).await;
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["GET /fixed", "HEAD /fixed", "GET /chunked", "GET"]);
    for span in spans {
        assert_eq!(span.attribute("traced.cancelled"), None, "{}", span.name);
        let has_body = ["GET /fixed", "GET /chunked"].contains(&&*span.name);
        assert_eq!(span.events.len(), usize::from(has_body), "{}", span.name);
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels() {
    let capture = capture();
    let mut stream = TcpStream::connect(serve(&capture).await).await.unwrap();
    send(&mut stream, "GET /endless").await;
    read_until(&mut stream, "b\r\n").await;
    drop(stream);
    let spans = spans(&capture, 1).await;
    assert_eq!(spans[0].attribute("traced.cancelled"), Some(&true.into()));
    assert_eq!(spans[0].events[0].name, "first byte");
}
