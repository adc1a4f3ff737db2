//! What `tonic-build` makes of a service with a unary method and two streaming ones, by hand.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::client::{Grpc as ClientGrpc, GrpcService};
use tonic::codegen::{BoxFuture, Service, StdError, http, tokio_stream};
use tonic::server::{Grpc, NamedService, ServerStreamingService, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HelloRequest {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HelloReply {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

#[tonic::async_trait]
pub(crate) trait Greeter: Send + Sync + 'static {
    type HelloStream: tokio_stream::Stream<Item = Result<HelloReply, Status>> + Send + 'static;

    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status>;

    async fn hellos(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<Self::HelloStream>, Status>;

    /// Streams both ways.
    async fn chat(
        &self,
        _: Request<Streaming<HelloRequest>>,
    ) -> Result<Response<Self::HelloStream>, Status> {
        Err(Status::unimplemented("nobody to chat with"))
    }
}

pub(crate) struct GreeterServer<G>(Arc<G>);

impl<G> Clone for GreeterServer<G> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<G> GreeterServer<G> {
    pub(crate) fn new(service: G) -> Self {
        Self(Arc::new(service))
    }
}

impl<G> NamedService for GreeterServer<G> {
    const NAME: &'static str = "greet.Greeter";
}

struct HelloMethod<G>(Arc<G>);

impl<G: Greeter> UnaryService<HelloRequest> for HelloMethod<G> {
    type Response = HelloReply;
    type Future = BoxFuture<Response<HelloReply>, Status>;

    fn call(&mut self, request: Request<HelloRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.hello(request).await })
    }
}

struct HellosMethod<G>(Arc<G>);

impl<G: Greeter> ServerStreamingService<HelloRequest> for HellosMethod<G> {
    type Response = HelloReply;
    type ResponseStream = G::HelloStream;
    type Future = BoxFuture<Response<G::HelloStream>, Status>;

    fn call(&mut self, request: Request<HelloRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.hellos(request).await })
    }
}

struct ChatMethod<G>(Arc<G>);

impl<G: Greeter> StreamingService<HelloRequest> for ChatMethod<G> {
    type Response = HelloReply;
    type ResponseStream = G::HelloStream;
    type Future = BoxFuture<Response<G::HelloStream>, Status>;

    fn call(&mut self, request: Request<Streaming<HelloRequest>>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.chat(request).await })
    }
}

impl<G: Greeter> Service<http::Request<Body>> for GreeterServer<G> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::default());
            Ok(match request.uri().path() {
                "/greet.Greeter/Hello" => grpc.unary(HelloMethod(service), request).await,
                "/greet.Greeter/Hellos" => {
                    grpc.server_streaming(HellosMethod(service), request).await
                }
                "/greet.Greeter/Chat" => grpc.streaming(ChatMethod(service), request).await,
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

pub(crate) struct GreeterClient<T>(ClientGrpc<T>);

impl<T> GreeterClient<T>
where
    T: GrpcService<Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: http_body::Body<Data = tonic::codegen::Bytes> + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error: Into<StdError> + Send,
{
    pub(crate) fn new(channel: T) -> Self {
        Self(ClientGrpc::new(channel))
    }

    pub(crate) fn with_origin(channel: T, origin: http::Uri) -> Self {
        Self(ClientGrpc::with_origin(channel, origin))
    }

    pub(crate) async fn hello(
        &mut self,
        request: Request<HelloRequest>,
    ) -> Result<Response<HelloReply>, Status> {
        self.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/greet.Greeter/Hello");
        self.0.unary(request, path, ProstCodec::default()).await
    }

    pub(crate) async fn hellos(
        &mut self,
        request: Request<HelloRequest>,
    ) -> Result<Response<Streaming<HelloReply>>, Status> {
        self.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/greet.Greeter/Hellos");
        self.0
            .server_streaming(request, path, ProstCodec::default())
            .await
    }

    pub(crate) async fn chat(
        &mut self,
        requests: impl tokio_stream::Stream<Item = HelloRequest> + Send + 'static,
    ) -> Result<Response<Streaming<HelloReply>>, Status> {
        self.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/greet.Greeter/Chat");
        let request = Request::new(requests);
        self.0.streaming(request, path, ProstCodec::default()).await
    }

    /// A method that the server does not know.
    pub(crate) async fn nonsense(&mut self) -> Result<Response<HelloReply>, Status> {
        self.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/greet.Greeter/Nonsense");
        let request = Request::new(HelloRequest::default());
        self.0.unary(request, path, ProstCodec::default()).await
    }

    async fn ready(&mut self) -> Result<(), Status> {
        let ready = self.0.ready().await;
        ready.map_err(|error| Status::unknown(format!("not ready: {}", error.into())))
    }
}
