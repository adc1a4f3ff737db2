//! The tracers that are compared, and the one thing they have in common.

mod fastrace;
mod floor;
mod ours;
mod plain;
mod sdk;
mod tracing;

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use crate::gate::Gate;
use crate::workload::Workload;

/// The most spans that may wait for their exporter; more than any burst makes, so nobody drops.
const QUEUE: usize = 32_768;

/// Spans per batch, for everybody.
const BATCH: usize = 512;

/// Where the spans of a run go.
#[derive(Clone, Debug)]
pub enum Destination {
    /// Tracing is compiled in and switched off.
    Off,
    /// The sampler says no to every root.
    Unsampled(Arc<Gate>),
    /// A hook drops half of the spans; the exporter only counts.
    HalfDropped(Arc<Gate>),
    /// An exporter that only counts.
    Null(Arc<Gate>),
    /// OTLP over HTTP to this base URL.
    Otlp(String),
}

/// A running export pipeline.
pub trait Pipeline: Sync {
    /// Delivers what has ended so far.
    fn flush(&self);
    /// Delivers the rest and stops.
    fn shutdown(&self);
}

/// What exports nothing.
struct Nothing;

impl Pipeline for Nothing {
    fn flush(&self) {}
    fn shutdown(&self) {}
}

/// One way to trace the workload.
pub trait Subject: Sync {
    /// What the tables call it.
    fn name(&self) -> &'static str;

    /// The crates it stands for, whose versions the tables show.
    fn crates(&self) -> &'static [&'static str];

    /// Whether its spans carry `code.function.name`, `code.file.path` and `code.line.number`.
    fn sends_code(&self) -> bool {
        false
    }

    /// Whether spans come out.
    fn records(&self) -> bool {
        true
    }

    /// Starts the pipeline. At most once per process and subject.
    ///
    /// # Errors
    /// If the exporter cannot be built.
    fn install(&self, destination: &Destination) -> Result<Box<dyn Pipeline>, Box<dyn Error>>;

    /// Makes one trace per order.
    fn run(&self, workload: Workload, orders: Range<u64>);

    /// Opens one root and calls one traced step `count` times below it.
    fn calls(&self, count: u64);

    /// The size of the future of the async root.
    fn future_size(&self) -> usize;
}

/// Everything that is compared; the untraced code comes first.
pub const ALL: &[&dyn Subject] = &[
    &plain::Plain,
    &ours::Ours,
    &sdk::Sdk::<false>,
    &sdk::Sdk::<true>,
    &tracing::Tracing,
    &fastrace::Fastrace,
    &floor::Floor,
];

/// The name of the untraced code, which every other time is compared with.
pub const PLAIN: &str = "plain";

/// The name of what no span in a context of the API costs less than.
pub const FLOOR: &str = "floor";

/// The name of our own subject, for which there are budgets.
pub const OURS: &str = "ours";

/// The subject of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Subject> {
    ALL.iter().copied().find(|subject| subject.name() == name)
}
