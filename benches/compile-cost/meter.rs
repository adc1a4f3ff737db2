//! Counting what one run of the compiler takes.
//!
//! Cargo runs this program as a wrapper around the compiler, which it runs in turn, counted.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use benches::clock::children_user_time;

/// Where a wrapper writes what it has counted; also what tells that this is one.
const COUNT: &str = "COMPILE_COST_COUNT";
/// Which meter a wrapper uses.
const METER: &str = "COMPILE_COST_METER";

/// How to count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meter {
    /// Instructions in user space, by the processor's own counter.
    Perf,
    /// Instructions in user space, by running them one by one.
    Cachegrind,
    /// CPU time in user space.
    Time,
}

impl Meter {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Perf, "perf"),
        (Self::Cachegrind, "cachegrind"),
        (Self::Time, "time"),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(_, known)| *known == name);
        found.map(|(meter, _)| meter)
    }

    fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The first that works on this machine.
    pub(crate) fn best() -> Self {
        let works = |meter: &Self| meter.run("true".as_ref(), &[]).is_ok();
        let mut meters = Self::ALL.into_iter().map(|(meter, _)| meter);
        meters.find(works).unwrap_or(Self::Time)
    }

    /// Counting instructions gives the same answer every time.
    pub(crate) fn rounds(self) -> usize {
        if self == Self::Time { 5 } else { 1 }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Perf => "million instructions in user space (perf)",
            Self::Cachegrind => "million instructions in user space (cachegrind)",
            Self::Time => "milliseconds of CPU time in user space (no instruction counter here)",
        }
    }

    /// Makes `cargo` count what the compiler takes for the package that it is asked for.
    pub(crate) fn wrap(self, cargo: &mut Command, count: &Path) -> Result<(), Box<dyn Error>> {
        cargo
            .env("RUSTC_WORKSPACE_WRAPPER", std::env::current_exe()?)
            .env(METER, self.name())
            .env(COUNT, count);
        Ok(())
    }

    /// Runs a program and says what it took, in the unit of the meter.
    fn run(self, program: &Path, arguments: &[OsString]) -> Result<f64, Box<dyn Error>> {
        let report = std::env::temp_dir().join(format!("compile-cost-{}", std::process::id()));
        let mut command = match self {
            Self::Perf => {
                let mut command = Command::new("perf");
                command.args(["stat", "-x,", "-e", "instructions:u", "-o"]);
                command.arg(&report).arg("--").arg(program);
                command
            }
            Self::Cachegrind => {
                let mut command = Command::new("valgrind");
                command.args(["--tool=cachegrind", "--cache-sim=no", "-q"]);
                // It warns about caches that nobody simulates.
                command.arg("--log-file=/dev/null");
                let mut out = OsString::from("--cachegrind-out-file=");
                out.push(&report);
                command.arg(out).arg(program);
                command
            }
            Self::Time => Command::new(program),
        };
        let before = children_user_time();
        let status = command.args(arguments).stdin(Stdio::null()).status()?;
        if !status.success() {
            return Err(format!("{}: {status}", program.display()).into());
        }
        if self == Self::Time {
            let user = children_user_time() - before;
            return Ok(user.as_secs_f64() * 1e3);
        }
        let text = fs::read_to_string(&report)?;
        fs::remove_file(&report)?;
        let count = match self {
            // `123456,,instructions:u,..`, or `<not supported>,..`
            Self::Perf => text
                .lines()
                .find_map(|line| line.split_once(",,instructions:u")?.0.parse::<u64>().ok()),
            _ => text
                .lines()
                .find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok()),
        };
        let count = count.ok_or_else(|| format!("no count in {text}"))?;
        Ok(count as f64 / 1e6)
    }
}

/// Runs the compiler if cargo has asked for it: the arguments are the compiler and its own.
pub(crate) fn wrapped() -> Option<ExitCode> {
    let count = std::env::var_os(COUNT)?;
    let mut arguments = std::env::args_os().skip(1);
    let compiler = arguments.next()?;
    let arguments: Vec<_> = arguments.collect();
    let ran = if std::env::var_os("CARGO_PRIMARY_PACKAGE").is_some() {
        measure(compiler.as_ref(), &arguments, count.as_ref())
    } else {
        // Cargo asks what the compiler can do.
        let status = Command::new(compiler).args(arguments).status();
        status.map(|status| status.success()).map_err(Into::into)
    };
    Some(match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

fn measure(compiler: &Path, arguments: &[OsString], count: &Path) -> Result<bool, Box<dyn Error>> {
    let meter = std::env::var(METER).ok();
    let meter = meter
        .and_then(|name| Meter::named(&name))
        .ok_or("no meter")?;
    let found = meter.run(compiler, arguments)?;
    fs::write(count, found.to_string())?;
    Ok(true)
}
