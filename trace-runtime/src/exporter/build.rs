//! The exporters that the configuration can name.

use super::Exporter;
use super::console::{Console, Style};
use super::file::File;
use crate::config::{Config, ExporterChoice, Lookup};
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
        #[cfg(feature = "otlp-http")]
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

#[cfg(feature = "otlp-http")]
fn otlp(config: &Config) -> Result<Box<dyn Exporter>, Diagnostic> {
    use super::otlp::{Format, OtlpHttp, OtlpHttpSettings};
    use crate::config::OtlpProtocol;
    let headers = config.otlp.headers.value.iter();
    let settings = OtlpHttpSettings {
        endpoint: config.otlp.endpoint.value.as_str().to_owned(),
        headers: headers
            .map(|(name, value)| (name.clone(), value.0.clone()))
            .collect(),
        timeout: config.otlp.timeout.value,
        format: match config.otlp.protocol.value {
            OtlpProtocol::HttpJson => Format::Json,
            OtlpProtocol::HttpProtobuf | OtlpProtocol::Grpc => Format::Protobuf,
        },
        #[cfg(feature = "gzip")]
        gzip: config.otlp.compression.value == crate::config::Compression::Gzip,
        #[cfg(feature = "tls")]
        tls: super::tls::Tls::load(&config.otlp)?,
    };
    match OtlpHttp::new(settings) {
        Ok(exporter) => Ok(Box::new(exporter)),
        Err(message) => Err(Diagnostic::error(message)),
    }
}
