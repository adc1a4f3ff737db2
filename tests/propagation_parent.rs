//! What `parent = ..` makes of its value.

use http::HeaderMap;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use trace_runtime::propagation::{Extract, ParentSource, Propagators};

fn span_context(trace: u128, span: u64, is_remote: bool) -> SpanContext {
    let (trace, span) = (TraceId::from(trace), SpanId::from(span));
    SpanContext::new(
        trace,
        span,
        TraceFlags::SAMPLED,
        is_remote,
        TraceState::NONE,
    )
}

fn headers(trace: u128, span: u64) -> Vec<(&'static str, String)> {
    vec![("traceparent", format!("00-{trace:032x}-{span:016x}-01"))]
}

fn with_local_span(cx: &Context, trace: u128, span: u64) -> Context {
    cx.with_remote_span_context(span_context(trace, span, false))
}

/// As the macro asks, by reference or by value.
fn parent_of(source: impl ParentSource, current: &Context) -> Option<Context> {
    source.parent(current)
}

fn span_id(cx: &Context) -> u64 {
    u64::from_be_bytes(cx.span().span_context().span_id().to_bytes())
}

#[test]
fn carrier_becomes_the_parent() {
    let parent = headers(1, 2).parent(&Context::new()).unwrap();
    assert_eq!(span_id(&parent), 2);
    assert!(parent.span().span_context().is_remote());
}

#[test]
fn carrier_replaces_an_unrelated_span() {
    let current = with_local_span(&Context::new(), 7, 8);
    assert_eq!(span_id(&headers(1, 2).parent(&current).unwrap()), 2);
}

#[test]
fn invalid_carrier_keeps_the_current_span() {
    let current = with_local_span(&Context::new(), 7, 8);
    assert!(HeaderMap::new().parent(&current).is_none());
    assert!(vec![("traceparent", "00-bad")].parent(&current).is_none());
}

#[test]
fn span_below_the_same_carrier_stays() {
    let adopted = headers(1, 2).parent(&Context::new()).unwrap();
    let server = with_local_span(&adopted, 1, 3);
    let deeper = with_local_span(&server, 1, 4);
    assert!(headers(1, 2).parent(&server).is_none());
    assert!(headers(1, 2).parent(&deeper).is_none());
}

#[test]
fn span_below_a_context_that_was_extracted_by_hand_stays() {
    let propagators = Propagators::default();
    let adopted = propagators.extract_with(&Context::new(), &headers(1, 2));
    assert!(
        headers(1, 2)
            .parent(&with_local_span(&adopted, 1, 3))
            .is_none()
    );
}

#[test]
fn another_span_of_the_same_trace_becomes_the_parent() {
    let adopted = headers(1, 2).parent(&Context::new()).unwrap();
    let server = with_local_span(&adopted, 1, 3);
    assert_eq!(span_id(&headers(1, 99).parent(&server).unwrap()), 99);
}

#[test]
fn new_root_below_the_server_span_does_not_descend() {
    let adopted = headers(1, 2).parent(&Context::new()).unwrap();
    let root = with_local_span(&adopted, 50, 51);
    assert_eq!(span_id(&headers(1, 2).parent(&root).unwrap()), 2);
}

#[test]
fn without_a_local_span_the_carrier_is_adopted_again() {
    let adopted = headers(1, 2).parent(&Context::new()).unwrap();
    assert_eq!(span_id(&headers(1, 2).parent(&adopted).unwrap()), 2);
}

#[test]
fn local_span_with_the_ids_of_the_trace_but_nothing_adopted_does_not_descend() {
    let current = with_local_span(&Context::new(), 1, 3);
    assert_eq!(span_id(&headers(1, 2).parent(&current).unwrap()), 2);
}

#[test]
fn carrier_with_baggage_only_keeps_the_span_and_adds_the_baggage() {
    let current = with_local_span(&Context::new(), 7, 8);
    let parent = vec![("baggage", "k=v")].parent(&current).unwrap();
    assert_eq!(span_id(&parent), 8);
    assert_eq!(parent.baggage().get("k").unwrap().as_str(), "v");
}

#[test]
fn context_is_taken_as_it_is() {
    let current = with_local_span(&Context::new(), 7, 8);
    let given = with_local_span(&Context::new(), 1, 2);
    assert_eq!(span_id(&given.parent(&current).unwrap()), 2);
    assert_eq!(span_id(&parent_of(&given, &current).unwrap()), 2);
    assert!(!Context::new().parent(&current).unwrap().has_active_span());
}

#[test]
fn span_context_becomes_the_parent_if_valid() {
    let current = with_local_span(&Context::new(), 7, 8).with_baggage([KeyValue::new("k", "v")]);
    let given = span_context(1, 2, true);
    let parent = parent_of(&given, &current).unwrap();
    assert_eq!(span_id(&parent), 2);
    assert_eq!(parent.baggage().len(), 1);
    assert!(SpanContext::NONE.parent(&current).is_none());
    // Headers with the same ids further down find it above them.
    assert!(
        headers(1, 2)
            .parent(&with_local_span(&parent, 1, 3))
            .is_none()
    );
}

#[test]
fn option_decides_at_run_time() {
    let current = Context::new();
    assert!(None::<Context>.parent(&current).is_none());
    assert!(None::<&HeaderMap>.parent(&current).is_none());
    assert!(Some(HeaderMap::new()).parent(&current).is_none());
    let given = headers(1, 2);
    assert_eq!(span_id(&parent_of(Some(&given), &current).unwrap()), 2);
    let given = Some(given);
    assert_eq!(span_id(&parent_of(&given, &current).unwrap()), 2);
}

#[test]
fn own_carriers_work() {
    struct Own(&'static str);
    impl Extract for Own {
        fn get_all(&self, name: &str) -> Vec<&str> {
            if name == "traceparent" {
                vec![self.0]
            } else {
                Vec::new()
            }
        }
    }
    let own = Own("00-00000000000000000000000000000001-0000000000000002-01");
    assert_eq!(span_id(&parent_of(&own, &Context::new()).unwrap()), 2);
}
