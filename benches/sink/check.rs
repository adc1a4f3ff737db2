//! Whether what arrived is what the workload does.

use std::collections::{HashMap, HashSet};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::{DecodeError, Message};

use crate::workload::{CUSTOMER, ROOT, SPANS_PER_TRACE, STEPS};

/// What the sink has to say about a run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    /// How many spans arrived, whether right or wrong.
    pub spans: u64,
    /// How many complete and right traces they make.
    pub traces: u64,
    /// What is wrong with the first wrong trace; empty if there is none.
    pub fault: String,
}

impl Verdict {
    /// Whether exactly `traces` traces arrived, all of them right.
    #[must_use]
    pub fn is_exactly(&self, traces: u64) -> bool {
        self.fault.is_empty() && self.traces == traces && self.spans == traces * SPANS_PER_TRACE
    }

    /// One line, for the pipe between sink and runner.
    pub(crate) fn to_line(&self) -> String {
        format!("{} {} {}", self.spans, self.traces, self.fault)
    }

    /// Reads what [`Verdict::to_line`] wrote.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        Some(Self {
            spans: words.next()?.parse().ok()?,
            traces: words.next()?.parse().ok()?,
            fault: words.next()?.trim_end().to_owned(),
        })
    }
}

pub(super) fn verdict(bodies: &[Vec<u8>], with_code: bool) -> Verdict {
    let mut verdict = Verdict::default();
    let mut traces: HashMap<Vec<u8>, Vec<Span>> = HashMap::new();
    for body in bodies {
        match spans(body) {
            Ok(spans) => {
                for span in spans {
                    verdict.spans += 1;
                    traces.entry(span.trace_id.clone()).or_default().push(span);
                }
            }
            Err(error) => verdict.fault = format!("undecodable body: {error}"),
        }
    }
    let mut orders = HashSet::new();
    for trace in traces.values() {
        match check_trace(trace, with_code) {
            Ok(order) if orders.insert(order) => verdict.traces += 1,
            Ok(order) => verdict.fault = format!("order {order} arrived twice"),
            Err(fault) => verdict.fault = fault,
        }
    }
    verdict
}

/// The spans of one request.
pub(super) fn spans(body: &[u8]) -> Result<impl Iterator<Item = Span>, DecodeError> {
    let request = ExportTraceServiceRequest::decode(body)?;
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    Ok(scopes.flat_map(|scope| scope.spans))
}

/// The order that the trace stands for, or what is wrong with it.
fn check_trace(trace: &[Span], with_code: bool) -> Result<u64, String> {
    if trace.len() as u64 != SPANS_PER_TRACE {
        let names: Vec<&str> = trace.iter().map(|span| span.name.as_str()).collect();
        return Err(format!("a trace of {names:?}"));
    }
    for span in trace {
        check_span(span, with_code)?;
    }
    let root = named(trace, ROOT)?;
    if root.parent_span_id.iter().any(|byte| *byte != 0) {
        return Err("the root has a parent".to_owned());
    }
    let order = attribute(root, "order_id")?;
    expect(root, "customer", CUSTOMER)?;
    let order: u64 = order
        .parse()
        .map_err(|_| format!("`order_id` is `{order}`"))?;
    for (id, name) in (order..).zip(STEPS) {
        let step = named(trace, name)?;
        if step.parent_span_id != root.span_id {
            return Err(format!("`{name}` is not a child of the root"));
        }
        expect(step, "id", &id.to_string())?;
    }
    Ok(order)
}

/// What must hold for every span, whatever its place.
fn check_span(span: &Span, with_code: bool) -> Result<(), String> {
    let name = &span.name;
    if span.span_id.len() != 8 || span.span_id.iter().all(|byte| *byte == 0) {
        return Err(format!("`{name}` has no valid span id"));
    }
    if span.trace_id.len() != 16 || span.trace_id.iter().all(|byte| *byte == 0) {
        return Err(format!("`{name}` has no valid trace id"));
    }
    if span.start_time_unix_nano == 0 || span.end_time_unix_nano < span.start_time_unix_nano {
        return Err(format!("`{name}` ends before it starts"));
    }
    if span.status.as_ref().is_some_and(|status| status.code == 2) {
        return Err(format!("`{name}` is marked as failed"));
    }
    let mut keys = HashSet::new();
    if let Some(twice) = span.attributes.iter().find(|kv| !keys.insert(&kv.key)) {
        return Err(format!("`{name}` has `{}` twice", twice.key));
    }
    if with_code {
        let function = attribute(span, "code.function.name")?;
        if !function.ends_with(name.as_str()) {
            return Err(format!("`{name}` names its function `{function}`"));
        }
        if !attribute(span, "code.file.path")?.ends_with(".rs") {
            return Err(format!("`{name}` has no source file"));
        }
        attribute(span, "code.line.number")?
            .parse::<u32>()
            .map_err(|_| format!("`{name}` has no line number"))?;
    }
    Ok(())
}

fn named<'a>(trace: &'a [Span], name: &str) -> Result<&'a Span, String> {
    trace
        .iter()
        .find(|span| span.name == name)
        .ok_or_else(|| format!("no span is called `{name}`"))
}

fn expect(span: &Span, key: &str, expected: &str) -> Result<(), String> {
    let found = attribute(span, key)?;
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "`{key}` of `{}` is `{found}`, not `{expected}`",
        span.name
    ))
}

/// The attribute as text: fastrace sends numbers as strings, the others as integers.
fn attribute(span: &Span, key: &str) -> Result<String, String> {
    span.attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .and_then(text)
        .ok_or_else(|| format!("`{}` has no `{key}`", span.name))
}

fn text(attribute: &KeyValue) -> Option<String> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::AnyValue;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

    fn span(name: &str, id: u8, parent: u8, attributes: &[(&str, Value)]) -> Span {
        Span {
            name: name.to_owned(),
            trace_id: vec![7; 16],
            span_id: vec![id; 8],
            parent_span_id: vec![parent; 8],
            start_time_unix_nano: 1,
            end_time_unix_nano: 2,
            attributes: attributes
                .iter()
                .map(|(key, value)| KeyValue {
                    key: (*key).to_owned(),
                    value: Some(AnyValue {
                        value: Some(value.clone()),
                    }),
                    ..KeyValue::default()
                })
                .collect(),
            ..Span::default()
        }
    }

    fn right_trace() -> Vec<Span> {
        let customer = Value::StringValue(CUSTOMER.to_owned());
        vec![
            span("load", 2, 1, &[("id", Value::IntValue(5))]),
            span("price", 3, 1, &[("id", Value::StringValue("6".to_owned()))]),
            span("store", 4, 1, &[("id", Value::IntValue(7))]),
            span(
                "checkout",
                1,
                0,
                &[("order_id", Value::IntValue(5)), ("customer", customer)],
            ),
        ]
    }

    fn verdict_on(spans: Vec<Span>) -> Verdict {
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                scope_spans: vec![ScopeSpans {
                    spans,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        verdict(&[request.encode_to_vec()], false)
    }

    #[test]
    fn a_right_trace_is_accepted() {
        let verdict = verdict_on(right_trace());
        assert!(verdict.is_exactly(1), "{verdict:?}");
    }

    #[test]
    fn a_lost_span_is_noticed() {
        let mut spans = right_trace();
        spans.pop();
        assert!(verdict_on(spans).fault.starts_with("a trace of"));
    }

    #[test]
    fn a_wrong_parent_is_noticed() {
        let mut spans = right_trace();
        spans[1].parent_span_id = vec![2; 8];
        let fault = verdict_on(spans).fault;
        assert_eq!(fault, "`price` is not a child of the root");
    }

    #[test]
    fn a_wrong_argument_is_noticed() {
        let mut spans = right_trace();
        spans[2] = span("store", 4, 1, &[("id", Value::IntValue(8))]);
        let fault = verdict_on(spans).fault;
        assert_eq!(fault, "`id` of `store` is `8`, not `7`");
    }

    #[test]
    fn missing_code_attributes_are_noticed() {
        let fault = check_trace(&right_trace(), true).unwrap_err();
        assert_eq!(fault, "`load` has no `code.function.name`");
    }

    #[test]
    fn a_verdict_survives_the_pipe() {
        for fault in ["", "a trace of [\"load\"]"] {
            let verdict = Verdict {
                spans: 3,
                traces: 0,
                fault: fault.to_owned(),
            };
            assert_eq!(Verdict::from_line(&verdict.to_line()), Some(verdict));
        }
    }
}
