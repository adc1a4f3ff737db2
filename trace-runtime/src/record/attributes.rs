//! Attributes as bytes: a tag, the key's position at the call site, the value.
//!
//! ```text
//! entry   := tag key value                    key: u8, position among the call site's keys
//! value   := by tag: nothing | 8 bytes | length text | count (tag value)*
//! padding := 0 ..                             up to a whole word
//! ```

use std::borrow::Cow;

use crate::Value;

/// Most attributes fit here; longer ones move to the heap. A whole number of words.
const INLINE: usize = 48;

/// The length once the attributes are on the heap: nothing more fits inline.
const SPILLED: u8 = INLINE as u8 + 1;

/// Memory on the heap that is kept for the next span, at most.
const KEPT: usize = 2048;

const END: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const I64: u8 = 3;
const F64: u8 = 4;
const SHORT_TEXT: u8 = 5;
const LONG_TEXT: u8 = 6;
const ARRAY: u8 = 7;
const REDACTED: u8 = 8;
const NAME: u8 = 9;

/// What stands in place of a hidden value.
pub(crate) const REDACTED_TEXT: &str = "[redacted]";

/// The attributes of a span that has not ended.
#[derive(Debug)]
pub(crate) struct AttributeBuffer {
    /// Bytes in use inline, or [`SPILLED`].
    len: u8,
    count: u8,
    inline: [u8; INLINE],
    heap: Vec<u8>,
}

impl AttributeBuffer {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            len: 0,
            count: 0,
            inline: [0; INLINE],
            heap: Vec::new(),
        }
    }

    /// How many attributes there are.
    pub(crate) fn count(&self) -> u32 {
        u32::from(self.count)
    }

    /// The attributes, filled up with zeros to whole words.
    #[inline]
    pub(crate) fn as_words(&mut self) -> &[u8] {
        if self.len == SPILLED {
            self.heap.resize(self.heap.len().next_multiple_of(8), END);
            return &self.heap;
        }
        let len = usize::from(self.len);
        let end = len.next_multiple_of(8);
        // A mask, because the compiler makes a call of anything that fills a few bytes.
        if let Some(last) = self.inline[..end].last_chunk_mut::<8>() {
            let used = u64::MAX >> (8 * (end - len));
            *last = (u64::from_le_bytes(*last) & used).to_le_bytes();
        }
        &self.inline[..end]
    }

    /// Forgets all attributes, and the memory if it is more than usual.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if self.len == SPILLED {
            self.heap.clear();
            self.heap.shrink_to(KEPT);
        }
        (self.len, self.count) = (0, 0);
    }

    /// Adds an integer.
    #[inline]
    pub(crate) fn push_i64(&mut self, key: usize, value: i64) {
        let Ok(key) = u8::try_from(key) else { return };
        self.count = self.count.saturating_add(1);
        self.fixed(I64, key, value.to_le_bytes());
    }

    /// Adds a text.
    #[inline]
    pub(crate) fn push_text(&mut self, key: usize, text: &str) {
        let Ok(key) = u8::try_from(key) else { return };
        self.count = self.count.saturating_add(1);
        self.text(key, text);
    }

    /// Adds an attribute; [`Value::None`] adds nothing. Keys past the 255th are left out.
    pub(crate) fn push(&mut self, key: usize, value: &Value<'_>) {
        let Ok(key) = u8::try_from(key) else { return };
        if matches!(value, Value::None) {
            return;
        }
        self.count = self.count.saturating_add(1);
        match value {
            Value::I64(v) => self.fixed(I64, key, v.to_le_bytes()),
            Value::F64(v) => self.fixed(F64, key, v.to_le_bytes()),
            Value::Bool(v) => self.append(&[if *v { TRUE } else { FALSE }, key]),
            Value::Str(text) => self.text(key, text),
            Value::Array(elements) => {
                self.append(&[ARRAY, key, elements.len().min(255) as u8]);
                for element in elements.iter().take(255) {
                    self.element(element);
                }
            }
            Value::None => {}
        }
    }

    /// Adds an attribute whose value is hidden.
    pub(crate) fn push_redacted(&mut self, key: usize) {
        let Ok(key) = u8::try_from(key) else { return };
        self.count = self.count.saturating_add(1);
        self.append(&[REDACTED, key]);
    }

    /// Gives the span a name of its own.
    pub(crate) fn push_name(&mut self, name: &str) {
        self.append(&[NAME, 0]);
        self.append(&(name.len() as u32).to_le_bytes());
        self.append(name.as_bytes());
    }

    #[inline]
    fn text(&mut self, key: u8, text: &str) {
        let start = usize::from(self.len);
        let end = start + 3 + text.len();
        match self.inline.get_mut(start..end) {
            Some(place) => {
                (place[0], place[1], place[2]) = (SHORT_TEXT, key, text.len() as u8);
                place[3..].copy_from_slice(text.as_bytes());
                self.len = end as u8;
            }
            None => self.long_text(key, text),
        }
    }

    #[cold]
    fn long_text(&mut self, key: u8, text: &str) {
        // What is inline comes along, and whole words are filled up: once is enough.
        self.heap.reserve(INLINE + text.len() + 16);
        if let Ok(len) = u8::try_from(text.len()) {
            self.append(&[SHORT_TEXT, key, len]);
        } else {
            self.append(&[LONG_TEXT, key]);
            self.append(&(text.len() as u32).to_le_bytes());
        }
        self.append(text.as_bytes());
    }

    #[inline]
    fn fixed(&mut self, tag: u8, key: u8, value: [u8; 8]) {
        let start = usize::from(self.len);
        match self.inline.get_mut(start..start + 10) {
            // In place: put together elsewhere, the pieces would be waited for.
            Some(place) => {
                (place[0], place[1]) = (tag, key);
                place[2..].copy_from_slice(&value);
                self.len += 10;
            }
            None => {
                let mut entry = [tag, key, 0, 0, 0, 0, 0, 0, 0, 0];
                entry[2..].copy_from_slice(&value);
                self.append(&entry);
            }
        }
    }

    fn element(&mut self, value: &Value<'_>) {
        match value {
            Value::Bool(v) => self.append(&[if *v { TRUE } else { FALSE }]),
            Value::I64(v) => {
                self.append(&[I64]);
                self.append(&v.to_le_bytes());
            }
            Value::F64(v) => {
                self.append(&[F64]);
                self.append(&v.to_le_bytes());
            }
            Value::Str(text) => {
                self.append(&[LONG_TEXT]);
                self.append(&(text.len() as u32).to_le_bytes());
                self.append(text.as_bytes());
            }
            // OpenTelemetry arrays hold scalars: anything else stands as an empty text.
            Value::None | Value::Array(_) => self.append(&[LONG_TEXT, 0, 0, 0, 0]),
        }
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        let end = start + bytes.len();
        match self.inline.get_mut(start..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len = end as u8;
            }
            None => self.spill(bytes),
        }
    }

    #[cold]
    fn spill(&mut self, bytes: &[u8]) {
        if self.len != SPILLED {
            let inline = &self.inline[..usize::from(self.len)];
            self.heap.extend_from_slice(inline);
            self.len = SPILLED;
        }
        self.heap.extend_from_slice(bytes);
    }
}

/// A value as it is stored, for those who copy it: a text has been one when it was written, and need
/// not be checked again.
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub(crate) enum Stored<'a> {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(&'a [u8]),
    /// What is rare, or no single value.
    Other(Value<'a>),
}

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
impl<'a> From<Stored<'a>> for Value<'a> {
    fn from(stored: Stored<'a>) -> Self {
        match stored {
            Stored::Bool(v) => Self::Bool(v),
            Stored::I64(v) => Self::I64(v),
            Stored::F64(v) => Self::F64(v),
            Stored::Text(text) => Self::Str(String::from_utf8_lossy(text)),
            Stored::Other(value) => value,
        }
    }
}

/// Reads the attributes that [`AttributeBuffer`] wrote, each key's position and its value. Ends
/// early, rather than panicking, on anything else.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'a>(pub(crate) &'a [u8]);

impl<'a> Entries<'a> {
    /// The span's own name, which comes before every attribute.
    #[inline]
    pub(crate) fn own_name(&self) -> Option<&'a str> {
        let (&[NAME, _], text) = self.0.split_first_chunk()? else {
            return None;
        };
        Entries(text).text(LONG_TEXT)
    }

    /// The same as [`next`](Iterator::next), for those who copy the value.
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    #[inline]
    pub(crate) fn next_stored(&mut self) -> Option<(usize, Stored<'a>)> {
        let (&[tag, key], rest) = self.0.split_first_chunk()?;
        let (value, rest) = match tag {
            END => return None,
            I64 | F64 => {
                let (word, rest) = rest.split_first_chunk()?;
                let value = if tag == I64 {
                    Stored::I64(i64::from_le_bytes(*word))
                } else {
                    Stored::F64(f64::from_le_bytes(*word))
                };
                (value, rest)
            }
            SHORT_TEXT => {
                let (len, rest) = rest.split_first()?;
                let (text, rest) = rest.split_at_checked(usize::from(*len))?;
                (Stored::Text(text), rest)
            }
            FALSE | TRUE => (Stored::Bool(tag == TRUE), rest),
            _ => {
                let (key, value) = self.next()?;
                return Some((key, Stored::Other(value)));
            }
        };
        self.0 = rest;
        Some((usize::from(key), value))
    }

    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    #[inline]
    fn word(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    #[inline]
    fn text(&mut self, tag: u8) -> Option<&'a str> {
        let len = if tag == SHORT_TEXT {
            usize::from(self.byte()?)
        } else {
            u32::from_le_bytes(self.take(4)?.try_into().ok()?) as usize
        };
        std::str::from_utf8(self.take(len)?).ok()
    }

    #[inline]
    fn value(&mut self, tag: u8) -> Option<Value<'a>> {
        Some(match tag {
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            I64 => Value::I64(i64::from_le_bytes(self.word()?)),
            F64 => Value::F64(f64::from_le_bytes(self.word()?)),
            SHORT_TEXT | LONG_TEXT => Value::Str(Cow::Borrowed(self.text(tag)?)),
            REDACTED => Value::Str(Cow::Borrowed(REDACTED_TEXT)),
            ARRAY => {
                let count = self.byte()?;
                let mut elements = Vec::with_capacity(usize::from(count));
                for _ in 0..count {
                    let tag = self.byte()?;
                    elements.push(self.value(tag)?);
                }
                Value::Array(elements)
            }
            _ => return None,
        })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (usize, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let tag = self.byte()?;
            if tag == END {
                return None;
            }
            let key = usize::from(self.byte()?);
            if tag != NAME {
                return Some((key, self.value(tag)?));
            }
            self.text(LONG_TEXT)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let long = "x".repeat(300);
        let values = [
            Value::Bool(true),
            Value::I64(-5),
            Value::F64(0.5),
            Value::Str("short".into()),
            Value::Str(long.as_str().into()),
            Value::Array(vec![Value::I64(1), Value::I64(2)]),
            Value::Array(vec![Value::Str("a".into()), Value::Bool(false)]),
        ];
        let mut buffer = AttributeBuffer::new();
        buffer.push_name("the name");
        for (key, value) in values.iter().enumerate() {
            buffer.push(key, value);
        }
        buffer.push(9, &Value::None);
        buffer.push_redacted(10);
        let mut entries = Entries(buffer.as_words());
        assert_eq!(entries.own_name(), Some("the name"));
        for (key, value) in values.iter().enumerate() {
            assert_eq!(entries.next(), Some((key, value.clone())));
        }
        let redacted = Value::Str(REDACTED_TEXT.into());
        assert_eq!(entries.next(), Some((10, redacted)));
        assert!(entries.next().is_none());
        assert_eq!(buffer.count(), 8);
    }

    #[test]
    fn torn_bytes_end_the_reading() {
        let mut buffer = AttributeBuffer::new();
        buffer.push(0, &Value::Str("some text".into()));
        let entry = "tkl".len() + "some text".len();
        for len in 0..entry {
            assert_eq!(Entries(&buffer.as_words()[..len]).count(), 0);
        }
        assert_eq!(Entries(&buffer.as_words()[..entry]).count(), 1);
    }

    #[test]
    fn a_buffer_is_used_again_and_shows_nothing_of_its_past() {
        let mut buffer = AttributeBuffer::new();
        for text in [INLINE - 3, INLINE, 2 * KEPT] {
            buffer.push(0, &Value::Str("x".repeat(text).into()));
            buffer.push(1, &Value::Bool(true));
            assert_eq!(Entries(buffer.as_words()).count(), 2, "{text}");
            buffer.clear();
            assert!(buffer.as_words().is_empty());
            assert!(buffer.heap.capacity() <= KEPT);
            buffer.push(1, &Value::Bool(true));
            assert_eq!(buffer.as_words(), [TRUE, 1, 0, 0, 0, 0, 0, 0]);
            buffer.clear();
        }
    }
}
