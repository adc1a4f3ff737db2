//! What is recorded and how we report: `TRACED_*` and what belongs with it.

use std::path::PathBuf;
use std::time::Duration;

use super::features::Features;
use super::filter::LevelFilter;
use super::go;
use super::reader::Reader;
use super::setting::Setting;
use super::value::{self, Parsed, Word};
use super::{Lookup, Overrides};
use crate::callsite::Level;

/// Which arguments are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    All,
    /// No free text.
    Scalars,
    None,
}

impl Word for Arguments {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("all", Arguments::All),
        ("scalars", Arguments::Scalars),
        ("none", Arguments::None),
    ];
}

/// Which `code.*` attributes are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeMode {
    All,
    /// Only `code.function.name`.
    Function,
    Off,
}

impl Word for CodeMode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("all", CodeMode::All),
        ("function", CodeMode::Function),
        ("off", CodeMode::Off),
    ];
}

/// The status of a span whose future was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelledMode {
    /// Error for client and producer spans only.
    Kind,
    Error,
    Unset,
}

impl Word for CancelledMode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("kind", CancelledMode::Kind),
        ("error", CancelledMode::Error),
        ("unset", CancelledMode::Unset),
    ];
}

/// Where exceptions are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExceptionSignal {
    SpanEvents,
    Logs,
    /// Both.
    LogsDup,
}

impl Word for ExceptionSignal {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("logs", ExceptionSignal::Logs),
        ("logs/dup", ExceptionSignal::LogsDup),
    ];

    fn name(self) -> &'static str {
        match self {
            ExceptionSignal::SpanEvents => "span events",
            ExceptionSignal::Logs => "logs",
            ExceptionSignal::LogsDup => "logs/dup",
        }
    }
}

/// Where our own diagnostics go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogDestination {
    /// `tracing` when that feature is on and a subscriber is set, else standard error.
    Automatic,
    Stderr,
    Log,
    Tracing,
    Off,
}

impl Word for LogDestination {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("stderr", LogDestination::Stderr),
        ("log", LogDestination::Log),
        ("tracing", LogDestination::Tracing),
        ("off", LogDestination::Off),
    ];

    fn name(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.map_or("automatic", |(word, _)| word)
    }
}

/// Whether the way to the collector is checked instead of running the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DoctorMode {
    Off,
    /// A report for people.
    Text,
    /// A report for programs.
    Json,
}

impl Word for DoctorMode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("false", DoctorMode::Off),
        ("true", DoctorMode::Text),
        ("json", DoctorMode::Json),
    ];
}

const DOCTOR: &str = "TRACED_DOCTOR";

/// What `TRACED_DOCTOR` asks for, when nothing else is resolved yet. A bad value asks for nothing
/// here and is reported with all others.
pub(crate) fn doctor_mode(lookup: &Lookup<'_>) -> DoctorMode {
    lookup(DOCTOR)
        .and_then(|text| doctor(&text).ok())
        .unwrap_or(DoctorMode::Off)
}

fn doctor(text: &str) -> Parsed<DoctorMode> {
    if text.trim().eq_ignore_ascii_case("json") {
        return Ok(DoctorMode::Json);
    }
    match go::boolean(text) {
        Ok(true) => Ok(DoctorMode::Text),
        Ok(false) => Ok(DoctorMode::Off),
        Err(accepted) => Err(format!("{accepted}, or `json`")),
    }
}

/// Settings without a section of their own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnConfig {
    pub(crate) arguments: Setting<Arguments>,
    /// Words in keys whose values are hidden, in lower case, besides the built-in ones.
    pub(crate) redact: Setting<Vec<String>>,
    pub(crate) code: Setting<CodeMode>,
    pub(crate) cancelled: Setting<CancelledMode>,
    pub(crate) exception_signal: Setting<ExceptionSignal>,
    /// Whether bad values end the process, with status 78.
    pub(crate) strict: Setting<bool>,
    pub(crate) doctor: Setting<DoctorMode>,
    pub(crate) shutdown_timeout: Setting<Duration>,
    /// Where the exporter `file` writes.
    pub(crate) file: Setting<Option<PathBuf>>,
    pub(crate) log: Setting<LogDestination>,
    pub(crate) log_level: Setting<LevelFilter>,
    /// Whether every finished span gives a line.
    pub(crate) log_spans: Setting<bool>,
}

pub(super) fn resolve(
    reader: &mut Reader<'_>,
    overrides: &Overrides,
    features: Features,
) -> OwnConfig {
    OwnConfig {
        arguments: words(reader, "TRACED_ARGUMENTS", Arguments::All),
        redact: reader
            .field()
            .variable("TRACED_REDACT", redacted_words)
            .or(Vec::new()),
        code: words(reader, "TRACED_CODE", CodeMode::All),
        cancelled: words(reader, "TRACED_CANCELLED", CancelledMode::Kind),
        exception_signal: reader
            .field()
            .variable("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", opt_in)
            .or(ExceptionSignal::SpanEvents),
        strict: flag(reader, "TRACED_STRICT"),
        doctor: reader.field().variable(DOCTOR, doctor).or(DoctorMode::Off),
        shutdown_timeout: reader
            .field()
            .variable("TRACED_SHUTDOWN_TIMEOUT", value::milliseconds(0))
            .or(Duration::from_secs(5)),
        file: reader
            .field()
            .variable("TRACED_FILE", |text| Ok(Some(text.trim().into())))
            .or(None),
        log: reader
            .field()
            .variable("TRACED_LOG", |text| destination(text, features))
            .or(LogDestination::Automatic),
        log_level: reader
            .field()
            .variable("OTEL_LOG_LEVEL", log_level)
            .or(LevelFilter::Upto(Level::Info)),
        log_spans: reader
            .field()
            .code(overrides.log_spans)
            .variable("JAEGER_REPORTER_LOG_SPANS", go::boolean)
            .or(false),
    }
}

fn words<T: Word>(reader: &mut Reader<'_>, name: &'static str, default: T) -> Setting<T> {
    reader.field().variable(name, value::word).or(default)
}

/// Ours take `1` as well as `true`.
fn flag(reader: &mut Reader<'_>, name: &'static str) -> Setting<bool> {
    reader.field().variable(name, go::boolean).or(false)
}

fn redacted_words(text: &str) -> Parsed<Vec<String>> {
    let mut words = Vec::new();
    for item in value::items(text) {
        let word = item.to_ascii_lowercase();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}

/// An opt-in is a list in the semantic conventions; the last word decides, as `dup` is the wider.
fn opt_in(text: &str) -> Parsed<ExceptionSignal> {
    let mut signal = Err("expected `logs` or `logs/dup`".to_owned());
    for item in value::items(text) {
        let next = value::word(item)?;
        if signal != Ok(ExceptionSignal::LogsDup) {
            signal = Ok(next);
        }
    }
    signal
}

fn destination(text: &str, features: Features) -> Parsed<LogDestination> {
    let missing =
        |feature: &str| format!("`{feature}` needs feature `{feature}` of `trace-runtime`");
    match value::word(text)? {
        LogDestination::Log if !features.log => Err(missing("log")),
        LogDestination::Tracing if !features.tracing => Err(missing("tracing")),
        destination => Ok(destination),
    }
}

/// The words of the other languages' SDKs are understood too.
fn log_level(text: &str) -> Parsed<LevelFilter> {
    match text.trim().to_ascii_lowercase().as_str() {
        "none" => Ok(LevelFilter::Off),
        "warning" => Ok(LevelFilter::Upto(Level::Warn)),
        "verbose" | "all" => Ok(LevelFilter::Upto(Level::Trace)),
        other => value::word(other),
    }
}
