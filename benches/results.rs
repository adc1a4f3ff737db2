//! The figures of all rounds, and the comparisons between them.

use std::collections::BTreeMap;

use crate::figures::{Figures, Summary};
use crate::measure::Measure;
use crate::subject::{FLOOR, PLAIN, Subject};
use crate::workload::Workload;

/// Where the spans of a case go.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Exporter {
    /// Counted and dropped.
    Null,
    /// Sent to the sink.
    Otlp,
}

/// What one process measures.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Case {
    pub(crate) measure: Measure,
    pub(crate) exporter: Exporter,
}

impl Case {
    pub(crate) const TIME_NULL: Self = Self::null(Measure::Time);
    pub(crate) const TIME_OTLP: Self = Self::otlp(Measure::Time);
    pub(crate) const ALLOCATIONS_NULL: Self = Self::null(Measure::Allocations);
    pub(crate) const ALLOCATIONS_OTLP: Self = Self::otlp(Measure::Allocations);
    pub(crate) const MEMORY: Self = Self::null(Measure::Memory);
    pub(crate) const THREADS: Self = Self::null(Measure::Threads);
    pub(crate) const UNSAMPLED: Self = Self::null(Measure::Unsampled);
    pub(crate) const DISABLED: Self = Self::null(Measure::Disabled);

    /// The time of a workload other than the 4-span trace.
    pub(crate) const fn workload(workload: Workload) -> Self {
        Self::null(Measure::Workload(workload))
    }

    const fn null(measure: Measure) -> Self {
        Self {
            measure,
            exporter: Exporter::Null,
        }
    }

    const fn otlp(measure: Measure) -> Self {
        Self {
            measure,
            exporter: Exporter::Otlp,
        }
    }

    /// What is measured in a round; what hardly varies only in the first.
    pub(crate) fn of_round(round: usize) -> Vec<Self> {
        let mut cases = vec![
            Self::TIME_NULL,
            Self::TIME_OTLP,
            Self::UNSAMPLED,
            Self::DISABLED,
            Self::THREADS,
        ];
        cases.extend(Workload::ALL.into_iter().skip(1).map(Self::workload));
        if round == 0 {
            cases.extend([Self::ALLOCATIONS_NULL, Self::ALLOCATIONS_OTLP, Self::MEMORY]);
        }
        cases
    }

    /// Whether this subject has something to say to it.
    pub(crate) fn is_for(self, subject: &dyn Subject) -> bool {
        let is_floor = subject.name() == FLOOR;
        subject.records() || self.needs_plain() || (is_floor && self == Self::TIME_OTLP)
    }

    /// Whether the cost of the untraced code is to be subtracted.
    pub(crate) fn needs_plain(self) -> bool {
        matches!(self, Self::TIME_NULL | Self::UNSAMPLED | Self::DISABLED)
            || matches!(self.measure, Measure::Workload(_))
    }
}

/// Everything that was measured.
pub(crate) struct Results {
    subjects: Vec<&'static str>,
    runs: BTreeMap<(&'static str, Case), BTreeMap<usize, Figures>>,
    voids: Vec<String>,
}

impl Results {
    pub(crate) fn new(subjects: Vec<&'static str>) -> Self {
        Self {
            subjects,
            runs: BTreeMap::new(),
            voids: Vec::new(),
        }
    }

    pub(crate) fn add(
        &mut self,
        subject: &'static str,
        case: Case,
        round: usize,
        outcome: Result<Figures, String>,
    ) {
        let rounds = self.runs.entry((subject, case)).or_default();
        match outcome {
            Ok(figures) => drop(rounds.insert(round, figures)),
            Err(fault) => {
                let (measure, exporter) = (case.measure.name(), case.exporter);
                self.voids.push(format!(
                    "{subject}, {measure}, {exporter:?}, round {}: {fault}",
                    round + 1
                ));
            }
        }
    }

    /// The traced subjects of this run.
    pub(crate) fn traced(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.subjects.iter().copied().filter(|name| *name != PLAIN)
    }

    /// Those of them that record something.
    pub(crate) fn recording(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.traced().filter(|name| *name != FLOOR)
    }

    /// The runs that do not count, and why.
    pub(crate) fn voids(&self) -> &[String] {
        &self.voids
    }

    /// Whether something of that subject was measured in vain.
    pub(crate) fn has_empty_cell(&self, subject: &str) -> bool {
        self.runs
            .iter()
            .any(|((name, _), rounds)| *name == subject && rounds.is_empty())
    }

    /// One figure over the rounds.
    pub(crate) fn summary(&self, subject: &str, case: Case, figure: &str) -> Option<Summary> {
        Summary::of(self.values(subject, case, figure).into_values().collect())
    }

    /// One figure over the rounds, minus that of the untraced code in the same round.
    pub(crate) fn net(&self, subject: &str, case: Case, figure: &str) -> Option<Summary> {
        Summary::of(
            self.net_values(subject, case, figure)
                .into_values()
                .collect(),
        )
    }

    /// The figure of `subject` over that of `other`, round by round.
    pub(crate) fn ratio(
        &self,
        subject: &str,
        other: &str,
        case: Case,
        figure: &str,
    ) -> Option<Summary> {
        paired(
            &self.values(subject, case, figure),
            &self.values(other, case, figure),
        )
    }

    /// The same for net figures.
    pub(crate) fn net_ratio(
        &self,
        subject: &str,
        other: &str,
        case: Case,
        figure: &str,
    ) -> Option<Summary> {
        paired(
            &self.net_values(subject, case, figure),
            &self.net_values(other, case, figure),
        )
    }

    /// One figure of `subject` over another of its own, round by round.
    pub(crate) fn within(
        &self,
        subject: &str,
        case: Case,
        figure: &str,
        over: &str,
    ) -> Option<Summary> {
        paired(
            &self.values(subject, case, figure),
            &self.values(subject, case, over),
        )
    }

    fn net_values(&self, subject: &str, case: Case, figure: &str) -> BTreeMap<usize, f64> {
        let plain = self.values(PLAIN, case, figure);
        combined(&self.values(subject, case, figure), &plain, |a, b| a - b)
    }

    fn values(&self, subject: &str, case: Case, figure: &str) -> BTreeMap<usize, f64> {
        let Some(subject) = self.subjects.iter().find(|name| **name == subject) else {
            return BTreeMap::new();
        };
        let rounds = self.runs.get(&(*subject, case)).into_iter().flatten();
        rounds
            .filter_map(|(round, figures)| Some((*round, figures.get(figure)?)))
            .collect()
    }
}

fn paired(a: &BTreeMap<usize, f64>, b: &BTreeMap<usize, f64>) -> Option<Summary> {
    Summary::of(combined(a, b, |a, b| a / b).into_values().collect())
}

/// What `f` makes of both values of each round that has both.
fn combined(
    a: &BTreeMap<usize, f64>,
    b: &BTreeMap<usize, f64>,
    f: impl Fn(f64, f64) -> f64,
) -> BTreeMap<usize, f64> {
    a.iter()
        .filter_map(|(round, a)| Some((*round, f(*a, *b.get(round)?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreground(ns: f64) -> Result<Figures, String> {
        let mut figures = Figures::default();
        figures.set("foreground_ns", ns);
        Ok(figures)
    }

    #[test]
    fn ratios_pair_the_rounds_and_leave_void_ones_out() {
        let case = Case::TIME_NULL;
        let mut results = Results::new(vec![PLAIN, "a", "b"]);
        for round in 0..3 {
            results.add(PLAIN, case, round, foreground(10.0));
        }
        results.add("a", case, 0, foreground(110.0));
        results.add("a", case, 1, foreground(310.0));
        results.add("a", case, 2, foreground(999.0));
        results.add("b", case, 0, foreground(210.0));
        results.add("b", case, 1, foreground(610.0));
        results.add("b", case, 2, Err("a span was lost".to_owned()));
        let ratio = results.net_ratio("a", "b", case, "foreground_ns").unwrap();
        assert_eq!((ratio.min, ratio.median, ratio.max), (0.5, 0.5, 0.5));
        assert_eq!(results.voids().len(), 1);
        assert!(!results.has_empty_cell("b"));
        results.add("a", Case::TIME_OTLP, 0, Err("a span was lost".to_owned()));
        assert!(results.has_empty_cell("a"));
    }
}
