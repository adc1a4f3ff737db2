//! A receiver of OTLP over gRPC, without generated code.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

use bytes::{Buf, BufMut, Bytes};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::server::{Grpc, UnaryService};
use tonic::transport::ServerTlsConfig;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Response, Status};
use tower_service::Service;

/// A call as it arrived.
#[derive(Debug)]
pub struct Call {
    pub metadata: MetadataMap,
    pub request: ExportTraceServiceRequest,
}

impl Call {
    /// The names of the spans.
    pub fn names(&self) -> Vec<String> {
        let resources = self.request.resource_spans.iter();
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        let spans = scopes.flat_map(|scope| &scope.spans);
        spans.map(|span| span.name.clone()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.metadata.get(name)?.to_str().ok()
    }
}

/// What the calls are answered with, one after the other; then with success.
pub type Answers = Vec<Result<Bytes, Status>>;

/// The receiver; it hangs up when it is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    pub calls: mpsc::Receiver<Call>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Receiver {
    pub fn start(answers: Answers) -> Self {
        Self::listen("127.0.0.1:0".parse().unwrap(), answers, None)
    }

    pub fn listen(address: SocketAddr, mut answers: Answers, tls: Option<ServerTlsConfig>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, calls) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        answers.reverse();
        let service = TraceService {
            calls: sender,
            answers: Arc::new(Mutex::new(answers)),
        };
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let mut server = Server::builder();
                if let Some(tls) = tls {
                    server = server.tls_config(tls).unwrap();
                }
                let serving = server.serve_with_incoming(service, TcpIncoming::from(listener));
                tokio::select! {
                    served = serving => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            calls,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Its connections end with its runtime, and the port is free again.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Clone)]
struct TraceService {
    calls: mpsc::Sender<Call>,
    answers: Arc<Mutex<Answers>>,
}

impl Service<http::Request<Body>> for TraceService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        assert_eq!(request.uri().path(), export);
        let service = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(BytesCodec)
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Gzip);
            Ok(grpc.unary(Export(service), request).await)
        })
    }
}

/// A call of the one method.
struct Export(TraceService);

impl UnaryService<Bytes> for Export {
    type Response = Bytes;
    type Future = Ready<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (metadata, _, body) = request.into_parts();
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        // The test may be over: then nobody looks at the call any more.
        let _ = self.0.calls.send(Call { metadata, request });
        let answer = self.0.answers.lock().unwrap().pop();
        ready(answer.unwrap_or(Ok(Bytes::new())).map(Response::new))
    }
}

#[derive(Clone, Copy)]
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
