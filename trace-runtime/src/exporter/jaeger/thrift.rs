//! As much of Thrift as Jaeger's messages need: structs whose fields are scalars, texts, structs and
//! lists of structs.

use std::marker::PhantomData;

/// Ends a struct, in both protocols.
const STOP: u8 = 0;

/// The types of fields that we write, booleans aside.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Double,
    I32,
    I64,
    Binary,
    List,
    Struct,
}

/// How values become bytes.
pub(super) trait Protocol: Send + 'static {
    /// The envelope of a call that nobody answers.
    fn oneway(out: &mut Vec<u8>, name: &str, sequence: i32);
    /// What stands before a field's value; `last` is the id of the field before, or 0.
    fn field(out: &mut Vec<u8>, kind: Kind, id: u8, last: u8);
    /// A whole boolean field.
    fn bool_field(out: &mut Vec<u8>, id: u8, last: u8, value: bool);
    fn double(out: &mut Vec<u8>, value: f64);
    fn i32(out: &mut Vec<u8>, value: i32);
    fn i64(out: &mut Vec<u8>, value: i64);
    /// Text and bytes.
    fn binary(out: &mut Vec<u8>, value: &[u8]);
    /// What stands before the elements of a list of structs.
    fn list(out: &mut Vec<u8>, len: usize);
    /// How many bytes [`list`](Self::list) writes.
    fn list_size(len: usize) -> usize;
}

/// Appends a struct with the fields that `write` gives it.
pub(super) fn structure<P: Protocol>(out: &mut Vec<u8>, write: impl FnOnce(&mut Fields<'_, P>)) {
    let mut fields = Fields {
        out,
        last: 0,
        protocol: PhantomData,
    };
    write(&mut fields);
    out.push(STOP);
}

/// The fields of a struct that is being written, in ascending order of their ids.
pub(super) struct Fields<'a, P> {
    out: &'a mut Vec<u8>,
    last: u8,
    protocol: PhantomData<P>,
}

impl<P: Protocol> Fields<'_, P> {
    #[inline]
    fn begin(&mut self, kind: Kind, id: u8) {
        debug_assert!(self.last < id, "field {id} after {}", self.last);
        P::field(self.out, kind, id, self.last);
        self.last = id;
    }

    pub(super) fn bool(&mut self, id: u8, value: bool) {
        P::bool_field(self.out, id, self.last, value);
        self.last = id;
    }

    pub(super) fn double(&mut self, id: u8, value: f64) {
        self.begin(Kind::Double, id);
        P::double(self.out, value);
    }

    #[inline]
    pub(super) fn i32(&mut self, id: u8, value: i32) {
        self.begin(Kind::I32, id);
        P::i32(self.out, value);
    }

    #[inline]
    pub(super) fn i64(&mut self, id: u8, value: i64) {
        self.begin(Kind::I64, id);
        P::i64(self.out, value);
    }

    #[inline]
    pub(super) fn string(&mut self, id: u8, value: &str) {
        self.binary(id, value.as_bytes());
    }

    #[inline]
    pub(super) fn binary(&mut self, id: u8, value: &[u8]) {
        self.begin(Kind::Binary, id);
        P::binary(self.out, value);
    }

    pub(super) fn structure(&mut self, id: u8, write: impl FnOnce(&mut Self)) {
        self.begin(Kind::Struct, id);
        // An inner struct counts its own fields.
        self.last = 0;
        write(self);
        self.last = id;
        self.out.push(STOP);
    }

    /// A struct that [`structure`] has written.
    pub(super) fn encoded(&mut self, id: u8, structure: &[u8]) {
        self.begin(Kind::Struct, id);
        self.out.extend_from_slice(structure);
    }

    pub(super) fn list(&mut self, id: u8, elements: &Structs) {
        self.begin(Kind::List, id);
        P::list(self.out, elements.len);
        self.out.extend_from_slice(&elements.bytes);
    }

    /// A list that is left out when it is empty.
    pub(super) fn optional_list(&mut self, id: u8, elements: &Structs) {
        if elements.len > 0 {
            self.list(id, elements);
        }
    }
}

/// The elements of a list of structs. A struct reads the same wherever it stands, so they can be
/// written before anybody knows how many there will be.
#[derive(Clone, Debug, Default)]
pub(super) struct Structs {
    len: usize,
    bytes: Vec<u8>,
}

impl Structs {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The size of all elements.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.bytes.clear();
    }

    #[inline]
    pub(super) fn push<P: Protocol>(&mut self, write: impl FnOnce(&mut Fields<'_, P>)) {
        structure(&mut self.bytes, write);
        self.len += 1;
    }

    /// Adds a struct that [`structure`] has written.
    pub(super) fn push_encoded(&mut self, structure: &[u8]) {
        self.bytes.extend_from_slice(structure);
        self.len += 1;
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.len += other.len;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Binary, Compact};
    use super::*;

    fn inner<P: Protocol>(fields: &mut Fields<'_, P>) {
        fields.i32(2, -1);
    }

    fn sample<P: Protocol>() -> Vec<u8> {
        let mut list = Structs::default();
        list.push::<P>(inner);
        list.push::<P>(|_| {});
        let mut encoded = Vec::new();
        structure::<P>(&mut encoded, inner);
        let mut out = Vec::new();
        structure::<P>(&mut out, |fields| {
            fields.bool(1, true);
            fields.bool(2, false);
            fields.double(3, 1.5);
            fields.i64(5, 300);
            fields.string(6, "é");
            fields.structure(7, inner);
            fields.encoded(8, &encoded);
            fields.list(9, &list);
            fields.optional_list(10, &Structs::default());
            fields.i32(11, i32::MAX);
        });
        out
    }

    #[test]
    fn compact_structs_are_written_by_the_specification() {
        let expected = [
            &[0x11, 0x12][..],                     // booleans live in the field's header
            &[0x17, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], // little-endian
            &[0x26, 0xd8, 0x04],                   // zigzag varint, two ids further
            &[0x18, 2, 0xc3, 0xa9],
            &[0x1c, 0x25, 1, 0],
            &[0x1c, 0x25, 1, 0],
            &[0x19, 0x2c, 0x25, 1, 0, 0],
            &[0x25, 0xfe, 0xff, 0xff, 0xff, 0x0f],
            &[0],
        ];
        assert_eq!(sample::<Compact>(), expected.concat());
    }

    #[test]
    fn binary_structs_are_written_by_the_specification() {
        let inner = [8, 0, 2, 0xff, 0xff, 0xff, 0xff, 0];
        let expected = [
            &[2, 0, 1, 1, 2, 0, 2, 0][..],
            &[4, 0, 3, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0],
            &[10, 0, 5, 0, 0, 0, 0, 0, 0, 1, 44],
            &[11, 0, 6, 0, 0, 0, 2, 0xc3, 0xa9],
            &[12, 0, 7],
            &inner,
            &[12, 0, 8],
            &inner,
            &[15, 0, 9, 12, 0, 0, 0, 2],
            &inner,
            &[0],
            &[8, 0, 11, 0x7f, 0xff, 0xff, 0xff],
            &[0],
        ];
        assert_eq!(sample::<Binary>(), expected.concat());
    }

    fn lists_take_the_announced_size<P: Protocol>() {
        for len in [0, 1, 14, 15, 127, 128, 16_383, 16_384, 70_000] {
            let mut out = Vec::new();
            P::list(&mut out, len);
            assert_eq!(out.len(), P::list_size(len), "{len} elements");
        }
    }

    #[test]
    fn list_sizes_are_exact() {
        lists_take_the_announced_size::<Compact>();
        lists_take_the_announced_size::<Binary>();
    }

    #[test]
    fn envelopes_are_those_that_agents_expect() {
        let mut out = Vec::new();
        Compact::oneway(&mut out, "emitBatch", 300);
        assert_eq!(out, b"\x82\x81\xac\x02\x09emitBatch");
        out.clear();
        Binary::oneway(&mut out, "emitBatch", 300);
        assert_eq!(
            out,
            b"\x80\x01\x00\x04\x00\x00\x00\x09emitBatch\x00\x00\x01\x2c"
        );
    }
}
