//! A log event as a span keeps it: typed, bounded, without secrets.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write};

use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, Key, KeyValue};

use crate::__private::shown;
use crate::Value;
use crate::outcome::exception_attributes;
use crate::value::{ValueLimits, limit};

/// More fields than this are not even counted.
const FIELDS: usize = 1024;

/// Bytes of a formatted text: as many as the 1024 characters that are kept may have, and one more
/// character, which tells that there was more.
const TEXT_BYTES: usize = 4 * 1024 + 4;

/// The fields of an event on their way to the current span.
#[derive(Debug)]
pub(crate) struct Fields {
    cx: Context,
    message: String,
    /// `exception.*`, from the first field that is an error.
    exception: Vec<KeyValue>,
    /// The text of a field named like an error.
    error: Option<String>,
    attributes: Vec<KeyValue>,
}

impl Fields {
    /// For the current span, if it records.
    pub(crate) fn of_current_span() -> Option<Self> {
        let cx = super::context()?;
        if cx.is_telemetry_suppressed() || !cx.span().is_recording() {
            return None;
        }
        Some(Self {
            cx,
            message: String::new(),
            exception: Vec::new(),
            error: None,
            attributes: Vec::new(),
        })
    }

    /// What the event says.
    pub(crate) fn message(&mut self, message: &dyn fmt::Debug) {
        self.message = bounded(format_args!("{message:?}"));
    }

    /// A field.
    pub(crate) fn value(&mut self, key: impl Into<Key>, value: Value<'_>) {
        if self.attributes.len() >= FIELDS {
            return;
        }
        let key = key.into();
        let value = shown(key.as_str(), limit(value, &ValueLimits::default()));
        if let Some(value) = Option::<opentelemetry::Value>::from(value) {
            self.attributes.push(KeyValue::new(key, value));
        }
    }

    /// A field that only shows itself as text.
    pub(crate) fn text(&mut self, key: impl Into<Key>, text: fmt::Arguments<'_>) {
        if self.attributes.len() >= FIELDS {
            return;
        }
        let (key, text) = (key.into(), bounded(text));
        if self.error.is_none() && matches!(key.as_str(), "error" | "err") {
            self.error = Some(text.clone());
        }
        self.value(key, Value::Str(Cow::Owned(text)));
    }

    /// A field that is an error: the first one makes the event an exception.
    pub(crate) fn error(&mut self, key: impl Into<Key>, error: &(dyn Error + 'static)) {
        if self.exception.is_empty() {
            self.exception = exception_attributes(error);
        } else {
            self.text(key, format_args!("{error}"));
        }
    }

    /// Adds the event to the span. Without a message it has the name `otherwise`.
    pub(crate) fn record(mut self, level: &'static str, target: String, otherwise: &'static str) {
        if self.exception.is_empty() && self.message.is_empty() {
            // What `#[instrument(err)]` says: the function failed, with an error as text.
            if let Some(error) = self.error.take() {
                if level == "ERROR" {
                    self.cx.span().set_status(Status::error(error.clone()));
                }
                self.exception = vec![KeyValue::new("exception.message", error)];
                self.attributes
                    .retain(|kv| !matches!(kv.key.as_str(), "error" | "err"));
            }
        }
        let message = limit(Value::Str(self.message.into()), &ValueLimits::default());
        let is_exception = !self.exception.is_empty();
        let mut attributes = self.exception;
        attributes.push(KeyValue::new("level", level));
        attributes.push(KeyValue::new("target", target));
        let name: Cow<'static, str> = match message {
            Value::Str(text) if is_exception => {
                if !text.is_empty() {
                    attributes.push(KeyValue::new("message", text.into_owned()));
                }
                "exception".into()
            }
            Value::Str(text) if !text.is_empty() => Cow::Owned(text.into_owned()),
            _ => otherwise.into(),
        };
        attributes.extend(self.attributes);
        // Nothing of the user's runs from here on, for the span is locked.
        self.cx.span().add_event(name, attributes);
    }
}

/// The text, as far as it can be kept. A `fmt` that fails ends it.
fn bounded(text: fmt::Arguments<'_>) -> String {
    let mut bounded = Bounded(String::new());
    let _ = bounded.write_fmt(text);
    bounded.0
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let left = TEXT_BYTES.saturating_sub(self.0.len());
        if piece.len() <= left {
            self.0.push_str(piece);
            return Ok(());
        }
        let end = (0..=left)
            .rev()
            .find(|&end| piece.is_char_boundary(end))
            .unwrap_or(0);
        self.0.push_str(&piece[..end]);
        // Stops whoever writes.
        Err(fmt::Error)
    }
}
