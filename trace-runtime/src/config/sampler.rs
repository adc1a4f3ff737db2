//! Which sampler.

use std::time::Duration;

use super::Overrides;
use super::features::Features;
use super::go;
use super::jaeger::{authority, note_bare_milliseconds};
use super::reader::{Field, Reader};
use super::secret::Url;
use super::setting::{Render, Setting, Source};
use super::value::{self, Parsed, Word};
use crate::diagnostics::Diagnostic;

/// What jaeger-client-go samples until its agent has answered, and without a parameter.
const CAUTIOUS: f64 = 0.001;

/// Variables that say something about sampling; jaeger-client-go's sampler is `remote` then.
const JAEGER_VARIABLES: [&str; 6] = [
    "JAEGER_SAMPLER_TYPE",
    "JAEGER_SAMPLER_PARAM",
    "JAEGER_SAMPLING_ENDPOINT",
    "JAEGER_SAMPLER_MANAGER_HOST_PORT",
    "JAEGER_SAMPLER_MAX_OPERATIONS",
    "JAEGER_SAMPLER_REFRESH_INTERVAL",
];

/// The sampler to build.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SamplerConfig {
    /// Whether the decision of a remote parent is final; a local parent's always is.
    pub(crate) parent_based: bool,
    /// Who decides for the others.
    pub(crate) root: RootSampler,
}

/// Who decides where no parent does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RootSampler {
    AlwaysOn,
    AlwaysOff,
    Ratio(f64),
    /// Traces per second.
    RateLimited(f64),
    /// The strategy of a Jaeger agent or collector, see [`RemoteConfig`].
    Remote {
        initial_rate: f64,
    },
    /// The sampler that the builder was given.
    Code,
}

/// Where and how the remote sampler asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RemoteConfig {
    /// `?service=` is added to it.
    pub(crate) endpoint: Setting<Url>,
    pub(crate) interval: Setting<Duration>,
    pub(crate) max_operations: Setting<usize>,
}

impl Render for SamplerConfig {
    fn render(&self) -> String {
        let root = match self.root {
            RootSampler::AlwaysOn => "always_on".to_owned(),
            RootSampler::AlwaysOff => "always_off".to_owned(),
            RootSampler::Ratio(ratio) => format!("traceidratio({ratio})"),
            RootSampler::RateLimited(rate) => format!("ratelimiting({rate})"),
            RootSampler::Remote { initial_rate } => format!("jaeger_remote({initial_rate})"),
            RootSampler::Code => return "given in code".to_owned(),
        };
        if self.parent_based {
            format!("parentbased_{root}")
        } else {
            root
        }
    }
}

/// The words of `OTEL_TRACES_SAMPLER`.
#[derive(Clone, Copy, PartialEq)]
struct OtelSampler {
    kind: OtelKind,
    parent_based: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum OtelKind {
    On,
    Off,
    Ratio,
    Remote,
}

const fn otel_sampler(kind: OtelKind, parent_based: bool) -> OtelSampler {
    OtelSampler { kind, parent_based }
}

impl Word for OtelSampler {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("always_on", otel_sampler(OtelKind::On, false)),
        ("always_off", otel_sampler(OtelKind::Off, false)),
        ("traceidratio", otel_sampler(OtelKind::Ratio, false)),
        ("parentbased_always_on", otel_sampler(OtelKind::On, true)),
        ("parentbased_always_off", otel_sampler(OtelKind::Off, true)),
        (
            "parentbased_traceidratio",
            otel_sampler(OtelKind::Ratio, true),
        ),
        ("jaeger_remote", otel_sampler(OtelKind::Remote, false)),
        (
            "parentbased_jaeger_remote",
            otel_sampler(OtelKind::Remote, true),
        ),
    ];
}

/// The words of `JAEGER_SAMPLER_TYPE`.
#[derive(Clone, Copy, PartialEq)]
enum JaegerSampler {
    Const,
    Probabilistic,
    RateLimiting,
    Remote,
}

impl Word for JaegerSampler {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("const", JaegerSampler::Const),
        ("probabilistic", JaegerSampler::Probabilistic),
        ("ratelimiting", JaegerSampler::RateLimiting),
        ("remote", JaegerSampler::Remote),
    ];
}

/// What `OTEL_TRACES_SAMPLER_ARG` says about the remote sampler.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RemoteArgument {
    pub(super) endpoint: Option<Url>,
    pub(super) interval: Option<Duration>,
    pub(super) initial_rate: Option<f64>,
}

/// The sampler and, whether it is remote or not, where the remote one would ask.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    overrides: &Overrides,
    features: Features,
    agent_host: &Setting<String>,
) -> (Setting<SamplerConfig>, RemoteConfig) {
    let mut argument = RemoteArgument::default();
    let given = overrides.sampler_given.then_some(SamplerConfig {
        parent_based: false,
        root: RootSampler::Code,
    });
    let field = reader.field().code(given);
    let field = read_otel(field, &mut argument);
    let mut sampler = read_jaeger(field).or(parent_based(RootSampler::AlwaysOn));
    require_remote_feature(reader, &mut sampler, features);
    (sampler, resolve_remote(reader, argument, agent_host))
}

type SamplerField<'r, 'a> = Field<'r, 'a, SamplerConfig>;

fn read_otel<'r, 'a>(
    field: SamplerField<'r, 'a>,
    remote: &mut RemoteArgument,
) -> SamplerField<'r, 'a> {
    const VARIABLE: &str = "OTEL_TRACES_SAMPLER";
    const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
    let Some(text) = field.reader.text(VARIABLE) else {
        if let Some(text) = field.reader.text(ARGUMENT) {
            let message = format!("has no effect without `{VARIABLE}`");
            field
                .reader
                .report(Diagnostic::warning(message).found(ARGUMENT, &text));
        }
        return field;
    };
    let sampler: OtelSampler = match value::word(&text) {
        Ok(sampler) => sampler,
        Err(accepted) => return field.reject(VARIABLE, &text, accepted),
    };
    let root = match sampler.kind {
        OtelKind::On => RootSampler::AlwaysOn,
        OtelKind::Off => RootSampler::AlwaysOff,
        OtelKind::Ratio => {
            RootSampler::Ratio(read_argument(field.reader, ARGUMENT, value::ratio, 1.0))
        }
        OtelKind::Remote => {
            *remote = read_remote_argument(field.reader, ARGUMENT);
            RootSampler::Remote {
                initial_rate: remote.initial_rate.unwrap_or(CAUTIOUS),
            }
        }
    };
    let config = SamplerConfig {
        parent_based: sampler.parent_based,
        root,
    };
    field.given(Source::Variable(VARIABLE), Some(config))
}

fn read_argument(
    reader: &mut Reader<'_>,
    name: &'static str,
    parse: impl Fn(&str) -> Parsed<f64>,
    default: f64,
) -> f64 {
    let Some(text) = reader.text(name) else {
        return default;
    };
    parse(&text).unwrap_or_else(|accepted| {
        reader.bad(name, &text, format!("{accepted}; using `{default}`"));
        default
    })
}

fn read_remote_argument(reader: &mut Reader<'_>, name: &'static str) -> RemoteArgument {
    let Some(text) = reader.text(name) else {
        return RemoteArgument::default();
    };
    remote_argument(&text).unwrap_or_else(|accepted| {
        reader.bad(name, &text, format!("{accepted}; using the defaults"));
        RemoteArgument::default()
    })
}

/// `endpoint=..,pollingIntervalMs=..,initialSamplingRate=..`
pub(super) fn remote_argument(text: &str) -> Parsed<RemoteArgument> {
    let mut argument = RemoteArgument::default();
    for item in value::items(text) {
        let (key, text) = item.split_once('=').unwrap_or((item, ""));
        match key.trim() {
            "endpoint" => argument.endpoint = Some(value::url(text)?),
            "pollingIntervalMs" => argument.interval = Some(value::milliseconds(1)(text)?),
            "initialSamplingRate" => argument.initial_rate = Some(value::ratio(text)?),
            _ => {
                return Err(
                    "expected `endpoint=..,pollingIntervalMs=..,initialSamplingRate=..`".to_owned(),
                );
            }
        }
    }
    Ok(argument)
}

fn read_jaeger<'r, 'a>(field: SamplerField<'r, 'a>) -> SamplerField<'r, 'a> {
    const TYPE: &str = "JAEGER_SAMPLER_TYPE";
    let Some(text) = field.reader.text(TYPE) else {
        return read_implied_remote(field);
    };
    let root = match value::word(&text) {
        Ok(JaegerSampler::Const) => constant(field.reader),
        Ok(JaegerSampler::Probabilistic) => RootSampler::Ratio(probability(field.reader)),
        Ok(JaegerSampler::Remote) => remote(field.reader),
        Ok(JaegerSampler::RateLimiting) => {
            let Some(rate) = field.reader.text(PARAMETER) else {
                let message = format!("needs `{PARAMETER}`, the traces per second");
                return field.reject(TYPE, &text, message);
            };
            match go::float(&rate) {
                Ok(number) if number >= 0.0 => RootSampler::RateLimited(number),
                _ => return field.reject(PARAMETER, &rate, "expected traces per second"),
            }
        }
        Err(accepted) => return field.reject(TYPE, &text, accepted),
    };
    field.given(Source::Variable(TYPE), Some(parent_based(root)))
}

/// Every sampler of jaeger-client-go takes a parent's decision as final.
fn parent_based(root: RootSampler) -> SamplerConfig {
    SamplerConfig {
        parent_based: true,
        root,
    }
}

const PARAMETER: &str = "JAEGER_SAMPLER_PARAM";

fn constant(reader: &mut Reader<'_>) -> RootSampler {
    if read_argument(reader, PARAMETER, go::float, 1.0) == 0.0 {
        RootSampler::AlwaysOff
    } else {
        RootSampler::AlwaysOn
    }
}

fn remote(reader: &mut Reader<'_>) -> RootSampler {
    RootSampler::Remote {
        initial_rate: probability(reader),
    }
}

fn probability(reader: &mut Reader<'_>) -> f64 {
    let parse = |text: &str| match go::float(text) {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("expected a number from 0 to 1".to_owned()),
    };
    read_argument(reader, PARAMETER, parse, CAUTIOUS)
}

/// In jaeger-client-go the sampler is remote unless a type is given. Here it is only if the other
/// variables show that somebody thought of sampling at all.
fn read_implied_remote<'r, 'a>(field: SamplerField<'r, 'a>) -> SamplerField<'r, 'a> {
    let Some(variable) = field.reader.first_set(&JAEGER_VARIABLES) else {
        return field;
    };
    if field.reader.is_set("OTEL_TRACES_SAMPLER") || field.is_given() {
        return field;
    }
    let message = "`JAEGER_SAMPLER_TYPE` is not set: using `remote`, as jaeger-client-go does";
    field
        .reader
        .report(Diagnostic::info(message).about(variable));
    let root = remote(field.reader);
    field.given(Source::Variable(variable), Some(parent_based(root)))
}

/// Sampling everything would be the wrong answer to somebody who asked for a strategy.
fn require_remote_feature(
    reader: &mut Reader<'_>,
    sampler: &mut Setting<SamplerConfig>,
    features: Features,
) {
    let RootSampler::Remote { initial_rate } = sampler.value.root else {
        return;
    };
    if features.remote_sampler {
        return;
    }
    sampler.value.root = RootSampler::Ratio(initial_rate);
    let message = format!(
        "remote sampling needs feature `remote-sampler` of `trace-runtime`; using `{}`",
        sampler.value.render()
    );
    reader.report_at(sampler.source, Diagnostic::error(message));
}

fn resolve_remote(
    reader: &mut Reader<'_>,
    argument: RemoteArgument,
    agent_host: &Setting<String>,
) -> RemoteConfig {
    const ARGUMENT: Source = Source::Variable("OTEL_TRACES_SAMPLER_ARG");
    const REFRESH: &str = "JAEGER_SAMPLER_REFRESH_INTERVAL";
    const DEPRECATED: &str = "JAEGER_SAMPLER_MANAGER_HOST_PORT";
    note_bare_milliseconds(reader, REFRESH);
    if reader.is_set(DEPRECATED) {
        let message = "is deprecated; use `JAEGER_SAMPLING_ENDPOINT`";
        reader.report(Diagnostic::info(message).about(DEPRECATED));
    }
    // Only Jaeger's own variable moves the sampling server along with the agent.
    let default = if agent_host.source.is_jaeger() {
        let url = format!("http://{}/sampling", authority(&agent_host.value, 5778));
        Setting::new(Url(url), agent_host.source)
    } else {
        let url = "http://127.0.0.1:5778/sampling".to_owned();
        Setting::new(Url(url), Source::Default)
    };
    RemoteConfig {
        endpoint: reader
            .field()
            .given(ARGUMENT, argument.endpoint)
            .variable("JAEGER_SAMPLING_ENDPOINT", value::url)
            .variable(DEPRECATED, manager_url)
            .or_setting(default),
        interval: reader
            .field()
            .given(ARGUMENT, argument.interval)
            .variable_or_default(REFRESH, go::positive_duration)
            .or(Duration::from_secs(60)),
        max_operations: reader
            .field()
            .variable_or_default("JAEGER_SAMPLER_MAX_OPERATIONS", go::positive)
            .or(2000),
    }
}

/// A URL, or `host:port`.
pub(super) fn manager_url(text: &str) -> Parsed<Url> {
    if text.contains("://") {
        return value::url(text);
    }
    match value::host_and_port(text)? {
        (host, Some(port)) => Ok(Url(format!("http://{}/sampling", authority(&host, port)))),
        (_, None) => Err("expected a URL or `host:port`".to_owned()),
    }
}
