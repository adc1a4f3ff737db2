//! What one child process does: one measurement of one subject.

use std::error::Error;
use std::hint::black_box;
use std::ops::Range;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::allocator;
use crate::clock::process_cpu_time;
use crate::figures::{Figures, median};
use crate::gate::Gate;
use crate::subject::{Destination, Pipeline, Subject};
use crate::workload::{SPANS_PER_TRACE, Workload};

/// Traces between two flushes. The queues hold two bursts, so nothing is dropped; the flushes are
/// off the clock of the request thread.
pub(crate) const BURST: u64 = 2048;

/// Traces per time sample: enough for two batches, and short enough that most samples are spared
/// by whatever else the machine does.
const SAMPLE: u64 = 256;

/// Traces buffered behind a closed gate: 30,000 spans.
const BUFFERED: u64 = 7_500;

/// Calls per timed batch of nanosecond-sized operations.
const CALLS: u64 = 200_000;

/// The kinds of measurement.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Measure {
    /// Time on the request thread and CPU time of the process, per 4-span trace.
    Time,
    /// Time and allocations on the request thread, per trace of any kind.
    Workload(Workload),
    /// Allocations per trace.
    Allocations,
    /// Memory of many buffered spans.
    Memory,
    /// Spans per second of one thread, of two and of four.
    Threads,
    /// Time of a call below an unsampled root.
    Unsampled,
    /// Time of a call with tracing switched off.
    Disabled,
}

impl Measure {
    /// The one of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let others = [
            Self::Time,
            Self::Allocations,
            Self::Memory,
            Self::Threads,
            Self::Unsampled,
            Self::Disabled,
        ];
        let workloads = Workload::ALL.into_iter().map(Self::Workload);
        others
            .into_iter()
            .chain(workloads)
            .find(|measure| measure.name() == name)
    }

    /// How many spans of each of its traces come out.
    pub(crate) fn exported(self) -> u64 {
        match self {
            Self::Workload(workload) => workload.exported(),
            _ => SPANS_PER_TRACE,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Workload(workload) => workload.name(),
            Self::Allocations => "allocations",
            Self::Memory => "memory",
            Self::Threads => "threads",
            Self::Unsampled => "unsampled",
            Self::Disabled => "disabled",
        }
    }

    /// Runs it; `endpoint` is the sink's, without one the spans are only counted.
    pub(crate) fn run(
        self,
        subject: &dyn Subject,
        endpoint: Option<&str>,
        traces: u64,
    ) -> Result<Figures, Box<dyn Error>> {
        let gate = Arc::new(Gate::opened());
        let destination = match (endpoint, self) {
            (Some(url), _) => Destination::Otlp(url.to_owned()),
            (None, Self::Workload(workload)) => workload.destination(&gate),
            (None, Self::Unsampled) => Destination::Unsampled(gate.clone()),
            (None, Self::Disabled) => Destination::Off,
            (None, _) => Destination::Null(gate.clone()),
        };
        let mut figures = match self {
            Self::Time => time(subject, &destination, traces)?,
            Self::Allocations => allocations(subject, &destination)?,
            Self::Workload(kind) => workload(subject, &destination, kind, traces)?,
            Self::Memory => return memory(subject),
            Self::Threads => threads(subject, &destination, traces)?,
            Self::Unsampled | Self::Disabled => call(subject, &destination)?,
        };
        if endpoint.is_none() {
            figures.set("delivered", gate.spans() as f64);
        }
        Ok(figures)
    }
}

fn time(
    subject: &dyn Subject,
    destination: &Destination,
    traces: u64,
) -> Result<Figures, Box<dyn Error>> {
    let pipeline = subject.install(destination)?;
    subject.run(Workload::FourSpans, 0..BURST);
    pipeline.flush();
    let bursts = traces.div_ceil(BURST);
    let mut foreground = Vec::new();
    let before = process_cpu_time();
    for burst in 1..=bursts {
        foreground.extend(sampled_burst(subject, burst * BURST));
        pipeline.flush();
    }
    pipeline.shutdown();
    let cpu = process_cpu_time() - before;
    let mut figures = Figures::default();
    figures.set("foreground_ns", median(&mut foreground));
    figures.set("cpu_ns", per(cpu, bursts * BURST));
    figures.set("peak_rss_bytes", peak_resident_bytes());
    figures.set("traces", ((bursts + 1) * BURST) as f64);
    Ok(figures)
}

/// Makes the 4-span traces of one burst; returns the time per trace of each sample.
fn sampled_burst(subject: &dyn Subject, first: u64) -> impl Iterator<Item = f64> {
    samples(subject, Workload::FourSpans, first..first + BURST, SAMPLE)
}

/// Makes those traces, so many per sample; returns the time per trace of each in nanoseconds.
fn samples(
    subject: &dyn Subject,
    workload: Workload,
    orders: Range<u64>,
    size: u64,
) -> impl Iterator<Item = f64> {
    orders.step_by(size as usize).map(move |order| {
        let started = Instant::now();
        subject.run(workload, order..order + size);
        per(started.elapsed(), size)
    })
}

/// No more spans between two flushes, nor traces, than the 4-span trace makes.
fn workload(
    subject: &dyn Subject,
    destination: &Destination,
    workload: Workload,
    traces: u64,
) -> Result<Figures, Box<dyn Error>> {
    let pipeline = subject.install(destination)?;
    let sample = SAMPLE.min(SAMPLE * SPANS_PER_TRACE / workload.spans());
    let burst = sample * (BURST / SAMPLE);
    let run = |burst_number: u64| {
        let first = burst_number * burst;
        samples(subject, workload, first..first + burst, sample)
    };
    run(0).for_each(drop);
    pipeline.flush();
    // Enough for a stable median: the rounds are many.
    let bursts = traces.div_ceil(BURST).div_ceil(3);
    let mut foreground = Vec::new();
    for number in 1..=bursts {
        foreground.extend(run(number));
        pipeline.flush();
    }
    allocator::start();
    let before = allocator::counters().on_this_thread;
    run(bursts + 1).for_each(drop);
    let allocations = allocator::counters().on_this_thread - before;
    pipeline.flush();
    pipeline.shutdown();
    let mut figures = Figures::default();
    figures.set("foreground_ns", median(&mut foreground));
    figures.set("request_thread", allocations as f64 / burst as f64);
    figures.set("traces", ((bursts + 2) * burst) as f64);
    Ok(figures)
}

fn allocations(
    subject: &dyn Subject,
    destination: &Destination,
) -> Result<Figures, Box<dyn Error>> {
    allocator::start();
    let pipeline = subject.install(destination)?;
    subject.run(Workload::FourSpans, 0..BURST);
    pipeline.flush();
    let before = allocator::counters();
    subject.run(Workload::FourSpans, BURST..2 * BURST);
    let after = allocator::counters();
    pipeline.flush();
    let flushed = allocator::counters();
    pipeline.shutdown();
    let per_trace = |count: u64| count as f64 / BURST as f64;
    let mut figures = Figures::default();
    figures.set(
        "request_thread",
        per_trace(after.on_this_thread - before.on_this_thread),
    );
    figures.set(
        "process",
        per_trace(flushed.allocations - before.allocations),
    );
    figures.set("bytes", per_trace(flushed.allocated - before.allocated));
    figures.set("traces", (2 * BURST) as f64);
    Ok(figures)
}

/// Fills the queue behind an exporter that does not return.
fn memory(subject: &dyn Subject) -> Result<Figures, Box<dyn Error>> {
    allocator::start();
    let gate = Arc::new(Gate::closed());
    let before = allocator::counters();
    let pipeline = subject.install(&Destination::Null(gate.clone()))?;
    subject.run(Workload::FourSpans, 0..BUFFERED);
    let filled = allocator::counters();
    gate.open();
    let traces = deliver(subject, &*pipeline, &gate);
    let spans = (BUFFERED * SPANS_PER_TRACE) as f64;
    let mut figures = Figures::default();
    figures.set("bytes_per_span", (filled.live - before.live) as f64 / spans);
    figures.set("peak_bytes", allocator::counters().peak as f64);
    figures.set("traces", traces as f64);
    figures.set("delivered", gate.spans() as f64);
    Ok(figures)
}

/// Flushes until nothing is left behind. fastrace keeps what its ring had no room for on the
/// request thread, and moves it only when that thread ends another span.
fn deliver(subject: &dyn Subject, pipeline: &dyn Pipeline, gate: &Gate) -> u64 {
    let mut traces = BUFFERED;
    for _ in 0..16 {
        pipeline.flush();
        if gate.spans() == traces * SPANS_PER_TRACE {
            break;
        }
        subject.run(Workload::FourSpans, traces..traces + 1);
        traces += 1;
    }
    pipeline.shutdown();
    traces
}

fn threads(
    subject: &dyn Subject,
    destination: &Destination,
    traces: u64,
) -> Result<Figures, Box<dyn Error>> {
    let pipeline = subject.install(destination)?;
    subject.run(Workload::FourSpans, 0..BURST);
    pipeline.flush();
    let bursts = traces.div_ceil(BURST);
    let mut figures = Figures::default();
    let one = spans_per_second(subject, &*pipeline, 1, bursts);
    let two = spans_per_second(subject, &*pipeline, 2, bursts);
    let four = spans_per_second(subject, &*pipeline, 4, bursts);
    figures.set("one_thread", one.undisturbed);
    figures.set("two_threads", two.undisturbed);
    figures.set("one_thread_bursts", one.bursts);
    figures.set("four_threads_bursts", four.bursts);
    pipeline.shutdown();
    figures.set("traces", ((1 + 5 * bursts) * BURST) as f64);
    Ok(figures)
}

/// How fast several threads make spans at the same time.
struct Rate {
    /// By the median of short samples, which leaves out what else the machine does; it means
    /// something only if every thread has a core.
    undisturbed: f64,
    /// By the time that whole bursts take, starting the threads included.
    bursts: f64,
}

/// Lets the threads make bursts at the same time: a whole one each, half a one if there are four,
/// as the queues hold no more.
fn spans_per_second(
    subject: &dyn Subject,
    pipeline: &dyn Pipeline,
    threads: u64,
    bursts: u64,
) -> Rate {
    let size = BURST.min(2 * BURST / threads);
    let barrier = Barrier::new(threads as usize + 1);
    let worker = || {
        let mut times = Vec::new();
        for _ in 0..bursts {
            barrier.wait();
            times.extend(samples(subject, Workload::FourSpans, 0..size, SAMPLE));
            barrier.wait();
        }
        SPANS_PER_TRACE as f64 * 1e9 / median(&mut times)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let mut times = Vec::new();
        for _ in 0..bursts {
            let started = Instant::now();
            barrier.wait();
            barrier.wait();
            times.push(per(started.elapsed(), threads * size * SPANS_PER_TRACE));
            pipeline.flush();
        }
        let rates = workers.into_iter().map(|worker| worker.join());
        Rate {
            undisturbed: rates
                .map(|rate| rate.expect("a subject does not panic"))
                .sum(),
            bursts: 1e9 / median(&mut times),
        }
    })
}

fn call(subject: &dyn Subject, destination: &Destination) -> Result<Figures, Box<dyn Error>> {
    let pipeline = subject.install(destination)?;
    subject.calls(CALLS);
    let mut samples = Vec::new();
    for _ in 0..9 {
        let started = Instant::now();
        subject.calls(black_box(CALLS));
        samples.push(per(started.elapsed(), CALLS));
    }
    pipeline.shutdown();
    let mut figures = Figures::default();
    figures.set("call_ns", median(&mut samples));
    Ok(figures)
}

fn per(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e9 / count as f64
}

/// `VmHWM` of this process; 0 where there is no `/proc`.
fn peak_resident_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|value| value.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes * 1024.0)
}
