//! The spans of one trace below each other, with bars, arguments, events and failures.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Array, KeyValue, Value};

use super::bar::Scale;
use super::draw::{DURATION, Picture};
use super::failure::{self, Failure, Outcome};
use super::line::Line;
use super::style::Paint;
use super::text::{clip, duration, width, wrap};
use crate::plain_text::{self, printable};
use crate::record::{SpanEvent, SpanRecord};

/// The most lines that one failure's message takes.
const MESSAGE_LINES: usize = 8;

/// A span's place in the waterfall.
struct Row {
    at: usize,
    parent: Option<usize>,
    /// The tree's lines before the name, and before what stands below it.
    lead: String,
    below: String,
}

/// What an exception did to its span.
#[derive(Clone, Copy)]
enum Mark {
    Survived,
    Cancelled,
    Fatal,
}

/// Where the columns begin.
struct Columns {
    duration: usize,
    bar: usize,
    arguments: usize,
}

impl Picture<'_> {
    pub(super) fn waterfall(&self) -> String {
        let rows = self.rows();
        let columns = self.columns(&rows);
        let scale = Scale {
            start: self.start,
            length: self.length,
            columns: columns.arguments - columns.bar - 2,
        };
        let mut out = String::new();
        for row in &rows {
            out.push_str(&self.row(row, &columns, &scale));
            for (mark, failure) in self.exceptions(row.at) {
                out.push_str(&self.failure(row, mark, &failure));
            }
            for event in &self.span(row.at).events {
                if !failure::is_exception(event) && !is_whole_answer(event, self.span(row.at)) {
                    out.push_str(&self.event(row, event));
                }
            }
        }
        out
    }

    /// The spans from top to bottom. Lines of the tree that would take too much of the width give
    /// way to the depth as a number.
    fn rows(&self) -> Vec<Row> {
        let deepest = self.style.width / 11;
        let mut rows = Vec::with_capacity(self.trace.spans.len());
        let mut open: Vec<(usize, Option<usize>, usize, String, bool)> = Vec::new();
        let roots = self.forest.roots.iter().rev();
        open.extend(roots.map(|&at| (at, None, 0, String::new(), true)));
        while let Some((at, parent, depth, before, last)) = open.pop() {
            let (lead, inside) = match depth {
                0 => (String::new(), String::new()),
                _ if depth > deepest => (format!("{before}{depth}╴"), before),
                _ if last => (format!("{before}└─ "), format!("{before}   ")),
                _ => (format!("{before}├─ "), format!("{before}│  ")),
            };
            let children = &self.forest.children[at];
            for (position, &child) in children.iter().enumerate().rev() {
                let is_last = position + 1 == children.len();
                open.push((child, Some(at), depth + 1, inside.clone(), is_last));
            }
            let below = if children.is_empty() || depth >= deepest {
                format!("{inside}   ")
            } else {
                format!("{inside}│  ")
            };
            rows.push(Row {
                at,
                parent,
                lead,
                below,
            });
        }
        rows
    }

    /// The widest label decides, within limits; the arguments get what the bars leave.
    fn columns(&self, rows: &[Row]) -> Columns {
        let width_of = |row: &Row| {
            let mut line = Line::new(self.style);
            self.push_label(&mut line, row, usize::MAX);
            line.width()
        };
        let longest = rows.iter().map(width_of).max().unwrap_or(0);
        let total = self.style.width;
        let label = longest.clamp(total / 5, total * 9 / 20);
        let bar = label + 2 + DURATION + 2;
        Columns {
            duration: label + 2,
            bar,
            arguments: bar + (total / 6).clamp(8, 40) + 2,
        }
    }

    fn row(&self, row: &Row, columns: &Columns, scale: &Scale) -> String {
        let span = self.span(row.at);
        let mut line = Line::new(self.style);
        self.push_label(&mut line, row, columns.duration - 2);

        let took = duration(
            span.end_time
                .duration_since(span.start_time)
                .unwrap_or_default(),
        );
        line.pad_to(columns.duration + DURATION - width(&took).min(DURATION));
        line.push(Paint::None, &took, columns.bar);

        let (offset, bar) = scale.bar(span.start_time, span.end_time);
        line.pad_to(columns.bar + offset);
        let paint = match Outcome::of(span) {
            Outcome::Failed => Paint::Bad,
            Outcome::Cancelled => Paint::Warning,
            Outcome::Ok => self.service_paint(&self.trace.spans[row.at]),
        };
        line.push(paint, &bar, columns.arguments);

        let room = self.style.width.saturating_sub(columns.arguments);
        let arguments = arguments(&span.attributes, room);
        if !arguments.is_empty() {
            line.pad_to(columns.arguments);
            line.push(Paint::Dim, &arguments, self.style.width);
        }
        line.finish()
    }

    /// `├─ ✗ charge (payments) [client]`
    fn push_label(&self, line: &mut Line<'_>, row: &Row, end: usize) {
        let span = &self.trace.spans[row.at];
        line.push(Paint::Dim, &row.lead, end);
        let paint = match Outcome::of(&span.record) {
            Outcome::Failed => {
                line.push(Paint::Bad, "✗ ", end);
                Paint::Bad
            }
            Outcome::Cancelled => {
                line.push(Paint::Warning, "⊘ ", end);
                Paint::Warning
            }
            Outcome::Ok => Paint::None,
        };
        let mut after = Vec::new();
        let above = row.parent.map(|parent| &*self.trace.spans[parent].service);
        if above != Some(&*span.service) {
            let service = format!(" ({})", printable(&span.service));
            after.push((self.service_paint(span), service));
        }
        if span.record.kind != SpanKind::Internal {
            let kind = format!(" [{}]", plain_text::kind(&span.record.kind));
            after.push((Paint::Dim, kind));
        }
        // A name that is too long gives way to what stands after it, but not all of the room.
        let reserved: usize = after.iter().map(|(_, text)| width(text)).sum();
        let room = end.saturating_sub(line.width());
        let name_end = line.width() + room.saturating_sub(reserved).max(room / 2);
        line.push(paint, &printable(&span.record.name), name_end);
        for (paint, text) in after {
            line.push(paint, &text, end);
        }
    }

    /// What the span went through without failing, then its failure unless one right below it says
    /// the same.
    fn exceptions(&self, at: usize) -> Vec<(Mark, Failure)> {
        let span = self.span(at);
        let events = span
            .events
            .iter()
            .filter(|event| failure::is_exception(event));
        let mut found: Vec<_> = events
            .map(|event| (Mark::Survived, failure::of_event(event)))
            .collect();
        match Outcome::of(span) {
            Outcome::Ok => return found,
            Outcome::Cancelled => {
                found.push((Mark::Cancelled, failure::of_cancelled(span)));
                return found;
            }
            Outcome::Failed => {}
        }
        let failure = failure::of_span(span);
        let says_the_same = |&child: &usize| {
            let child = self.span(child);
            Outcome::of(child) == Outcome::Failed && failure.repeats(&failure::of_span(child))
        };
        // The last exception is what the status tells of.
        if found.pop().is_some() || !self.forest.children[at].iter().any(says_the_same) {
            found.push((Mark::Fatal, failure));
        }
        found
    }

    fn failure(&self, row: &Row, mark: Mark, failure: &Failure) -> String {
        let (paint, mark) = match mark {
            Mark::Survived => (Paint::Warning, "! "),
            Mark::Cancelled => (Paint::Warning, "⊘ "),
            Mark::Fatal => (Paint::Bad, "✗ "),
        };
        let left = width(&row.below) + 2;
        let room = self.style.width.saturating_sub(left).max(20);
        let mut lines = wrap(&failure.text, room, MESSAGE_LINES);
        let place = failure
            .place
            .as_ref()
            .map(|place| (place, width(&place.to_string())));
        let last = lines.last().map_or(0, |line| width(line));
        if place.is_some_and(|(_, columns)| last + 2 + columns > room) {
            lines.push(String::new());
        }
        let count = lines.len();
        let mut out = String::new();
        for (number, text) in lines.iter().enumerate() {
            let mut line = Line::new(self.style);
            line.push(Paint::Dim, &row.below, usize::MAX);
            line.push(paint, if number == 0 { mark } else { "  " }, usize::MAX);
            line.push(paint, text, usize::MAX);
            if let Some((place, columns)) = place.filter(|_| number + 1 == count) {
                line.push(
                    Paint::None,
                    if text.is_empty() { "" } else { "  " },
                    usize::MAX,
                );
                line.push_painted(&self.style.place(place), columns);
            }
            out.push_str(&line.finish());
        }
        out
    }

    /// `• cache miss key=7  +1.20 ms`: with the time since the span's start.
    fn event(&self, row: &Row, event: &SpanEvent) -> String {
        let after = event.time.duration_since(self.span(row.at).start_time);
        let end = self.style.width;
        let mut line = Line::new(self.style);
        line.push(Paint::Dim, &row.below, end);
        line.push(Paint::None, "• ", end);
        line.push(Paint::None, &printable(&event.name), end);
        let arguments = arguments(&event.attributes, end / 2);
        if !arguments.is_empty() {
            line.push(Paint::Dim, &format!(" {arguments}"), end);
        }
        let after = format!("  +{}", duration(after.unwrap_or_default()));
        line.push(Paint::Dim, &after, end.max(line.width() + width(&after)));
        line.finish()
    }
}

/// The first byte of a response says something only if the last one took its time.
fn is_whole_answer(event: &SpanEvent, span: &SpanRecord) -> bool {
    let rest = span.end_time.duration_since(event.time).unwrap_or_default();
    let whole = span.end_time.duration_since(span.start_time);
    event.name == "first byte" && rest < whole.unwrap_or_default() / 10
}

/// `order_id=7 user=ann`, as many as fit; what is said elsewhere is left out, and so is what every
/// request has.
fn arguments(attributes: &[KeyValue], room: usize) -> String {
    const SAID: [&str; 10] = [
        "code.",
        "exception.",
        "error.type",
        "traced.cancelled",
        "http.request.method",
        "http.route",
        "network.protocol.",
        "server.address",
        "server.port",
        "url.scheme",
    ];
    let mut out = String::new();
    for kv in attributes {
        let key = kv.key.as_str();
        if SAID.iter().any(|said| key.starts_with(said)) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&printable(key));
        out.push('=');
        out.push_str(&argument(&kv.value));
        if width(&out) > room {
            break;
        }
    }
    // A rest that says nothing is left out.
    if room < 12 {
        String::new()
    } else {
        clip(&out, room)
    }
}

/// Texts need quotes only where one could not tell where they end.
fn argument(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let text = text.as_str();
            let plain = !text.is_empty()
                && text
                    .chars()
                    .all(|c| !c.is_whitespace() && !c.is_control() && !"\"'=\\".contains(c));
            if plain {
                printable(text)
            } else {
                format!("{text:?}")
            }
        }
        Value::Array(Array::String(list)) => format!("{list:?}"),
        other => plain_text::value(other),
    }
}
