//! The guard: whoever holds it decides when the tracer ends.

use std::time::Duration;

use super::{Core, global};
use crate::config::Config;
use crate::diagnostics::Diagnostic;
use crate::error::FlushError;
use crate::pipeline::stats::Stats;

/// Keeps a tracer alive; dropping it delivers what is left, in a bounded time.
///
/// The second of two explicit inits gets an inert guard: its methods act on the global tracer, and
/// dropping it does nothing.
#[derive(Debug)]
#[must_use = "dropping the guard ends the tracer: bind it to a variable that lives as long as `main`"]
pub struct TracerGuard {
    core: &'static Core,
    owner: bool,
}

/// A guard that is dropped within this time was probably never bound to a variable.
const SUSPICIOUS: Duration = Duration::from_secs(1);

impl TracerGuard {
    pub(super) fn owning(core: &'static Core) -> Self {
        Self { core, owner: true }
    }

    pub(super) fn inert(core: &'static Core) -> Self {
        Self { core, owner: false }
    }

    /// Delivers every span that has ended so far, within the shutdown time of the configuration
    /// (`TRACED_SHUTDOWN_TIMEOUT`, 5 s).
    ///
    /// # Errors
    ///
    /// How many spans were exported, how many were not, and why. Those that may still be delivered
    /// stay queued.
    pub fn flush(&self) -> Result<(), FlushError> {
        if self.core.fork != global::forks() {
            return Ok(()); // nobody in this process would answer
        }
        self.core.flush(self.core.config.own.shutdown_timeout.value)
    }

    /// Delivers every span that has ended and ends the tracer, within `timeout`.
    ///
    /// # Errors
    ///
    /// How many spans were exported, how many were lost, and why. Calling it again does nothing and
    /// returns the same.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        if self.core.fork != global::forks() {
            return Ok(()); // the tracer is the parent's, and so is its end
        }
        self.core.shutdown(timeout)
    }

    /// What became of the spans so far.
    pub fn stats(&self) -> Stats {
        self.core.stats()
    }

    /// The effective configuration; prints as a table.
    pub fn config(&self) -> &Config {
        &self.core.config
    }

    /// Everything that was found wrong, or worth knowing, so far.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.core.reporter.diagnostics()
    }
}

impl Drop for TracerGuard {
    fn drop(&mut self) {
        if !self.owner {
            return;
        }
        if self.core.started.elapsed() < SUSPICIOUS && !self.core.is_closed() {
            global::watch(self.core, SUSPICIOUS);
        }
        // Whoever wants the outcome calls `shutdown`; the worker has reported what was lost.
        let _ = self.shutdown(self.core.config.own.shutdown_timeout.value);
    }
}
