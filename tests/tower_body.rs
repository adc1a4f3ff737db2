//! `ServerLayer`: a span lasts as long as the response.

use std::convert::Infallible;
use std::io;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use opentelemetry::trace::Status;
use tower::{Layer, ServiceExt, service_fn};
use trace_runtime::testing::{Capture, capture};
use trace_runtime::tower::{ServerLayer, TracedBody};
use trace_runtime::{SpanRecord, traced};

fn layer(capture: &Capture) -> ServerLayer {
    ServerLayer::new().with_tracer(capture.tracer())
}

type Chunks = Vec<Result<Frame<Bytes>, io::Error>>;

fn data(text: &'static str) -> Result<Frame<Bytes>, io::Error> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

/// The body of a response that consists of these chunks.
async fn streamed(
    capture: &Capture,
    response: http::response::Builder,
    chunks: Chunks,
) -> TracedBody<impl http_body::Body<Data = Bytes, Error = io::Error>> {
    let body = StreamBody::new(stream::iter(chunks));
    let mut response = Some(response.body(body).unwrap());
    let service = layer(capture).layer(service_fn(move |_: Request<()>| {
        let response = response.take().unwrap();
        async { Ok::<_, Infallible>(response) }
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    response.into_body()
}

fn only(capture: &Capture) -> SpanRecord {
    let mut spans = capture.spans();
    assert_eq!(spans.len(), 1, "{}", capture.tree());
    spans.remove(0)
}

fn events(span: &SpanRecord) -> Vec<&str> {
    span.events.iter().map(|event| &*event.name).collect()
}

#[tokio::test]
async fn the_span_ends_with_the_body() {
    let capture = capture();
    let chunks = vec![data("a"), data("b")];
    let mut body = Box::pin(streamed(&capture, http::Response::builder(), chunks).await);
    for _ in 0..2 {
        assert!(capture.spans().is_empty());
        body.frame().await.unwrap().unwrap();
    }
    assert!(capture.spans().is_empty());
    assert!(body.frame().await.is_none());
    let span = only(&capture);
    assert_eq!(events(&span), ["first byte"]);
    assert_eq!(span.status, Status::Unset);
    assert_eq!(span.attribute("traced.cancelled"), None);
    // Polling it once more is harmless.
    assert!(body.frame().await.is_none());
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn a_body_cut_short_by_the_server_is_an_error() {
    let capture = capture();
    let reset = io::Error::new(io::ErrorKind::ConnectionReset, "the database went away");
    let chunks = vec![data("a"), Err(reset)];
    let body = streamed(&capture, http::Response::builder(), chunks).await;
    body.collect().await.err().unwrap();
    let span = only(&capture);
    assert_eq!(span.status, Status::error("the database went away"));
    assert_eq!(
        span.attribute("error.type"),
        Some(&"std::io::error::Error".into())
    );
    assert_eq!(events(&span), ["first byte", "exception"]);
}

#[tokio::test]
async fn a_body_dropped_by_the_client_is_cancelled() {
    let capture = capture();
    let chunks = vec![data("a"), data("b")];
    let mut body = Box::pin(streamed(&capture, http::Response::builder(), chunks).await);
    body.frame().await.unwrap().unwrap();
    drop(body);
    let span = only(&capture);
    assert_eq!(span.attribute("traced.cancelled"), Some(&true.into()));
    assert_eq!(span.status, Status::Unset);
    assert_eq!(events(&span), ["first byte"]);
}

#[tokio::test]
async fn a_body_dropped_before_its_first_byte_is_cancelled() {
    let capture = capture();
    drop(streamed(&capture, http::Response::builder(), vec![data("a")]).await);
    let span = only(&capture);
    assert_eq!(span.attribute("traced.cancelled"), Some(&true.into()));
    assert!(span.events.is_empty());
}

#[tokio::test]
async fn nobody_asks_for_the_end_of_a_body_whose_length_is_announced() {
    let capture = capture();
    let response = http::Response::builder().header("content-length", "2");
    let chunks = vec![data("a"), data("b"), data("")];
    let mut body = Box::pin(streamed(&capture, response, chunks).await);
    body.frame().await.unwrap().unwrap();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(only(&capture).attribute("traced.cancelled"), None);
}

#[tokio::test]
async fn an_announced_length_of_nothing_ends_at_the_head() {
    let capture = capture();
    let response = http::Response::builder().header("content-length", "0");
    drop(streamed(&capture, response, vec![data("")]).await);
    assert_eq!(only(&capture).attribute("traced.cancelled"), None);
}

#[tokio::test]
async fn trailers_are_the_end() {
    let capture = capture();
    let chunks = vec![data("a"), Ok(Frame::trailers(http::HeaderMap::new()))];
    let mut body = Box::pin(streamed(&capture, http::Response::builder(), chunks).await);
    body.frame().await.unwrap().unwrap();
    body.frame().await.unwrap().unwrap();
    assert_eq!(only(&capture).attribute("traced.cancelled"), None);
}

#[tokio::test]
async fn a_body_of_one_piece_ends_with_it() {
    let capture = capture();
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(layer(&capture));
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(5));
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(body.is_end_stream());
    assert_eq!(events(&only(&capture)), ["first byte"]);
}

/// The span of a response whose body nobody reads.
async fn unread(method: Method, status: StatusCode, body: &'static str) -> (Capture, Response) {
    let capture = capture();
    let handler = move || async move { (status, body) };
    let app = Router::new()
        .route("/", get(handler))
        .layer(layer(&capture));
    let request = Request::builder()
        .method(method)
        .body(Body::empty())
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    (capture, response)
}

#[tokio::test]
async fn a_response_without_a_body_ends_at_its_head() {
    for (method, status, body) in [
        (Method::HEAD, StatusCode::OK, "hello"),
        (Method::GET, StatusCode::NO_CONTENT, ""),
        (Method::GET, StatusCode::NOT_MODIFIED, ""),
        (Method::GET, StatusCode::SWITCHING_PROTOCOLS, ""),
        (Method::GET, StatusCode::OK, ""),
    ] {
        let (capture, response) = unread(method, status, body).await;
        let span = only(&capture);
        drop(response);
        assert_eq!(span.attribute("traced.cancelled"), None, "{status}");
        assert!(span.events.is_empty());
    }
}

#[tokio::test]
async fn a_protocol_switch_ends_at_the_head_whatever_its_body() {
    let capture = capture();
    let response = http::Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    let body = streamed(&capture, response, vec![data("a")]).await;
    assert_eq!(only(&capture).attribute("traced.cancelled"), None);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "a");
}

#[traced]
fn make_chunk() -> Result<Frame<Bytes>, io::Error> {
    data("a")
}

#[tokio::test]
async fn what_a_streamed_body_does_is_below_the_span() {
    let capture = capture();
    let service = layer(&capture).layer(service_fn(|_: Request<()>| async {
        let chunks = stream::once(async { make_chunk() });
        Ok::<_, Infallible>(http::Response::new(StreamBody::new(Box::pin(chunks))))
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    response.into_body().collect().await.unwrap();
    let spans = capture.spans();
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[1].name, "make_chunk");
    assert_eq!(spans[1].parent_span_id, spans[0].span_id);
}

#[tokio::test]
async fn a_panic_in_the_body_fails_the_span() {
    let capture = capture();
    let service = layer(&capture).layer(service_fn(|_: Request<()>| async {
        let chunks = stream::once(async { panic!("cut") as Result<Frame<Bytes>, io::Error> });
        Ok::<_, Infallible>(http::Response::new(StreamBody::new(Box::pin(chunks))))
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    let reading = tokio::spawn(response.into_body().collect());
    assert!(reading.await.unwrap_err().is_panic());
    let span = only(&capture);
    assert_eq!(span.attribute("error.type"), Some(&"panic".into()));
    assert!(matches!(span.status, Status::Error { .. }));
}
