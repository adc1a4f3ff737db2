//! Says what goes wrong, once, from the worker's threads, and keeps it for the guard.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::diagnostics::{Diagnostic, Severity};

/// How many diagnostics a guard can show.
const KEPT: usize = 256;

/// Where our own lines go.
pub(crate) type Output = Box<dyn Fn(&str) + Send + Sync>;

/// Collects diagnostics and prints those that matter.
pub(crate) struct Reporter {
    shown: Severity,
    output: Output,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Vec<Diagnostic>,
    unprinted: Vec<String>,
    known: HashSet<String>,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl Reporter {
    /// Prints what is at least as important as `shown`.
    pub(crate) fn new(shown: Severity, output: Output) -> Self {
        Self {
            shown,
            output,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a diagnostic; the worker prints it. The same text is noted once.
    pub(crate) fn note(&self, diagnostic: Diagnostic) {
        let mut state = self.state();
        let text = diagnostic.to_string();
        if state.kept.len() >= KEPT || !state.known.insert(text.clone()) {
            return;
        }
        if diagnostic.severity() <= self.shown {
            let severity = diagnostic.severity();
            state
                .unprinted
                .push(format!("trace-runtime: {severity}: {text}"));
        }
        state.kept.push(diagnostic);
    }

    /// What was noted may be noted, and said, again: the situation has changed.
    pub(crate) fn forget(&self, text: &str) {
        self.state().known.remove(text);
    }

    /// Whether there is something to print.
    pub(crate) fn has_news(&self) -> bool {
        !self.state().unprinted.is_empty()
    }

    /// Prints what has not been printed. Only threads of ours call this.
    pub(crate) fn print(&self) {
        let lines = std::mem::take(&mut self.state().unprinted);
        for line in lines {
            (self.output)(&line);
        }
    }

    /// Prints a line that is no diagnostic. Only threads of ours call this.
    pub(crate) fn line(&self, line: &str) {
        (self.output)(line);
    }

    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        self.state().kept.clone()
    }
}

/// Lines go to standard error; nobody is told when it is closed.
pub(crate) fn stderr() -> Output {
    Box::new(|line| {
        let _ = writeln!(std::io::stderr(), "{line}");
    })
}
