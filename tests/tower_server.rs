//! `ServerLayer`: what the span of a request says, and where it belongs.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use futures_util::FutureExt;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use opentelemetry::trace::{SpanKind, Status, TraceFlags};
use tower::{Layer, ServiceExt, service_fn};
use trace_runtime::testing::{Capture, capture, capture_with};
use trace_runtime::tower::{ServerLayer, Trust};
use trace_runtime::{Sampler, SpanRecord, traced};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// Sends the request and reads the whole response.
async fn send(app: Router, request: Request<Body>) -> StatusCode {
    let Ok(response) = app.oneshot(request).await;
    let status = response.status();
    let _ = response.into_body().collect().await;
    status
}

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn layer(capture: &Capture) -> ServerLayer {
    ServerLayer::new().with_tracer(capture.tracer())
}

fn only(capture: &Capture) -> SpanRecord {
    let mut spans = capture.spans();
    assert_eq!(spans.len(), 1, "{}", capture.tree());
    spans.remove(0)
}

fn text(span: &SpanRecord, key: &str) -> Option<String> {
    span.attribute(key).map(ToString::to_string)
}

#[tokio::test]
async fn a_matched_route_names_the_span() {
    let capture = capture();
    let app = Router::new()
        .route("/users/{id}", get(|| async { "ann" }))
        .layer(layer(&capture));
    let request = Request::get("/users/7?page=2&sig=abc&access_token=xyz")
        .header("host", "shop.example:8080")
        .header("user-agent", "test/1")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-for", "203.0.113.9, 10.0.0.1")
        .body(Body::empty())
        .unwrap();
    assert_eq!(send(app, request).await, StatusCode::OK);
    assert_eq!(
        capture.tree(),
        "GET /users/{id} [server] {http.request.method=\"GET\", http.route=\"/users/{id}\", \
         url.scheme=\"https\", url.path=\"/users/7\", \
         url.query=\"page=2&sig=REDACTED&access_token=REDACTED\", \
         server.address=\"shop.example\", server.port=8080, client.address=\"203.0.113.9\", \
         network.protocol.version=\"1.1\", user_agent.original=\"test/1\", \
         http.response.status_code=200}\n  - first byte\n"
    );
    let span = only(&capture);
    assert_eq!(span.scope.name(), "trace-runtime");
    assert_eq!(span.scope.version(), Some(env!("CARGO_PKG_VERSION")));
    let schema = span.scope.schema_url().unwrap();
    assert!(schema.starts_with("https://opentelemetry.io/schemas/"));
    assert_eq!(span.attribute("code.function.name"), None);
}

#[tokio::test]
async fn a_nested_router_shows_the_path_that_the_client_asked_for() {
    let capture = capture();
    let users = Router::new()
        .route("/users/{id}", get(|| async {}))
        .layer(layer(&capture));
    send(Router::new().nest("/api", users), request("/api/users/7")).await;
    let span = only(&capture);
    assert_eq!(span.name, "GET /api/users/{id}");
    assert_eq!(text(&span, "url.path").unwrap(), "/api/users/7");
}

#[tokio::test]
async fn a_path_without_a_route_is_no_name() {
    let capture = capture();
    let app = Router::new()
        .route("/users", get(|| async {}))
        .layer(layer(&capture));
    assert_eq!(
        send(app, request("/wp-admin.php")).await,
        StatusCode::NOT_FOUND
    );
    let span = only(&capture);
    assert_eq!(span.name, "GET");
    assert_eq!(span.attribute("http.route"), None);
    assert_eq!(
        span.attribute("http.response.status_code"),
        Some(&404.into())
    );
    assert_eq!(span.status, Status::Unset);
}

#[tokio::test]
async fn without_axum_the_route_is_what_the_user_says() {
    let capture = capture();
    let service = layer(&capture)
        .with_route(|parts| {
            parts
                .uri
                .path()
                .starts_with("/users/")
                .then_some("/users/*")
        })
        .layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(String::new()))
        }));
    for path in ["/users/7", "/other"] {
        let request = Request::get(path).body(()).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    let names: Vec<_> = capture.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["GET /users/*", "GET"]);
}

#[tokio::test]
async fn an_unknown_method_is_no_name() {
    let capture = capture();
    let app = Router::new()
        .route("/", any(|| async {}))
        .layer(layer(&capture));
    let request = Request::builder()
        .method(Method::from_bytes(b"BREW").unwrap())
        .uri("/")
        .body(Body::empty())
        .unwrap();
    send(app, request).await;
    let span = only(&capture);
    assert_eq!(span.name, "HTTP /");
    assert_eq!(text(&span, "http.request.method").unwrap(), "_OTHER");
    assert_eq!(text(&span, "http.request.method_original").unwrap(), "BREW");
}

#[tokio::test]
async fn a_status_from_500_is_an_error() {
    let capture = capture();
    let app = Router::new()
        .route("/", get(|| async { StatusCode::BAD_GATEWAY }))
        .layer(layer(&capture));
    send(app, request("/")).await;
    let span = only(&capture);
    assert_eq!(span.status, Status::error(""));
    assert_eq!(text(&span, "error.type").unwrap(), "502");
    assert!(span.events.is_empty());
}

#[tokio::test]
async fn the_error_of_a_service_is_recorded() {
    let capture = capture();
    let service = layer(&capture).layer(service_fn(|_: Request<()>| async {
        Err::<Response<String>, _>(std::fmt::Error)
    }));
    service.oneshot(Request::new(())).await.unwrap_err();
    let span = only(&capture);
    assert_eq!(text(&span, "error.type").unwrap(), "core::fmt::Error");
    assert_eq!(span.status, Status::error(std::fmt::Error.to_string()));
    assert_eq!(span.events[0].name, "exception");
}

#[tokio::test]
async fn a_boxed_error_tells_its_sources() {
    let capture = capture();
    let service = layer(&capture).layer(service_fn(|_: Request<()>| async {
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        Err::<Response<String>, tower::BoxError>(reset.into())
    }));
    service.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(
        text(&only(&capture), "error.type").unwrap(),
        "ConnectionReset"
    );
}

#[tokio::test]
async fn a_panic_fails_the_span() {
    async fn handler() {
        panic!("no more tea");
    }
    let capture = capture();
    let app = Router::new()
        .route("/tea", get(handler))
        .layer(layer(&capture));
    let outcome = AssertUnwindSafe(app.oneshot(request("/tea")))
        .catch_unwind()
        .await;
    assert!(outcome.is_err());
    let span = only(&capture);
    assert_eq!(text(&span, "error.type").unwrap(), "panic");
    assert!(matches!(span.status, Status::Error { .. }));
    assert_eq!(span.attribute("traced.cancelled"), None);
}

#[tokio::test]
async fn a_client_that_goes_away_is_no_error() {
    let capture = capture();
    let app = Router::new()
        .route("/", get(pending::<()>))
        .layer(layer(&capture));
    {
        let mut response = pin!(app.oneshot(request("/")));
        poll_fn(|task| {
            assert!(response.as_mut().poll(task).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(capture.spans().is_empty());
    }
    let span = only(&capture);
    assert_eq!(span.attribute("traced.cancelled"), Some(&true.into()));
    assert_eq!(span.status, Status::Unset);
    assert_eq!(span.attribute("error.type"), None);
}

#[traced]
async fn leaf() {}

#[traced]
async fn plain() {
    leaf().await;
}

#[traced(parent = headers, skip(headers))]
async fn with_headers(headers: HeaderMap) -> impl IntoResponse {
    leaf().await;
    headers.contains_key("traceparent").to_string()
}

/// The names of the spans, from the innermost to the layer's, and the layer's span.
fn chain(capture: &Capture) -> (Vec<String>, SpanRecord) {
    let spans = capture.spans();
    let mut at = spans.iter().find(|span| span.name == "leaf").unwrap();
    let mut names = vec![at.name.to_string()];
    while let Some(parent) = spans.iter().find(|span| span.span_id == at.parent_span_id) {
        assert_eq!(parent.trace_id, at.trace_id);
        names.push(parent.name.to_string());
        at = parent;
    }
    (names, at.clone())
}

async fn nested(
    layer: impl FnOnce(&Capture) -> ServerLayer,
    path: &str,
) -> (Vec<String>, SpanRecord) {
    let capture = capture();
    let app = Router::new()
        .route("/plain", get(plain))
        .route("/headers", get(with_headers))
        .layer(layer(&capture));
    let mut request = request(path);
    let headers = request.headers_mut();
    headers.insert("traceparent", TRACEPARENT.parse().unwrap());
    send(app, request).await;
    chain(&capture)
}

#[tokio::test]
async fn a_traced_handler_is_the_layers_child() {
    let (names, server) = nested(layer, "/plain").await;
    assert_eq!(names, ["leaf", "plain", "GET /plain"]);
    assert_eq!(server.trace_id.to_string(), TRACE_ID);
    assert_eq!(server.parent_span_id.to_string(), "b7ad6b7169203331");
    assert!(server.is_parent_remote);
}

#[tokio::test]
async fn a_handler_that_reads_the_same_headers_is_the_layers_child_too() {
    let (names, server) = nested(layer, "/headers").await;
    assert_eq!(names, ["leaf", "with_headers", "GET /headers"]);
    assert_eq!(server.trace_id.to_string(), TRACE_ID);
}

#[tokio::test]
async fn a_foreign_trace_is_linked_to_or_ignored() {
    for path in ["/plain", "/headers"] {
        let linking = |capture: &Capture| layer(capture).trust(Trust::Link);
        let (names, server) = nested(linking, path).await;
        assert_eq!(names.len(), 3, "{names:?}");
        assert_ne!(server.trace_id.to_string(), TRACE_ID);
        assert!(!server.is_parent_remote);
        let linked = &server.links[0].span_context;
        assert_eq!(linked.trace_id().to_string(), TRACE_ID);
        assert_eq!(linked.span_id().to_string(), "b7ad6b7169203331");

        let ignoring = |capture: &Capture| layer(capture).trust(Trust::Ignore);
        let (names, server) = nested(ignoring, path).await;
        assert_eq!(names.len(), 3, "{names:?}");
        assert_ne!(server.trace_id.to_string(), TRACE_ID);
        assert!(server.links.is_empty());
    }
}

#[tokio::test]
async fn two_layers_make_two_spans_of_one_trace() {
    for trust in [Trust::Continue, Trust::Link, Trust::Ignore] {
        let capture = capture();
        let app = Router::new()
            .route("/", get(plain))
            .layer(layer(&capture).trust(trust))
            .layer(layer(&capture).trust(trust));
        let mut request = request("/");
        let headers = request.headers_mut();
        headers.insert("traceparent", TRACEPARENT.parse().unwrap());
        send(app, request).await;
        let (names, _) = chain(&capture);
        assert_eq!(names, ["leaf", "plain", "GET /", "GET /"], "{trust:?}");
    }
}

/// What a handler would send on.
async fn outgoing() -> String {
    let mut headers = HeaderMap::new();
    trace_runtime::inject(&mut headers);
    let sent = headers.get("traceparent").map(|value| value.to_str());
    sent.map_or_else(String::new, |value| value.unwrap().to_owned())
}

async fn outgoing_below(layer: ServerLayer, traceparent: &str) -> String {
    let app = Router::new().route("/", get(outgoing)).layer(layer);
    let mut request = request("/");
    let headers = request.headers_mut();
    headers.insert("traceparent", traceparent.parse().unwrap());
    let response = app.oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn an_unsampled_trace_is_passed_on() {
    let capture = capture_with(Sampler::always_on().parent_based());
    let sent = outgoing_below(layer(&capture), UNSAMPLED).await;
    assert!(sent.starts_with(&format!("00-{TRACE_ID}-")), "{sent}");
    assert!(sent.ends_with("-00"), "{sent}");
    assert!(capture.spans().is_empty());
}

#[tokio::test]
async fn a_trace_that_we_do_not_sample_is_passed_on() {
    let capture = capture_with(Sampler::always_off().ignore_remote_parent());
    let sent = outgoing_below(layer(&capture), TRACEPARENT).await;
    assert!(sent.starts_with(&format!("00-{TRACE_ID}-")), "{sent}");
    assert!(sent.ends_with("-00"), "{sent}");
}

#[tokio::test]
async fn the_route_of_a_span_that_does_not_record_is_not_looked_for() {
    let capture = capture_with(Sampler::always_off());
    let layer = layer(&capture).with_route(|_| -> String { panic!("looked for") });
    let app = Router::new().route("/", get(|| async {})).layer(layer);
    assert_eq!(send(app, request("/")).await, StatusCode::OK);
}

#[tokio::test]
async fn nobody_records_and_the_trace_is_passed_on() {
    // No tracer here: the environment of the tests names no destination.
    let sent = outgoing_below(ServerLayer::new(), TRACEPARENT).await;
    assert_eq!(sent, TRACEPARENT);
}

#[tokio::test]
async fn a_recorded_trace_is_passed_on_as_sampled() {
    let capture = capture();
    let sent = outgoing_below(layer(&capture), TRACEPARENT).await;
    let span = only(&capture);
    assert_eq!(sent, format!("00-{TRACE_ID}-{}-01", span.span_id));
    assert_eq!(span.kind, SpanKind::Server);
    assert_eq!(span.trace_flags & TraceFlags::SAMPLED, TraceFlags::SAMPLED);
}
