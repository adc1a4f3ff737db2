//! Warnings and errors as events of the span that they happened in.

use std::error::Error;
use std::fmt::Debug;

use ::tracing::field::{Field, Visit};
use ::tracing::level_filters::LevelFilter;
use ::tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::integration::log_common::{Fields, begin, is_from_opentelemetry};
use crate::{ToValue, Value};

/// A layer that records warnings and errors as events of the current span.
///
/// Typed fields stay typed, and are redacted and cut like attributes; a field that is an error makes the
/// event an `exception`. The level of the event and its target stand in the attributes `level` and
/// `target`. The status of the span is left to its function: an error of `#[instrument(err)]` fails it,
/// another event does not.
///
/// ```
/// use tracing_subscriber::prelude::*;
/// use trace_runtime::tracing::SpanEvents;
///
/// let subscriber = tracing_subscriber::registry().with(SpanEvents::new());
/// # drop(subscriber);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SpanEvents {
    max_level: LevelFilter,
}

impl SpanEvents {
    /// Records WARN and ERROR.
    pub const fn new() -> Self {
        Self {
            max_level: LevelFilter::WARN,
        }
    }

    /// Records this level and those above it; `LevelFilter::OFF` records nothing.
    ///
    /// ```
    /// use trace_runtime::tracing::SpanEvents;
    ///
    /// let layer = SpanEvents::new().with_max_level(tracing::Level::INFO);
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn with_max_level(self, max_level: impl Into<LevelFilter>) -> Self {
        Self {
            max_level: max_level.into(),
        }
    }
}

impl Default for SpanEvents {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Subscriber> Layer<S> for SpanEvents {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() > self.max_level || is_from_opentelemetry(metadata.target()) {
            return;
        }
        let Some(_recording) = begin() else { return };
        let Some(fields) = Fields::of_current_span() else {
            return;
        };
        let mut visitor = Visitor {
            fields,
            log_target: None,
        };
        event.record(&mut visitor);
        let target = visitor.log_target;
        let target = target.unwrap_or_else(|| metadata.target().to_owned());
        let level = metadata.level().as_str();
        visitor.fields.record(level, target, metadata.name());
    }
}

struct Visitor {
    fields: Fields,
    /// The target of a record of `log` that was made an event.
    log_target: Option<String>,
}

impl Visitor {
    fn value(&mut self, field: &Field, value: Value<'_>) {
        match field.name() {
            "message" => match value {
                Value::Str(text) => self.fields.message(&format_args!("{text}")),
                other => self.fields.value("message", other),
            },
            "log.target" => {
                if let Value::Str(target) = value {
                    self.log_target = Some(target.into_owned());
                }
            }
            // Where the record of `log` came from: no fields of the user's.
            "log.module_path" | "log.file" | "log.line" => {}
            name => self.fields.value(name, value),
        }
    }
}

impl Visit for Visitor {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, value.to_value());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, value.to_value());
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.value(field, value.to_value());
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.value(field, value.to_value());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, value.to_value());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, value.to_value());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.value(field, value.to_value());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.fields.error(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.fields.message(value),
            name => self.fields.text(name, format_args!("{value:?}")),
        }
    }
}
