//! OTLP over HTTP, with protobuf or JSON as the body.

use std::time::Duration;

use super::answer;
use super::encode::Encoder;
use crate::exporter::http::{Client, Endpoint};
use crate::exporter::json;
use crate::{Batch, ExportError, Exporter};

/// How batches are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Protobuf,
    Json,
}

impl Format {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// What the configuration says about OTLP over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct OtlpHttpSettings {
    /// The URL to post to, path included; its user-info is used for Basic authentication.
    pub(crate) endpoint: String,
    /// Added to each request.
    pub(crate) headers: Vec<(String, String)>,
    /// How long one attempt may take, `None` for as long as the batch allows.
    pub(crate) timeout: Option<Duration>,
    pub(crate) format: Format,
    /// Whether bodies are compressed.
    #[cfg(feature = "gzip")]
    pub(crate) gzip: bool,
    #[cfg(feature = "tls")]
    pub(crate) tls: crate::exporter::tls::Tls,
}

/// Exports over HTTP.
#[derive(Debug)]
pub(crate) struct OtlpHttp {
    client: Client,
    format: Format,
    encoder: Encoder,
    json: Vec<u8>,
    /// The compressed body, if bodies are compressed.
    #[cfg(feature = "gzip")]
    packed: Option<Vec<u8>>,
}

impl OtlpHttp {
    /// Opens no connection; the first batch does.
    ///
    /// # Errors
    ///
    /// What is wrong with the endpoint or the headers.
    pub(crate) fn new(settings: OtlpHttpSettings) -> Result<Self, String> {
        let (url, media_type) = (&settings.endpoint, settings.format.media_type());
        let endpoint = Endpoint::new(url, &settings.headers, media_type)?;
        #[cfg(feature = "gzip")]
        let endpoint = endpoint.compressed(settings.gzip);
        let client = Client::new(endpoint, settings.timeout, grpc_hint);
        #[cfg(feature = "tls")]
        let client = client.with_tls(&settings.tls);
        Ok(Self {
            client,
            format: settings.format,
            encoder: Encoder::default(),
            json: Vec::new(),
            #[cfg(feature = "gzip")]
            packed: settings.gzip.then(Vec::new),
        })
    }

    #[cfg(feature = "gzip")]
    fn pack(&mut self) {
        if let Some(mut packed) = self.packed.take() {
            crate::exporter::gzip::compress(self.encoded(), &mut packed);
            self.packed = Some(packed);
        }
    }

    #[cfg(not(feature = "gzip"))]
    fn pack(&self) {}

    /// What is posted.
    fn body(&self) -> &[u8] {
        #[cfg(feature = "gzip")]
        if let Some(packed) = &self.packed {
            return packed;
        }
        self.encoded()
    }

    fn encoded(&self) -> &[u8] {
        match self.format {
            Format::Protobuf => self.encoder.encoded(),
            Format::Json => &self.json,
        }
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
        match self.format {
            Format::Protobuf => self.encoder.encode(batch),
            Format::Json => {
                self.json.clear();
                json::request(batch, &mut self.json);
            }
        }
        self.pack();
        self.client
            .post(self.body(), spans, batch.deadline(), answer::outcome)
    }

    fn target(&self) -> String {
        self.client.target().to_owned()
    }

    fn component_type(&self) -> &'static str {
        match self.format {
            Format::Protobuf => "otlp_http_span_exporter",
            Format::Json => "otlp_http_json_span_exporter",
        }
    }
}
