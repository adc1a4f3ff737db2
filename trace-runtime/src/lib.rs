//! Tracing for Rust services: one attribute on a handler, and every request is seen in Jaeger.
//!
//! # The smallest program
//!
//! ```no_run
//! use trace_runtime::traced;
//!
//! #[traced]
//! fn greet(name: &str) -> String {
//!     format!("hello, {name}")
//! }
//!
//! fn main() {
//!     let _guard = trace_runtime::init_tracer();
//!     println!("{}", greet("world"));
//! }
//! ```
//!
//! [`init_tracer`] reads everything from the environment and never fails. [`#[traced]`](macro@traced) is
//! one span per call, named `Type::method` or `function`, with the arguments as typed attributes.
//! [`docs::comparison`] sets it beside the attributes of other crates.
//!
//! # Configuration
//!
//! | to | set | or in code |
//! |---|---|---|
//! | name the service | `OTEL_SERVICE_NAME=orders` | [`with_service_name`](TracerBuilder::with_service_name) |
//! | send to a collector, by OTLP | `OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318` | [`with_endpoint`](TracerBuilder::with_endpoint) |
//! | send to an old Jaeger agent | `JAEGER_AGENT_HOST=agent` | [`with_agent`](TracerBuilder::with_agent) |
//! | see spans on the terminal | `OTEL_TRACES_EXPORTER=console` | [`with_default_exporter`](TracerBuilder::with_default_exporter)`(`[`Console`]`::new())` |
//! | sample a tenth | `OTEL_TRACES_SAMPLER=parentbased_traceidratio` `OTEL_TRACES_SAMPLER_ARG=0.1` | [`with_sampler`](TracerBuilder::with_sampler) |
//! | join old services | `OTEL_PROPAGATORS=tracecontext,baggage,b3,jaeger` | |
//! | turn it off | `OTEL_SDK_DISABLED=true` | |
//!
//! All variables, their grammars and defaults are in [`config`]. A service that never calls
//! [`init_tracer`] traces all the same if the environment names a destination; otherwise annotated code
//! does nothing at all. [`try_init_tracer`] refuses a bad environment, with every bad variable in one
//! error; [`Tracer::builder`] says in code what must not be left to the environment.
//!
//! # Async, threads, services
//!
//! An `async fn` is inside its span whenever it is polled. What leaves the context must carry it:
//!
//! ```
//! use trace_runtime::{InCurrentContext, carry};
//!
//! # fn example() {
//! let task = async { /* .. */ }.in_current_context(); // for any spawn; `trace_runtime::spawn` does it
//! let thread = std::thread::spawn(carry(|| { /* .. */ }));
//! # drop(task);
//! # }
//! ```
//!
//! [`tasks`] has every such way, for threads, rayon and tokio, and what happens without. Between services, [`inject`] and [`extract`] write and read headers, `#[traced(parent = headers)]`
//! takes the caller's span as its parent, and `tower::ServerLayer` (feature `tower`) does it for a whole
//! service. Spans made by hand with the OpenTelemetry API, and whatever else speaks it, are parents and
//! children of ours and land in the same export.
//!
//! # Errors, panics, cancellations
//!
//! A returned `Err` fails the span: description, `error.type` and one exception event, found by the type,
//! with no option to set. An error that bubbles up is told once. A panic fails every span it passes; a
//! future that is dropped before it is done gets `traced.cancelled`. [`Failure`] lets an error decide for
//! itself.
//!
//! # Shutdown
//!
//! Dropping the guard delivers what is left, in at most 5 s (`TRACED_SHUTDOWN_TIMEOUT`): under 50 ms when
//! the collector answers. `process::exit` loses nothing either. [`TracerGuard::flush`],
//! [`shutdown`](TracerGuard::shutdown) and [`stats`](TracerGuard::stats) say what became of the spans. A
//! collector that is down is named once; spans are kept, up to 32,768 or 32 MiB, and delivered when it is
//! back.
//!
//! # Tests
//!
//! Feature `testing`: `testing::capture()` keeps the spans of a scope, for parallel tests without a
//! collector, and `testing::assert_trace!` compares them with what is expected.
//!
//! # Features
//!
//! | feature | what it adds | default |
//! |---|---|---|
//! | `otlp-http` | OTLP over HTTP, protobuf and JSON | yes |
//! | `jaeger` | Thrift to old Jaeger agents and collectors | yes |
//! | `opentelemetry-jaeger` | the archived crate of that name sends to Jaeger agents, when asked | |
//! | `remote-sampler` | sampling strategies from a Jaeger | yes |
//! | `otlp-grpc` | OTLP over gRPC | |
//! | `gzip`, `tls` | compressed bodies; `https://`, own authorities and client certificates | |
//! | `tonic` | contexts in the metadata of gRPC requests | |
//! | `tracing`, `log` | ids on every log line, warnings and errors on their spans: `tracing` and `log`, modules of their own | |
//! | `tower`, `axum` | `ServerLayer` and `ClientLayer` for HTTP and gRPC, axum's matched route | |
//! | `reqwest` | a middleware for reqwest's client | |
//! | `stream` | streams inside a span, also those that traced functions return | |
//! | `messaging` | producer and consumer spans for message brokers | |
//! | `metrics` | metrics about spans, and how long they took | |
//! | `tokio` | `spawn`, `spawn_blocking` and `tasks::JoinSet` that keep the span | |
//! | `sdk-exporter` | any `opentelemetry_sdk` exporter | |
//! | `http`, `uuid`, `url`, `chrono`, `time` | values, and HTTP outcomes, of those crates | |
//! | `testing` | `testing::capture()`, `testing::assert_trace!` | |
//! | `off` | `#[traced]` returns every function unchanged | |

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(test)]
mod any_input;
mod bubble;
mod callsite;
mod carry;
mod clock;
pub mod config;
mod diagnostics;
pub mod docs;
pub mod doctor;
mod error;
mod exporter;
mod forest;
mod ids;
mod inside;
mod integration;
mod lazy_callsite;
#[cfg(feature = "metrics")]
pub mod metrics;
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
pub mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod tracer;
mod tsc;
mod value;

pub use ::trace_macros::{Failure, ToValue, event, record, set_error, span, traced};
pub use opentelemetry;

pub use callsite::Level;
pub use carry::{InCurrentContext, carry, carry_fn, span_id, trace_id};
#[cfg(feature = "tokio")]
pub use carry::{spawn, spawn_blocking};
pub use config::Config;
pub use diagnostics::{Diagnostic, Severity};
pub use doctor::doctor;
pub use error::{FlushError, InitError};
pub use exporter::{Batch, Console, ExportError, Exporter, Resource};
#[cfg(feature = "log")]
pub use integration::log;
#[cfg(feature = "messaging")]
pub use integration::messaging;
#[cfg(feature = "reqwest")]
pub use integration::reqwest;
#[cfg(feature = "stream")]
pub use integration::stream;
#[cfg(feature = "tower")]
pub use integration::tower;
#[cfg(feature = "tracing")]
pub use integration::tracing;
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
