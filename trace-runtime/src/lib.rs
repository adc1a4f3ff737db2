//! Tracing for Rust services.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod bubble;
mod callsite;
mod carry;
mod clock;
pub mod config;
mod diagnostics;
pub mod doctor;
mod error;
mod exporter;
mod forest;
mod ids;
mod inside;
mod integration;
mod os;
mod otel;
mod outcome;
mod panic_hook;
mod pipeline;
mod plain_text;
pub mod propagation;
mod record;
mod redact;
pub mod sampler;
mod span;
mod span_future;
#[cfg(feature = "testing")]
pub mod testing;
mod tracer;
mod tsc;
mod value;

pub use ::trace_macros::{Failure, ToValue, event, record, set_error, span, traced};
pub use opentelemetry;

pub use callsite::Level;
pub use carry::{InCurrentContext, carry, span_id, trace_id};
#[cfg(feature = "tokio")]
pub use carry::{spawn, spawn_blocking};
pub use config::Config;
pub use diagnostics::{Diagnostic, Severity};
pub use doctor::doctor;
pub use error::{FlushError, InitError};
pub use exporter::{Batch, ExportError, Exporter, Resource};
#[cfg(feature = "tower")]
pub use integration::tower;
pub use otel::{OtelTracer, OtelTracerProvider};
pub use outcome::Failure;
pub use pipeline::stats::{ExporterStats, Stats};
pub use propagation::{Extract, Inject, extract, inject};
pub use record::{EventView, Keep, LinkView, SpanEvent, SpanLink, SpanRecord, SpanView};
pub use sampler::Sampler;
pub use span::LiveSpan;
pub use span_future::WithContext;
pub use tracer::global::{init_tracer, set_global_tracer, try_init_tracer};
pub use tracer::{Tracer, TracerBuilder, TracerGuard};
pub use value::{ToValue, Value};
