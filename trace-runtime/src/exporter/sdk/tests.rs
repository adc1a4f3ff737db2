use std::future;
use std::sync::Mutex;
use std::thread;

use opentelemetry_sdk::error::OTelSdkResult;
use proptest::prelude::*;

use super::*;
use crate::SpanRecord;
use crate::exporter::samples::{any_records, batch, plain_records, some_resource};

/// What an SDK exporter was told.
#[derive(Debug, Default)]
struct Told {
    spans: Vec<SpanData>,
    resources: Vec<opentelemetry_sdk::Resource>,
    shutdown: Option<Duration>,
}

#[derive(Clone, Debug)]
enum Behaviour {
    Takes,
    Fails(fn() -> OTelSdkError),
    WokenByAnotherThread,
    NeverReady,
}

#[derive(Debug)]
struct Sdk {
    told: Arc<Mutex<Told>>,
    behaviour: Behaviour,
}

impl SpanExporter for Sdk {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.told.lock().unwrap().spans.extend(batch);
        match self.behaviour {
            Behaviour::Takes => Ok(()),
            Behaviour::Fails(error) => Err(error()),
            Behaviour::WokenByAnotherThread => {
                woken_by_another_thread().await;
                Ok(())
            }
            Behaviour::NeverReady => future::pending().await,
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.told.lock().unwrap().shutdown = Some(timeout);
        Ok(())
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        self.told.lock().unwrap().resources.push(resource.clone());
    }
}

/// Pending once, then ready.
async fn woken_by_another_thread() {
    let mut polled = false;
    future::poll_fn(|context| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        let waker = context.waker().clone();
        thread::spawn(move || waker.wake());
        Poll::Pending
    })
    .await;
}

fn exporter(behaviour: Behaviour) -> (SdkExporter<Sdk>, Arc<Mutex<Told>>) {
    let told = Arc::new(Mutex::new(Told::default()));
    let sdk = Sdk {
        told: told.clone(),
        behaviour,
    };
    (SdkExporter::new(sdk), told)
}

fn export(behaviour: Behaviour) -> Result<(), ExportError> {
    let (resource, records) = (some_resource(), plain_records(3));
    exporter(behaviour).0.export(&batch(&resource, &records))
}

proptest! {
    #[test]
    fn every_field_arrives(records in any_records()) {
        let (mut exporter, told) = exporter(Behaviour::Takes);
        exporter.export(&batch(&some_resource(), &records)).unwrap();
        let told = told.lock().unwrap();
        assert_eq!(told.spans.len(), records.len());
        for (data, view) in told.spans.iter().zip(records.iter()) {
            check(data, &SpanRecord::from(&view));
        }
    }
}

fn check(data: &SpanData, record: &SpanRecord) {
    let context = SpanContext::new(
        record.trace_id,
        record.span_id,
        record.trace_flags,
        false,
        record.trace_state.clone(),
    );
    assert_eq!(data.span_context, context);
    assert_eq!(data.parent_span_id, record.parent_span_id);
    assert_eq!(data.parent_span_is_remote, record.is_parent_remote);
    assert_eq!(data.span_kind, record.kind);
    assert_eq!(data.name, record.name);
    assert_eq!(data.start_time, record.start_time);
    assert_eq!(data.end_time, record.end_time);
    assert_eq!(data.attributes, record.attributes);
    assert_eq!(
        data.dropped_attributes_count,
        record.dropped_attributes_count
    );
    assert_eq!(data.status, record.status);
    assert_eq!(data.instrumentation_scope, record.scope);
    assert_eq!(data.events.dropped_count, record.dropped_events_count);
    assert_eq!(data.events.len(), record.events.len());
    for (event, wanted) in data.events.iter().zip(&record.events) {
        assert_eq!(event.name, wanted.name);
        assert_eq!(event.timestamp, wanted.time);
        assert_eq!(event.attributes, wanted.attributes);
        assert_eq!(
            event.dropped_attributes_count,
            wanted.dropped_attributes_count
        );
    }
    assert_eq!(data.links.dropped_count, record.dropped_links_count);
    assert_eq!(data.links.len(), record.links.len());
    for (link, wanted) in data.links.iter().zip(&record.links) {
        assert_eq!(link.span_context, wanted.span_context);
        assert_eq!(link.attributes, wanted.attributes);
        assert_eq!(
            link.dropped_attributes_count,
            wanted.dropped_attributes_count
        );
    }
}

#[test]
fn the_resource_is_told_first_and_when_it_changes() {
    let (mut exporter, told) = exporter(Behaviour::Takes);
    let (mut resource, records) = (some_resource(), plain_records(1));
    for _ in 0..2 {
        exporter.export(&batch(&resource, &records)).unwrap();
    }
    let name = ("service.name".to_owned(), Value::Str("renamed".into()));
    resource.attributes[0] = name;
    exporter.export(&batch(&resource, &records)).unwrap();
    let told = told.lock().unwrap();
    let names: Vec<_> = told
        .resources
        .iter()
        .map(|resource| resource.get(&"service.name".into()).unwrap().to_string())
        .collect();
    assert_eq!(names, ["orders", "renamed"]);
}

#[test]
fn another_thread_may_wake_the_future() {
    assert_eq!(export(Behaviour::WokenByAnotherThread), Ok(()));
}

#[test]
fn a_future_that_is_never_ready_is_dropped_at_the_deadline() {
    let (mut exporter, _) = exporter(Behaviour::NeverReady);
    let (resource, records) = (some_resource(), plain_records(1));
    let batch = Batch {
        deadline: Instant::now() + Duration::from_millis(50),
        ..batch(&resource, &records)
    };
    let result = exporter.export(&batch);
    assert_eq!(
        result,
        Err(ExportError::Unreachable("no end in time".to_owned()))
    );
    assert!(Instant::now() >= batch.deadline);
}

#[test]
fn errors_say_whether_to_come_back() {
    let timeout = export(Behaviour::Fails(|| {
        OTelSdkError::Timeout(Duration::from_secs(3))
    }));
    assert_eq!(
        timeout,
        Err(ExportError::Unreachable("no success within 3s".to_owned()))
    );
    for (error, message) in [
        (
            (|| OTelSdkError::InternalFailure("no".to_owned())) as fn() -> _,
            "no",
        ),
        (
            || OTelSdkError::AlreadyShutdown,
            "the exporter is shut down",
        ),
    ] {
        let message = message.to_owned();
        let rejected = ExportError::Rejected { spans: 3, message };
        assert_eq!(export(Behaviour::Fails(error)), Err(rejected));
    }
}

#[test]
fn shutdown_is_passed_on_with_the_time_left() {
    let (mut exporter, told) = exporter(Behaviour::Takes);
    exporter.shutdown(Instant::now() + Duration::from_secs(60));
    let left = told.lock().unwrap().shutdown.unwrap();
    assert!(left > Duration::from_secs(30) && left <= Duration::from_secs(60));
}

#[test]
fn the_target_is_the_type_alone() {
    let (exporter, _) = exporter(Behaviour::Takes);
    assert!(exporter.target().ends_with("sdk::tests::Sdk"));
}

#[test]
fn a_wake_before_the_wait_is_not_lost() {
    let mut polled = false;
    let future = future::poll_fn(|context| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        context.waker().wake_by_ref();
        Poll::Pending
    });
    let deadline = Instant::now() + Duration::from_secs(20);
    assert_eq!(block_on(future, deadline), Some(()));
    assert!(Instant::now() < deadline);
}
