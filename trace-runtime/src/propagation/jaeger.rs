//! Jaeger's own headers, as its client libraries write them.

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::parent::{RootRequest, is_debug};
use super::text::{hex, hex_u64, is_token, percent_decode, percent_encode, trim};
use super::{Extract, Found, FoundTrace, Inject};

const TRACE: &str = "uber-trace-id";
const DEBUG_ID: &str = "jaeger-debug-id";
const BAGGAGE: &str = "jaeger-baggage";
pub(super) const BAGGAGE_PREFIX: &str = "uberctx-";
pub(super) const FIELDS: &[&str] = &[TRACE, DEBUG_ID, BAGGAGE];

const SAMPLED: u8 = 0x01;
const DEBUG: u8 = 0x02;

pub(super) fn inject(cx: &Context, carrier: &mut dyn Inject) {
    let span = cx.span();
    let context = span.span_context();
    if context.is_valid() {
        // Never more than one digit: the Go client reads these flags as a decimal number.
        let flags = match (is_debug(cx, context), context.is_sampled()) {
            (true, _) => SAMPLED | DEBUG,
            (false, true) => SAMPLED,
            (false, false) => 0,
        };
        let (trace, span) = (context.trace_id(), context.span_id());
        carrier.set(TRACE, format!("{trace:032x}:{span:016x}:0:{flags}"));
    }
    let mut baggage: Vec<_> = cx.baggage().iter().collect();
    // Of keys that differ in case alone, one header is left: let it be the same one each time.
    baggage.sort_unstable_by(|a, b| a.0.cmp(b.0));
    for (key, (value, _)) in baggage {
        carrier.set(
            &format!("{BAGGAGE_PREFIX}{key}"),
            percent_encode(value.as_str()),
        );
    }
}

pub(super) fn extract(carrier: &dyn Extract) -> Found {
    let baggage = extract_baggage(carrier);
    let trace = single_value(carrier, TRACE).and_then(parse_trace);
    let debug_id = single_value(carrier, DEBUG_ID)
        .map(url_decode)
        .filter(|id| !id.is_empty());
    Found {
        trace,
        baggage: (!baggage.is_empty()).then_some(baggage),
        root: debug_id.map(|id| RootRequest::Debug(Some(id))),
    }
}

fn single_value<'a>(carrier: &'a dyn Extract, name: &str) -> Option<&'a str> {
    match carrier.get_all(name).as_slice() {
        [value] => Some(trim(value)),
        _ => None,
    }
}

fn parse_trace(header: &str) -> Option<FoundTrace> {
    if header.contains(':') {
        return parse_plain_trace(header);
    }
    // Some clients encode the whole value.
    parse_plain_trace(&percent_decode(header)?)
}

/// `{trace}:{span}:{parent}:{flags}`; the parent is deprecated and ignored.
fn parse_plain_trace(header: &str) -> Option<FoundTrace> {
    let mut parts = header.split(':');
    let trace_id = hex(parts.next()?, 32).filter(|id| *id != 0)?;
    let span_id = hex_u64(parts.next()?, 16).filter(|id| *id != 0)?;
    let _parent = parts.next()?;
    let flags = hex(parts.next()?, 2)? as u8;
    if parts.next().is_some() {
        return None;
    }
    let sampled = flags & SAMPLED != 0;
    let span_context = SpanContext::new(
        TraceId::from(trace_id),
        SpanId::from(span_id),
        TraceFlags::NOT_SAMPLED.with_sampled(sampled),
        true,
        TraceState::NONE,
    );
    Some(FoundTrace {
        span_context,
        full_tracestate: None,
        debug: sampled && flags & DEBUG != 0,
        deferred: false,
    })
}

/// `jaeger-baggage: k1=v1, k2=v2`, then every `uberctx-{key}: value`.
fn extract_baggage(carrier: &dyn Extract) -> Baggage {
    let mut baggage = Baggage::new();
    for header in carrier.get_all(BAGGAGE) {
        for pair in header.split(',') {
            if let Some((key, value)) = pair.split_once('=') {
                insert(&mut baggage, trim(key), trim(value).to_owned());
            }
        }
    }
    for name in carrier.names() {
        if let Some(key) = strip_prefix_ignoring_case(name, BAGGAGE_PREFIX) {
            if let Some(value) = carrier.get_all(name).last() {
                insert(&mut baggage, key, url_decode(trim(value)));
            }
        }
    }
    baggage
}

fn insert(baggage: &mut Baggage, key: &str, value: String) {
    if is_token(key) {
        baggage.insert(key.to_owned(), value);
    }
}

fn strip_prefix_ignoring_case<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let start = name.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &name[prefix.len()..])
}

/// Form-decoding, where both `+` and `%20` are a blank; text that is not encoded stays as it is.
fn url_decode(text: &str) -> String {
    percent_decode(&text.replace('+', "%20")).unwrap_or_else(|| text.to_owned())
}
