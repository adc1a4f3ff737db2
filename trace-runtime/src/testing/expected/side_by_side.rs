//! The expected tree and the actual one, line by line beside each other.

use super::difference::{self, Place};
use super::pairing::{Pairing, matches};
use super::{Actual, Expected, Siblings};
use crate::testing::tree;

/// `Ok` if the spans are as expected, else the message of the panic.
pub(super) fn report(actual: &Actual<'_>, expected: &Siblings) -> Result<(), String> {
    let mut table = Table {
        actual,
        rows: Vec::new(),
    };
    table.siblings(expected, &actual.forest.roots, Place(None), 0);
    let first = table.rows.iter().find_map(|row| row.wrong.as_deref());
    match first {
        None => Ok(()),
        Some(first) => Err(format!("the trace differs: {first}\n\n{}", table.draw())),
    }
}

struct Table<'a> {
    actual: &'a Actual<'a>,
    rows: Vec<Row>,
}

struct Row {
    expected: String,
    actual: String,
    /// What differs here.
    wrong: Option<String>,
}

impl Table<'_> {
    fn siblings(&mut self, expected: &Siblings, spans: &[usize], place: Place<'_>, depth: usize) {
        let pairing = Pairing::new(self.actual, expected, spans);
        for (expected, found) in expected.spans.iter().zip(&pairing.found) {
            let total = found.fitting.len() + found.misfits.len();
            let mut said = false;
            for &at in &found.fitting {
                self.push((!said).then_some(expected), Some(at), None, depth);
                match &expected.children {
                    Some(below) if !said => self.below(below, at, depth),
                    _ => self.subtree(at, depth),
                }
                said = true;
            }
            for &at in &found.misfits {
                let span = &self.actual.spans[at];
                let mut wrong = difference::attribute(expected, place, span);
                if wrong.is_none() && matches(self.actual, expected, at) {
                    wrong = Some(difference::count(expected, place, total));
                }
                self.push((!said).then_some(expected), Some(at), wrong, depth);
                match &expected.children {
                    Some(below) => self.below(below, at, depth),
                    None => self.subtree(at, depth),
                }
                said = true;
            }
            if total < expected.least {
                let wrong = difference::count(expected, place, total);
                self.push((!said).then_some(expected), None, Some(wrong), depth);
                if let (false, Some(below)) = (said, &expected.children) {
                    self.missing(below, depth + 1);
                }
            } else if total == 0 {
                self.push(Some(expected), None, None, depth);
            }
        }
        if expected.open {
            self.line("..".into(), String::new(), None, depth);
        }
        for &at in &pairing.others {
            let span = &self.actual.spans[at];
            let wrong = (!expected.open).then(|| difference::unexpected(span, place));
            self.push(None, Some(at), wrong, depth);
            self.subtree(at, depth);
        }
    }

    /// What is expected below a span.
    fn below(&mut self, expected: &Siblings, at: usize, depth: usize) {
        let actual = self.actual;
        let place = Place(Some(&actual.spans[at].name));
        self.siblings(expected, &actual.forest.children[at], place, depth + 1);
    }

    /// Everything below a span, of which nothing is expected. No recursion: it may be very deep.
    fn subtree(&mut self, at: usize, depth: usize) {
        let children = |at: usize, depth: usize| {
            let below = self.actual.forest.children[at].iter().rev();
            below.map(move |&child| (child, depth + 1))
        };
        let mut open: Vec<_> = children(at, depth).collect();
        let mut order = Vec::new();
        while let Some((at, depth)) = open.pop() {
            order.push((at, depth));
            open.extend(children(at, depth));
        }
        for (at, depth) in order {
            self.push(None, Some(at), None, depth);
        }
    }

    /// What is expected below a span that is not there.
    fn missing(&mut self, expected: &Siblings, depth: usize) {
        for expected in &expected.spans {
            self.push(Some(expected), None, None, depth);
            if let Some(below) = &expected.children {
                self.missing(below, depth + 1);
            }
        }
    }

    fn push(
        &mut self,
        expected: Option<&Expected>,
        at: Option<usize>,
        wrong: Option<String>,
        depth: usize,
    ) {
        let expected = expected.map(Expected::to_string).unwrap_or_default();
        let actual = at.map(|at| tree::line(&self.actual.spans[at]));
        self.line(expected, actual.unwrap_or_default(), wrong, depth);
    }

    fn line(&mut self, expected: String, actual: String, wrong: Option<String>, depth: usize) {
        let indented = |text: String| match text.is_empty() {
            true => text,
            false => format!("{}{text}", "  ".repeat(depth)),
        };
        self.rows.push(Row {
            expected: indented(expected),
            actual: indented(actual),
            wrong,
        });
    }

    fn draw(&self) -> String {
        let length = |row: &Row| row.expected.chars().count();
        let width = self.rows.iter().map(length).max().unwrap_or(0);
        let width = width.max("expected".len());
        let line = |(expected, mark, actual): (&str, &str, &str)| {
            let line = format!("{expected:width$} {mark} {actual}");
            line.trim_end().to_owned() + "\n"
        };
        let rows = self.rows.iter().map(|row| {
            let mark = if row.wrong.is_some() { "≠" } else { "|" };
            (&*row.expected, mark, &*row.actual)
        });
        [("expected", "|", "actual")]
            .into_iter()
            .chain(rows)
            .map(line)
            .collect()
    }
}
