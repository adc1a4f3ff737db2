//! What the doctor says about receivers that do not work, and about those that do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tests::closed_port::ClosedPort;
use tests::collector::Collector;
use trace_runtime::doctor::{Probing, Report, doctor};
use trace_runtime::{Batch, ExportError, Exporter, Keep, Tracer, TracerBuilder};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

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

fn examine(variables: &[(&'static str, &str)]) -> Report {
    doctor(tracer(variables), Probing::Within(Duration::from_secs(10)))
}

/// The one thing that is wrong with what answers at `url`.
fn problem_at(url: &str) -> String {
    let report = examine(&[(ENDPOINT, url)]);
    assert!(!report.is_healthy(), "{report}");
    let problems = report.problems();
    assert_eq!(problems.len(), 1, "{report}");
    assert!(report.to_string().contains(&problems[0]), "{report}");
    problems[0].clone()
}

fn json(report: &Report) -> Value {
    serde_json::from_str(&report.to_json()).expect("valid JSON")
}

/// Answers every connection with these bytes, after the request or at once.
fn server(answer: impl Into<Vec<u8>>, at_once: bool) -> String {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            if !at_once {
                read_request(&mut stream);
            }
            let _ = stream.get_mut().write_all(&answer);
            let _ = stream.get_mut().shutdown(std::net::Shutdown::Write);
            // Until the client hangs up: closing with unread bytes would take the answer back.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    url
}

fn read_request(stream: &mut impl BufRead) {
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        line.clear();
    }
    let _ = stream.read_exact(&mut vec![0; length]);
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    server(answer, false)
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn a_receiver_that_works_gets_the_test_span() {
    let collector = Collector::start();
    let report = examine(&[
        (ENDPOINT, &collector.url()),
        // What is sampled or recorded otherwise does not matter here.
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("TRACED_LEVEL", "off"),
    ]);
    assert!(report.is_healthy(), "{report}");
    let received = collector.wait_for(1);
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].service, "orders");
    let trace_id = report.trace_id().expect("a test span");
    assert_eq!(received[0].span.trace_id, trace_id.to_bytes());
    assert_has(
        &report.to_string(),
        &[
            "HTTP 200 OK",
            &format!("trace {trace_id} of service `orders`"),
            "nothing is wrong",
        ],
    );
    let json = json(&report);
    assert_eq!(json["test_span"]["trace_id"], trace_id.to_string());
    assert_eq!(json["test_span"]["delivered"], true);
    assert_eq!(json["probes"][0]["reached"], true);
    assert_eq!(json["healthy"], true);
}

#[test]
fn a_refused_connection_names_the_address_and_the_variable() {
    let port = ClosedPort::default();
    let address = port.address.to_string();
    let problem = problem_at(&format!("http://user:hidden@{address}"));
    assert_has(
        &problem,
        &[
            "nothing listens on",
            &address,
            "`OTEL_EXPORTER_OTLP_ENDPOINT`",
        ],
    );
    let report = doctor(
        tracer(&[]).with_endpoint(format!("http://user:hidden@{address}")),
        Probing::Within(Duration::from_secs(10)),
    );
    assert_has(&report.problems()[0], &["`with_endpoint`"]);
    let everything = format!("{report} {}", report.to_json());
    assert!(!everything.contains("hidden"), "{everything}");
    let json = json(&report);
    assert_eq!(json["probes"][0]["reached"], false);
    assert_eq!(json["test_span"]["delivered"], false);
    assert_eq!(json["healthy"], false);
}

#[test]
fn an_unknown_host_is_named() {
    // A label that is too long for the name servers, so none is asked.
    let host = format!("{}.test", "a".repeat(64));
    let problem = problem_at(&format!("http://{host}:4318"));
    assert_has(
        &problem,
        &["there is no host", &host, "`OTEL_EXPORTER_OTLP_ENDPOINT`"],
    );
}

#[test]
fn refused_credentials_name_the_headers() {
    let url = http("401 Unauthorized", "", "who are you");
    let problem = problem_at(&url);
    assert_has(
        &problem,
        &["HTTP 401 Unauthorized", "`OTEL_EXPORTER_OTLP_HEADERS`"],
    );
}

#[test]
fn a_server_of_grpc_is_recognised() {
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];
    let problem = problem_at(&server(settings, true));
    assert_has(&problem, &["speaks gRPC", "4318"]);
}

#[test]
fn a_server_that_expects_tls_is_recognised() {
    let alert = [21, 3, 1, 0, 2, 2, 70];
    assert_has(
        &problem_at(&server(alert, false)),
        &["expects TLS", "`https://`"],
    );
    let go = "Client sent an HTTP request to an HTTPS server.\n";
    let problem = problem_at(&http("400 Bad Request", "", go));
    assert_has(&problem, &["expects TLS", "`https://`"]);
}

#[test]
fn other_servers_are_told_apart() {
    let problem = problem_at(&server("SSH-2.0-OpenSSH_9.6\r\n", true));
    assert_has(&problem, &["is not HTTP", "4318"]);
    let problem = problem_at(&server("", false));
    assert_has(&problem, &["closes the connection"]);
    let page = http("200 OK", "Content-Type: text/html\r\n", "<html>");
    assert_has(&problem_at(&page), &["a web page", "`/v1/traces`"]);
    let problem = problem_at(&http("404 Not Found", "", ""));
    assert_has(&problem, &["HTTP 404 Not Found", "`/v1/traces`"]);
    let moved = http(
        "301 Moved Permanently",
        "Location: http://other/x?key=k\r\n",
        "",
    );
    assert_has(
        &problem_at(&moved),
        &["set `OTEL_EXPORTER_OTLP_ENDPOINT` to `http://other/x`"],
    );
    let problem = problem_at(&http("415 Unsupported Media Type", "", ""));
    assert_has(&problem, &["`OTEL_EXPORTER_OTLP_PROTOCOL`"]);
    let problem = problem_at(&http("503 Service Unavailable", "", ""));
    assert_has(&problem, &["takes nothing now", "HTTP 503"]);
}

#[test]
fn a_collector_of_jaeger_is_asked_too() {
    let url = http("403 Forbidden", "", "");
    let report = examine(&[("JAEGER_ENDPOINT", &url)]);
    let problems = report.problems();
    assert_eq!(problems.len(), 1, "{report}");
    assert_has(
        &problems[0],
        &["HTTP 403 Forbidden", "`JAEGER_USER`", "`JAEGER_AUTH_TOKEN`"],
    );
    let report = examine(&[("JAEGER_ENDPOINT", &server("", false))]);
    assert_has(&report.problems()[0], &["14268", "`JAEGER_ENDPOINT`"]);
    let report = examine(&[("JAEGER_ENDPOINT", &http("202 Accepted", "", ""))]);
    assert!(report.is_healthy(), "{report}");
}

#[test]
fn an_agent_is_sent_a_datagram() {
    let agent = UdpSocket::bind("127.0.0.1:0").unwrap();
    agent
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let port = agent.local_addr().unwrap().port().to_string();
    let variables = [
        ("JAEGER_AGENT_HOST", "127.0.0.1"),
        ("JAEGER_AGENT_PORT", &*port),
    ];
    let report = examine(&variables);
    assert!(report.is_healthy(), "{report}");
    let mut buffer = [0; 65_000];
    assert_eq!(agent.recv(&mut buffer).unwrap(), 0, "the probe is empty");
    let length = agent.recv(&mut buffer).unwrap();
    let trace_id = report.trace_id().expect("a test span");
    assert!(length > 100 && trace_id.to_bytes() != [0; 16]);
    drop(agent);
    let report = examine(&variables);
    assert_has(
        &report.problems()[0],
        &["no agent listens on UDP", &port, "`JAEGER_AGENT_HOST`"],
    );
}

#[test]
fn silence_ends_with_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let report = doctor(
        tracer(&[(ENDPOINT, &url)]),
        Probing::Within(Duration::from_millis(200)),
    );
    assert_has(&report.problems()[0], &["does not answer in time"]);
    drop(listener);
}

#[test]
fn clocks_that_differ_are_told() {
    for (date, word) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "ahead of"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "behind"),
    ] {
        let url = http("200 OK", &format!("Date: {date}\r\n"), "");
        let problem = problem_at(&url);
        assert_has(&problem, &["clock", word, "NTP"]);
    }
}

#[test]
fn a_date_that_agrees_is_no_problem() {
    let url = http("200 OK", &format!("Date: {}\r\n", http_date_of_now()), "");
    let report = examine(&[(ENDPOINT, &url)]);
    assert!(report.is_healthy(), "{report}");
}

fn http_date_of_now() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let (mut days, mut year) = (now / 86_400, 1970);
    let leap = |year: u64| u64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    while days >= 365 + leap(year) {
        days -= 365 + leap(year);
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let names = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    format!(
        "Mon, {:02} {} {year} {:02}:{:02}:{:02} GMT",
        days + 1,
        names[month],
        now / 3600 % 24,
        now / 60 % 60,
        now % 60
    )
}

#[test]
fn bad_values_are_reported_and_unhealthy() {
    let report = doctor(
        tracer(&[
            ("OTEL_BSP_SCHEDULE_DELAY", "0"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hidden"),
            ("JAEGER_TRACEID_128BIT", "false"),
        ]),
        Probing::Off,
    );
    assert!(!report.is_healthy());
    assert_has(
        &report.to_string(),
        &["error: `OTEL_BSP_SCHEDULE_DELAY=0`: ", "1 problem found"],
    );
    let json = json(&report);
    let found = |variable: &str| {
        let all = json["diagnostics"].as_array().expect("a list");
        let found = all.iter().find(|entry| entry["variable"] == variable);
        found
            .unwrap_or_else(|| panic!("no `{variable}` in {json}"))
            .clone()
    };
    let delay = found("OTEL_BSP_SCHEDULE_DELAY");
    assert_eq!(
        (&delay["level"], &delay["value"]),
        (&"warning".into(), &"0".into())
    );
    assert_eq!(found("JAEGER_TRACEID_128BIT")["level"], "info");
    assert_eq!(json["otlp_headers"]["value"]["api-key"], "[redacted]");
    assert!(json.get("probes").is_none(), "{json}");
}

#[test]
fn every_setting_has_a_value_and_a_source() {
    let report = doctor(
        tracer(&[
            ("OTEL_TRACES_EXPORTER", "otlp,console"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=a%20b"),
            ("OTEL_PROPAGATORS", "b3"),
            ("OTEL_BSP_SCHEDULE_DELAY", "250"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("JAEGER_AGENT_HOST", "agent"),
        ])
        .with_log_spans(true),
        Probing::Off,
    );
    let json = json(&report);
    for (name, value, source) in [
        ("service_name", Value::from("orders"), "code"),
        (
            "otlp_endpoint",
            "http://localhost:4318/v1/traces".into(),
            "default",
        ),
        ("otlp_protocol", "http/protobuf".into(), "default"),
        ("otlp_headers", Value::Object(Default::default()), "default"),
        ("otlp_timeout_ms", 0.into(), "OTEL_EXPORTER_OTLP_TIMEOUT"),
        ("otlp_compression", "none".into(), "default"),
        ("jaeger_agent", "agent:6831".into(), "JAEGER_AGENT_HOST"),
        (
            "jaeger_endpoint",
            "http://localhost:14268/api/traces".into(),
            "default",
        ),
        ("sampler", "parentbased_always_on".into(), "default"),
        ("propagators", vec!["b3"].into(), "OTEL_PROPAGATORS"),
        ("schedule_delay_ms", 250.into(), "OTEL_BSP_SCHEDULE_DELAY"),
        ("queue_size", 32_768.into(), "default"),
        ("batch_size", 512.into(), "default"),
        ("span_attribute_limit", 128.into(), "default"),
        ("attribute_value_length_limit", Value::Null, "default"),
        ("log_spans", true.into(), "code"),
        ("disabled", false.into(), "default"),
    ] {
        assert_eq!(json[name]["value"], value, "{name}");
        assert_eq!(json[name]["source"], source, "{name}");
    }
    assert_eq!(json["resource"]["value"]["team"], "a b");
    assert_eq!(
        json["resource"]["sources"]["team"],
        "OTEL_RESOURCE_ATTRIBUTES"
    );
    let exporters = json["exporters"].as_array().expect("a list");
    let names: Vec<_> = exporters
        .iter()
        .map(|exporter| &exporter["value"])
        .collect();
    assert_eq!(names, ["otlp", "console"]);
    assert_eq!(exporters[0]["source"], "OTEL_TRACES_EXPORTER");
}

#[test]
fn nothing_is_sent_without_exporters_or_when_disabled() {
    let report = examine(&[("OTEL_TRACES_EXPORTER", "none")]);
    assert!(
        report.is_healthy() && report.trace_id().is_none(),
        "{report}"
    );
    assert_has(
        &report.to_string(),
        &["there is no exporter (OTEL_TRACES_EXPORTER)"],
    );
    let report = examine(&[("OTEL_SDK_DISABLED", "true")]);
    assert!(
        report.is_healthy() && report.trace_id().is_none(),
        "{report}"
    );
    assert_has(
        &report.to_string(),
        &["tracing is disabled (OTEL_SDK_DISABLED)"],
    );
}

struct Refusing;

impl Exporter for Refusing {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        Err(ExportError::Rejected {
            spans: batch.spans().len() as u64,
            message: "not today".to_owned(),
        })
    }

    fn target(&self) -> String {
        "the void".to_owned()
    }
}

#[test]
fn exporters_and_hooks_of_the_application_take_part() {
    let limit = Probing::Within(Duration::from_secs(10));
    let report = doctor(tracer(&[]).with_exporter(Refusing), limit);
    assert_has(&report.problems().concat(), &["the void", "not today"]);
    let json = json(&report);
    assert_eq!(json["exporters"][0]["value"], "custom");
    assert_eq!(json["exporters"][0]["target"], "the void");
    let dropping = tracer(&[])
        .with_exporter(Refusing)
        .with_on_end(|_| Keep::No);
    let report = doctor(dropping, limit);
    assert_has(
        &report.problems().concat(),
        &["`with_on_end` drops the test span"],
    );
}
