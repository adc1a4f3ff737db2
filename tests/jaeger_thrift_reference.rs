//! Our spans against those of `opentelemetry-jaeger`, the exporter that was: the same, but for the
//! differences that are named here. Both get them from the same records.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::Context;
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{
    Array, InstrumentationScope, KeyValue, SpanId, StringValue, TraceFlags, TraceId, Value,
};
use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tests::jaeger_thrift_agent::Agent;
use tests::jaeger_thrift_idl::{Process, Span, SpanRef, Tag};
use trace_runtime::Tracer;

/// A span, in nobody's types.
#[derive(Clone, Debug)]
struct Model {
    name: String,
    kind: usize,
    /// Trace, span and trace flags of a remote parent.
    parent: Option<(u128, u64, u8)>,
    start: SystemTime,
    end: SystemTime,
    attributes: Attributes,
    events: Vec<(String, SystemTime, Attributes)>,
    links: Vec<(u128, u64)>,
    links_parent: bool,
    status: Outcome,
}

type Attributes = Vec<(String, Scalar)>;

#[derive(Clone, Debug)]
enum Scalar {
    Bool(bool),
    I64(i64),
    F64(f64),
    Str(String),
    Bools(Vec<bool>),
    I64s(Vec<i64>),
    F64s(Vec<f64>),
    Strs(Vec<String>),
}

#[derive(Clone, Debug)]
enum Outcome {
    Unset,
    Ok,
    Error(String),
}

fn value(scalar: &Scalar) -> Value {
    let text = |text: &String| StringValue::from(text.clone());
    match scalar {
        Scalar::Bool(v) => Value::Bool(*v),
        Scalar::I64(v) => Value::I64(*v),
        Scalar::F64(v) => Value::F64(*v),
        Scalar::Str(v) => Value::String(text(v)),
        Scalar::Bools(v) => Value::Array(Array::Bool(v.clone())),
        Scalar::I64s(v) => Value::Array(Array::I64(v.clone())),
        Scalar::F64s(v) => Value::Array(Array::F64(v.clone())),
        Scalar::Strs(v) => Value::Array(Array::String(v.iter().map(text).collect())),
    }
}

fn key_values(attributes: &[(String, Scalar)]) -> Vec<KeyValue> {
    let pairs = attributes.iter();
    pairs
        .map(|(key, scalar)| KeyValue::new(key.clone(), value(scalar)))
        .collect()
}

fn kind(kind: usize) -> SpanKind {
    [
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ][kind]
        .clone()
}

fn status(outcome: &Outcome) -> Status {
    match outcome {
        Outcome::Unset => Status::Unset,
        Outcome::Ok => Status::Ok,
        Outcome::Error(text) => Status::error(text.clone()),
    }
}

impl Model {
    fn links(&self) -> Vec<(u128, u64)> {
        let parent = self.parent.filter(|_| self.links_parent);
        let parent = parent.map(|(trace, span, _)| (trace, span));
        self.links.iter().copied().chain(parent).collect()
    }

    /// Through our pipeline.
    fn record(&self, tracer: &Tracer) {
        let remote = |trace: u128, span: u64, flags| {
            let (trace, span) = (TraceId::from(trace), SpanId::from(span));
            SpanContext::new(trace, span, TraceFlags::new(flags), true, TraceState::NONE)
        };
        let links = self.links().into_iter();
        let links = links.map(|(trace, span)| Link::with_context(remote(trace, span, 1)));
        let builder = SpanBuilder::from_name(self.name.clone())
            .with_kind(kind(self.kind))
            .with_start_time(self.start)
            .with_attributes(key_values(&self.attributes))
            .with_links(links.collect());
        let cx = match self.parent {
            Some((trace, span, flags)) => {
                Context::new().with_remote_span_context(remote(trace, span, flags))
            }
            None => Context::new(),
        };
        let scope = InstrumentationScope::builder("scope").with_version("1.2");
        let otel = tracer.provider().tracer_with_scope(scope.build());
        let mut span = otel.build_with_context(builder, &cx);
        for (name, time, attributes) in &self.events {
            span.add_event_with_timestamp(name.clone(), *time, key_values(attributes));
        }
        span.set_status(status(&self.status));
        span.end_with_timestamp(self.end);
    }

    /// What we do otherwise, and why, applied to what the reference sends.
    fn apply_differences(&self, mut span: Span) -> Span {
        let tags = span.tags.as_mut().expect("the library's tags");
        // The scope comes under its present name, too.
        let library = tags.iter().position(|tag| tag.key == "otel.library.name");
        let scope = [("otel.scope.name", "scope"), ("otel.scope.version", "1.2")];
        let scope = scope.map(|(key, value)| Tag {
            key: key.to_owned(),
            value: value.into(),
        });
        let library = library.expect("the library's name");
        tags.splice(library..library, scope);
        for log in span.logs.iter_mut().flatten() {
            // An event's name comes first: it says what the others are about.
            let event = log.fields.iter().position(|tag| tag.key == "event");
            let event = log.fields.remove(event.expect("the event's name"));
            log.fields.insert(0, event);
        }
        // Jaeger takes any reference to the parent for the reference to it.
        if let (true, Some((trace_id, span_id, _))) = (self.links_parent, self.parent) {
            let parent = SpanRef {
                ref_type: 0,
                trace_id,
                span_id,
            };
            span.references.get_or_insert_default().insert(0, parent);
        }
        span
    }
}

fn any_scalar() -> impl Strategy<Value = Scalar> {
    // Not-a-number equals nothing; and the reference writes no valid JSON for texts with quotes,
    // backslashes and control characters, nor for infinite numbers.
    let float = || any::<f64>().prop_filter("a number", |number| number.is_finite());
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(Scalar::I64),
        float().prop_map(Scalar::F64),
        ".{0,30}".prop_map(Scalar::Str),
        vec(any::<bool>(), 0..4).prop_map(Scalar::Bools),
        vec(any::<i64>(), 0..4).prop_map(Scalar::I64s),
        vec(float(), 0..4).prop_map(Scalar::F64s),
        vec("[a-zé ,]{0,10}", 0..4).prop_map(Scalar::Strs),
    ]
}

/// Keys of our own are left out: there, the user's value wins with the reference, and with us the one
/// that Jaeger's search understands.
fn any_attributes() -> impl Strategy<Value = Attributes> {
    hash_map("[a-d.é]{1,8}", any_scalar(), 0..6).prop_map(|map| map.into_iter().collect())
}

fn any_time() -> impl Strategy<Value = SystemTime> {
    (0..u64::MAX / 4).prop_map(|nanos| UNIX_EPOCH + Duration::from_nanos(nanos))
}

prop_compose! {
    fn any_model()(
        name in ".{1,40}",
        kind in 0_usize..5,
        parent in option::of((1..u128::MAX, 1..u64::MAX, prop_oneof![Just(1_u8), Just(3)])),
        start in any_time(),
        length in 0_u64..1 << 50,
        attributes in any_attributes(),
        events in vec((".{0,20}", any_time(), any_attributes()), 0..4),
        links in vec((1..u128::MAX, 1..u64::MAX), 0..3),
        links_parent in any::<bool>(),
        status in prop_oneof![
            Just(Outcome::Unset),
            Just(Outcome::Ok),
            ".{0,20}".prop_map(Outcome::Error),
        ],
    ) -> Model {
        let end = start + Duration::from_nanos(length);
        Model { name, kind, parent, start, end, attributes, events, links, links_parent, status }
    }
}

/// Its tags in order; the reference has them as a hash table gives them. It repeats the service name
/// among them, we do not.
fn process(mut process: Process, add_name: bool) -> Process {
    let tags = &mut process.tags;
    if add_name {
        tags.push(Tag {
            key: "service.name".to_owned(),
            value: process.service_name.as_str().into(),
        });
    }
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    process
}

/// The same cases in every run; change the seed to look for more.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::with_cases(300)
    }
}

#[test]
fn spans_are_those_of_the_reference_but_for_the_named_differences() {
    let (agent, other) = (Agent::compact(), Agent::compact());
    let (tracer, guard) = Tracer::builder()
        .with_env(|_| None)
        .with_service_name("greeter")
        .with_agent(agent.address())
        .build()
        .unwrap();
    let (archived, other_guard) = Tracer::builder()
        .with_env(|_| None)
        .with_service_name("greeter")
        .with_agent(other.address())
        .with_opentelemetry_jaeger(true)
        .build()
        .unwrap();
    proptest!(config(), |(model in any_model())| {
        model.record(&tracer);
        guard.flush().unwrap();
        let ours = agent.wait_for(1).remove(0).batch;
        model.record(&archived);
        other_guard.flush().unwrap();
        let theirs = other.wait_for(1).remove(0).batch;
        prop_assert_eq!(process(ours.process, true), process(theirs.process, false));
        // The reference numbers no batches and counts no losses.
        prop_assert_eq!((theirs.seq_no, theirs.stats), (None, None));
        prop_assert!(ours.seq_no.is_some() && ours.stats.is_some());
        let [mut theirs] = <[Span; 1]>::try_from(theirs.spans).expect("one span");
        // Each tracer makes its own.
        (theirs.trace_id, theirs.span_id) = (ours.spans[0].trace_id, ours.spans[0].span_id);
        prop_assert_eq!(&ours.spans[..], &[model.apply_differences(theirs)]);
    });
}

#[test]
fn the_reference_loses_the_one_span_that_is_too_large_and_no_other() {
    let agent = Agent::compact();
    let (tracer, guard) = Tracer::builder()
        .with_env(|name| (name == "TRACED_JAEGER").then(|| "opentelemetry-jaeger".to_owned()))
        .with_service_name("greeter")
        .with_agent(agent.address())
        .build()
        .unwrap();
    let otel = tracer.provider().tracer("scope");
    for size in [10, 40_000, 70_000, 30_000, 20] {
        let mut span = otel.start_with_context(format!("{size}"), &Context::new());
        span.set_attribute(KeyValue::new("text", "x".repeat(size)));
    }
    let failed = guard.flush().unwrap_err();
    assert_eq!(
        failed.to_string(),
        "4 spans exported, 1 not: refused, as the diagnostics tell"
    );
    let names: Vec<_> = agent
        .wait_for(4)
        .into_iter()
        .flat_map(|message| message.batch.spans)
        .map(|span| span.operation_name)
        .collect();
    assert_eq!(names, ["10", "40000", "30000", "20"]);
    let stats = &guard.stats().exporters[0];
    assert_eq!((stats.exported, stats.dropped_too_large), (4, 1));
    assert!(
        stats.target.ends_with("(opentelemetry-jaeger)"),
        "{}",
        stats.target
    );
}
