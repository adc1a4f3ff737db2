//! Finished spans in portions for the exporters.

use super::Records;
use crate::clock::Anchor;
use crate::config::CodeMode;

/// Records in batches of at most a certain size, all dated by the same reading of the clock.
#[derive(Debug)]
pub(crate) struct Batches {
    size: usize,
    anchor: Anchor,
    code: CodeMode,
    batches: Vec<Records>,
}

impl Batches {
    /// No batches; `code` says which facts of the call sites are shown.
    pub(crate) fn new(size: usize, code: CodeMode) -> Self {
        Self {
            size,
            anchor: Anchor::now(),
            code,
            batches: Vec::new(),
        }
    }

    /// Where the next record goes.
    #[inline]
    pub(crate) fn open(&mut self) -> &mut Records {
        if self
            .batches
            .last()
            .is_none_or(|last| last.len() >= self.size)
        {
            self.begin();
        }
        self.batches.last_mut().expect("one has begun")
    }

    #[cold]
    fn begin(&mut self) {
        let mut next = Records::new(self.anchor, self.code);
        // The batch before was full, so this one will most likely be: it need not grow.
        if let Some(full) = self.batches.last() {
            next.reserve_as(full);
        }
        self.batches.push(next);
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.iter().map(Records::len).sum()
    }

    /// See [`Records::queued_bytes`].
    pub(crate) fn queued_bytes(&self) -> usize {
        self.iter().map(Records::queued_bytes).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Records> {
        self.batches.iter()
    }

    /// Without the spans that are only timed.
    #[cfg(feature = "metrics")]
    pub(crate) fn without_unsampled(self) -> Self {
        let kept = self.batches.into_iter().map(Records::without_unsampled);
        Self {
            batches: kept.filter(|batch| batch.len() > 0).collect(),
            ..self
        }
    }

    /// No records, dated and shown like these.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            batches: Vec::new(),
            ..*self
        }
    }
}

impl IntoIterator for Batches {
    type Item = Records;
    type IntoIter = std::vec::IntoIter<Records>;

    fn into_iter(self) -> Self::IntoIter {
        self.batches.into_iter()
    }
}
