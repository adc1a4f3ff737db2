//! Exports to a collector: one post per batch.

use std::time::Duration;

use super::Binary;
use super::batch::Frame;
use super::span::Encoder;
use super::thrift::Structs;
use crate::exporter::http::endpoint::base64;
use crate::exporter::http::{Answer, Client, Endpoint};
use crate::{Batch, ExportError, Exporter};

/// What the configuration says about a collector.
#[derive(Clone, Debug)]
pub(super) struct CollectorSettings {
    /// Posted to as written; its user-info is used for Basic authentication.
    pub(super) endpoint: String,
    pub(super) credentials: Option<Credentials>,
    /// How long one attempt may take, `None` for as long as the batch allows.
    pub(super) timeout: Option<Duration>,
}

impl CollectorSettings {
    /// # Errors
    ///
    /// What is wrong with the endpoint or the credentials.
    pub(super) fn endpoint(&self) -> Result<Endpoint, String> {
        let authorization = self.credentials.iter();
        let headers: Vec<_> = authorization
            .map(|credentials| ("authorization".to_owned(), credentials.header()))
            .collect();
        let content_type = "application/vnd.apache.thrift.binary";
        Endpoint::new(&self.endpoint, &headers, content_type)
    }
}

/// Who we are.
#[derive(Clone)]
pub(super) enum Credentials {
    Basic { user: String, password: String },
    Bearer(String),
}

impl Credentials {
    fn header(&self) -> String {
        match self {
            Self::Basic { user, password } => {
                format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
            }
            Self::Bearer(token) => format!("Bearer {token}"),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Posts spans to a collector.
#[derive(Debug)]
pub(super) struct Collector {
    client: Client,
    encoder: Encoder,
    frame: Frame,
    spans: Structs,
    span: Vec<u8>,
    body: Vec<u8>,
}

impl Collector {
    /// Opens no connection; the first batch does.
    ///
    /// # Errors
    ///
    /// What is wrong with the endpoint or the credentials.
    // By value, like every exporter's settings: what holds credentials is not kept by the caller.
    #[expect(clippy::needless_pass_by_value)]
    pub(super) fn new(settings: CollectorSettings) -> Result<Self, String> {
        let endpoint = settings.endpoint()?;
        Ok(Self {
            client: Client::new(endpoint, settings.timeout, hint),
            encoder: Encoder::default(),
            frame: Frame::default(),
            spans: Structs::default(),
            span: Vec::new(),
            body: Vec::new(),
        })
    }
}

/// Whoever answers something else than HTTP, or on a port that is known for it.
fn hint(port: Option<u16>) -> Option<&'static str> {
    let known = port.is_none_or(|port| matches!(port, 14_250 | 4317));
    known.then_some("this port may speak gRPC, a collector takes Thrift over HTTP on 14268")
}

impl Exporter for Collector {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        let spans = batch.spans().len() as u64;
        if spans == 0 {
            return Ok(());
        }
        self.spans.clear();
        for span in batch.spans() {
            self.span.clear();
            self.encoder.span::<Binary>(&mut self.span, &span);
            self.spans.push_encoded(&self.span);
        }
        self.frame.set_resource::<Binary>(batch.resource());
        self.frame.stats.full_queue_dropped = batch.dropped_queue_full();
        self.frame
            .write_batch::<Binary>(&mut self.body, &self.spans);
        let result = self
            .client
            .post(&self.body, spans, batch.deadline(), outcome);
        match &result {
            Ok(()) => self.frame.sequence += 1,
            Err(ExportError::Rejected { spans, .. }) => self.frame.stats.failed_to_emit += spans,
            Err(_) => {}
        }
        result
    }

    fn target(&self) -> String {
        self.client.target().to_owned()
    }
}

/// What the collector's answer means for the batch.
fn outcome(answer: &Answer<'_>) -> Result<(), ExportError> {
    match answer.status.as_u16() {
        // Jaeger's own query service answers any path with a page.
        200..=299 if !answer.is_web_page() => Ok(()),
        429 | 500..=599 => Err(answer.retry(&answer.said())),
        _ => Err(answer.rejected(&answer.said(), mistake(answer))),
    }
}

/// What is probably wrong.
fn mistake(answer: &Answer<'_>) -> Option<String> {
    Some(match answer.status.as_u16() {
        300..=399 => answer.redirect_hint(),
        401 | 403 => "check `JAEGER_USER` and `JAEGER_PASSWORD`, or `JAEGER_AUTH_TOKEN`".to_owned(),
        413 => "a smaller `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` may help".to_owned(),
        200..=299 | 404 | 405 => {
            "a collector takes Thrift on port 14268 at the path `/api/traces`".to_owned()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporter::http::server::{Server, answer};
    use crate::exporter::samples::{batch, closed_port, plain_records, some_resource};

    fn collector(endpoint: String, credentials: Option<Credentials>) -> Collector {
        let settings = CollectorSettings {
            endpoint,
            credentials,
            timeout: None,
        };
        Collector::new(settings).unwrap()
    }

    fn outcome_of(status: &str, headers: &[&str], body: &[u8]) -> Result<(), ExportError> {
        let server = Server::answering(answer(status, headers, body));
        let mut collector = collector(format!("http://{}/api/traces", server.address), None);
        collector.export(&batch(&some_resource(), &plain_records(2)))
    }

    #[test]
    fn answers_mean_what_they_say() {
        for status in ["202 Accepted", "200 OK", "204 No Content"] {
            assert_eq!(outcome_of(status, &[], b""), Ok(()), "{status}");
        }
        for (status, headers, after) in [
            ("429 Too Many Requests", &["Retry-After: 3"][..], Some(3)),
            ("500 Internal Server Error", &[], None),
            ("503 Service Unavailable", &[], None),
        ] {
            match outcome_of(status, headers, b"busy") {
                Err(ExportError::Retry {
                    after: asked,
                    message,
                }) => {
                    assert_eq!(asked, after.map(Duration::from_secs));
                    assert_eq!(message, format!("HTTP {status}: busy"));
                }
                other => panic!("{status}: {other:?}"),
            }
        }
        for (status, headers, hint) in [
            ("400 Bad Request", &[][..], ": why"),
            ("401 Unauthorized", &[], "check `JAEGER_USER`"),
            (
                "404 Not Found",
                &[],
                "on port 14268 at the path `/api/traces`",
            ),
            ("200 OK", &["Content-Type: text/html"], "on port 14268"),
            (
                "302 Found",
                &["Location: https://other/"],
                "send to `https://other/`",
            ),
            ("413 Payload Too Large", &[], "MAX_EXPORT_BATCH_SIZE"),
        ] {
            match outcome_of(status, headers, b"why") {
                Err(ExportError::Rejected { spans: 2, message }) => {
                    assert!(message.contains(hint), "{message}");
                }
                other => panic!("{status}: {other:?}"),
            }
        }
    }

    #[test]
    fn configured_credentials_win_over_those_in_the_url() {
        let server = Server::answering(answer("202 Accepted", &[], b""));
        let url = format!("http://other:secret@{}/api/traces", server.address);
        let credentials = Credentials::Basic {
            user: "ann".to_owned(),
            password: "s3cret".to_owned(),
        };
        let mut collector = collector(url, Some(credentials));
        let shown = format!("{collector:?} {}", collector.target());
        assert!(!shown.contains("cret") && !shown.contains("c2"), "{shown}");
        let result = collector.export(&batch(&some_resource(), &plain_records(1)));
        assert_eq!(result, Ok(()));
        let head = server.received.recv().unwrap().head;
        let line = "authorization: Basic YW5uOnMzY3JldA==";
        assert!(head.lines().any(|have| have == line), "{head}");
    }

    #[test]
    fn a_closed_port_is_unreachable() {
        let (_taken, address) = closed_port();
        let url = format!("http://{address}/");
        let result = collector(url, None).export(&batch(&some_resource(), &plain_records(1)));
        let reason = "connection refused".to_owned();
        assert_eq!(result, Err(ExportError::Unreachable(reason)));
    }
}
