//! What a span becomes in Jaeger's words: decoded by Apache's Thrift library.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{
    Array, Context, InstrumentationScope, KeyValue, SpanId, StringValue, TraceFlags, TraceId, Value,
};
use tests::jaeger_thrift_agent::Agent;
use tests::jaeger_thrift_idl::{Log, Process, Span, SpanRef, Tag, TagValue};
use trace_runtime::propagation::{Format, Propagators};
use trace_runtime::{OtelTracer, Tracer, TracerBuilder, TracerGuard, traced};

fn builder(agent: &Agent) -> TracerBuilder {
    Tracer::builder()
        .with_env(|_| None)
        .with_service_name("greeter")
        .with_agent(agent.address())
}

struct Setup {
    agent: Agent,
    tracer: Tracer,
    guard: TracerGuard,
}

impl Setup {
    fn new() -> Self {
        let agent = Agent::compact();
        let (tracer, guard) = builder(&agent).build().expect("good settings");
        Self {
            agent,
            tracer,
            guard,
        }
    }

    fn otel(&self) -> OtelTracer {
        self.tracer.provider().tracer("manual")
    }

    fn spans(&self, count: usize) -> Vec<Span> {
        self.guard.flush().expect("an agent that listens");
        let spans = self.agent.spans(count);
        assert_eq!(spans.len(), count);
        spans
    }

    /// The span that this makes, and no other.
    fn span(&self, make: impl FnOnce(&OtelTracer)) -> Span {
        make(&self.otel());
        self.spans(1).remove(0)
    }
}

/// The span that comes of this builder.
fn built(builder: SpanBuilder) -> Span {
    Setup::new().span(|tracer| drop(tracer.build(builder)))
}

fn tag(key: &str, value: impl Into<TagValue>) -> Tag {
    Tag {
        key: key.to_owned(),
        value: value.into(),
    }
}

fn at(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(micros * 1000 + 999)
}

fn text(value: &str) -> Option<TagValue> {
    Some(value.into())
}

#[traced(kind = server)]
fn greet(name: &str, times: u32) -> Result<u32, String> {
    if times == 0 {
        return Err(format!("no greeting for {name}"));
    }
    Ok(times)
}

#[test]
fn a_traced_function_arrives_with_its_arguments_and_its_place() {
    let setup = Setup::new();
    assert_eq!(setup.tracer.in_scope(|| greet("ann", 2)), Ok(2));
    let span = setup.spans(1).remove(0);
    assert_eq!(span.operation_name, "greet");
    assert_eq!((span.parent_span_id, span.flags), (0, 1));
    assert!(span.trace_id != 0 && span.span_id != 0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let age = now.as_micros() as i64 - span.start_time;
    assert!((0..60_000_000).contains(&age), "{age} µs");
    assert!(
        (0..60_000_000).contains(&span.duration),
        "{}",
        span.duration
    );
    assert_eq!((span.references.clone(), span.logs.clone()), (None, None));
    let line = span.tag("code.line.number").cloned();
    assert!(matches!(line, Some(TagValue::Long(80..=90))), "{line:?}");
    let expected = [
        tag("code.function.name", "jaeger_thrift_mapping::greet"),
        tag("code.file.path", file!()),
        Tag {
            key: "code.line.number".to_owned(),
            value: line.unwrap(),
        },
        tag("name", "ann"),
        tag("times", 2),
        tag("otel.scope.name", "tests"),
        tag("otel.scope.version", env!("CARGO_PKG_VERSION")),
        tag("otel.library.name", "tests"),
        tag("otel.library.version", env!("CARGO_PKG_VERSION")),
        tag("span.kind", "server"),
    ];
    assert_eq!(span.tags.as_deref(), Some(&expected[..]));
}

#[test]
fn a_failed_function_is_an_error_with_a_log() {
    let setup = Setup::new();
    assert!(setup.tracer.in_scope(|| greet("ann", 0)).is_err());
    let span = setup.spans(1).remove(0);
    assert_eq!(span.tag("error"), Some(&TagValue::Bool(true)));
    assert_eq!(span.tag("otel.status_code").cloned(), text("ERROR"));
    let description = "no greeting for ann";
    assert_eq!(
        span.tag("otel.status_description").cloned(),
        text(description)
    );
    let logs = span.logs.unwrap();
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0].fields[0], tag("event", "exception"));
    assert!(
        logs[0]
            .fields
            .contains(&tag("exception.message", description)),
        "{logs:?}"
    );
    let since_start = logs[0].timestamp - span.start_time;
    assert!((0..=span.duration).contains(&since_start), "{since_start}");
}

#[test]
fn children_name_their_parent() {
    let setup = Setup::new();
    setup.otel().in_span("parent", |_| {
        setup.tracer.in_scope(|| greet("ann", 1)).unwrap();
    });
    let mut spans = setup.spans(2);
    spans.sort_by(|a, b| a.operation_name.cmp(&b.operation_name));
    let [child, parent] = spans.try_into().unwrap();
    assert_eq!(child.parent_span_id, parent.span_id);
    assert_eq!(child.trace_id, parent.trace_id);
    assert_eq!((child.references, parent.parent_span_id), (None, 0));
}

#[test]
fn the_resource_becomes_the_process() {
    let agent = Agent::compact();
    let (tracer, guard) = builder(&agent)
        .with_resource_attribute("deployment.environment.name", "test")
        .with_resource_attribute("shard", 7)
        .build()
        .unwrap();
    tracer.in_scope(|| greet("ann", 1)).unwrap();
    guard.flush().unwrap();
    let process: Process = agent.wait_for(1).remove(0).batch.process;
    assert_eq!(process.service_name, "greeter");
    assert_eq!(process.tag("service.name"), None);
    assert_eq!(
        process.tag("deployment.environment.name").cloned(),
        text("test")
    );
    assert_eq!(process.tag("shard"), Some(&TagValue::Long(7)));
    assert_eq!(
        process.tag("telemetry.sdk.name").cloned(),
        text("trace-runtime")
    );
    let pid = TagValue::Long(std::process::id().into());
    assert_eq!(process.tag("process.pid"), Some(&pid));
}

#[test]
fn each_kind_but_internal_has_a_tag() {
    for (kind, expected) in [
        (SpanKind::Internal, None),
        (SpanKind::Server, text("server")),
        (SpanKind::Client, text("client")),
        (SpanKind::Producer, text("producer")),
        (SpanKind::Consumer, text("consumer")),
    ] {
        let span = built(SpanBuilder::from_name("a").with_kind(kind));
        assert_eq!(span.tag("span.kind").cloned(), expected);
    }
}

#[test]
fn each_status_has_its_tags() {
    for (status, error, code, description) in [
        (Status::Unset, None, None, None),
        (Status::Ok, None, text("OK"), None),
        (Status::error(""), Some(true.into()), text("ERROR"), None),
        (
            Status::error("no"),
            Some(true.into()),
            text("ERROR"),
            text("no"),
        ),
    ] {
        let span = Setup::new().span(|tracer| tracer.start("a").set_status(status.clone()));
        assert_eq!(span.tag("error").cloned(), error, "{status:?}");
        assert_eq!(span.tag("otel.status_code").cloned(), code, "{status:?}");
        let told = span.tag("otel.status_description").cloned();
        assert_eq!(told, description, "{status:?}");
    }
}

#[test]
fn each_type_of_value_has_its_tag() {
    let list = |items: &[&str]| -> Value {
        let items = items
            .iter()
            .map(|item| StringValue::from((*item).to_owned()));
        Value::Array(Array::String(items.collect()))
    };
    for (value, expected) in [
        (Value::Bool(true), TagValue::Bool(true)),
        (Value::Bool(false), TagValue::Bool(false)),
        (Value::I64(i64::MIN), TagValue::Long(i64::MIN)),
        (Value::F64(-0.5), TagValue::Double(-0.5)),
        (Value::F64(f64::INFINITY), TagValue::Double(f64::INFINITY)),
        ("é".into(), "é".into()),
        ("".into(), "".into()),
        (
            Value::Array(Array::Bool(vec![true, false])),
            "[true,false]".into(),
        ),
        (Value::Array(Array::I64(vec![1, -2])), "[1,-2]".into()),
        (Value::Array(Array::F64(vec![0.5, 2.0])), "[0.5,2]".into()),
        (Value::Array(Array::I64(vec![])), "[]".into()),
        (list(&["a\"b", "\n"]), r#"["a\"b","\n"]"#.into()),
    ] {
        let attributes = [KeyValue::new("k", value.clone())];
        let span = built(SpanBuilder::from_name("a").with_attributes(attributes));
        assert_eq!(span.tag("k"), Some(&expected), "{value:?}");
    }
}

#[test]
fn ids_and_times_keep_all_their_bits() {
    let parent = SpanContext::new(
        TraceId::from(u128::MAX - 0xff),
        SpanId::from(u64::MAX - 1),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let span = Setup::new().span(|tracer| {
        let cx = Context::new().with_remote_span_context(parent);
        let builder = SpanBuilder::from_name("a").with_start_time(at(1_700_000_000_000_001));
        let mut span = tracer.build_with_context(builder, &cx);
        span.end_with_timestamp(at(1_700_000_000_000_043));
    });
    assert_eq!(span.trace_id, u128::MAX - 0xff);
    assert_eq!(span.parent_span_id, u64::MAX - 1);
    assert_eq!(span.start_time, 1_700_000_000_000_001);
    assert_eq!(span.duration, 42);
}

#[test]
fn times_are_never_negative() {
    let span = Setup::new().span(|tracer| {
        let before = UNIX_EPOCH - Duration::from_secs(5);
        let mut span = tracer.build(SpanBuilder::from_name("a").with_start_time(before));
        span.add_event_with_timestamp("early", before, Vec::new());
        span.end_with_timestamp(before - Duration::from_secs(1));
    });
    assert_eq!((span.start_time, span.duration), (0, 0));
    assert_eq!(span.logs.unwrap()[0].timestamp, 0);

    let span = Setup::new().span(|tracer| {
        let mut span = tracer.build(SpanBuilder::from_name("a").with_start_time(at(2_000)));
        span.end_with_timestamp(at(1_000));
    });
    assert_eq!((span.start_time, span.duration), (2_000, 0));
}

#[test]
fn events_become_logs() {
    let span = Setup::new().span(|tracer| {
        let mut span = tracer.start("a");
        let attributes = vec![KeyValue::new("key", 5), KeyValue::new("hit", false)];
        span.add_event_with_timestamp("cache miss", at(77), attributes);
        span.add_event_with_timestamp("", at(78), Vec::new());
        // As in every exporter for Jaeger, an attribute of that name wins.
        let attributes = vec![KeyValue::new("event", "mine")];
        span.add_event_with_timestamp("other", at(79), attributes);
    });
    let log = |timestamp, fields: &[Tag]| Log {
        timestamp,
        fields: fields.to_vec(),
    };
    let expected = [
        log(
            77,
            &[tag("event", "cache miss"), tag("key", 5), tag("hit", false)],
        ),
        log(78, &[tag("event", "")]),
        log(79, &[tag("event", "mine")]),
    ];
    assert_eq!(span.logs.as_deref(), Some(&expected[..]));
}

fn context(trace: u128, span: u64) -> SpanContext {
    let (trace, span) = (TraceId::from(trace), SpanId::from(span));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE)
}

#[test]
fn links_become_references() {
    let links = vec![
        Link::with_context(context(u128::from(u64::MAX) + 2, 3)),
        Link::with_context(context(9, u64::MAX)),
    ];
    let span = built(SpanBuilder::from_name("a").with_links(links));
    let reference = |trace_id, span_id| SpanRef {
        ref_type: 1,
        trace_id,
        span_id,
    };
    let expected = [
        reference(u128::from(u64::MAX) + 2, 3),
        reference(9, u64::MAX),
    ];
    assert_eq!(span.references.as_deref(), Some(&expected[..]));
}

#[test]
fn a_link_to_the_parent_leaves_it_the_parent() {
    let parent = context(5, 6);
    let span = Setup::new().span(|tracer| {
        let links = vec![Link::with_context(parent.clone())];
        let cx = Context::new().with_remote_span_context(parent);
        let builder = SpanBuilder::from_name("a").with_links(links);
        drop(tracer.build_with_context(builder, &cx));
    });
    // Jaeger adds the parent only where nothing refers to it yet.
    let references = [0, 1].map(|ref_type| SpanRef {
        ref_type,
        trace_id: 5,
        span_id: 6,
    });
    assert_eq!(span.references.as_deref(), Some(&references[..]));
    assert_eq!(span.parent_span_id, 6);
}

#[test]
fn the_scope_comes_under_its_new_and_its_old_name() {
    let setup = Setup::new();
    let scope = InstrumentationScope::builder("driver")
        .with_version("1.2")
        .build();
    setup
        .tracer
        .provider()
        .tracer_with_scope(scope)
        .start("a")
        .end();
    setup.tracer.provider().tracer("bare").start("b").end();
    let spans = setup.spans(2);
    let tags = |name: &str| {
        let span = spans
            .iter()
            .find(|span| span.operation_name == name)
            .unwrap();
        [
            "otel.scope.name",
            "otel.library.name",
            "otel.scope.version",
            "otel.library.version",
        ]
        .map(|key| span.tag(key).cloned())
    };
    assert_eq!(
        tags("a"),
        [text("driver"), text("driver"), text("1.2"), text("1.2")]
    );
    assert_eq!(tags("b"), [text("bare"), text("bare"), None, None]);
}

#[test]
fn what_the_limits_left_out_is_counted() {
    let agent = Agent::compact();
    let (tracer, guard) = builder(&agent)
        .with_env(|name| {
            let limits = [
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                "OTEL_SPAN_EVENT_COUNT_LIMIT",
                "OTEL_SPAN_LINK_COUNT_LIMIT",
                "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
            ];
            limits.contains(&name).then(|| "1".to_owned())
        })
        .build()
        .unwrap();
    let three = || {
        (0..3)
            .map(|n| KeyValue::new(format!("k{n}"), n))
            .collect::<Vec<_>>()
    };
    let links = (1..=4)
        .map(|n| Link::with_context(context(n, 1)))
        .collect::<Vec<_>>();
    let builder = SpanBuilder::from_name("a")
        .with_attributes(three())
        .with_links(links);
    let otel = tracer.provider().tracer("manual");
    let mut span = otel.build(builder);
    for _ in 0..5 {
        span.add_event("e", three());
    }
    drop(span);
    guard.flush().unwrap();
    let span = agent.spans(1).remove(0);
    let count = |kind| span.tag(&format!("otel.dropped_{kind}_count")).cloned();
    assert_eq!(count("attributes"), Some(TagValue::Long(2)));
    assert_eq!(count("events"), Some(TagValue::Long(4)));
    assert_eq!(count("links"), Some(TagValue::Long(3)));
    let logs = span.logs.clone().unwrap();
    let dropped = tag("otel.dropped_attributes_count", 2);
    assert!(logs[0].fields.contains(&dropped), "{logs:?}");
}

#[test]
fn nothing_is_said_of_limits_that_left_nothing_out() {
    let span = built(SpanBuilder::from_name("a").with_attributes([KeyValue::new("k", 1)]));
    let tags = span.tags.unwrap();
    assert!(
        tags.iter().all(|tag| !tag.key.contains("dropped")),
        "{tags:?}"
    );
}

#[test]
fn attributes_under_our_own_keys_show_once() {
    let attributes = || {
        ["error", "span.kind", "otel.status_code", "otel.scope.name"]
            .map(|key| KeyValue::new(key, "theirs"))
    };
    let builder = || SpanBuilder::from_name("a").with_attributes(attributes());
    let span = Setup::new().span(|tracer| {
        let mut span = tracer.build(builder().with_kind(SpanKind::Client));
        span.set_status(Status::error("no"));
    });
    assert_eq!(span.tag("error"), Some(&TagValue::Bool(true)));
    assert_eq!(span.tag("span.kind").cloned(), text("client"));
    assert_eq!(span.tag("otel.status_code").cloned(), text("ERROR"));
    assert_eq!(span.tag("otel.scope.name").cloned(), text("manual"));

    // Where we have nothing to say, theirs stays.
    let span = built(builder());
    assert_eq!(span.tag("error").cloned(), text("theirs"));
    assert_eq!(span.tag("span.kind").cloned(), text("theirs"));
    assert_eq!(span.tag("otel.status_code").cloned(), text("theirs"));
    assert_eq!(span.tag("otel.scope.name").cloned(), text("manual"));
}

#[test]
fn a_debug_request_is_flagged() {
    let headers = vec![("uber-trace-id", "3:4:0:3")];
    let cx = Propagators::new(&[Format::Jaeger]).extract_with(&Context::new(), &headers);
    let span = Setup::new()
        .span(|tracer| drop(tracer.build_with_context(SpanBuilder::from_name("a"), &cx)));
    assert_eq!((span.flags, span.parent_span_id), (3, 4));
}

#[test]
fn the_flag_for_random_ids_is_not_taken_for_debug() {
    let (trace, span) = (TraceId::from(3), SpanId::from(4));
    let parent = SpanContext::new(trace, span, TraceFlags::new(3), true, TraceState::NONE);
    let cx = Context::new().with_remote_span_context(parent);
    let span = Setup::new()
        .span(|tracer| drop(tracer.build_with_context(SpanBuilder::from_name("a"), &cx)));
    assert_eq!(span.flags, 1);
}
