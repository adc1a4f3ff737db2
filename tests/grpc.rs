//! Spans on their way over gRPC, from programs with and without a runtime.

mod authority;
mod grpc_receiver;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use tests::closed_port::ClosedPort;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use tonic::{Code, Status};
use trace_runtime::doctor::{Probing, doctor};
use trace_runtime::{Tracer, TracerBuilder, TracerGuard, traced};

use authority::{Authority, file};
use grpc_receiver::{Answers, Receiver};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

#[traced]
fn checkout(_order_id: u64) {}

fn builder(variables: &[(&'static str, &str)]) -> TracerBuilder {
    let mut variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    variables.push(("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()));
    // Nothing is sent before a test asks for it.
    variables.push(("OTEL_BSP_SCHEDULE_DELAY", "3600000".to_owned()));
    Tracer::builder()
        .with_service_name("orders")
        .with_env(move |name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.clone())
        })
}

fn tracer(variables: &[(&'static str, &str)]) -> (Tracer, TracerGuard) {
    builder(variables).build().unwrap()
}

/// Sends one span and ends.
fn send(variables: &[(&'static str, &str)]) -> Result<(), String> {
    let (tracer, guard) = tracer(variables);
    tracer.in_scope(|| checkout(7));
    let sent = guard.shutdown(Duration::from_secs(20));
    sent.map_err(|error| error.to_string())
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn spans_arrive_without_a_runtime_with_headers_and_a_deadline() {
    let receiver = Receiver::start(Answers::new());
    let url = format!("http://user:word@{}", receiver.address);
    let sent = send(&[
        (ENDPOINT, &url),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b,api-key=k"),
        (TIMEOUT, "9000"),
    ]);
    assert_eq!(sent, Ok(()));
    let call = receiver.calls.recv().unwrap();
    assert_eq!(call.names(), ["checkout"]);
    assert_eq!(call.header("x-tenant"), Some("a b"));
    assert_eq!(call.header("api-key"), Some("k"));
    assert_eq!(call.header("authorization"), Some("Basic dXNlcjp3b3Jk"));
    assert_eq!(call.header("grpc-encoding"), None);
    assert!(call.header("grpc-timeout").is_some());
    let agent = call.header("user-agent").unwrap_or_default();
    assert!(agent.starts_with("trace-runtime/"), "{agent}");
}

#[tokio::test(flavor = "current_thread")]
async fn spans_arrive_from_a_runtime_with_one_thread() {
    let receiver = Receiver::start(Answers::new());
    assert_eq!(send(&[(ENDPOINT, &receiver.url())]), Ok(()));
    assert_eq!(receiver.calls.recv().unwrap().names(), ["checkout"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_arrive_from_a_runtime_with_many_threads() {
    let receiver = Receiver::start(Answers::new());
    let (tracer, guard) = tracer(&[(ENDPOINT, &receiver.url())]);
    for order in 0..3 {
        let tracer = tracer.clone();
        let task = tokio::spawn(async move { tracer.in_scope(|| checkout(order)) });
        task.await.unwrap();
        guard.flush().unwrap();
        assert_eq!(receiver.calls.recv().unwrap().names(), ["checkout"]);
    }
    // The end, inside of a task.
    tracer.in_scope(|| checkout(3));
    let task = tokio::spawn(async move { guard.shutdown(Duration::from_secs(20)) });
    task.await.unwrap().unwrap();
    assert_eq!(receiver.calls.recv().unwrap().names(), ["checkout"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_guard_may_be_dropped_in_a_task() {
    let receiver = Receiver::start(Answers::new());
    let (tracer, guard) = tracer(&[(ENDPOINT, &receiver.url())]);
    tracer.in_scope(|| checkout(7));
    let task = tokio::spawn(async move { drop(guard) });
    task.await.unwrap();
    assert_eq!(receiver.calls.recv().unwrap().names(), ["checkout"]);
}

#[test]
fn a_refused_connection_is_told_at_once() {
    let port = ClosedPort::default();
    let began = Instant::now();
    let failed = send(&[(ENDPOINT, &port.url())]).unwrap_err();
    assert_has(&failed, &["1 not: ", "connection refused"]);
    assert!(began.elapsed() < Duration::from_secs(10), "{began:?}");
}

#[test]
fn silence_ends_with_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let began = Instant::now();
    let failed = send(&[(ENDPOINT, &url), (TIMEOUT, "300")]).unwrap_err();
    assert_has(&failed, &["no answer in time"]);
    assert!(began.elapsed() < Duration::from_secs(10), "{began:?}");
    drop(listener);
}

#[test]
fn a_busy_receiver_gets_the_spans_later() {
    let receiver = Receiver::start(vec![Err(Status::unavailable("starting"))]);
    let (tracer, guard) = tracer(&[(ENDPOINT, &receiver.url())]);
    tracer.in_scope(|| checkout(7));
    let failed = guard.flush().unwrap_err().to_string();
    assert_has(&failed, &["Unavailable", "starting"]);
    assert_eq!(guard.shutdown(Duration::from_secs(20)), Ok(()));
    assert_eq!(receiver.calls.iter().take(2).count(), 2);
    assert_eq!(guard.stats().exported, 1);
}

#[test]
fn refused_spans_are_not_sent_again() {
    let refusal = Status::new(Code::Unauthenticated, "who are you");
    let receiver = Receiver::start(vec![Err(refusal)]);
    let (tracer, guard) = tracer(&[(ENDPOINT, &receiver.url())]);
    tracer.in_scope(|| checkout(7));
    let failed = guard.shutdown(Duration::from_secs(20)).unwrap_err();
    assert_has(
        &failed.to_string(),
        &["Unauthenticated", "who are you", "check the credentials"],
    );
    assert_eq!(receiver.calls.try_iter().count(), 1);
    assert_eq!(guard.stats().failed, 1);
}

#[test]
fn a_partial_success_counts_what_was_refused() {
    let answer = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 1,
            error_message: "too old".to_owned(),
        }),
    };
    let receiver = Receiver::start(vec![Ok(answer.encode_to_vec().into())]);
    let (tracer, guard) = tracer(&[(ENDPOINT, &receiver.url())]);
    tracer.in_scope(|| (0..3).for_each(checkout));
    assert!(guard.shutdown(Duration::from_secs(20)).is_err());
    let said: Vec<_> = guard
        .diagnostics()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_has(&said.concat(), &["too old"]);
    let stats = guard.stats();
    assert_eq!((stats.exported, stats.failed), (2, 1));
}

#[test]
fn messages_are_compressed_if_asked_for() {
    let receiver = Receiver::start(Answers::new());
    let sent = send(&[
        (ENDPOINT, &receiver.url()),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ]);
    assert_eq!(sent, Ok(()));
    let call = receiver.calls.recv().unwrap();
    assert_eq!(call.header("grpc-encoding"), Some("gzip"));
    assert_eq!(call.names(), ["checkout"]);
}

#[test]
fn a_connection_that_is_gone_is_replaced_without_loss() {
    let first = Receiver::start(Answers::new());
    let address = first.address;
    let (tracer, guard) = tracer(&[(ENDPOINT, &first.url())]);
    tracer.in_scope(|| checkout(1));
    guard.flush().unwrap();
    assert!(first.calls.recv().is_ok());
    drop(first);
    let second = Receiver::listen(address, Answers::new(), None);
    tracer.in_scope(|| checkout(2));
    // The last attempt, which nothing repeats.
    assert_eq!(guard.shutdown(Duration::from_secs(20)), Ok(()));
    assert_eq!(second.calls.recv().unwrap().names(), ["checkout"]);
}

#[test]
fn an_address_without_a_scheme_is_insecure_if_said_so() {
    let receiver = Receiver::start(Answers::new());
    let address = receiver.address.to_string();
    let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "true");
    assert_eq!(send(&[(ENDPOINT, &address), insecure]), Ok(()));
    assert!(send(&[(ENDPOINT, &address), (TIMEOUT, "2000")]).is_err());
}

#[test]
fn tls_trusts_our_authority_and_shows_a_client_certificate() {
    let authority = Authority::new();
    let (server, us) = (authority.sign(&["localhost"]), authority.sign(&["us"]));
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(&server.certificate, &server.key))
        .client_ca_root(Certificate::from_pem(authority.pem()));
    let address = "127.0.0.1:0".parse().unwrap();
    let receiver = Receiver::listen(address, Answers::new(), Some(tls));
    let url = format!("https://localhost:{}", receiver.address.port());
    let trusted = [
        (ENDPOINT, &*url),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &file(authority.pem())),
        (
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            &file(&us.certificate),
        ),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &file(&us.key)),
    ];
    assert_eq!(send(&trusted), Ok(()));
    assert_eq!(receiver.calls.recv().unwrap().names(), ["checkout"]);
    let limit = Probing::Within(Duration::from_secs(10));
    let report = doctor(builder(&trusted), limit);
    assert!(report.is_healthy(), "{report}");

    let failed = send(&[(ENDPOINT, &*url)]).unwrap_err();
    assert_has(&failed, &["UnknownIssuer"]);
    let report = doctor(builder(&trusted[..1]), limit);
    assert_has(
        &report.problems().concat(),
        &["`OTEL_EXPORTER_OTLP_CERTIFICATE`"],
    );
}

#[test]
fn the_doctor_tells_grpc_from_http() {
    let limit = Probing::Within(Duration::from_secs(10));
    let receiver = Receiver::start(Answers::new());
    let report = doctor(builder(&[(ENDPOINT, &receiver.url())]), limit);
    assert!(report.is_healthy(), "{report}");
    assert_eq!(receiver.calls.recv().unwrap().names(), ["doctor"]);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let report = doctor(builder(&[(ENDPOINT, &url)]), limit);
    let problems = report.problems();
    assert_eq!(problems.len(), 1, "{report}");
    assert_has(
        &problems[0],
        &[
            "speaks HTTP/1.1",
            "`OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`",
            "4317",
        ],
    );
    assert_has(
        &send(&[(ENDPOINT, &url)]).unwrap_err(),
        &["may not speak gRPC"],
    );
}
