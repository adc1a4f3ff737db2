//! Draws finished traces on the terminal: a failed request as a waterfall, a good one as a line.
//!
//! ```text
//! batch ─► Assembler: spans of all tracers by trace ─► draw: rows, bars, failures ─► standard error
//! ```

mod assembler;
mod bar;
mod draw;
mod failure;
mod line;
mod output;
mod style;
#[cfg(test)]
mod tests;
mod text;
mod waterfall;

use std::sync::Arc;
use std::time::{Duration, Instant};

use assembler::Span;
use output::Output;

pub(crate) use style::Style;
pub(crate) use text::duration;

use super::{Batch, ExportError, Exporter};
use crate::record::SpanRecord;

/// Draws finished traces on standard error: the exporter `console` of `OTEL_TRACES_EXPORTER`.
///
/// A good trace is one line, a failed one a waterfall. All tracers of the process draw in one place,
/// so a request that passes several of them is one drawing.
///
/// ```no_run
/// use trace_runtime::{Console, Tracer};
///
/// # fn main() -> Result<(), trace_runtime::InitError> {
/// // On the terminal of whoever tries it out, elsewhere wherever the environment says.
/// let _guard = Tracer::builder().with_default_exporter(Console::new()).install()?;
/// # Ok(())
/// # }
/// ```
pub struct Console {
    output: Output,
    is_open: bool,
}

/// How long a finished span waits for its export unless the configuration says otherwise.
const USUAL_DELAY: Duration = Duration::from_secs(1);

impl Console {
    /// Draws in colour where standard error is a terminal and the environment does not object.
    pub fn new() -> Self {
        Self::stderr(
            Style::of_stderr(crate::config::process_environment),
            USUAL_DELAY,
        )
    }

    /// Draws on standard error, together with every other tracer of the process that does.
    ///
    /// `delay` is how long a finished span may wait for its export: so long a trace waits for the
    /// spans of other tracers.
    pub(crate) fn stderr(style: Style, delay: Duration) -> Self {
        Self::on(Output::stderr(), style, delay)
    }

    fn on(output: Output, style: Style, delay: Duration) -> Self {
        output.open(style, delay);
        Self {
            output,
            is_open: true,
        }
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            self.output.close();
        }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Exporter for Console {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        let service: Arc<str> = batch.resource().service_name().into();
        self.output.add(batch.spans().map(|view| {
            let mut record = SpanRecord::from(&view);
            for event in &mut record.events {
                // Not drawn, and by far the largest.
                event
                    .attributes
                    .retain(|kv| kv.key.as_str() != "exception.stacktrace");
            }
            Span {
                record,
                service: Arc::clone(&service),
            }
        }));
        Ok(())
    }

    fn shutdown(&mut self, _deadline: Instant) {
        self.close();
    }

    fn target(&self) -> String {
        "console (standard error)".into()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}
