//! Which span stands for which expectation.

use super::{Actual, Expected, Siblings};

/// The spans found for each of the expected siblings.
pub(super) struct Pairing {
    pub(super) found: Vec<Found>,
    /// Spans of names that nobody expects.
    pub(super) others: Vec<usize>,
}

#[derive(Default)]
pub(super) struct Found {
    /// As expected, and not too many.
    pub(super) fitting: Vec<usize>,
    /// Of the same name, but different or too many.
    pub(super) misfits: Vec<usize>,
}

impl Pairing {
    /// Siblings of one name may be expected several times, with different attributes: so this is a
    /// bipartite matching. It first gives every expectation the least it asks for, as far as possible,
    /// and then finds a place for every span, which takes from no expectation what it already has.
    pub(super) fn new(actual: &Actual<'_>, expected: &Siblings, spans: &[usize]) -> Self {
        let fits = |at: &usize| {
            let fits = |expected: &Expected| matches(actual, expected, *at);
            expected.spans.iter().map(fits).collect()
        };
        let mut places = Places {
            fits: spans.iter().map(fits).collect(),
            taken: expected.spans.iter().map(|_| Vec::new()).collect(),
        };
        let least: Vec<_> = expected.spans.iter().map(|e| e.least).collect();
        let most = expected.spans.iter().map(|e| e.most.unwrap_or(usize::MAX));
        let most: Vec<_> = most.collect();
        let mut left: Vec<usize> = (0..spans.len()).collect();
        for room in [least, most] {
            left.retain(|&span| {
                let mut seen = vec![false; room.len()];
                !places.find(span, &room, &mut seen)
            });
        }
        let mut pairing = Self {
            found: Vec::new(),
            others: Vec::new(),
        };
        for mut taken in places.taken {
            taken.sort_unstable();
            pairing.found.push(Found {
                fitting: taken.into_iter().map(|span| spans[span]).collect(),
                misfits: Vec::new(),
            });
        }
        for span in left {
            pairing.add_leftover(actual, expected, spans[span]);
        }
        pairing
    }

    /// A span without a place goes to an expectation of its name that lacks one, if there is any.
    fn add_leftover(&mut self, actual: &Actual<'_>, expected: &Siblings, span: usize) {
        let name = &actual.spans[span].name;
        let named = || (0..expected.spans.len()).filter(|&e| expected.spans[e].name == name);
        let lacks = |e: &usize| {
            let found = &self.found[*e];
            found.fitting.len() + found.misfits.len() < expected.spans[*e].least
        };
        match named().find(lacks).or_else(|| named().next()) {
            Some(e) => self.found[e].misfits.push(span),
            None => self.others.push(span),
        }
    }

    fn is_right(&self, expected: &Siblings) -> bool {
        let mut found = self.found.iter().zip(&expected.spans);
        (expected.open || self.others.is_empty())
            && found.all(|(found, expected)| {
                found.misfits.is_empty() && found.fitting.len() >= expected.least
            })
    }
}

/// Whether the span and everything below it is as expected.
pub(super) fn matches(actual: &Actual<'_>, expected: &Expected, at: usize) -> bool {
    let children = &actual.forest.children[at];
    expected.fits(&actual.spans[at])
        && expected
            .children
            .as_ref()
            .is_none_or(|below| Pairing::new(actual, below, children).is_right(below))
}

struct Places {
    /// By span and expectation.
    fits: Vec<Vec<bool>>,
    /// The spans that have a place, by expectation.
    taken: Vec<Vec<usize>>,
}

impl Places {
    /// Finds a place for the span, if need be by moving others.
    fn find(&mut self, span: usize, room: &[usize], seen: &mut [bool]) -> bool {
        for place in 0..room.len() {
            if !self.fits[span][place] || std::mem::replace(&mut seen[place], true) {
                continue;
            }
            if self.taken[place].len() < room[place] {
                self.taken[place].push(span);
                return true;
            }
            for n in 0..self.taken[place].len() {
                if self.find(self.taken[place][n], room, seen) {
                    self.taken[place][n] = span;
                    return true;
                }
            }
        }
        false
    }
}
