//! Finished spans of every shape, made up by proptest.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use socket2::{Domain, Socket, Type};

use crate::callsite::{self, Callsite};
use crate::config::CodeMode;
use crate::record::{AttributeBuffer, Event, EventTime, Header, Late, Link, Records, flag};
use crate::{Batch, Resource, Value, clock, clock::Anchor};

const KEYS: [&str; 4] = ["order.id", "b", "rows", "c"];

/// Where the call sites stand.
struct Plain;
struct Named;
struct OtherCrate;

static PLAIN: Callsite = Callsite::new::<Plain>("app", "1.0.0", &KEYS);
static NAMED: Callsite = Callsite::new::<Named>("app", "1.0.0", &KEYS)
    .kind(SpanKind::Server)
    .name("GET /orders");
static OTHER_CRATE: Callsite =
    Callsite::new::<OtherCrate>("driver", "0.1.0", &KEYS).kind(SpanKind::Client);

/// A batch that may take its time.
pub(crate) fn batch<'a>(resource: &'a Resource, records: &'a Records) -> Batch<'a> {
    Batch {
        resource,
        records,
        deadline: Instant::now() + Duration::from_secs(20),
        dropped: 0,
    }
}

pub(crate) fn some_resource() -> Resource {
    Resource {
        attributes: vec![
            ("service.name".to_owned(), Value::Str("orders".into())),
            ("process.pid".to_owned(), Value::I64(7)),
            ("empty".to_owned(), Value::None),
            (
                "args".to_owned(),
                Value::Array(vec![Value::Str("-v".into())]),
            ),
        ],
    }
}

/// A loopback address that refuses connections, as long as its socket lives.
pub(crate) fn closed_port() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// That many spans with one argument each.
pub(crate) fn plain_records(count: u64) -> Records {
    let mut records = Records::new(Anchor::now(), CodeMode::All);
    for index in 0..count {
        let mut attributes = AttributeBuffer::new();
        attributes.push(0, &Value::I64(index as i64));
        let header = Header {
            site: PLAIN.site_id(),
            trace_id: u128::from(index) + 1,
            span_id: index + 1,
            start: clock::ticks(),
            end: clock::ticks(),
            trace_flags: 1,
            ..Header::default()
        };
        push(&mut records, header, attributes, None);
    }
    records
}

/// One span with a name of so many bytes.
#[cfg(feature = "jaeger")]
pub(crate) fn large_record(len: usize) -> Records {
    let mut records = Records::new(Anchor::now(), CodeMode::All);
    let mut attributes = AttributeBuffer::new();
    attributes.push_name(&"x".repeat(len));
    let header = Header {
        site: PLAIN.site_id(),
        trace_id: 1,
        span_id: 1,
        ..Header::default()
    };
    push(&mut records, header, attributes, None);
    records
}

fn push(
    records: &mut Records,
    header: Header,
    mut attributes: AttributeBuffer,
    late: Option<Late>,
) {
    let bytes = attributes.as_words();
    let len = Header::WORDS + bytes.len() / 8;
    let header = header.to_words(len);
    let attributes = bytes
        .chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()));
    records.push(
        len,
        header.into_iter().chain(attributes),
        late.map(Box::new),
    );
}

pub(crate) fn any_records() -> impl Strategy<Value = Records> {
    let code = prop_oneof![
        Just(CodeMode::All),
        Just(CodeMode::Function),
        Just(CodeMode::Off)
    ];
    let span = (any_header(), any_attributes(), option::of(any_late()));
    (code, vec(span, 0..20)).prop_map(|(code, spans)| {
        let mut records = Records::new(Anchor::now(), code);
        for (index, (mut header, attributes, late)) in spans.into_iter().enumerate() {
            header.span_id = index as u64 + 1;
            header.flags |= if late.is_some() { flag::LATE } else { 0 };
            push(&mut records, header, attributes, late);
        }
        records
    })
}

fn any_site() -> impl Strategy<Value = u32> {
    let api = InstrumentationScope::builder("api")
        .with_version("0.3.0")
        .with_schema_url("https://opentelemetry.io/schemas/1.40.0")
        .with_attributes([KeyValue::new("scope.key", true)])
        .build();
    prop_oneof![
        Just(PLAIN.site_id()),
        Just(NAMED.site_id()),
        Just(OTHER_CRATE.site_id()),
        Just(callsite::api_site(&api, SpanKind::Producer)),
        Just(callsite::api_site(
            &InstrumentationScope::default(),
            SpanKind::Consumer
        )),
    ]
}

fn any_header() -> impl Strategy<Value = Header> {
    let flags = (any::<bool>(), any::<bool>()).prop_map(|(remote, no_code)| {
        let remote = if remote { flag::PARENT_REMOTE } else { 0 };
        remote | if no_code { flag::NO_CODE } else { 0 }
    });
    let times = (any::<bool>(), 1..u64::MAX / 2, 0_u64..1 << 40);
    let ids = (1..u128::MAX, prop_oneof![Just(0), any::<u64>()]);
    (any_site(), flags, any::<u8>(), ids, times).prop_map(
        |(site, flags, trace_flags, (trace_id, parent_span_id), (wall, start, length))| {
            let (clock, start) = if wall {
                (flag::WALL_START | flag::WALL_END, start)
            } else {
                (0, clock::ticks())
            };
            Header {
                site,
                flags: flags | clock,
                trace_flags,
                trace_id,
                span_id: 0,
                parent_span_id,
                start,
                end: start + length,
            }
        },
    )
}

fn any_attributes() -> impl Strategy<Value = AttributeBuffer> {
    let values = vec(option::of(any_value()), KEYS.len());
    (option::of(".{1,40}"), values).prop_map(|(name, values)| {
        let mut buffer = AttributeBuffer::new();
        if let Some(name) = name {
            buffer.push_name(&name);
        }
        for (key, value) in values.into_iter().enumerate() {
            match value {
                Some(value) => buffer.push(key, &value),
                None if key == 1 => buffer.push_redacted(key),
                None => {}
            }
        }
        buffer
    })
}

fn any_scalar() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        (-200_i64..200).prop_map(Value::I64),
        // Not-a-number equals nothing, itself included.
        any::<f64>()
            .prop_filter("a number", |v| !v.is_nan())
            .prop_map(Value::F64),
        any_text().prop_map(|v| Value::Str(v.into())),
    ]
}

/// Short ones, and lengths around those where one more byte is needed for the length.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,20}".prop_map(String::from),
        (100_usize..140).prop_map(|len| "é".repeat(len / 2)),
        (16_300_usize..16_500).prop_map(|len| "x".repeat(len)),
    ]
}

fn any_value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        4 => any_scalar(),
        1 => vec(any_scalar(), 0..5).prop_map(Value::Array),
        1 => Just(Value::None),
    ]
}

/// Late attributes have one value for each key; some replace what was there before.
fn any_late_attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    const KEYS: [&str; 5] = [
        "code.line.number",
        "code.file.path",
        "order.id",
        "late",
        "list",
    ];
    vec(option::of(any_value()), KEYS.len()).prop_map(|values| {
        KEYS.iter()
            .zip(values)
            .filter_map(|(key, value)| {
                let value: Option<opentelemetry::Value> = value?.into();
                Some(KeyValue::new(*key, value?))
            })
            .collect()
    })
}

fn any_wall_time() -> impl Strategy<Value = SystemTime> {
    (1..u64::MAX / 2).prop_map(|nanos| UNIX_EPOCH + Duration::from_nanos(nanos))
}

fn any_event() -> impl Strategy<Value = Event> {
    (
        any_text(),
        option::of(any_wall_time()),
        any_late_attributes(),
        0_u32..300,
    )
        .prop_map(|(name, time, attributes, dropped_attributes)| Event {
            name: name.into(),
            time: time.map_or(EventTime::Ticks(clock::ticks()), EventTime::Wall),
            attributes,
            dropped_attributes,
        })
}

fn any_link() -> impl Strategy<Value = Link> {
    let context = (
        any::<u128>(),
        any::<u64>(),
        any::<u8>(),
        any::<bool>(),
        any_trace_state(),
    );
    (context, any_late_attributes(), 0_u32..300).prop_map(
        |((trace, span, flags, remote, state), attributes, dropped_attributes)| Link {
            span_context: SpanContext::new(
                TraceId::from(trace),
                SpanId::from(span),
                TraceFlags::new(flags),
                remote,
                state,
            ),
            attributes,
            dropped_attributes,
        },
    )
}

fn any_trace_state() -> impl Strategy<Value = TraceState> {
    let some = TraceState::from_key_value([("vendor", "1"), ("other", "x")]).unwrap();
    prop_oneof![Just(TraceState::NONE), Just(some)]
}

fn any_late() -> impl Strategy<Value = Late> {
    let status = prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        any_text().prop_map(Status::error),
    ];
    let name = option::of(any_text().prop_filter("a name", |name| !name.is_empty()));
    let dropped = (0_u32..3, 0_u32..300, any::<u32>());
    (
        name,
        any_late_attributes(),
        vec(any_event(), 0..3),
        vec(any_link(), 0..3),
        status,
        any_trace_state(),
        dropped,
    )
        .prop_map(
            |(name, attributes, events, links, status, trace_state, dropped)| Late {
                name: name.map(Into::into),
                attributes,
                events,
                links,
                status,
                trace_state,
                dropped_attributes: dropped.0,
                dropped_events: dropped.1,
                dropped_links: dropped.2,
            },
        )
}
