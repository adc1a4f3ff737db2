//! Which span stands below which.

use std::collections::HashMap;

use opentelemetry::{SpanId, TraceId};

use crate::record::SpanRecord;

/// Spans by parenthood, named by their positions in the list they came in.
///
/// Every span is below exactly one root, whatever the ids say: a span whose parent is absent is a
/// root, of two spans with one id the first is the parent, and a circle is cut open.
#[derive(Debug)]
pub(crate) struct Forest {
    pub(crate) roots: Vec<usize>,
    pub(crate) children: Vec<Vec<usize>>,
}

impl Forest {
    /// Siblings stand in order of their start.
    pub(crate) fn new(spans: &[&SpanRecord]) -> Self {
        let parents = parents(spans);
        let mut order: Vec<usize> = (0..spans.len()).collect();
        order.sort_by_key(|&at| (spans[at].start_time, spans[at].end_time));

        let mut forest = Self {
            roots: Vec::new(),
            children: vec![Vec::new(); spans.len()],
        };
        for at in order {
            match parents[at] {
                Some(parent) => forest.children[parent].push(at),
                None => forest.roots.push(at),
            }
        }
        forest
    }

    /// Every span, parents before their children. No recursion: a trace may be very deep.
    pub(crate) fn parents_first(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.children.len());
        let mut open: Vec<usize> = self.roots.iter().rev().copied().collect();
        while let Some(at) = open.pop() {
            order.push(at);
            open.extend(self.children[at].iter().rev());
        }
        order
    }
}

fn parents(spans: &[&SpanRecord]) -> Vec<Option<usize>> {
    let mut known: HashMap<(TraceId, SpanId), usize> = HashMap::with_capacity(spans.len());
    for (at, span) in spans.iter().enumerate() {
        known.entry((span.trace_id, span.span_id)).or_insert(at);
    }
    let mut parents: Vec<Option<usize>> = spans
        .iter()
        .map(|span| known.get(&(span.trace_id, span.parent_span_id)).copied())
        .collect();
    cut_circles(&mut parents);
    parents
}

/// Makes a root of one span of every circle.
fn cut_circles(parents: &mut [Option<usize>]) {
    const NEW: usize = usize::MAX;
    // By which walk upwards a span was met first.
    let mut met = vec![NEW; parents.len()];
    for walk in 0..parents.len() {
        let mut at = walk;
        while met[at] == NEW {
            met[at] = walk;
            match parents[at] {
                Some(parent) if met[parent] == walk => parents[at] = None,
                Some(parent) => at = parent,
                None => {}
            }
        }
    }
}

/// Spans to try things on.
#[cfg(test)]
pub(crate) mod sample {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use opentelemetry::{KeyValue, SpanId, TraceFlags, TraceId, Value};

    use crate::clock::Anchor;
    use crate::config::CodeMode;
    use crate::record::{Event, EventTime, Header, Late, Records, SpanRecord};

    /// A point in time, in microseconds after some moment.
    pub(crate) fn at(micros: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_micros(micros)
    }

    /// An internal span of trace 1 without attributes; parent 0 is none.
    pub(crate) fn span(id: u64, parent: u64, name: &'static str) -> SpanRecord {
        let mut span = empty(None);
        span.trace_id = TraceId::from(1_u128);
        span.span_id = SpanId::from(id);
        span.parent_span_id = SpanId::from(parent);
        span.trace_flags = TraceFlags::SAMPLED;
        span.name = name.into();
        (span.start_time, span.end_time) = (at(0), at(0));
        span
    }

    fn empty(event: Option<Event>) -> SpanRecord {
        let scope = opentelemetry::InstrumentationScope::builder("sample").build();
        let site = crate::callsite::api_site(&scope, opentelemetry::trace::SpanKind::Internal);
        let header = Header {
            site,
            flags: crate::record::flag::LATE,
            ..Header::default()
        };
        let late = Late {
            events: event.into_iter().collect(),
            ..Late::default()
        };
        let mut records = Records::new(Anchor::now(), CodeMode::All);
        records.push(
            Header::WORDS,
            header.to_words(Header::WORDS).into_iter(),
            Some(Box::new(late)),
        );
        SpanRecord::from(&records.iter().next().unwrap())
    }

    /// What tests say about a span, one after the other.
    pub(crate) trait SpanExt: Sized {
        /// Start and end, see [`at`].
        fn between(self, start: u64, end: u64) -> Self;
        fn with(self, key: &'static str, value: impl Into<Value>) -> Self;
        fn event(self, name: &'static str, micros: u64, attributes: Vec<KeyValue>) -> Self;
        fn failed(self, description: &'static str) -> Self;
        fn kind(self, kind: opentelemetry::trace::SpanKind) -> Self;
        fn remote(self) -> Self;
    }

    impl SpanExt for SpanRecord {
        fn between(mut self, start: u64, end: u64) -> Self {
            (self.start_time, self.end_time) = (at(start), at(end));
            self
        }
        fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
            self.attributes.push(KeyValue::new(key, value));
            self
        }
        fn event(mut self, name: &'static str, micros: u64, attributes: Vec<KeyValue>) -> Self {
            let event = Event {
                name: name.into(),
                time: EventTime::Wall(at(micros)),
                attributes,
                dropped_attributes: 0,
            };
            self.events.append(&mut empty(Some(event)).events);
            self
        }
        fn failed(mut self, description: &'static str) -> Self {
            self.status = opentelemetry::trace::Status::error(description);
            self
        }
        fn kind(mut self, kind: opentelemetry::trace::SpanKind) -> Self {
            self.kind = kind;
            self
        }
        fn remote(mut self) -> Self {
            self.is_parent_remote = true;
            self
        }
    }

    /// The spans as an exporter gets them.
    pub(crate) fn records(spans: Vec<SpanRecord>) -> Records {
        let mut records = Records::new(Anchor::now(), CodeMode::All);
        for span in spans {
            span.store(&mut records);
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use super::sample::span;
    use super::*;

    fn forest(ids: &[(u64, u64)]) -> Forest {
        let spans: Vec<SpanRecord> = ids.iter().map(|&(id, up)| span(id, up, "s")).collect();
        Forest::new(&spans.iter().collect::<Vec<_>>())
    }

    #[test]
    fn children_may_come_before_their_parents() {
        let forest = forest(&[(3, 2), (2, 1), (1, 0)]);
        assert_eq!(forest.roots, [2]);
        assert_eq!(forest.parents_first(), [2, 1, 0]);
    }

    #[test]
    fn an_absent_parent_makes_a_root() {
        assert_eq!(forest(&[(2, 9), (3, 2)]).roots, [0]);
    }

    #[test]
    fn circles_lose_no_span() {
        for ids in [
            &[(1, 1)][..],
            &[(1, 2), (2, 1)],
            &[(4, 1), (1, 2), (2, 3), (3, 1)],
            &[(1, 0), (1, 0), (1, 1)],
        ] {
            let mut all = forest(ids).parents_first();
            all.sort_unstable();
            assert_eq!(all, (0..ids.len()).collect::<Vec<_>>(), "{ids:?}");
        }
    }

    #[test]
    fn a_very_deep_trace_is_walked() {
        let ids: Vec<(u64, u64)> = (1..100_000).map(|id| (id, id - 1)).collect();
        assert_eq!(forest(&ids).parents_first().len(), ids.len());
    }
}
