//! The exporters that the configuration can name.

use super::Exporter;
use super::console::{Console, Style};
use super::file::File;
#[cfg(feature = "otlp-http")]
use super::otlp::{Format, OtlpHttp, OtlpHttpSettings};
#[cfg(feature = "otlp-grpc")]
use super::otlp::{OtlpGrpc, OtlpGrpcSettings};
#[cfg(all(feature = "tls", any(feature = "otlp-http", feature = "otlp-grpc")))]
use super::tls::Tls;
#[cfg(all(feature = "gzip", any(feature = "otlp-http", feature = "otlp-grpc")))]
use crate::config::Compression;
use crate::config::{Config, ExporterChoice, Lookup};
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
use crate::config::{OtlpConfig, OtlpProtocol};
use crate::diagnostics::Diagnostic;

/// The exporter for a choice of the configuration.
///
/// # Errors
///
/// Why it cannot work.
pub(crate) fn build(
    choice: ExporterChoice,
    config: &Config,
    lookup: &Lookup<'_>,
) -> Result<Box<dyn Exporter>, Diagnostic> {
    match choice {
        #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
        ExporterChoice::Otlp => otlp(config),
        #[cfg(feature = "jaeger")]
        ExporterChoice::Jaeger(protocol) => {
            super::jaeger::build(protocol, &config.jaeger).map_err(Diagnostic::error)
        }
        ExporterChoice::File => file(config),
        ExporterChoice::Console => Ok(Box::new(Console::stderr(
            Style::of_stderr(lookup),
            config.batch.schedule_delay.value,
        ))),
        // The configuration keeps only exporters that this build can make.
        #[allow(unreachable_patterns)]
        choice => Err(Diagnostic::error(format!(
            "exporter {choice:?} is not part of this build"
        ))),
    }
}

fn file(config: &Config) -> Result<Box<dyn Exporter>, Diagnostic> {
    match &config.own.file.value {
        Some(path) => Ok(Box::new(File::new(path.clone()))),
        None => Err(Diagnostic::error("exporter `file` needs `TRACED_FILE`")),
    }
}

#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
fn otlp(config: &Config) -> Result<Box<dyn Exporter>, Diagnostic> {
    match config.otlp.protocol.value {
        #[cfg(feature = "otlp-grpc")]
        OtlpProtocol::Grpc => otlp_grpc(&config.otlp),
        #[cfg(feature = "otlp-http")]
        OtlpProtocol::HttpJson => otlp_http(&config.otlp, Format::Json),
        #[cfg(feature = "otlp-http")]
        OtlpProtocol::HttpProtobuf => otlp_http(&config.otlp, Format::Protobuf),
        // The configuration keeps only protocols that this build can speak.
        #[allow(unreachable_patterns)]
        protocol => Err(Diagnostic::error(format!(
            "protocol {protocol:?} is not part of this build"
        ))),
    }
}

#[cfg(feature = "otlp-http")]
fn otlp_http(config: &OtlpConfig, format: Format) -> Result<Box<dyn Exporter>, Diagnostic> {
    let settings = OtlpHttpSettings {
        endpoint: config.endpoint.value.as_str().to_owned(),
        headers: headers(config),
        timeout: config.timeout.value,
        format,
        #[cfg(feature = "gzip")]
        gzip: config.compression.value == Compression::Gzip,
        #[cfg(feature = "tls")]
        tls: Tls::load(config)?,
    };
    match OtlpHttp::new(settings) {
        Ok(exporter) => Ok(Box::new(exporter)),
        Err(message) => Err(Diagnostic::error(message)),
    }
}

#[cfg(feature = "otlp-grpc")]
fn otlp_grpc(config: &OtlpConfig) -> Result<Box<dyn Exporter>, Diagnostic> {
    let settings = OtlpGrpcSettings {
        endpoint: config.endpoint.value.as_str().to_owned(),
        headers: headers(config),
        timeout: config.timeout.value,
        #[cfg(feature = "gzip")]
        gzip: config.compression.value == Compression::Gzip,
        #[cfg(feature = "tls")]
        tls: Tls::load(config)?,
    };
    match OtlpGrpc::new(&settings) {
        Ok(exporter) => Ok(Box::new(exporter)),
        Err(message) => Err(Diagnostic::error(message)),
    }
}

#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
fn headers(config: &OtlpConfig) -> Vec<(String, String)> {
    let headers = config.headers.value.iter();
    headers
        .map(|(name, value)| (name.clone(), value.0.clone()))
        .collect()
}
