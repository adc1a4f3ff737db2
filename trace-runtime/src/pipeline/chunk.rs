//! A piece of a thread's buffer, and those that wait to be used again.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::sync::{Arc, AtomicU64, AtomicUsize, CHUNK_WORDS, Mutex, MutexGuard};
use crate::record::Late;

/// Words that one thread writes, and that the worker reads up to a released length.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) words: Box<[AtomicU64]>,
    /// How many words the worker may read.
    pub(super) released: AtomicUsize,
    /// The boxes of the records that have one, in order.
    late: Mutex<VecDeque<Box<Late>>>,
    /// Where the owner went on; after it is set nothing more is written here.
    next: Mutex<Option<Arc<Chunk>>>,
}

impl Chunk {
    #[cold]
    fn new(words: usize) -> Arc<Self> {
        Arc::new(Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            released: AtomicUsize::new(0),
            late: Mutex::default(),
            next: Mutex::default(),
        })
    }

    /// Where the owner went on, if it did.
    pub(super) fn next(&self) -> Option<Arc<Self>> {
        lock(&self.next).clone()
    }

    /// The owner goes on there.
    pub(super) fn continue_in(&self, next: &Arc<Self>) {
        *lock(&self.next) = Some(Arc::clone(next));
    }

    pub(super) fn late(&self) -> MutexGuard<'_, VecDeque<Box<Late>>> {
        lock(&self.late)
    }
}

/// Chunks that have been read to their end. While spans come as evenly as they go, no memory is asked
/// for: a new chunk costs a tenth of the spans that it holds.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Vec<Arc<Chunk>>>);

impl Spares {
    /// Two hundred kilobytes, or two thousand spans.
    const MOST: usize = 24;

    /// A chunk with room for so many words, at least.
    pub(super) fn take(&self, words: usize) -> Arc<Chunk> {
        if words > CHUNK_WORDS {
            return Chunk::new(words);
        }
        let spare = lock(&self.0).pop();
        spare.unwrap_or_else(|| Chunk::new(CHUNK_WORDS))
    }

    /// Keeps a chunk for later, if nobody holds on to it.
    pub(super) fn keep(&self, mut chunk: Arc<Chunk>) {
        let Some(free) = Arc::get_mut(&mut chunk) else {
            return;
        };
        free.released.store(0, Ordering::Relaxed);
        *lock(&free.next) = None;
        let mut spares = lock(&self.0);
        if free.words.len() == CHUNK_WORDS && spares.len() < Self::MOST {
            spares.push(chunk);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
