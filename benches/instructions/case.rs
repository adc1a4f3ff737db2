//! What is counted.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use benches::Workload;
use benches::gate::Gate;
use benches::subject::{self, Destination, Subject};

use crate::callgrind::{self, Counted, Sink};

/// One number per subject.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Case {
    /// The request thread, per 4-span trace; the exporter only counts.
    Foreground,
    /// All other threads, per 4-span trace sent by OTLP.
    Background,
    /// A call below an unsampled root.
    Unsampled,
    /// A call while tracing is off.
    Disabled,
}

/// Traces, or calls, between two flushes.
const BURST: u64 = 256;
/// Bursts that are not counted on the request thread.
const WARM_UP: u64 = 4;
/// Bursts of a run, and of the short one that is subtracted from it.
const LONG: u64 = 16;
const SHORT: u64 = 4;

impl Case {
    pub(crate) const ALL: [Self; 4] = [
        Self::Foreground,
        Self::Background,
        Self::Unsampled,
        Self::Disabled,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Foreground => "foreground",
            Self::Background => "background",
            Self::Unsampled => "unsampled-child",
            Self::Disabled => "disabled-call",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// Instructions per trace, or per call, of one subject.
    pub(crate) fn count(
        self,
        subject: &str,
        sink: &Sink,
        keep: Option<&Path>,
    ) -> Result<f64, Box<dyn Error>> {
        let run = |bursts: u64, counted: Counted| {
            let bursts = bursts.to_string();
            let arguments = [self.name(), subject, &bursts, sink.endpoint()];
            callgrind::threads(&arguments, counted, keep)
        };
        if self != Self::Background {
            let threads = run(LONG, Counted::Within(MEASURED))?;
            let traces = (LONG - WARM_UP) * BURST;
            return Ok(threads.first().copied().unwrap_or(0) as f64 / traces as f64);
        }
        // The start of the threads is in both.
        let others = |threads: Vec<u64>| threads.into_iter().skip(1).sum::<u64>() as f64;
        let more = others(run(LONG, Counted::All)?) - others(run(SHORT, Counted::All)?);
        Ok(more / ((LONG - SHORT) * BURST) as f64)
    }
}

/// The function that is counted on the request thread: what comes before and after, such as the
/// clock that fastrace calibrates before `main`, takes as many instructions as it has time.
const MEASURED: &str = "*instructions::case::measured*";

#[inline(never)]
fn measured(subject: &dyn Subject, case: Case, burst: u64) {
    run(subject, case, burst);
    // A call at the end would be a jump, after which nobody sees this function return.
    black_box(());
}

fn run(subject: &dyn Subject, case: Case, burst: u64) {
    match case {
        Case::Foreground | Case::Background => {
            let first = burst * BURST;
            subject.run(Workload::FourSpans, first..first + BURST);
        }
        Case::Unsampled | Case::Disabled => subject.calls(BURST),
    }
}

/// What runs under callgrind: case, subject, bursts and the sink's address.
pub(crate) fn child(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [case, subject, bursts, endpoint] = arguments else {
        return Err("a child needs a case, a subject, a number of bursts and an endpoint".into());
    };
    let case = Case::named(case).ok_or("unknown case")?;
    let name = subject;
    let subject = subject::find(name).ok_or("unknown subject")?;
    let bursts: u64 = bursts.parse()?;
    let gate = Arc::new(Gate::opened());
    let pipeline = subject.install(&match case {
        Case::Foreground => Destination::Null(gate.clone()),
        Case::Background => Destination::Otlp(endpoint.clone()),
        Case::Unsampled => Destination::Unsampled(gate.clone()),
        Case::Disabled => Destination::Off,
    })?;
    for burst in 0..bursts {
        if burst < WARM_UP {
            run(subject, case, burst);
        } else {
            measured(subject, case, burst);
        }
        pipeline.flush();
    }
    pipeline.shutdown();
    let silent = !subject.records() || cfg!(feature = "off");
    let expected = if silent {
        0
    } else {
        bursts * BURST * Workload::FourSpans.exported()
    };
    if case == Case::Foreground && gate.spans() != expected {
        return Err(format!("{} spans came out instead of {expected}", gate.spans()).into());
    }
    Ok(())
}
