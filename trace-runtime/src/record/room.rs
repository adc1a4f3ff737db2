//! The memory of a batch.

use std::sync::{Arc, Mutex, PoisonError};

/// The memory of the batch that was delivered last, for the next one: asked for again and again, it is
/// cleared every time, and given back to the system and fetched from it in between.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Arc<Mutex<Vec<u8>>>);

impl Room {
    /// More is not kept: five hundred spans of five hundred bytes.
    const MOST: usize = 256 * 1024;

    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn keep(&self, bytes: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if (kept.len()..=Self::MOST).contains(&bytes.len()) {
            *kept = bytes;
        }
    }
}
