//! Receivers that take spans over gRPC: the beginning of a connection, without a call.

use std::time::{Duration, Instant};

use super::exchange::{Call, Reply, status_line};
#[cfg(feature = "tls")]
use super::tls;
use super::{Probe, expects_tls, setting};
use crate::config::OtlpConfig;
use crate::exporter::http::Endpoint;
#[cfg(feature = "tls")]
use crate::exporter::tls::Tls;

/// How a client of HTTP/2 begins: the preface, and settings that change nothing.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

const USUAL: &str = "OTLP over gRPC is usually taken on port 4317";

/// Asks the receiver of OTLP over gRPC. Its credentials are checked by the test span.
pub(super) fn otlp(config: &OtlpConfig, limit: Duration) -> Probe {
    let url = &config.endpoint;
    let setting = setting(url.source, "OTEL_EXPORTER_OTLP_ENDPOINT", "with_endpoint");
    let probe = |target, answer, problems| Probe {
        exporter: "",
        target,
        answer,
        problems,
    };
    let endpoint = match Endpoint::new(url.value.as_str(), &[], "application/grpc") {
        Ok(endpoint) => endpoint,
        Err(problem) => return probe(url.value.to_string(), None, vec![problem]),
    };
    let began = Instant::now();
    let call = Call {
        uri: &endpoint.uri,
        setting: &setting,
        request: HELLO,
        // Files that cannot be used are among the bad settings.
        #[cfg(feature = "tls")]
        tls: &Tls::load(config).unwrap_or_default(),
        #[cfg(feature = "tls")]
        protocol: b"h2",
    };
    let target = endpoint.target().trim_end_matches('/').to_owned();
    match call.make(began + limit) {
        Ok(reply) => {
            let problem = judge(&reply, &target, &setting);
            let answer = reply.shown(began.elapsed());
            probe(target, answer, problem.into_iter().collect())
        }
        Err(problem) => probe(target, None, vec![problem]),
    }
}

/// What is wrong, and what to set.
fn judge(reply: &Reply, target: &str, setting: &str) -> Option<String> {
    Some(match reply {
        Reply::Http2 => return None,
        Reply::Http(reply) if reply.wants_tls() => expects_tls(target, setting),
        Reply::Http(reply) => format!(
            "{target} speaks HTTP/1.1 ({}): set `OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`, or set \
             {setting} to where gRPC is spoken ({USUAL})",
            status_line(reply.status)
        ),
        Reply::Tls => expects_tls(target, setting),
        Reply::Closed => format!(
            "{target} closes the connection without an answer: it may expect TLS (`https://`), or \
             {setting} names something else ({USUAL})"
        ),
        Reply::Other => format!("what answers at {target} is not gRPC: {USUAL}, check {setting}"),
        Reply::Silence => format!(
            "{target} takes the connection and does not answer in time: the receiver hangs, or \
             {setting} names something else ({USUAL})"
        ),
        #[cfg(feature = "tls")]
        Reply::Failed(error) => tls::explain(error, target, setting),
    })
}
