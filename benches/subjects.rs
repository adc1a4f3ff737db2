//! The proof that the comparison is honest: every subject really makes the spans it is timed for.

use std::sync::Arc;

use benches::SPANS_PER_TRACE;
use benches::gate::Gate;
use benches::sink::Sink;
use benches::subject::{self, Destination};

/// Sends three traces to a sink and checks names, parents, arguments and `code.*` attributes.
/// A subject is installed once per process, so each has one test.
fn delivers_right_traces(name: &str) {
    let subject = subject::find(name).expect("a known subject");
    let sink = Sink::start().expect("a free port");
    let pipeline = subject
        .install(&Destination::Otlp(sink.endpoint().to_owned()))
        .expect("a working exporter");
    subject.traces(10..13);
    pipeline.flush();
    pipeline.shutdown();
    let verdict = sink.verdict(subject.sends_code());
    assert!(verdict.is_exactly(3), "{verdict:?}");
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
fn plain_delivers_nothing() {
    let gate = Arc::new(Gate::opened());
    let subject = subject::find(subject::PLAIN).expect("a known subject");
    let pipeline = subject
        .install(&Destination::Null(gate.clone()))
        .expect("nothing to go wrong");
    subject.traces(0..3);
    pipeline.shutdown();
    assert_eq!(gate.spans(), 0);
    assert_eq!(SPANS_PER_TRACE, 4);
}
