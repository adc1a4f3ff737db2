//! The doctor: what the settings are, whether the receivers can be reached, and what to set if not.
//!
//! `TRACED_DOCTOR=1` makes [`init_tracer`](crate::init_tracer) and
//! [`TracerBuilder::install`] print the report and end the process with status 0, or 1 if something
//! is wrong; `TRACED_DOCTOR=json` prints it as JSON. So the report is about the very program, its
//! features and its environment. [`doctor()`] gives it to code.

mod features;
mod json;
mod probe;
mod report;
mod test_span;

use std::io::Write;
use std::time::Duration;

pub use self::report::Report;

use self::probe::Probe;
use self::test_span::TestSpan;
use crate::config::{Config, DoctorMode};
use crate::diagnostics::Severity;
use crate::{Diagnostic, TracerBuilder};

/// How long the report that a variable asks for may take to reach one receiver.
const USUAL_LIMIT: Duration = Duration::from_secs(5);

/// Whether the receivers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probing {
    /// Nothing is sent; the report is about the settings.
    Off,
    /// Each receiver has this time to answer, and as long again for the test span.
    Within(Duration),
}

/// Examines what the tracer would do: its settings, the way to each receiver, and one test span.
///
/// ```
/// use trace_runtime::Tracer;
/// use trace_runtime::doctor::{Probing, doctor};
///
/// let tracer = Tracer::builder()
///     .with_service_name("orders")
///     .with_env(|name| (name == "OTEL_TRACES_EXPORTER").then(|| "none".to_owned()));
/// let report = doctor(tracer, Probing::Off);
/// assert!(report.is_healthy());
/// println!("{report}");
/// ```
#[track_caller]
pub fn doctor(tracer: TracerBuilder, probing: Probing) -> Report {
    let (config, mut diagnostics) = tracer.resolve();
    let given = tracer.given_targets();
    let (mut probes, mut test_span) = (Vec::new(), None);
    if let Probing::Within(limit) = probing {
        if !config.disabled.value {
            probes = probe::all(&config, limit);
            let (span, news) = TestSpan::send(tracer, &config, limit);
            test_span = span;
            diagnostics.extend(news);
        }
    }
    Report {
        config,
        given,
        diagnostics,
        probing,
        probes,
        test_span,
    }
}

/// Prints the report and ends the process.
#[track_caller]
pub(crate) fn run(tracer: TracerBuilder, mode: DoctorMode) -> ! {
    let report = doctor(tracer, Probing::Within(USUAL_LIMIT));
    let text = match mode {
        DoctorMode::Json => report.to_json(),
        DoctorMode::Text | DoctorMode::Off => report.to_string(),
    };
    // Whoever closed standard output does not want to know.
    let _ = writeln!(std::io::stdout(), "{text}");
    std::process::exit(i32::from(!report.is_healthy()))
}
