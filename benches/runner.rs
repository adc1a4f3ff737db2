//! Starts the processes in turn and keeps the runs that count.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::figures::Figures;
use crate::measure::Measure;
use crate::options::Options;
use crate::results::{Case, Exporter, Results};
use crate::sink::{Verdict, WITH_CODE, WITHOUT_CODE};
use crate::subject::{self, OURS, PLAIN, Subject};
use crate::{CHILD, SINK, chart, report};

/// Measures everything, prints the tables and writes them.
pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let subjects = chosen(options.only.as_deref())?;
    let mut results = Results::new(subjects.iter().map(|subject| subject.name()).collect());
    let mut processes = Processes::start()?;
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        for case in Case::of_round(round) {
            for turn in 0..subjects.len() {
                let subject = subjects[(round + turn) % subjects.len()];
                if !case.is_for(subject) {
                    continue;
                }
                let outcome = processes.measure(subject, case, options.traces)?;
                results.add(subject.name(), case, round, outcome);
            }
        }
    }
    let markdown = report::markdown(&results, options, &subjects);
    println!("{markdown}");
    let output = options.output.clone().unwrap_or_else(default_output);
    write(&output, &markdown)?;
    if let Some(path) = &options.svg {
        write(path, &chart::svg(&results))?;
    }
    // A peer that loses spans is only shown.
    if results.has_empty_cell(OURS) {
        return Err("something of ours has no round that counts; see above".into());
    }
    Ok(())
}

fn default_output() -> PathBuf {
    // Cargo starts benchmarks in the directory of their package.
    PathBuf::from("../target/tmp/trace-bench.md")
}

fn write(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text)?;
    eprintln!("written to {}", path.display());
    Ok(())
}

/// The subjects asked for, the untraced code among them.
fn chosen(only: Option<&[String]>) -> Result<Vec<&'static dyn Subject>, String> {
    let Some(only) = only else {
        return Ok(subject::ALL.to_vec());
    };
    let mut chosen: Vec<_> = subject::find(PLAIN).into_iter().collect();
    for name in only.iter().filter(|name| *name != PLAIN) {
        let known = || {
            let names: Vec<_> = subject::ALL.iter().map(|s| s.name()).collect();
            format!("unknown subject `{name}`; expected one of {names:?}")
        };
        chosen.push(subject::find(name).ok_or_else(known)?);
    }
    Ok(chosen)
}

/// This program in its other roles.
struct Processes {
    program: PathBuf,
    sink: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    endpoint: String,
}

impl Processes {
    fn start() -> Result<Self, Box<dyn Error>> {
        let program = std::env::current_exe()?;
        let mut sink = Command::new(&program)
            .arg(SINK)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = sink.stdin.take();
        let mut answers = BufReader::new(sink.stdout.take().ok_or("the sink has no output")?);
        let mut endpoint = String::new();
        answers.read_line(&mut endpoint)?;
        Ok(Self {
            program,
            sink,
            ask,
            answers,
            endpoint: endpoint.trim_end().to_owned(),
        })
    }

    /// The figures of one process, or why they do not count.
    fn measure(
        &mut self,
        subject: &dyn Subject,
        case: Case,
        traces: u64,
    ) -> Result<Result<Figures, String>, Box<dyn Error>> {
        let mut child = Command::new(&self.program);
        child.args([CHILD, case.measure.name(), subject.name()]);
        child.arg(traces.to_string());
        // Where it asks for backtraces, ours send one with every error; the others never do.
        child
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE");
        if case.exporter == Exporter::Otlp {
            child.arg(&self.endpoint);
        }
        let output = child.output()?;
        let verdict = match case.exporter {
            Exporter::Otlp => Some(self.verdict(subject.sends_code())?),
            Exporter::Null => None,
        };
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Ok(Err(complaint.trim_end().to_owned()));
        }
        let line = String::from_utf8_lossy(&output.stdout);
        Ok(Figures::parse(&line)
            .ok_or_else(|| format!("unreadable figures `{line}`"))
            .and_then(|figures| check(subject, case.measure, figures, verdict)))
    }

    fn verdict(&mut self, with_code: bool) -> Result<Verdict, Box<dyn Error>> {
        let question = if with_code { WITH_CODE } else { WITHOUT_CODE };
        let ask = self.ask.as_mut().ok_or("the sink has no input")?;
        writeln!(ask, "{question}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Verdict::from_line(&answer).ok_or_else(|| "the sink has gone".into())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // The end of its input ends the sink.
        self.ask = None;
        let _ = self.sink.wait();
    }
}

/// Voids a run whose spans did not all arrive, or not as they should be.
fn check(
    subject: &dyn Subject,
    measure: Measure,
    figures: Figures,
    verdict: Option<Verdict>,
) -> Result<Figures, String> {
    let (Some(traces), false) = (figures.get("traces"), !subject.records()) else {
        return Ok(figures);
    };
    let traces = traces as u64;
    if let Some(verdict) = verdict {
        if !verdict.is_exactly(traces) {
            return Err(format!("of {traces} traces the sink says {verdict:?}"));
        }
    } else {
        let delivered = figures.get("delivered").map(|spans| spans as u64);
        if delivered != Some(traces * measure.exported()) {
            let delivered = delivered.unwrap_or(0);
            return Err(format!("of {traces} traces {delivered} spans came out"));
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(traces: u64, delivered: Option<u64>) -> Figures {
        let mut figures = Figures::default();
        figures.set("traces", traces as f64);
        if let Some(spans) = delivered {
            figures.set("delivered", spans as f64);
        }
        figures
    }

    fn traced() -> &'static dyn Subject {
        subject::find("SDK").unwrap()
    }

    #[test]
    fn a_run_that_lost_a_span_is_void() {
        assert!(check(traced(), Measure::Time, figures(2, Some(8)), None).is_ok());
        let fault = check(traced(), Measure::Time, figures(2, Some(7)), None).unwrap_err();
        assert_eq!(fault, "of 2 traces 7 spans came out");
        assert!(check(traced(), Measure::Time, figures(2, None), None).is_err());
    }

    #[test]
    fn a_run_that_the_sink_rejects_is_void() {
        let mut verdict = Verdict {
            spans: 8,
            traces: 2,
            fault: String::new(),
        };
        assert!(
            check(
                traced(),
                Measure::Time,
                figures(2, None),
                Some(verdict.clone())
            )
            .is_ok()
        );
        verdict.fault = "the root has a parent".to_owned();
        assert!(check(traced(), Measure::Time, figures(2, None), Some(verdict)).is_err());
    }

    #[test]
    fn the_untraced_code_always_runs() {
        let only = ["tracing".to_owned()];
        let names: Vec<_> = chosen(Some(&only))
            .unwrap()
            .iter()
            .map(|s| s.name())
            .collect();
        assert_eq!(names, [PLAIN, "tracing"]);
        assert!(chosen(Some(&["slog".to_owned()])).is_err());
    }
}
