//! Attributes: `KeyValue`, `AnyValue`, `ArrayValue`.

use super::proto::{FIXED64, LEN, VARINT, bytes, field_len, tag, varint, varint_len};
use crate::Value;

const KEY: u8 = tag(1, LEN);
const VALUE: u8 = tag(2, LEN);

const STRING: u8 = tag(1, LEN);
const BOOL: u8 = tag(2, VARINT);
const INT: u8 = tag(3, VARINT);
const DOUBLE: u8 = tag(4, FIXED64);
const ARRAY: u8 = tag(5, LEN);
const ARRAY_VALUES: u8 = tag(1, LEN);

/// Writes each attribute as a `KeyValue` field with this tag.
pub(super) fn attributes<'a>(
    out: &mut Vec<u8>,
    tag: u8,
    attributes: impl Iterator<Item = (&'a str, Value<'a>)>,
) {
    attributes.for_each(|(key, value)| attribute(out, tag, key, &value));
}

/// Writes one attribute; [`Value::None`] writes nothing.
#[inline]
pub(super) fn attribute(out: &mut Vec<u8>, tag: u8, key: &str, value: &Value<'_>) {
    if matches!(value, Value::None) {
        return;
    }
    let value_len = any_value_len(value);
    let len = field_len(key.len()) + field_len(value_len);
    if len < 0x80 {
        // Then every length in it takes one byte, too.
        out.extend_from_slice(&[tag, len as u8, KEY, key.len() as u8]);
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(&[VALUE, value_len as u8]);
    } else {
        out.push(tag);
        varint(out, len as u64);
        bytes(out, KEY, key.as_bytes());
        out.push(VALUE);
        varint(out, value_len as u64);
    }
    any_value(out, value);
}

#[inline]
fn any_value_len(value: &Value<'_>) -> usize {
    match value {
        Value::None => 0,
        Value::Bool(_) => 2,
        Value::I64(v) => 1 + varint_len(*v as u64),
        Value::F64(_) => 9,
        Value::Str(v) => field_len(v.len()),
        Value::Array(elements) => field_len(array_len(elements)),
    }
}

fn array_len(elements: &[Value<'_>]) -> usize {
    elements.iter().map(|v| field_len(any_value_len(v))).sum()
}

#[inline]
fn any_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::None => {}
        Value::Bool(v) => out.extend_from_slice(&[BOOL, u8::from(*v)]),
        Value::I64(v) => {
            out.push(INT);
            varint(out, *v as u64);
        }
        Value::F64(v) => {
            out.push(DOUBLE);
            out.extend_from_slice(&v.to_le_bytes());
        }
        Value::Str(v) => bytes(out, STRING, v.as_bytes()),
        Value::Array(elements) => {
            out.push(ARRAY);
            varint(out, array_len(elements) as u64);
            for element in elements {
                out.push(ARRAY_VALUES);
                varint(out, any_value_len(element) as u64);
                any_value(out, element);
            }
        }
    }
}
