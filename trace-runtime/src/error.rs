//! The errors that the public functions return.

use std::error::Error;
use std::fmt;

use crate::diagnostics::{Diagnostic, Severity};

/// The tracer cannot start as configured: every bad setting, each on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitError {
    diagnostics: Vec<Diagnostic>,
}

impl InitError {
    /// The errors among `diagnostics`, if there are any.
    pub(crate) fn from_diagnostics(diagnostics: &[Diagnostic]) -> Option<Self> {
        let errors: Vec<_> = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity() == Severity::Error)
            .cloned()
            .collect();
        (!errors.is_empty()).then_some(InitError {
            diagnostics: errors,
        })
    }

    /// What is wrong, in the order in which the settings were read.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl From<Diagnostic> for InitError {
    fn from(diagnostic: Diagnostic) -> Self {
        InitError {
            diagnostics: vec![diagnostic],
        }
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid configuration:")?;
        for diagnostic in &self.diagnostics {
            write!(f, "\n  {diagnostic}")?;
        }
        Ok(())
    }
}

impl Error for InitError {}

/// Not every span was delivered by a flush or a shutdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlushError {
    exported: u64,
    lost: u64,
    reason: String,
}

impl FlushError {
    pub(crate) fn new(exported: u64, lost: u64, reason: impl Into<String>) -> Self {
        FlushError {
            exported,
            lost,
            reason: reason.into(),
        }
    }

    /// How many spans were delivered by this call.
    pub fn exported(&self) -> u64 {
        self.exported
    }

    /// How many spans were not: after a flush they may still be queued, after a shutdown they are gone.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} spans exported, {} not: {}",
            self.exported, self.lost, self.reason
        )
    }
}

impl Error for FlushError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_error_lists_every_error_and_nothing_else() {
        let diagnostics = [
            Diagnostic::error("first").found("OTEL_A", "1"),
            Diagnostic::warning("harmless"),
            Diagnostic::error("second").found("OTEL_EXPORTER_OTLP_HEADERS", "key=secret"),
        ];
        let error = InitError::from_diagnostics(&diagnostics).expect("two errors");
        assert_eq!(
            error.to_string(),
            "invalid configuration:\n  `OTEL_A=1`: first\n  \
             `OTEL_EXPORTER_OTLP_HEADERS=[redacted]`: second"
        );
        assert_eq!(InitError::from_diagnostics(&diagnostics[1..2]), None);
    }

    #[test]
    fn flush_error_says_exported_lost_and_why() {
        let error = FlushError::new(3, 2, "connection refused");
        assert_eq!(
            error.to_string(),
            "3 spans exported, 2 not: connection refused"
        );
    }
}
