//! The figures that are read from the tracers' books when a reader asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use once_cell::sync::Lazy;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use crate::pipeline::stats::SenderCounters;
use crate::tracer::Core;

/// The tracers whose figures one set of instruments tells.
#[derive(Debug, Default)]
pub(crate) struct Observed(Mutex<Vec<Tracer>>);

#[derive(Debug)]
struct Tracer {
    core: &'static Core,
    /// The most that was told so far, because a counter must not fall: a span that ends while the
    /// threads' books are read may be missing in both.
    started: [AtomicU64; 3],
    processor: [KeyValue; 2],
    exporters: Vec<[KeyValue; 2]>,
}

/// The tracers on the global meter. Its instruments are made once, however many tracers start: they
/// would tell the same series.
static GLOBAL: Lazy<Mutex<Option<Arc<Observed>>>> = Lazy::new(Mutex::default);

impl Observed {
    /// The instruments on the global meter; `None` while there is no provider.
    pub(super) fn global(meter: &Meter) -> Option<Arc<Self>> {
        let mut global = GLOBAL.lock().unwrap_or_else(PoisonError::into_inner);
        if global.is_none() {
            *global = Self::start(meter);
        }
        global.clone()
    }

    /// Makes the instruments; `None` if the meter throws them away.
    pub(super) fn start(meter: &Meter) -> Option<Arc<Self>> {
        let observed = Arc::new(Self::default());
        observed.count_spans(meter);
        observed.count_queue(meter);
        observed.count_exports(meter);
        // A meter that keeps the callbacks keeps what they refer to.
        (Arc::strong_count(&observed) > 1).then_some(observed)
    }

    /// One more tracer.
    pub(crate) fn add(&self, core: &'static Core) {
        let mut tracers = self.tracers();
        let number = tracers.len();
        let before: Vec<_> = tracers.iter().flat_map(|t| t.exporters.clone()).collect();
        let mut exporters: Vec<[KeyValue; 2]> = Vec::new();
        for sender in &core.senders {
            let alike = |other: &&[KeyValue; 2]| other[0].value.as_str() == sender.component_type;
            let number = before.iter().chain(&exporters).filter(alike).count();
            exporters.push(component(sender.component_type, number));
        }
        tracers.push(Tracer {
            core,
            started: Default::default(),
            processor: component("batching_span_processor", number),
            exporters,
        });
    }

    fn tracers(&self) -> MutexGuard<'_, Vec<Tracer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_spans(self: &Arc<Self>, meter: &Meter) {
        let all = Arc::clone(self);
        meter
            .u64_observable_counter("otel.sdk.span.started")
            .with_unit("{span}")
            .with_description("The number of created spans.")
            .with_callback(move |to| {
                let results = ["RECORD_AND_SAMPLE", "RECORD_ONLY", "DROP"];
                for (at, result) in results.into_iter().enumerate() {
                    let started: u64 = all.tracers().iter().map(|tracer| tracer.started(at)).sum();
                    let attributes = [KeyValue::new("otel.span.sampling_result", result)];
                    observe(to, started, &attributes);
                }
            })
            .build();
        let all = Arc::clone(self);
        meter
            .i64_observable_up_down_counter("otel.sdk.span.live")
            .with_unit("{span}")
            .with_description("The number of recorded spans that have not ended yet.")
            .with_callback(move |to| {
                let live = |tracer: &Tracer| tracer.core.stats().open as i64;
                to.observe(all.tracers().iter().map(live).sum(), &[]);
            })
            .build();
    }

    fn count_queue(self: &Arc<Self>, meter: &Meter) {
        let all = Arc::clone(self);
        meter
            .i64_observable_up_down_counter("otel.sdk.processor.span.queue.size")
            .with_unit("{span}")
            .with_description("The number of spans that wait for delivery.")
            .with_callback(move |to| {
                for tracer in all.tracers().iter() {
                    to.observe(tracer.core.stats().queued as i64, &tracer.processor);
                }
            })
            .build();
        let all = Arc::clone(self);
        meter
            .i64_observable_up_down_counter("otel.sdk.processor.span.queue.capacity")
            .with_unit("{span}")
            .with_description("The most spans that may wait for delivery.")
            .with_callback(move |to| {
                for tracer in all.tracers().iter() {
                    let capacity = tracer.core.config.batch.queue_size.value;
                    to.observe(capacity as i64, &tracer.processor);
                }
            })
            .build();
        let all = Arc::clone(self);
        meter
            .u64_observable_counter("otel.sdk.processor.span.processed")
            .with_unit("{span}")
            .with_description("The number of spans whose processing has finished.")
            .with_callback(move |to| {
                for tracer in all.tracers().iter() {
                    let stats = tracer.core.stats();
                    let handed_on = stats.exported + stats.failed + stats.dropped_too_large;
                    to.observe(handed_on, &tracer.processor);
                    let lost = [
                        ("queue_full", stats.dropped_queue_full),
                        ("already_shutdown", stats.dropped_after_shutdown),
                        ("dropped_on_end", stats.dropped_on_end),
                    ];
                    observe_lost(to, &tracer.processor, &lost);
                }
            })
            .build();
    }

    fn count_exports(self: &Arc<Self>, meter: &Meter) {
        let all = Arc::clone(self);
        meter
            .i64_observable_up_down_counter("otel.sdk.exporter.span.inflight")
            .with_unit("{span}")
            .with_description("The number of spans an exporter has and has not delivered.")
            .with_callback(move |to| {
                for tracer in all.tracers().iter() {
                    for (sender, component) in tracer.exporters() {
                        to.observe(sender.snapshot().queued as i64, component);
                    }
                }
            })
            .build();
        let all = Arc::clone(self);
        meter
            .u64_observable_counter("otel.sdk.exporter.span.exported")
            .with_unit("{span}")
            .with_description("The number of spans an exporter is done with.")
            .with_callback(move |to| {
                for tracer in all.tracers().iter() {
                    for (sender, component) in tracer.exporters() {
                        // The part before the whole, so that the rest is never negative.
                        let undelivered = sender.undelivered.load(Ordering::Relaxed);
                        let sent = sender.snapshot();
                        to.observe(sent.exported, component);
                        let lost = [
                            ("rejected", sent.failed.saturating_sub(undelivered)),
                            ("undelivered", undelivered),
                            ("too_large", sent.dropped_too_large),
                        ];
                        observe_lost(to, component, &lost);
                    }
                }
            })
            .build();
    }
}

impl Tracer {
    /// Spans that began, by what the sampler said.
    fn started(&self, result: usize) -> u64 {
        let core = self.core;
        let record_only = core.record_only.load(Ordering::Relaxed);
        let started = match result {
            0 => {
                let stats = core.stats();
                (stats.ended + stats.open).saturating_sub(record_only)
            }
            1 => record_only,
            _ => core.queue.totals().unsampled,
        };
        let before = self.started[result].fetch_max(started, Ordering::Relaxed);
        started.max(before)
    }

    fn exporters(&self) -> impl Iterator<Item = (&SenderCounters, &[KeyValue; 2])> {
        let senders = self.core.senders.iter().map(|sender| &**sender);
        senders.zip(&self.exporters)
    }
}

/// `otel.component.*` of one of its type.
fn component(kind: &'static str, number: usize) -> [KeyValue; 2] {
    [
        KeyValue::new("otel.component.type", kind),
        KeyValue::new("otel.component.name", format!("{kind}/{number}")),
    ]
}

/// What never happened needs no series.
fn observe(to: &dyn AsyncInstrument<u64>, count: u64, attributes: &[KeyValue]) {
    if count > 0 {
        to.observe(count, attributes);
    }
}

fn observe_lost(
    to: &dyn AsyncInstrument<u64>,
    component: &[KeyValue; 2],
    lost: &[(&'static str, u64)],
) {
    for (error_type, count) in lost {
        let [kind, name] = component.clone();
        observe(
            to,
            *count,
            &[kind, name, KeyValue::new("error.type", *error_type)],
        );
    }
}
