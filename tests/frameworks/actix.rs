//! Handlers of actix-web, with `#[get]` and its like on either side of `#[traced]`.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App, Error, HttpRequest, HttpResponse, Responder, error, get, post, route, web};
use trace_runtime::propagation::Extract;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::traced;

/// actix-web has headers of its own.
struct Headers<'a>(&'a HttpRequest);

impl Extract for Headers<'_> {
    fn get_all(&self, name: &str) -> Vec<&str> {
        let values = self.0.headers().get_all(name);
        values.map(|value| value.to_str().unwrap_or("?")).collect()
    }
}

#[get("/above/{id}")]
#[traced("GET /above/{id}", kind = server, fields(id = *id))]
async fn above(id: web::Path<u64>) -> Result<String, Error> {
    load(*id).await
}

#[traced("GET /below/{id}", kind = server, parent = Headers(&request), fields(id = *id))]
#[get("/below/{id}")]
async fn below(request: HttpRequest, id: web::Path<u64>) -> Result<String, Error> {
    assert!(request.path().starts_with("/below"));
    load(*id).await
}

/// The future of a handler need not be `Send`, and is not here.
#[traced]
async fn load(id: u64) -> Result<String, Error> {
    let local = std::rc::Rc::new(id);
    tokio::task::yield_now().await;
    match *local {
        0 => Err(error::ErrorNotFound("no such order")),
        id => Ok(format!("order {id}")),
    }
}

#[traced(skip(body), fields(bytes = body.len()))]
#[post("/upload")]
async fn upload(body: String) -> impl Responder {
    HttpResponse::Created().body(body.to_uppercase())
}

#[route("/any", method = "GET", method = "HEAD")]
#[traced]
async fn any() -> &'static str {
    "any"
}

#[traced(skip_all, fields(path = request.path()))]
async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    next.call(request)
        .await
        .map(ServiceResponse::map_into_boxed_body)
}

async fn answer(capture: &Capture, request: TestRequest) -> (StatusCode, String) {
    let app = App::new()
        .service(above)
        .service(below)
        .service(upload)
        .service(any)
        .service(web::scope("/scope").wrap(from_fn(middleware)).service(any));
    let app = init_service(app).await;
    let answer = app.call(request.to_request());
    let response = capture.scope_async(answer).await.unwrap();
    let status = response.status();
    let body = read_body(response).await;
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[actix_web::test]
async fn a_handler_is_traced_below_the_route() {
    let capture = capture();
    let found = answer(&capture, TestRequest::get().uri("/above/7")).await;
    assert_eq!(found, (StatusCode::OK, "order 7".to_owned()));
    assert_eq!(
        capture.tree(),
        "GET /above/{id} [server] {id=7}\n  load {id=7}\n"
    );
}

#[actix_web::test]
async fn a_handler_is_traced_above_the_route_and_goes_on_from_the_headers() {
    let capture = capture();
    let header = "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01";
    let request = TestRequest::get()
        .uri("/below/0")
        .insert_header(("traceparent", header));
    let found = answer(&capture, request).await;
    assert_eq!(found, (StatusCode::NOT_FOUND, "no such order".to_owned()));
    let error = "error.type=\"actix_web::error::error::Error\"} !error \"no such order\"";
    assert_eq!(
        capture.tree(),
        format!(
            "GET /below/{{id}} [server] (remote parent) {{id=0, {error}\n  \
             load {{id=0, {error}\n    \
             - exception {{exception.type=\"actix_web::error::error::Error\", exception.message=\"no such order\"}}\n"
        )
    );
    assert_eq!(
        capture.spans()[0].trace_id.to_string(),
        "0102030405060708090a0b0c0d0e0f10"
    );
}

#[actix_web::test]
async fn extractors_and_responders_stay_as_they_are() {
    let capture = capture();
    let request = TestRequest::post().uri("/upload").set_payload("abc");
    assert_eq!(answer(&capture, request).await.1, "ABC");
    let request = TestRequest::get().uri("/any");
    assert_eq!(answer(&capture, request).await.1, "any");
    assert_eq!(capture.tree(), "upload {bytes=3}\nany\n");
}

#[actix_web::test]
async fn middleware_is_the_parent_of_the_handler() {
    let capture = capture();
    let request = TestRequest::get().uri("/scope/any");
    assert_eq!(answer(&capture, request).await.1, "any");
    assert_eq!(capture.tree(), "middleware {path=\"/scope/any\"}\n  any\n");
}
