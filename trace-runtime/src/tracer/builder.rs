//! From what code and environment say to a running tracer.

use std::io::IsTerminal;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::core::Parts;
use super::{Core, Tracer, TracerGuard, global};
use crate::ToValue;
use crate::callsite::Level;
use crate::config::{
    self, Config, DoctorMode, Filter, LevelFilter, LogDestination, Overrides, RootSampler,
};
use crate::diagnostics::{Diagnostic, Severity};
use crate::error::InitError;
use crate::exporter::{self, Exporter};
use crate::pipeline::control::Control;
use crate::pipeline::queue::Queue;
use crate::pipeline::report::{self, Reporter};
use crate::pipeline::sender::Shared;
use crate::pipeline::stats::{SenderCounters, WorkerCounters};
use crate::pipeline::thread::while_starting;
use crate::pipeline::worker::{self, OnEnd, Setup};
use crate::record::{Keep, SpanRecord};
use crate::sampler::Sampler;
use crate::value::into_owned;

type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Configures a tracer: what code says here wins over the environment.
///
/// ```no_run
/// use trace_runtime::{Sampler, Tracer};
///
/// # fn main() -> Result<(), trace_runtime::InitError> {
/// let _guard = Tracer::builder()
///     .with_service_name("orders")
///     .with_endpoint("http://collector:4318")
///     .with_sampler(Sampler::ratio(0.1))
///     .install()?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[must_use = "nothing happens until `install` or `build`"]
pub struct TracerBuilder {
    overrides: Overrides,
    environment: Option<Environment>,
    sampler: Option<Sampler>,
    exporters: Vec<Box<dyn Exporter>>,
    default_exporter: Option<Box<dyn Exporter>>,
    on_end: Vec<OnEnd>,
}

impl std::fmt::Debug for TracerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TracerBuilder")
            .field("overrides", &self.overrides)
            .finish_non_exhaustive()
    }
}

impl TracerBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The service name, instead of `OTEL_SERVICE_NAME`.
    pub fn with_service_name(mut self, name: impl Into<String>) -> Self {
        self.overrides.service_name = Some(name.into());
        self
    }

    /// Sends spans by OTLP to this base URL; `/v1/traces` is appended.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.overrides.endpoint = Some(url.into());
        self
    }

    /// Sends spans to a Jaeger agent over UDP: `host:port`. With
    /// [`with_endpoint`](Self::with_endpoint) as well, both get every span.
    pub fn with_agent(mut self, address: impl Into<String>) -> Self {
        self.overrides.agent = Some(address.into());
        self
    }

    /// A header of OTLP requests; wins over one of the same name from the environment.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.headers.push((name.into(), value.into()));
        self
    }

    /// The sampler, instead of `OTEL_TRACES_SAMPLER`.
    pub fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.overrides.sampler_given = true;
        self.sampler = Some(sampler);
        self
    }

    /// An attribute of the resource, over `OTEL_RESOURCE_ATTRIBUTES`.
    pub fn with_resource_attribute(mut self, key: impl Into<String>, value: impl ToValue) -> Self {
        let value = into_owned(value.to_value());
        self.overrides.resource_attributes.push((key.into(), value));
        self
    }

    /// How long a finished span may wait for others before it is sent; 1 s by default.
    pub fn with_flush_interval(mut self, interval: Duration) -> Self {
        self.overrides.flush_interval = Some(interval);
        self
    }

    /// Prints a line for every finished span.
    pub fn with_log_spans(mut self, log: bool) -> Self {
        self.overrides.log_spans = Some(log);
        self
    }

    /// Adds an exporter.
    pub fn with_exporter(mut self, exporter: impl Exporter) -> Self {
        self.overrides.has_exporter = true;
        self.exporters.push(Box::new(exporter));
        self
    }

    /// The exporter to use if neither code nor environment names one.
    pub fn with_default_exporter(mut self, exporter: impl Exporter) -> Self {
        self.overrides.default_exporter = true;
        self.default_exporter = Some(Box::new(exporter));
        self
    }

    /// Adds an exporter of the OpenTelemetry SDK.
    #[cfg(feature = "sdk-exporter")]
    pub fn with_sdk_exporter<E>(self, exporter: E) -> Self
    where
        E: opentelemetry_sdk::trace::SpanExporter + 'static,
    {
        self.with_exporter(exporter::sdk::SdkExporter::new(exporter))
    }

    /// Looks at every finished span before it is exported: scrub, drop or enrich it. Runs on the
    /// worker, never on the application's threads; several are called in order.
    ///
    /// A hook that panics drops the span.
    pub fn with_on_end(
        mut self,
        hook: impl Fn(&mut SpanRecord) -> Keep + Send + Sync + 'static,
    ) -> Self {
        self.on_end.push(Arc::new(hook));
        self
    }

    /// Reads variables from here instead of from the environment of the process.
    pub fn with_env(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Some(Arc::new(lookup));
        self
    }

    /// Makes the tracer the global one. The second explicit start of a process changes nothing and
    /// gets an inert guard.
    ///
    /// # Errors
    ///
    /// Every setting that is bad, in code or in the environment.
    #[track_caller]
    pub fn install(self) -> Result<TracerGuard, InitError> {
        global::install_strict(self)
    }

    /// Makes a local tracer.
    ///
    /// # Errors
    ///
    /// Every setting that is bad, in code or in the environment.
    #[track_caller]
    pub fn build(self) -> Result<(Tracer, TracerGuard), InitError> {
        let init = Location::caller();
        let core = while_starting(|| self.start_strict(None, init))?;
        global::activate(core);
        Ok((Tracer { core }, TracerGuard::owning(core)))
    }

    /// Whether code says nothing, so that the environment decides alone.
    pub(super) fn is_plain(&self) -> bool {
        self.overrides == Overrides::default()
            && self.environment.is_none()
            && self.on_end.is_empty()
    }

    /// What `TRACED_DOCTOR` asks for.
    pub(super) fn doctor_mode(&self) -> DoctorMode {
        match &self.environment {
            Some(lookup) => config::doctor_mode(&**lookup),
            None => config::doctor_mode(&config::process_environment),
        }
    }

    /// Where the exporters that were given by value deliver to.
    pub(crate) fn given_targets(&self) -> Vec<String> {
        let given = self.exporters.iter();
        given.map(|exporter| exporter.target()).collect()
    }

    /// Starts a local tracer for one test span, which is recorded whatever the settings sample.
    #[track_caller]
    pub(crate) fn start_for_doctor(self, config: &Config) -> &'static Core {
        let mut config = config.clone();
        config.own.log.value = LogDestination::Off;
        config.filter.value = Filter {
            default: LevelFilter::Upto(Level::Trace),
            directives: Vec::new(),
        };
        let builder = Self {
            sampler: Some(Sampler::always_on()),
            ..self
        };
        let init = Location::caller();
        let core = while_starting(|| builder.start(config, Vec::new(), None, init));
        global::activate(core);
        core
    }

    pub(crate) fn resolve(&self) -> (Config, Vec<Diagnostic>) {
        match &self.environment {
            Some(lookup) => Config::resolve(&self.overrides, &**lookup),
            None => Config::resolve(&self.overrides, &config::process_environment),
        }
    }

    pub(super) fn start_strict(
        self,
        before: Option<&'static Core>,
        init: &'static Location<'static>,
    ) -> Result<&'static Core, InitError> {
        let (config, diagnostics) = self.resolve();
        match InitError::from_diagnostics(&diagnostics) {
            Some(error) => Err(error),
            None => Ok(self.start(config, diagnostics, before, init)),
        }
    }

    pub(super) fn start_lenient(
        self,
        before: Option<&'static Core>,
        init: &'static Location<'static>,
    ) -> &'static Core {
        let (config, diagnostics) = self.resolve();
        if config.own.strict.value {
            if let Some(error) = InitError::from_diagnostics(&diagnostics) {
                eprintln!("trace-runtime: {error}");
                std::process::exit(78); // EX_CONFIG of sysexits.h
            }
        }
        self.start(config, diagnostics, before, init)
    }

    fn start(
        self,
        config: Config,
        diagnostics: Vec<Diagnostic>,
        before: Option<&'static Core>,
        init: &'static Location<'static>,
    ) -> &'static Core {
        let mut given = self.exporters;
        let nobody_says = config.exporters.source == config::Source::Code;
        if given.is_empty() && config.exporters.value.is_empty() && nobody_says {
            given.extend(self.default_exporter);
        }
        let plan = Plan {
            sampler: self.sampler.unwrap_or_else(|| sampler(&config)),
            given: Mutex::new(given),
            on_end: self.on_end,
            environment: self.environment,
        };
        launch(config, plan, diagnostics, init, before)
    }
}

/// The parts of a tracer that are no settings.
pub(crate) struct Plan {
    pub(super) sampler: Sampler,
    /// Exporters given by value; the worker takes them.
    given: Mutex<Vec<Box<dyn Exporter>>>,
    on_end: Vec<OnEnd>,
    environment: Option<Environment>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("sampler", &self.sampler)
            .finish_non_exhaustive()
    }
}

impl Plan {
    fn lookup(&self, name: &str) -> Option<String> {
        self.environment
            .as_ref()
            .map_or_else(|| config::process_environment(name), |look| look(name))
    }

    /// The same, for the child of a fork: exporters given by value live in the parent's worker.
    pub(super) fn after_fork(&self) -> Self {
        Self {
            sampler: self.sampler.clone(),
            given: Mutex::default(),
            on_end: self.on_end.clone(),
            environment: self.environment.clone(),
        }
    }
}

/// The sampler that the configuration names.
fn sampler(config: &Config) -> Sampler {
    let chosen = config.sampler.value;
    let sampler = match chosen.root {
        RootSampler::AlwaysOn | RootSampler::Code => Sampler::always_on(),
        RootSampler::AlwaysOff => Sampler::always_off(),
        RootSampler::Ratio(ratio) => Sampler::ratio(ratio),
        RootSampler::RateLimited(rate) => Sampler::rate_limited(rate),
        RootSampler::Remote { initial_rate } => remote_sampler(config, initial_rate),
    };
    if chosen.parent_based {
        sampler
    } else {
        sampler.ignore_remote_parent()
    }
}

#[cfg(feature = "remote-sampler")]
fn remote_sampler(config: &Config, initial_rate: f64) -> Sampler {
    crate::sampler::RemoteSampling::new(config.remote.endpoint.value.as_str())
        .with_polling_interval(config.remote.interval.value)
        .with_initial_ratio(initial_rate)
        .with_max_operations(config.remote.max_operations.value)
        .into()
}

/// Without the feature the configuration never chooses it.
#[cfg(not(feature = "remote-sampler"))]
fn remote_sampler(_: &Config, initial_rate: f64) -> Sampler {
    Sampler::ratio(initial_rate)
}

/// Starts the worker and makes the core that spans refer to.
pub(super) fn launch(
    config: Config,
    plan: Plan,
    diagnostics: Vec<Diagnostic>,
    init: &'static Location<'static>,
    before: Option<&'static Core>,
) -> &'static Core {
    let config = Arc::new(config);
    let reporter = Arc::new(reporter(&config));
    diagnostics
        .into_iter()
        .for_each(|diagnostic| reporter.note(diagnostic));
    let given = std::mem::take(&mut *plan.given.lock().unwrap_or_else(PoisonError::into_inner));
    let exporters: Vec<_> = if config.disabled.value {
        Vec::new()
    } else {
        built(&config, &reporter, &|name| plan.lookup(name))
            .into_iter()
            .chain(given)
            .map(counted)
            .collect()
    };
    let observed = !exporters.is_empty() || !plan.on_end.is_empty() || config.own.log_spans.value;
    let records = observed && !config.disabled.value;
    let batch = &config.batch;
    let queue = Arc::new(Queue::new(
        batch.queue_size.value,
        batch.queue_bytes.value,
        batch.batch_size.value,
    ));
    let (control, counters) = (
        Arc::new(Control::default()),
        Arc::new(WorkerCounters::default()),
    );
    let senders = exporters
        .iter()
        .map(|(_, counters)| Arc::clone(counters))
        .collect();
    let core: &'static Core = Box::leak(Box::new(Core::new(Parts {
        queue: Arc::clone(&queue),
        control: Arc::clone(&control),
        counters: Arc::clone(&counters),
        senders,
        reporter: Arc::clone(&reporter),
        config: Arc::clone(&config),
        plan,
        init,
        records,
    })));
    core.follow(before);
    if !records && !reporter.has_news() {
        control.end();
        return core;
    }
    let setup = Setup {
        shared: Shared {
            resource: Arc::new(config.resource()),
            queue,
            reporter: Arc::clone(&reporter),
            timeout: config.batch.export_timeout.value,
        },
        control: Arc::clone(&control),
        counters,
        exporters,
        on_end: core.plan.on_end.clone(),
        log_spans: config.own.log_spans.value,
        code: config.own.code.value,
        batch_size: config.batch.batch_size.value,
        delay: config.batch.schedule_delay.value,
        greeting: greeting(&config),
    };
    if let Err(error) = worker::start(setup) {
        reporter.note(Diagnostic::error(format!(
            "the worker thread cannot start: {error}"
        )));
        reporter.print();
        control.end();
    }
    core.start_sampler();
    core
}

#[cfg(feature = "testing")]
impl Core {
    /// A core without a worker, for whoever drains the queue. It records every level.
    #[track_caller]
    pub(crate) fn keeping(sampler: Sampler) -> &'static Self {
        let lookup = |name: &str| (name == "TRACED_LEVEL").then(|| "trace".to_owned());
        let (config, _) = Config::resolve(&Overrides::default(), &lookup);
        let batch = &config.batch;
        let control = Arc::new(Control::default());
        control.end();
        Box::leak(Box::new(Core::new(Parts {
            queue: Arc::new(Queue::new(
                batch.queue_size.value,
                batch.queue_bytes.value,
                usize::MAX,
            )),
            control,
            counters: Arc::default(),
            senders: Vec::new(),
            reporter: Arc::new(Reporter::new(Severity::Error, Box::new(|_| {}))),
            config: Arc::new(config),
            plan: Plan {
                sampler,
                given: Mutex::default(),
                on_end: Vec::new(),
                environment: None,
            },
            init: Location::caller(),
            records: true,
        })))
    }
}

fn counted(exporter: Box<dyn Exporter>) -> (Box<dyn Exporter>, Arc<SenderCounters>) {
    let counters = Arc::new(SenderCounters::new(exporter.target()));
    (exporter, counters)
}

/// The exporters that the configuration names.
fn built(
    config: &Config,
    reporter: &Reporter,
    lookup: &config::Lookup<'_>,
) -> Vec<Box<dyn Exporter>> {
    let mut exporters = Vec::new();
    for choice in &config.exporters.value {
        match exporter::build(*choice, config, lookup) {
            Ok(exporter) => exporters.push(exporter),
            Err(diagnostic) => reporter.note(diagnostic),
        }
    }
    exporters
}

fn reporter(config: &Config) -> Reporter {
    let shown = match config.own.log_level.value {
        LevelFilter::Off | LevelFilter::Upto(Level::Error) => Severity::Error,
        LevelFilter::Upto(Level::Warn) => Severity::Warning,
        LevelFilter::Upto(_) => Severity::Info,
    };
    let silent = config.own.log.value == LogDestination::Off
        || config.own.log_level.value == LevelFilter::Off;
    Reporter::new(
        shown,
        if silent {
            Box::new(|_| {})
        } else {
            report::stderr()
        },
    )
}

/// The effective configuration, for whoever watches a terminal or asks for it.
fn greeting(config: &Config) -> Option<String> {
    let asked = config.own.log_level.value >= LevelFilter::Upto(Level::Debug);
    (asked || std::io::stderr().is_terminal()).then(|| config.to_string())
}
