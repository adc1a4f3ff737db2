//! `ServerLayer` and `ClientLayer` around services of tonic, over a connection and without.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::tokio_stream::{Stream, iter};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};
use tower::{Layer, ServiceExt, service_fn};
use trace_runtime::opentelemetry::trace::Status as SpanStatus;
use trace_runtime::opentelemetry::trace::{SpanId, SpanKind};
use trace_runtime::stream::InSpan;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::tower::{ClientLayer, ServerLayer, TracedClient};
use trace_runtime::{SpanRecord, traced};

#[allow(dead_code, reason = "shared with another test")]
mod generated;

use generated::{Greeter, GreeterClient, GreeterServer, HelloReply, HelloRequest};

type Replies = Pin<Box<dyn Stream<Item = Result<HelloReply, Status>> + Send>>;

/// Answers with the status whose number is the name, or greets.
#[traced]
fn greet(name: &str) -> Result<HelloReply, Status> {
    match name.parse() {
        Ok(code) if code != 0 => Err(Status::new(Code::from_i32(code), format!("é {name}"))),
        _ => Ok(HelloReply {
            text: format!("hello {name}"),
        }),
    }
}

struct Service;

#[tonic::async_trait]
impl Greeter for Service {
    type HelloStream = Replies;

    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        tokio::task::yield_now().await;
        greet(&request.get_ref().name).map(Response::new)
    }

    /// As many replies as there are words, each made when it is asked for; one and no end without.
    async fn hellos(&self, request: Request<HelloRequest>) -> Result<Response<Replies>, Status> {
        let names = request.into_inner().name;
        Ok(Response::new(if names.is_empty() {
            let first = std::future::ready(greet(""));
            Box::pin(stream::once(first).chain(stream::pending()))
        } else {
            let names: Vec<_> = names.split(' ').map(str::to_owned).collect();
            replies(names)
        }))
    }

    async fn chat(
        &self,
        request: Request<Streaming<HelloRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let requests = request.into_inner();
        let replies = requests.map(|request| greet(&request?.name));
        Ok(Response::new(Box::pin(
            replies.in_span("chat").record_errors(),
        )))
    }
}

#[traced(skip_all)]
fn replies(names: Vec<String>) -> BoxStream<'static, Result<HelloReply, Status>> {
    Box::pin(iter(names).map(|name| greet(&name)))
}

async fn serve(capture: &Capture) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .layer(ServerLayer::new().with_tracer(capture.tracer()))
        .add_service(GreeterServer::new(Service));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

/// A client over a connection, both sides traced.
async fn client(capture: &Capture) -> GreeterClient<TracedClient<Channel>> {
    let url = format!("http://{}", serve(capture).await);
    let channel = Endpoint::from_shared(url.clone()).unwrap().connect_lazy();
    let layer = ClientLayer::new().with_tracer(capture.tracer());
    GreeterClient::with_origin(layer.layer(channel), url.parse().unwrap())
}

fn request(name: &str) -> Request<HelloRequest> {
    Request::new(HelloRequest {
        name: name.to_owned(),
    })
}

/// The client's and the server's span, once both have ended.
async fn both(capture: &Capture) -> [SpanRecord; 2] {
    let ended = async {
        loop {
            let spans = capture.spans();
            let find = |kind| spans.iter().find(|span| span.kind == kind).cloned();
            if let (Some(client), Some(server)) = (find(SpanKind::Client), find(SpanKind::Server)) {
                return [client, server];
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
    ended.unwrap_or_else(|_| panic!("both end: {}", capture.tree()))
}

fn text(span: &SpanRecord, key: &str) -> String {
    span.attribute(key)
        .map_or_else(String::new, ToString::to_string)
}

fn is_cancelled(span: &SpanRecord) -> bool {
    span.attribute("traced.cancelled") == Some(&true.into())
}

/// All messages, up to the end or an error.
async fn all(replies: Response<Streaming<HelloReply>>) -> Result<Vec<String>, Status> {
    let mut replies = replies.into_inner();
    let mut texts = Vec::new();
    while let Some(reply) = replies.message().await? {
        texts.push(reply.text);
    }
    Ok(texts)
}

#[tokio::test]
async fn a_unary_call_is_one_trace() {
    let capture = capture();
    let mut client = client(&capture).await;
    let reply = client.hello(request("ann")).await.unwrap();
    assert_eq!(reply.into_inner().text, "hello ann");
    let [of_client, of_server] = both(&capture).await;
    let address = text(&of_client, "server.port");
    let peers = format!("server.address=\"127.0.0.1\", server.port={address}");
    let method = "rpc.system.name=\"grpc\", rpc.method=\"greet.Greeter/Hello\"";
    assert_eq!(
        capture.tree(),
        format!(
            "greet.Greeter/Hello [client] {{{method}, {peers}, rpc.status_code=\"OK\"}}\n  \
             - first byte\n  greet.Greeter/Hello [server] (remote parent) {{{method}, {peers}, \
             rpc.status_code=\"OK\"}}\n    - first byte\n    greet {{name=\"ann\"}}\n"
        )
    );
    assert_eq!(of_server.parent_span_id, of_client.span_id);
    assert_eq!(of_server.trace_id, of_client.trace_id);
    assert_eq!(of_server.status, SpanStatus::Unset);
    let schema = of_server.scope.schema_url();
    assert_eq!(schema, Some("https://opentelemetry.io/schemas/1.45.0"));
}

#[tokio::test]
async fn spans_last_as_long_as_the_stream_of_replies() {
    let capture = capture();
    let mut client = client(&capture).await;
    let replies = client.hellos(request("ann bob")).await.unwrap();
    assert!(
        capture
            .spans()
            .iter()
            .all(|span| span.kind != SpanKind::Client)
    );
    assert_eq!(all(replies).await.unwrap(), ["hello ann", "hello bob"]);
    let [of_client, of_server] = both(&capture).await;
    for span in [&of_client, &of_server] {
        assert_eq!(span.name, "greet.Greeter/Hellos");
        assert_eq!(text(span, "rpc.status_code"), "OK");
        assert!(!is_cancelled(span));
    }
    let spans = capture.spans();
    let stream = spans.iter().find(|span| span.name == "replies").unwrap();
    assert_eq!(stream.attribute("traced.stream.items"), Some(&2.into()));
    assert_eq!(stream.parent_span_id, of_server.span_id);
    let greetings: Vec<_> = spans.iter().filter(|span| span.name == "greet").collect();
    assert_eq!(greetings.len(), 2);
    for greeting in greetings {
        assert_eq!(greeting.parent_span_id, stream.span_id);
    }
}

#[tokio::test]
async fn spans_last_as_long_as_streams_in_both_directions() {
    let capture = capture();
    let mut client = client(&capture).await;
    let requests = iter(["ann", "bob"]).map(|name| request(name).into_inner());
    let replies = client.chat(requests).await.unwrap();
    assert_eq!(all(replies).await.unwrap(), ["hello ann", "hello bob"]);
    let [of_client, of_server] = both(&capture).await;
    assert_eq!(text(&of_client, "rpc.status_code"), "OK");
    assert_eq!(text(&of_server, "rpc.status_code"), "OK");
    let spans = capture.spans();
    let chat = spans.iter().find(|span| span.name == "chat").unwrap();
    assert_eq!(chat.attribute("traced.stream.items"), Some(&2.into()));
    assert_eq!(chat.parent_span_id, of_server.span_id);
}

const CODES: [(Code, &str, bool); 17] = [
    (Code::Ok, "OK", false),
    (Code::Cancelled, "CANCELLED", false),
    (Code::Unknown, "UNKNOWN", true),
    (Code::InvalidArgument, "INVALID_ARGUMENT", false),
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", true),
    (Code::NotFound, "NOT_FOUND", false),
    (Code::AlreadyExists, "ALREADY_EXISTS", false),
    (Code::PermissionDenied, "PERMISSION_DENIED", false),
    (Code::ResourceExhausted, "RESOURCE_EXHAUSTED", false),
    (Code::FailedPrecondition, "FAILED_PRECONDITION", false),
    (Code::Aborted, "ABORTED", false),
    (Code::OutOfRange, "OUT_OF_RANGE", false),
    (Code::Unimplemented, "UNIMPLEMENTED", true),
    (Code::Internal, "INTERNAL", true),
    (Code::Unavailable, "UNAVAILABLE", true),
    (Code::DataLoss, "DATA_LOSS", true),
    (Code::Unauthenticated, "UNAUTHENTICATED", false),
];

/// Calls with both sides traced; the status is in a header for `hello`, in trailers for `hellos`.
async fn statuses<F>(call: impl Fn(GreeterClient<TracedClient<Channel>>, String) -> F)
where
    F: Future<Output = Code>,
{
    for (code, name, is_servers_fault) in CODES {
        let capture = capture();
        let client = client(&capture).await;
        assert_eq!(call(client, (code as i32).to_string()).await, code);
        let [of_client, of_server] = both(&capture).await;
        let message = format!("é {}", code as i32);
        for (span, is_error) in [(of_client, code != Code::Ok), (of_server, is_servers_fault)] {
            assert!(
                span.name.starts_with("greet.Greeter/Hello"),
                "{}",
                span.name
            );
            assert_eq!(text(&span, "rpc.status_code"), name);
            let exceptions = span.events.iter().filter(|event| event.name == "exception");
            assert_eq!(exceptions.count(), 0, "a status is no exception");
            if is_error {
                assert_eq!(span.status, SpanStatus::error(message.clone()), "{name}");
                assert_eq!(text(&span, "error.type"), name);
            } else {
                assert_eq!(span.status, SpanStatus::Unset, "{name}");
                assert_eq!(span.attribute("error.type"), None);
            }
        }
    }
}

#[tokio::test]
async fn a_status_in_a_header_says_how_the_call_went() {
    statuses(async |mut client, name| {
        let reply = client.hello(request(&name)).await;
        reply.map_or_else(|status| status.code(), |_| Code::Ok)
    })
    .await;
}

#[tokio::test]
async fn a_status_in_trailers_says_how_the_call_went() {
    statuses(async |mut client, name| {
        let replies = client.hellos(request(&format!("ann {name}"))).await;
        let replies = all(replies.unwrap()).await;
        replies.map_or_else(|status| status.code(), |_| Code::Ok)
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_call() {
    let capture = capture();
    let mut client = client(&capture).await;
    let mut replies = client.hellos(request("")).await.unwrap().into_inner();
    replies.message().await.unwrap().unwrap();
    drop(replies);
    let [of_client, of_server] = both(&capture).await;
    for span in [&of_client, &of_server] {
        assert!(is_cancelled(span));
        assert_eq!(text(span, "rpc.status_code"), "CANCELLED");
    }
    assert_eq!(of_client.status, SpanStatus::error("cancelled"));
    assert_eq!(of_server.status, SpanStatus::Unset);
}

#[tokio::test]
async fn what_the_server_does_not_know_is_no_name() {
    let capture = capture();
    let mut client = client(&capture).await;
    let status = client.nonsense().await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let [of_client, of_server] = both(&capture).await;
    assert_eq!(of_client.name, "greet.Greeter/Nonsense");
    assert_eq!(of_server.name, "grpc");
    assert_eq!(text(&of_server, "rpc.method"), "_OTHER");
    let original = text(&of_server, "rpc.method_original");
    assert_eq!(original, "greet.Greeter/Nonsense");
    let keys: Vec<_> = of_server.attributes.iter().map(|one| &one.key).collect();
    let count = keys
        .iter()
        .filter(|key| key.as_str() == "rpc.method")
        .count();
    assert_eq!(count, 1, "{keys:?}");
}

struct Traced;

#[traced(kind = server, parent = request.metadata().as_ref())]
#[tonic::async_trait]
impl Greeter for Traced {
    type HelloStream = Replies;

    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        greet(&request.get_ref().name).map(Response::new)
    }

    async fn hellos(&self, request: Request<HelloRequest>) -> Result<Response<Replies>, Status> {
        Ok(Response::new(replies(vec![request.into_inner().name])))
    }
}

#[tokio::test]
async fn a_traced_service_is_below_the_layer() {
    let capture = capture();
    let layer = ServerLayer::new().with_tracer(capture.tracer());
    let mut client = GreeterClient::new(layer.layer(GreeterServer::new(Traced)));
    let mut request = request("ann");
    let traceparent = "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01";
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", traceparent.parse().unwrap());
    client.hello(request).await.unwrap();
    let spans = capture.spans();
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["greet.Greeter/Hello", "Traced::hello", "greet"]);
    assert_eq!(spans[0].parent_span_id, SpanId::from(0x0102_0304_0506_0708));
    assert_eq!(spans[1].parent_span_id, spans[0].span_id);
}

type Frames = Vec<Result<Frame<Bytes>, Status>>;

/// The client's and the server's span of a call that is answered with this.
async fn answered(
    content_type: &str,
    response: http::response::Builder,
    frames: Frames,
) -> [SpanRecord; 2] {
    let capture = capture();
    let body = StreamBody::new(iter(frames));
    let mut response = Some(response.body(body).unwrap());
    let service = ServerLayer::new().layer(service_fn(move |_: http::Request<Body>| {
        let response = response.take().unwrap();
        async { Ok::<_, Infallible>(response) }
    }));
    let client = ClientLayer::new().layer(service);
    let request = http::Request::post("http://shop.example/shop.Orders/Get")
        .header("content-type", content_type)
        .body(Body::empty())
        .unwrap();
    let call = async {
        let response = client.oneshot(request).await.unwrap();
        let _ = response.into_body().collect().await;
    };
    capture.scope_async(call).await;
    both(&capture).await
}

fn data() -> Result<Frame<Bytes>, Status> {
    Ok(Frame::data(Bytes::from_static(b"....")))
}

const GRPC: &str = "application/grpc";

#[tokio::test]
async fn an_answer_in_plain_http_is_translated_by_the_client() {
    for (status, name) in [
        (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        (StatusCode::NOT_FOUND, "UNIMPLEMENTED"),
        (StatusCode::IM_A_TEAPOT, "UNKNOWN"),
    ] {
        let response = http::Response::builder().status(status);
        let [client, server] = answered(GRPC, response, vec![data()]).await;
        assert_eq!(text(&client, "rpc.status_code"), name);
        assert_eq!(text(&client, "error.type"), name);
        let code = i64::from(status.as_u16());
        assert_eq!(
            server.attribute("http.response.status_code"),
            Some(&code.into())
        );
        assert_eq!(server.attribute("rpc.status_code"), None);
        let is_error = status.is_server_error();
        assert_eq!(matches!(server.status, SpanStatus::Error { .. }), is_error);
    }
}

#[tokio::test]
async fn a_call_without_a_status_is_unknown_to_the_client() {
    for frames in [
        vec![data()],
        vec![data(), Ok(Frame::trailers(HeaderMap::new()))],
        vec![],
    ] {
        let [client, server] = answered(GRPC, http::Response::builder(), frames).await;
        assert_eq!(text(&client, "rpc.status_code"), "UNKNOWN");
        assert_eq!(client.status, SpanStatus::error(""));
        assert_eq!(server.attribute("rpc.status_code"), None);
        assert_eq!(server.status, SpanStatus::Unset);
    }
}

#[tokio::test]
async fn a_body_that_breaks_is_an_error() {
    let frames = vec![data(), Err(Status::data_loss("cut"))];
    let [client, server] = answered(GRPC, http::Response::builder(), frames).await;
    for span in [client, server] {
        assert!(matches!(span.status, SpanStatus::Error { .. }));
        assert_eq!(text(&span, "error.type"), "tonic::status::Status");
        assert_eq!(span.attribute("rpc.status_code"), None);
    }
}

#[tokio::test]
async fn trailers_of_grpc_web_are_in_its_body() {
    let web = "application/grpc-web+proto";
    let [client, server] = answered(web, http::Response::builder(), vec![data()]).await;
    for span in [client, server] {
        assert_eq!(span.name, "shop.Orders/Get");
        assert_eq!(span.status, SpanStatus::Unset);
        assert_eq!(span.attribute("rpc.status_code"), None);
    }
    let failed = http::Response::builder().header("grpc-status", "13");
    for span in answered(web, failed, vec![]).await {
        assert_eq!(text(&span, "rpc.status_code"), "INTERNAL");
        assert_eq!(text(&span, "error.type"), "INTERNAL");
    }
}

#[tokio::test]
async fn a_message_does_not_give_away_secrets() {
    let failed = http::Response::builder()
        .header("grpc-status", "14")
        .header(
            "grpc-message",
            "cannot reach http://ann:pw@db/?token=xyz%20now",
        );
    let shown = "cannot reach http://REDACTED:REDACTED@db/?token=REDACTED now";
    for span in answered(GRPC, failed, vec![]).await {
        assert_eq!(span.status, SpanStatus::error(shown));
    }
}
