//! Server-sent events: the span of what a handler returns covers the whole stream.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use trace_runtime::testing::{Capture, capture};
use trace_runtime::tower::ServerLayer;
use trace_runtime::{SpanRecord, traced};

#[traced]
fn tick(n: u64) -> Result<Event, Infallible> {
    Ok(Event::default().data(n.to_string()))
}

#[traced]
fn ticks(count: u64) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::iter(1..=count).map(tick)
}

#[traced]
fn endless_ticks() -> impl Stream<Item = Result<Event, Infallible>> {
    stream::iter([1, 2]).chain(stream::pending()).map(tick)
}

#[traced]
async fn finite(Path(count): Path<u64>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(ticks(count))
}

async fn endless() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(endless_ticks())
}

async fn serve(capture: &Capture) -> SocketAddr {
    let app = Router::new()
        .route("/finite/{count}", get(finite))
        .route("/endless", get(endless))
        .layer(ServerLayer::new().with_tracer(capture.tracer()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// A connection that has sent the request, and what has come back up to `end`.
async fn request(capture: &Capture, path: &str, end: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(serve(capture).await).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    while !all.ends_with(end.as_bytes()) {
        assert_ne!(stream.read_buf(&mut all).await.unwrap(), 0);
    }
    (stream, String::from_utf8(all).unwrap())
}

/// The span of this name, once it has ended.
async fn span(capture: &Capture, name: &str) -> SpanRecord {
    let ended = async {
        loop {
            if let Some(span) = capture.spans().into_iter().find(|span| span.name == name) {
                return span;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
    ended.unwrap_or_else(|_| panic!("`{name}` does not end: {}", capture.tree()))
}

#[tokio::test]
async fn the_span_covers_the_whole_stream() {
    let capture = capture();
    let (_stream, sent) = request(&capture, "/finite/2", "\r\n0\r\n\r\n").await;
    assert!(
        sent.contains("data: 1") && sent.contains("data: 2"),
        "{sent}"
    );
    let server = span(&capture, "GET /finite/{count}").await;
    let ticks = span(&capture, "ticks").await;
    let handler = span(&capture, "finite").await;
    assert_eq!(ticks.attribute("traced.stream.items"), Some(&2.into()));
    assert_eq!(ticks.attribute("traced.cancelled"), None);
    assert_eq!(handler.parent_span_id, server.span_id);
    assert_eq!(ticks.parent_span_id, handler.span_id);
    // The handler was done before the first event, its stream was not.
    let all = capture.spans();
    let items: Vec<_> = all.iter().filter(|span| span.name == "tick").collect();
    assert_eq!(items.len(), 2);
    for item in items {
        assert_eq!(item.parent_span_id, ticks.span_id);
        assert!(item.start_time >= handler.end_time);
        assert!(item.end_time <= ticks.end_time);
    }
    assert!(server.end_time >= ticks.end_time);
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_stream() {
    let capture = capture();
    let (stream, _) = request(&capture, "/endless", "data: 2\n\n\r\n").await;
    let is_open = |span: &SpanRecord| span.name == "tick";
    assert!(capture.spans().iter().all(is_open), "{}", capture.tree());
    drop(stream);
    let ticks = span(&capture, "endless_ticks").await;
    let server = span(&capture, "GET /endless").await;
    assert_eq!(ticks.attribute("traced.cancelled"), Some(&true.into()));
    assert_eq!(ticks.attribute("traced.stream.items"), Some(&2.into()));
    assert_eq!(server.attribute("traced.cancelled"), Some(&true.into()));
    assert_eq!(ticks.parent_span_id, server.span_id);
    assert_eq!(ticks.trace_id, server.trace_id);
}
