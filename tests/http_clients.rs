//! Clients as people use them: reqwest through its middleware, hyper-util's through `ClientLayer`.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::Status;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tests::closed_port::ClosedPort;
use tokio::net::TcpListener;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
use trace_runtime::reqwest::ClientMiddleware;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::tower::{ClientLayer, ServerLayer};
use trace_runtime::{Batch, ExportError, Exporter, SpanRecord, Tracer, traced};

/// A server with these routes: its host and port.
async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// A server that has an answer to everything and keeps the headers that it was sent.
async fn answering(status: StatusCode, sent: &Arc<Mutex<HeaderMap>>) -> String {
    let sent = Arc::clone(sent);
    let answer = move |headers: HeaderMap| {
        *sent.lock().unwrap() = headers;
        async move { status }
    };
    serve(Router::new().fallback(any(answer))).await
}

fn reqwest_client(middleware: ClientMiddleware) -> ClientWithMiddleware {
    let client = reqwest::Client::new();
    ClientBuilder::new(client).with(middleware).build()
}

fn of_reqwest(capture: &Capture) -> ClientWithMiddleware {
    reqwest_client(ClientMiddleware::new().with_tracer(capture.tracer()))
}

/// As a user would build it, so that a span tells what is behind an error.
fn hyper_client(
    layer: ClientLayer,
) -> impl Service<
    http::Request<Empty<&'static [u8]>>,
    Response = http::Response<impl http_body::Body<Data = bytes::Bytes>>,
    Error = BoxError,
> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&[u8]>>();
    ServiceBuilder::new()
        .layer(layer)
        .map_err(BoxError::from)
        .service(client)
}

async fn get_with_hyper(layer: ClientLayer, url: &str) -> Result<StatusCode, BoxError> {
    let request = http::Request::get(url).body(Empty::new())?;
    let response = hyper_client(layer).oneshot(request).await?;
    Ok(response.status())
}

async fn get_with_reqwest(
    client: &ClientWithMiddleware,
    url: &str,
) -> reqwest_middleware::Result<StatusCode> {
    // Not `Client::get`, which takes the user-info out of the URL.
    let request = reqwest::Request::new(Method::GET, url.parse().unwrap());
    Ok(client.execute(request).await?.status())
}

fn only(capture: &Capture) -> SpanRecord {
    let mut spans = capture.spans();
    assert_eq!(spans.len(), 1, "{}", capture.tree());
    spans.remove(0)
}

fn text(span: &SpanRecord, key: &str) -> String {
    span.attribute(key)
        .map_or_else(String::new, ToString::to_string)
}

#[tokio::test]
async fn both_say_the_same_about_a_request() {
    let sent = Arc::default();
    let address = answering(StatusCode::OK, &sent).await;
    let port = address.rsplit_once(':').unwrap().1;
    let query = "AWSAccessKeyId=1&Signature=2&sig=3&X-Goog-Signature=4&api_key=5&page=6";
    let url = format!("http://ann:pw@{address}/v1/orders?{query}");
    let shown = format!(
        "http://REDACTED:REDACTED@{address}/v1/orders?AWSAccessKeyId=REDACTED&\
         Signature=REDACTED&sig=REDACTED&X-Goog-Signature=REDACTED&api_key=REDACTED&page=6"
    );
    let tree = format!(
        "GET [client] {{http.request.method=\"GET\", url.full=\"{shown}\", \
         server.address=\"127.0.0.1\", server.port={port}, network.protocol.version=\"1.1\", \
         http.response.status_code=200}}\n"
    );

    let of_hyper = capture();
    let layer = ClientLayer::new().with_tracer(of_hyper.tracer());
    assert_eq!(get_with_hyper(layer, &url).await.unwrap(), StatusCode::OK);
    assert_eq!(of_hyper.tree(), tree);
    is_sent(&sent, &only(&of_hyper));

    let capture = capture();
    let client = of_reqwest(&capture);
    assert_eq!(
        get_with_reqwest(&client, &url).await.unwrap(),
        StatusCode::OK
    );
    assert_eq!(capture.tree(), tree);
    is_sent(&sent, &only(&capture));
    assert_eq!(only(&capture).scope, only(&of_hyper).scope);
}

/// The headers name the span.
fn is_sent(headers: &Mutex<HeaderMap>, span: &SpanRecord) {
    let expected = format!("00-{}-{}-", span.trace_id, span.span_id);
    let headers = headers.lock().unwrap();
    let sent = headers["traceparent"].to_str().unwrap();
    assert!(sent.starts_with(&expected), "{sent}");
}

#[traced]
async fn fetch(client: &ClientWithMiddleware, url: &str) -> reqwest_middleware::Result<String> {
    client
        .get(url)
        .send()
        .await?
        .text()
        .await
        .map_err(Into::into)
}

#[tokio::test]
async fn the_server_joins_the_trace_of_reqwest() {
    let capture = capture();
    let app = Router::new()
        .route("/orders/{id}", get(|| async { "tea" }))
        .layer(ServerLayer::new().with_tracer(capture.tracer()));
    let url = format!("http://{}/orders/7", serve(app).await);
    // The tracer in scope is the one that records.
    let client = reqwest_client(ClientMiddleware::new());
    let fetched = capture.scope_async(fetch(&client, &url)).await;
    assert_eq!(fetched.unwrap(), "tea");
    let spans = capture.spans();
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["fetch", "GET", "GET /orders/{id}"]);
    for pair in spans.windows(2) {
        assert_eq!(pair[1].parent_span_id, pair[0].span_id);
    }
}

#[tokio::test]
async fn a_status_from_400_is_an_error() {
    let capture = capture();
    let address = answering(StatusCode::NOT_FOUND, &Arc::default()).await;
    let client = of_reqwest(&capture);
    let status = get_with_reqwest(&client, &format!("http://{address}/")).await;
    assert_eq!(status.unwrap(), StatusCode::NOT_FOUND);
    let span = only(&capture);
    assert_eq!(span.status, Status::error(""));
    assert_eq!(text(&span, "error.type"), "404");
}

#[tokio::test]
async fn a_refused_connection_says_so_and_keeps_secrets() {
    let port = ClosedPort::default();
    let url = format!("{}/?token=xyz", port.url());
    let of_hyper = capture();
    let layer = ClientLayer::new().with_tracer(of_hyper.tracer());
    get_with_hyper(layer, &url).await.unwrap_err();
    let capture = capture();
    get_with_reqwest(&of_reqwest(&capture), &url)
        .await
        .unwrap_err();
    for span in [only(&of_hyper), only(&capture)] {
        assert_eq!(text(&span, "error.type"), "ConnectionRefused");
        let Status::Error { description } = &span.status else {
            panic!("{:?}", span.status);
        };
        assert!(description.contains("refused"), "{description}");
        assert!(!description.contains("xyz"), "{description}");
        assert_eq!(span.events[0].name, "exception");
        assert!(!format!("{:?}", span.events).contains("xyz"));
    }
}

#[tokio::test]
async fn what_takes_too_long_is_a_timeout() {
    let capture = capture();
    let app = Router::new().route("/", get(std::future::pending::<()>));
    let url = format!("http://{}/", serve(app).await);
    let request = of_reqwest(&capture).get(url);
    let error = request.timeout(Duration::from_millis(20)).send().await;
    assert!(error.unwrap_err().is_timeout());
    let span = only(&capture);
    assert_eq!(text(&span, "error.type"), "timeout");
    assert_eq!(span.attribute("traced.cancelled"), None);
}

#[tokio::test]
async fn a_request_that_cannot_be_made_says_where_it_ended() {
    let capture = capture();
    let client = of_reqwest(&capture);
    get_with_reqwest(&client, "ftp://files.example/a")
        .await
        .unwrap_err();
    assert_eq!(text(&only(&capture), "error.type"), "builder");
}

#[tokio::test]
async fn a_request_that_is_given_up_is_an_error() {
    let capture = capture();
    let app = Router::new().route("/", get(std::future::pending::<()>));
    let url = format!("http://{}/", serve(app).await);
    {
        let mut sending = pin!(of_reqwest(&capture).get(url).send());
        poll_fn(|task| {
            assert!(sending.as_mut().poll(task).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    let span = only(&capture);
    assert_eq!(text(&span, "error.type"), "cancelled");
    assert_eq!(span.attribute("traced.cancelled"), Some(&true.into()));
}

/// Asks again as long as it is no success.
struct Retry;

#[async_trait::async_trait]
impl Middleware for Retry {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        loop {
            let attempt = request.try_clone().unwrap();
            let response = next.clone().run(attempt, extensions).await?;
            if response.status().is_success() {
                return Ok(response);
            }
        }
    }
}

#[tokio::test]
async fn every_attempt_is_a_span_and_says_which() {
    let capture = capture();
    let calls = Arc::new(AtomicU32::new(0));
    let answer = move || {
        let before = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            match before {
                0 | 1 => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::OK,
            }
        }
    };
    let url = format!(
        "http://{}/",
        serve(Router::new().route("/", get(answer))).await
    );
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(Retry)
        .with(ClientMiddleware::new().with_tracer(capture.tracer()))
        .build();
    client.get(url).send().await.unwrap();
    let spans = capture.spans();
    let attempts: Vec<_> = spans
        .iter()
        .map(|span| span.attribute("http.request.resend_count").cloned())
        .collect();
    assert_eq!(attempts, [None, Some(1.into()), Some(2.into())]);
}

#[tokio::test]
async fn third_parties_get_nothing() {
    let capture = capture();
    let sent = Arc::default();
    let address = answering(StatusCode::OK, &sent).await;
    let middleware = ClientMiddleware::new()
        .with_tracer(capture.tracer())
        .inject_to(|uri| uri.path() == "/own");
    let client = reqwest_client(middleware);
    let url = |path: &str| format!("http://{address}/{path}");
    client.get(url("own")).send().await.unwrap();
    assert!(sent.lock().unwrap().contains_key("traceparent"));
    let forwarded = client.get(url("other")).header("traceparent", "forwarded");
    forwarded.send().await.unwrap();
    assert!(!sent.lock().unwrap().contains_key("traceparent"));
    assert_eq!(capture.spans().len(), 2);
}

/// Keeps what spans say about URLs.
struct Kept(Arc<Mutex<Vec<String>>>);

impl Exporter for Kept {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        for span in batch.spans() {
            let attributes = span.attributes();
            let urls = attributes.filter(|(key, _)| *key == "url.full");
            let mut kept = self.0.lock().unwrap();
            kept.extend(urls.map(|(_, url)| format!("{url:?}")));
            kept.push(format!("{:?}", span.status()));
        }
        Ok(())
    }

    fn target(&self) -> String {
        "a list".into()
    }
}

#[tokio::test]
async fn the_users_words_hide_parameters_of_urls_and_in_errors() {
    let port = ClosedPort::default();
    let url = format!("{}/?userEmail=ann&page=2", port.url());
    let kept = Arc::default();
    let (tracer, guard) = Tracer::builder()
        .with_env(|name| (name == "TRACED_REDACT").then(|| "email".into()))
        .with_exporter(Kept(Arc::clone(&kept)))
        .build()
        .unwrap();
    let layer = ClientLayer::new().with_tracer(tracer.clone());
    get_with_hyper(layer, &url).await.unwrap_err();
    let client = reqwest_client(ClientMiddleware::new().with_tracer(tracer));
    let error = get_with_reqwest(&client, &url).await.unwrap_err();
    assert!(error.to_string().contains("ann"), "{error}");
    guard.flush().unwrap();
    let kept = kept.lock().unwrap();
    let shown = url.replace("ann", "REDACTED");
    for at in [0, 2] {
        assert_eq!(kept[at], format!("Str({shown:?})"));
    }
    assert!(kept[3].contains(&shown), "{}", kept[3]);
}

#[tokio::test]
async fn a_body_is_read_as_without_the_layer() {
    let capture = capture();
    let app = Router::new().route("/", get(|| async { Body::from("tea") }));
    let url = format!("http://{}/", serve(app).await);
    let request = http::Request::get(url).body(Empty::new()).unwrap();
    let client = hyper_client(ClientLayer::new().with_tracer(capture.tracer()));
    let response = client.oneshot(request).await.unwrap();
    // The span ends with the head.
    assert_eq!(capture.spans().len(), 1);
    let Ok(body) = response.into_body().collect().await else {
        panic!("the body is whole");
    };
    assert_eq!(body.to_bytes(), "tea");
}
