//! Any span exporter of `opentelemetry_sdk` as an exporter of ours.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter, SpanLinks};

use crate::{Batch, EventView, ExportError, Exporter, LinkView, Resource, SpanView, Value};

/// Feeds an exporter that was written for the SDK.
///
/// Its future runs on our thread, where no async runtime is: exporters that need one must enter it
/// themselves.
#[derive(Debug)]
pub(crate) struct SdkExporter<E> {
    exporter: E,
    resource: Option<Resource>,
}

impl<E: SpanExporter + 'static> SdkExporter<E> {
    pub(crate) fn new(exporter: E) -> Self {
        Self {
            exporter,
            resource: None,
        }
    }

    fn tell_resource(&mut self, resource: &Resource) {
        if self.resource.as_ref() != Some(resource) {
            let attributes = key_values(resource.attributes().map(|(k, v)| (k, v.clone())));
            let sdk = opentelemetry_sdk::Resource::builder_empty().with_attributes(attributes);
            self.exporter.set_resource(&sdk.build());
            self.resource = Some(resource.clone());
        }
    }
}

impl<E: SpanExporter + 'static> Exporter for SdkExporter<E> {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        self.tell_resource(batch.resource());
        let spans: Vec<_> = batch.spans().map(|span| span_data(&span)).collect();
        let count = spans.len() as u64;
        match block_on(self.exporter.export(spans), batch.deadline()) {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(export_error(&error, count)),
            None => Err(ExportError::Unreachable("no end in time".to_owned())),
        }
    }

    fn shutdown(&mut self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        // What it still held back, the exporter reports itself: the batches have been answered.
        let _ = self.exporter.shutdown_with_timeout(left);
    }

    fn target(&self) -> String {
        // Its `Debug` output may show credentials, its type does not.
        let name = std::any::type_name::<E>();
        name.split('<').next().unwrap_or(name).to_owned()
    }
}

/// The SDK leaves retries to its exporters, so what failed has failed for good; only one that ran
/// out of time may be asked again.
fn export_error(error: &OTelSdkError, spans: u64) -> ExportError {
    match error {
        OTelSdkError::Timeout(after) => {
            ExportError::Unreachable(format!("no success within {after:?}"))
        }
        OTelSdkError::AlreadyShutdown => ExportError::Rejected {
            spans,
            message: "the exporter is shut down".to_owned(),
        },
        OTelSdkError::InternalFailure(message) => ExportError::Rejected {
            spans,
            message: message.clone(),
        },
    }
}

fn span_data(span: &SpanView<'_>) -> SpanData {
    let mut events = SpanEvents::default();
    events.events = span.events().map(|event| self::event(&event)).collect();
    events.dropped_count = span.dropped_events_count();
    let mut links = SpanLinks::default();
    links.links = span.links().map(|link| self::link(&link)).collect();
    links.dropped_count = span.dropped_links_count();
    SpanData {
        span_context: SpanContext::new(
            span.trace_id(),
            span.span_id(),
            span.trace_flags(),
            false,
            span.trace_state().clone(),
        ),
        parent_span_id: span.parent_span_id(),
        parent_span_is_remote: span.is_parent_remote(),
        span_kind: span.kind().clone(),
        name: Cow::Owned(span.name().to_owned()),
        start_time: time(span.start_time_unix_nano()),
        end_time: time(span.end_time_unix_nano()),
        attributes: key_values(span.attributes()),
        dropped_attributes_count: span.dropped_attributes_count(),
        events,
        links,
        status: span.status().clone(),
        instrumentation_scope: span.scope().clone(),
    }
}

fn event(event: &EventView<'_>) -> Event {
    Event::new(
        event.name().to_owned(),
        time(event.time_unix_nano()),
        key_values(event.attributes()),
        event.dropped_attributes_count(),
    )
}

fn link(link: &LinkView<'_>) -> Link {
    Link::new(
        link.span_context().clone(),
        key_values(link.attributes()),
        link.dropped_attributes_count(),
    )
}

fn key_values<'a>(attributes: impl Iterator<Item = (&'a str, Value<'a>)>) -> Vec<KeyValue> {
    let key_value = |(key, value): (&str, Value<'_>)| {
        let value: Option<opentelemetry::Value> = value.into();
        Some(KeyValue::new(key.to_owned(), value?))
    };
    attributes.filter_map(key_value).collect()
}

fn time(unix_nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(unix_nanos)
}

/// Wakes a parked thread.
#[derive(Debug)]
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread; `None` if it is not ready by the deadline.
fn block_on<T>(future: impl Future<Output = T>, deadline: Instant) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        // Returns at once if the future was woken meanwhile.
        std::thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests;
