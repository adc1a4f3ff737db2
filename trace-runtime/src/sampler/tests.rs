//! How hints and parents bear on the decision.

use std::sync::Arc;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};

use super::rate_limiting::TokenBucket;
use super::{Sampler, SamplingDecision, SamplingInput};
use crate::propagation::Hints;

const DEBUG: Hints = Hints {
    debug: true,
    trusted: false,
    deferred: false,
    decided: None,
};

/// One debug request for all the time a test may take.
fn with_slow_debug(mut sampler: Sampler) -> Sampler {
    sampler.debug = Arc::new(TokenBucket::new(1e-6));
    sampler
}

fn parent(sampled: bool) -> SpanContext {
    let flags = TraceFlags::NOT_SAMPLED.with_sampled(sampled);
    SpanContext::new(
        TraceId::from(1),
        SpanId::from(1),
        flags,
        true,
        TraceState::NONE,
    )
}

fn input(parent: Option<&SpanContext>, hints: Hints) -> SamplingInput<'_> {
    let mut input = SamplingInput::new("op", SpanKind::Server, TraceId::from(1)).with_hints(hints);
    input.parent = parent;
    input
}

fn samples(sampler: &Sampler, parent: Option<&SpanContext>, hints: Hints) -> bool {
    sampler.sample(&input(parent, hints)).decision == SamplingDecision::RecordAndSample
}

#[test]
fn debug_forces_as_many_traces_as_the_bucket_holds() {
    let sampler = with_slow_debug(Sampler::always_off());
    let first = sampler.sample(&input(None, DEBUG));
    assert_eq!(first.decision, SamplingDecision::RecordAndSample);
    assert!(first.forced);
    // Clones share the bucket.
    assert!(!samples(&sampler.clone(), None, DEBUG));
}

#[test]
fn trusted_callers_debug_without_limit() {
    let sampler = with_slow_debug(Sampler::always_off());
    let trusted = Hints {
        trusted: true,
        ..DEBUG
    };
    assert!((0..100).all(|_| samples(&sampler, None, trusted)));
    // And leave the others their one.
    assert!(samples(&sampler, None, DEBUG));
    assert!(!samples(&sampler, None, DEBUG));
}

#[test]
fn debug_requests_are_limited_to_one_a_second() {
    assert_eq!(Sampler::always_off().debug.rate(), 1.0);
}

#[test]
fn refused_debug_request_is_sampled_as_usual() {
    let sampler = with_slow_debug(Sampler::always_on());
    assert!(sampler.sample(&input(None, DEBUG)).forced);
    let second = sampler.sample(&input(None, DEBUG));
    assert_eq!(second.decision, SamplingDecision::RecordAndSample);
    assert!(!second.forced);
}

#[test]
fn debug_of_a_remote_parent_is_followed_without_limit() {
    let sampler = Sampler::always_off();
    let parent = parent(true);
    assert!((0..100).all(|_| samples(&sampler, Some(&parent), DEBUG)));
    let deciding = with_slow_debug(Sampler::always_off().ignore_remote_parent());
    assert_eq!(
        (0..100)
            .filter(|_| samples(&deciding, Some(&parent), DEBUG))
            .count(),
        1
    );
}

#[test]
fn deferred_decision_is_taken_by_the_sampler() {
    let deferred = Hints {
        deferred: true,
        ..Hints::default()
    };
    let parent = parent(false);
    assert!(samples(&Sampler::always_on(), Some(&parent), deferred));
    assert!(!samples(
        &Sampler::always_on(),
        Some(&parent),
        Hints::default()
    ));
    assert!(!samples(&Sampler::always_off(), Some(&parent), deferred));
}

#[test]
fn decision_without_a_trace_is_followed_only_by_parent_based_samplers() {
    let decided = |yes| Hints {
        decided: Some(yes),
        ..Hints::default()
    };
    assert!(!samples(&Sampler::always_on(), None, decided(false)));
    assert!(samples(&Sampler::always_off(), None, decided(true)));
    assert!(samples(
        &Sampler::always_on().ignore_remote_parent(),
        None,
        decided(false)
    ));
    assert!(!samples(
        &Sampler::always_off().ignore_remote_parent(),
        None,
        decided(true)
    ));
}

#[test]
fn invalid_parent_is_no_parent() {
    assert!(samples(
        &Sampler::always_on(),
        Some(&SpanContext::NONE),
        Hints::default()
    ));
}
