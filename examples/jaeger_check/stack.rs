//! The stack: one trace through everything, and the log beside it.

use std::io::Read as _;
use std::time::Duration;

use serde_json::Value;

use crate::api::{self, Query};
use crate::{Check, poll_all, same, same_text, tree};

/// What the stack sends, as `tree` renders it.
const EXPECTED: &str = include_str!("stack.txt");

/// What is written to the log, and the span in which it is.
const LINES: [(&str, &str); 4] = [
    ("an order", "order"),
    ("nearly sold out", "reserve"),
    ("charged", "debit"),
    ("packed", "pack"),
];

const PATIENCE: Duration = Duration::from_secs(30);

struct Stack<'q> {
    query: &'q Query,
    log: String,
}

/// The log is on standard input.
pub(crate) fn check(query: &Query) -> Result<(), String> {
    let mut log = String::new();
    let read = std::io::stdin().read_to_string(&mut log);
    read.map_err(|error| format!("the log cannot be read: {error}"))?;
    let checks: [Check<Stack<'_>>; 3] = [
        ("one trace", PATIENCE, one_trace),
        ("services", PATIENCE, services),
        ("the log names its spans", PATIENCE, log_names_its_spans),
    ];
    poll_all(&checks, &Stack { query, log })
}

/// The trace as it is, to be looked at and then kept as `stack.txt`.
pub(crate) fn print(query: &Query) -> Result<(), String> {
    trace(query).map(|trace| print!("{}", tree::render(&trace)))
}

fn trace(query: &Query) -> Result<api::Trace, String> {
    let mut traces = query.traces("shop")?;
    match (traces.pop(), traces.len()) {
        (Some(trace), 0) => Ok(trace),
        (_, more) => Err(format!("not one trace but {more} more")),
    }
}

fn one_trace(stack: &Stack<'_>) -> Result<(), String> {
    same_text(&tree::render(&trace(stack.query)?), EXPECTED)
}

fn services(stack: &Stack<'_>) -> Result<(), String> {
    let mut services = stack.query.services()?;
    services.sort();
    same(&services, &vec!["payments".to_owned(), "shop".to_owned()])
}

/// Every line has the id of the trace, and that of the span in which it was written.
fn log_names_its_spans(stack: &Stack<'_>) -> Result<(), String> {
    let trace = trace(stack.query)?;
    let lines: Vec<Value> = stack
        .log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    for (message, name) in LINES {
        let line = lines
            .iter()
            .find(|line| line["fields"]["message"] == message);
        let line = line.ok_or_else(|| format!("no line says `{message}` in\n{}", stack.log))?;
        let span = trace.spans.iter().find(|span| line["span_id"] == *span.id);
        let found = (
            line["trace_id"] == *trace.id,
            span.map(|span| &*span.operation_name),
        );
        same(&found, &(true, Some(name)))?;
    }
    Ok(())
}
