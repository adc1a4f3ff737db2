//! Tracing for Rust services.

mod callsite;
mod clock;
mod exporter;
mod ids;
mod record;
mod redact;
mod tree;
mod tsc;
mod value;

pub use callsite::{Code, Level};
pub use exporter::{Batch, ExportError, Exporter, Resource};
pub use record::{EventView, Keep, LinkView, SpanEvent, SpanLink, SpanRecord, SpanView};
pub use value::{ToValue, Value};
