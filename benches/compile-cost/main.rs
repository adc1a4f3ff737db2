//! What an attribute on every function costs `cargo check`: ours, fastrace and tracing in one run.
//!
//! `cargo run -p benches --bin compile-cost` writes one crate per attribute, each with the same 800
//! functions (half of them async, two arguments, a `Result`), below `target/tmp/compile-cost`, and
//! checks them with their dependencies warm. Only the compiler's run on the generated crate counts,
//! and of it only what it costs more than the same crate without attributes. The dependencies are
//! those of the workspace's `Cargo.lock`.
//!
//! With `--build` it also reports the CPU time of `cargo check` and `cargo build` and the size of the
//! rlib; with `--cold` what a tracer adds to the build of a whole service.
//!
//! It counts instructions in user space: with `perf` where the machine lets it, else with valgrind's
//! cachegrind, which is slow and as exact. Without either it takes the CPU time in user space, the
//! rounds in turn, and prints medians; then small differences mean nothing.

mod cold;
mod meter;
mod project;
mod report;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use meter::Meter;
use project::{Goal, Project, VARIANTS};

const USAGE: &str =
    "usage: compile-cost [--functions N] [--rounds N] [--meter perf|cachegrind|time] [--check] [--build] [--cold]
  --functions N  how many functions a crate has (800)
  --rounds N     how often each crate is checked (1, with `time` 5)
  --meter M      what counts (the first of the three that works here)
  --check        fail when a budget is missed
  --build        also the CPU time of `cargo check` and `cargo build`, and the size of the rlib
  --cold         only how long a service with each of them takes to build from nothing";

struct Options {
    functions: usize,
    rounds: Option<usize>,
    meter: Option<Meter>,
    check: bool,
    build: bool,
    cold: bool,
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
        build: false,
        cold: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--functions" => options.functions = value()?.parse()?,
            "--rounds" => options.rounds = Some(value()?.parse()?),
            "--meter" => options.meter = Some(Meter::named(&value()?).ok_or(USAGE)?),
            "--check" => options.check = true,
            "--build" => options.build = true,
            "--cold" => options.cold = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let meter = options.meter.unwrap_or_else(Meter::best);
    let rounds = options.rounds.unwrap_or(meter.rounds()).max(1);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    if options.cold {
        cold::print(&root)?;
        return Ok(ExitCode::SUCCESS);
    }
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
            costs.push(project.measure(variant, Goal::Check, meter)?);
        }
    }
    let kept = report::print(&costs, functions, meter);
    if options.build {
        build(&project, options.rounds.unwrap_or(Meter::Time.rounds()))?;
    }
    Ok(if kept || !options.check {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// CPU time, rounds in turn, and the size of what comes out.
fn build(project: &Project, rounds: usize) -> Result<(), Box<dyn Error>> {
    project.warm_build()?;
    let mut times = vec![[Vec::new(), Vec::new()]; VARIANTS.len()];
    for _ in 0..rounds {
        for (times, variant) in times.iter_mut().zip(VARIANTS) {
            times[0].push(project.measure(variant, Goal::Check, Meter::Time)?);
            times[1].push(project.measure(variant, Goal::Build, Meter::Time)?);
        }
    }
    println!("\nCPU time in user space, ms, medians of {rounds}\n");
    println!("{:38}{:>10}{:>10}{:>12}", "", "check", "build", "rlib, KiB");
    for (times, variant) in times.iter().zip(VARIANTS) {
        let [check, build] = times.each_ref().map(|rounds| report::median(rounds));
        let size = project.rlib_size(variant)? / 1024;
        println!("{:38}{check:>10.0}{build:>10.0}{size:>12}", variant.title);
    }
    Ok(())
}
