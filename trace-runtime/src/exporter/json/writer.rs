//! JSON, written into bytes as it comes.

use std::fmt::Display;
use std::io::Write;

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

/// Writes an object.
pub(crate) fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    write(&mut Object {
        out,
        is_empty: true,
    });
    out.push(b'}');
}

impl Object<'_> {
    /// Begins a member with any key.
    fn any_key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        string(self.out, key);
        self.out.push(b':');
        self.out
    }

    /// Begins a member; keys are plain words of our own.
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A text; the empty one is the default and is left out.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            string(self.key(key), text);
        }
    }

    /// A text that may be empty.
    pub(crate) fn any_text(&mut self, key: &str, text: &str) {
        string(self.key(key), text);
    }

    /// A count; zero is the default and is left out.
    pub(crate) fn count(&mut self, key: &str, count: u32) {
        if count != 0 {
            self.plain(key, count);
        }
    }

    /// A number or a boolean.
    pub(crate) fn plain(&mut self, key: &str, value: impl Display) {
        print(self.key(key), value);
    }

    /// A number of 64 bits: in quotes, because JavaScript's numbers hold 53.
    pub(crate) fn quoted(&mut self, key: &str, value: impl Display) {
        let out = self.key(key);
        out.push(b'"');
        print(out, value);
        out.push(b'"');
    }

    /// A floating-point number; what JSON has no number for is a text.
    pub(crate) fn float(&mut self, key: &str, value: f64) {
        if value.is_nan() {
            self.text(key, "NaN");
        } else if value.is_infinite() {
            self.text(key, if value > 0.0 { "Infinity" } else { "-Infinity" });
        } else {
            let _ = write!(self.key(key), "{value:?}");
        }
    }

    /// Bytes in hexadecimal digits.
    pub(crate) fn hex(&mut self, key: &str, bytes: &[u8]) {
        let out = self.key(key);
        out.push(b'"');
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] {
                out.push(b"0123456789abcdef"[usize::from(digit)]);
            }
        }
        out.push(b'"');
    }

    /// Texts with keys that may be any.
    pub(crate) fn texts_by_key(
        &mut self,
        key: &str,
        texts: impl Iterator<Item = (String, String)>,
    ) {
        self.object(key, |object| {
            for (key, text) in texts {
                string(object.any_key(&key), &text);
            }
        });
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, key: &str, texts: impl Iterator<Item = String>) {
        let out = self.key(key);
        out.push(b'[');
        for (index, text) in texts.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            string(out, &text);
        }
        out.push(b']');
    }

    pub(crate) fn object(&mut self, key: &str, write: impl FnOnce(&mut Object<'_>)) {
        object(self.key(key), write);
    }

    /// A list of objects; the empty one is the default and is left out.
    pub(crate) fn list<T>(
        &mut self,
        key: &str,
        items: impl Iterator<Item = T>,
        write: impl Fn(&mut Object<'_>, T),
    ) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        self.any_list(key, items, write);
    }

    /// A list of objects that may be empty.
    pub(crate) fn any_list<T>(
        &mut self,
        key: &str,
        items: impl Iterator<Item = T>,
        write: impl Fn(&mut Object<'_>, T),
    ) {
        let out = self.key(key);
        out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            object(out, |object| write(object, item));
        }
        out.push(b']');
    }
}

fn print(out: &mut Vec<u8>, value: impl Display) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// Writes a text in quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            0..0x20 => {
                let _ = write!(out, "\\u{byte:04x}");
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
