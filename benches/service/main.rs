//! What tracing costs a service: an axum service under load from another process, plain, with ours
//! and with tracing.
//!
//! `cargo run --release -p benches --bin service` starts the service as a process of its own, sends
//! it requests over 127.0.0.1, first as fast as it answers, for the throughput and the CPU time per
//! request, then at a fixed rate, for the latency. Each request makes five spans, sent by OTLP
//! to a collector in this process, which counts them. The subjects take turns; the table shows medians
//! over the rounds and, in brackets, what is added to the plain service in the same round.

mod app;
mod load;

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use benches::figures::median;
use benches::sink::Sink;
use benches::subject::{OURS, PLAIN};

const USAGE: &str = "usage: service [--rounds N] [--requests N] [--rate N]
  --rounds N    rounds over all subjects (5)
  --requests N  requests at full speed, per round and subject (20000)
  --rate N      requests per second at a fixed rate, for two seconds (1000)";

/// The untraced service comes first.
const SUBJECTS: [&str; 3] = [PLAIN, OURS, "tracing"];

const WARM_UP: u64 = 1_000;
const PACED: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [role, subject, collector] if role == app::ROLE => app::serve(subject, collector),
        _ => Options::parse(&arguments).and_then(|options| run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    rounds: usize,
    requests: u64,
    rate: u64,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            rounds: 5,
            requests: 20_000,
            rate: 1_000,
        };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(USAGE.into());
            };
            match name.as_str() {
                "--rounds" => options.rounds = value.parse()?,
                "--requests" => options.requests = value.parse()?,
                "--rate" => options.rate = value.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// One subject in one round.
struct Run {
    requests_per_second: f64,
    cpu_us: f64,
    p50_us: f64,
    p99_us: f64,
    /// Spans that did not arrive, of a hundred.
    lost: f64,
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut rounds: Vec<Vec<Run>> = Vec::new();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        let mut runs: Vec<(usize, Run)> = Vec::new();
        for turn in 0..SUBJECTS.len() {
            let which = (round + turn) % SUBJECTS.len();
            runs.push((which, measure(SUBJECTS[which], options)?));
        }
        runs.sort_by_key(|(which, _)| *which);
        rounds.push(runs.into_iter().map(|(_, run)| run).collect());
    }
    println!(
        "{} requests at full speed on {} connections, then {} a second; medians of {} rounds\n",
        options.requests,
        load::CONNECTIONS,
        options.rate,
        options.rounds
    );
    println!("| | requests/s | CPU per request, µs | p50, µs | p99, µs | spans lost |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (which, subject) in SUBJECTS.iter().enumerate() {
        let cell = |figure: fn(&Run) -> f64, digits: usize| {
            let of = |which: usize| rounds.iter().map(move |runs| figure(&runs[which]));
            let value = median(&mut of(which).collect::<Vec<_>>());
            if which == 0 {
                return format!("{value:.digits$}");
            }
            let added = median(&mut of(which).zip(of(0)).map(|(a, b)| a - b).collect::<Vec<_>>());
            format!("{value:.digits$} ({added:+.digits$})")
        };
        println!(
            "| {subject} | {} | {} | {} | {} | {:.2} % |",
            cell(|run| run.requests_per_second, 0),
            cell(|run| run.cpu_us, 1),
            cell(|run| run.p50_us, 0),
            cell(|run| run.p99_us, 0),
            median(
                &mut rounds
                    .iter()
                    .map(|runs| runs[which].lost)
                    .collect::<Vec<_>>()
            ),
        );
    }
    Ok(())
}

fn measure(subject: &str, options: &Options) -> Result<Run, Box<dyn Error>> {
    let sink = Sink::start()?;
    let mut service = Service::start(subject, sink.endpoint())?;
    let (warm_up, _) = load::at_full_speed(service.port, WARM_UP)?;
    service.cpu_time()?;
    let (requests, took) = load::at_full_speed(service.port, options.requests)?;
    let cpu = service.cpu_time()?;
    let mut latencies = load::at_rate(service.port, options.rate, PACED)?;
    let paced = latencies.len() as u64;
    latencies.sort();
    service.stop()?;
    let made = (warm_up + requests + paced) * app::SPANS_PER_REQUEST;
    let arrived = sink.spans().len() as f64;
    let percentile = |of: usize| latencies[(latencies.len() * of / 100).min(latencies.len() - 1)];
    Ok(Run {
        requests_per_second: requests as f64 / took.as_secs_f64(),
        cpu_us: cpu.as_secs_f64() * 1e6 / requests as f64,
        p50_us: percentile(50).as_secs_f64() * 1e6,
        p99_us: percentile(99).as_secs_f64() * 1e6,
        lost: if subject == PLAIN {
            0.0
        } else {
            100.0 * (1.0 - arrived / made as f64)
        },
    })
}

/// The service, as a process that answers each line it gets with the CPU time since the last one.
struct Service {
    process: Child,
    answers: BufReader<ChildStdout>,
    port: u16,
}

impl Service {
    fn start(subject: &str, collector: &str) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([app::ROLE, subject, collector])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the service has no output")?;
        let mut answers = BufReader::new(output);
        let mut port = String::new();
        answers.read_line(&mut port)?;
        let port = port.trim().parse()?;
        Ok(Self {
            process,
            answers,
            port,
        })
    }

    fn cpu_time(&mut self) -> Result<Duration, Box<dyn Error>> {
        use std::io::Write;
        let ask = self
            .process
            .stdin
            .as_mut()
            .ok_or("the service has no input")?;
        ask.write_all(b"\n")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(Duration::from_nanos(answer.trim().parse()?))
    }

    /// The end of its input ends the service; it exports what it has.
    fn stop(mut self) -> Result<(), Box<dyn Error>> {
        self.process.stdin = None;
        self.answers.read_to_end(&mut Vec::new())?;
        let status = self.process.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the service: {status}").into())
        }
    }
}
