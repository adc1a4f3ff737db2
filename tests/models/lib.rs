//! The runtime's buffers under every interleaving that loom finds.
//!
//! The files of the pipeline are the runtime's own; what they stand on is small here: chunks of two
//! records, records of two words, locks and atomics of loom's.

#![expect(dead_code, reason = "the models need a part of the files")]

#[path = "../../trace-runtime/src/pipeline/buffer.rs"]
mod buffer;
#[path = "../../trace-runtime/src/pipeline/chunk.rs"]
mod chunk;
mod control;
mod open;
#[path = "../../trace-runtime/src/pipeline/queue.rs"]
mod queue;
mod record;
mod sync;

pub mod model;
