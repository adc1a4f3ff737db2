//! The client: limits for each phase of a request, and why one failed.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use http::Request;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;
use ureq::{Agent, Timeout};

use super::{Answer, Endpoint};
use crate::ExportError;
#[cfg(feature = "tls")]
use crate::exporter::tls::Tls;

/// More of an answer is not read.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// No attempt lasts longer; also keeps the sums of times in range when there is no limit.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(3600);

/// Posts batches to one endpoint.
#[derive(Debug)]
pub(crate) struct Client {
    endpoint: Endpoint,
    target: String,
    timeout: Duration,
    /// What else than HTTP may listen where an answer makes no sense.
    hint: fn(port: Option<u16>) -> Option<&'static str>,
    agent: Agent,
}

impl Client {
    /// Opens no connection; the first post does. No attempt takes longer than `timeout`.
    pub(crate) fn new(
        endpoint: Endpoint,
        timeout: Option<Duration>,
        hint: fn(port: Option<u16>) -> Option<&'static str>,
    ) -> Self {
        Self {
            target: endpoint.target(),
            endpoint,
            timeout: timeout.unwrap_or(LONGEST_ATTEMPT),
            hint,
            #[cfg(not(feature = "tls"))]
            agent: config().build().into(),
            #[cfg(feature = "tls")]
            agent: config().tls_config(Tls::default().http()).build().into(),
        }
    }

    /// Uses these certificates for `https://`.
    #[cfg(all(feature = "tls", feature = "otlp-http"))]
    pub(crate) fn with_tls(self, tls: &Tls) -> Self {
        Self {
            agent: config().tls_config(tls.http()).build().into(),
            ..self
        }
    }

    /// The URL, without credentials.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// Makes one attempt, which is over at the deadline, and lets `judge` say what the answer means.
    ///
    /// # Errors
    ///
    /// What `judge` says, or why there was no answer to judge.
    pub(crate) fn post(
        &self,
        body: &[u8],
        spans: u64,
        deadline: Instant,
        judge: impl FnOnce(&Answer<'_>) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = left.min(self.timeout).min(LONGEST_ATTEMPT);
        if left.is_zero() {
            let reason = "no time left for an attempt".to_owned();
            return Err(ExportError::Unreachable(reason));
        }
        let mut request = Request::post(self.endpoint.uri.clone())
            .body(body)
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
        judge(&Answer {
            status: answer.status(),
            headers: answer.headers(),
            body: &body,
            target: &self.target,
            spans,
        })
    }

    fn failure(&self, error: &ureq::Error, spans: u64) -> ExportError {
        match error {
            // Whoever answers something else than HTTP will not take the next attempt either.
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                let message = format!("no HTTP answer from {}", self.target);
                let message = with_hint(message, (self.hint)(None));
                ExportError::Rejected { spans, message }
            }
            error => ExportError::Unreachable(self.reason(error)),
        }
    }

    /// Why nobody answered, in words for a diagnostic.
    fn reason(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::HostNotFound => "host not found".to_owned(),
            ureq::Error::Timeout(Timeout::Connect) => "no connection in time".to_owned(),
            ureq::Error::Timeout(Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite) => {
                "connected, but the request was not read in time".to_owned()
            }
            ureq::Error::Timeout(_) => "connected, but no answer in time".to_owned(),
            ureq::Error::Io(error) => self.io_reason(error),
            error => error.to_string(),
        }
    }

    fn io_reason(&self, error: &std::io::Error) -> String {
        let said = match error.kind() {
            ErrorKind::ConnectionRefused => return "connection refused".to_owned(),
            ErrorKind::UnexpectedEof => "connection closed without an answer",
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "connection reset",
            _ => return error.to_string(),
        };
        // A server that speaks another protocol hangs up on what it does not understand.
        let port = self.endpoint.uri.port_u16();
        with_hint(
            said.to_owned(),
            port.and_then(|port| (self.hint)(Some(port))),
        )
    }
}

fn config() -> ConfigBuilder<AgentScope> {
    // The proxy variables of the environment are for the configuration to read.
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
}

fn with_hint(mut message: String, hint: Option<&str>) -> String {
    if let Some(hint) = hint {
        message.push_str("; ");
        message.push_str(hint);
    }
    message
}

/// How long each phase of a request may take.
///
/// A limit of the whole would make `ureq` resolve the host on a thread of its own for each request,
/// and limits of single reads alone let a receiver that drips hold us. So the time is shared out: the
/// shares sum up to it, and the phases where an absent or busy receiver shows get the most.
struct Phases {
    connect: Duration,
    send: Duration,
    receive_answer: Duration,
    receive_body: Duration,
    single_write: Duration,
    single_read: Duration,
}

impl Phases {
    fn of(left: Duration) -> Self {
        let share = |twentieths: u32| left * twentieths / 20;
        let steady = |twentieths: u32| rounded_down(left) * twentieths / 20;
        Self {
            connect: share(4),
            // Twice: for the head and for the body.
            send: share(3),
            receive_answer: share(9),
            receive_body: share(1),
            single_write: steady(3),
            single_read: steady(9),
        }
    }

    fn apply<'a>(
        &self,
        request: ureq::config::ConfigBuilder<ureq::typestate::HttpCrateScope<&'a [u8]>>,
    ) -> Request<&'a [u8]> {
        request
            .timeout_connect(Some(self.connect))
            .timeout_send_request(Some(self.send))
            .timeout_send_body(Some(self.send))
            .timeout_recv_response(Some(self.receive_answer))
            .timeout_recv_body(Some(self.receive_body))
            .timeout_per_write(Some(self.single_write))
            .timeout_per_read(Some(self.single_read))
            .build()
    }
}

/// A few percent less, and the same for times that hardly differ. `ureq` tells the kernel how long a
/// read or write may wait whenever that has changed, and what is left of a phase always has: a limit
/// of single reads and writes that is a little shorter spares three system calls a post.
fn rounded_down(time: Duration) -> Duration {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let step = 1_u64 << nanos.max(16).ilog2().saturating_sub(4);
    Duration::from_nanos((nanos / step).saturating_sub(1) * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_reads_and_writes_are_shorter_than_their_phases_and_steady() {
        for millis in [1, 200, 4_990, 5_000, 9_999, 10_000, 3_600_000] {
            let left = Duration::from_millis(millis);
            let phases = Phases::of(left);
            for (single, phase) in [
                (phases.single_write, phases.send),
                (phases.single_read, phases.receive_answer),
            ] {
                assert!(phase.mul_f64(0.85) < single && single < phase.mul_f64(0.99));
            }
            let sum = phases.connect + 2 * phases.send + phases.receive_answer;
            assert!(sum + phases.receive_body <= left);
        }
        let seconds = |seconds| rounded_down(Duration::from_secs_f64(seconds));
        assert_eq!(seconds(4.999), seconds(4.9));
        assert_eq!(rounded_down(Duration::ZERO), Duration::ZERO);
    }
}
