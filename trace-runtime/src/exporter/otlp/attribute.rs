//! Attributes: `KeyValue`, `AnyValue`, `ArrayValue`.

use super::buffer::Buffer;
use super::proto::{
    FIXED64, LEN, LONGEST_VARINT, VARINT, bytes, field_len, put_varint, tag, varint, varint_len,
};
use crate::Value;
use crate::record::Stored;

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
    out: &mut Buffer,
    tag: u8,
    attributes: impl Iterator<Item = (&'a str, Value<'a>)>,
) {
    attributes.for_each(|(key, value)| attribute(out, tag, key, &value));
}

/// Writes one attribute; [`Value::None`] writes nothing.
#[inline]
pub(super) fn attribute(out: &mut Buffer, tag: u8, key: &str, value: &Value<'_>) {
    if matches!(value, Value::None) {
        return;
    }
    let value_len = any_value_len(value);
    let len = field_len(key.len()) + field_len(value_len);
    if len < 0x80 {
        // Then every length in it takes one byte, too.
        out.put([tag, len as u8, KEY, key.len() as u8]);
        out.extend(key.as_bytes());
        out.put([VALUE, value_len as u8]);
    } else {
        out.push(tag);
        varint(out, len as u64);
        bytes(out, KEY, key.as_bytes());
        out.push(VALUE);
        varint(out, value_len as u64);
    }
    any_value(out, value);
}

/// The beginning of an attribute, up to its value.
#[derive(Debug)]
pub(super) struct KeyTemplate {
    /// Both tags and the key, with the lengths left blank; padded, because so many bytes at once are
    /// copied faster than a few less.
    head: [u8; Self::MOST],
    len: usize,
}

impl KeyTemplate {
    const MOST: usize = 32;
    /// Where the length of the attribute stands; that of its value stands at the end.
    const AT_LEN: usize = 1;

    /// None for a key that is too long.
    pub(super) fn new(tag: u8, key: &str) -> Option<Self> {
        let mut bytes = vec![tag, 0, KEY, u8::try_from(key.len()).ok()?];
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(&[VALUE, 0]);
        let mut head = [0; Self::MOST];
        head.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(Self {
            head,
            len: bytes.len(),
        })
    }

    /// Writes the attribute, unless one of its lengths takes more than a byte, or it is unusual.
    #[inline]
    pub(super) fn write(&self, out: &mut Buffer, value: &Stored<'_>) -> bool {
        const NUMBER: usize = 1 + LONGEST_VARINT;
        let most = match value {
            Stored::Text(text) if Self::MOST + 2 + text.len() < 0x80 => 2 + text.len(),
            Stored::Text(_) | Stored::Other(_) => return false,
            Stored::Bool(_) | Stored::F64(_) | Stored::I64(_) => NUMBER,
        };
        let room = out.room(Self::MOST + most);
        room[..Self::MOST].copy_from_slice(&self.head);
        let at = self.len;
        let place = &mut room[at..];
        let len = match (value, place.first_chunk_mut::<NUMBER>()) {
            (Stored::Text(text), _) => {
                (place[0], place[1]) = (STRING, text.len() as u8);
                place[2..2 + text.len()].copy_from_slice(text);
                2 + text.len()
            }
            (Stored::I64(v), Some([tag, place @ ..])) => {
                *tag = INT;
                1 + put_varint(place, *v as u64)
            }
            (Stored::F64(v), Some([tag, place @ .., _, _])) => {
                *tag = DOUBLE;
                *place = v.to_le_bytes();
                9
            }
            (Stored::Bool(v), Some([tag, place, ..])) => {
                (*tag, *place) = (BOOL, u8::from(*v));
                2
            }
            _ => return false,
        };
        room[at - 1] = len as u8;
        room[Self::AT_LEN] = (at + len - (Self::AT_LEN + 1)) as u8;
        out.advance(at + len);
        true
    }
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
fn any_value(out: &mut Buffer, value: &Value<'_>) {
    match value {
        Value::None => {}
        Value::Bool(v) => out.put([BOOL, u8::from(*v)]),
        Value::I64(v) => {
            out.push(INT);
            varint(out, *v as u64);
        }
        Value::F64(v) => {
            out.push(DOUBLE);
            out.put(v.to_le_bytes());
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
