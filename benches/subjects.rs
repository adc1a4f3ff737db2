//! The proof that the comparison is honest: every subject really makes the spans it is timed for.

use std::sync::Arc;

use benches::gate::Gate;
use benches::sink::Sink;
use benches::subject::{self, Destination};
use benches::{SPANS_PER_TRACE, Workload};
use opentelemetry_proto::tonic::trace::v1::Span;

/// Sends three traces to a sink and checks names, parents, arguments and `code.*` attributes.
/// A subject is installed once per process, so each has one test.
fn delivers_right_traces(name: &str) {
    let subject = subject::find(name).expect("a known subject");
    let sink = Sink::start().expect("a free port");
    let pipeline = subject
        .install(&Destination::Otlp(sink.endpoint().to_owned()))
        .expect("a working exporter");
    subject.run(Workload::FourSpans, 10..13);
    pipeline.flush();
    let verdict = sink.verdict(subject.sends_code());
    assert!(verdict.is_exactly(3), "{verdict:?}");
    for (workload, depth, attributes) in [
        (Workload::Deep, 50, 1),
        (Workload::Wide, 2, 1),
        (Workload::Failing, 2, 1),
        (Workload::TwentyAttributes, 1, 20),
        (Workload::LongText, 1, 1),
    ] {
        subject.run(workload, 10..13);
        pipeline.flush();
        has_shape(&sink.spans(), name, workload, depth, attributes);
    }
    pipeline.shutdown();
}

/// Checks what the workload is about: how many spans, how deep, with how many attributes, failed or
/// not, the text uncut.
fn has_shape(spans: &[Span], name: &str, workload: Workload, depth: usize, attributes: usize) {
    let about = format!("{name}, {}", workload.name());
    assert_eq!(spans.len() as u64, 3 * workload.spans(), "{about}");
    let depths: Vec<usize> = spans.iter().map(|span| depth_of(span, spans)).collect();
    assert_eq!(depths.iter().filter(|d| **d == 1).count(), 3, "{about}");
    assert_eq!(depths.into_iter().max(), Some(depth), "{about}");
    for span in spans {
        assert!(span.attributes.len() >= attributes, "{about}: {span:?}");
    }
    let said = spans.iter().any(|span| !span.events.is_empty());
    assert_eq!(said, workload == Workload::Failing, "{about}");
    if workload == Workload::LongText {
        assert!(format!("{spans:?}").contains(&"x".repeat(1000)), "{about}");
    }
}

/// 1 for a root.
fn depth_of(span: &Span, spans: &[Span]) -> usize {
    let parent = spans
        .iter()
        .find(|other| other.span_id == span.parent_span_id);
    1 + parent.map_or(0, |parent| depth_of(parent, spans))
}

#[test]
fn ours_delivers_right_traces() {
    delivers_right_traces(subject::OURS);
}

#[test]
fn sdk_delivers_right_traces() {
    delivers_right_traces("SDK");
}

#[test]
fn sdk_with_code_delivers_right_traces() {
    delivers_right_traces("SDK + code");
}

#[test]
fn tracing_delivers_right_traces() {
    delivers_right_traces("tracing");
}

#[test]
fn fastrace_delivers_right_traces() {
    delivers_right_traces("fastrace");
}

#[test]
fn what_only_compares_delivers_nothing() {
    let gate = Arc::new(Gate::opened());
    for subject in subject::ALL.iter().filter(|subject| !subject.records()) {
        let pipeline = subject
            .install(&Destination::Null(gate.clone()))
            .expect("nothing to go wrong");
        subject.run(Workload::FourSpans, 0..3);
        pipeline.shutdown();
    }
    assert_eq!(gate.spans(), 0);
    assert_eq!(SPANS_PER_TRACE, 4);
}
