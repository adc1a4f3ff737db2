//! The ids of the current span on every line.

use std::fmt::{self, Write};

use ::tracing::{Event, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{Format, FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use crate::integration::log_common::{Current, Shown, current, is_from_opentelemetry};

/// An event format that adds the current span to what another one writes: `trace_id`, `span_id`,
/// `span_name` and, when asked, `span_attributes`.
///
/// Lines that are written outside any span stay as they are.
///
/// ```
/// use trace_runtime::tracing::WithSpan;
///
/// let text = tracing_subscriber::fmt().compact().map_event_format(WithSpan::text);
/// let json = tracing_subscriber::fmt().json().map_event_format(WithSpan::json);
/// # let _ = (text.finish(), json.finish());
/// ```
#[derive(Clone, Debug)]
pub struct WithSpan<E> {
    format: E,
    /// The same with colours, where lines are text: a writer in between cannot ask for them.
    coloured: Option<E>,
    syntax: Syntax,
    shown: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    Text,
    Json,
}

impl<F: Clone, T: Clone> WithSpan<Format<F, T>> {
    /// Adds `trace_id=.. span_id=.. span_name=".."` to the end of a line of text.
    pub fn text(format: Format<F, T>) -> Self {
        Self {
            coloured: Some(format.clone().with_ansi(true)),
            format,
            syntax: Syntax::Text,
            shown: Shown::DEFAULT,
        }
    }
}

impl<E> WithSpan<E> {
    /// Adds the members `trace_id`, `span_id` and `span_name` to the end of a line that is a JSON object.
    pub fn json(format: E) -> Self {
        Self {
            format,
            coloured: None,
            syntax: Syntax::Json,
            shown: Shown::DEFAULT,
        }
    }

    /// Whether the span's name is shown: yes, unless told otherwise.
    #[must_use]
    pub fn with_span_name(mut self, name: bool) -> Self {
        self.shown.name = name;
        self
    }

    /// Whether the span's attributes are shown, without those that say where the function stands: no,
    /// unless told otherwise. What is redacted on the span is redacted here.
    ///
    /// ```
    /// use trace_runtime::tracing::WithSpan;
    ///
    /// let subscriber = tracing_subscriber::fmt()
    ///     .json()
    ///     .map_event_format(|format| WithSpan::json(format).with_span_attributes(true));
    /// # let _ = subscriber.finish();
    /// ```
    #[must_use]
    pub fn with_span_attributes(mut self, attributes: bool) -> Self {
        self.shown.attributes = attributes;
        self
    }
}

impl<S, N, E> FormatEvent<S, N> for WithSpan<E>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    E: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if is_from_opentelemetry(event.metadata().target()) {
            return self.format.format_event(ctx, writer, event);
        }
        let Some(span) = current(self.shown) else {
            return self.format.format_event(ctx, writer, event);
        };
        let format = match &self.coloured {
            Some(coloured) if writer.has_ansi_escapes() => coloured,
            _ => &self.format,
        };
        let mut line = Line::new(&mut writer, self.syntax);
        format.format_event(ctx, Writer::new(&mut line), event)?;
        line.end_with(&span)
    }
}

/// Passes on what is written, except for how it ends so far: the brace of an object, newlines.
struct Line<'a, 'w> {
    out: &'a mut Writer<'w>,
    syntax: Syntax,
    /// A brace may be the last one of the object.
    brace: bool,
    newlines: usize,
    /// The object has no members so far.
    is_empty: bool,
}

impl<'a, 'w> Line<'a, 'w> {
    fn new(out: &'a mut Writer<'w>, syntax: Syntax) -> Self {
        Self {
            out,
            syntax,
            brace: false,
            newlines: 0,
            is_empty: true,
        }
    }

    fn end_with(mut self, span: &Current) -> fmt::Result {
        match (self.syntax, self.brace) {
            (Syntax::Json, true) => {
                if !self.is_empty {
                    self.out.write_char(',')?;
                }
                span.write_json(self.out)?;
            }
            // Not an object: left alone.
            (Syntax::Json, false) => {}
            (Syntax::Text, _) => {
                self.out.write_char(' ')?;
                span.write_text(self.out)?;
            }
        }
        self.release()
    }

    fn release(&mut self) -> fmt::Result {
        if std::mem::take(&mut self.brace) {
            self.out.write_char('}')?;
        }
        for _ in 0..std::mem::take(&mut self.newlines) {
            self.out.write_char('\n')?;
        }
        Ok(())
    }
}

impl Write for Line<'_, '_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let text = piece.trim_end_matches('\n');
        if !text.is_empty() {
            self.release()?;
            let body = match self.syntax {
                Syntax::Json => text.strip_suffix('}').unwrap_or(text),
                Syntax::Text => text,
            };
            self.brace = body.len() < text.len();
            if !body.is_empty() {
                self.out.write_str(body)?;
                self.is_empty = body.ends_with('{');
            }
        }
        self.newlines += piece.len() - text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::{SpanId, TraceId};

    fn line(pieces: &[&str], syntax: Syntax) -> String {
        let span = Current {
            trace_id: TraceId::from(1),
            span_id: SpanId::from(2),
            name: None,
            attributes: Vec::new(),
        };
        let mut text = String::new();
        let mut writer = Writer::new(&mut text);
        let mut line = Line::new(&mut writer, syntax);
        for piece in pieces {
            line.write_str(piece).unwrap();
        }
        line.end_with(&span).unwrap();
        text
    }

    const IDS: &str =
        r#""trace_id":"00000000000000000000000000000001","span_id":"0000000000000002""#;

    #[test]
    fn members_are_added_before_the_last_brace_however_it_is_written() {
        for pieces in [
            &[r#"{"a":{"b":1}}"#, "\n"][..],
            &["{", r#""a":"#, r#"{"b":1"#, "}", "}", "\n"],
            &["{", r#""a":{"b":1"#, "}}\n"],
        ] {
            let expected = format!("{{\"a\":{{\"b\":1}},{IDS}}}\n");
            assert_eq!(line(pieces, Syntax::Json), expected, "{pieces:?}");
        }
        assert_eq!(
            line(&["{", "}", "\n"], Syntax::Json),
            format!("{{{IDS}}}\n")
        );
        assert_eq!(line(&["no object\n"], Syntax::Json), "no object\n");
    }

    #[test]
    fn text_goes_on_before_the_newline() {
        let ids = "trace_id=00000000000000000000000000000001 span_id=0000000000000002";
        assert_eq!(line(&["a", "b\n"], Syntax::Text), format!("ab {ids}\n"));
        let block = line(&["a\n", "  b {}", "\n\n"], Syntax::Text);
        assert_eq!(block, format!("a\n  b {{}} {ids}\n\n"));
    }
}
