//! How many instructions a span takes, for the regression guard in CI.
//!
//! `cargo run --release -p benches --bin instructions` runs itself under valgrind's callgrind, per
//! subject and case. Instructions hardly vary from run to run and not at all with what else the machine does.
//!
//! `--check` compares them with `benches/baseline.toml`: what our own hot path takes per toolchain,
//! and what it may take beside the peers. `--write` puts this toolchain's numbers there. Built with
//! `--features off`, it only compares `#[traced]` with the plain code, as that must cost nothing.

mod baseline;
mod callgrind;
mod case;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use baseline::Baseline;
use benches::sink;
use callgrind::Sink;
use case::Case;

const USAGE: &str = "usage: instructions [--check] [--write] [--keep DIRECTORY]
  --check           fail when the hot path grew by more than 10 %, or is worse beside a peer than allowed
  --write           make these numbers the baseline of this toolchain
  --keep DIRECTORY  keep callgrind's files there, for callgrind_annotate";

/// How much more than its baseline the hot path may take.
const GROWTH: f64 = 1.10;
/// How much more than its budget beside a peer.
const SLACK: f64 = 1.25;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((role, _)) if role == callgrind::SINK => sink::serve_parent().map_err(Into::into),
        Some((role, rest)) if role == callgrind::CHILD => case::child(rest),
        _ => Options::parse(&arguments)
            .map_err(Into::into)
            .and_then(|options| run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Options {
    check: bool,
    write: bool,
    keep: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, &'static str> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--check" => options.check = true,
                "--write" => options.write = true,
                "--keep" => options.keep = Some(arguments.next().ok_or(USAGE)?.into()),
                _ => return Err(USAGE),
            }
        }
        Ok(options)
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    callgrind::available()?;
    let sink = Sink::start()?;
    let count = |case: Case, subject: &str| case.count(subject, &sink, options.keep.as_deref());
    if cfg!(feature = "off") {
        return off(count);
    }
    let mut faults = Vec::new();
    let mut baseline = Baseline::read(&file())?;
    let toolchain = toolchain()?;
    let mut ours = Vec::new();
    for case in Case::ALL {
        ours.push((case, count(case, "ours")?));
    }
    println!("instructions with {toolchain}\n");
    for (case, found) in &ours {
        let known = baseline.instructions(&toolchain, case.name());
        println!("{:32}{found:>10.0}{}", case.name(), compared(*found, known));
        if known.is_some_and(|known| *found > known * GROWTH) {
            faults.push(format!("`{}` grew by more than 10 %", case.name()));
        }
    }
    println!(
        "\n{:32}{:>10}{:>10}{:>10}",
        "over the peer's", "", "found", "budget"
    );
    for (case, peer, budget) in baseline.budgets() {
        let case = Case::named(&case).ok_or_else(|| format!("unknown case `{case}`"))?;
        let own = ours.iter().find(|(known, _)| *known == case);
        let own = own.map_or(f64::NAN, |(_, found)| *found);
        let peers = count(case, &peer)?;
        let ratio = own / peers;
        let what = format!("{} / {peer}", case.name());
        println!("{what:32}{peers:>10.0}{ratio:>10.3}{budget:>10.3}");
        if ratio > budget * SLACK {
            faults.push(format!("`{what}` is more than 1.25 times its budget"));
        }
    }
    if !baseline.knows(&toolchain) {
        println!(
            "\n`{toolchain}` has no baseline: to have one, run `cargo run --release -p benches --bin \
             instructions -- --write` and commit `benches/baseline.toml`"
        );
    }
    if options.write {
        for (case, found) in &ours {
            baseline.set(&toolchain, case.name(), *found);
        }
        baseline.write(&file())?;
    }
    if options.check && !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    Ok(())
}

/// With the feature `off`, ours is the plain code.
fn off(count: impl Fn(Case, &str) -> Result<f64, Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    for case in [Case::Foreground, Case::Disabled] {
        let (ours, plain) = (count(case, "ours")?, count(case, "plain")?);
        println!(
            "feature `off`, {}: {ours:.1}, plain {plain:.1}",
            case.name()
        );
        // What the optimizer makes of two copies of the same code may differ by an instruction.
        if ours > plain + 2.0 {
            return Err("the feature `off` leaves something behind".into());
        }
    }
    Ok(())
}

fn compared(found: f64, known: Option<f64>) -> String {
    known.map_or_else(String::new, |known| {
        format!("{known:>10.0}{:>+8.1} %", (found / known - 1.0) * 100.0)
    })
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.toml")
}

/// `rustc 1.95.0`, without commit and date.
fn toolchain() -> Result<String, Box<dyn Error>> {
    let output = std::process::Command::new("rustc")
        .arg("--version")
        .output()?;
    let version = String::from_utf8(output.stdout)?;
    let words: Vec<&str> = version.split_whitespace().take(2).collect();
    let architecture = std::env::consts::ARCH;
    Ok(format!("{} {architecture}", words.join(" ")))
}
