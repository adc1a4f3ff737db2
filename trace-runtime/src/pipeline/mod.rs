//! From a finished span to the exporters: thread buffer, worker, sender.

pub(crate) mod buffer;
mod chunk;
pub(crate) mod control;
mod link;
pub(crate) mod open;
pub(crate) mod queue;
pub(crate) mod report;
pub(crate) mod sender;
pub(crate) mod stats;
mod sync;
pub(crate) mod thread;
pub(crate) mod worker;
