//! Tags: what Jaeger calls attributes. Its tags are scalars, so arrays become JSON.

use std::io::Write;

use super::thrift::{Fields, Protocol, Structs};
use crate::Value;
use crate::exporter::json::string;

/// `TagType` of Jaeger's IDL; we have no binary values.
const STRING: i32 = 0;
const DOUBLE: i32 = 1;
const BOOL: i32 = 2;
const LONG: i32 = 3;

/// Adds an attribute; [`Value::None`] adds nothing.
#[inline]
pub(super) fn push<P: Protocol>(tags: &mut Structs, key: &str, value: &Value<'_>) {
    if !matches!(value, Value::None) {
        tags.push::<P>(|tag| self::tag(tag, key, value));
    }
}

#[inline]
fn tag<P: Protocol>(tag: &mut Fields<'_, P>, key: &str, value: &Value<'_>) {
    tag.string(1, key);
    match value {
        Value::None => {}
        Value::Str(text) => {
            tag.i32(2, STRING);
            tag.string(3, text);
        }
        Value::F64(number) => {
            tag.i32(2, DOUBLE);
            tag.double(4, *number);
        }
        Value::Bool(yes) => {
            tag.i32(2, BOOL);
            tag.bool(5, *yes);
        }
        Value::I64(number) => {
            tag.i32(2, LONG);
            tag.i64(6, *number);
        }
        Value::Array(elements) => {
            tag.i32(2, STRING);
            tag.binary(3, &json(elements));
        }
    }
}

/// The array as compact JSON, as Jaeger itself shows arrays that come by OTLP.
fn json(elements: &[Value<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to a vector cannot fail.
    let _ = array(&mut out, elements);
    out
}

fn array(out: &mut Vec<u8>, elements: &[Value<'_>]) -> std::io::Result<()> {
    out.push(b'[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match element {
            Value::None => write!(out, "null")?,
            Value::Bool(yes) => write!(out, "{yes}")?,
            Value::I64(number) => write!(out, "{number}")?,
            Value::F64(number) if number.is_finite() => write!(out, "{number}")?,
            // JSON has no such numbers.
            Value::F64(number) => write!(out, "\"{number}\"")?,
            Value::Str(text) => string(out, text),
            Value::Array(elements) => array(out, elements)?,
        }
    }
    out.push(b']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_become_compact_json() {
        let text = |text: &'static str| Value::Str(text.into());
        for (elements, expected) in [
            (vec![], "[]"),
            (
                vec![Value::I64(-1), Value::I64(i64::MAX)],
                "[-1,9223372036854775807]",
            ),
            (vec![Value::Bool(true), Value::None], "[true,null]"),
            (
                vec![
                    Value::F64(1.5),
                    Value::F64(2.0),
                    Value::F64(f64::NAN),
                    Value::F64(f64::INFINITY),
                ],
                r#"[1.5,2,"NaN","inf"]"#,
            ),
            (
                vec![text("a\"b\\"), text("\n\r\t\u{1}\u{7f}é")],
                "[\"a\\\"b\\\\\",\"\\n\\u000d\\u0009\\u0001\u{7f}é\"]",
            ),
            (
                vec![Value::Array(vec![Value::I64(1)]), text("")],
                r#"[[1],""]"#,
            ),
        ] {
            assert_eq!(String::from_utf8(json(&elements)).unwrap(), expected);
        }
    }
}
