//! Tracing for Rust services.

mod callsite;
mod clock;
mod exporter;
mod ids;
mod outcome;
pub mod propagation;
mod record;
mod redact;
pub mod sampler;
mod tree;
mod tsc;
mod value;

pub use callsite::{Code, Level};
pub use exporter::{Batch, ExportError, Exporter, Resource};
pub use opentelemetry;
pub use outcome::Failure;
pub use propagation::{extract, inject};
pub use record::{EventView, Keep, LinkView, SpanEvent, SpanLink, SpanRecord, SpanView};
pub use sampler::Sampler;
pub use value::{ToValue, Value};
