//! `ClientLayer`: spans of requests that leave, and what goes with them.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::Status;
use tower::{Layer, Service, ServiceExt, service_fn};
use trace_runtime::testing::{Capture, capture, capture_with};
use trace_runtime::tower::{ClientLayer, ServerLayer};
use trace_runtime::{Batch, ExportError, Exporter, Sampler, SpanRecord, Tracer, traced};

fn layer(capture: &Capture) -> ClientLayer {
    ClientLayer::new().with_tracer(capture.tracer())
}

/// A service that answers with this status and keeps the headers that it is sent.
fn answering(
    status: StatusCode,
    sent: &Arc<Mutex<HeaderMap>>,
) -> impl Service<Request<()>, Response = Response<()>, Error = Infallible> + use<> {
    let sent = Arc::clone(sent);
    service_fn(move |request: Request<()>| {
        *sent.lock().unwrap() = request.headers().clone();
        let mut response = Response::new(());
        *response.status_mut() = status;
        async { Ok(response) }
    })
}

fn request(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

/// The headers that are sent.
async fn call(layer: ClientLayer, request: Request<()>) -> HeaderMap {
    let sent = Arc::default();
    let service = layer.layer(answering(StatusCode::OK, &sent));
    service.oneshot(request).await.unwrap();
    let sent = sent.lock().unwrap();
    sent.clone()
}

fn only(capture: &Capture) -> SpanRecord {
    let mut spans = capture.spans();
    assert_eq!(spans.len(), 1, "{}", capture.tree());
    spans.remove(0)
}

#[tokio::test]
async fn a_request_is_a_client_span_without_its_secrets() {
    let capture = capture();
    let uri = "https://ann:pw@api.example/v1?page=2&sig=abc&api_key=xyz";
    let sent = call(layer(&capture), request(uri)).await;
    assert_eq!(
        capture.tree(),
        "GET [client] {http.request.method=\"GET\", \
         url.full=\"https://REDACTED:REDACTED@api.example/v1?page=2&sig=REDACTED&api_key=REDACTED\", \
         server.address=\"api.example\", server.port=443, network.protocol.version=\"1.1\", \
         http.response.status_code=200}\n"
    );
    let span = only(&capture);
    let expected = format!("00-{}-{}-", span.trace_id, span.span_id);
    let traceparent = sent["traceparent"].to_str().unwrap();
    assert!(traceparent.starts_with(&expected), "{traceparent}");
    assert!(span.scope.schema_url().is_some());
}

#[tokio::test]
async fn a_status_from_400_is_an_error() {
    let capture = capture();
    let service = layer(&capture).layer(answering(StatusCode::NOT_FOUND, &Arc::default()));
    service
        .oneshot(request("http://api.example/"))
        .await
        .unwrap();
    let span = only(&capture);
    assert_eq!(span.status, Status::error(""));
    assert_eq!(span.attribute("error.type"), Some(&"404".into()));
}

#[tokio::test]
async fn a_failed_call_says_why() {
    let capture = capture();
    let refused = |_: Request<()>| async {
        let error = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        Err::<Response<()>, tower::BoxError>(error.into())
    };
    let service = layer(&capture).layer(service_fn(refused));
    service
        .oneshot(request("http://api.example/"))
        .await
        .unwrap_err();
    let span = only(&capture);
    assert_eq!(span.status, Status::error("connection refused"));
    assert_eq!(
        span.attribute("error.type"),
        Some(&"ConnectionRefused".into())
    );
}

#[tokio::test]
async fn an_error_does_not_give_away_the_url() {
    let capture = capture();
    let refused = |request: Request<()>| async move {
        Err::<Response<()>, _>(format!("cannot reach {}", request.uri()))
    };
    let service = layer(&capture).layer(service_fn(refused));
    let request = request("http://ann:pw@api.example/?token=xyz&page=2");
    service.oneshot(request).await.unwrap_err();
    let shown = "cannot reach http://REDACTED:REDACTED@api.example/?token=REDACTED&page=2";
    let span = only(&capture);
    assert_eq!(span.status, Status::error(shown));
    let message = &span.events[0].attributes[1];
    assert_eq!(message.value, shown.into());
}

/// Keeps what it is given.
struct Kept(Arc<Mutex<Vec<String>>>);

impl Exporter for Kept {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        let urls = batch.spans().map(|span| {
            let url = span.attributes().find(|(key, _)| *key == "url.full");
            format!("{:?}", url.unwrap().1)
        });
        self.0.lock().unwrap().extend(urls);
        Ok(())
    }

    fn target(&self) -> String {
        "a list".into()
    }
}

#[tokio::test]
async fn the_users_words_hide_parameters_too() {
    let kept = Arc::default();
    let (tracer, guard) = Tracer::builder()
        .with_env(|name| (name == "TRACED_REDACT").then(|| "email".into()))
        .with_exporter(Kept(Arc::clone(&kept)))
        .build()
        .unwrap();
    let layer = ClientLayer::new().with_tracer(tracer);
    call(layer, request("http://api.example/?userEmail=ann&page=2")).await;
    guard.flush().unwrap();
    let shown = "http://api.example/?userEmail=REDACTED&page=2";
    assert_eq!(*kept.lock().unwrap(), [format!("Str({shown:?})")]);
}

#[tokio::test]
async fn a_call_that_is_given_up_is_an_error() {
    let capture = capture();
    let service = layer(&capture).layer(service_fn(|_: Request<()>| {
        pending::<Result<Response<()>, Infallible>>()
    }));
    {
        let mut response = pin!(service.oneshot(request("http://api.example/")));
        poll_fn(|task| {
            assert!(response.as_mut().poll(task).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    let span = only(&capture);
    assert_eq!(span.status, Status::error("cancelled"));
    assert_eq!(span.attribute("error.type"), Some(&"cancelled".into()));
    assert_eq!(span.attribute("traced.cancelled"), Some(&true.into()));
}

#[traced]
async fn fetch(app: Router, layer: ClientLayer) {
    let request = Request::get("http://shop.example/orders/7");
    let request = request.body(Body::empty()).unwrap();
    let response = layer.layer(app).oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

#[tokio::test]
async fn the_server_joins_the_clients_trace() {
    let capture = capture();
    let app = Router::new()
        .route("/orders/{id}", get(|| async { "tea" }))
        .layer(ServerLayer::new().with_tracer(capture.tracer()));
    capture.scope_async(fetch(app, ClientLayer::new())).await;
    let spans = capture.spans();
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["fetch", "GET", "GET /orders/{id}"]);
    for pair in spans.windows(2) {
        assert_eq!(pair[1].parent_span_id, pair[0].span_id);
        assert_eq!(pair[1].trace_id, pair[0].trace_id);
    }
    assert!(spans[2].is_parent_remote);
}

#[tokio::test]
async fn third_parties_get_nothing() {
    let capture = capture();
    let layer = layer(&capture).inject_to(|uri| uri.host() == Some("own.example"));
    let baggage = [opentelemetry::KeyValue::new("tenant", "7")];
    let _cx = Context::current_with_baggage(baggage).attach();

    let sent = call(layer.clone(), request("http://own.example/")).await;
    assert!(sent.contains_key("traceparent"));
    assert_eq!(sent["baggage"], "tenant=7");

    // Neither what is current nor what a forwarded request brought along.
    let mut forwarded = request("http://other.example/");
    let headers = forwarded.headers_mut();
    headers.insert("traceparent", "forwarded".parse().unwrap());
    headers.insert("baggage", "tenant=8".parse().unwrap());
    headers.insert("accept", "*/*".parse().unwrap());
    let sent = call(layer, forwarded).await;
    assert_eq!(
        sent.keys().map(|name| name.as_str()).collect::<Vec<_>>(),
        ["accept"]
    );
    assert_eq!(capture.spans().len(), 2);
}

#[tokio::test]
async fn an_unsampled_call_passes_the_decision_on() {
    let capture = capture_with(Sampler::always_off());
    let sent = call(layer(&capture), request("http://api.example/")).await;
    let traceparent = sent["traceparent"].to_str().unwrap();
    assert!(
        traceparent.ends_with("-00") || traceparent.ends_with("-02"),
        "{traceparent}"
    );
    assert!(capture.spans().is_empty());
}

#[tokio::test]
async fn where_nobody_records_the_current_trace_is_passed_on() {
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("traceparent", traceparent)];
    let _cx = trace_runtime::extract(&headers[..]).attach();
    let sent = call(ClientLayer::new(), request("http://api.example/")).await;
    assert_eq!(sent["traceparent"], traceparent);
}
