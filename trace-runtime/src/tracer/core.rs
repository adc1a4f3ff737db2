//! What every span of a tracer refers to.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use opentelemetry::trace::SpanKind;
use opentelemetry::{Array, KeyValue};

use super::global;
use super::launch::{Plan, launch};
use crate::callsite::{self, Callsite};
use crate::config::{Arguments, CancelledMode, Config, PropagatorChoice};
use crate::diagnostics::Diagnostic;
use crate::error::FlushError;
use crate::pipeline::control::{Control, Request};
use crate::pipeline::queue::Queue;
use crate::pipeline::report::Reporter;
use crate::pipeline::stats::{Delivery, SenderCounters, Stats, WorkerCounters};
use crate::propagation::{self, Format, Propagators, TextMap};
use crate::redact::ExtraWords;
use crate::sampler::Sampler;
use crate::value::ValueLimits;

/// The fixed state of one tracer. It lives as long as the process, so that spans refer to it without
/// counting references; its buffers and exporters go when it is shut down.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) sampler: Sampler,
    pub(crate) limits: Limits,
    pub(crate) arguments: Arguments,
    pub(crate) cancelled: CancelledMode,
    extra_words: ExtraWords,
    pub(crate) queue: Arc<Queue>,
    pub(crate) control: Arc<Control>,
    pub(crate) counters: Arc<WorkerCounters>,
    pub(crate) senders: Vec<Arc<SenderCounters>>,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) config: Arc<Config>,
    /// Names the place of the init call, for the warning about a guard that was dropped at once.
    pub(crate) init: &'static std::panic::Location<'static>,
    pub(crate) started: Instant,
    /// The tracer that this one replaced; what it has recorded is delivered under its own settings.
    predecessor: OnceCell<&'static Core>,
    pub(crate) plan: Plan,
    /// The fork of the process that the worker belongs to, and the tracer's successor in a child.
    pub(crate) fork: u32,
    revived: OnceCell<&'static Core>,
    max_level: AtomicU8,
    closed: AtomicBool,
    after_shutdown: AtomicU64,
    /// Whether spans that are not sampled are timed.
    #[cfg(feature = "metrics")]
    pub(crate) times_unsampled: bool,
    /// Local roots that are recorded without being sampled.
    #[cfg(feature = "metrics")]
    pub(crate) record_only: AtomicU64,
    last: Mutex<Option<Result<(), FlushError>>>,
    #[cfg(feature = "remote-sampler")]
    poller: Mutex<Option<crate::sampler::Poller>>,
}

/// How much one span holds.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) attributes: u64,
    pub(crate) events: u64,
    pub(crate) links: u64,
    pub(crate) attributes_per_event: u64,
    pub(crate) attributes_per_link: u64,
    pub(crate) arguments: ValueLimits,
}

impl Limits {
    /// Cuts a text that is longer than the configured limit; without one it stays whole.
    pub(crate) fn cut(&self, value: opentelemetry::Value) -> opentelemetry::Value {
        let Some(length) = self.arguments.length else {
            return value;
        };
        match value {
            opentelemetry::Value::String(text) if text.as_str().len() > length => {
                shorten(text.as_str(), length).into()
            }
            opentelemetry::Value::Array(Array::String(texts)) => {
                let cut = |text: opentelemetry::StringValue| shorten(text.as_str(), length).into();
                opentelemetry::Value::Array(Array::String(texts.into_iter().map(cut).collect()))
            }
            other => other,
        }
    }

    /// Keeps at most `most` attributes, each key once; says how many are left out.
    pub(crate) fn cut_list(&self, attributes: Vec<KeyValue>, most: u64) -> (Vec<KeyValue>, u32) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let dropped = attributes.len().saturating_sub(most);
        let cut = |KeyValue { key, value, .. }| KeyValue::new(key, self.cut(value));
        (
            attributes.into_iter().take(most).map(cut).collect(),
            dropped as u32,
        )
    }
}

fn shorten(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

impl Arguments {
    /// Whether an argument is recorded at all.
    #[inline]
    pub(crate) fn keeps(self, is_text: impl FnOnce() -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Scalars => !is_text(),
            Self::None => false,
        }
    }
}

impl CancelledMode {
    /// Whether a dropped future is an error.
    pub(crate) fn is_error(self, kind: &SpanKind) -> bool {
        match self {
            Self::Kind => matches!(kind, SpanKind::Client | SpanKind::Producer),
            Self::Error => true,
            Self::Unset => false,
        }
    }
}

impl Core {
    pub(super) fn new(parts: Parts) -> Self {
        let config = parts.config;
        let limits = &config.limits;
        Self {
            sampler: parts.plan.sampler.clone(),
            limits: Limits {
                attributes: limits.attributes.value as u64,
                events: limits.events.value as u64,
                links: limits.links.value as u64,
                attributes_per_event: limits.attributes_per_event.value as u64,
                attributes_per_link: limits.attributes_per_link.value as u64,
                arguments: ValueLimits {
                    length: limits.value_length.value,
                },
            },
            arguments: config.own.arguments.value,
            cancelled: config.own.cancelled.value,
            extra_words: ExtraWords::new(config.own.redact.value.iter().cloned()),
            max_level: AtomicU8::new(if parts.records { config.max_level() } else { 0 }),
            queue: parts.queue,
            control: parts.control,
            counters: parts.counters,
            senders: parts.senders,
            reporter: parts.reporter,
            init: parts.init,
            started: Instant::now(),
            predecessor: OnceCell::new(),
            #[cfg(feature = "remote-sampler")]
            poller: Mutex::default(),
            plan: parts.plan,
            fork: global::forks(),
            revived: OnceCell::new(),
            closed: AtomicBool::new(false),
            after_shutdown: AtomicU64::new(0),
            #[cfg(feature = "metrics")]
            times_unsampled: parts.times_unsampled,
            #[cfg(feature = "metrics")]
            record_only: AtomicU64::new(0),
            last: Mutex::new(None),
            config,
        }
    }

    /// This tracer, or what takes its place in a forked child.
    #[inline]
    pub(crate) fn here(&'static self) -> &'static Core {
        if self.is_here() { self } else { self.revive() }
    }

    /// Whether the process has not been forked since the tracer started.
    #[inline]
    pub(crate) fn is_here(&self) -> bool {
        self.fork == global::forks()
    }

    /// This tracer, or what took its place in a forked child, if anything did.
    pub(super) fn of_this_process(&'static self) -> Option<&'static Core> {
        if self.fork == global::forks() {
            Some(self)
        } else {
            self.revived.get().copied()
        }
    }

    #[cold]
    fn revive(&'static self) -> &'static Core {
        self.revived.get_or_init(|| {
            let config = self.config.after_fork();
            launch(config, self.plan.after_fork(), Vec::new(), self.init, None)
        })
    }

    /// The highest level that may record; 0 when nothing does.
    pub(crate) fn max_level(&self) -> u8 {
        self.max_level.load(Ordering::Relaxed)
    }

    /// What `before` has recorded, and the spans still open there, are delivered with ours.
    pub(super) fn follow(&self, before: Option<&'static Core>) {
        if let Some(before) = before {
            let _ = self.predecessor.set(before);
        }
    }

    /// Makes the formats of the configuration those of the process.
    pub(super) fn install_propagators(&self) {
        let propagators = propagators(&self.config);
        propagation::set_propagators(propagators);
        opentelemetry::global::set_text_map_propagator(TextMap::from(propagators));
    }

    /// Starts what the sampler does in the background.
    #[cfg(feature = "remote-sampler")]
    pub(super) fn start_sampler(&self) {
        let (reporter, waker) = (Arc::clone(&self.reporter), Arc::clone(&self.queue));
        let report = move |message: String| {
            reporter.note(Diagnostic::warning(message));
            waker.waker.unpark();
        };
        match self.sampler.start(self.config.service_name(), report) {
            Ok(poller) => *self.poller.lock().unwrap_or_else(PoisonError::into_inner) = poller,
            Err(error) => {
                self.note(Diagnostic::error(format!(
                    "the sampler's thread cannot start: {error}"
                )));
            }
        }
    }

    #[cfg(not(feature = "remote-sampler"))]
    pub(super) fn start_sampler(&self) {}

    /// Whether this call site's spans are recorded.
    #[inline]
    pub(crate) fn records(&self, callsite: &'static Callsite) -> bool {
        if self.is_closed() {
            self.note_late_start();
            return false;
        }
        callsite.level as u8 <= self.max_level()
            && (self.config.filter.value.directives.is_empty() || self.passes_filter(callsite))
    }

    fn passes_filter(&self, callsite: &'static Callsite) -> bool {
        let site = callsite::site(callsite.site_id());
        let path = site.code.as_ref().map_or("", |code| &code.function);
        self.config.filter.value.level(path).enables(callsite.level)
    }

    /// Whether `TRACED_REDACT` hides this key.
    #[inline]
    pub(crate) fn hides(&self, callsite: &'static Callsite, index: usize) -> bool {
        !self.extra_words.is_empty()
            && !callsite.shows(index)
            && self.extra_words.hides(callsite.key(index))
    }

    /// Whether `TRACED_REDACT` hides a key that is set while the span runs.
    #[inline]
    pub(crate) fn hides_late(&self, key: &str) -> bool {
        !self.extra_words.is_empty() && self.extra_words.hides(key)
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Counts a local root, unless it is sampled.
    #[cfg(feature = "metrics")]
    pub(crate) fn count_record_only(&self, sampled: bool) {
        if !sampled {
            self.record_only.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn count_after_shutdown(&self) {
        self.after_shutdown.fetch_add(1, Ordering::Relaxed);
    }

    /// A span wants to start although the guard is gone.
    #[cold]
    fn note_late_start(&self) {
        self.control.note_late_start(&self.queue.waker);
    }

    /// Delivers what has ended so far.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        if self.control.has_finished() {
            return self.last().unwrap_or(Ok(()));
        }
        let until = deadline(timeout);
        let own = match self
            .control
            .ask(&self.queue.waker, Request::Flush { until })
        {
            Some(delivery) => outcome(&delivery),
            None => Err(self.unanswered(timeout)),
        };
        self.predecessor
            .get()
            .map_or(Ok(()), |before| before.flush(timeout))
            .and(own)
    }

    /// Delivers what has ended, then ends. Doing it again answers the same.
    pub(crate) fn shutdown(&'static self, timeout: Duration) -> Result<(), FlushError> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return self.last().unwrap_or(Ok(()));
        }
        global::deactivate(self);
        let until = deadline(timeout);
        let before = self
            .predecessor
            .get()
            .map_or(Ok(()), |before| before.shutdown(timeout));
        let own = match self
            .control
            .ask(&self.queue.waker, Request::Shutdown { until })
        {
            Some(delivery) => outcome(&delivery),
            None => Err(self.unanswered(timeout)),
        };
        self.queue.close();
        #[cfg(feature = "remote-sampler")]
        drop(
            self.poller
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let result = before.and(own);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.clone());
        result
    }

    fn last(&self) -> Option<Result<(), FlushError>> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn unanswered(&self, timeout: Duration) -> FlushError {
        let stats = self.stats();
        let reason = stats
            .exporters
            .iter()
            .find_map(|exporter| exporter.last_error.clone())
            .unwrap_or_else(|| "no answer".into());
        let reason = format!("not done after {} ms: {reason}", timeout.as_millis());
        FlushError::new(0, stats.queued, reason)
    }

    /// What became of the finished spans.
    pub(crate) fn stats(&self) -> Stats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // What spans become is read before how many there are, so that no figure overtakes the sum.
        let mut stats = Stats {
            exported: load(&self.counters.exported),
            failed: load(&self.counters.failed),
            dropped_too_large: load(&self.counters.dropped_too_large),
            dropped_on_end: load(&self.counters.dropped_on_end),
            dropped_not_sampled: load(&self.counters.dropped_not_sampled),
            dropped_after_shutdown: load(&self.after_shutdown),
            exporters: self
                .senders
                .iter()
                .map(|sender| sender.snapshot())
                .collect(),
            ..Stats::default()
        };
        let totals = self.queue.totals();
        stats.dropped_queue_full = totals.dropped_queue_full;
        stats.ended = totals.ended + stats.dropped_after_shutdown;
        stats.open = totals.open.values().sum::<i64>().max(0) as u64;
        let known = stats.exported
            + stats.failed
            + stats.dropped_too_large
            + stats.dropped_on_end
            + stats.dropped_not_sampled
            + stats.dropped_after_shutdown
            + stats.dropped_queue_full;
        stats.queued = stats.ended.saturating_sub(known);
        if self.control.has_finished() {
            // Nobody will fetch what came after the worker's last look.
            stats.dropped_after_shutdown += std::mem::take(&mut stats.queued);
        }
        stats
    }

    pub(crate) fn note(&self, diagnostic: Diagnostic) {
        self.reporter.note(diagnostic);
        self.queue.waker.unpark();
    }
}

/// When a wait must be over; no timeout is too long to say.
fn deadline(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + timeout.min(YEAR)
}

fn outcome(delivery: &Delivery) -> Result<(), FlushError> {
    let lost = delivery.failed + delivery.queued;
    if lost == 0 {
        return Ok(());
    }
    // What came after a refusal may have been delivered, and then there is no last error.
    let unnamed = if delivery.queued == 0 {
        "refused, as the diagnostics tell"
    } else {
        "not delivered in time"
    };
    let reason = delivery.reason.clone().unwrap_or_else(|| unnamed.into());
    Err(FlushError::new(delivery.exported, lost, reason))
}

/// What a core is made of.
pub(super) struct Parts {
    pub(super) config: Arc<Config>,
    pub(super) plan: Plan,
    pub(super) queue: Arc<Queue>,
    pub(super) control: Arc<Control>,
    pub(super) counters: Arc<WorkerCounters>,
    pub(super) senders: Vec<Arc<SenderCounters>>,
    pub(super) reporter: Arc<Reporter>,
    pub(super) init: &'static std::panic::Location<'static>,
    pub(super) records: bool,
    #[cfg(feature = "metrics")]
    pub(super) times_unsampled: bool,
}

impl Config {
    /// The most that any call site may record, as a number.
    fn max_level(&self) -> u8 {
        match self.filter.value.max_level() {
            crate::config::LevelFilter::Off => 0,
            crate::config::LevelFilter::Upto(level) => level as u8,
        }
    }
}

fn propagators(config: &Config) -> Propagators {
    let chosen = &config.propagators.value;
    let format = |choice: &PropagatorChoice| match choice {
        PropagatorChoice::TraceContext => Format::TraceContext,
        PropagatorChoice::Baggage => Format::Baggage,
        PropagatorChoice::B3Single => Format::B3,
        PropagatorChoice::B3Multi => Format::B3Multi,
        PropagatorChoice::Jaeger => Format::Jaeger,
    };
    let formats: Vec<_> = chosen.list.iter().map(format).collect();
    let propagators = Propagators::new(&formats);
    if chosen.first_wins {
        propagators.first_wins()
    } else {
        propagators
    }
}
