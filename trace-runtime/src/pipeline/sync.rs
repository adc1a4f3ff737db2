//! What the buffers synchronise with. The models in `tests/models` run the same files over loom's.

pub(super) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize};
pub(super) use std::sync::{Arc, Mutex, MutexGuard};

/// The length of a chunk: about a hundred spans.
pub(super) const CHUNK_WORDS: usize = 1024;
