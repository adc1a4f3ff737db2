//! What `tonic-build` makes of the service `shop.Payments` with one method, by hand.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::client::{Grpc as ClientGrpc, GrpcService};
use tonic::codegen::{BoxFuture, Bytes, Service, StdError, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const CHARGE: &str = "/shop.Payments/Charge";

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ChargeRequest {
    #[prost(uint64, tag = "1")]
    pub(crate) cents: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ChargeReply {
    #[prost(uint64, tag = "1")]
    pub(crate) cents: u64,
}

#[tonic::async_trait]
pub(crate) trait Payments: Send + Sync + 'static {
    async fn charge(
        &self,
        request: Request<ChargeRequest>,
    ) -> Result<Response<ChargeReply>, Status>;
}

pub(crate) struct PaymentsServer<P>(Arc<P>);

impl<P> Clone for PaymentsServer<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> PaymentsServer<P> {
    pub(crate) fn new(service: P) -> Self {
        Self(Arc::new(service))
    }
}

impl<P> NamedService for PaymentsServer<P> {
    const NAME: &'static str = "shop.Payments";
}

struct ChargeMethod<P>(Arc<P>);

impl<P: Payments> UnaryService<ChargeRequest> for ChargeMethod<P> {
    type Response = ChargeReply;
    type Future = BoxFuture<Response<ChargeReply>, Status>;

    fn call(&mut self, request: Request<ChargeRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.charge(request).await })
    }
}

impl<P: Payments> Service<http::Request<Body>> for PaymentsServer<P> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = ChargeMethod(Arc::clone(&self.0));
        Box::pin(async move {
            Ok(match request.uri().path() {
                CHARGE => {
                    let mut grpc = Grpc::new(ProstCodec::default());
                    grpc.unary(method, request).await
                }
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

#[derive(Clone)]
pub(crate) struct PaymentsClient<T>(ClientGrpc<T>);

impl<T> PaymentsClient<T>
where
    T: GrpcService<Body>,
    T::ResponseBody: http_body::Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error: Into<StdError> + Send,
{
    pub(crate) fn new(channel: T, origin: http::Uri) -> Self {
        Self(ClientGrpc::with_origin(channel, origin))
    }

    pub(crate) async fn charge(
        &mut self,
        request: ChargeRequest,
    ) -> Result<Response<ChargeReply>, Status> {
        let ready = self.0.ready().await;
        ready.map_err(|error| Status::unavailable(format!("not ready: {}", error.into())))?;
        let path = http::uri::PathAndQuery::from_static(CHARGE);
        let request = Request::new(request);
        self.0.unary(request, path, ProstCodec::default()).await
    }
}
