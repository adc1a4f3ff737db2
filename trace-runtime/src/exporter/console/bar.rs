//! The bar of a span: when it began and how long it took, as a part of its trace.

use std::time::{Duration, SystemTime};

/// The time that a trace takes, spread over some columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) start: SystemTime,
    pub(super) length: Duration,
    pub(super) columns: usize,
}

/// Left parts of a column, in eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

impl Scale {
    /// How many columns the bar of this span is away from the left, and the bar. It begins at a whole
    /// column, because there are blocks for the left part of a column only; it is never empty.
    pub(super) fn bar(&self, start: SystemTime, end: SystemTime) -> (usize, String) {
        let all = 8 * self.columns;
        let first = self.eighths(start).min(all - 8) / 8;
        let (start, end) = (self.eighths(start), self.eighths(end));
        let eighths = match end.saturating_sub(start) {
            short @ 0..8 => short.max(1),
            _ => end - 8 * first,
        };
        let bar = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
        (first, bar)
    }

    /// The point in time, in eighths of a column from the left.
    fn eighths(&self, time: SystemTime) -> usize {
        let offset = time.duration_since(self.start).unwrap_or_default();
        let share = offset.as_secs_f64() / self.length.as_secs_f64().max(1e-9);
        (share.min(1.0) * 8.0 * self.columns as f64).round() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::sample::at;

    #[test]
    fn bars_are_in_proportion() {
        let scale = Scale {
            start: at(1000),
            length: Duration::from_micros(100),
            columns: 10,
        };
        for (start, end, offset, bar) in [
            (1000, 1100, 0, "██████████"),
            (1000, 1050, 0, "█████"),
            (1050, 1100, 5, "█████"),
            (1050, 1055, 5, "▌"),
            (1020, 1020, 2, "▏"),
            (1049, 1091, 4, "█████▏"),
            (1100, 1100, 9, "▏"),
            (900, 1010, 0, "█"),
            (900, 9000, 0, "██████████"),
        ] {
            let expected = (offset, bar.to_owned());
            assert_eq!(scale.bar(at(start), at(end)), expected, "{start} {end}");
        }
    }

    #[test]
    fn a_trace_that_took_no_time_has_bars() {
        let scale = Scale {
            start: at(0),
            length: Duration::ZERO,
            columns: 4,
        };
        assert_eq!(scale.bar(at(0), at(0)), (0, "▏".to_owned()));
    }
}
