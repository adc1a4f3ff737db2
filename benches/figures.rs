//! Named numbers, and what is computed from several of them.

use std::collections::BTreeMap;
use std::fmt;

/// What a child found out, as one line of `name=number` words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Figures {
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Reads what `Display` wrote.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        line.split_whitespace()
            .map(|word| {
                let (name, value) = word.split_once('=')?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect::<Option<_>>()
            .map(Self)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, "{name}={value} ")?;
        }
        Ok(())
    }
}

/// The middle value, or the mean of the two in the middle; NaN of nothing.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values {
        [] => f64::NAN,
        _ if values.len() % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// The median of several rounds and how far they spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Summary {
    /// `None` if there is no round.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        let median = median(&mut values);
        Some(Self {
            median,
            min: *values.first()?,
            max: *values.last()?,
        })
    }

    /// The same in another unit.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        Self {
            median: self.median * factor,
            min: self.min * factor,
            max: self.max * factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&mut []).is_nan());
    }

    #[test]
    fn figures_survive_the_pipe() {
        let mut figures = Figures::default();
        figures.set("cpu_ns", 1234.5);
        figures.set("traces", 40960.0);
        assert_eq!(Figures::parse(&figures.to_string()), Some(figures));
        assert_eq!(Figures::parse("cpu_ns=fast"), None);
    }

    #[test]
    fn a_summary_needs_a_round() {
        assert_eq!(Summary::of(Vec::new()), None);
        let summary = Summary::of(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((summary.min, summary.median, summary.max), (1.0, 2.0, 3.0));
    }
}
