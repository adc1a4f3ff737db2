//! W3C Baggage: `baggage: k=v;property,k2=v2`.

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};

use super::text::{is_token, percent_decode, percent_encode, trim};
use super::{Extract, Found, Inject};

const BAGGAGE: &str = "baggage";
pub(super) const FIELDS: &[&str] = &[BAGGAGE];

const MAX_MEMBERS: usize = 64;
const MAX_BYTES: usize = 8192;

/// Writes the members that fit the limits, in the order of their keys so that equal baggage gives
/// equal headers.
pub(super) fn inject(cx: &Context, carrier: &mut dyn Inject) {
    let mut members: Vec<_> = cx.baggage().iter().collect();
    members.sort_unstable_by(|a, b| a.0.cmp(b.0));
    let mut header = String::new();
    let mut count = 0;
    for (key, (value, metadata)) in members {
        let mut member = format!("{key}={}", percent_encode(value.as_str()));
        if let Some(properties) = parse_properties(metadata.as_str()) {
            member.push_str(&properties);
        }
        let comma = usize::from(count > 0);
        if count == MAX_MEMBERS || header.len() + comma + member.len() > MAX_BYTES {
            continue;
        }
        if count > 0 {
            header.push(',');
        }
        header.push_str(&member);
        count += 1;
    }
    if count > 0 {
        carrier.set(BAGGAGE, header);
    }
}

/// Reads the members that are well-formed and within the limits; none of them, no baggage.
pub(super) fn extract(carrier: &dyn Extract) -> Found {
    let headers = carrier.get_all(BAGGAGE);
    let mut baggage = Baggage::new();
    let mut bytes = 0;
    let members = headers.iter().flat_map(|header| header.split(','));
    for member in members
        .map(trim)
        .filter(|member| !member.is_empty())
        .take(MAX_MEMBERS)
    {
        bytes += member.len() + 1;
        if bytes > MAX_BYTES + 1 {
            break;
        }
        if let Some((key, value, properties)) = parse_member(member) {
            baggage.insert_with_metadata(key.to_owned(), value, properties);
        }
    }
    Found {
        baggage: (!baggage.is_empty()).then_some(baggage),
        ..Found::default()
    }
}

fn parse_member(member: &str) -> Option<(&str, String, String)> {
    let (pair, properties) = member.split_once(';').unwrap_or((member, ""));
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (trim(key), trim(value));
    if !is_token(key) || !is_value(value) {
        return None;
    }
    let properties = parse_properties(properties)?;
    // OpenTelemetry keeps them without the first separator.
    let properties = properties.strip_prefix(';').unwrap_or("").to_owned();
    Some((key, percent_decode(value)?, properties))
}

/// `;a;b=c` from `a ; b = c`: every property with its separator, values left encoded.
fn parse_properties(text: &str) -> Option<String> {
    let mut properties = String::new();
    for property in text
        .split(';')
        .map(trim)
        .filter(|property| !property.is_empty())
    {
        let (key, value) = match property.split_once('=') {
            Some((key, value)) => (trim(key), Some(trim(value))),
            None => (property, None),
        };
        if !is_token(key) || !value.is_none_or(is_value) {
            return None;
        }
        properties.push(';');
        properties.push_str(key);
        if let Some(value) = value {
            properties.push('=');
            properties.push_str(value);
        }
    }
    Some(properties)
}

/// Printable ASCII without blank, quote, comma, semicolon and backslash.
fn is_value(value: &str) -> bool {
    value
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"\",;\\".contains(&b))
}
