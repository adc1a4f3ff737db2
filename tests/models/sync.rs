//! Loom's locks and atomics.

pub(super) use loom::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize};
pub(super) use loom::sync::{Arc, Mutex, MutexGuard};

/// The length of a chunk: two records.
pub(super) const CHUNK_WORDS: usize = 4;
