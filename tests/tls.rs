//! Spans on their way to receivers that are reached over TLS.

mod authority;
mod tls_server;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use trace_runtime::doctor::{Probing, doctor};
use trace_runtime::{Tracer, TracerBuilder, traced};

use authority::{Authority, file};
use tls_server::{serve, settings};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
const CLIENT_CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE";
const CLIENT_KEY: &str = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY";

#[traced]
fn checkout(_order_id: u64) {}

fn tracer(variables: &[(&'static str, &str)]) -> TracerBuilder {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    Tracer::builder()
        .with_service_name("orders")
        .with_env(move |name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.clone())
        })
}

/// Sends one span.
fn send(variables: &[(&'static str, &str)]) -> Result<(), String> {
    let (tracer, guard) = tracer(variables)
        .build()
        .map_err(|error| error.to_string())?;
    tracer.in_scope(|| checkout(7));
    let sent = guard.shutdown(Duration::from_secs(20));
    sent.map_err(|error| error.to_string())
}

fn problem(variables: &[(&'static str, &str)]) -> String {
    let limit = Probing::Within(Duration::from_secs(10));
    let report = doctor(tracer(variables), limit);
    let problems = report.problems();
    assert_eq!(problems.len(), 1, "{report}");
    problems[0].clone()
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn spans_arrive_where_our_authority_is_trusted() {
    let authority = Authority::new();
    let (port, requests) = serve(settings(&authority, &["127.0.0.1", "localhost"], false));
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{port}");
        let sent = send(&[
            (ENDPOINT, &url),
            (CERTIFICATE, &file(authority.pem())),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ]);
        assert_eq!(sent, Ok(()));
        let request = requests.recv().unwrap();
        assert_has(
            &request.head,
            &["post /v1/traces", "content-encoding: gzip\r\n"],
        );
        let mut body = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&*request.body);
        decoder.read_to_end(&mut body).unwrap();
        let request = ExportTraceServiceRequest::decode(&*body).unwrap();
        let span = &request.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!(span.name, "checkout");
    }
}

#[test]
fn a_client_certificate_is_shown_to_whom_wants_one() {
    let authority = Authority::new();
    let (port, requests) = serve(settings(&authority, &["localhost"], true));
    let url = format!("https://localhost:{port}");
    let us = authority.sign(&["us"]);
    let (ours, key) = (file(&us.certificate), file(&us.key));
    let trust = (CERTIFICATE, &*file(authority.pem()));
    let both = [
        (ENDPOINT, &*url),
        trust,
        (CLIENT_CERTIFICATE, &ours),
        (CLIENT_KEY, &key),
    ];
    assert_eq!(send(&both), Ok(()));
    assert!(requests.recv().is_ok());
    let report = doctor(tracer(&both), Probing::Within(Duration::from_secs(10)));
    assert!(report.is_healthy(), "{report}");

    let without = [(ENDPOINT, &*url), trust];
    assert!(send(&without).is_err());
    assert_has(
        &problem(&without),
        &["refuses TLS", "`OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`"],
    );
}

#[test]
fn nothing_is_sent_to_whom_we_do_not_trust() {
    let authority = Authority::new();
    let (port, _requests) = serve(settings(&authority, &["localhost"], false));
    let url = format!("https://user:hidden@localhost:{port}");
    let failed = send(&[(ENDPOINT, &url)]).unwrap_err();
    assert_has(&failed, &["certificate", "UnknownIssuer"]);
    let problem = problem(&[(ENDPOINT, &url)]);
    assert_has(
        &problem,
        &[
            "not signed by an authority",
            "`OTEL_EXPORTER_OTLP_CERTIFICATE`",
        ],
    );
    assert!(!problem.contains("hidden") && !failed.contains("hidden"));
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let (port, _requests) = serve(settings(&authority, &["elsewhere"], false));
    let url = format!("https://localhost:{port}");
    let variables = [(ENDPOINT, &*url), (CERTIFICATE, &file(authority.pem()))];
    assert!(send(&variables).is_err());
    assert_has(
        &problem(&variables),
        &["for another name", "`OTEL_EXPORTER_OTLP_ENDPOINT`"],
    );
}

#[test]
fn a_server_without_tls_is_recognised() {
    // One hangs up on the handshake, another takes it for a bad request.
    let collector = tests::collector::Collector::start();
    let hangs_up = collector.url().replace("http:", "https:");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let answers = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    for url in [hangs_up, answers] {
        assert_has(
            &problem(&[(ENDPOINT, &url)]),
            &["not speak TLS", "write `http://`"],
        );
    }
}

#[test]
fn files_that_cannot_be_used_are_errors_at_the_start() {
    let authority = Authority::new();
    let (one, other) = (authority.sign(&["one"]), authority.sign(&["other"]));
    let (certificate, key) = (file(&one.certificate), file(&one.key));
    let (other_key, empty) = (file(&other.key), file("nothing"));
    let garbage = file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (variables, parts) in [
        (
            &[(CERTIFICATE, &*empty)][..],
            &[CERTIFICATE, "no certificate in it"][..],
        ),
        (
            &[(CERTIFICATE, "missing.pem")],
            &[CERTIFICATE, "missing.pem"],
        ),
        (
            &[(CERTIFICATE, &garbage)],
            &[CERTIFICATE, "expected a PEM file"],
        ),
        (
            &[(CLIENT_CERTIFICATE, &certificate), (CLIENT_KEY, &empty)],
            &[CLIENT_KEY, "no private key in it"],
        ),
        (
            &[(CLIENT_CERTIFICATE, &certificate), (CLIENT_KEY, &other_key)],
            &[CLIENT_CERTIFICATE, "expected a PEM file"],
        ),
    ] {
        let mut all = vec![(ENDPOINT, "https://localhost:1")];
        all.extend_from_slice(variables);
        let error = tracer(&all).build().expect_err("no good file").to_string();
        assert_has(&error, parts);
        assert!(!error.contains(&other_key), "{error}");
    }
    let good = [
        (ENDPOINT, "https://localhost:1"),
        (CLIENT_CERTIFICATE, &*certificate),
        (CLIENT_KEY, &*key),
    ];
    assert!(tracer(&good).build().is_ok());
}
