//! What goes wrong, as values: the worker says each of them once.

use std::fmt;

/// How much a [`Diagnostic`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// A setting is bad: `try_init_tracer` and `TRACED_STRICT=1` refuse to start.
    Error,
    /// Something is probably not as intended, and is said always.
    Warning,
    /// Something worth knowing.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        })
    }
}

/// One thing that is wrong, or worth knowing, about the tracer or its configuration.
///
/// Prints as one line, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    severity: Severity,
    variable: Option<&'static str>,
    value: Option<String>,
    message: String,
}

impl Diagnostic {
    pub(crate) fn new(severity: Severity, message: impl Into<String>) -> Self {
        Diagnostic {
            severity,
            variable: None,
            value: None,
            message: crate::config::one_line(&message.into()),
        }
    }

    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    pub(crate) fn info(message: impl Into<String>) -> Self {
        Self::new(Severity::Info, message)
    }

    /// Names the variable (or the builder's method) that the message is about.
    pub(crate) fn about(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }

    /// Shows the value that was found, unless it is a secret.
    pub(crate) fn found(mut self, variable: &'static str, value: &str) -> Self {
        self.variable = Some(variable);
        self.value = Some(crate::config::shown(variable, value));
        self
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The environment variable at fault, or the method of the builder.
    pub fn variable(&self) -> Option<&str> {
        self.variable
    }

    /// The value found there; `[redacted]` in place of a secret.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What is wrong, what is accepted and what is used instead.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.variable, &self.value) {
            (Some(variable), Some(value)) => write!(f, "`{variable}={value}`: ")?,
            (Some(variable), None) => write!(f, "`{variable}`: ")?,
            (None, _) => {}
        }
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_variable_the_value_and_the_message_on_one_line() {
        let diagnostic = Diagnostic::error("expected a number").found("OTEL_X", "a\nb");
        assert_eq!(diagnostic.to_string(), "`OTEL_X=a\\nb`: expected a number");
        assert_eq!(diagnostic.variable(), Some("OTEL_X"));
        assert_eq!(diagnostic.severity(), Severity::Error);
    }

    #[test]
    fn prints_without_a_variable_or_a_value() {
        assert_eq!(Diagnostic::info("hello").to_string(), "hello");
        let about = Diagnostic::warning("is ignored").about("OTEL_X");
        assert_eq!(about.to_string(), "`OTEL_X`: is ignored");
    }
}
