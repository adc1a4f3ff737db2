//! A span's life on the application's threads: started, entered, ended.
//!
//! [`Start`] is the span before the body runs; arguments are written straight into its live record.
//! [`enter`] moves the record into an OpenTelemetry [`Context`](opentelemetry::Context). From then
//! on only the API's own methods reach it, for us as for everybody else; [`Active`] holds that
//! context, for synchronous and for asynchronous code alike.
//!
//! The live record is one box that never moves: from the start to the end only its pointer does.

mod active;
#[cfg(any(feature = "log", feature = "tracing"))]
mod described;
mod holder;
mod live;
mod parent;
mod start;
mod unsampled;

pub use active::{Active, enter};
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) use described::{Described, answer, describe};
pub use holder::{Entering, Holder};
pub(crate) use live::Live;
pub use live::LiveSpan;
#[cfg(feature = "tower")]
pub(crate) use parent::root_in;
#[cfg(any(feature = "messaging", feature = "tower"))]
pub(crate) use parent::within;
pub use parent::{ParentChoice, current, parent, root};
pub(crate) use start::start_in;
pub use start::{Start, off};
#[cfg(feature = "metrics")]
pub(crate) use unsampled::time as time_unsampled;

/// Ends a span, or dates an event, at the time of the call. Nothing happens at the epoch, so this
/// value is free to mean "now, by our own clock", which saves the API's clock reading.
pub(crate) const NOW: std::time::SystemTime = std::time::UNIX_EPOCH;
