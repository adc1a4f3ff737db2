//! Receivers that take spans over HTTP: one request without spans.

use std::time::{Duration, Instant, SystemTime};

use super::exchange::{Call, HttpReply, Reply, status_line};
#[cfg(feature = "tls")]
use super::tls;
use super::{Probe, expects_tls, setting};
#[cfg(feature = "jaeger")]
use crate::config::JaegerConfig;
#[cfg(feature = "otlp-http")]
use crate::config::{OtlpConfig, OtlpProtocol};
use crate::exporter::http::Endpoint;
use crate::exporter::http::retry_after::http_date;
#[cfg(feature = "tls")]
use crate::exporter::tls::Tls;

/// Clocks that differ by less are not worth a word: an answer's date has whole seconds.
const TOLERATED_SKEW: Duration = Duration::from_secs(5);

/// Whom we ask.
struct Receiver<'a> {
    endpoint: Endpoint,
    target: String,
    known: Known<'a>,
}

/// What we ask, and what to say about the answers.
struct Known<'a> {
    /// The settings of the endpoint and of the credentials, in backticks.
    setting: &'a str,
    credentials: &'a str,
    /// What chooses the format, in backticks.
    format: &'a str,
    /// Where such spans are usually taken, and where gRPC is spoken.
    usual_place: &'a str,
    grpc_ports: &'a [u16],
    body: &'a str,
    #[cfg(feature = "tls")]
    tls: Tls,
}

/// Asks the receiver of OTLP over HTTP.
#[cfg(feature = "otlp-http")]
pub(super) fn otlp(config: &OtlpConfig, limit: Duration) -> Probe {
    let headers = config.headers.value.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.clone(), value.0.clone()))
        .collect();
    let (content_type, body) = match config.protocol.value {
        OtlpProtocol::HttpJson => ("application/json", "{}"),
        OtlpProtocol::HttpProtobuf | OtlpProtocol::Grpc => ("application/x-protobuf", ""),
    };
    let url = &config.endpoint;
    let known = Known {
        setting: &setting(url.source, "OTEL_EXPORTER_OTLP_ENDPOINT", "with_endpoint"),
        credentials: "`OTEL_EXPORTER_OTLP_HEADERS`, such as `authorization=Bearer%20<token>`",
        format: "`OTEL_EXPORTER_OTLP_PROTOCOL`",
        usual_place: "OTLP over HTTP is usually taken on port 4318 at `/v1/traces`",
        grpc_ports: &[4317],
        body,
        // Files that cannot be used are among the bad settings.
        #[cfg(feature = "tls")]
        tls: Tls::load(config).unwrap_or_default(),
    };
    let endpoint = Endpoint::new(url.value.as_str(), &headers, content_type);
    ask(endpoint, known, &url.value.to_string(), limit)
}

/// Asks a Jaeger collector.
#[cfg(feature = "jaeger")]
pub(super) fn jaeger(config: &JaegerConfig, limit: Duration) -> Probe {
    let url = &config.endpoint;
    let known = Known {
        setting: &setting(url.source, "JAEGER_ENDPOINT", ""),
        credentials: "`JAEGER_USER` and `JAEGER_PASSWORD`, or `JAEGER_AUTH_TOKEN`",
        format: "`OTEL_TRACES_EXPORTER`",
        usual_place: "a collector takes Thrift over HTTP on port 14268 at `/api/traces`",
        grpc_ports: &[4317, 14_250],
        body: "",
        #[cfg(feature = "tls")]
        tls: Tls::default(),
    };
    let endpoint = crate::exporter::jaeger::collector_endpoint(config);
    ask(endpoint, known, &url.value.to_string(), limit)
}

fn ask(endpoint: Result<Endpoint, String>, known: Known<'_>, url: &str, limit: Duration) -> Probe {
    match endpoint {
        Ok(endpoint) => Receiver {
            target: endpoint.target(),
            endpoint,
            known,
        }
        .probe(limit),
        Err(problem) => Probe {
            exporter: "",
            target: url.to_owned(),
            answer: None,
            problems: vec![problem],
        },
    }
}

impl Receiver<'_> {
    fn probe(&self, limit: Duration) -> Probe {
        let began = Instant::now();
        let uri = &self.endpoint.uri;
        let call = Call {
            uri,
            setting: self.known.setting,
            request: &self.request(),
            #[cfg(feature = "tls")]
            tls: &self.known.tls,
            #[cfg(feature = "tls")]
            protocol: b"http/1.1",
        };
        let (answer, problems) = match call.make(began + limit) {
            Ok(reply) => (
                reply.shown(began.elapsed()),
                self.judge(&reply, uri.port_u16()),
            ),
            Err(problem) => (None, vec![problem]),
        };
        Probe {
            exporter: "",
            target: self.target.clone(),
            answer,
            problems,
        }
    }

    fn request(&self) -> Vec<u8> {
        let uri = &self.endpoint.uri;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let mut request = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
        for (name, value) in &self.endpoint.headers {
            request.extend_from_slice(name.as_str().as_bytes());
            request.extend_from_slice(b": ");
            request.extend_from_slice(value.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        let (length, body) = (self.known.body.len(), self.known.body);
        let end = format!("content-length: {length}\r\nconnection: close\r\n\r\n{body}");
        request.extend_from_slice(end.as_bytes());
        request
    }

    /// What is wrong, and what to set.
    fn judge(&self, reply: &Reply, port: Option<u16>) -> Vec<String> {
        let (target, setting) = (&self.target, self.known.setting);
        let usual = self.known.usual_place;
        let problem = match reply {
            Reply::Http(reply) => {
                let date = reply.header("date").and_then(|date| skew(date, target));
                return self.judge_status(reply).into_iter().chain(date).collect();
            }
            Reply::Http2 => self.grpc(),
            // A server of gRPC may hang up on what it does not understand.
            Reply::Closed if port.is_some_and(|port| self.known.grpc_ports.contains(&port)) => {
                self.grpc()
            }
            Reply::Tls => self.tls(),
            Reply::Closed => format!(
                "{target} closes the connection without an answer: {usual}, check {setting}"
            ),
            Reply::Other => {
                format!("what answers at {target} is not HTTP: {usual}, set {setting} to it")
            }
            #[cfg(feature = "tls")]
            Reply::Failed(error) => tls::explain(error, target, setting),
            Reply::Silence => format!(
                "{target} takes the connection and does not answer in time: the receiver hangs, or \
                 {setting} names something else ({usual})"
            ),
        };
        vec![problem]
    }

    fn grpc(&self) -> String {
        let (target, setting) = (&self.target, self.known.setting);
        let usual = self.known.usual_place;
        format!("{target} speaks gRPC: {usual}, set {setting} to it")
    }

    fn tls(&self) -> String {
        expects_tls(&self.target, self.known.setting)
    }

    fn judge_status(&self, reply: &HttpReply) -> Option<String> {
        let (target, setting) = (&self.target, self.known.setting);
        let (status, usual) = (status_line(reply.status), self.known.usual_place);
        Some(match reply.status {
            200..=299 if !is_web_page(reply) => return None,
            200..=299 => format!("{target} answers with a web page: {usual}, check {setting}"),
            300..=399 => {
                let location = reply.header("location").unwrap_or_default();
                let location = location.split('?').next().unwrap_or_default();
                format!(
                    "{target} redirects ({status}), which is not followed: set {setting} to `{location}`"
                )
            }
            401 | 403 => format!(
                "{target} refuses the credentials ({status}): check {}",
                self.known.credentials
            ),
            404 | 405 => {
                format!("{target} does not take spans ({status}): {usual}, check {setting}")
            }
            415 => format!(
                "{target} does not take this format ({status}): try another {}",
                self.known.format
            ),
            429 | 502..=504 => {
                format!("{target} is there, but takes nothing now ({status}): look at its own log")
            }
            500..=599 => format!("{target} fails ({status}): look at its own log"),
            400 if reply.wants_tls() => self.tls(),
            // A request without spans may be refused; the test span tells.
            _ => return None,
        })
    }
}

fn is_web_page(reply: &HttpReply) -> bool {
    let kind = reply.header("content-type").unwrap_or_default();
    kind.trim_start().starts_with("text/html")
}

/// A clock that is wrong puts our spans where nobody looks for them.
fn skew(date: &str, target: &str) -> Option<String> {
    let there = SystemTime::UNIX_EPOCH + Duration::from_secs(http_date(date.trim())?);
    let here = SystemTime::now();
    let (by, word) = match here.duration_since(there) {
        Ok(by) => (by, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    (by > TOLERATED_SKEW).then(|| {
        format!(
            "the clock of this machine is {} s {word} that of {target}: set the clocks by NTP, or \
             traces are shown at the wrong time",
            by.as_secs()
        )
    })
}
