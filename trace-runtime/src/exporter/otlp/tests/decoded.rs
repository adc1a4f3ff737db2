//! Requests, decoded by somebody else's code, compared with the records field by field.

use opentelemetry::trace::{SpanKind, TraceState};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, Status};
use proptest::prelude::*;
use prost::Message;

use super::super::encode::Encoder;
use crate::clock::Anchor;
use crate::config::CodeMode;
use crate::exporter::samples::{any_records, batch, plain_records, some_resource};
use crate::record::Records;
use crate::{EventView, LinkView, SpanRecord, SpanView, Value};

fn request(encoder: &mut Encoder, records: &Records) -> ResourceSpans {
    encoder.encode(&batch(&some_resource(), records));
    let bytes = encoder.encoded();
    let mut request = ExportTraceServiceRequest::decode(bytes).unwrap();
    // Only minimal lengths, and no field that says no more than its default.
    assert_eq!(request.encoded_len(), bytes.len());
    assert_eq!(request.resource_spans.len(), 1);
    request.resource_spans.remove(0)
}

proptest! {
    #[test]
    fn every_field_arrives(records in any_records(), stored in any_records()) {
        let mut encoder = Encoder::default();
        check(&mut encoder, &records);
        check(&mut encoder, &through_owned(&stored));
        // What the encoder keeps from batch to batch does no harm.
        check(&mut encoder, &records);
    }
}

/// The same spans after `with_on_end` has seen them.
fn through_owned(records: &Records) -> Records {
    let mut stored = Records::new(Anchor::now(), CodeMode::All);
    for view in records.iter() {
        SpanRecord::from(&view).store(&mut stored);
    }
    stored
}

fn check(encoder: &mut Encoder, records: &Records) {
    let decoded = request(encoder, records);
    let mut found = 0;
    for scope in &decoded.scope_spans {
        let mut last = 0;
        for span in &scope.spans {
            let position = u64::from_be_bytes(span.span_id.as_slice().try_into().unwrap());
            assert!(position > last, "spans of a scope keep their order");
            last = position;
            let view = records.iter().nth(position as usize - 1).unwrap();
            assert_eq!(*span, expected_span(&view));
            assert_eq!(scope.scope, Some(expected_scope(view.scope())));
            assert_eq!(
                scope.schema_url,
                view.scope().schema_url().unwrap_or_default()
            );
            found += 1;
        }
        let same = decoded
            .scope_spans
            .iter()
            .filter(|other| other.scope == scope.scope && other.schema_url == scope.schema_url);
        assert_eq!(same.count(), 1, "each scope stands once");
    }
    assert_eq!(found, records.len());
}

fn expected_span(view: &SpanView<'_>) -> Span {
    let parent = view.parent_span_id().to_bytes();
    let remote = if view.is_parent_remote() {
        0x300
    } else {
        0x100
    };
    Span {
        trace_id: view.trace_id().to_bytes().to_vec(),
        span_id: view.span_id().to_bytes().to_vec(),
        trace_state: header(view.trace_state()),
        parent_span_id: if parent == [0; 8] {
            Vec::new()
        } else {
            parent.to_vec()
        },
        flags: u32::from(view.trace_flags().to_u8()) | remote,
        name: view.name().to_owned(),
        kind: match view.kind() {
            SpanKind::Internal => 1,
            SpanKind::Server => 2,
            SpanKind::Client => 3,
            SpanKind::Producer => 4,
            SpanKind::Consumer => 5,
        },
        start_time_unix_nano: view.start_time_unix_nano(),
        end_time_unix_nano: view.end_time_unix_nano(),
        attributes: expected_attributes(view.attributes()),
        dropped_attributes_count: view.dropped_attributes_count(),
        events: view.events().map(|event| expected_event(&event)).collect(),
        dropped_events_count: view.dropped_events_count(),
        links: view.links().map(|link| expected_link(&link)).collect(),
        dropped_links_count: view.dropped_links_count(),
        status: match view.status() {
            opentelemetry::trace::Status::Unset => None,
            opentelemetry::trace::Status::Ok => Some(Status {
                message: String::new(),
                code: 1,
            }),
            opentelemetry::trace::Status::Error { description } => Some(Status {
                message: description.to_string(),
                code: 2,
            }),
        },
    }
}

fn expected_event(event: &EventView<'_>) -> Event {
    Event {
        time_unix_nano: event.time_unix_nano(),
        name: event.name().to_owned(),
        attributes: expected_attributes(event.attributes()),
        dropped_attributes_count: event.dropped_attributes_count(),
    }
}

fn expected_link(link: &LinkView<'_>) -> Link {
    let context = link.span_context();
    let remote = if context.is_remote() { 0x300 } else { 0x100 };
    Link {
        trace_id: context.trace_id().to_bytes().to_vec(),
        span_id: context.span_id().to_bytes().to_vec(),
        trace_state: header(context.trace_state()),
        attributes: expected_attributes(link.attributes()),
        dropped_attributes_count: link.dropped_attributes_count(),
        flags: u32::from(context.trace_flags().to_u8()) | remote,
    }
}

fn header(state: &TraceState) -> String {
    state.header()
}

fn expected_scope(scope: &opentelemetry::InstrumentationScope) -> InstrumentationScope {
    InstrumentationScope {
        name: scope.name().to_owned(),
        version: scope.version().unwrap_or_default().to_owned(),
        attributes: expected_attributes(
            scope
                .attributes()
                .map(|kv| (kv.key.as_str(), Value::from(&kv.value))),
        ),
        dropped_attributes_count: 0,
    }
}

fn expected_attributes<'a>(
    attributes: impl Iterator<Item = (&'a str, Value<'a>)>,
) -> Vec<KeyValue> {
    attributes
        .map(|(key, value)| KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue {
                value: expected_value(&value),
            }),
            ..KeyValue::default()
        })
        .collect()
}

fn expected_value(value: &Value<'_>) -> Option<Any> {
    Some(match value {
        Value::None => return None,
        Value::Bool(v) => Any::BoolValue(*v),
        Value::I64(v) => Any::IntValue(*v),
        Value::F64(v) => Any::DoubleValue(*v),
        Value::Str(v) => Any::StringValue(v.to_string()),
        Value::Array(elements) => Any::ArrayValue(ArrayValue {
            values: elements
                .iter()
                .map(|v| AnyValue {
                    value: expected_value(v),
                })
                .collect(),
        }),
    })
}

#[test]
fn the_resource_stands_once_and_without_empty_values() {
    let decoded = request(&mut Encoder::default(), &plain_records(3));
    let resource = decoded.resource.unwrap();
    let keys: Vec<_> = resource
        .attributes
        .iter()
        .map(|kv| kv.key.as_str())
        .collect();
    assert_eq!(keys, ["service.name", "process.pid", "args"]);
    let args = Any::ArrayValue(ArrayValue {
        values: vec![AnyValue {
            value: Some(Any::StringValue("-v".to_owned())),
        }],
    });
    let last = resource.attributes.into_iter().next_back().unwrap();
    assert_eq!(last.value.unwrap().value, Some(args));
}

#[test]
fn call_site_attributes_come_with_each_span() {
    let decoded = request(&mut Encoder::default(), &plain_records(2));
    assert_eq!(decoded.scope_spans.len(), 1);
    for span in &decoded.scope_spans[0].spans {
        let keys: Vec<_> = span.attributes.iter().map(|kv| kv.key.as_str()).collect();
        let wanted = [
            "code.function.name",
            "code.file.path",
            "code.line.number",
            "order.id",
        ];
        assert_eq!(keys, wanted);
    }
}
