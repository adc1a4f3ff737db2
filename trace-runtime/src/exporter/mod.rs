//! Exporters: what turns finished spans into bytes for somebody else.

mod build;
pub(crate) mod console;
pub(crate) mod file;
#[cfg(all(feature = "gzip", feature = "otlp-http"))]
mod gzip;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc", feature = "jaeger"))]
pub(crate) mod http;
#[cfg(feature = "jaeger")]
pub(crate) mod jaeger;
pub(crate) mod json;
pub(crate) mod log_spans;
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
pub(crate) mod otlp;
#[cfg(feature = "sdk-exporter")]
pub(crate) mod sdk;
#[cfg(feature = "tls")]
pub(crate) mod tls;

#[cfg(test)]
#[cfg_attr(
    not(any(feature = "otlp-http", feature = "jaeger", feature = "sdk-exporter")),
    expect(dead_code)
)]
pub(crate) mod samples;

pub(crate) use build::build;
pub use console::Console;

use std::fmt;
use std::time::{Duration, Instant};

use crate::Value;
use crate::record::{Records, SpanView};

/// Delivers finished spans somewhere.
///
/// An exporter runs on a thread of ours, never on the application's: it may block until
/// [`Batch::deadline`], fail or panic. It makes one attempt; the worker retries.
///
/// ```
/// use trace_runtime::{Batch, ExportError, Exporter};
///
/// struct Names;
///
/// impl Exporter for Names {
///     fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
///         for span in batch.spans() {
///             println!("{}", span.name());
///         }
///         Ok(())
///     }
///     fn target(&self) -> String {
///         "standard output".into()
///     }
/// }
/// ```
pub trait Exporter: Send + 'static {
    /// Makes one attempt to deliver the batch, and may block until its deadline.
    ///
    /// # Errors
    ///
    /// [`ExportError`] tells the worker whether another attempt makes sense.
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError>;

    /// Delivers what the exporter itself holds back; called once, after the last batch.
    fn shutdown(&mut self, deadline: Instant) {
        let _ = deadline;
    }

    /// How many spans were too large to send, since the start. They are counted as
    /// `dropped_too_large` where [`ExportError::Rejected`] counts them as refused.
    fn dropped_too_large(&self) -> u64 {
        0
    }

    /// Where the spans go, for diagnostics, without credentials.
    fn target(&self) -> String;

    /// What kind of exporter it is, for metrics (`otel.component.type`): the type's name, unless the
    /// conventions have a word for it.
    fn component_type(&self) -> &'static str {
        std::any::type_name::<Self>()
    }
}

/// Why a batch was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportError {
    /// Nobody answered: retried, with a growing pause.
    Unreachable(String),
    /// The receiver asks to come back later.
    Retry {
        /// When, if it said so.
        after: Option<Duration>,
        /// What it said.
        message: String,
    },
    /// The receiver will never take these spans: counted as failed, not retried.
    Rejected {
        /// How many of the batch it refused.
        spans: u64,
        /// What it said.
        message: String,
    },
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(message) | Self::Retry { message, .. } => f.write_str(message),
            Self::Rejected { spans, message } => write!(f, "{spans} spans refused: {message}"),
        }
    }
}

impl std::error::Error for ExportError {}

/// Finished spans of one process, on their way out.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) records: &'a Records,
    pub(crate) deadline: Instant,
    pub(crate) dropped: u64,
}

impl<'a> Batch<'a> {
    /// Who speaks: service name, host, process.
    pub fn resource(&self) -> &'a Resource {
        self.resource
    }

    /// The spans, in the order in which they ended on each thread.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = SpanView<'a>> + use<'a> {
        self.records.iter()
    }

    /// When the attempt must be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How many spans of this process found the queue full since it started.
    pub fn dropped_queue_full(&self) -> u64 {
        self.dropped
    }
}

/// The entity that produces the spans, as attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    pub(crate) attributes: Vec<(String, Value<'static>)>,
}

impl Resource {
    /// All attributes, `service.name` among them.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'static>)> {
        self.attributes
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// `service.name`.
    pub fn service_name(&self) -> &str {
        let name = self
            .attributes
            .iter()
            .find(|(key, _)| key == "service.name");
        match name {
            Some((_, Value::Str(name))) => name,
            _ => "",
        }
    }
}
