//! The handler wrapper: spans for whole services, as tower layers.
//!
//! [`ServerLayer`] opens a server span around every request that arrives and continues the caller's
//! trace; [`ClientLayer`] opens a client span around every request that leaves and sends the trace
//! along. Both speak OpenTelemetry's HTTP and gRPC conventions (version 1.45) and work with whatever
//! speaks tower and the types of the `http` crate: axum, hyper, tonic.
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
//! That of hyper-util. An error that is boxed below the layer tells what is behind it,
//! `ConnectionRefused`, where `client error (Connect)` is all that can be seen of hyper-util's own:
//!
//! ```no_run
//! use http::Request;
//! use http_body_util::Empty;
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//! use trace_runtime::tower::ClientLayer;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), BoxError> {
//!     let _guard = trace_runtime::init_tracer();
//!     let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&[u8]>>();
//!     let layer = ClientLayer::new()
//!         .inject_to(|uri| uri.host().is_some_and(|host| host.ends_with(".internal")));
//!     let client = ServiceBuilder::new()
//!         .layer(layer)
//!         .map_err(BoxError::from)
//!         .service(client);
//!     let request = Request::get("http://users.internal/7").body(Empty::new())?;
//!     let response = client.oneshot(request).await?;
//!     println!("{}", response.status());
//!     Ok(())
//! }
//! ```
//!
//! A reqwest client has types of its own; feature `reqwest` has a middleware for it.
//!
//! # gRPC
//!
//! A call, known by its content type `application/grpc`, is named after its method, `shop.Orders/Get`, with
//! `rpc.system.name` and `rpc.method`; `rpc.status_code` says by name how it went: `OK`, `NOT_FOUND`. Both
//! spans last until the status is there, be it in a header or in the trailers behind the last message, so
//! they cover streams in both directions; given up before, it is `CANCELLED`. For a client every status
//! but `OK` is an error, for a server only `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`,
//! `UNAVAILABLE` and `DATA_LOSS`; the status' message is the description. A method that the server does not
//! know is no name: the span is called `grpc`, `rpc.method` is `_OTHER`, and `rpc.method_original` has what
//! was asked for. Of gRPC-Web only a status in the header is seen.
//!
//! tonic adds the host to a request below the layer, which does not learn it; `with_origin` of the
//! generated client sets it above.
//!
//! ```no_run
//! use tonic::transport::{Endpoint, Server};
//! use tower::Layer;
//! use trace_runtime::tower::{ClientLayer, ServerLayer};
//!
//! # mod shop {
//! #     //! What `tonic-build` generates, in short.
//! #     use std::convert::Infallible;
//! #     use std::future::{Ready, ready};
//! #     use std::task::{Context, Poll};
//! #     use tonic::body::Body;
//! #     #[derive(Clone)]
//! #     pub struct OrdersServer<T>(T);
//! #     impl<T> OrdersServer<T> {
//! #         pub fn new(orders: T) -> Self {
//! #             Self(orders)
//! #         }
//! #     }
//! #     impl<T> tonic::server::NamedService for OrdersServer<T> {
//! #         const NAME: &'static str = "shop.Orders";
//! #     }
//! #     impl<T> tower::Service<http::Request<Body>> for OrdersServer<T> {
//! #         type Response = http::Response<Body>;
//! #         type Error = Infallible;
//! #         type Future = Ready<Result<Self::Response, Infallible>>;
//! #         fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
//! #             Poll::Ready(Ok(()))
//! #         }
//! #         fn call(&mut self, _: http::Request<Body>) -> Self::Future {
//! #             ready(Ok(tonic::Status::unimplemented("").into_http()))
//! #         }
//! #     }
//! #     pub struct OrdersClient<T>(tonic::client::Grpc<T>);
//! #     impl<T: tonic::client::GrpcService<Body>> OrdersClient<T>
//! #     where
//! #         T::Error: std::fmt::Debug,
//! #     {
//! #         pub fn with_origin(channel: T, origin: http::Uri) -> Self {
//! #             Self(tonic::client::Grpc::with_origin(channel, origin))
//! #         }
//! #         pub async fn get(&mut self, _: u64) -> Result<(), tonic::Status> {
//! #             self.0.ready().await.map_err(|error| tonic::Status::unknown(format!("{error:?}")))
//! #         }
//! #     }
//! # }
//! # #[derive(Clone)]
//! # struct Orders;
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _guard = trace_runtime::init_tracer();
//!     let server = Server::builder()
//!         .layer(ServerLayer::new())
//!         .add_service(shop::OrdersServer::new(Orders));
//!     tokio::spawn(server.serve("127.0.0.1:50051".parse()?));
//!
//!     let url = "http://127.0.0.1:50051";
//!     let channel = ClientLayer::new().layer(Endpoint::from_static(url).connect_lazy());
//!     let mut client = shop::OrdersClient::with_origin(channel, url.parse()?);
//!     println!("{:?}", client.get(7).await);
//!     Ok(())
//! }
//! ```

mod body;
mod call;
mod client;
mod route;
mod server;

pub use body::TracedBody;
pub use client::{ClientFuture, ClientLayer, TracedClient};
pub use route::IntoRoute;
pub use server::{ServerFuture, ServerLayer, TracedServer, Trust};
