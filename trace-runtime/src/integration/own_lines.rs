//! `TRACED_LOG=tracing` and `TRACED_LOG=log`: our own lines, for the subscriber or logger of the
//! application. They come from threads of ours, which have no span and run suppressed.

use crate::Severity;

/// Whom the lines are from.
const TARGET: &str = "trace_runtime";

/// The severity that a line begins with, and the rest.
fn parse(line: &str) -> (Severity, &str) {
    let text = line.strip_prefix("trace-runtime: ").unwrap_or(line);
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let rest = text.strip_prefix(&*severity.to_string());
        if let Some(rest) = rest.and_then(|rest| rest.strip_prefix(": ")) {
            return (severity, rest);
        }
    }
    (Severity::Info, text)
}

/// Whether this thread's events reach a subscriber.
#[cfg(feature = "tracing")]
pub(crate) fn has_subscriber() -> bool {
    use ::tracing::subscriber::NoSubscriber;
    ::tracing::dispatcher::get_default(|dispatch| !dispatch.is::<NoSubscriber>())
}

/// Gives the line to `tracing`.
#[cfg(feature = "tracing")]
pub(crate) fn lines_to_tracing(line: &str) {
    match parse(line) {
        (Severity::Error, text) => ::tracing::error!(target: TARGET, "{text}"),
        (Severity::Warning, text) => ::tracing::warn!(target: TARGET, "{text}"),
        (Severity::Info, text) => ::tracing::info!(target: TARGET, "{text}"),
    }
}

/// Gives the line to `log`.
#[cfg(feature = "log")]
pub(crate) fn lines_to_log(line: &str) {
    match parse(line) {
        (Severity::Error, text) => ::log::error!(target: TARGET, "{text}"),
        (Severity::Warning, text) => ::log::warn!(target: TARGET, "{text}"),
        (Severity::Info, text) => ::log::info!(target: TARGET, "{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_it_matters() {
        let lines = [
            ("trace-runtime: error: a: b", Severity::Error, "a: b"),
            ("trace-runtime: warning: c", Severity::Warning, "c"),
            (
                "trace-runtime: spans go to x",
                Severity::Info,
                "spans go to x",
            ),
            ("a span", Severity::Info, "a span"),
        ];
        for (line, severity, text) in lines {
            assert_eq!(parse(line), (severity, text));
        }
    }
}
