use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::exporter::otlp::Encoder;
use crate::exporter::samples::{any_records, batch, some_resource};

proptest! {
    /// Decoded by somebody else's code, JSON says what protobuf says.
    #[test]
    fn json_and_protobuf_are_the_same_request(records in any_records()) {
        let resource = some_resource();
        let batch = batch(&resource, &records);
        let (mut json, mut protobuf) = (Vec::new(), Encoder::default());
        request(&batch, &mut json);
        protobuf.encode(&batch);
        prop_assert!(!json.contains(&b'\n'));
        let json: ExportTraceServiceRequest = serde_json::from_slice(&json).unwrap();
        let protobuf = ExportTraceServiceRequest::decode(protobuf.encoded()).unwrap();
        prop_assert_eq!(sorted(json), sorted(protobuf));
    }
}

/// Both keep the order of the spans; that of the scopes may differ.
fn sorted(mut request: ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    let scopes = &mut request.resource_spans[0].scope_spans;
    scopes.sort_by_key(|scope| scope.spans[0].span_id.clone());
    request
}

fn value(value: &Value<'_>) -> String {
    let mut out = Vec::new();
    object(&mut out, |object| any_value(object, value));
    String::from_utf8(out).unwrap()
}

#[test]
fn values_are_spelled_as_otlp_asks() {
    for (given, json) in [
        (Value::Bool(true), r#"{"boolValue":true}"#),
        (
            Value::I64(i64::MIN),
            r#"{"intValue":"-9223372036854775808"}"#,
        ),
        (Value::F64(1.0), r#"{"doubleValue":1.0}"#),
        (Value::F64(1e300), r#"{"doubleValue":1e300}"#),
        (Value::F64(f64::NAN), r#"{"doubleValue":"NaN"}"#),
        (
            Value::F64(f64::NEG_INFINITY),
            r#"{"doubleValue":"-Infinity"}"#,
        ),
        (Value::Str("".into()), r#"{"stringValue":""}"#),
        (
            Value::Str("a\"b\\c\n\u{1}é".into()),
            r#"{"stringValue":"a\"b\\c\n\u0001é"}"#,
        ),
        (Value::Array(vec![]), r#"{"arrayValue":{"values":[]}}"#),
        (
            Value::Array(vec![Value::None, Value::I64(1)]),
            r#"{"arrayValue":{"values":[{},{"intValue":"1"}]}}"#,
        ),
    ] {
        assert_eq!(value(&given), json);
    }
}
