//! The handler wrapper: spans for whole services, as tower layers.
//!
//! [`ServerLayer`] opens a server span around every request that arrives and continues the caller's
//! trace; [`ClientLayer`] opens a client span around every request that leaves and sends the trace
//! along. Both speak OpenTelemetry's HTTP conventions and work with whatever speaks tower and the
//! types of the `http` crate: axum, hyper, tonic, reqwest.
//!
//! URLs are recorded without user-info, and without the values of parameters that sign a URL or whose
//! name is a secret's.
//!
//! # A server
//!
//! A traced function below the layer becomes its child, also one with `parent = headers`.
//!
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! use axum::Router;
//! use axum::extract::Path;
//! use axum::routing::get;
//! use trace_runtime::tower::ServerLayer;
//! use trace_runtime::{testing, traced};
//!
//! #[traced]
//! async fn user(Path(id): Path<u64>) -> String {
//!     format!("user {id}")
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let capture = testing::capture(); // in a program: let _guard = trace_runtime::init_tracer();
//! let app: Router = Router::new()
//!     .route("/users/{id}", get(user))
//!     .layer(ServerLayer::new().with_tracer(capture.tracer()));
//!
//! use tower::ServiceExt;
//! let request = axum::http::Request::get("/users/7").body(axum::body::Body::empty()).unwrap();
//! let response = app.oneshot(request).await.unwrap();
//! drop(axum::body::to_bytes(response.into_body(), 100).await);
//! assert_eq!(capture.spans()[0].name, "GET /users/{id}");
//! # }
//! ```

mod attributes;
mod body;
mod client;
mod route;
mod server;
mod url;

pub use body::TracedBody;
pub use client::{ClientFuture, ClientLayer, TracedClient};
pub use route::IntoRoute;
pub use server::{ServerFuture, ServerLayer, TracedServer, Trust};
