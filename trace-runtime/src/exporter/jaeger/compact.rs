//! Thrift's compact protocol: what agents take on port 6831.

use super::thrift::{Kind, Protocol};

/// Varints, and field ids as differences.
#[derive(Debug)]
pub(super) struct Compact;

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const STRUCT: u8 = 12;

/// The lower half of a field's header; a boolean carries its value there.
const fn nibble(kind: Kind) -> u8 {
    match kind {
        Kind::I32 => 5,
        Kind::I64 => 6,
        Kind::Double => 7,
        Kind::Binary => 8,
        Kind::List => 9,
        Kind::Struct => STRUCT,
    }
}

/// Jaeger's ids are below 16, so the difference fits the header's upper half.
#[inline]
fn header(out: &mut Vec<u8>, nibble: u8, id: u8, last: u8) {
    out.push((id - last) << 4 | nibble);
}

#[inline]
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_size(value: usize) -> usize {
    let bits = usize::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

impl Protocol for Compact {
    fn oneway(out: &mut Vec<u8>, name: &str, sequence: i32) {
        const PROTOCOL: u8 = 0x82;
        const VERSION_AND_ONEWAY: u8 = 4 << 5 | 1;
        out.extend_from_slice(&[PROTOCOL, VERSION_AND_ONEWAY]);
        varint(out, u64::from(sequence as u32));
        Self::binary(out, name.as_bytes());
    }

    #[inline]
    fn field(out: &mut Vec<u8>, kind: Kind, id: u8, last: u8) {
        header(out, nibble(kind), id, last);
    }

    fn bool_field(out: &mut Vec<u8>, id: u8, last: u8, value: bool) {
        header(out, if value { TRUE } else { FALSE }, id, last);
    }

    fn double(out: &mut Vec<u8>, value: f64) {
        out.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn i32(out: &mut Vec<u8>, value: i32) {
        varint(out, u64::from((value << 1 ^ value >> 31) as u32));
    }

    #[inline]
    fn i64(out: &mut Vec<u8>, value: i64) {
        varint(out, (value << 1 ^ value >> 63) as u64);
    }

    #[inline]
    fn binary(out: &mut Vec<u8>, value: &[u8]) {
        varint(out, value.len() as u64);
        out.extend_from_slice(value);
    }

    fn list(out: &mut Vec<u8>, len: usize) {
        if len < 15 {
            out.push((len as u8) << 4 | STRUCT);
        } else {
            out.push(0xf0 | STRUCT);
            varint(out, len as u64);
        }
    }

    fn list_size(len: usize) -> usize {
        if len < 15 { 1 } else { 1 + varint_size(len) }
    }
}
