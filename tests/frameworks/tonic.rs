//! A service of tonic, in the shape of the code that tonic generates (without its compiler).

use std::pin::Pin;

use tonic::codegen::tokio_stream::{Stream, iter};
use tonic::{Code, Request, Response, Status};
use trace_runtime::testing::{Capture, capture};
use trace_runtime::traced;

#[allow(dead_code, reason = "shared with another test")]
mod generated;

use generated::{Greeter, GreeterClient, GreeterServer, HelloReply, HelloRequest};

type Replies = Pin<Box<dyn Stream<Item = Result<HelloReply, Status>> + Send>>;

/// `#[traced]` above, the documented order.
struct Above;

#[traced(
    kind = server,
    parent = request.metadata().as_ref(),
    fields("rpc.system" = "grpc"),
    err("rpc.grpc.status_code" = err.code() as i32),
    err_type = format!("{:?}", err.code())
)]
#[tonic::async_trait]
impl Greeter for Above {
    type HelloStream = Replies;

    #[traced("greet.Greeter/Hello")]
    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        tokio::task::yield_now().await;
        Ok(Response::new(greet(&request.get_ref().name)?))
    }

    #[traced("greet.Greeter/Hellos")]
    async fn hellos(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<Self::HelloStream>, Status> {
        let reply = greet(&request.get_ref().name)?;
        Ok(Response::new(Box::pin(iter([
            Ok(reply.clone()),
            Ok(reply),
        ]))))
    }
}

/// `#[traced]` below.
struct Below;

#[tonic::async_trait]
#[traced(
    kind = server,
    parent = request.metadata().as_ref(),
    fields("rpc.system" = "grpc"),
    err("rpc.grpc.status_code" = err.code() as i32),
    err_type = format!("{:?}", err.code())
)]
impl Greeter for Below {
    type HelloStream = Replies;

    #[traced("greet.Greeter/Hello")]
    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        tokio::task::yield_now().await;
        Ok(Response::new(greet(&request.get_ref().name)?))
    }

    #[traced("greet.Greeter/Hellos")]
    async fn hellos(
        &self,
        request: Request<HelloRequest>,
    ) -> Result<Response<Self::HelloStream>, Status> {
        let reply = greet(&request.get_ref().name)?;
        Ok(Response::new(Box::pin(iter([
            Ok(reply.clone()),
            Ok(reply),
        ]))))
    }
}

#[traced]
fn greet(name: &str) -> Result<HelloReply, Status> {
    match name {
        "" => Err(Status::invalid_argument("no name")),
        _ => Ok(HelloReply {
            text: format!("hello {name}"),
        }),
    }
}

fn request(name: &str) -> Request<HelloRequest> {
    let mut request = Request::new(HelloRequest {
        name: name.to_owned(),
    });
    let header = "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01";
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", header.parse().unwrap());
    request
}

async fn call<G: Greeter>(capture: &Capture, service: G, name: &str) -> Result<String, Status> {
    let mut client = GreeterClient::new(GreeterServer::new(service));
    let reply = capture.scope_async(async { client.hello(request(name)).await });
    reply.await.map(|reply| reply.into_inner().text)
}

const GREETED: &str = "greet.Greeter/Hello [server] (remote parent) {rpc.system=\"grpc\"}\n  \
    greet {name=\"ann\"}\n";

#[tokio::test]
async fn a_unary_call_is_traced_in_either_order() {
    let above = capture();
    assert_eq!(call(&above, Above, "ann").await.unwrap(), "hello ann");
    assert_eq!(above.tree(), GREETED);
    assert_eq!(
        above.spans()[0].trace_id.to_string(),
        "0102030405060708090a0b0c0d0e0f10"
    );
    let below = capture();
    assert_eq!(call(&below, Below, "ann").await.unwrap(), "hello ann");
    assert_eq!(below.tree(), GREETED);
}

#[tokio::test]
async fn a_status_tells_by_its_code() {
    for capture in [
        {
            let capture = capture();
            let status = call(&capture, Above, "").await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            capture
        },
        {
            let capture = capture();
            call(&capture, Below, "").await.unwrap_err();
            capture
        },
    ] {
        let spans = capture.spans();
        let attribute = |key: &str| spans[0].attribute(key).cloned();
        assert_eq!(attribute("error.type"), Some("InvalidArgument".into()));
        assert_eq!(attribute("rpc.grpc.status_code"), Some(3.into()));
        let events = spans.iter().map(|span| span.events.len());
        assert_eq!(events.collect::<Vec<_>>(), [0, 1], "told once");
    }
}

#[tokio::test]
async fn a_stream_of_replies_is_traced_until_it_begins() {
    let capture = capture();
    let mut client = GreeterClient::new(GreeterServer::new(Above));
    let replies = capture
        .scope_async(async { client.hellos(request("ann")).await })
        .await;
    let mut replies = replies.unwrap().into_inner();
    let mut count = 0;
    while replies.message().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2);
    assert_eq!(
        capture.tree(),
        GREETED.replace("Greeter/Hello", "Greeter/Hellos")
    );
}
