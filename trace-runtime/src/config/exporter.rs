//! Which exporters.

use super::features::Features;
use super::jaeger::{self, JaegerClient, JaegerConfig, JaegerProtocol};
use super::otlp::{self, OtlpConfig, OtlpProtocol};
use super::reader::Reader;
use super::setting::{Render, Setting, Source};
use super::value::{self, Word};
use super::{Lookup, Overrides, reader};
use crate::diagnostics::Diagnostic;

pub(super) const VARIABLE: &str = "OTEL_TRACES_EXPORTER";

/// An exporter to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExporterChoice {
    Otlp,
    Jaeger(JaegerProtocol),
    Console,
    File,
}

impl Render for ExporterChoice {
    fn render(&self) -> String {
        match self {
            ExporterChoice::Otlp => "otlp".to_owned(),
            ExporterChoice::Jaeger(protocol) => format!("jaeger ({})", protocol.name()),
            ExporterChoice::Console => "console".to_owned(),
            ExporterChoice::File => "file".to_owned(),
        }
    }
}

/// The words of `OTEL_TRACES_EXPORTER`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Exporter {
    Otlp,
    Jaeger,
    Console,
    File,
}

impl Word for Exporter {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("otlp", Exporter::Otlp),
        ("jaeger", Exporter::Jaeger),
        ("console", Exporter::Console),
        ("file", Exporter::File),
        ("logging", Exporter::Console),
    ];
}

/// Whether the environment says where spans go, so that a tracer may start without being asked to.
pub(crate) fn names_destination(lookup: &Lookup<'_>) -> bool {
    match lookup(VARIABLE).filter(|text| !text.trim().is_empty()) {
        Some(text) => !text.trim().eq_ignore_ascii_case("none"),
        None => otlp::variables()
            .chain(jaeger::OTEL_VARIABLES)
            .chain(jaeger::DESTINATIONS)
            .any(|name| reader::is_set(lookup, name)),
    }
}

pub(super) fn resolve(
    reader: &mut Reader<'_>,
    overrides: &Overrides,
    jaeger: &JaegerConfig,
) -> Setting<Vec<ExporterChoice>> {
    let protocol = jaeger.protocol.value;
    // Read even if code wins, so that a bad value is reported.
    let variable = read_variable(reader, protocol);
    let code = in_code(overrides, protocol);
    let chosen = if !code.is_empty() {
        if let Some(variable) = &variable {
            warn_about_code(reader, variable, &code);
        }
        Setting::new(code, Source::Code)
    } else if let Some(exporters) = variable {
        Setting::new(exporters, Source::Variable(VARIABLE))
    } else {
        by_other_variables(reader, overrides, protocol)
    };
    warn_about_ignored(reader, &chosen);
    chosen
}

fn in_code(overrides: &Overrides, protocol: JaegerProtocol) -> Vec<ExporterChoice> {
    let mut exporters = Vec::new();
    if overrides.endpoint.is_some() {
        exporters.push(ExporterChoice::Otlp);
    }
    if overrides.agent.is_some() {
        exporters.push(ExporterChoice::Jaeger(protocol));
    }
    exporters
}

/// A bad value gives no exporter at all: silence beats the wrong place.
fn read_variable(reader: &mut Reader<'_>, protocol: JaegerProtocol) -> Option<Vec<ExporterChoice>> {
    if !reader.is_set(VARIABLE) {
        return None;
    }
    let text = reader.text(VARIABLE).unwrap_or_default();
    match value::word_list(&text) {
        Ok(words) => Some(
            words
                .into_iter()
                .map(|word| match word {
                    Exporter::Otlp => ExporterChoice::Otlp,
                    Exporter::Jaeger => ExporterChoice::Jaeger(protocol),
                    Exporter::Console => ExporterChoice::Console,
                    Exporter::File => ExporterChoice::File,
                })
                .collect(),
        ),
        Err(accepted) => {
            if !text.is_empty() {
                reader.bad(
                    VARIABLE,
                    &text,
                    format!("{accepted}; no spans are exported"),
                );
            }
            Some(Vec::new())
        }
    }
}

fn by_other_variables(
    reader: &Reader<'_>,
    overrides: &Overrides,
    protocol: JaegerProtocol,
) -> Setting<Vec<ExporterChoice>> {
    if let Some(variable) = otel_variable(reader) {
        return Setting::new(vec![ExporterChoice::Otlp], Source::Variable(variable));
    }
    if let Some(variable) = reader.first_set(&jaeger::DESTINATIONS) {
        let exporters = vec![ExporterChoice::Jaeger(protocol)];
        return Setting::new(exporters, Source::Variable(variable));
    }
    if overrides.has_exporter || overrides.default_exporter {
        return Setting::new(Vec::new(), Source::Code);
    }
    Setting::new(vec![ExporterChoice::Otlp], Source::Default)
}

fn otel_variable(reader: &Reader<'_>) -> Option<&'static str> {
    otlp::variables()
        .chain(jaeger::OTEL_VARIABLES)
        .find(|name| reader.is_set(name))
}

fn warn_about_code(
    reader: &mut Reader<'_>,
    variable: &Vec<ExporterChoice>,
    code: &Vec<ExporterChoice>,
) {
    if variable != code {
        let message = format!("is ignored: code chooses `{}`", code.render());
        reader.report(Diagnostic::warning(message).found(VARIABLE, &variable.render()));
    }
}

/// Warns when a Jaeger destination is set that the chosen exporters do not use.
fn warn_about_ignored(reader: &mut Reader<'_>, chosen: &Setting<Vec<ExporterChoice>>) {
    let Source::Variable(winner) = chosen.source else {
        return;
    };
    let uses_jaeger = |choice: &ExporterChoice| matches!(choice, ExporterChoice::Jaeger(_));
    if chosen.value.iter().any(uses_jaeger) {
        return;
    }
    let ignored = reader
        .first_set(&jaeger::OTEL_VARIABLES)
        .or_else(|| reader.first_set(&jaeger::DESTINATIONS));
    let Some(ignored) = ignored else {
        return;
    };
    let used = chosen.value.render();
    let message = if winner == ignored {
        format!("has no effect without `{VARIABLE}=jaeger`; using `{used}`")
    } else {
        format!("is ignored: `{winner}` chooses `{used}`")
    };
    reader.report(Diagnostic::warning(message).about(ignored));
}

/// Removes what this build or the other settings cannot do, and says why.
pub(super) fn keep_usable(
    reader: &mut Reader<'_>,
    features: Features,
    exporters: &mut Setting<Vec<ExporterChoice>>,
    otlp: &OtlpConfig,
    jaeger: &JaegerConfig,
    has_file: bool,
) {
    let chosen_by = exporters.source;
    exporters.value.retain(|exporter| {
        let obstacle = match exporter {
            ExporterChoice::Otlp => otlp_obstacle(features, otlp, chosen_by),
            ExporterChoice::Jaeger(protocol) => {
                jaeger_obstacle(features, *protocol, jaeger, chosen_by)
            }
            ExporterChoice::File if !has_file => Some((
                chosen_by,
                "exporter `file` needs `TRACED_FILE`, the path".to_owned(),
            )),
            ExporterChoice::File | ExporterChoice::Console => None,
        };
        let Some((source, reason)) = obstacle else {
            return true;
        };
        let message = format!("{reason}; no spans go to `{}`", exporter.render());
        // A build without exporters that is not told to export is not a mistake.
        let diagnostic = match source {
            Source::Default => Diagnostic::warning(message),
            _ => Diagnostic::error(message),
        };
        reader.report_at(source, diagnostic);
        false
    });
}

/// Warns about a path that nobody writes to.
pub(super) fn check_file(reader: &mut Reader<'_>, exporters: &[ExporterChoice], file: Source) {
    if let (Source::Variable(name), false) = (file, exporters.contains(&ExporterChoice::File)) {
        let message = format!("has no effect without `{VARIABLE}=file`");
        reader.report(Diagnostic::warning(message).about(name));
    }
}

/// Why an exporter cannot work, and which setting is to blame.
type Obstacle = Option<(Source, String)>;

fn otlp_obstacle(features: Features, otlp: &OtlpConfig, chosen_by: Source) -> Obstacle {
    let protocol = &otlp.protocol;
    let (built, feature) = match protocol.value {
        OtlpProtocol::HttpProtobuf => (features.otlp_http, "otlp-http"),
        OtlpProtocol::Grpc => (features.otlp_grpc, "otlp-grpc"),
        OtlpProtocol::HttpJson if features.http_json => (features.otlp_http, "otlp-http"),
        OtlpProtocol::HttpJson => {
            let reason = format!(
                "`http/json` is not supported; expected {}",
                built_protocols(features)
            );
            return Some((protocol.source, reason));
        }
    };
    if !built {
        let source = match protocol.source {
            Source::Default => chosen_by,
            source => source,
        };
        let name = protocol.value.name();
        let reason = format!("`{name}` needs feature `{feature}` of `trace-runtime`");
        return Some((source, reason));
    }
    tls_obstacle(features, &otlp.endpoint)
}

fn built_protocols(features: Features) -> String {
    let protocols = [
        (features.otlp_http, "`http/protobuf`"),
        (features.otlp_grpc, "`grpc`"),
    ];
    let built: Vec<_> = protocols
        .iter()
        .filter(|(built, _)| *built)
        .map(|(_, name)| *name)
        .collect();
    if built.is_empty() {
        "a protocol whose feature is on".to_owned()
    } else {
        built.join(" or ")
    }
}

fn jaeger_obstacle(
    features: Features,
    protocol: JaegerProtocol,
    jaeger: &JaegerConfig,
    chosen_by: Source,
) -> Obstacle {
    if !features.jaeger {
        let reason = "exporter `jaeger` needs feature `jaeger` of `trace-runtime`";
        return Some((chosen_by, reason.to_owned()));
    }
    if jaeger.client.value == JaegerClient::Archived {
        let reason = match protocol {
            _ if !features.opentelemetry_jaeger => {
                "`opentelemetry-jaeger` needs the feature of this name of `trace-runtime`"
                    .to_owned()
            }
            JaegerProtocol::UdpCompact => return None,
            other => format!(
                "`opentelemetry-jaeger` sends `udp/thrift.compact`, not `{}`",
                other.name()
            ),
        };
        return Some((jaeger.client.source, reason));
    }
    match protocol {
        JaegerProtocol::HttpThrift => tls_obstacle(features, &jaeger.endpoint),
        JaegerProtocol::UdpCompact | JaegerProtocol::UdpBinary => None,
    }
}

fn tls_obstacle(features: Features, endpoint: &Setting<super::secret::Url>) -> Obstacle {
    (endpoint.value.is_https() && !features.tls).then(|| {
        let url = endpoint.value.render();
        let reason = format!("`{url}` needs feature `tls` of `trace-runtime`");
        (endpoint.source, reason)
    })
}
