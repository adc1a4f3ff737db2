//! A value with its source, and how values are printed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::secret::{REDACTED, Secret, Url};
use super::value::Word;
use crate::value::Value;

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The builder.
    Code,
    /// An environment variable.
    Variable(&'static str),
    /// Nobody said anything.
    Default,
}

impl Source {
    /// Whether the value came from a `JAEGER_*` variable, the older of the two worlds.
    pub(crate) fn is_jaeger(self) -> bool {
        matches!(self, Source::Variable(name) if name.starts_with("JAEGER_"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Source::Code => "code",
            Source::Variable(name) => name,
            Source::Default => "default",
        })
    }
}

/// A resolved value that remembers its source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

impl<T> Setting<T> {
    pub(super) fn new(value: T, source: Source) -> Self {
        Setting { value, source }
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting::new(change(self.value), self.source)
    }
}

/// How the table and the diagnostics print a value. Secrets print as `[redacted]`.
pub(crate) trait Render {
    fn render(&self) -> String;
}

impl<T: Word> Render for T {
    fn render(&self) -> String {
        self.name().to_owned()
    }
}

macro_rules! render_with_display {
    ($($type:ty),*) => {$(
        impl Render for $type {
            fn render(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
render_with_display!(bool, u16, usize, String, Url);

impl Render for Duration {
    fn render(&self) -> String {
        format!("{} ms", self.as_millis())
    }
}

impl Render for PathBuf {
    fn render(&self) -> String {
        self.display().to_string()
    }
}

impl Render for Secret {
    fn render(&self) -> String {
        REDACTED.to_owned()
    }
}

impl Render for Value<'_> {
    fn render(&self) -> String {
        match self {
            Value::None => "none".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::I64(value) => value.to_string(),
            Value::F64(value) => value.to_string(),
            Value::Str(value) => value.to_string(),
            Value::Array(values) => {
                let values: Vec<_> = values.iter().map(Render::render).collect();
                format!("[{}]", values.join(", "))
            }
        }
    }
}

impl<T: Render> Render for Option<T> {
    fn render(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), T::render)
    }
}

impl<T: Render> Render for Vec<T> {
    fn render(&self) -> String {
        if self.is_empty() {
            return "none".to_owned();
        }
        let items: Vec<_> = self.iter().map(T::render).collect();
        items.join(", ")
    }
}

/// `name=value`, as in the headers of a request.
impl<T: Render> Render for (String, T) {
    fn render(&self) -> String {
        format!("{}={}", self.0, self.1.render())
    }
}
