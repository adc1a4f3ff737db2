//! One line for every finished span, as `JAEGER_REPORTER_LOG_SPANS` asks.

use std::fmt::Write as _;
use std::time::Duration;

use opentelemetry::SpanId;
use opentelemetry::trace::Status;

use super::console::duration;
use crate::plain_text::printable;
use crate::record::SpanView;

/// `trace:span:parent:flags name duration status`, ids as in the header `uber-trace-id`.
pub(crate) fn line(span: &SpanView<'_>) -> String {
    let mut line = format!("{:032x}:{:016x}:", span.trace_id(), span.span_id());
    match span.parent_span_id() {
        SpanId::INVALID => line.push('0'),
        parent => {
            let _ = write!(line, "{parent:016x}");
        }
    }
    // Jaeger's flag 2 means debug; what W3C has in its place says nothing here.
    let sampled = u8::from(span.trace_flags().is_sampled());
    let nanos = span.end_time_unix_nano() - span.start_time_unix_nano();
    let _ = write!(
        line,
        ":{sampled} {} {}",
        printable(span.name()),
        duration(Duration::from_nanos(nanos))
    );
    match span.status() {
        Status::Unset => line.push_str(" unset"),
        Status::Ok => line.push_str(" ok"),
        Status::Error { description } if description.is_empty() => line.push_str(" error"),
        Status::Error { description } => {
            let _ = write!(line, " error {description:?}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::sample::{SpanExt, records, span};

    #[test]
    fn a_line_has_ids_name_duration_and_status() {
        let records = records(vec![
            span(0xab, 0, "GET /").between(0, 12_300),
            span(2, 0xab, "load\n").between(1, 2).failed("not\nfound"),
            span(3, 2, "query").between(1, 1).failed(""),
        ]);
        let lines: Vec<String> = records.iter().map(|span| line(&span)).collect();
        let trace = "00000000000000000000000000000001";
        assert_eq!(
            lines,
            [
                format!("{trace}:00000000000000ab:0:1 GET / 12.3 ms unset"),
                format!(
                    "{trace}:0000000000000002:00000000000000ab:1 load\\n 1.00 µs error \"not\\nfound\""
                ),
                format!("{trace}:0000000000000003:0000000000000002:1 query 0 ns error"),
            ]
        );
    }
}
