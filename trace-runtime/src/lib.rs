//! Tracing for Rust services.

mod callsite;
mod clock;
#[allow(
    dead_code,
    unused_imports,
    reason = "the tracer that reads it is being built"
)]
pub mod config;
#[allow(
    dead_code,
    unused_imports,
    reason = "the tracer that reads it is being built"
)]
mod diagnostics;
#[allow(
    dead_code,
    unused_imports,
    reason = "the tracer that reads it is being built"
)]
mod error;
mod exporter;
mod ids;
mod record;
mod redact;
mod tsc;
mod value;

pub use callsite::{Code, Level};
pub use config::Config;
pub use diagnostics::{Diagnostic, Severity};
pub use error::{FlushError, InitError};
pub use exporter::{Batch, ExportError, Exporter, Resource};
pub use record::{EventView, Keep, LinkView, SpanEvent, SpanLink, SpanRecord, SpanView};
pub use value::{ToValue, Value};
