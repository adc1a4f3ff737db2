//! OTLP over gRPC, for whom that is all that a receiver speaks.
//!
//! The client is asynchronous, so it gets a runtime of its own, on the thread that exports: the
//! application needs none, and whatever runtime it has is not waited for and not blocked.

mod codec;
mod outcome;

use std::time::{Duration, Instant};

use ::http::HeaderMap;
use ::http::uri::PathAndQuery;
use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use self::codec::BytesCodec;
use super::encode::Encoder;
use super::partial::partial_success;
use crate::exporter::http::endpoint;
use crate::{Batch, ExportError, Exporter};

const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// No attempt lasts longer.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(3600);

/// What the configuration says about OTLP over gRPC.
#[derive(Clone, Debug)]
pub(crate) struct OtlpGrpcSettings {
    /// The server; its user-info is used for Basic authentication.
    pub(crate) endpoint: String,
    /// Added to each call.
    pub(crate) headers: Vec<(String, String)>,
    /// How long one attempt may take, `None` for as long as the batch allows.
    pub(crate) timeout: Option<Duration>,
    /// Whether messages are compressed.
    #[cfg(feature = "gzip")]
    pub(crate) gzip: bool,
    #[cfg(feature = "tls")]
    pub(crate) tls: crate::exporter::tls::Tls,
}

/// Exports over gRPC.
#[derive(Debug)]
pub(crate) struct OtlpGrpc {
    endpoint: Endpoint,
    headers: HeaderMap,
    target: String,
    timeout: Duration,
    #[cfg(feature = "gzip")]
    gzip: bool,
    /// Made by the thread that exports, and gone before it ends.
    runtime: Option<Runtime>,
    client: Option<Grpc<Channel>>,
    encoder: Encoder,
}

impl OtlpGrpc {
    /// Opens no connection and starts nothing; the first batch does.
    ///
    /// # Errors
    ///
    /// What is wrong with the endpoint, the headers or the certificates.
    pub(crate) fn new(settings: &OtlpGrpcSettings) -> Result<Self, String> {
        let url = &settings.endpoint;
        let parsed = endpoint::Endpoint::new(url, &settings.headers, "application/grpc")?;
        let timeout = settings
            .timeout
            .unwrap_or(LONGEST_ATTEMPT)
            .min(LONGEST_ATTEMPT);
        let endpoint = Endpoint::from(parsed.uri.clone())
            .user_agent(endpoint::AGENT)
            .map_err(|error| error.to_string())?
            .connect_timeout(timeout / 4);
        #[cfg(feature = "tls")]
        let endpoint = match parsed.uri.scheme_str() {
            Some("https") => settings.tls.grpc(endpoint)?,
            _ => endpoint,
        };
        Ok(Self {
            target: parsed.target().trim_end_matches('/').to_owned(),
            endpoint,
            headers: parsed.headers,
            timeout,
            #[cfg(feature = "gzip")]
            gzip: settings.gzip,
            runtime: None,
            client: None,
            encoder: Encoder::default(),
        })
    }

    /// Makes a call; a connection that was kept and turns out to be gone is replaced once.
    fn send(&mut self, deadline: Instant) -> Result<Bytes, Failure> {
        let kept = self.client.is_some();
        let sent = self.call(deadline);
        match &sent {
            Err(Failure::Status(status)) if outcome::is_local(status) => {
                self.client = None;
                if kept {
                    return self.call(deadline);
                }
                sent
            }
            _ => sent,
        }
    }

    fn call(&mut self, deadline: Instant) -> Result<Bytes, Failure> {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = left.min(self.timeout);
        if left.is_zero() {
            return Err(Failure::Here("no time left for an attempt".to_owned()));
        }
        let request = self.request(left);
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => runtime().map_err(|error| Failure::Here(error.to_string()))?,
        };
        let answer = runtime.block_on(async {
            // Connecting is a task of the runtime, so it begins inside of it.
            let client = self.client.get_or_insert_with(|| {
                let client = Grpc::new(self.endpoint.connect_lazy());
                #[cfg(feature = "gzip")]
                let client = compressed(client, self.gzip);
                client
            });
            tokio::time::timeout(left, export(client, request)).await
        });
        self.runtime = Some(runtime);
        let late = || Failure::Here("no answer in time".to_owned());
        match answer {
            Ok(Err(status)) if outcome::is_timeout(&status) => Err(late()),
            Ok(answer) => answer.map_err(Failure::Status),
            Err(_) => Err(late()),
        }
    }

    fn request(&self, left: Duration) -> Request<Bytes> {
        let mut request = Request::new(Bytes::copy_from_slice(self.encoder.encoded()));
        *request.metadata_mut() = MetadataMap::from_headers(self.headers.clone());
        request.set_timeout(left);
        request
    }

    /// Ends the connection without waiting for anything.
    fn close(&mut self) {
        self.client = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Why a call has no answer.
enum Failure {
    /// What the receiver or the connection said.
    Status(Status),
    /// It did not get that far, or took too long.
    Here(String),
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
}

async fn export(client: &mut Grpc<Channel>, request: Request<Bytes>) -> Result<Bytes, Status> {
    let ready = client.ready().await;
    ready.map_err(|error| Status::from_error(Box::new(error)))?;
    let path = PathAndQuery::from_static(PATH);
    let answer = client.unary(request, path, BytesCodec).await?;
    Ok(answer.into_inner())
}

#[cfg(feature = "gzip")]
fn compressed(client: Grpc<Channel>, gzip: bool) -> Grpc<Channel> {
    use tonic::codec::CompressionEncoding::Gzip;
    let client = client.accept_compressed(Gzip);
    if gzip {
        client.send_compressed(Gzip)
    } else {
        client
    }
}

impl Exporter for OtlpGrpc {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        let spans = batch.spans().len() as u64;
        if spans == 0 {
            return Ok(());
        }
        self.encoder.encode(batch);
        let deadline = batch.deadline().min(Instant::now() + self.timeout);
        match self.send(deadline) {
            Ok(answer) => partial_success(&answer),
            Err(Failure::Status(status)) => Err(outcome::failure(&status, spans)),
            Err(Failure::Here(reason)) => {
                // A receiver that takes connections and is silent may be a new one next time.
                self.client = None;
                Err(ExportError::Unreachable(reason))
            }
        }
    }

    fn shutdown(&mut self, _: Instant) {
        self.close();
    }

    fn target(&self) -> String {
        self.target.clone()
    }

    fn component_type(&self) -> &'static str {
        "otlp_grpc_span_exporter"
    }
}

impl Drop for OtlpGrpc {
    fn drop(&mut self) {
        self.close();
    }
}
