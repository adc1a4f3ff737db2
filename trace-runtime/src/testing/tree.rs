//! A trace as text that stays the same from run to run: what tests compare.
//!
//! ```text
//! POST /orders [server] (remote parent) {order_id=7, user="ann"} !error "card declined"
//!   Orders::reserve {items=["tea", "cup"]}
//!   charge [client] {amount=12.5} !error "card declined" links: 1
//!     - exception {exception.type="CardDeclined", exception.message="card declined"}
//! ```
//!
//! One line per span, children two spaces further in. A line has, in this order and only where there
//! is something to say:
//! - the name; the kind in brackets unless internal; `(remote parent)` if the parent is one
//! - the attributes in the order in which they were set, texts in quotes, without `code.*`
//! - the status: `!error "description"`, or `!ok` where it was set by hand
//! - `links: n`
//!
//! Events follow, each in a line that begins with `-`, without stack trace, times and places.
//! Ids and times do not appear. Siblings stand in order of their start when one begins after the
//! other has ended; siblings that overlap ran concurrently and are sorted by their text. A span whose
//! parent is not among the spans is a root.

use std::fmt::Write as _;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Status};

use crate::forest::Forest;
use crate::plain_text::{kind, printable, value};
use crate::record::SpanRecord;

/// The spans as text, see the module.
pub(super) fn tree(spans: &[SpanRecord]) -> String {
    let forest = Forest::new(&spans.iter().collect::<Vec<_>>());
    let mut texts: Vec<String> = spans.iter().map(span_text).collect();
    for at in forest.parents_first().into_iter().rev() {
        let children = arranged(&forest.children[at], spans, &mut texts);
        for line in children.iter().flat_map(|text| text.lines()) {
            texts[at].push_str("  ");
            texts[at].push_str(line);
            texts[at].push('\n');
        }
    }
    arranged(&forest.roots, spans, &mut texts).concat()
}

/// Takes the siblings' texts, those of concurrent ones sorted.
fn arranged(siblings: &[usize], spans: &[SpanRecord], texts: &mut [String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(siblings.len());
    let mut concurrent = 0; // where the siblings begin that overlap with the last one
    let mut latest_end: Option<SystemTime> = None;
    for &at in siblings {
        if latest_end.is_some_and(|end| end <= spans[at].start_time) {
            out[concurrent..].sort();
            concurrent = out.len();
        }
        latest_end = latest_end.max(Some(spans[at].end_time));
        out.push(std::mem::take(&mut texts[at]));
    }
    out[concurrent..].sort();
    out
}

fn span_text(span: &SpanRecord) -> String {
    let mut out = line(span);
    out.push('\n');
    for event in &span.events {
        out.push_str("  - ");
        out.push_str(&printable(&event.name));
        push_attributes(&mut out, &event.attributes);
        out.push('\n');
    }
    out
}

/// The span itself, without its events.
pub(super) fn line(span: &SpanRecord) -> String {
    let mut out = printable(&span.name);
    if span.kind != SpanKind::Internal {
        let _ = write!(out, " [{}]", kind(&span.kind));
    }
    if span.is_parent_remote {
        out.push_str(" (remote parent)");
    }
    push_attributes(&mut out, &span.attributes);
    match &span.status {
        Status::Unset => {}
        Status::Ok => out.push_str(" !ok"),
        Status::Error { description } if description.is_empty() => out.push_str(" !error"),
        Status::Error { description } => {
            let _ = write!(out, " !error {description:?}");
        }
    }
    if !span.links.is_empty() {
        let _ = write!(out, " links: {}", span.links.len());
    }
    out
}

fn push_attributes(out: &mut String, attributes: &[KeyValue]) {
    let mut shown = attributes
        .iter()
        .filter(|kv| is_stable(kv.key.as_str()))
        .peekable();
    if shown.peek().is_none() {
        return;
    }
    let mut separator = " {";
    for kv in shown {
        let key = printable(kv.key.as_str());
        let _ = write!(out, "{separator}{key}={}", value(&kv.value));
        separator = ", ";
    }
    out.push('}');
}

/// Line numbers and stack traces change with every edit of the traced code.
fn is_stable(key: &str) -> bool {
    !key.starts_with("code.") && key != "exception.stacktrace"
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use opentelemetry::{Array, StringValue, Value};

    use super::*;
    use crate::forest::sample::{SpanExt, span};

    fn check(spans: &[SpanRecord], expected: &Expect) {
        expected.assert_eq(&tree(spans));
    }

    #[test]
    fn a_line_says_what_a_span_is() {
        let exception = vec![
            KeyValue::new("exception.type", "CardDeclined"),
            KeyValue::new("exception.message", "card \"42\" declined"),
            KeyValue::new("exception.stacktrace", "Caused by: .."),
            KeyValue::new("code.line.number", 7),
        ];
        let charge = span(2, 1, "charge")
            .kind(SpanKind::Client)
            .between(5, 9)
            .with("code.function.name", "app::charge")
            .with("amount", 12.0)
            .with("retry", true)
            .event("exception", 8, exception)
            .event("gave up", 9, vec![KeyValue::new("code.line.number", 7)])
            .failed("card declined");
        let root = span(1, 9, "POST /orders")
            .remote()
            .kind(SpanKind::Server)
            .between(0, 10)
            .with("order_id", 7)
            .with("user", "ann\n")
            .with(
                "items",
                Value::Array(Array::String(vec![StringValue::from("tea"), "cup".into()])),
            )
            .failed("");
        check(
            &[charge, root],
            &expect![[r#"
                POST /orders [server] (remote parent) {order_id=7, user="ann\n", items=["tea", "cup"]} !error
                  charge [client] {amount=12.0, retry=true} !error "card declined"
                    - exception {exception.type="CardDeclined", exception.message="card \"42\" declined"}
                    - gave up
            "#]],
        );
    }

    #[test]
    fn siblings_one_after_the_other_keep_their_order() {
        let spans = [
            span(1, 0, "root").between(0, 9),
            span(2, 1, "b").between(1, 2),
            span(3, 1, "c").between(5, 6),
            span(4, 1, "a").between(2, 3),
        ];
        check(
            &spans,
            &expect![[r#"
                root
                  b
                  a
                  c
            "#]],
        );
    }

    #[test]
    fn concurrent_siblings_are_sorted_by_their_whole_text() {
        let spans = [
            span(1, 0, "root").between(0, 30),
            span(2, 1, "first").between(0, 5),
            span(3, 1, "get").between(6, 12).with("id", 2),
            span(4, 1, "get").between(7, 20).with("id", 1),
            span(5, 4, "below 1").between(8, 9),
            span(6, 1, "fetch").between(13, 14),
            span(7, 1, "a last one").between(20, 21),
        ];
        check(
            &spans,
            &expect![[r#"
                root
                  first
                  fetch
                  get {id=1}
                    below 1
                  get {id=2}
                  a last one
            "#]],
        );
    }

    #[test]
    fn several_roots_stand_below_each_other() {
        let spans = [
            span(1, 0, "one").between(0, 1),
            span(2, 8, "its parent is missing").between(2, 3),
        ];
        check(
            &spans,
            &expect![[r#"
                one
                its parent is missing
            "#]],
        );
    }

    #[test]
    fn names_cannot_break_the_lines() {
        let text = tree(&[span(1, 0, "a\nb\u{1b}[2J\u{202e}")]);
        assert_eq!(text, "a\\nb\\u{1b}[2J\\u{202e}\n");
    }
}
