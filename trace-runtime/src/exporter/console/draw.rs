//! A trace as text: one line for a good one, a waterfall below it for a failed one.

use std::time::{Duration, SystemTime};

use super::assembler::{Span, Trace};
use super::failure::Outcome;
use super::line::Line;
use super::style::{Paint, Style};
use super::text::{duration, width};
use crate::forest::Forest;
use crate::plain_text::printable;
use crate::record::SpanRecord;

/// Columns for what a summary says before the number of spans, at least.
const NARROW: usize = 50;
/// Columns of a duration.
pub(super) const DURATION: usize = 8;

pub(super) fn trace(trace: &Trace, style: &Style) -> String {
    let picture = Picture::new(trace, style);
    let mut text = picture.summary();
    if picture.outcome() > Outcome::Ok {
        text.push_str(&picture.waterfall());
        text.push('\n');
    }
    text
}

/// A trace and what is known about all of it.
pub(super) struct Picture<'a> {
    pub(super) trace: &'a Trace,
    pub(super) style: &'a Style,
    pub(super) forest: Forest,
    /// In the order in which a request passes them.
    services: Vec<&'a str>,
    pub(super) start: SystemTime,
    pub(super) length: Duration,
}

impl<'a> Picture<'a> {
    fn new(trace: &'a Trace, style: &'a Style) -> Self {
        let records: Vec<&SpanRecord> = trace.spans.iter().map(|span| &span.record).collect();
        let forest = Forest::new(&records);
        let start = records.iter().map(|span| span.start_time).min();
        let end = records.iter().map(|span| span.end_time).max();
        let (start, end) = start
            .zip(end)
            .unwrap_or((SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH));
        let mut services = Vec::new();
        for at in forest.parents_first() {
            let service = &*trace.spans[at].service;
            if !services.contains(&service) {
                services.push(service);
            }
        }
        Self {
            trace,
            style,
            forest,
            services,
            start,
            length: end.duration_since(start).unwrap_or_default(),
        }
    }

    pub(super) fn span(&self, at: usize) -> &'a SpanRecord {
        &self.trace.spans[at].record
    }

    fn outcome(&self) -> Outcome {
        let outcomes = self
            .trace
            .spans
            .iter()
            .map(|span| Outcome::of(&span.record));
        outcomes.max().unwrap_or(Outcome::Ok)
    }

    pub(super) fn service_paint(&self, span: &Span) -> Paint {
        let known = self
            .services
            .iter()
            .position(|name| **name == *span.service);
        Paint::Service(known.unwrap_or(0))
    }

    /// `✓ ok      12.3 ms  gateway → orders  GET /orders  4 spans  4bf92f3577b34da6a3ce929d0e0e4736`
    fn summary(&self) -> String {
        let (paint, status) = match self.outcome() {
            Outcome::Failed => (Paint::Bad, "✗ error"),
            Outcome::Cancelled => (Paint::Warning, "⊘ cancelled"),
            Outcome::Ok if self.trace.is_late() => (Paint::Dim, "+ late"),
            Outcome::Ok if !self.trace.is_whole() => (Paint::Warning, "… incomplete"),
            Outcome::Ok => (Paint::Good, "✓ ok"),
        };
        let count = match self.trace.spans.len() {
            1 => "1 span".to_owned(),
            n => format!("{n} spans"),
        };
        let tail = format!("  {count}{}  {}", self.remark(), self.trace.id);
        // The id is there to be copied: it is never cut, and on a narrow terminal it is wrapped.
        let end = self.style.width.saturating_sub(width(&tail)).max(NARROW);

        let mut line = Line::new(self.style);
        line.push(paint, status, end);
        let took = duration(self.length);
        line.pad_to((line.width() + 1).max(8) + DURATION - width(&took).min(DURATION));
        line.push(Paint::Bold, &took, end);
        line.push(Paint::None, "  ", end);
        for (number, service) in self.services.iter().enumerate() {
            line.push(Paint::Dim, if number == 0 { "" } else { " → " }, end);
            line.push(Paint::Service(number), &printable(service), end);
        }
        line.push(Paint::None, "  ", end);
        line.push(Paint::None, &self.title(), end);
        line.push(Paint::Dim, &tail, usize::MAX);
        line.finish()
    }

    fn remark(&self) -> &'static str {
        match (self.outcome(), self.trace.is_late(), self.trace.is_whole()) {
            (Outcome::Ok, ..) => "",
            (_, true, _) => ", late",
            (_, _, false) => ", incomplete",
            _ => "",
        }
    }

    /// The root's name; of late spans the names of all.
    fn title(&self) -> String {
        if !self.trace.is_late() {
            let root = self.forest.roots.first();
            return root.map_or_else(String::new, |&at| printable(&self.span(at).name));
        }
        let order = self.forest.parents_first().into_iter();
        let names = order.map(|at| printable(&self.span(at).name));
        names.collect::<Vec<_>>().join(", ")
    }
}
