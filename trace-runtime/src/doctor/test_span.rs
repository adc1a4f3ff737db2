//! One span, sent the usual way.

use std::time::Duration;

use opentelemetry::trace::{Span, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, TraceId};

use super::{Config, Diagnostic, Severity};
use crate::{ExporterStats, OtelTracerProvider, TracerBuilder};

/// The test span and what became of it.
#[derive(Clone, Debug)]
pub(super) struct TestSpan {
    pub(super) trace_id: TraceId,
    pub(super) exporters: Vec<ExporterStats>,
    /// A hook of the application did not let it through.
    dropped_on_end: bool,
}

impl TestSpan {
    /// Sends it through every exporter; says, too, what an exporter complained about at its start.
    #[track_caller]
    pub(super) fn send(
        tracer: TracerBuilder,
        config: &Config,
        limit: Duration,
    ) -> (Option<Self>, Vec<Diagnostic>) {
        let core = tracer.start_for_doctor(config);
        let mut diagnostics = core.reporter.diagnostics();
        diagnostics.retain(|diagnostic| diagnostic.severity() == Severity::Error);
        let mut sent = None;
        if !core.senders.is_empty() {
            let tracer = OtelTracerProvider::of(core).tracer("trace-runtime");
            let mut span = tracer.start_with_context("doctor", &Context::new());
            let trace_id = span.span_context().trace_id();
            Span::end(&mut span);
            // What went wrong is told by the figures of each exporter.
            let _ = core.flush(limit);
            let stats = core.stats();
            sent = Some(Self {
                trace_id,
                exporters: stats.exporters,
                dropped_on_end: stats.dropped_on_end > 0,
            });
        }
        let _ = core.shutdown(Duration::from_millis(500).min(limit));
        (sent, diagnostics)
    }

    /// The targets where it did not arrive, and why, one sentence each.
    pub(super) fn problems(&self) -> impl Iterator<Item = (&str, String)> {
        let dropped = "a hook of `with_on_end` drops the test span".to_owned();
        let failed = self.exporters.iter().filter_map(problem);
        let dropped = self.dropped_on_end.then_some(("", dropped));
        dropped.into_iter().chain(failed)
    }

    /// What to look for at the receiver, and what to expect there.
    pub(super) fn shown(&self, service: &str) -> String {
        let problems: Vec<_> = self.problems().map(|(_, problem)| problem).collect();
        let id = self.trace_id;
        if problems.is_empty() {
            let targets: Vec<_> = self.exporters.iter().map(|e| e.target.as_str()).collect();
            let targets = targets.join(", ");
            return format!("test span: trace {id} of service `{service}` was sent to {targets}");
        }
        format!(
            "test span: trace {id}\n  problem: {}",
            problems.join("\n  problem: ")
        )
    }
}

fn problem(exporter: &ExporterStats) -> Option<(&str, String)> {
    let target = &exporter.target;
    if exporter.failed + exporter.queued == 0 {
        return None;
    }
    let reason = exporter
        .last_error
        .as_deref()
        .unwrap_or("no answer in time");
    let problem = format!("the test span was not delivered to {target}: {reason}");
    Some((target, problem))
}
