//! As much of the protobuf wire format as OTLP over HTTP needs.
//!
//! Fields are named by their tag, `number << 3 | wire type`. All lengths are minimal varints: what
//! is cheap to measure is measured first, what is not is written first and its length put before it.

use super::buffer::Buffer;

/// Wire types.
pub(super) const VARINT: u8 = 0;
pub(super) const FIXED64: u8 = 1;
pub(super) const LEN: u8 = 2;
pub(super) const FIXED32: u8 = 5;

/// The tag of a field below 16.
pub(super) const fn tag(number: u8, wire_type: u8) -> u8 {
    number << 3 | wire_type
}

/// How many bytes a varint takes.
#[inline]
pub(super) const fn varint_len(value: u64) -> usize {
    // Seven bits a byte: 9 * bits / 64, rounded up, is exact for 1 to 64 bits.
    let bits = 64 - (value | 1).leading_zeros();
    (bits as usize * 9 + 64) / 64
}

/// The length of a length-delimited field, its one-byte tag included.
#[inline]
pub(super) const fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

#[inline]
pub(super) fn varint(out: &mut Buffer, value: u64) {
    if let Some(place) = out.room(LONGEST_VARINT).first_chunk_mut() {
        let len = put_varint(place, value);
        out.advance(len);
    }
}

/// The most bytes that a varint takes.
pub(super) const LONGEST_VARINT: usize = 10;

/// Writes a varint to the front of `place`; says how many bytes it takes.
#[inline]
pub(super) fn put_varint(place: &mut [u8; LONGEST_VARINT], mut value: u64) -> usize {
    let mut len = 0;
    for byte in place {
        len += 1;
        if value < 0x80 {
            *byte = value as u8;
            break;
        }
        *byte = value as u8 | 0x80;
        value >>= 7;
    }
    len
}

/// A varint field; zero is the default and is left out.
pub(super) fn uint32(out: &mut Buffer, tag: u8, value: u32) {
    if value != 0 {
        out.push(tag);
        varint(out, u64::from(value));
    }
}

/// A text or bytes field.
#[inline]
pub(super) fn bytes(out: &mut Buffer, tag: u8, value: &[u8]) {
    out.push(tag);
    varint(out, value.len() as u64);
    out.extend(value);
}

/// A text field; the empty text is the default and is left out.
pub(super) fn text(out: &mut Buffer, tag: u8, value: &str) {
    if !value.is_empty() {
        bytes(out, tag, value.as_bytes());
    }
}

/// A nested message that `write` appends. Its length most likely takes `expected` bytes: the message
/// is moved if it does not.
#[inline]
pub(super) fn message(out: &mut Buffer, tag: u8, expected: usize, write: impl FnOnce(&mut Buffer)) {
    out.push(tag);
    let start = out.len();
    out.room(expected);
    out.advance(expected);
    write(out);
    end_message(out, start, expected);
}

/// The end of a message whose length, in so many bytes, was left blank at `start`.
#[inline(always)]
pub(super) fn end_message(out: &mut Buffer, start: usize, expected: usize) {
    let len = out.len() - start - expected;
    match out.since(start) {
        [low, high, ..] if expected == 2 && (0x80..0x4000).contains(&len) => {
            (*low, *high) = (len as u8 | 0x80, (len >> 7) as u8);
        }
        _ => put_length(out, start, expected, len),
    }
}

#[cold]
fn put_length(out: &mut Buffer, start: usize, expected: usize, len: usize) {
    let mut bytes = [0; LONGEST_VARINT];
    let actual = put_varint(&mut bytes, len as u64);
    if actual != expected {
        out.shift(start + expected, start + actual);
    }
    out.since(start)[..actual].copy_from_slice(&bytes[..actual]);
}

/// A field of a message that somebody else wrote.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// A fixed-width field: nothing that we read has one.
    Other,
}

/// Reads the fields of a message; ends early on anything malformed.
#[derive(Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let field = match (key & 7) as u8 {
            VARINT => Field::Varint(self.varint()?),
            LEN => {
                let len = self.varint()?;
                Field::Bytes(self.take(len)?)
            }
            FIXED64 => self.take(8).map(|_| Field::Other)?,
            FIXED32 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some((key >> 3, field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_as_long_as_announced() {
        for bits in 0..64 {
            for value in [1_u64 << bits, (1 << bits) - 1, u64::MAX >> bits] {
                let mut out = Buffer::default();
                varint(&mut out, value);
                assert_eq!(out.len(), varint_len(value), "{value}");
                assert_eq!(Fields(out.written()).varint(), Some(value));
            }
        }
    }

    #[test]
    fn a_message_has_a_minimal_length_whatever_was_expected() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            for expected in 1..=3 {
                let body: Vec<u8> = (0..len).map(|i| i as u8).collect();
                let [mut out, mut wanted] = [(); 2].map(|()| Buffer::default());
                out.extend(b"before");
                message(&mut out, tag(9, LEN), expected, |out| out.extend(&body));
                wanted.extend(b"before");
                bytes(&mut wanted, tag(9, LEN), &body);
                let same = out.written() == wanted.written();
                assert!(same, "{len} bytes, length of {expected}");
            }
        }
    }

    #[test]
    fn reading_ends_at_malformed_fields() {
        assert_eq!(
            Fields(&[0x08, 0x96, 0x01]).next(),
            Some((1, Field::Varint(150)))
        );
        for malformed in [
            &[0x08][..],
            &[0x0a, 5, 1],
            &[0x0f, 0],
            &[0xff; 12],
            &[0x09, 1],
        ] {
            assert_eq!(Fields(malformed).next(), None, "{malformed:?}");
        }
    }
}
