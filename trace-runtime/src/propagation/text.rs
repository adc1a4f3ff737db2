//! Small strict parsers shared by the formats.

/// The digits of a hexadecimal number of at most `max` digits; unlike `from_str_radix`, no sign.
pub(super) fn hex(text: &str, max: usize) -> Option<u128> {
    let digits = text.len() <= max && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

/// As [`hex`], with exactly `len` digits.
pub(super) fn hex_exact(text: &str, len: usize) -> Option<u128> {
    (text.len() == len).then(|| hex(text, len)).flatten()
}

/// A span id of at most `max` ≤ 16 hexadecimal digits.
pub(super) fn hex_u64(text: &str, max: usize) -> Option<u64> {
    hex(text, max.min(16)).and_then(|number| u64::try_from(number).ok())
}

/// Strips HTTP's optional white space: blanks and tabs, nothing else.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Whether this is a non-empty HTTP token: what a header name or a baggage key may be.
pub(super) fn is_token(text: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(token)
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// Decodes `%XX`; `None` where a `%` has no two digits after it. Bytes that are not UTF-8 become
/// U+FFFD, as W3C baggage asks.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push((high * 16 + low) as u8);
        } else {
            decoded.push(byte);
        }
    }
    Some(match String::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}
