//! Checks against a real Jaeger, whose addresses are in the environment; `.ci/jaeger` sets them,
//! and runs the checks beside the programs they are about.
//!
//! ```text
//! jaeger-check quickstart            what the quickstart sent
//! jaeger-check greeter               what the greeter sent
//! jaeger-check formats               one trace of everything, sent in every format there is
//! jaeger-check sampling              the strategies of `strategies.json`
//! jaeger-check stack < LOG           what the stack sent, and whether its log names the same spans
//! jaeger-check quickstart --print    what there is, to be looked at and kept as `expected.txt`
//! ```

mod api;
mod formats;
mod greeter;
mod quickstart;
mod sampling;
mod stack;
mod tree;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use api::Query;

const USAGE: &str = "usage: jaeger-check quickstart|greeter|formats|sampling|stack [--print]";
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What is checked, how long it may take to become true, and how to look.
type Check<T> = (&'static str, Duration, fn(&T) -> Result<(), String>);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), String> {
    let query = Query::new(address("TEST_JAEGER_QUERY")?);
    match words {
        ["quickstart"] => quickstart::check(&query),
        ["quickstart", "--print"] => quickstart::print(&query),
        ["greeter"] => greeter::check(&query),
        ["formats"] => formats::check(&query),
        ["formats", "--print"] => formats::print(&query),
        ["stack"] => stack::check(&query),
        ["stack", "--print"] => stack::print(&query),
        ["sampling"] => sampling::check(&address("TEST_JAEGER_SAMPLING")?),
        _ => Err(USAGE.to_owned()),
    }
}

/// An address that `.ci/jaeger` has put into the environment.
fn address(variable: &str) -> Result<String, String> {
    std::env::var(variable).map_err(|_| format!("`{variable}` is not set; run `.ci/jaeger`"))
}

/// Looks at each in turn, and prints how it went.
fn poll_all<T>(checks: &[Check<T>], what: &T) -> Result<(), String> {
    for (name, patience, check) in checks {
        match poll(*patience, || check(what)) {
            Ok(()) => println!("ok      {name}"),
            Err(message) => {
                println!("FAILED  {name}");
                return Err(message);
            }
        }
    }
    Ok(())
}

/// Looks until it is as it should be, or the time is over.
fn poll<T>(patience: Duration, look: impl Fn() -> Result<T, String>) -> Result<T, String> {
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

/// The same for texts of many lines: the first that differs.
fn same_text(found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let expected = || expected.lines().chain(std::iter::repeat("(nothing)"));
    let mut pairs = found.lines().chain(["(nothing)"]).zip(expected());
    let (found_line, expected_line) = pairs.find(|(a, b)| a != b).unwrap_or_default();
    Err(format!(
        "expected {expected_line}\nfound    {found_line}\nin all\n{found}"
    ))
}
