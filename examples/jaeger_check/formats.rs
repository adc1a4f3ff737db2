//! One trace with everything a span can have, sent in every format: Jaeger shows the same of each,
//! but for the differences that [`DIFFERENCES`] names.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{
    Array, Context, InstrumentationScope, KeyValue, SpanId, StringValue, TraceFlags, TraceId, Value,
};
use serde_json::Value as Json;
use trace_runtime::Tracer;

use crate::api::{Query, Reference, Span, Tag, Trace};
use crate::{address, poll, same_text};

/// What Jaeger shows of the trace. The first character of a line says where it shows it.
const EXPECTED: &str = include_str!("formats.txt");

/// What Jaeger itself makes of the same span, depending on how it came: the mark in `EXPECTED`, the
/// tag, where it is seen, and why.
const DIFFERENCES: [(char, &str, &[Family], &str); 6] = [
    (
        'o',
        "span.kind",
        &[Family::Otlp],
        "OTLP has a word for no kind, and Jaeger shows it; Thrift says nothing",
    ),
    (
        'o',
        "w3c.tracestate",
        &[Family::Otlp],
        "Thrift has no place for it",
    ),
    (
        't',
        "otel.scope.",
        &[Family::Agent, Family::Collector],
        "Jaeger 1.x makes `otel.library.*` of OTLP's scope; by Thrift we send both names",
    ),
    (
        't',
        "otel.dropped_",
        &[Family::Agent, Family::Collector],
        "Jaeger does not show what OTLP says of dropped attributes, events and links",
    ),
    (
        'p',
        "internal.span.format",
        &[Family::Otlp, Family::Agent],
        "the collector's own note of how a span came: OTLP and agents hand over protobuf",
    ),
    (
        'c',
        "internal.span.format",
        &[Family::Collector],
        "the same for a client that speaks Thrift to the collector",
    ),
];

const PATIENCE: Duration = Duration::from_secs(30);
const SPANS: usize = 6;

/// How a span comes to Jaeger.
#[derive(Clone, Copy, PartialEq)]
enum Family {
    Otlp,
    Agent,
    Collector,
}

/// A way to Jaeger: its name, and the variables that choose it.
struct Way {
    name: &'static str,
    family: Family,
    variables: Vec<(&'static str, String)>,
}

fn ways() -> Result<Vec<Way>, String> {
    let otlp = |name, protocol: &str, endpoint| Way {
        name,
        family: Family::Otlp,
        variables: vec![
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ],
    };
    let agent = |name, protocol: &str, address: &str| {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        Way {
            name,
            family: Family::Agent,
            variables: vec![
                ("OTEL_TRACES_EXPORTER", "jaeger".to_owned()),
                ("OTEL_EXPORTER_JAEGER_PROTOCOL", protocol.to_owned()),
                ("OTEL_EXPORTER_JAEGER_AGENT_HOST", host.to_owned()),
                ("OTEL_EXPORTER_JAEGER_AGENT_PORT", port.to_owned()),
            ],
        }
    };
    let http = address("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    let collector = address("TEST_JAEGER_COLLECTOR")?;
    let (compact, binary) = (
        address("TEST_JAEGER_COMPACT")?,
        address("TEST_JAEGER_BINARY")?,
    );
    Ok(vec![
        otlp("OTLP over HTTP", "http/protobuf", http.clone()),
        otlp("OTLP as JSON", "http/json", http),
        otlp("OTLP over gRPC", "grpc", address("TEST_JAEGER_GRPC")?),
        agent("Thrift compact over UDP", "udp/thrift.compact", &compact),
        agent("Thrift binary over UDP", "udp/thrift.binary", &binary),
        Way {
            name: "Thrift over HTTP",
            family: Family::Collector,
            variables: vec![("JAEGER_ENDPOINT", format!("{collector}/api/traces"))],
        },
    ])
}

pub(crate) fn check(query: &Query) -> Result<(), String> {
    for way in ways()? {
        let found = shown(query, &way)?;
        same_text(&found, &expected(way.family))
            .map_err(|error| format!("{}: {error}", way.name))?;
        println!("ok      {}", way.name);
    }
    Ok(())
}

/// The lines of `EXPECTED` that are meant for spans that came like this.
fn expected(family: Family) -> String {
    let mut text = String::new();
    for line in EXPECTED.lines() {
        let (mark, shown) = line.split_at(1);
        let named = |(known, key, families, _): &(char, &str, &[Family], &str)| {
            mark.starts_with(*known)
                && shown.trim_start().starts_with(key)
                && families.contains(&family)
        };
        if mark == " " || DIFFERENCES.iter().any(named) {
            text.push_str(shown);
            text.push('\n');
        }
    }
    text
}

/// What there is, in every format.
pub(crate) fn print(query: &Query) -> Result<(), String> {
    for way in ways()? {
        println!("== {}\n{}", way.name, shown(query, &way)?);
    }
    Ok(())
}

/// Sends the trace this way, and asks Jaeger what it has become.
fn shown(query: &Query, way: &Way) -> Result<String, String> {
    let id = send(way).map_err(|error| format!("{}: {error}", way.name))?;
    poll(PATIENCE, || {
        let traces = query.trace(&id.to_string())?;
        match traces.as_slice() {
            [trace] if trace.spans.len() == SPANS => Ok(render(trace)),
            _ => Err(format!("{}: not all spans of {id} are there", way.name)),
        }
    })
}

fn at(micros: u64) -> SystemTime {
    // With a part that no format of Jaeger's has room for.
    UNIX_EPOCH + Duration::from_nanos((1_700_000_000_000_000 + micros) * 1000 + 999)
}

/// Every type, and what is special in each.
fn values() -> Vec<KeyValue> {
    let texts = ["", "a \"quoted\" text, and a \\", "ünï → 語"];
    let texts: Vec<StringValue> = texts.map(StringValue::from).into();
    let array = |array| Value::Array(array);
    vec![
        KeyValue::new("bool.true", true),
        KeyValue::new("bool.false", false),
        KeyValue::new("int", 7),
        KeyValue::new("int.largest", i64::MAX),
        KeyValue::new("int.smallest", i64::MIN),
        KeyValue::new("double", 1.5),
        KeyValue::new("double.whole", 2.0),
        KeyValue::new("double.tiny", 1e-300),
        KeyValue::new("text", texts[1].clone()),
        KeyValue::new("text.unicode", texts[2].clone()),
        KeyValue::new("text.lines", "one\ntwo\ttabbed"),
        KeyValue::new("array.bool", array(Array::Bool(vec![true, false]))),
        KeyValue::new("array.int", array(Array::I64(vec![1, -2]))),
        KeyValue::new("array.double", array(Array::F64(vec![0.5, 2.0]))),
        KeyValue::new("array.text", array(Array::String(texts))),
        KeyValue::new("array.empty", array(Array::I64(Vec::new()))),
    ]
}

/// The trace, and its id.
fn send(way: &Way) -> Result<TraceId, String> {
    let variables = way.variables.clone();
    let lookup = move |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        match name {
            "OTEL_RESOURCE_ATTRIBUTES" => Some("deployment.environment.name=test".to_owned()),
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" => Some("20".to_owned()),
            "OTEL_SPAN_EVENT_COUNT_LIMIT" | "OTEL_SPAN_LINK_COUNT_LIMIT" => Some("2".to_owned()),
            _ => found.map(|(_, value)| value.clone()),
        }
    };
    let (tracer, guard) = Tracer::builder()
        .with_env(lookup)
        .with_service_name("formats")
        .build()
        .map_err(|error| error.to_string())?;
    let id = record(&tracer);
    guard.flush().map_err(|error| error.to_string())?;
    Ok(id)
}

fn record(tracer: &Tracer) -> TraceId {
    let scope = InstrumentationScope::builder("check").with_version("1.2");
    let scope = tracer.provider().tracer_with_scope(scope.build());
    let start = |name: &'static str, kind, from, links, parent: &Context| {
        let builder = SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_start_time(at(from))
            .with_links(links);
        scope.build_with_context(builder, parent)
    };
    let state = TraceState::from_key_value([("vendor", "a:b"), ("other", "1")]).unwrap_or_default();
    let foreign = |id: u64| {
        let (trace, span) = (TraceId::from(u128::from(id) << 70 | 5), SpanId::from(id));
        SpanContext::new(trace, span, TraceFlags::SAMPLED, true, state.clone())
    };
    let link = |context: &SpanContext| {
        let attributes = vec![KeyValue::new("of.the.link", 1)];
        Link::new(context.clone(), attributes, 0)
    };

    let mut root = start(
        "everything",
        SpanKind::Server,
        0,
        Vec::new(),
        &Context::new(),
    );
    let id = root.span_context().trace_id();
    root.set_attributes(values());
    root.set_status(Status::Ok);
    root.add_event_with_timestamp("first", at(10), values());
    root.add_event_with_timestamp("second", at(20), Vec::new());
    let root = Context::new().with_span(root);
    let root_context = root.span().span_context().clone();

    let mut failed = start("fails", SpanKind::Client, 100, Vec::new(), &root);
    let failed_context = failed.span_context().clone();
    failed.set_status(Status::error("it \"broke\""));
    let exception = vec![
        KeyValue::new("exception.type", "Broken"),
        KeyValue::new("exception.message", "it broke"),
    ];
    failed.add_event_with_timestamp("exception", at(150), exception);
    failed.end_with_timestamp(at(200));

    let links = vec![link(&failed_context), link(&foreign(9))];
    start("follows", SpanKind::Consumer, 300, links, &root).end_with_timestamp(at(300));
    let links = vec![link(&root_context)];
    let mut silent = start("links its parent", SpanKind::Producer, 400, links, &root);
    silent.set_status(Status::error(""));
    silent.end_with_timestamp(at(450));

    let links = [1, 2, 3].map(|id| link(&foreign(id)));
    let mut limited = start("too much", SpanKind::Internal, 500, links.into(), &root);
    for (number, word) in ["a", "b", "c"].into_iter().enumerate() {
        limited.add_event_with_timestamp(word, at(500 + number as u64), Vec::new());
    }
    for number in 0..25 {
        limited.set_attribute(KeyValue::new(format!("n{number:02}"), number));
    }
    limited.end_with_timestamp(at(600));

    let elsewhere = SpanContext::new(
        id,
        SpanId::from(0xabc),
        TraceFlags::SAMPLED,
        true,
        foreign(0).trace_state().clone(),
    );
    let elsewhere = Context::new().with_remote_span_context(elsewhere);
    start(
        "parent elsewhere",
        SpanKind::Server,
        700,
        Vec::new(),
        &elsewhere,
    )
    .end_with_timestamp(at(800));

    root.span().end_with_timestamp(at(1000));
    id
}

/// Everything that Jaeger shows, and nothing that differs from run to run.
fn render(trace: &Trace) -> String {
    let mut spans: Vec<&Span> = trace.spans.iter().collect();
    spans.sort_by_key(|span| span.start_time);
    let first = spans.first().map_or(0, |span| span.start_time);
    let mut text = format!("first at {first} µs\n");
    for span in spans {
        let process = trace.processes.get(&span.process);
        let service = process.map_or("(no process)", |process| &process.service_name);
        let _ = writeln!(
            text,
            "{service}: {} from {} for {} µs",
            span.operation_name,
            span.start_time - first,
            span.duration
        );
        for reference in &span.references {
            let _ = writeln!(text, "  {}", self::reference(trace, reference));
        }
        add_tags(&mut text, "  ", &span.tags);
        for log in &span.logs {
            let _ = writeln!(text, "  log at {} µs", log.timestamp - first);
            add_tags(&mut text, "    ", &log.fields);
        }
        for warning in span.warnings.iter().flatten() {
            let _ = writeln!(text, "  warning: {warning}");
        }
    }
    for process in trace.processes.values() {
        text.push_str("process\n");
        add_tags(&mut text, "  ", &process.tags);
    }
    text
}

fn reference(trace: &Trace, reference: &Reference) -> String {
    let kind = &reference.ref_type;
    let here = |span: &&Span| reference.trace == trace.id && span.id == reference.span;
    match trace.spans.iter().find(here) {
        Some(span) => format!("{kind} {}", span.operation_name),
        None if reference.trace == trace.id => format!("{kind} {}", reference.span),
        None => format!("{kind} {}:{}", reference.trace, reference.span),
    }
}

/// Of the process and the machine.
const LEFT_OUT: [&str; 5] = ["process.", "host.", "container.", "service.instance.", "ip"];

fn add_tags(text: &mut String, indent: &str, tags: &[Tag]) {
    let shown = |tag: &&Tag| !LEFT_OUT.iter().any(|start| tag.key.starts_with(start));
    let mut lines: Vec<_> = tags.iter().filter(shown).map(line).collect();
    lines.sort();
    for line in lines {
        let _ = writeln!(text, "{indent}{line}");
    }
}

fn line(tag: &Tag) -> String {
    let value = match &tag.value {
        Json::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    format!("{} ({}) {value}", tag.key, tag.kind)
}
