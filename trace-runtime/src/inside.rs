//! What a body says about the span it runs in: `record!`, `event!`, `set_error!`, `span!`.
//!
//! The current span may be anybody's, so everything goes through the OpenTelemetry API. The context
//! is cloned out first: no code of the user's may run inside `Context::map_current`.

use std::borrow::Cow;
use std::fmt::{Debug, Display};

use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use crate::__private::{debug, display, shown};
use crate::outcome::{AnyError, Failed, Sink, any_error};
use crate::pipeline::thread;
use crate::tracer::global;
use crate::value::{ValueLimits, limit};
use crate::{ToValue, Value};

/// The current span, which records.
#[derive(Debug)]
pub struct Inside(Context);

/// The current span, if it records: if not, nothing of the user's need be evaluated.
#[inline]
pub fn inside() -> Option<Inside> {
    let current = |cx: &Context| cx.has_active_span().then(|| cx.clone());
    // Not while the thread ends: the API's own state may be gone.
    let cx = thread::with(|_| Context::map_current(current))??;
    cx.span().is_recording().then_some(Inside(cx))
}

/// What attributes can be set on.
pub trait Attributes {
    #[doc(hidden)]
    fn attribute(&mut self, attribute: KeyValue);

    /// Of the span.
    #[doc(hidden)]
    fn context(&self) -> &Context;
}

impl Attributes for Inside {
    fn attribute(&mut self, attribute: KeyValue) {
        self.0.span().set_attribute(attribute);
    }

    fn context(&self) -> &Context {
        &self.0
    }
}

/// Sets an attribute.
pub fn set<A: Attributes, T: ToValue + ?Sized>(on: &mut A, key: &'static str, value: &T) {
    set_value(on, key, value.to_value());
}

/// Sets an attribute to a value's `Debug` output.
pub fn set_debug<A: Attributes, T: Debug + ?Sized>(on: &mut A, key: &'static str, value: &T) {
    set_value(on, key, debug(value));
}

/// Sets an attribute to a value's `Display` output.
pub fn set_display<A: Attributes, T: Display + ?Sized>(on: &mut A, key: &'static str, value: &T) {
    set_value(on, key, display(value));
}

fn set_value<A: Attributes>(on: &mut A, key: &'static str, value: Value<'_>) {
    let value = shown(key, limit_in(on.context(), value));
    if let Some(value) = Option::<opentelemetry::Value>::from(value) {
        on.attribute(KeyValue::new(key, value));
    }
}

/// The value, cut where the tracer of a span in `cx` says so.
pub(crate) fn limit_in<'a>(cx: &Context, value: Value<'a>) -> Value<'a> {
    let by_default = ValueLimits::default();
    if !by_default.may_cut(&value) {
        // The record cuts it once more, where less is allowed.
        return value;
    }
    let scoped = global::scoped(cx);
    let core = thread::with(|thread| thread.tracer(scoped)).flatten();
    let limits = core.map_or(by_default, |core| core.limits.arguments);
    limit(value, &limits)
}

/// An event that waits for its attributes.
#[derive(Debug)]
pub struct NewEvent<'s> {
    span: &'s Inside,
    name: Cow<'static, str>,
    attributes: Vec<KeyValue>,
}

/// An event of the span.
pub fn event(span: &Inside, name: impl Into<Cow<'static, str>>) -> NewEvent<'_> {
    NewEvent {
        span,
        name: name.into(),
        attributes: Vec::new(),
    }
}

impl Attributes for NewEvent<'_> {
    fn attribute(&mut self, attribute: KeyValue) {
        self.attributes.push(attribute);
    }

    fn context(&self) -> &Context {
        &self.span.0
    }
}

/// Adds the event to its span.
pub fn add_event(event: NewEvent<'_>) {
    event.span.0.span().add_event(event.name, event.attributes);
}

/// An error of any type, to be recorded.
pub fn error<E>(error: &E) -> AnyError<'_, E> {
    any_error(error)
}

/// The user says that it is a failure.
pub fn always<T>(_: &T) -> bool {
    true
}

impl Sink for Inside {
    fn recording(&self) -> bool {
        true
    }

    /// The API does not tell.
    fn kind(&self) -> SpanKind {
        SpanKind::Internal
    }

    fn fail(&mut self, failed: Failed) {
        failed.write_to(&self.0.span(), |span, attributes| {
            span.add_event("exception", attributes);
        });
    }

    fn attribute(&mut self, key: &'static str, value: Value<'_>) {
        set_value(self, key, value);
    }
}
