//! A trace as stable text: a line for each span, its children and logs below it.
//!
//! Strings are in quotes, so that the text tells the type of every tag.

use std::fmt::Write as _;

use serde_json::Value;

use crate::api::{Log, Span, Tag, Trace};

/// What every span has, what differs from run to run, and stack traces.
const LEFT_OUT: [&str; 5] = [
    "code.",
    "exception.stacktrace",
    "internal.span.format",
    "otel.library.",
    "otel.scope.",
];

pub(crate) fn render(trace: &Trace) -> String {
    let mut text = String::new();
    let mut roots: Vec<&Span> = trace
        .spans
        .iter()
        .filter(|span| parent(span).is_none_or(|parent| trace.spans.iter().all(|s| s.id != parent)))
        .collect();
    sort(&mut roots);
    for root in roots {
        if parent(root).is_some() {
            text.push_str("(parent is missing) ");
        }
        add(trace, root, 0, &mut text);
    }
    text
}

fn parent(span: &Span) -> Option<&str> {
    let mut references = span.references.iter();
    let parent = references.find(|reference| reference.ref_type == "CHILD_OF")?;
    Some(&parent.span)
}

fn sort(spans: &mut [&Span]) {
    spans.sort_by_key(|span| (span.start_time, &span.operation_name));
}

fn add(trace: &Trace, span: &Span, depth: usize, text: &mut String) {
    let service = trace.processes.get(&span.process);
    let service = service.map_or("(no process)", |process| &process.service_name);
    let indent = "  ".repeat(depth);
    let _ = writeln!(
        text,
        "{indent}{service}: {} {{{}}}",
        span.operation_name,
        tags(&span.tags)
    );
    for Log { fields, .. } in &span.logs {
        let _ = writeln!(text, "{indent}  - {{{}}}", tags(fields));
    }
    let mut children: Vec<&Span> = trace
        .spans
        .iter()
        .filter(|child| parent(child) == Some(&span.id))
        .collect();
    sort(&mut children);
    for child in children {
        add(trace, child, depth + 1, text);
    }
}

fn tags(tags: &[Tag]) -> String {
    let shown = |tag: &&Tag| {
        !LEFT_OUT.iter().any(|start| tag.key.starts_with(start)) && !is_default_kind(tag)
    };
    let mut tags: Vec<String> = tags.iter().filter(shown).map(tag).collect();
    tags.sort();
    tags.join(", ")
}

fn tag(tag: &Tag) -> String {
    let value = match (tag.kind.as_str(), &tag.value) {
        ("string", Value::String(text)) => format!("{:?}", without_port(text)),
        ("int64", Value::Number(_)) if tag.key == "server.port" => "PORT".to_owned(),
        ("int64", Value::Number(number)) if number.is_i64() => number.to_string(),
        ("bool", Value::Bool(value)) => value.to_string(),
        (kind, value) => format!("{kind}({value})"),
    };
    format!("{}={value}", tag.key)
}

/// OTLP has a word for what is no kind, Thrift says nothing.
fn is_default_kind(tag: &Tag) -> bool {
    tag.key == "span.kind" && tag.value == "internal"
}

/// The system has chosen the ports.
fn without_port(text: &str) -> String {
    const HOST: &str = "//127.0.0.1:";
    let Some((before, after)) = text.split_once(HOST) else {
        return text.to_owned();
    };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}{HOST}PORT{rest}")
}
