//! OTLP over HTTP, with protobuf as the body.

use std::time::Duration;

use super::answer;
use super::encode::Encoder;
use crate::exporter::http::{Client, Endpoint};
use crate::{Batch, ExportError, Exporter};

/// What the configuration says about OTLP over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct OtlpHttpSettings {
    /// The URL to post to, path included; its user-info is used for Basic authentication.
    pub(crate) endpoint: String,
    /// Added to each request.
    pub(crate) headers: Vec<(String, String)>,
    /// How long one attempt may take, `None` for as long as the batch allows.
    pub(crate) timeout: Option<Duration>,
}

/// Exports over HTTP, with protobuf as the body.
#[derive(Debug)]
pub(crate) struct OtlpHttp {
    client: Client,
    encoder: Encoder,
    body: Vec<u8>,
}

impl OtlpHttp {
    /// Opens no connection; the first batch does.
    ///
    /// # Errors
    ///
    /// What is wrong with the endpoint or the headers.
    // By value, like every exporter's settings: what holds credentials is not kept by the caller.
    #[expect(clippy::needless_pass_by_value)]
    pub(crate) fn new(settings: OtlpHttpSettings) -> Result<Self, String> {
        let headers = &settings.headers;
        let endpoint = Endpoint::new(&settings.endpoint, headers, "application/x-protobuf")?;
        Ok(Self {
            client: Client::new(endpoint, settings.timeout, grpc_hint),
            encoder: Encoder::default(),
            body: Vec::new(),
        })
    }
}

/// An answer that is no HTTP comes from a gRPC server, most likely, and so does silence on its port.
fn grpc_hint(port: Option<u16>) -> Option<&'static str> {
    port.is_none_or(|port| port == 4317)
        .then_some("this port may speak gRPC, OTLP over HTTP is usually on 4318")
}

impl Exporter for OtlpHttp {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        let spans = batch.spans().len() as u64;
        if spans == 0 {
            return Ok(());
        }
        self.encoder.encode(batch, &mut self.body);
        self.client
            .post(&self.body, spans, batch.deadline(), answer::outcome)
    }

    fn target(&self) -> String {
        self.client.target().to_owned()
    }
}
