//! Whether the receivers answer, and what their answers mean.

#[cfg(feature = "jaeger")]
mod agent;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc", feature = "jaeger"))]
mod connect;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc", feature = "jaeger"))]
mod exchange;
#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(any(feature = "otlp-http", feature = "jaeger"))]
mod http;
#[cfg(all(
    feature = "tls",
    any(feature = "otlp-http", feature = "otlp-grpc", feature = "jaeger")
))]
mod tls;

use std::fmt;
use std::time::Duration;

use super::Config;
use super::json::exporter_name;
use crate::config::ExporterChoice;
#[cfg(feature = "jaeger")]
use crate::config::JaegerProtocol;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
use crate::config::OtlpProtocol;

/// What was found on the way to one receiver.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) exporter: &'static str,
    /// Without credentials.
    pub(super) target: String,
    /// What came back, if anything did.
    pub(super) answer: Option<String>,
    /// What was found and what to set, one sentence each.
    pub(super) problems: Vec<String>,
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = self.answer.as_deref().unwrap_or("not reached");
        write!(f, "{} to {}: {answer}", self.exporter, self.target)?;
        for problem in &self.problems {
            write!(f, "\n  problem: {problem}")?;
        }
        Ok(())
    }
}

/// Asks the receiver of each exporter that has one.
pub(super) fn all(config: &Config, limit: Duration) -> Vec<Probe> {
    let chosen = config.exporters.value.iter();
    chosen
        .filter_map(|choice| {
            let probe = one(*choice, config, limit)?;
            Some(Probe {
                exporter: exporter_name(*choice),
                ..probe
            })
        })
        .collect()
}

#[cfg_attr(
    not(any(feature = "otlp-http", feature = "otlp-grpc", feature = "jaeger")),
    expect(unused_variables)
)]
fn one(choice: ExporterChoice, config: &Config, limit: Duration) -> Option<Probe> {
    match choice {
        #[cfg(feature = "otlp-http")]
        ExporterChoice::Otlp if config.otlp.protocol.value != OtlpProtocol::Grpc => {
            Some(http::otlp(&config.otlp, limit))
        }
        #[cfg(feature = "otlp-grpc")]
        ExporterChoice::Otlp if config.otlp.protocol.value == OtlpProtocol::Grpc => {
            Some(grpc::otlp(&config.otlp, limit))
        }
        #[cfg(feature = "jaeger")]
        ExporterChoice::Jaeger(JaegerProtocol::HttpThrift) => {
            Some(http::jaeger(&config.jaeger, limit))
        }
        #[cfg(feature = "jaeger")]
        ExporterChoice::Jaeger(JaegerProtocol::UdpCompact | JaegerProtocol::UdpBinary) => {
            Some(agent::probe(&config.jaeger, limit))
        }
        // The configuration keeps only exporters that this build can make, and the others write to
        // a place where the test span tells all there is to say.
        _ => None,
    }
}

/// What to set instead of a setting, in backticks.
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc", feature = "jaeger"))]
fn setting(source: crate::config::Source, default: &str, code: &str) -> String {
    use crate::config::Source;
    match source {
        Source::Variable(name) => format!("`{name}`"),
        Source::Code => format!("`{code}`"),
        Source::Default => format!("`{default}`"),
    }
}

/// The answer of a server that was not spoken to by TLS.
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc", feature = "jaeger"))]
fn expects_tls(target: &str, setting: &str) -> String {
    let feature = if crate::config::Features::BUILT.tls {
        ""
    } else {
        ", and add feature `tls` of `trace-runtime`"
    };
    format!("{target} expects TLS: write `https://` in {setting}{feature}")
}
