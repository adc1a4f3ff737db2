//! The `log` facade: ids on every record, warnings and errors on their spans.
//!
//! [`LogBridge`] is a logger around the application's own. It adds to every record where it was
//! written, as the key-values `trace_id`, `span_id` and `span_name`, passes it on, and records warnings
//! and errors as events of the current span. What was logged without a span is passed on as it is.
//!
//! ```
//! use trace_runtime::log::LogBridge;
//! use trace_runtime::{Console, Tracer, traced};
//!
//! #[traced]
//! fn charge(order_id: u64) {
//!     log::info!("charging");
//!     log::warn!(attempt = 2; "the bank is slow");
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // On the terminal, unless the environment names a collector.
//!     let _guard = Tracer::builder()
//!         .with_service_name("payments")
//!         .with_default_exporter(Console::new())
//!         .install()?;
//!     // Any logger; this one needs its feature `kv` to show key-values.
//!     let logger = env_logger::Builder::new()
//!         .filter_level(log::LevelFilter::Info)
//!         .build();
//!     log::set_max_level(logger.filter());
//!     log::set_boxed_logger(Box::new(LogBridge::new(logger)))?;
//!     charge(7);
//!     Ok(())
//! }
//! ```
//!
//! prints, and records the second line as an event of the span `charge`:
//!
//! ```text
//! [INFO  payments] charging trace_id=75f5..ca9e span_id=0a45..11d6 span_name=charge
//! [WARN  payments] the bank is slow attempt=2 trace_id=75f5..ca9e span_id=0a45..11d6 span_name=charge
//! ```
//!
//! # Events
//!
//! The event has the name of the message, and the attributes `level`, `target` and the record's
//! key-values: numbers and booleans as such, everything else as text, secrets and what `TRACED_REDACT`
//! names as `[redacted]`, texts cut to 1024 characters, as many as the span's limits allow. A key-value
//! that holds an error, `log::error!(error:err = e; "..")`, makes it an `exception` event. The span's
//! status is left to its function. The bridge sees what [`log::max_level`](::log::max_level) lets
//! through: that must not be below `Warn`.
//!
//! # With `tracing`
//!
//! A service that logs by both facades may send `log` on to `tracing` (`tracing_log::LogTracer`) and
//! needs no bridge then: `trace_runtime::tracing::SpanEvents` (feature `tracing`) sees those records too. With
//! a bridge around such a logger every record is still recorded once.
//!
//! # Our own lines
//!
//! `TRACED_LOG=log` sends what this crate itself has to say to the logger, with the target
//! `trace_runtime`.

use std::borrow::Cow;
use std::error::Error;

use ::log::kv::{self, Key, Source, VisitSource, VisitValue};
use ::log::{LevelFilter, Log, Metadata, Record};

use super::log_common::{Current, Fields, Shown, TextValue, begin, current, is_from_opentelemetry};
use crate::{ToValue, Value};

/// A logger around another one, see the [module](self).
#[derive(Clone, Debug)]
pub struct LogBridge<L> {
    logger: L,
    max_level: LevelFilter,
    shown: Shown,
}

impl<L: Log> LogBridge<L> {
    /// Around this logger, which gets every record.
    pub const fn new(logger: L) -> Self {
        Self {
            logger,
            max_level: LevelFilter::Warn,
            shown: Shown::DEFAULT,
        }
    }

    /// Records this level and those above it as events, instead of warnings and errors;
    /// `LevelFilter::Off` records nothing.
    #[must_use]
    pub fn with_max_level(mut self, max_level: LevelFilter) -> Self {
        self.max_level = max_level;
        self
    }

    /// Whether the span's name is added: yes, unless told otherwise.
    #[must_use]
    pub fn with_span_name(mut self, name: bool) -> Self {
        self.shown.name = name;
        self
    }

    /// Whether the span's attributes are added, as `span_attributes.<key>`: no, unless told otherwise.
    /// What is redacted on the span is redacted here.
    #[must_use]
    pub fn with_span_attributes(mut self, attributes: bool) -> Self {
        self.shown.attributes = attributes;
        self
    }
}

impl<L: Log> Log for LogBridge<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.max_level || self.logger.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if is_from_opentelemetry(record.target()) {
            return self.logger.log(record);
        }
        let recording = match record.level() <= self.max_level {
            true => begin(),
            false => None,
        };
        if recording.is_some() {
            record_event(record);
        }
        // Until the end, for the logger may be one that makes an event of `tracing` of it.
        match current(self.shown) {
            None => self.logger.log(record),
            Some(span) => {
                let all = WithSpan::new(record.key_values(), &span);
                self.logger
                    .log(&record.to_builder().key_values(&all).build());
            }
        }
        drop(recording);
    }

    fn flush(&self) {
        self.logger.flush();
    }
}

fn record_event(record: &Record<'_>) {
    let Some(mut fields) = Fields::of_current_span() else {
        return;
    };
    fields.message(record.args());
    // The visitor gives no errors of its own; those of a source end what it shows.
    let _ = record.key_values().visit(&mut Visitor(&mut fields));
    let target = record.target().to_owned();
    fields.record(record.level().as_str(), target, "log record");
}

/// The key-values of a record and those of its span.
struct WithSpan<'a> {
    own: &'a dyn Source,
    trace_id: String,
    span_id: String,
    name: Option<&'a str>,
    attributes: Vec<(String, Cow<'a, Value<'static>>)>,
}

impl<'a> WithSpan<'a> {
    fn new(own: &'a dyn Source, span: &'a Current) -> Self {
        let attributes = span.attributes.iter();
        Self {
            own,
            trace_id: span.trace_id.to_string(),
            span_id: span.span_id.to_string(),
            name: span.name.as_deref(),
            attributes: attributes
                .map(|(key, value)| (format!("span_attributes.{key}"), scalar(value)))
                .collect(),
        }
    }
}

impl Source for WithSpan<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), kv::Error> {
        self.own.visit(visitor)?;
        visitor.visit_pair(Key::from_str("trace_id"), self.trace_id.as_str().into())?;
        visitor.visit_pair(Key::from_str("span_id"), self.span_id.as_str().into())?;
        if let Some(name) = self.name {
            visitor.visit_pair(Key::from_str("span_name"), name.into())?;
        }
        for (key, value) in &self.attributes {
            visitor.visit_pair(Key::from_str(key), to_kv(value))?;
        }
        Ok(())
    }

    fn count(&self) -> usize {
        self.own.count() + 2 + usize::from(self.name.is_some()) + self.attributes.len()
    }
}

/// The facade knows no arrays.
fn scalar<'a>(value: &'a Value<'static>) -> Cow<'a, Value<'static>> {
    match value {
        Value::Array(_) => Cow::Owned(Value::Str(TextValue(value).to_string().into())),
        scalar => Cow::Borrowed(scalar),
    }
}

fn to_kv<'v>(value: &'v Value<'static>) -> kv::Value<'v> {
    match value {
        Value::Bool(v) => kv::Value::from(*v),
        Value::I64(v) => kv::Value::from(*v),
        Value::F64(v) => kv::Value::from(*v),
        Value::Str(v) => kv::Value::from(&**v),
        Value::None | Value::Array(_) => kv::Value::null(),
    }
}

/// Gives key-values to the event.
struct Visitor<'f>(&'f mut Fields);

impl<'kvs> VisitSource<'kvs> for Visitor<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        value.visit(OneValue(self.0, key.as_str()))
    }
}

/// Gives a value to the event, by its type.
struct OneValue<'f, 'k>(&'f mut Fields, &'k str);

impl OneValue<'_, '_> {
    fn give(&mut self, value: &impl ToValue) -> Result<(), kv::Error> {
        self.0.value(self.1.to_owned(), value.to_value());
        Ok(())
    }
}

impl<'v> VisitValue<'v> for OneValue<'_, '_> {
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        self.0.text(self.1.to_owned(), format_args!("{value}"));
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.give(&value)
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.give(&value)
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), kv::Error> {
        self.give(&value)
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), kv::Error> {
        self.give(&value)
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.give(&value)
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.give(&value)
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        self.give(&value)
    }

    fn visit_error(&mut self, error: &(dyn Error + 'static)) -> Result<(), kv::Error> {
        self.0.error(self.1.to_owned(), error);
        Ok(())
    }

    fn visit_borrowed_error(&mut self, error: &'v (dyn Error + 'static)) -> Result<(), kv::Error> {
        self.visit_error(error)
    }
}
