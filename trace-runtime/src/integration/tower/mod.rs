//! The handler wrapper: spans for whole services, as tower layers.
//!
//! [`ServerLayer`] opens a server span around every request that arrives and continues the caller's
//! trace; [`ClientLayer`] opens a client span around every request that leaves and sends the trace
//! along. Both speak OpenTelemetry's HTTP conventions and work with whatever speaks tower and the
//! types of the `http` crate: axum, hyper, tonic, reqwest.
//!
//! URLs are recorded without user-info, and without the values of parameters that sign a URL or whose
//! name is a secret's; so are URLs in the text of an error.
//!
//! # A server
//!
//! With feature `axum` its spans are named after the matched route, `GET /users/{id}`. A traced
//! function below the layer becomes its child, also one with `parent = headers`.
//!
//! ```no_run
//! use axum::Router;
//! use axum::extract::Path;
//! use axum::routing::get;
//! use trace_runtime::traced;
//! use trace_runtime::tower::ServerLayer;
//!
//! #[traced]
//! async fn user(Path(id): Path<u64>) -> String {
//!     format!("user {id}")
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let _guard = trace_runtime::init_tracer();
//!     let app = Router::new()
//!         .route("/users/{id}", get(user))
//!         .layer(ServerLayer::new());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     axum::serve(listener, app).await
//! }
//! ```
//!
//! Spans go to the global tracer, unless the layer is given another one, in tests for instance:
//!
#![cfg_attr(feature = "testing", doc = "```")]
#![cfg_attr(not(feature = "testing"), doc = "```ignore")]
//! use axum::Router;
//! use axum::body::Body;
//! use axum::http::Request;
//! use axum::routing::get;
//! use tower::ServiceExt;
//! use trace_runtime::testing::capture;
//! use trace_runtime::tower::ServerLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower::BoxError> {
//! let capture = capture();
//! let app = Router::new()
//!     .route("/ready", get(|| async {}))
//!     .layer(ServerLayer::new().with_tracer(capture.tracer()));
//! app.oneshot(Request::get("/ready").body(Body::empty())?).await?;
//! assert!(capture.tree().starts_with("GET"));
//! # Ok(())
//! # }
//! ```
//!
//! # A client
//!
//! ```no_run
//! use http::Request;
//! use http_body_util::Empty;
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use tower::{Layer, ServiceExt};
//! use trace_runtime::tower::ClientLayer;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), tower::BoxError> {
//!     let _guard = trace_runtime::init_tracer();
//!     let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&[u8]>>();
//!     let layer = ClientLayer::new()
//!         .inject_to(|uri| uri.host().is_some_and(|host| host.ends_with(".internal")));
//!     let request = Request::get("http://users.internal/7").body(Empty::new())?;
//!     let response = layer.layer(client).oneshot(request).await?;
//!     println!("{}", response.status());
//!     Ok(())
//! }
//! ```
//!
//! A reqwest client has types of its own; two conversions make it fit, which leave the layer outside:
//! `.layer(ClientLayer::new())`, `.map_request(..)` by `reqwest::Request::try_from` and
//! `.map_response(http::Response::from)`.

mod body;
mod call;
mod client;
mod route;
mod server;

pub use body::TracedBody;
pub use client::{ClientFuture, ClientLayer, TracedClient};
pub use route::IntoRoute;
pub use server::{ServerFuture, ServerLayer, TracedServer, Trust};
