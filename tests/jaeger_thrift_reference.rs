//! Our spans against those of `opentelemetry-jaeger`, the exporter that was: the same, but for the
//! differences that are named here.
#![allow(deprecated)]

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt as _;
use opentelemetry::Context;
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, TraceContextExt as _, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{InstrumentationScope, SpanId, TraceFlags, TraceId};
use opentelemetry_0_23 as reference;
use opentelemetry_sdk_0_23::export::trace::{SpanData, SpanExporter as _};
use opentelemetry_sdk_0_23::trace::{Config, SpanEvents, SpanLinks};
use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use tests::jaeger_thrift_agent::Agent;
use tests::jaeger_thrift_idl::{Span, SpanRef, Tag};
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

/// The same conversions to the types of two versions of the API.
macro_rules! conversions {
    ($name:ident, $api:ident) => {
        mod $name {
            use $api::trace::{SpanKind, Status};
            use $api::{Array, KeyValue, StringValue, Value};

            use super::{Outcome, Scalar};

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

            pub(super) fn attributes(attributes: &[(String, Scalar)]) -> Vec<KeyValue> {
                let pairs = attributes.iter();
                pairs
                    .map(|(key, scalar)| KeyValue::new(key.clone(), value(scalar)))
                    .collect()
            }

            pub(super) fn kind(kind: usize) -> SpanKind {
                [
                    SpanKind::Internal,
                    SpanKind::Server,
                    SpanKind::Client,
                    SpanKind::Producer,
                    SpanKind::Consumer,
                ][kind]
                    .clone()
            }

            pub(super) fn status(outcome: &Outcome) -> Status {
                match outcome {
                    Outcome::Unset => Status::Unset,
                    Outcome::Ok => Status::Ok,
                    Outcome::Error(text) => Status::error(text.clone()),
                }
            }
        }
    };
}
conversions!(ours, opentelemetry);
conversions!(theirs, opentelemetry_0_23);

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
            .with_kind(ours::kind(self.kind))
            .with_start_time(self.start)
            .with_attributes(ours::attributes(&self.attributes))
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
            span.add_event_with_timestamp(name.clone(), *time, ours::attributes(attributes));
        }
        span.set_status(ours::status(&self.status));
        span.end_with_timestamp(self.end);
    }

    /// For the reference, under the ids that we gave it.
    fn span_data(&self, ids: &Span) -> SpanData {
        use reference::InstrumentationLibrary;
        use reference::trace::{Event, Link, SpanContext, SpanId, TraceFlags, TraceId, TraceState};
        let context = |trace: u128, span: u64, flags| {
            SpanContext::new(
                TraceId::from_bytes(trace.to_be_bytes()),
                SpanId::from_bytes(span.to_be_bytes()),
                TraceFlags::new(flags),
                true,
                TraceState::NONE,
            )
        };
        let mut events = SpanEvents::default();
        for (name, time, attributes) in &self.events {
            let attributes = theirs::attributes(attributes);
            events
                .events
                .push(Event::new(name.clone(), *time, attributes, 0));
        }
        let mut links = SpanLinks::default();
        for (trace, span) in self.links() {
            links
                .links
                .push(Link::new(context(trace, span, 1), Vec::new(), 0));
        }
        let flags = self.parent.map_or(1, |(_, _, flags)| flags);
        SpanData {
            span_context: context(ids.trace_id, ids.span_id, flags),
            parent_span_id: SpanId::from_bytes(ids.parent_span_id.to_be_bytes()),
            span_kind: theirs::kind(self.kind),
            name: self.name.clone().into(),
            start_time: self.start,
            end_time: self.end,
            attributes: theirs::attributes(&self.attributes),
            dropped_attributes_count: 0,
            events,
            links,
            status: theirs::status(&self.status),
            resource: Default::default(),
            instrumentation_lib: InstrumentationLibrary::builder("scope")
                .with_version("1.2")
                .build(),
        }
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
        // W3C's bit for random ids is not Jaeger's for debugging.
        span.flags &= 1;
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

#[test]
fn spans_are_those_of_the_reference_but_for_the_named_differences() {
    let (agent, other) = (Agent::compact(), Agent::compact());
    let (tracer, guard) = Tracer::builder()
        .with_env(|_| None)
        .with_service_name("greeter")
        .with_agent(agent.address())
        .build()
        .unwrap();
    let exporter = opentelemetry_jaeger::new_agent_pipeline()
        .with_endpoint(other.address())
        .with_service_name("greeter")
        .with_max_packet_size(65_000)
        .with_trace_config(Config::default())
        .build_sync_agent_exporter()
        .unwrap();
    let exporter = RefCell::new(exporter);
    proptest!(ProptestConfig::with_cases(300), |(model in any_model())| {
        model.record(&tracer);
        guard.flush().unwrap();
        let ours = agent.wait_for(1).remove(0).batch;
        let data = vec![model.span_data(&ours.spans[0])];
        let exported = exporter.borrow_mut().export(data);
        exported.now_or_never().expect("no waiting").unwrap();
        let theirs = other.wait_for(1).remove(0).batch;
        prop_assert_eq!(&ours.process.service_name, &theirs.process.service_name);
        // The reference numbers no batches and counts no losses.
        prop_assert_eq!((theirs.seq_no, theirs.stats), (None, None));
        prop_assert!(ours.seq_no.is_some() && ours.stats.is_some());
        let [theirs] = <[Span; 1]>::try_from(theirs.spans).expect("one span");
        prop_assert_eq!(&ours.spans[..], &[model.apply_differences(theirs)]);
    });
}
