//! What an attribute on every function costs `cargo check`: ours, fastrace and tracing in one run.
//!
//! `cargo run -p benches --bin compile-cost` writes one crate per attribute, each with the same 800
//! functions (half of them async, two arguments, a `Result`), below `target/tmp/compile-cost`, and
//! checks them with their dependencies warm. Only the compiler's run on the generated crate counts,
//! and of it only what it costs more than the same crate without attributes. The dependencies are
//! those of the workspace's `Cargo.lock`.
//!
//! It counts instructions in user space: with `perf` where the machine lets it, else with valgrind's
//! cachegrind, which is slow and as exact. Without either it takes the CPU time in user space, the
//! rounds in turn, and prints medians; then small differences mean nothing.

mod meter;
mod project;
mod report;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use meter::Meter;
use project::{Project, VARIANTS};

const USAGE: &str =
    "usage: compile-cost [--functions N] [--rounds N] [--meter perf|cachegrind|time] [--check]
  --functions N  how many functions a crate has (800)
  --rounds N     how often each crate is checked (1, with `time` 5)
  --meter M      what counts (the first of the three that works here)
  --check        fail when a budget is missed";

struct Options {
    functions: usize,
    rounds: Option<usize>,
    meter: Option<Meter>,
    check: bool,
}

fn main() -> ExitCode {
    // Cargo calls this program in the compiler's place.
    if let Some(role) = meter::wrapped() {
        return role;
    }
    match options().and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        functions: 800,
        rounds: None,
        meter: None,
        check: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--functions" => options.functions = value()?.parse()?,
            "--rounds" => options.rounds = Some(value()?.parse()?),
            "--meter" => options.meter = Some(Meter::named(&value()?).ok_or(USAGE)?),
            "--check" => options.check = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let meter = options.meter.unwrap_or_else(Meter::best);
    let rounds = options.rounds.unwrap_or(meter.rounds()).max(1);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let project = Project::generate(&root, options.functions)?;
    let functions = options.functions;
    println!(
        "{functions} functions, medians of {rounds}, {}\n",
        meter.unit()
    );
    project.warm()?;
    let mut costs = vec![Vec::new(); VARIANTS.len()];
    for _ in 0..rounds {
        for (costs, variant) in costs.iter_mut().zip(VARIANTS) {
            costs.push(project.check(variant, meter)?);
        }
    }
    let kept = report::print(&costs, functions, meter);
    Ok(if kept || !options.check {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
