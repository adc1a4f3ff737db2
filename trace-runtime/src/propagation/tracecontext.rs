//! W3C Trace Context: `traceparent` and `tracestate`.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::parent::RemoteParent;
use super::text::{hex_exact, trim};
use super::{Extract, Found, FoundTrace, Inject};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
pub(super) const FIELDS: &[&str] = &[TRACEPARENT, TRACESTATE];

/// `sampled` and `random`; all other bits must not be passed on.
const KNOWN_FLAGS: u8 = 0x03;
const MAX_MEMBERS: usize = 32;

pub(super) fn inject(cx: &Context, carrier: &mut dyn Inject) {
    let span = cx.span();
    let context = span.span_context();
    if !context.is_valid() {
        return;
    }
    let flags = context.trace_flags().to_u8() & KNOWN_FLAGS;
    let (trace, span) = (context.trace_id(), context.span_id());
    carrier.set(
        TRACEPARENT,
        format!("00-{trace:032x}-{span:016x}-{flags:02x}"),
    );
    match tracestate_header(cx, context) {
        Some(header) => carrier.set(TRACESTATE, header),
        // Left over from an incoming request whose headers were forwarded, it would be wrong.
        None => carrier.remove(TRACESTATE),
    }
}

pub(super) fn extract(carrier: &dyn Extract) -> Found {
    let trace = match carrier.get_all(TRACEPARENT).as_slice() {
        [header] => parse_traceparent(trim(header)),
        _ => None,
    };
    Found {
        trace: trace.map(|(trace_id, span_id, flags)| {
            let headers = carrier.get_all(TRACESTATE);
            let (state, full_tracestate) = parse_tracestate(&headers).unwrap_or_default();
            FoundTrace {
                span_context: SpanContext::new(trace_id, span_id, flags, true, state),
                full_tracestate,
                debug: false,
                deferred: false,
            }
        }),
        ..Found::default()
    }
}

fn parse_traceparent(header: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    // Length of version 00; the separators make every other boundary certain.
    const LENGTH: usize = 55;
    let is_lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-');
    let known = header.get(..LENGTH)?;
    if !known.bytes().all(is_lower) {
        return None;
    }
    let mut parts = known.split('-');
    let version = hex_exact(parts.next()?, 2)?;
    let trace_id = hex_exact(parts.next()?, 32)?;
    let span_id = hex_exact(parts.next()?, 16)?;
    let flags = hex_exact(parts.next()?, 2)?;

    let rest = &header[LENGTH..];
    let complete = match version {
        0xff => false,
        0 => rest.is_empty(),
        // A future version may append fields.
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    let span_id = u64::try_from(span_id).ok()?;
    (complete && trace_id != 0 && span_id != 0).then(|| {
        let flags = TraceFlags::new(flags as u8 & KNOWN_FLAGS);
        (TraceId::from(trace_id), SpanId::from(span_id), flags)
    })
}

/// The members, and the whole header where OpenTelemetry's type refuses some of them; `None` when
/// anything is malformed, for then all of it is dropped.
fn parse_tracestate(headers: &[&str]) -> Option<(TraceState, Option<String>)> {
    let mut members = Vec::new();
    for member in headers
        .iter()
        .flat_map(|header| header.split(','))
        .map(trim)
    {
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        if members.len() == MAX_MEMBERS || !is_key(key) || !is_value(value) {
            return None;
        }
        members.push((key, value));
    }
    if let Ok(state) = TraceState::from_key_value(members.iter().copied()) {
        return Some((state, None));
    }
    // OpenTelemetry still checks `tenant@system` keys by the first edition of the specification,
    // and one character too strictly. The trace state then lacks these members, but we pass them on.
    let full = join(members.iter().copied());
    let accepted = |member: &(&str, &str)| TraceState::from_key_value([*member]).is_ok();
    let state = TraceState::from_key_value(members.into_iter().filter(accepted)).ok()?;
    Some((state, full))
}

fn tracestate_header(cx: &Context, context: &SpanContext) -> Option<String> {
    let full = cx
        .get::<RemoteParent>()
        .and_then(|remote| remote.full_tracestate(context));
    match full {
        Some(full) => Some(full.to_owned()),
        // OpenTelemetry lets anything into a value; a line break must not get into a header.
        None => join(
            context
                .trace_state()
                .into_iter()
                .filter(|(k, v)| is_key(k) && is_value(v)),
        ),
    }
}

fn join<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut header = String::new();
    for (key, value) in members {
        if !header.is_empty() {
            header.push(',');
        }
        header.push_str(key);
        header.push('=');
        header.push_str(value);
    }
    (!header.is_empty()).then_some(header)
}

fn is_key(key: &str) -> bool {
    let first = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let rest = |b: u8| first(b) || b"_-*/@".contains(&b);
    key.len() <= 256 && key.bytes().next().is_some_and(first) && key.bytes().all(rest)
}

fn is_value(value: &str) -> bool {
    let allowed = |b: u8| matches!(b, b' '..=b'~') && b != b',' && b != b'=';
    let last = value.bytes().next_back();
    value.len() <= 256 && last.is_some_and(|b| b != b' ') && value.bytes().all(allowed)
}
