//! Checks what a real Jaeger made of the quickstart's spans; `.ci/jaeger` runs both.
//!
//! ```text
//! jaeger-check QUERY-URL [--print]
//! ```
//!
//! `--print` prints the traces as they are, to be looked at and then kept as `expected.txt`.

mod api;
mod tree;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use api::Query;

/// What the quickstart sends, as `tree` renders it.
const EXPECTED: &str = include_str!("expected.txt");
const SPANS: usize = number_of_spans(EXPECTED);

/// Jaeger takes spans in asynchronously; once they are all there, so is what it makes of them.
const UNTIL_ALL_ARE_THERE: Duration = Duration::from_secs(30);
const AFTERWARDS: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

type Check = fn(&Query) -> Result<(), String>;

const CHECKS: [(&str, Duration, Check); 5] = [
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

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(url) = arguments.next() else {
        eprintln!("usage: jaeger-check QUERY-URL [--print]");
        return ExitCode::FAILURE;
    };
    let query = Query::new(url);
    if arguments.next().is_some() {
        return match query.traces("gateway").map(|traces| rendered(&traces)) {
            Ok(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    for (name, patience, check) in CHECKS {
        match poll(patience, || check(&query)) {
            Ok(()) => println!("ok      {name}"),
            Err(message) => {
                println!("FAILED  {name}\n{message}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Looks until it is as it should be, or the time is over.
fn poll(patience: Duration, look: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let deadline = Instant::now() + patience;
    loop {
        let result = look();
        if result.is_ok() || Instant::now() >= deadline {
            return result;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("expected {expected:#?}\nfound {found:#?}"))
}

fn every_span_arrives(query: &Query) -> Result<(), String> {
    let traces = query.traces("gateway")?;
    same(&traces.iter().map(|trace| trace.spans.len()).sum(), &SPANS)
}

/// Services, names, parents across the services, kinds, arguments and their types, errors,
/// exceptions, cancellation, spans by hand: everything in one text.
fn traces(query: &Query) -> Result<(), String> {
    let found = rendered(&query.traces("gateway")?);
    if found == EXPECTED {
        return Ok(());
    }
    let expected = || EXPECTED.lines().chain(std::iter::repeat("(nothing)"));
    let mut pairs = found.lines().chain(["(nothing)"]).zip(expected());
    let (found_line, expected_line) = pairs.find(|(a, b)| a != b).unwrap_or_default();
    Err(format!(
        "expected {expected_line}\nfound    {found_line}\nin all\n{found}"
    ))
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
