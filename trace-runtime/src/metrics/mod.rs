//! Metrics about spans, over the OpenTelemetry metrics API: how many there are and what became of them,
//! and how long they took, sampled or not.
//!
//! With this feature a tracer reports to the global meter provider, if one is set *before* the tracer
//! starts, or to the meter given by [`with_meter`](crate::TracerBuilder::with_meter). Where there is
//! neither, nothing is measured and nothing is paid.
//!
//! # What spans do
//!
//! By version 1.37.0 of the semantic conventions for SDK metrics. All are read from the tracer's own
//! books, the ones of [`Stats`](crate::Stats), when a reader asks; a span pays nothing for them.
//!
//! | metric | what it counts | attributes |
//! |---|---|---|
//! | `otel.sdk.span.started` | spans that began, recorded or not | `otel.span.sampling_result` |
//! | `otel.sdk.span.live` | recorded spans that have not ended | |
//! | `otel.sdk.processor.span.queue.size` | spans that wait for delivery, those under retry included | component |
//! | `otel.sdk.processor.span.queue.capacity` | how many may wait | component |
//! | `otel.sdk.processor.span.processed` | spans that left the queue or never entered it | component, `error.type` |
//! | `otel.sdk.exporter.span.inflight` | spans an exporter has and has not delivered | component |
//! | `otel.sdk.exporter.span.exported` | spans an exporter is done with | component, `error.type` |
//!
//! *component* is `otel.component.type` and `otel.component.name`. `error.type` of the processor is
//! `queue_full`, `already_shutdown` or `dropped_on_end` (by `with_on_end`); of an exporter, `rejected`,
//! `too_large` or `undelivered` (the last attempt before the end failed).
//!
//! # How long they took
//!
//! `traces.span.metrics.duration`, in seconds, is a histogram by `span.name` and, for spans that failed,
//! `error.type`. It counts *before* sampling: with one trace in a hundred exported, the histogram has all
//! hundred. The worker fills it from the finished spans, so a sampled span pays nothing on its thread; one
//! that is not sampled pays for two readings of the clock and a short record: about three quarters of a
//! sampled span, where it cost next to nothing before. Its arguments are not evaluated.
//!
//! At most 500 names and 100 error types are told apart; what comes after counts as `_OTHER`. Not in the
//! histogram are spans that were off (`TRACED_LEVEL`, `TRACED_FILTER`), dropped because the queue was full,
//! or still open.
//!
//! # A program
//!
//! ```
//! use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
//! use trace_runtime::{Sampler, Tracer, traced};
//!
//! #[traced]
//! fn greet(name: &str) -> String {
//!     format!("hello, {name}")
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let exporter = InMemoryMetricExporter::default(); // a service uses OTLP or Prometheus
//!     let meters = SdkMeterProvider::builder()
//!         .with_periodic_exporter(exporter.clone())
//!         .build();
//!     trace_runtime::opentelemetry::global::set_meter_provider(meters.clone());
//!
//!     let guard = Tracer::builder()
//!         .with_env(|name| (name == "OTEL_TRACES_EXPORTER").then(|| "none".to_owned()))
//!         .with_sampler(Sampler::ratio(0.01))
//!         .install()?;
//!     (0..50).for_each(|_| drop(greet("world")));
//!     guard.flush()?;
//!     meters.force_flush()?;
//!
//!     let metrics = exporter.get_finished_metrics()?;
//!     let all = metrics.iter().flat_map(|metrics| metrics.scope_metrics());
//!     let names: Vec<_> = all.flat_map(|scope| scope.metrics()).map(|m| m.name()).collect();
//!     assert!(names.contains(&"otel.sdk.span.started"));
//!     assert!(names.contains(&"traces.span.metrics.duration"));
//!     Ok(())
//! }
//! ```

mod durations;
mod observed;

use opentelemetry::InstrumentationScope;
use opentelemetry::metrics::Meter;

pub(crate) use durations::Durations;
pub(crate) use observed::Observed;

/// Where a tracer's metrics go.
#[derive(Clone, Debug, Default)]
pub(crate) enum Metering {
    /// To the global meter provider, if there is one.
    #[default]
    Global,
    /// To this meter.
    Given(Meter),
    /// Nowhere.
    Off,
}

/// What one tracer measures by.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) durations: Durations,
    pub(crate) observed: std::sync::Arc<Observed>,
}

impl Metering {
    /// The instruments; `None` if nobody would ever read them.
    pub(crate) fn start(&self) -> Option<Metrics> {
        let (meter, observed) = match self {
            Self::Off => return None,
            Self::Given(meter) => (meter.clone(), Observed::start(meter)?),
            Self::Global => {
                let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
                    .with_version(env!("CARGO_PKG_VERSION"))
                    .with_schema_url("https://opentelemetry.io/schemas/1.37.0")
                    .build();
                let meter = opentelemetry::global::meter_with_scope(scope);
                let observed = Observed::global(&meter)?;
                (meter, observed)
            }
        };
        Some(Metrics {
            durations: Durations::new(&meter),
            observed,
        })
    }
}
