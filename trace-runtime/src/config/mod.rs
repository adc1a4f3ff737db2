#![doc = include_str!("ENVIRONMENT.md")]

mod exporter;
mod features;
mod filter;
mod go;
mod jaeger;
mod otlp;
mod own;
mod pipeline;
mod propagation;
mod reader;
mod resource;
mod sampler;
mod secret;
mod setting;
mod table;
mod value;

#[cfg(test)]
mod tests;

use std::time::Duration;

use self::reader::Reader;
use self::resource::Host;
use crate::diagnostics::Diagnostic;
use crate::exporter::Resource;
use crate::value::Value;

pub(crate) use self::exporter::{ExporterChoice, names_destination};
pub(crate) use self::features::Features;
pub(crate) use self::filter::{Filter, LevelFilter};
#[cfg(feature = "jaeger")]
pub(crate) use self::jaeger::JaegerProtocol;
#[cfg(feature = "opentelemetry-jaeger")]
pub(crate) use self::jaeger::{JaegerClient, jaeger_variables_of_process};
pub(crate) use self::jaeger::{JaegerConfig, authority};
#[cfg(all(feature = "gzip", any(feature = "otlp-http", feature = "otlp-grpc")))]
pub(crate) use self::otlp::Compression;
pub(crate) use self::otlp::OtlpConfig;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
pub(crate) use self::otlp::OtlpProtocol;
pub(crate) use self::own::{
    Arguments, CancelledMode, CodeMode, DoctorMode, LogDestination, OwnConfig, doctor_mode,
};
pub(crate) use self::pipeline::{BatchConfig, LimitsConfig};
pub(crate) use self::propagation::{PropagatorChoice, PropagatorsConfig};
pub(crate) use self::sampler::{RemoteConfig, RootSampler, SamplerConfig};
pub(crate) use self::secret::{one_line, shown};
pub(crate) use self::setting::{Render, Setting, Source};

/// How a variable is looked up.
pub(crate) type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The environment of the process. What is not UTF-8 is told by its replacement characters.
pub(crate) fn process_environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// What the builder says: it wins over every variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Overrides {
    pub(crate) service_name: Option<String>,
    /// Base URL of an OTLP collector.
    pub(crate) endpoint: Option<String>,
    /// Headers of OTLP requests.
    pub(crate) headers: Vec<(String, String)>,
    /// `host:port` of a Jaeger agent.
    pub(crate) agent: Option<String>,
    /// The Jaeger exporter is that of the crate `opentelemetry-jaeger`.
    pub(crate) opentelemetry_jaeger: Option<bool>,
    pub(crate) sampler_given: bool,
    pub(crate) resource_attributes: Vec<(String, Value<'static>)>,
    pub(crate) flush_interval: Option<Duration>,
    pub(crate) log_spans: Option<bool>,
    /// An exporter was added: without a destination in the environment there is no default one.
    pub(crate) has_exporter: bool,
    /// An exporter was given for the case that nothing else names one.
    pub(crate) default_exporter: bool,
}

/// The effective configuration: every setting and where it came from.
///
/// Prints as a table of setting, value and source, with secrets redacted.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(crate) disabled: Setting<bool>,
    /// The service name first.
    pub(crate) resource: resource::Attributes,
    /// Exporters of ours that can work; none of them if the builder brings its own.
    pub(crate) exporters: Setting<Vec<ExporterChoice>>,
    pub(crate) otlp: OtlpConfig,
    pub(crate) jaeger: JaegerConfig,
    pub(crate) propagators: Setting<PropagatorsConfig>,
    pub(crate) sampler: Setting<SamplerConfig>,
    pub(crate) remote: RemoteConfig,
    pub(crate) batch: BatchConfig,
    pub(crate) limits: LimitsConfig,
    pub(crate) filter: Setting<Filter>,
    pub(crate) own: OwnConfig,
}

impl Config {
    /// Resolves every setting, and says what is wrong or worth knowing.
    pub(crate) fn resolve(overrides: &Overrides, lookup: &Lookup<'_>) -> (Config, Vec<Diagnostic>) {
        let host = Host::detect(lookup);
        #[cfg_attr(not(feature = "tls"), expect(unused_mut))]
        let (config, mut diagnostics) = resolve(overrides, lookup, Features::BUILT, &host);
        #[cfg(feature = "tls")]
        diagnostics.extend(crate::exporter::tls::problem(
            &config.exporters.value,
            &config.otlp,
        ));
        (config, diagnostics)
    }

    /// The service name.
    pub(crate) fn service_name(&self) -> &str {
        match self.resource.first() {
            Some((_, setting)) => match &setting.value {
                Value::Str(name) => name,
                _ => "",
            },
            None => "",
        }
    }

    /// The resource as exporters see it.
    pub(crate) fn resource(&self) -> Resource {
        let pairs = self.resource.iter();
        Resource {
            attributes: pairs
                .map(|(key, setting)| (key.clone(), setting.value.clone()))
                .collect(),
        }
    }

    /// The same settings for the child of a fork: it has another process and instance id.
    pub(crate) fn after_fork(&self) -> Config {
        let mut config = self.clone();
        resource::refresh(&mut config.resource);
        config
    }
}

fn resolve(
    overrides: &Overrides,
    lookup: &Lookup<'_>,
    features: Features,
    host: &Host,
) -> (Config, Vec<Diagnostic>) {
    let mut reader = Reader::new(lookup);
    let reader = &mut reader;
    let disabled = reader
        .field()
        .otel_boolean("OTEL_SDK_DISABLED")
        .variable("JAEGER_DISABLED", go::boolean)
        .or(false);
    let resource = resource::resolve(reader, overrides, host, disabled.value);
    let otlp = otlp::resolve(reader, overrides, features);
    let jaeger = jaeger::resolve(reader, overrides);
    let mut exporters = exporter::resolve(reader, overrides, &jaeger);
    let own = own::resolve(reader, overrides, features);
    exporter::check_file(reader, &exporters.value, own.file.source);
    let has_file = own.file.value.is_some();
    exporter::keep_usable(reader, features, &mut exporters, &otlp, &jaeger, has_file);
    let (sampler, remote) = sampler::resolve(reader, overrides, features, &jaeger.agent_host);
    note_always_on(reader, exporters.source, sampler.source);
    let config = Config {
        propagators: propagation::resolve(reader, exporters.source),
        batch: pipeline::resolve_batch(reader, overrides),
        limits: pipeline::resolve_limits(reader),
        filter: filter::resolve(reader),
        disabled,
        resource,
        exporters,
        otlp,
        jaeger,
        sampler,
        remote,
        own,
    };
    pipeline::report_unsupported(reader);
    (config, std::mem::take(&mut reader.diagnostics))
}

/// Those who come from jaeger-client-go may expect its default, which is another one.
fn note_always_on(reader: &mut Reader<'_>, exporters: Source, sampler: Source) {
    let named_by_jaeger =
        reader.is_set("JAEGER_SERVICE_NAME") && !reader.is_set("OTEL_SERVICE_NAME");
    let from_jaeger = exporters.is_jaeger() || exporters == Source::Default && named_by_jaeger;
    if from_jaeger && sampler == Source::Default {
        let message = "sampling every trace; jaeger-client-go would ask its agent: \
                       set `JAEGER_SAMPLER_TYPE=remote` for that";
        reader.report(Diagnostic::info(message));
    }
}
