//! B3, the format of Zipkin: one header, or several.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::parent::{RootRequest, is_debug, is_deferred};
use super::text::{hex, hex_exact, hex_u64, trim};
use super::{Extract, Found, FoundTrace, Inject};

const B3: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const PARENT_ID: &str = "x-b3-parentspanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";
pub(super) const SINGLE_FIELDS: &[&str] = &[B3];
pub(super) const MULTI_FIELDS: &[&str] = &[TRACE_ID, SPAN_ID, SAMPLED, FLAGS];

/// What B3 can say about sampling.
#[derive(Clone, Copy)]
enum Decision {
    Drop,
    Sample,
    Debug,
    /// Nothing was said: the receiver decides.
    Defer,
}

pub(super) fn inject_single(cx: &Context, carrier: &mut dyn Inject) {
    if let Some((trace, span, decision)) = outgoing(cx) {
        let decision = match decision {
            Decision::Drop => "-0",
            Decision::Sample => "-1",
            Decision::Debug => "-d",
            Decision::Defer => "",
        };
        carrier.set(B3, format!("{trace:032x}-{span:016x}{decision}"));
    }
}

pub(super) fn inject_multi(cx: &Context, carrier: &mut dyn Inject) {
    let Some((trace, span, decision)) = outgoing(cx) else {
        return;
    };
    carrier.set(TRACE_ID, format!("{trace:032x}"));
    carrier.set(SPAN_ID, format!("{span:016x}"));
    // Of a forwarded request; and debug and sampled exclude each other.
    for name in [PARENT_ID, SAMPLED, FLAGS] {
        carrier.remove(name);
    }
    match decision {
        Decision::Drop => carrier.set(SAMPLED, "0".to_owned()),
        Decision::Sample => carrier.set(SAMPLED, "1".to_owned()),
        Decision::Debug => carrier.set(FLAGS, "1".to_owned()),
        Decision::Defer => {}
    }
}

fn outgoing(cx: &Context) -> Option<(TraceId, SpanId, Decision)> {
    let span = cx.span();
    let context = span.span_context();
    let decision = if is_debug(cx, context) {
        Decision::Debug
    } else if is_deferred(cx, context) {
        Decision::Defer
    } else if context.is_sampled() {
        Decision::Sample
    } else {
        Decision::Drop
    };
    context
        .is_valid()
        .then(|| (context.trace_id(), context.span_id(), decision))
}

/// Both encodings are read, whichever is configured; a trace counts for more than a mere decision.
pub(super) fn extract(carrier: &dyn Extract) -> Found {
    let single = extract_single(carrier).unwrap_or_default();
    if single.trace.is_some() {
        return single;
    }
    single.over(extract_multi(carrier).unwrap_or_default())
}

/// `{16 or 32 hex}-{16 hex}[-{0|1|d}[-{parent}]]`, or only `0`, `1` or `d`.
fn extract_single(carrier: &dyn Extract) -> Option<Found> {
    let header = single_value(carrier, B3)??;
    if let Some(decision) = parse_decision(header) {
        return Some(found_decision(decision));
    }
    let mut parts = header.split('-');
    let trace_id = parse_trace_id(parts.next()?)?;
    let span_id = parse_span_id(parts.next()?)?;
    let decision = match parts.next() {
        Some(text) => parse_decision(text)?,
        None => Decision::Defer,
    };
    let parent_is_well_formed = parts
        .next()
        .is_none_or(|text| hex_exact(text, 16).is_some());
    (parent_is_well_formed && parts.next().is_none())
        .then(|| found_trace(trace_id, span_id, decision))
}

fn extract_multi(carrier: &dyn Extract) -> Option<Found> {
    let decision = match (
        single_value(carrier, FLAGS)?,
        single_value(carrier, SAMPLED)?,
    ) {
        (Some("1"), _) => Decision::Debug,
        (_, Some("1" | "true")) => Decision::Sample,
        (_, Some("0" | "false")) => Decision::Drop,
        (_, Some(_)) => return None,
        (_, None) => Decision::Defer,
    };
    match (
        single_value(carrier, TRACE_ID)?,
        single_value(carrier, SPAN_ID)?,
    ) {
        (Some(trace), Some(span)) => Some(found_trace(
            parse_trace_id(trace)?,
            parse_span_id(span)?,
            decision,
        )),
        (None, None) => Some(found_decision(decision)),
        _ => None,
    }
}

/// The one value of a header, `Some(None)` without the header, `None` where there are several.
fn single_value<'a>(carrier: &'a dyn Extract, name: &str) -> Option<Option<&'a str>> {
    match carrier.get_all(name).as_slice() {
        [] => Some(None),
        [value] => Some(Some(trim(value))),
        _ => None,
    }
}

fn parse_trace_id(text: &str) -> Option<TraceId> {
    let id = hex(text, 32).filter(|id| *id != 0 && matches!(text.len(), 16 | 32))?;
    Some(TraceId::from(id))
}

fn parse_span_id(text: &str) -> Option<SpanId> {
    let id = hex_u64(text, 16).filter(|id| *id != 0 && text.len() == 16)?;
    Some(SpanId::from(id))
}

fn parse_decision(text: &str) -> Option<Decision> {
    match text {
        "0" => Some(Decision::Drop),
        "1" => Some(Decision::Sample),
        "d" => Some(Decision::Debug),
        _ => None,
    }
}

fn found_trace(trace_id: TraceId, span_id: SpanId, decision: Decision) -> Found {
    let sampled = matches!(decision, Decision::Sample | Decision::Debug);
    let flags = TraceFlags::NOT_SAMPLED.with_sampled(sampled);
    Found {
        trace: Some(FoundTrace {
            span_context: SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE),
            full_tracestate: None,
            debug: matches!(decision, Decision::Debug),
            deferred: matches!(decision, Decision::Defer),
        }),
        ..Found::default()
    }
}

fn found_decision(decision: Decision) -> Found {
    let root = match decision {
        Decision::Drop => Some(RootRequest::Sampled(false)),
        Decision::Sample => Some(RootRequest::Sampled(true)),
        Decision::Debug => Some(RootRequest::Debug(None)),
        Decision::Defer => None,
    };
    Found {
        root,
        ..Found::default()
    }
}
