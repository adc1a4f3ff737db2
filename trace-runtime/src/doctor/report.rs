//! The report, and how it prints.

use std::fmt;

use super::features;
use super::{Config, Diagnostic, Probe, Probing, Severity, TestSpan};

/// What the doctor found. Prints as a table of the settings, then what is wrong.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) config: Config,
    /// Where the exporters given in code deliver to.
    pub(super) given: Vec<String>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) probing: Probing,
    pub(super) probes: Vec<Probe>,
    pub(super) test_span: Option<TestSpan>,
}

impl Report {
    /// Whether no setting is bad, every receiver can be reached and the test span has arrived.
    pub fn is_healthy(&self) -> bool {
        self.bad_settings() == 0 && self.problems().is_empty()
    }

    /// What is wrong on the way to the receivers, one sentence each.
    pub fn problems(&self) -> Vec<String> {
        let probed = self.probes.iter().flat_map(|probe| probe.problems.clone());
        let sent = self.test_span.iter().flat_map(TestSpan::problems);
        // Where a problem is known, the test span has nothing to add.
        let new = sent.filter(|(target, _)| !self.is_known_to_fail(target));
        probed.chain(new.map(|(_, problem)| problem)).collect()
    }

    /// What is wrong with the settings, or worth knowing about them.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The effective settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The trace id of the test span, if one was sent.
    pub fn trace_id(&self) -> Option<opentelemetry::TraceId> {
        self.test_span.as_ref().map(|span| span.trace_id)
    }

    /// The report as a JSON object on one line.
    ///
    /// Each setting is `{"value": .., "source": ..}`, where the source is the name of a variable,
    /// `code` or `default`; `exporters` is a list of these, and `resource` has the `sources` of its
    /// attributes besides. Of the `diagnostics`, those with `"bad": true` are what
    /// [`try_init_tracer`](crate::try_init_tracer) refuses. `probes` and `test_span` are there only
    /// if receivers were asked.
    pub fn to_json(&self) -> String {
        super::json::report(self)
    }

    fn is_known_to_fail(&self, target: &str) -> bool {
        let mut known = self.probes.iter();
        known.any(|probe| probe.target == target && !probe.problems.is_empty())
    }

    fn bad_settings(&self) -> usize {
        let bad = |diagnostic: &&Diagnostic| diagnostic.severity() == Severity::Error;
        self.diagnostics.iter().filter(bad).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let features = features::built().join(", ");
        let version = env!("CARGO_PKG_VERSION");
        writeln!(f, "trace-runtime {version}, features: {features}\n")?;
        writeln!(f, "{}\n", self.config)?;
        for target in &self.given {
            writeln!(f, "an exporter given in code delivers to {target}")?;
        }
        for diagnostic in &self.diagnostics {
            writeln!(f, "{}: {diagnostic}", diagnostic.severity())?;
        }
        for probe in &self.probes {
            writeln!(f, "{probe}")?;
        }
        self.write_test_span(f)?;
        match (self.bad_settings(), self.problems().len()) {
            (0, 0) => f.write_str("nothing is wrong"),
            (bad, problems) => write!(f, "{} found", count(bad + problems, "problem")),
        }
    }
}

impl Report {
    fn write_test_span(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.test_span, self.probing) {
            (Some(span), _) => writeln!(f, "{}", span.shown(self.config.service_name())),
            (None, Probing::Off) => writeln!(f, "no receiver was asked, nothing was sent"),
            (None, Probing::Within(_)) if self.config.disabled.value => {
                let source = self.config.disabled.source;
                writeln!(f, "tracing is disabled ({source}): nothing was sent")
            }
            (None, Probing::Within(_)) => {
                let source = self.config.exporters.source;
                writeln!(f, "there is no exporter ({source}): nothing was sent")
            }
        }
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
