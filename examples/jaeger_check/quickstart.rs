//! The quickstart: `expected.txt`, and what Jaeger says of services and who calls whom.

use std::time::Duration;

use crate::api::{self, Query};
use crate::{Check, poll_all, same, same_text, tree};

/// What the quickstart sends, as `tree` renders it.
const EXPECTED: &str = include_str!("expected.txt");
const SPANS: usize = number_of_spans(EXPECTED);

/// Jaeger takes spans in asynchronously; once they are all there, so is what it makes of them.
const UNTIL_ALL_ARE_THERE: Duration = Duration::from_secs(30);
const AFTERWARDS: Duration = Duration::from_secs(2);

const CHECKS: [Check<Query>; 5] = [
    (
        "every span arrives",
        UNTIL_ALL_ARE_THERE,
        every_span_arrives,
    ),
    ("traces", AFTERWARDS, traces),
    ("services", AFTERWARDS, services),
    ("operations", AFTERWARDS, operations),
    ("dependencies", AFTERWARDS, dependencies),
];

pub(crate) fn check(query: &Query) -> Result<(), String> {
    poll_all(&CHECKS, query)
}

/// The traces as they are, to be looked at and then kept as `expected.txt`.
pub(crate) fn print(query: &Query) -> Result<(), String> {
    query
        .traces("gateway")
        .map(|traces| print!("{}", rendered(&traces)))
}

fn every_span_arrives(query: &Query) -> Result<(), String> {
    let traces = query.traces("gateway")?;
    same(&traces.iter().map(|trace| trace.spans.len()).sum(), &SPANS)
}

/// Services, names, parents across the services, kinds, arguments and their types, errors,
/// exceptions, cancellation, spans by hand: everything in one text.
fn traces(query: &Query) -> Result<(), String> {
    same_text(&rendered(&query.traces("gateway")?), EXPECTED)
}

fn rendered(traces: &[api::Trace]) -> String {
    let trees: Vec<String> = traces.iter().map(tree::render).collect();
    trees.join("\n")
}

fn services(query: &Query) -> Result<(), String> {
    let mut services = query.services()?;
    services.sort();
    same(&services, &vec!["gateway".to_owned(), "orders".to_owned()])
}

/// What the search form offers.
fn operations(query: &Query) -> Result<(), String> {
    for service in ["gateway", "orders"] {
        let mut found = query.operations(service)?;
        found.sort();
        same(&found, &operations_of(service))?;
    }
    Ok(())
}

/// The operations of a service in the expected traces.
fn operations_of(service: &str) -> Vec<String> {
    let start = format!("{service}: ");
    let spans = EXPECTED
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(&start));
    let mut names: Vec<String> = spans
        .map(|span| span.split(" {").next().unwrap_or(span).to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn dependencies(query: &Query) -> Result<(), String> {
    let edge = api::Dependency {
        parent: "gateway".to_owned(),
        child: "orders".to_owned(),
        calls: EXPECTED.matches("orders: POST /orders").count() as u64,
    };
    same(&query.dependencies()?, &vec![edge])
}

/// A line is a span unless it is empty or starts with the dash of a log.
const fn number_of_spans(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut spans) = (0, 0);
    while at < bytes.len() {
        while bytes[at] == b' ' {
            at += 1;
        }
        if bytes[at] != b'\n' && bytes[at] != b'-' {
            spans += 1;
        }
        while bytes[at] != b'\n' {
            at += 1;
        }
        at += 1;
    }
    spans
}
