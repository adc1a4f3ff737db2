//! Handlers and middleware of axum, with `#[debug_handler]` on either side of `#[traced]`.

use axum::body::Body;
use axum::extract::{FromRef, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, debug_handler, debug_middleware};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use trace_runtime::opentelemetry::trace::SpanKind;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::traced;

/// Neither `Debug` nor `ToValue`.
#[derive(Clone)]
struct App {
    db: Db,
}

#[derive(Clone)]
struct Db;

impl FromRef<App> for Db {
    fn from_ref(app: &App) -> Self {
        app.db.clone()
    }
}

impl Db {
    #[traced(kind = client)]
    async fn load(&self, id: u64) -> Result<String, NotFound> {
        tokio::task::yield_now().await;
        match id {
            0 => Err(NotFound),
            _ => Ok(format!("order {id}")),
        }
    }
}

#[derive(Debug)]
struct NotFound;

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no such order")
    }
}

impl IntoResponse for NotFound {
    fn into_response(self) -> Response {
        (StatusCode::NOT_FOUND, self.to_string()).into_response()
    }
}

#[debug_handler(state = App)]
#[traced("GET /below/{id}", kind = server)]
async fn below(State(db): State<Db>, Path(id): Path<u64>) -> Result<String, NotFound> {
    db.load(id).await
}

#[traced("GET /above/{id}", kind = server, parent = headers)]
#[debug_handler(state = App)]
async fn above(
    headers: HeaderMap,
    State(db): State<Db>,
    Path(id): Path<u64>,
) -> Result<String, NotFound> {
    db.load(id).await
}

/// The body comes last, and `impl IntoResponse` is no error whatever its status.
#[traced(skip(body), fields(bytes = body.len()))]
#[debug_handler(state = App)]
async fn upload(mut body: String) -> impl IntoResponse {
    body.make_ascii_uppercase();
    (StatusCode::CREATED, body)
}

/// A response tells by its status code.
#[debug_handler]
#[traced(kind = server)]
async fn status(Path(code): Path<u16>) -> Response {
    StatusCode::from_u16(code).unwrap().into_response()
}

#[debug_middleware]
#[traced]
async fn middleware_below(State(_): State<App>, request: Request, next: Next) -> Response {
    next.run(request).await
}

#[traced(fields(path = request.uri().path()))]
#[debug_middleware]
async fn middleware_above(request: Request, next: Next) -> Response {
    next.run(request).await
}

fn router() -> Router {
    let app = App { db: Db };
    Router::new()
        .route("/below/{id}", get(below))
        .route("/above/{id}", get(above))
        .route("/upload", post(upload))
        .route("/status/{code}", get(status))
        .with_state(app)
}

async fn answer(capture: &Capture, router: Router, request: Request) -> (StatusCode, String) {
    let response = capture.scope_async(router.oneshot(request)).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn request(uri: &str) -> Request {
    Request::get(uri).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_handler_is_traced_below_debug_handler() {
    let capture = capture();
    let found = answer(&capture, router(), request("/below/7")).await;
    assert_eq!(found, (StatusCode::OK, "order 7".to_owned()));
    assert_eq!(
        capture.tree(),
        "GET /below/{id} [server] {id=7}\n  Db::load [client] {id=7}\n"
    );
}

#[tokio::test]
async fn a_handler_is_traced_above_debug_handler_and_goes_on_from_the_headers() {
    let capture = capture();
    let mut request = request("/above/0");
    let header = "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01";
    let headers = request.headers_mut();
    headers.insert("traceparent", header.parse().unwrap());
    let found = answer(&capture, router(), request).await;
    assert_eq!(found, (StatusCode::NOT_FOUND, "no such order".to_owned()));
    let error = "error.type=\"axum::NotFound\"} !error \"no such order\"";
    assert_eq!(
        capture.tree(),
        format!(
            "GET /above/{{id}} [server] (remote parent) {{id=0, {error}\n  \
             Db::load [client] {{id=0, {error}\n    \
             - exception {{exception.type=\"axum::NotFound\", exception.message=\"no such order\"}}\n"
        )
    );
    let root = &capture.spans()[0];
    assert_eq!(
        root.trace_id.to_string(),
        "0102030405060708090a0b0c0d0e0f10"
    );
    assert_eq!(root.kind, SpanKind::Server);
}

#[tokio::test]
async fn a_body_is_extracted_and_its_length_recorded() {
    let capture = capture();
    let request = Request::post("/upload").body("abc".into()).unwrap();
    let found = answer(&capture, router(), request).await;
    assert_eq!(found, (StatusCode::CREATED, "ABC".to_owned()));
    assert_eq!(capture.tree(), "upload {bytes=3}\n");
}

#[tokio::test]
async fn a_response_tells_by_its_status_code() {
    let capture = capture();
    answer(&capture, router(), request("/status/418")).await;
    answer(&capture, router(), request("/status/503")).await;
    assert_eq!(
        capture.tree(),
        "status [server] {code=418, http.response.status_code=418}\n\
         status [server] {code=503, http.response.status_code=503, error.type=\"503\"} !error\n"
    );
}

#[tokio::test]
async fn middleware_is_the_parent_of_the_handler() {
    let capture = capture();
    let app = App { db: Db };
    let router = router()
        .layer(axum::middleware::from_fn(middleware_above))
        .layer(from_fn_with_state(app, middleware_below));
    answer(&capture, router, request("/below/7")).await;
    assert_eq!(
        capture.tree(),
        "middleware_below {http.response.status_code=200}\n  \
         middleware_above {path=\"/below/7\", http.response.status_code=200}\n    \
         GET /below/{id} [server] {id=7}\n      \
         Db::load [client] {id=7}\n"
    );
}
