//! How spans are written for people: in one line, and without what could steer a terminal.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Array, Value};

/// The kind as `#[traced(kind = ..)]` spells it.
pub(crate) fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

/// A value on one line: texts in quotes, floats with a point.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Bool(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F64(v) => format!("{v:?}"),
        Value::String(v) => format!("{:?}", v.as_str()),
        Value::Array(Array::Bool(list)) => format!("{list:?}"),
        Value::Array(Array::I64(list)) => format!("{list:?}"),
        Value::Array(Array::F64(list)) => format!("{list:?}"),
        Value::Array(Array::String(list)) => {
            let texts: Vec<&str> = list.iter().map(|text| text.as_str()).collect();
            format!("{texts:?}")
        }
        other => format!("{other:?}"),
    }
}

/// The text on one line, and without what could steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Marks of direction reorder what stands around them.
        let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || reorders {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// `1 span`, `2 spans`.
pub(crate) fn spans(count: impl Into<u64>) -> String {
    match count.into() {
        1 => "1 span".to_owned(),
        count => format!("{count} spans"),
    }
}

/// The first line of what somebody else says: at most 200 characters, and nothing that could disturb
/// a terminal.
#[cfg(any(feature = "jaeger", feature = "otlp-grpc", feature = "otlp-http"))]
pub(crate) fn first_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}
