//! Thrift's binary protocol: what agents take on port 6832, and collectors over HTTP.

use super::thrift::{Kind, Protocol};

/// Everything big-endian and of a fixed width.
#[derive(Debug)]
pub(super) struct Binary;

const BOOL: u8 = 2;
const STRUCT: u8 = 12;

const fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Double => 4,
        Kind::I32 => 8,
        Kind::I64 => 10,
        Kind::Binary => 11,
        Kind::Struct => STRUCT,
        Kind::List => 15,
    }
}

impl Protocol for Binary {
    fn oneway(out: &mut Vec<u8>, name: &str, sequence: i32) {
        const VERSION: u32 = 0x8001_0000;
        const ONEWAY: u32 = 4;
        out.extend_from_slice(&(VERSION | ONEWAY).to_be_bytes());
        Self::binary(out, name.as_bytes());
        Self::i32(out, sequence);
    }

    #[inline]
    fn field(out: &mut Vec<u8>, kind: Kind, id: u8, _last: u8) {
        out.extend_from_slice(&[code(kind), 0, id]);
    }

    fn bool_field(out: &mut Vec<u8>, id: u8, _last: u8, value: bool) {
        out.extend_from_slice(&[BOOL, 0, id, u8::from(value)]);
    }

    fn double(out: &mut Vec<u8>, value: f64) {
        out.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn i32(out: &mut Vec<u8>, value: i32) {
        out.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn i64(out: &mut Vec<u8>, value: i64) {
        out.extend_from_slice(&value.to_be_bytes());
    }

    /// Nothing of ours reaches 2 GiB: the queue is bounded far below.
    #[inline]
    fn binary(out: &mut Vec<u8>, value: &[u8]) {
        Self::i32(out, value.len() as i32);
        out.extend_from_slice(value);
    }

    fn list(out: &mut Vec<u8>, len: usize) {
        out.push(STRUCT);
        Self::i32(out, len as i32);
    }

    fn list_size(_len: usize) -> usize {
        5
    }
}
