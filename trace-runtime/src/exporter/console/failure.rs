//! What a span says about its failure.

use opentelemetry::trace::Status;
use opentelemetry::{KeyValue, Value};

use super::style::Place;
use crate::plain_text::printable;
use crate::record::{SpanEvent, SpanRecord};

/// How a span, or a whole trace, ended; the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Ok,
    Cancelled,
    Failed,
}

impl Outcome {
    pub(super) fn of(span: &SpanRecord) -> Self {
        match span.status {
            Status::Error { .. } => Self::Failed,
            _ if is_cancelled(span) => Self::Cancelled,
            _ => Self::Ok,
        }
    }
}

fn is_cancelled(span: &SpanRecord) -> bool {
    matches!(span.attribute("traced.cancelled"), Some(Value::Bool(true)))
}

/// What went wrong, and where.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    /// `CardDeclined: card 42 was declined`; may have several lines.
    pub(super) text: String,
    pub(super) place: Option<Place>,
}

impl Failure {
    /// Whether the failure of a span says no more than that of its child. A panic goes on as it is.
    pub(super) fn repeats(&self, child: &Self) -> bool {
        self.text == child.text || (self.is_panic() && child.is_panic())
    }

    fn is_panic(&self) -> bool {
        self.text.split(':').next() == Some("panic")
    }
}

/// The failure of a span with an error status.
pub(super) fn of_span(span: &SpanRecord) -> Failure {
    let exception = span.events.iter().rev().find(|event| is_exception(event));
    let attributes: &[KeyValue] = exception.map_or(&[], |event| &event.attributes);
    let kind = text(&span.attributes, "error.type").or(text(attributes, "exception.type"));
    let described = match &span.status {
        Status::Error { description } if !description.is_empty() => Some(description.as_ref()),
        _ => None,
    };
    Failure {
        text: sentence(kind, described.or(text(attributes, "exception.message"))),
        place: place(attributes).or_else(|| place(&span.attributes)),
    }
}

/// What is said of a span that was dropped before its end.
pub(super) fn of_cancelled(span: &SpanRecord) -> Failure {
    Failure {
        text: "cancelled".to_owned(),
        place: place(&span.attributes),
    }
}

/// The exception that an event tells of.
pub(super) fn of_event(event: &SpanEvent) -> Failure {
    let part = |key| text(&event.attributes, key);
    Failure {
        text: sentence(part("exception.type"), part("exception.message")),
        place: place(&event.attributes),
    }
}

pub(super) fn is_exception(event: &SpanEvent) -> bool {
    event.name == "exception"
}

fn sentence(kind: Option<&str>, message: Option<&str>) -> String {
    let kind = kind.filter(|kind| !matches!(*kind, "" | "_OTHER"));
    let sentence = match (kind, message.filter(|message| !message.is_empty())) {
        (Some(kind), Some(message)) if kind != message => format!("{kind}: {message}"),
        (Some(one), _) | (None, Some(one)) => one.to_owned(),
        (None, None) => "error".to_owned(),
    };
    let lines: Vec<String> = sentence.lines().map(printable).collect();
    lines.join("\n")
}

fn place(attributes: &[KeyValue]) -> Option<Place> {
    let file = text(attributes, "code.file.path")?.to_owned();
    let line = attributes
        .iter()
        .find(|kv| kv.key.as_str() == "code.line.number")?;
    match line.value {
        Value::I64(line) => Some(Place { file, line }),
        _ => None,
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|kv| kv.key.as_str() == key)?;
    match &found.value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::sample::{SpanExt, span};

    fn at(file: &str, line: i64) -> Option<Place> {
        let file = file.to_owned();
        Some(Place { file, line })
    }

    #[test]
    fn type_message_and_place_come_from_where_they_are() {
        let bare = span(1, 0, "s").failed("");
        assert_eq!(of_span(&bare).text, "error");

        let typed = span(1, 0, "s")
            .with("error.type", "Declined")
            .with("code.file.path", "src/pay.rs")
            .with("code.line.number", 7)
            .failed("card\u{1b} 42\ndeclined");
        let failure = of_span(&typed);
        assert_eq!(failure.text, "Declined: card\\u{1b} 42\ndeclined");
        assert_eq!(failure.place, at("src/pay.rs", 7));

        let panic = vec![
            KeyValue::new("exception.message", "index out of bounds"),
            KeyValue::new("code.file.path", "src/other.rs"),
            KeyValue::new("code.line.number", 9),
        ];
        let panicked = typed.event("exception", 1, panic).failed("");
        let failure = of_span(&panicked);
        assert_eq!(failure.text, "Declined: index out of bounds");
        assert_eq!(failure.place, at("src/other.rs", 9));
        assert_eq!(of_event(&panicked.events[0]).text, "index out of bounds");
    }

    #[test]
    fn a_cancelled_span_need_not_be_an_error() {
        let cancelled = span(1, 0, "s").with("traced.cancelled", true);
        assert_eq!(Outcome::of(&cancelled), Outcome::Cancelled);
        assert_eq!(Outcome::of(&cancelled.failed("")), Outcome::Failed);
        assert_eq!(Outcome::of(&span(1, 0, "s")), Outcome::Ok);
    }
}
