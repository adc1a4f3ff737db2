//! From a resolved configuration to a running worker.

use std::io::IsTerminal;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use super::Core;
use super::core::Parts;
use crate::callsite::Level;
#[cfg(feature = "testing")]
use crate::config::Overrides;
use crate::config::{self, Config, LevelFilter, LogDestination, RootSampler};
use crate::diagnostics::{Diagnostic, Severity};
use crate::exporter::{self, Exporter};
use crate::pipeline::control::Control;
use crate::pipeline::queue::Queue;
use crate::pipeline::report::{self, Reporter};
use crate::pipeline::sender::Shared;
use crate::pipeline::stats::{SenderCounters, WorkerCounters};
use crate::pipeline::worker::{self, OnEnd, Setup};
use crate::sampler::Sampler;

/// Where variables are looked up, if not in the process environment.
pub(super) type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The parts of a tracer that are no settings.
pub(crate) struct Plan {
    pub(super) sampler: Sampler,
    /// Exporters given by value; the worker takes them.
    pub(super) given: Mutex<Vec<Box<dyn Exporter>>>,
    pub(super) on_end: Vec<OnEnd>,
    pub(super) environment: Option<Environment>,
    #[cfg(feature = "metrics")]
    pub(super) metering: crate::metrics::Metering,
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
            // Whoever reads the meter has stayed behind.
            #[cfg(feature = "metrics")]
            metering: crate::metrics::Metering::Off,
        }
    }
}

/// The sampler that the configuration names.
pub(super) fn sampler(config: &Config) -> Sampler {
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
    #[cfg(feature = "metrics")]
    let metrics = match config.disabled.value {
        true => None,
        false => plan.metering.start(),
    };
    #[cfg(feature = "metrics")]
    let observed = observed || metrics.is_some();
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
    let senders: Vec<_> = exporters
        .iter()
        .map(|(_, counters)| Arc::clone(counters))
        .collect();
    let greeting = greeting(&config, &senders);
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
        #[cfg(feature = "metrics")]
        times_unsampled: metrics.is_some(),
    })));
    core.follow(before);
    #[cfg(feature = "metrics")]
    let durations = metrics.map(|metrics| {
        metrics.observed.add(core);
        crate::span::time_unsampled();
        metrics.durations
    });
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
        greeting,
        #[cfg(feature = "metrics")]
        durations,
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
                #[cfg(feature = "metrics")]
                metering: crate::metrics::Metering::Off,
            },
            init: Location::caller(),
            records: true,
            #[cfg(feature = "metrics")]
            times_unsampled: false,
        })))
    }
}

fn counted(exporter: Box<dyn Exporter>) -> (Box<dyn Exporter>, Arc<SenderCounters>) {
    let counters = Arc::new(SenderCounters::new(
        exporter.target(),
        #[cfg(feature = "metrics")]
        exporter.component_type(),
    ));
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
    let destination = match config.own.log_level.value {
        LevelFilter::Off => LogDestination::Off,
        _ => config.own.log.value,
    };
    Reporter::new(shown, output(destination))
}

/// Where our own lines go. The configuration offers no destination that is not built in.
fn output(destination: LogDestination) -> report::Output {
    match destination {
        LogDestination::Off => Box::new(|_| {}),
        #[cfg(feature = "log")]
        LogDestination::Log => Box::new(crate::integration::lines_to_log),
        #[cfg(feature = "tracing")]
        LogDestination::Tracing => Box::new(crate::integration::lines_to_tracing),
        #[cfg(feature = "tracing")]
        LogDestination::Automatic => {
            let stderr = report::stderr();
            Box::new(move |line| match crate::integration::has_subscriber() {
                true => crate::integration::lines_to_tracing(line),
                false => stderr(line),
            })
        }
        _ => report::stderr(),
    }
}

/// The effective configuration for whoever asks for it; for whoever watches a terminal, in a line,
/// what matters most.
fn greeting(config: &Config, senders: &[Arc<SenderCounters>]) -> Option<String> {
    if config.own.log_level.value >= LevelFilter::Upto(Level::Debug) {
        return Some(config.to_string());
    }
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let targets: Vec<_> = senders.iter().map(|sender| &*sender.target).collect();
    let targets = match targets.as_slice() {
        [] => "nowhere".to_owned(),
        targets => targets.join(", "),
    };
    let service = crate::plain_text::printable(config.service_name());
    Some(format!(
        "trace-runtime: spans of `{service}` go to {targets}; `OTEL_LOG_LEVEL=debug` shows every setting"
    ))
}
