//! Puts spans together to traces, and tells when a trace is ready to be drawn.
//!
//! Spans of one trace come in several batches, from several tracers of the process. A trace is whole
//! when its root is there and no span's parent in this process is missing; it is drawn when, for a
//! while, nothing more came.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::{SpanId, TraceId};

use crate::record::SpanRecord;

/// After so long without news, a trace that is not whole is drawn as it is: its missing spans were
/// dropped, or take longer than anybody wants to wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// A span and the service it comes from.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) record: SpanRecord,
    pub(super) service: Arc<str>,
}

/// The spans of a trace that have arrived.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) id: TraceId,
    pub(super) spans: Vec<Span>,
    /// The trace was drawn already, without these spans.
    continues: bool,
    whole: bool,
    /// Eldest first.
    number: u64,
    touched: Instant,
}

impl Trace {
    /// Whether the root and every parent are there.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether these are stragglers of a trace that was drawn.
    pub(super) fn is_late(&self) -> bool {
        self.continues && !self.spans.iter().any(|span| is_local_root(&span.record))
    }

    fn find_out_whether_whole(&mut self) {
        let ids: HashSet<SpanId> = self.spans.iter().map(|span| span.record.span_id).collect();
        let mut spans = self.spans.iter().map(|span| &span.record);
        self.whole = spans.clone().any(is_local_root)
            && spans.all(|span| is_local_root(span) || ids.contains(&span.parent_span_id));
    }

    fn start(&self) -> Option<SystemTime> {
        self.spans.iter().map(|span| span.record.start_time).min()
    }

    fn due(&self, grace: Duration) -> Instant {
        let wait = if self.whole || self.continues {
            grace
        } else {
            PATIENCE
        };
        self.touched + wait
    }
}

fn is_local_root(span: &SpanRecord) -> bool {
    span.parent_span_id == SpanId::INVALID || span.is_parent_remote
}

/// How much is held back at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) traces: usize,
    pub(super) spans_of_a_trace: usize,
    pub(super) spans: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            traces: 1000,
            spans_of_a_trace: 1000,
            spans: 20_000,
        }
    }
}

/// The traces that have not been drawn.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    limits: Limits,
    open: HashMap<TraceId, Trace>,
    /// Traces that were drawn, and these again in order of drawing.
    drawn: HashSet<TraceId>,
    drawn_in_order: VecDeque<TraceId>,
    spans: usize,
    traces: u64,
}

impl Assembler {
    #[cfg(test)]
    pub(super) fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes the spans of one batch; gives back the traces for which there is no more room.
    pub(super) fn add(&mut self, spans: impl Iterator<Item = Span>, now: Instant) -> Vec<Trace> {
        let mut touched = HashSet::new();
        let mut full = Vec::new();
        for span in spans {
            let id = span.record.trace_id;
            touched.insert(id);
            full.extend(self.push(span, now));
        }
        for id in touched {
            if let Some(trace) = self.open.get_mut(&id) {
                trace.find_out_whether_whole();
            }
        }
        full
    }

    fn push(&mut self, span: Span, now: Instant) -> Option<Trace> {
        let id = span.record.trace_id;
        let trace = self.open.entry(id).or_insert_with(|| {
            self.traces += 1;
            Trace {
                id,
                spans: Vec::new(),
                continues: self.drawn.contains(&id),
                whole: false,
                number: self.traces,
                touched: now,
            }
        });
        trace.touched = now;
        trace.spans.push(span);
        self.spans += 1;
        if trace.spans.len() >= self.limits.spans_of_a_trace {
            trace.find_out_whether_whole();
            return self.take(id);
        }
        if self.open.len() > self.limits.traces || self.spans > self.limits.spans {
            let eldest = self.open.values().min_by_key(|trace| trace.number)?.id;
            return self.take(eldest);
        }
        None
    }

    /// The traces that are due, in the order in which they started.
    pub(super) fn take_due(&mut self, now: Instant, grace: Duration) -> Vec<Trace> {
        self.take_if(|trace| trace.due(grace) <= now)
    }

    /// Everything.
    pub(super) fn take_all(&mut self) -> Vec<Trace> {
        self.take_if(|_| true)
    }

    /// When the next trace is due, if nothing comes until then.
    pub(super) fn next_due(&self, grace: Duration) -> Option<Instant> {
        self.open.values().map(|trace| trace.due(grace)).min()
    }

    fn take_if(&mut self, which: impl Fn(&Trace) -> bool) -> Vec<Trace> {
        let found = self.open.values().filter(|trace| which(trace));
        let ids: Vec<TraceId> = found.map(|trace| trace.id).collect();
        let mut traces: Vec<Trace> = ids.into_iter().filter_map(|id| self.take(id)).collect();
        traces.sort_by_key(Trace::start);
        traces
    }

    fn take(&mut self, id: TraceId) -> Option<Trace> {
        let trace = self.open.remove(&id)?;
        self.spans -= trace.spans.len();
        if self.drawn.insert(id) {
            self.drawn_in_order.push_back(id);
        }
        if self.drawn_in_order.len() > self.limits.traces {
            if let Some(oldest) = self.drawn_in_order.pop_front() {
                self.drawn.remove(&oldest);
            }
        }
        Some(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::sample::{SpanExt, span};

    const GRACE: Duration = Duration::from_millis(100);

    fn of(trace: u128, mut record: SpanRecord) -> Span {
        record.trace_id = TraceId::from(trace);
        Span {
            record,
            service: "orders".into(),
        }
    }

    fn ids(traces: &[Trace]) -> Vec<u128> {
        let id = |trace: &Trace| u128::from_be_bytes(trace.id.to_bytes());
        traces.iter().map(id).collect()
    }

    #[test]
    fn a_trace_is_whole_when_root_and_parents_are_there() {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        let mut add = |span, now| {
            assembler.add([of(1, span)].into_iter(), now);
            ids(&assembler.take_due(now + GRACE, GRACE))
        };
        assert!(add(span(3, 2, "leaf"), now).is_empty());
        assert!(add(span(1, 0, "root"), now).is_empty());
        assert_eq!(add(span(2, 1, "middle"), now), [1]);
    }

    #[test]
    fn a_remote_parent_is_not_waited_for() {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        assembler.add([of(1, span(2, 1, "server").remote())].into_iter(), now);
        assert_eq!(ids(&assembler.take_due(now + GRACE, GRACE)), [1]);
    }

    #[test]
    fn traces_come_in_the_order_in_which_they_started() {
        let mut assembler = Assembler::default();
        let second = of(2, span(2, 0, "second").between(20, 30));
        let first = of(1, span(1, 0, "first").between(10, 40));
        assembler.add([second, first].into_iter(), Instant::now());
        assert_eq!(ids(&assembler.take_all()), [1, 2]);
    }

    #[test]
    fn every_batch_postpones_a_whole_trace() {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        assembler.add([of(1, span(1, 0, "root"))].into_iter(), now);
        assert_eq!(assembler.next_due(GRACE), Some(now + GRACE));
        let later = now + GRACE / 2;
        assembler.add([of(1, span(2, 1, "server").remote())].into_iter(), later);
        assert!(assembler.take_due(now + GRACE, GRACE).is_empty());
        assert_eq!(assembler.take_due(later + GRACE, GRACE)[0].spans.len(), 2);
        assert_eq!(assembler.next_due(GRACE), None);
    }

    #[test]
    fn stragglers_are_late_but_a_root_is_not() {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        assembler.add([of(1, span(1, 0, "root"))].into_iter(), now);
        assert!(!assembler.take_all()[0].is_late());
        assembler.add([of(1, span(2, 1, "straggler"))].into_iter(), now);
        assert!(assembler.take_due(now + GRACE, GRACE)[0].is_late());
        assembler.add([of(1, span(3, 9, "server").remote())].into_iter(), now);
        assert!(!assembler.take_all()[0].is_late());
    }

    #[test]
    fn a_trace_that_misses_a_span_is_given_up_after_a_while() {
        let mut assembler = Assembler::default();
        let now = Instant::now();
        assembler.add([of(1, span(2, 1, "child"))].into_iter(), now);
        assert_eq!(assembler.next_due(GRACE), Some(now + PATIENCE));
        let traces = assembler.take_due(now + PATIENCE, GRACE);
        assert!(ids(&traces) == [1] && !traces[0].is_whole());
    }

    #[test]
    fn what_is_held_back_is_bounded() {
        let limits = Limits {
            traces: 2,
            spans_of_a_trace: 3,
            spans: 4,
        };
        let mut assembler = Assembler::with_limits(limits);
        let now = Instant::now();
        let mut add = |trace, id| {
            let child = of(trace, span(id, 99, "child"));
            ids(&assembler.add([child].into_iter(), now))
        };
        assert!(add(1, 1).is_empty() && add(2, 2).is_empty());
        assert_eq!(add(3, 3), [1], "the eldest of too many traces");
        assert!(add(3, 4).is_empty() && add(2, 5).is_empty());
        assert_eq!(add(2, 6), [2], "a trace with too many spans");
        assert!(add(4, 7).is_empty() && add(4, 8).is_empty());
        assert_eq!(add(3, 9), [3], "a trace with too many spans");
        for (trace, id) in [(5, 10), (5, 11)] {
            assert!(add(trace, id).is_empty());
        }
        assert_eq!(assembler.spans, 4);
        assert!(assembler.drawn.len() <= 2 && assembler.drawn_in_order.len() <= 2);
        let too_many = of(5, span(12, 99, "child"));
        assembler.limits.spans_of_a_trace = 9;
        assert_eq!(ids(&assembler.add([too_many].into_iter(), now)), [4]);
    }
}
