//! Between our values and OpenTelemetry's.

use std::borrow::Cow;

use opentelemetry::Array;

use super::Value;

impl<'a> From<&'a opentelemetry::Value> for Value<'a> {
    fn from(value: &'a opentelemetry::Value) -> Self {
        fn array<'a, T>(list: &'a [T], one: impl Fn(&'a T) -> Value<'a>) -> Value<'a> {
            Value::Array(list.iter().map(one).collect())
        }
        match value {
            opentelemetry::Value::Bool(v) => Value::Bool(*v),
            opentelemetry::Value::I64(v) => Value::I64(*v),
            opentelemetry::Value::F64(v) => Value::F64(*v),
            opentelemetry::Value::String(v) => Value::Str(Cow::Borrowed(v.as_str())),
            opentelemetry::Value::Array(Array::Bool(v)) => array(v, |v| Value::Bool(*v)),
            opentelemetry::Value::Array(Array::I64(v)) => array(v, |v| Value::I64(*v)),
            opentelemetry::Value::Array(Array::F64(v)) => array(v, |v| Value::F64(*v)),
            opentelemetry::Value::Array(Array::String(v)) => {
                array(v, |v| Value::Str(Cow::Borrowed(v.as_str())))
            }
            _ => Value::None,
        }
    }
}

impl From<Value<'_>> for Option<opentelemetry::Value> {
    fn from(value: Value<'_>) -> Self {
        Some(match value {
            Value::None => return None,
            Value::Bool(v) => v.into(),
            Value::I64(v) => v.into(),
            Value::F64(v) => v.into(),
            Value::Str(Cow::Borrowed(v)) => v.to_owned().into(),
            Value::Str(Cow::Owned(v)) => v.into(),
            Value::Array(elements) => opentelemetry::Value::Array(to_array(elements)),
        })
    }
}

/// The API's arrays hold one type; the first element tells which, others are left out.
fn to_array(elements: Vec<Value<'_>>) -> Array {
    match elements.first() {
        Some(Value::Bool(_)) => Array::Bool(only(elements, |v| match v {
            Value::Bool(v) => Some(v),
            _ => None,
        })),
        Some(Value::I64(_)) => Array::I64(only(elements, |v| match v {
            Value::I64(v) => Some(v),
            _ => None,
        })),
        Some(Value::F64(_)) => Array::F64(only(elements, |v| match v {
            Value::F64(v) => Some(v),
            _ => None,
        })),
        _ => Array::String(only(elements, |v| match v {
            Value::Str(v) => Some(v.into_owned().into()),
            _ => None,
        })),
    }
}

fn only<'a, T>(elements: Vec<Value<'a>>, one: impl Fn(Value<'a>) -> Option<T>) -> Vec<T> {
    elements.into_iter().filter_map(one).collect()
}
