//! The current span as a log line shows it.

use std::borrow::Cow;
use std::fmt::{self, Write};

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{SpanId, TraceId};

use super::context;
use crate::Value;
use crate::span::{Described, describe};

/// What is shown beside the ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) name: bool,
    pub(crate) attributes: bool,
}

impl Shown {
    /// What is shown unless somebody says otherwise.
    pub(crate) const DEFAULT: Self = Self {
        name: true,
        attributes: false,
    };
}

/// The current span.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) attributes: Vec<(Cow<'static, str>, Value<'static>)>,
}

/// The current span; `None` where there is none.
pub(crate) fn current(shown: Shown) -> Option<Current> {
    let cx = context()?;
    let span = cx.span();
    let span_context = span.span_context();
    if !span_context.is_valid() {
        return None;
    }
    let described = match shown.name || shown.attributes {
        true => describe(&span, shown.attributes),
        false => None,
    };
    let (name, attributes) = match described {
        Some(Described { name, attributes }) => (shown.name.then_some(name), attributes),
        None => (None, Vec::new()),
    };
    Some(Current {
        trace_id: span_context.trace_id(),
        span_id: span_context.span_id(),
        name,
        attributes,
    })
}

impl Current {
    /// `trace_id=.. span_id=.. span_name=".." span_attributes={..}`
    #[cfg(feature = "tracing")]
    pub(crate) fn write_text(&self, out: &mut dyn Write) -> fmt::Result {
        write!(out, "trace_id={} span_id={}", self.trace_id, self.span_id)?;
        if let Some(name) = &self.name {
            write!(out, " span_name={name:?}")?;
        }
        if !self.attributes.is_empty() {
            let attributes = TextAttributes(&self.attributes);
            write!(out, " span_attributes={{{attributes}}}")?;
        }
        Ok(())
    }

    /// The members of a JSON object, without its braces.
    #[cfg(feature = "tracing")]
    pub(crate) fn write_json(&self, out: &mut dyn Write) -> fmt::Result {
        let (trace_id, span_id) = (self.trace_id, self.span_id);
        write!(out, r#""trace_id":"{trace_id}","span_id":"{span_id}""#)?;
        if let Some(name) = &self.name {
            write!(out, r#","span_name":{}"#, JsonText(name))?;
        }
        if !self.attributes.is_empty() {
            let attributes = JsonAttributes(&self.attributes);
            write!(out, r#","span_attributes":{attributes}"#)?;
        }
        Ok(())
    }
}

/// `a=1, b="text"`
#[cfg(feature = "tracing")]
struct TextAttributes<'a>(&'a [(Cow<'static, str>, Value<'static>)]);

#[cfg(feature = "tracing")]
impl fmt::Display for TextAttributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{key}={}", TextValue(value))?;
        }
        Ok(())
    }
}

/// Texts in quotes, so that no control character reaches a terminal.
pub(crate) struct TextValue<'a>(pub(crate) &'a Value<'a>);

impl fmt::Display for TextValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::None => Ok(()),
            Value::Bool(v) => write!(f, "{v}"),
            Value::I64(v) => write!(f, "{v}"),
            Value::F64(v) => write!(f, "{v:?}"),
            Value::Str(v) => write!(f, "{v:?}"),
            Value::Array(elements) => list(f, '[', ']', elements, |element, f| {
                write!(f, "{}", TextValue(element))
            }),
        }
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    open: char,
    close: char,
    elements: &[T],
    one: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    f.write_char(open)?;
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        one(element, f)?;
    }
    f.write_char(close)
}

#[cfg(feature = "tracing")]
struct JsonAttributes<'a>(&'a [(Cow<'static, str>, Value<'static>)]);

#[cfg(feature = "tracing")]
impl fmt::Display for JsonAttributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, '{', '}', self.0, |(key, value), f| {
            write!(f, "{}:", JsonText(key))?;
            json(value, f)
        })
    }
}

#[cfg(feature = "tracing")]
fn json(value: &Value<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::None => f.write_str("null"),
        Value::Bool(v) => write!(f, "{v}"),
        Value::I64(v) => write!(f, "{v}"),
        Value::F64(v) if v.is_finite() => write!(f, "{v:?}"),
        Value::F64(v) => write!(f, r#""{v}""#),
        Value::Str(v) => write!(f, "{}", JsonText(v)),
        Value::Array(elements) => list(f, '[', ']', elements, json),
    }
}

/// A text in quotes, by the rules of JSON.
#[cfg(feature = "tracing")]
struct JsonText<'a>(&'a str);

#[cfg(feature = "tracing")]
impl fmt::Display for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(all(test, feature = "tracing"))]
mod tests {
    use super::*;

    fn line() -> Current {
        Current {
            trace_id: TraceId::from(1),
            span_id: SpanId::from(2),
            name: Some("say \"hi\"".into()),
            attributes: vec![
                ("n".into(), Value::I64(7)),
                ("x".into(), Value::F64(1.0)),
                ("nan".into(), Value::F64(f64::NAN)),
                ("a\\b".into(), Value::Str("tab\t\u{1b}[31m\u{85}\n".into())),
                (
                    "list".into(),
                    Value::Array(vec![Value::Bool(true), Value::Str("é".into())]),
                ),
            ],
        }
    }

    #[test]
    fn whatever_the_name_and_the_values_are_the_json_is_valid() {
        let mut text = String::new();
        line().write_json(&mut text).unwrap();
        let json: serde_json::Value = serde_json::from_str(&format!("{{{text}}}")).unwrap();
        assert_eq!(json["trace_id"], "00000000000000000000000000000001");
        assert_eq!(json["span_id"], "0000000000000002");
        assert_eq!(json["span_name"], "say \"hi\"");
        assert_eq!(
            json["span_attributes"],
            serde_json::json!({
                "n": 7, "x": 1.0, "nan": "NaN", "a\\b": "tab\t\u{1b}[31m\u{85}\n", "list": [true, "é"],
            })
        );
    }

    #[test]
    fn text_keeps_to_one_line_and_steers_no_terminal() {
        let mut text = String::new();
        line().write_text(&mut text).unwrap();
        assert_eq!(
            text,
            "trace_id=00000000000000000000000000000001 span_id=0000000000000002 \
             span_name=\"say \\\"hi\\\"\" span_attributes={n=7, x=1.0, nan=NaN, \
             a\\b=\"tab\\t\\u{1b}[31m\\u{85}\\n\", list=[true,\"é\"]}"
        );
    }
}
