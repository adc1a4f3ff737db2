//! JSON over HTTP, from the caller's side.

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::{Request, Response, header};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use tower::{Service, ServiceExt};

/// Nobody answers with more.
const LONGEST_ANSWER: usize = 1 << 20;

pub(crate) type Client = legacy::Client<HttpConnector, Body>;

pub(crate) fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) async fn post<S, B>(
    client: S,
    url: &str,
    body: &impl Serialize,
) -> Result<Response<Bytes>, BoxError>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(serde_json::to_vec(body)?))?;
    let response = client.oneshot(request).await.map_err(Into::into)?;
    let (parts, body) = response.into_parts();
    let body = to_bytes(Body::new(body), LONGEST_ANSWER).await?;
    Ok(Response::from_parts(parts, body))
}
