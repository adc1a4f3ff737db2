//! What carriers tell the tracer; the formats themselves are tested through the public API.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::{Extract, Hints, Propagators, debug_id, mark_debug};

const IDS: &str = "463ac35c9f6413ad48485a3953bb6124-0020000000000001";

fn extracted(list: &str, carrier: &dyn Extract) -> Context {
    let propagators: Propagators = list.parse().unwrap();
    propagators.extract_with(&Context::new(), carrier)
}

fn local_child(cx: &Context, span_id: u64) -> Context {
    let parent = cx.span().span_context().clone();
    cx.with_remote_span_context(SpanContext::new(
        parent.trace_id(),
        SpanId::from(span_id),
        parent.trace_flags(),
        false,
        parent.trace_state().clone(),
    ))
}

#[test]
fn debug_id_asks_for_a_debug_root() {
    let cx = extracted(
        "tracecontext,jaeger",
        &vec![("Jaeger-Debug-Id", "ticket%2042")],
    );
    assert!(!cx.has_active_span());
    assert_eq!(
        Hints::of(&cx),
        Hints {
            debug: true,
            ..Hints::default()
        }
    );
    assert_eq!(debug_id(&cx), Some("ticket 42"));
}

#[test]
fn debug_id_beside_a_trace_is_ignored() {
    let traceparent = format!("00-{IDS}-01");
    let headers = vec![
        ("jaeger-debug-id", "x"),
        ("traceparent", traceparent.as_str()),
    ];
    for list in ["tracecontext,jaeger", "jaeger,tracecontext"] {
        let cx = extracted(list, &headers);
        assert!(cx.has_active_span());
        assert_eq!(debug_id(&cx), None);
        assert_eq!(Hints::of(&cx), Hints::default());
    }
}

#[test]
fn b3_decisions_without_a_trace_are_hints_for_the_root() {
    let cases = [
        (
            "0",
            Hints {
                decided: Some(false),
                ..Hints::default()
            },
        ),
        (
            "1",
            Hints {
                decided: Some(true),
                ..Hints::default()
            },
        ),
        (
            "d",
            Hints {
                debug: true,
                ..Hints::default()
            },
        ),
    ];
    for (header, hints) in cases {
        assert_eq!(
            Hints::of(&extracted("b3", &vec![("b3", header)])),
            hints,
            "{header}"
        );
    }
    let multi = extracted("b3", &vec![("X-B3-Sampled", "0")]);
    assert_eq!(Hints::of(&multi).decided, Some(false));
    let multi = extracted("b3multi", &vec![("X-B3-Flags", "1")]);
    assert!(Hints::of(&multi).debug);
}

#[test]
fn b3_without_a_decision_defers_to_us() {
    let cx = extracted("b3", &vec![("b3", IDS)]);
    assert_eq!(
        Hints::of(&cx),
        Hints {
            deferred: true,
            ..Hints::default()
        }
    );
    assert!(!cx.span().span_context().is_sampled());
    assert_eq!(Hints::of(&local_child(&cx, 7)), Hints::default());
}

#[test]
fn deferred_decision_is_handed_on_by_who_starts_no_span() {
    let cx = extracted("b3", &vec![("b3", IDS)]);
    let both: Propagators = "b3,b3multi".parse().unwrap();
    let written = |cx: &Context| {
        let mut out = Vec::<(String, String)>::new();
        both.inject_context(cx, &mut out);
        out
    };
    let handed_on = written(&cx);
    assert_eq!(handed_on.get_all("b3"), [IDS]);
    assert_eq!(handed_on.names(), ["b3", "x-b3-traceid", "x-b3-spanid"]);
    assert_eq!(written(&local_child(&cx, 7)).get_all("x-b3-sampled"), ["0"]);
}

#[test]
fn debug_of_a_remote_parent_is_a_hint_and_reaches_the_callees() {
    for (list, name, value) in [
        (
            "jaeger",
            "uber-trace-id",
            "463ac35c9f6413ad48485a3953bb6124:0020000000000001:0:3",
        ),
        (
            "b3",
            "b3",
            "463ac35c9f6413ad48485a3953bb6124-0020000000000001-d",
        ),
    ] {
        let cx = extracted(list, &vec![(name, value)]);
        assert!(Hints::of(&cx).debug);
        assert!(cx.span().span_context().is_sampled());

        let mut out = Vec::<(String, String)>::new();
        let all: Propagators = "jaeger,b3,b3multi".parse().unwrap();
        all.inject_context(&local_child(&cx, 7), &mut out);
        let get = |name: &str| out.get_all(name).first().map(|value| (*value).to_owned());
        assert_eq!(
            get("uber-trace-id").unwrap().split(':').next_back(),
            Some("3")
        );
        assert!(get("b3").unwrap().ends_with("-0000000000000007-d"));
        assert_eq!(get("x-b3-flags").as_deref(), Some("1"));
        assert_eq!(get("x-b3-sampled"), None);
    }
}

#[test]
fn debug_does_not_leak_into_another_trace() {
    let cx = extracted("b3", &vec![("b3", format!("{IDS}-d"))]);
    let other = cx.with_remote_span_context(SpanContext::new(
        TraceId::from(9),
        SpanId::from(9),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    ));
    assert!(!Hints::of(&other).debug);
    let mut out = Vec::<(String, String)>::new();
    "jaeger"
        .parse::<Propagators>()
        .unwrap()
        .inject_context(&other, &mut out);
    assert!(out[0].1.ends_with(":1"));
}

#[test]
fn a_marked_trace_is_injected_as_debug() {
    let context = SpanContext::new(
        TraceId::from(5),
        SpanId::from(6),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let cx = mark_debug(&Context::new(), TraceId::from(5)).with_remote_span_context(context);
    let mut out = Vec::<(String, String)>::new();
    "jaeger"
        .parse::<Propagators>()
        .unwrap()
        .inject_context(&cx, &mut out);
    assert_eq!(
        out[0].1,
        "00000000000000000000000000000005:0000000000000006:0:3"
    );
}
