//! `tracing`: ids on every line, warnings and errors on their spans, and one tree with `#[instrument]`.
//!
//! The subscriber stays the application's own. [`WithSpan`] goes around the format of its lines, and
//! [`SpanEvents`] is a layer beside the others; either is of use without the other.
//!
//! ```
//! use trace_runtime::tracing::{SpanEvents, WithSpan};
//! use trace_runtime::{Console, Tracer, traced};
//! use tracing_subscriber::prelude::*;
//!
//! #[traced]
//! async fn charge(order_id: u64) {
//!     tracing::info!("charging");
//!     tracing::warn!(attempt = 2, "the bank is slow");
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // On the terminal, unless the environment names a collector.
//!     let _guard = Tracer::builder()
//!         .with_service_name("payments")
//!         .with_default_exporter(Console::new())
//!         .install()?;
//!     tracing_subscriber::registry()
//!         .with(tracing_subscriber::fmt::layer().json().map_event_format(WithSpan::json))
//!         .with(SpanEvents::new())
//!         .try_init()?;
//!     charge(7).await;
//!     Ok(())
//! }
//! ```
//!
//! prints, and records the second line as an event of the span `charge`:
//!
//! ```text
//! {"timestamp":"..","level":"INFO","fields":{"message":"charging"},"target":"payments","trace_id":"75f5..ca9e","span_id":"0a45..11d6","span_name":"charge"}
//! {"timestamp":"..","level":"WARN","fields":{"message":"the bank is slow","attempt":2},"target":"payments","trace_id":"75f5..ca9e","span_id":"0a45..11d6","span_name":"charge"}
//! ```
//!
//! # Lines
//!
//! `map_event_format(WithSpan::json)` goes around the JSON format, `map_event_format(WithSpan::text)`
//! around the others, which then end with `trace_id=.. span_id=.. span_name=".."`. The names of the ids
//! are those of OpenTelemetry for logs outside OTLP. The span is the current one of OpenTelemetry: one of
//! `#[traced]`, of `#[instrument]` with the layer below, or one made by hand. Outside any span a line is
//! written as if there were no wrapper.
//! [`with_span_attributes`](WithSpan::with_span_attributes) adds what the span has recorded so far.
//!
//! # Events
//!
//! The event has the name of the message, and the attributes `level`, `target` and the event's fields:
//! numbers and booleans as such, everything else as text, secrets and what `TRACED_REDACT` names as
//! `[redacted]`, texts cut to 1024 characters, as many as the span's limits allow
//! (`OTEL_SPAN_EVENT_COUNT_LIMIT`, `OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT`). A field that is an error
//! makes it an `exception` event. The span's status is left to its function, and `#[instrument(err)]` is
//! its function speaking: that event is an exception too, and fails the span.
//!
//! [`SpanEvents`] filters for itself and asks nothing of other layers. Where all of them have filters of
//! their own, give it one too, `.with_filter(LevelFilter::WARN)`: without it finer events are no longer
//! turned off where they are written, for it might want them.
//!
//! # With `tracing-opentelemetry`
//!
//! Functions with `#[instrument]` become spans in the same tree, across awaits and tasks, by
//! `tracing-opentelemetry` on the provider of this crate: by 0.34, the version that belongs to
//! OpenTelemetry 0.33.
//!
//! ```
//! use opentelemetry::global;
//! use trace_runtime::tracing::{SpanEvents, WithSpan};
//! use trace_runtime::{Console, Tracer, traced};
//! use tracing_subscriber::filter::filter_fn;
//! use tracing_subscriber::prelude::*;
//!
//! #[tracing::instrument]
//! fn checkout(cart_id: i64) {
//!     charge(cart_id);
//! }
//!
//! #[traced] // a child of `checkout`
//! fn charge(cart_id: i64) {
//!     audit();
//! }
//!
//! #[tracing::instrument] // a child of `charge`
//! fn audit() {
//!     tracing::warn!("no receipt"); // once, on the span `audit`
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // First: it installs the global provider.
//!     let _guard = Tracer::builder()
//!         .with_service_name("shop")
//!         .with_default_exporter(Console::new())
//!         .install()?;
//!     let spans = tracing_opentelemetry::layer()
//!         .with_tracer(global::tracer("shop"))
//!         .with_filter(filter_fn(|metadata| metadata.is_span())); // events are for `SpanEvents`
//!     tracing_subscriber::registry()
//!         .with(spans)
//!         .with(tracing_subscriber::fmt::layer().map_event_format(WithSpan::text))
//!         .with(SpanEvents::new())
//!         .try_init()?;
//!     checkout(7);
//!     Ok(())
//! }
//! ```
//!
//! - Start the tracer before the layer is made: `global::tracer` asks for the provider of that moment.
//! - Keep its [context activation] on, as it is by default. It makes a span of `tracing` the current one
//!   of OpenTelemetry while it is entered, which is where our spans look for their parent, and its layer
//!   looks there for the parent of a span of `tracing`. Without it the tree falls apart below every
//!   `#[instrument]`.
//! - Keep events out of it, as above: it would record them too, all levels, on the innermost span of
//!   `tracing` even if one of ours is further in.
//! - A task needs one of them to carry the span: `trace_runtime::spawn` (feature `tokio`),
//!   [`in_current_context`](crate::InCurrentContext::in_current_context) and [`carry`](crate::carry) carry
//!   whichever span is current. `tracing`'s `in_current_span()` carries the innermost `#[instrument]`, so
//!   that a `#[traced]` in between is left out as a parent; the trace stays one.
//! - Its attributes `busy_ns`, `idle_ns`, `thread.*` and `target` can be turned off:
//!   `with_tracked_inactivity(false)`, `with_threads(false)`, `with_target(false)`. An unsigned argument
//!   of `#[instrument]` is recorded by its `Debug` output, as text.
//!
//! [context activation]: https://docs.rs/tracing-opentelemetry/latest/tracing_opentelemetry/struct.OpenTelemetryLayer.html#method.with_context_activation
//!
//! `MIGRATION.md`, in the repository, takes a service from there to `#[traced]` in steps.
//!
//! # Our own lines
//!
//! With this feature, what this crate itself has to say (a collector that is down, a bad setting) goes to
//! the subscriber, if there is one, with the target `trace_runtime`; `TRACED_LOG` says otherwise. These
//! events come from threads without a span and are never recorded as events of one.
//!
//! # Limits
//!
//! Lines and events of the crates `opentelemetry` and `opentelemetry_sdk` themselves get no ids and are
//! not recorded: those crates write them while they hold what the current span is read from. The same is
//! true of a span processor of another SDK: it must not log while it ends the span that is current.

mod events;
mod format;

pub use events::SpanEvents;
pub use format::WithSpan;
