//! The grammars of `OTEL_*` and `TRACED_*` values.
//!
//! A parser takes the text of a variable, which is never blank, and fails with what is accepted.

use std::time::Duration;

use super::secret::Url;

/// The error says what is accepted.
pub(super) type Parsed<T> = Result<T, String>;

/// The largest integer that the specification lets a variable have.
const MAX_INT: u32 = i32::MAX as u32;

/// A type whose values are words, such as the exporters. The first word of a value is its name.
pub(super) trait Word: Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self)];

    fn name(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.map_or("", |(word, _)| word)
    }
}

/// One of the words, whatever its case.
pub(super) fn word<T: Word>(text: &str) -> Parsed<T> {
    let text = text.trim();
    T::WORDS
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text))
        .map(|(_, value)| *value)
        .ok_or_else(|| format!("expected {}", either(&words::<T>())))
}

/// Words with commas between them; `none` stands alone and gives an empty list.
pub(super) fn word_list<T: Word>(text: &str) -> Parsed<Vec<T>> {
    let mut list = Vec::new();
    let mut none = false;
    for item in items(text) {
        if item.eq_ignore_ascii_case("none") {
            none = true;
            continue;
        }
        let value = word(item).map_err(|_| unknown_item::<T>(item))?;
        if !list.contains(&value) {
            list.push(value);
        }
    }
    match (none, list.is_empty()) {
        (true, false) => Err("`none` must stand alone".to_owned()),
        (false, true) => Err(format!("expected a list of {}", either(&words::<T>()))),
        _ => Ok(list),
    }
}

fn unknown_item<T: Word>(item: &str) -> String {
    let mut accepted = words::<T>();
    accepted.push("none");
    let item = super::secret::shown("", item);
    format!("unknown `{item}`; expected {}", either(&accepted))
}

fn words<T: Word>() -> Vec<&'static str> {
    T::WORDS.iter().map(|(word, _)| *word).collect()
}

/// `` `a`, `b` or `c` ``
fn either(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The items of a list with commas, trimmed, without the empty ones.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|s| !s.is_empty())
}

/// Only `true` is true.
pub(super) fn boolean(text: &str) -> Parsed<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err("expected `true` or `false`".to_owned())
    }
}

/// A decimal integer of at least `min`.
pub(super) fn integer(min: u32) -> impl Fn(&str) -> Parsed<usize> {
    move |text| {
        in_range(text, min)
            .map(|number| number as usize)
            .ok_or_else(|| format!("expected an integer from {min} to {MAX_INT}"))
    }
}

/// Milliseconds, at least `min`.
pub(super) fn milliseconds(min: u32) -> impl Fn(&str) -> Parsed<Duration> {
    move |text| {
        in_range(text, min)
            .map(|millis| Duration::from_millis(millis.into()))
            .ok_or_else(|| format!("expected milliseconds from {min} to {MAX_INT}"))
    }
}

/// Milliseconds; 0 means no limit.
pub(super) fn timeout(text: &str) -> Parsed<Option<Duration>> {
    match in_range(text, 0) {
        Some(0) => Ok(None),
        Some(millis) => Ok(Some(Duration::from_millis(millis.into()))),
        None => Err(format!(
            "expected milliseconds up to {MAX_INT}, 0 for no limit"
        )),
    }
}

fn in_range(text: &str, min: u32) -> Option<u32> {
    let text = text.trim();
    // `parse` alone would let a sign through.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u32 = text.parse().ok()?;
    (min..=MAX_INT).contains(&number).then_some(number)
}

/// The longest time that a variable can ask for; longer ones in code are cut to it.
pub(super) fn bounded(duration: Duration) -> Duration {
    duration.clamp(
        Duration::from_millis(1),
        Duration::from_millis(MAX_INT.into()),
    )
}

/// A probability.
pub(super) fn ratio(text: &str) -> Parsed<f64> {
    match text.trim().parse::<f64>() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

/// `k=v,k=v` as in W3C baggage, percent-decoded. The last of equal keys wins.
pub(super) fn map(text: &str) -> Parsed<Vec<(String, String)>> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for item in items(text) {
        let expected = || "expected `key=value,key=value`, percent-encoded".to_owned();
        let (key, value) = item.split_once('=').ok_or_else(expected)?;
        let key = percent_decode(key.trim())?;
        let value = percent_decode(value.trim())?;
        if key.is_empty() {
            return Err(expected());
        }
        insert(&mut entries, key, value);
    }
    Ok(entries)
}

/// Sets `key` in a list of pairs.
pub(super) fn insert<T>(entries: &mut Vec<(String, T)>, key: String, value: T) {
    match entries.iter_mut().find(|(present, _)| *present == key) {
        Some((_, old)) => *old = value,
        None => entries.push((key, value)),
    }
}

fn percent_decode(text: &str) -> Parsed<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let code = tail.get(..2).and_then(hex_byte);
            decoded.push(code.ok_or("expected two hexadecimal digits after each `%`")?);
            rest = &tail[2..];
        } else {
            decoded.push(byte);
            rest = tail;
        }
    }
    String::from_utf8(decoded).map_err(|_| "expected percent-encoded UTF-8".to_owned())
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(digits[0])? * 16 + digit(digits[1])?;
    u8::try_from(value).ok()
}

/// An absolute `http` or `https` URL.
pub(super) fn url(text: &str) -> Parsed<Url> {
    let text = text.trim();
    let expected = "expected an absolute URL such as `http://localhost:4318`";
    if !text.contains("://") {
        return Err(format!("{expected}; write `http://` in front of the host"));
    }
    let uri: http::Uri = text.parse().map_err(|_| expected.to_owned())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("expected a URL that starts with `http://` or `https://`".to_owned());
    }
    match uri.authority() {
        Some(authority) if has_host(authority) => Ok(Url(without_fragment(text).to_owned())),
        _ => Err(expected.to_owned()),
    }
}

/// Whether there is a host, and no port or one that can be: `http::Uri` lets others through.
fn has_host(authority: &http::uri::Authority) -> bool {
    let full = authority.as_str();
    let host_and_port = full.rsplit_once('@').map_or(full, |(_, rest)| rest);
    let host = authority.host();
    match host_and_port.strip_prefix(host) {
        Some("") => !host.is_empty(),
        Some(_) => !host.is_empty() && authority.port_u16().is_some_and(|port| port != 0),
        None => false,
    }
}

fn without_fragment(text: &str) -> &str {
    text.split_once('#').map_or(text, |(url, _)| url)
}

/// A host name or an address; IPv6 with or without brackets, given back without.
pub(super) fn host(text: &str) -> Parsed<String> {
    let text = text.trim();
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let host = inner.unwrap_or(text);
    let is_v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
    let is_name = inner.is_none() && !host.is_empty() && host.bytes().all(in_host_name);
    if is_v6 || is_name {
        Ok(host.to_owned())
    } else {
        Err("expected a host name or an IP address, without a port".to_owned())
    }
}

fn in_host_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// A port.
pub(super) fn port(text: &str) -> Parsed<u16> {
    match in_range(text, 1).map(u16::try_from) {
        Some(Ok(port)) => Ok(port),
        _ if text.contains("://") => {
            Err("expected a port from 1 to 65535, not the link of a Kubernetes service".to_owned())
        }
        _ => Err("expected a port from 1 to 65535".to_owned()),
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(super) fn host_and_port(text: &str) -> Parsed<(String, Option<u16>)> {
    let text = text.trim();
    if let Ok(host) = host(text) {
        return Ok((host, None));
    }
    text.rsplit_once(':')
        .and_then(|(name, number)| Some((host(name).ok()?, Some(port(number).ok()?))))
        .ok_or_else(|| "expected `host:port`".to_owned())
}
