//! Requests of reqwest inside client spans, through `reqwest-middleware`.
//!
//! [`ClientMiddleware`] opens a client span around every request that leaves, and sends the trace along.
//! It says what [`ClientLayer`](crate::tower::ClientLayer) says: method, URL and status by OpenTelemetry's
//! HTTP conventions, URLs without user-info, without the values of parameters that sign a URL or whose
//! name is a secret's (`TRACED_REDACT` adds words), in the text of an error, too.
//!
#![cfg_attr(feature = "testing", doc = "```")]
#![cfg_attr(not(feature = "testing"), doc = "```ignore")]
//! use axum::Router;
//! use axum::routing::get;
//! use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
//! use tokio::net::TcpListener;
//! use trace_runtime::reqwest::ClientMiddleware;
//! use trace_runtime::tower::ServerLayer;
//! use trace_runtime::traced;
//!
//! struct Stock {
//!     client: ClientWithMiddleware,
//!     url: String,
//! }
//!
//! #[traced]
//! impl Stock {
//!     #[traced(off)]
//!     fn new(url: String) -> Self {
//!         let client = ClientBuilder::new(reqwest::Client::new())
//!             .with(ClientMiddleware::new()) // below a middleware that retries, to see every attempt
//!             .build();
//!         Self { client, url }
//!     }
//!
//!     async fn left(&self, sku: &str) -> reqwest_middleware::Result<String> {
//!         let url = format!("{}/stock/{sku}?api_key=secret", self.url);
//!         Ok(self.client.get(url).send().await?.text().await?)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In a program, `let _guard = trace_runtime::init_tracer();`.
//! let capture = trace_runtime::testing::capture();
//! let app = Router::new()
//!     .route("/stock/{sku}", get(|| async { "7" }))
//!     .layer(ServerLayer::new().with_tracer(capture.tracer()));
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let stock = Stock::new(format!("http://{}", listener.local_addr()?));
//! tokio::spawn(async { axum::serve(listener, app).await });
//!
//! let left = capture.scope_async(stock.left("sofa")).await?;
//! assert_eq!(left, "7");
//! let client = &capture.spans()[1];
//! assert_eq!(client.name, "GET");
//! let url = client.attribute("url.full").unwrap().to_string();
//! assert!(url.ends_with("/stock/sofa?api_key=REDACTED"));
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;

use ::reqwest::{Request, Response, Url};
use async_trait::async_trait;
use http::{Extensions, Uri};
use reqwest_middleware::{Error, Middleware, Next, Result};

use super::http::client::{InjectTo, Outgoing, record_head};
use super::http::{Protocol, error};
use crate::Value;
use crate::outcome::client_failed;
use crate::span::Active;
use crate::span_future::in_span;
use crate::tracer::Tracer;

/// Puts every request that a client sends inside a client span, and that span's context into the
/// request's headers.
///
/// The span is named after the method and ends with the head of the response. It failed if the status is
/// 400 or more, if there is no response, or if the request is given up before; `error.type` is the status,
/// `timeout`, the kind of the `io::Error` behind it, or in what part of the request it came about. Below a
/// middleware that retries, each attempt is a span and says how many came before:
/// `http.request.resend_count`. Redirects are followed inside of one.
///
/// See the [module](self) for an example.
#[derive(Clone, Debug, Default)]
pub struct ClientMiddleware(Outgoing);

impl ClientMiddleware {
    /// The middleware, for the global tracer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the spans with this tracer.
    #[must_use]
    pub fn with_tracer(mut self, tracer: impl Into<Tracer>) -> Self {
        self.0.tracer = Some(tracer.into());
        self
    }

    /// Decides which requests carry trace context and baggage; without it, all do.
    ///
    /// Where they must not go, headers of this kind that the request already has are removed.
    ///
    /// ```
    /// use trace_runtime::reqwest::ClientMiddleware;
    ///
    /// let middleware = ClientMiddleware::new()
    ///     .inject_to(|uri| uri.host().is_some_and(|host| host.ends_with(".internal")));
    /// ```
    #[must_use]
    pub fn inject_to(mut self, decide: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        self.0.inject_to = Some(InjectTo::new(decide));
        self
    }
}

/// How often a request was sent already.
#[derive(Clone, Copy)]
struct Sent(i64);

#[async_trait]
impl Middleware for ClientMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let uri = uri(request.url());
        let (method, headers) = (request.method(), request.headers());
        let mut span = self.0.start(Protocol::Http, method, &uri, headers);
        count(extensions, &span);
        span.run(|| self.0.inject(&uri, request.headers_mut()));
        let result = in_span(&mut span, next.run(request, extensions)).await;
        match &result {
            Ok(response) => {
                let (status, version) = (response.status(), response.version());
                record_head(
                    Protocol::Http,
                    status,
                    version,
                    response.headers(),
                    &mut span,
                );
            }
            Err(error) => record(error, &mut span),
        }
        result
    }
}

/// The URL in the shape that the rest knows. Nothing is sent to one that does not fit.
fn uri(url: &Url) -> Uri {
    url.as_str().parse().unwrap_or_default()
}

fn count(extensions: &mut Extensions, span: &Active) {
    let before = extensions.get().map_or(0, |Sent(before)| *before);
    if before > 0 && span.is_recording() {
        span.set("http.request.resend_count", Value::I64(before));
    }
    extensions.insert(Sent(before + 1));
}

fn record(error: &Error, span: &mut Active) {
    if !span.is_recording() {
        return;
    }
    let mut failed = client_failed(error, part(error));
    if error.is_timeout() {
        failed.error_type = Cow::Borrowed("timeout");
    }
    error::fail(failed, span);
}

/// What went wrong, in one of few words.
fn part(error: &Error) -> &'static str {
    match error {
        error if error.is_middleware() => "middleware",
        error if error.is_builder() => "builder",
        error if error.is_redirect() => "redirect",
        error if error.is_connect() => "connect",
        error if error.is_body() => "body",
        error if error.is_decode() => "decode",
        error if error.is_request() => "request",
        _ => "_OTHER",
    }
}
