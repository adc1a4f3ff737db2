//! What the 4-span trace costs: ours, the OpenTelemetry SDK, tracing and fastrace in one run.
//!
//! `cargo bench -p benches` starts one process per subject, exporter and round, the subjects in
//! turn, and prints medians over the rounds with their spread, the ratios of paired rounds, and
//! the budgets beside them. A run counts only if a collector has received every span with the
//! right parent and the right arguments. See `--help` for the options.
//!
//! The terms:
//! - *foreground net*: time on the request thread per trace, minus the same code untraced, with
//!   an exporter that only counts;
//! - *CPU*: CPU time of the whole process per trace, export and shutdown included;
//! - *same wake policy*: exporters get batches of 512 spans, and the pipeline wakes for each.
//!   fastrace wakes by the clock instead: it gets an interval that is kind to it.
//!
//! Everybody runs without internal logging (`default-features = false` in the SDK's crates),
//! which favours the peers.

pub mod allocator;
mod chart;
pub mod clock;
mod executor;
pub mod figures;
pub mod gate;
mod measure;
mod options;
mod report;
mod results;
mod runner;
pub mod sink;
pub mod subject;
mod workload;

use std::error::Error;
use std::process::ExitCode;

use measure::Measure;
use options::{Options, USAGE};

pub use workload::{SPANS_PER_TRACE, Workload};

/// First argument of the process that plays the collector.
const SINK: &str = "--sink";
/// First argument of a process that measures; then measure, subject, traces and endpoint.
const CHILD: &str = "--child";

/// Runs the role that the arguments (without the program's name) ask for.
#[must_use]
pub fn run(arguments: &[String]) -> ExitCode {
    let done = match arguments.split_first() {
        Some((role, _)) if role == SINK => sink::serve_parent().map_err(Into::into),
        Some((role, rest)) if role == CHILD => child(rest),
        _ if arguments.iter().any(|argument| argument == "--help") => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Options::parse(arguments)
            .map_err(|error| format!("{error}\n{USAGE}").into())
            .and_then(|options| runner::run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn child(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [measure, subject, traces, rest @ ..] = arguments else {
        return Err("a child needs a measure, a subject and a number of traces".into());
    };
    let measure = Measure::named(measure).ok_or_else(|| format!("unknown measure `{measure}`"))?;
    let subject = subject::find(subject).ok_or_else(|| format!("unknown subject `{subject}`"))?;
    let endpoint = rest.first().map(String::as_str);
    println!("{}", measure.run(subject, endpoint, traces.parse()?)?);
    Ok(())
}
