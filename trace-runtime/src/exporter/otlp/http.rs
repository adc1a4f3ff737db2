//! The transport: one POST per batch on a connection that is kept open.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use http::{Request, Uri};
use ureq::{Agent, Timeout};

use super::answer::Answer;
use super::encode::Encoder;
use super::endpoint::Endpoint;
use crate::exporter::json;
use crate::{Batch, ExportError, Exporter};

/// More of an answer is not read.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// No attempt lasts longer; also keeps the sums of times in range when there is no limit.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(3600);

/// How batches are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Protobuf,
    Json,
}

impl Format {
    pub(super) fn media_type(self) -> &'static str {
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
}

/// Exports over HTTP.
#[derive(Debug)]
pub(crate) struct OtlpHttp {
    endpoint: Endpoint,
    target: String,
    timeout: Duration,
    format: Format,
    agent: Agent,
    encoder: Encoder,
    body: Vec<u8>,
}

impl OtlpHttp {
    /// Opens no connection; the first batch does.
    ///
    /// # Errors
    ///
    /// What is wrong with the endpoint or the headers.
    pub(crate) fn new(settings: OtlpHttpSettings) -> Result<Self, String> {
        let endpoint = Endpoint::new(&settings.endpoint, &settings.headers, settings.format)?;
        // The proxy variables of the environment are for the configuration to read.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .build();
        Ok(Self {
            target: endpoint.target(),
            endpoint,
            timeout: settings.timeout.unwrap_or(LONGEST_ATTEMPT),
            format: settings.format,
            agent: config.into(),
            encoder: Encoder::default(),
            body: Vec::new(),
        })
    }

    fn post(&self, spans: u64, left: Duration) -> Result<(), ExportError> {
        let mut request = Request::post(self.endpoint.uri.clone())
            .body(self.body.as_slice())
            .map_err(|error| ExportError::Unreachable(error.to_string()))?;
        *request.headers_mut() = self.endpoint.headers.clone();
        let request = Phases::of(left).apply(self.agent.configure_request(request));
        let answer = self.agent.run(request);
        let mut answer = answer.map_err(|error| self.failure(&error, spans))?;

        let mut body = Vec::new();
        // The status is what counts: a body that breaks off makes no failure of a success.
        let _ = answer
            .body_mut()
            .as_reader()
            .take(ANSWER_LIMIT)
            .read_to_end(&mut body);
        Answer {
            status: answer.status(),
            headers: answer.headers(),
            body: &body,
            uri: &self.endpoint.uri,
            target: &self.target,
            spans,
        }
        .outcome()
    }

    fn failure(&self, error: &ureq::Error, spans: u64) -> ExportError {
        match error {
            // Whoever answers something else than HTTP will not take the next attempt either.
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                let message = format!("no HTTP answer from {}; {GRPC_HINT}", self.target);
                ExportError::Rejected { spans, message }
            }
            error => ExportError::Unreachable(reason(error, &self.endpoint.uri)),
        }
    }
}

impl Exporter for OtlpHttp {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        let spans = batch.spans().len() as u64;
        if spans == 0 {
            return Ok(());
        }
        match self.format {
            Format::Protobuf => self.encoder.encode(batch, &mut self.body),
            Format::Json => {
                self.body.clear();
                json::request(batch, &mut self.body);
            }
        }
        let left = batch.deadline().saturating_duration_since(Instant::now());
        let left = left.min(self.timeout).min(LONGEST_ATTEMPT);
        if left.is_zero() {
            let reason = "no time left for an attempt".to_owned();
            return Err(ExportError::Unreachable(reason));
        }
        self.post(spans, left)
    }

    fn target(&self) -> String {
        self.target.clone()
    }
}

/// How long each phase of a request may take.
///
/// A limit of the whole would make `ureq` resolve the host on a thread of its own for each request,
/// and limits of single reads let a receiver that drips hold us. So the time is shared out: the
/// shares sum up to it, and the phases where an absent or busy receiver shows get the most.
struct Phases {
    connect: Duration,
    send_request: Duration,
    send_body: Duration,
    receive_answer: Duration,
    receive_body: Duration,
}

impl Phases {
    fn of(left: Duration) -> Self {
        let share = |twentieths: u32| left * twentieths / 20;
        Self {
            connect: share(5),
            send_request: share(1),
            send_body: share(3),
            receive_answer: share(10),
            receive_body: share(1),
        }
    }

    fn apply<'a>(
        &self,
        request: ureq::config::ConfigBuilder<ureq::typestate::HttpCrateScope<&'a [u8]>>,
    ) -> Request<&'a [u8]> {
        request
            .timeout_connect(Some(self.connect))
            .timeout_send_request(Some(self.send_request))
            .timeout_send_body(Some(self.send_body))
            .timeout_recv_response(Some(self.receive_answer))
            .timeout_recv_body(Some(self.receive_body))
            .build()
    }
}

const GRPC_HINT: &str = "this port may speak gRPC, OTLP over HTTP is usually on 4318";

/// Why nobody answered, in words for a diagnostic.
fn reason(error: &ureq::Error, uri: &Uri) -> String {
    let closed = "connection closed without an answer";
    match error {
        ureq::Error::HostNotFound => "host not found".to_owned(),
        ureq::Error::Timeout(Timeout::Connect) => "no connection in time".to_owned(),
        ureq::Error::Timeout(Timeout::SendRequest | Timeout::SendBody) => {
            "connected, but the request was not read in time".to_owned()
        }
        ureq::Error::Timeout(_) => "connected, but no answer in time".to_owned(),
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            // A gRPC server hangs up on what it does not understand.
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                if uri.port_u16() == Some(4317) =>
            {
                format!("{closed}; {GRPC_HINT}")
            }
            ErrorKind::UnexpectedEof => closed.to_owned(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "connection reset".to_owned(),
            _ => error.to_string(),
        },
        error => error.to_string(),
    }
}
