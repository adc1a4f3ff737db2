//! From what code and environment say to a running tracer.

use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::launch::{Environment, Plan, launch, sampler};
use super::{Core, Tracer, TracerGuard, global};
use crate::ToValue;
use crate::callsite::Level;
use crate::config::{self, Config, DoctorMode, Filter, LevelFilter, LogDestination, Overrides};
use crate::diagnostics::Diagnostic;
use crate::error::InitError;
use crate::exporter::Exporter;
use crate::pipeline::thread::while_starting;
use crate::pipeline::worker::OnEnd;
use crate::record::{Keep, SpanRecord};
use crate::sampler::Sampler;
use crate::value::into_owned;

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
    #[cfg(feature = "metrics")]
    metering: crate::metrics::Metering,
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

    /// Has the crate `opentelemetry-jaeger`, which is archived, send what goes to the agent, instead
    /// of `TRACED_JAEGER=opentelemetry-jaeger`.
    ///
    /// For those who want, byte by byte, what they had: it fills no datagrams, looks the agent's
    /// host up once only, and leaves out how much was dropped.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), trace_runtime::InitError> {
    /// let _guard = trace_runtime::Tracer::builder()
    ///     .with_agent("127.0.0.1:6831")
    ///     .with_opentelemetry_jaeger(true)
    ///     .install()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "opentelemetry-jaeger")]
    pub fn with_opentelemetry_jaeger(mut self, archived: bool) -> Self {
        self.overrides.opentelemetry_jaeger = Some(archived);
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
        self.with_exporter(crate::exporter::sdk::SdkExporter::new(exporter))
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

    /// Reports [metrics](crate::metrics) to this meter, instead of to the global meter provider.
    /// Two tracers on one meter would tell the same series: give each a meter of its own.
    ///
    /// ```
    /// use opentelemetry_sdk::metrics::SdkMeterProvider;
    /// use trace_runtime::Tracer;
    /// use trace_runtime::opentelemetry::metrics::MeterProvider as _;
    ///
    /// # fn main() -> Result<(), trace_runtime::InitError> {
    /// let meters = SdkMeterProvider::builder().build();
    /// let (tracer, guard) = Tracer::builder()
    ///     .with_env(|_| None)
    ///     .with_meter(meters.meter("orders"))
    ///     .build()?;
    /// # let _ = (tracer, guard);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "metrics")]
    pub fn with_meter(mut self, meter: opentelemetry::metrics::Meter) -> Self {
        self.metering = crate::metrics::Metering::Given(meter);
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
            && !self.has_meter()
    }

    fn has_meter(&self) -> bool {
        #[cfg(feature = "metrics")]
        let given = matches!(self.metering, crate::metrics::Metering::Given(_));
        #[cfg(not(feature = "metrics"))]
        let given = false;
        given
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
            #[cfg(feature = "metrics")]
            metering: self.metering,
        };
        launch(config, plan, diagnostics, init, before)
    }
}
