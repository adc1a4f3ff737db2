//! Strategies, and servers that misbehave.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use opentelemetry::trace::{SpanKind, TraceId};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use proptest::{prop_assert_eq, proptest};

use super::*;
use crate::sampler::SamplingDecision;

const LOW_ID: TraceId = TraceId::from_bytes([0; 16]);
const HIGH_ID: TraceId = TraceId::from_bytes([0xff; 16]);

fn remote(settings: RemoteSampling) -> Remote {
    Remote {
        initial: Ratio::new(settings.initial_ratio),
        settings,
        strategy: RwLock::new(None),
    }
}

/// `type param` of a sampled root.
fn decide(remote: &Remote, name: &str, trace_id: TraceId) -> Option<String> {
    let sampling = remote.sample(&SamplingInput::new(name, SpanKind::Internal, trace_id));
    (sampling.decision == SamplingDecision::RecordAndSample).then(|| {
        let [kind, param] = sampling.attributes.as_slice() else {
            panic!("{:?}", sampling.attributes);
        };
        assert_eq!(
            (kind.key.as_str(), param.key.as_str()),
            ("sampler.type", "sampler.param")
        );
        format!("{} {}", kind.value, param.value)
    })
}

fn with_answer(json: &str) -> Remote {
    let remote = remote(RemoteSampling::new("http://localhost").with_max_operations(3));
    remote
        .update(json.as_bytes())
        .unwrap_or_else(|error| panic!("{json}: {error}"));
    remote
}

#[test]
fn initial_ratio_holds_until_the_first_answer() {
    let remote = remote(RemoteSampling::new("http://localhost"));
    assert_eq!(
        decide(&remote, "a", LOW_ID).as_deref(),
        Some("probabilistic 0.001")
    );
    assert_eq!(decide(&remote, "a", HIGH_ID), None);
    assert!(!remote.needs_name());
}

#[test]
fn probabilistic_strategy() {
    for kind in [
        "\"strategyType\":\"PROBABILISTIC\",",
        "\"strategyType\":0,",
        "",
    ] {
        let json = format!("{{{kind}\"probabilisticSampling\":{{\"samplingRate\":0.5}}}}");
        let remote = with_answer(&json);
        assert_eq!(
            decide(&remote, "a", LOW_ID).as_deref(),
            Some("probabilistic 0.5")
        );
        assert_eq!(decide(&remote, "a", HIGH_ID), None);
    }
}

#[test]
fn rate_limiting_strategy() {
    let json =
        r#"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":0.001}}"#;
    let remote = with_answer(json);
    assert_eq!(
        decide(&remote, "a", HIGH_ID).as_deref(),
        Some("ratelimiting 0.001")
    );
    assert_eq!(decide(&remote, "a", HIGH_ID), None);
}

#[test]
fn same_answer_does_not_refill_the_bucket() {
    let answer = |rate| {
        format!(r#"{{"strategyType":1,"rateLimitingSampling":{{"maxTracesPerSecond":{rate}}}}}"#)
    };
    let remote = with_answer(&answer("0.0001"));
    assert!(decide(&remote, "a", LOW_ID).is_some());
    remote.update(answer("1e-4").as_bytes()).unwrap();
    assert!(decide(&remote, "a", LOW_ID).is_none());
    remote.update(answer("0.0002").as_bytes()).unwrap();
    assert!(decide(&remote, "a", LOW_ID).is_some());
}

const PER_OPERATION: &str = r#"{
    "strategyType": "PROBABILISTIC",
    "probabilisticSampling": {"samplingRate": 1},
    "operationSampling": {
        "defaultSamplingProbability": 0.25,
        "defaultLowerBoundTracesPerSecond": 0.001,
        "perOperationStrategies": [
            {"operation": "GET /x", "probabilisticSampling": {"samplingRate": 0.5}},
            {"operation": "GET /never", "probabilisticSampling": {"samplingRate": 0}}
        ],
        "defaultUpperBoundTracesPerSecond": 0
    }
}"#;

#[test]
fn listed_operations_have_their_own_ratio() {
    let remote = with_answer(PER_OPERATION);
    assert!(remote.needs_name());
    assert_eq!(
        decide(&remote, "GET /x", LOW_ID).as_deref(),
        Some("probabilistic 0.5")
    );
    assert_eq!(decide(&remote, "GET /x", HIGH_ID), None);
}

#[test]
fn lower_bound_lets_rare_operations_through() {
    let remote = with_answer(PER_OPERATION);
    assert_eq!(
        decide(&remote, "GET /never", LOW_ID).as_deref(),
        Some("lowerbound 0.001")
    );
    assert_eq!(decide(&remote, "GET /never", LOW_ID), None);
}

#[test]
fn unknown_operations_share_the_default_once_the_table_is_full() {
    let remote = with_answer(PER_OPERATION);
    // The third of three: a sampler of its own, with a lower bound.
    assert_eq!(
        decide(&remote, "third", HIGH_ID).as_deref(),
        Some("lowerbound 0.001")
    );
    assert_eq!(
        decide(&remote, "third", LOW_ID).as_deref(),
        Some("probabilistic 0.25")
    );
    // The fourth: the ratio only.
    assert_eq!(decide(&remote, "fourth", HIGH_ID), None);
    assert_eq!(
        decide(&remote, "fourth", LOW_ID).as_deref(),
        Some("probabilistic 0.25")
    );
}

#[test]
fn same_operations_keep_their_buckets() {
    let remote = with_answer(PER_OPERATION);
    assert!(decide(&remote, "GET /never", LOW_ID).is_some());
    remote.update(PER_OPERATION.as_bytes()).unwrap();
    assert!(decide(&remote, "GET /never", LOW_ID).is_none());
}

#[test]
fn bad_answers_say_what_is_wrong_and_change_nothing() {
    let cases = [
        ("", "not a JSON document"),
        ("<html>", "not a JSON document"),
        ("[]", "found none of"),
        ("3", "found none of"),
        ("{}", "found none of"),
        (r#"{"strategyType":"PROBABILISTIC"}"#, "found none of"),
        (r#"{"probabilisticSampling":null}"#, "found none of"),
        (
            r#"{"probabilisticSampling":7}"#,
            "`probabilisticSampling` is `7`; expected an object",
        ),
        (
            r#"{"probabilisticSampling":{"samplingRate":2}}"#,
            "`samplingRate` is `2`; expected",
        ),
        (
            r#"{"probabilisticSampling":{"samplingRate":-0.1}}"#,
            "expected a number from 0 to 1",
        ),
        (
            r#"{"probabilisticSampling":{"samplingRate":"0.5"}}"#,
            "expected a number from 0 to 1",
        ),
        (
            r#"{"rateLimitingSampling":{"maxTracesPerSecond":-1}}"#,
            "expected a number not below 0",
        ),
        (
            r#"{"operationSampling":{"perOperationStrategies":{}}}"#,
            "expected a list",
        ),
        (
            r#"{"operationSampling":{"perOperationStrategies":[{}]}}"#,
            "with an `operation`",
        ),
        (
            r#"{"operationSampling":{"perOperationStrategies":[{"operation":"a"}]}}"#,
            "expected a `probabilisticSampling`",
        ),
    ];
    let remote = with_answer(r#"{"probabilisticSampling":{"samplingRate":0.5}}"#);
    for (json, message) in cases {
        let error = remote.update(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(message), "{json}: {error}");
        assert_eq!(
            decide(&remote, "a", LOW_ID).as_deref(),
            Some("probabilistic 0.5")
        );
    }
}

/// The same cases in every run; change the seed to look for more.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 256,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_answer_is_refused_or_samples(bytes: Vec<u8>, at in 0..PER_OPERATION.len(), byte: u8) {
        let mut damaged = PER_OPERATION.as_bytes().to_vec();
        damaged[at] = byte;
        for answer in [&bytes, &damaged] {
            let remote = remote(RemoteSampling::new("http://localhost").with_initial_ratio(0.0));
            if remote.update(answer).is_err() {
                prop_assert_eq!(decide(&remote, "GET /x", LOW_ID), None);
            } else {
                decide(&remote, "GET /x", LOW_ID);
            }
        }
    }
}

mod any_input {
    use proptest::prelude::*;

    use super::super::strategy::Strategy;
    use crate::any_input;

    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "0",
        "1",
        "0.5",
        "-1",
        "null",
        "true",
        "\"a\"",
        " ",
        r#"{"operationSampling":{"#,
        r#""defaultSamplingProbability":0.25,"#,
        r#""defaultLowerBoundTracesPerSecond":0.1,"#,
        r#""perOperationStrategies":[{"operation":"a","probabilisticSampling":{"samplingRate":1}}]"#,
        r#"{"probabilisticSampling":{"samplingRate":"#,
        r#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":"#,
        "}}",
    ];

    /// As the server would have written it.
    fn json(strategy: &Strategy) -> String {
        match strategy {
            Strategy::Probabilistic(ratio) => {
                format!(
                    r#"{{"probabilisticSampling":{{"samplingRate":{}}}}}"#,
                    ratio.ratio
                )
            }
            Strategy::RateLimiting(bucket) => format!(
                r#"{{"rateLimitingSampling":{{"maxTracesPerSecond":{}}}}}"#,
                bucket.rate()
            ),
            Strategy::PerOperation(operations) => operations.json(),
        }
    }

    proptest! {
        #![proptest_config(any_input::config())]

        #[test]
        fn any_strategy(bytes in any_input::bytes(PIECES)) {
            if let Ok(strategy) = Strategy::parse(&bytes, 3) {
                let json = json(&strategy);
                let again = Strategy::parse(json.as_bytes(), 3);
                prop_assert!(again.is_ok_and(|again| again.is_same(&strategy)), "{}", json);
            }
        }
    }
}

#[test]
fn user_info_is_not_shown() {
    let cases = [
        ("http://u:p@host:1/sampling", "http://host:1/sampling"),
        ("http://u:p@x@host", "http://host"),
        ("http://host/a@b", "http://host/a@b"),
        ("host", "host"),
    ];
    for (url, shown) in cases {
        assert_eq!(without_user_info(url), shown);
        assert!(!format!("{:?}", Sampler::remote(url)).contains("u:p"));
        assert!(!format!("{:?}", RemoteSampling::new(url)).contains("u:p"));
    }
}

/// A server that answers each request as it is told, and says what was asked.
struct Server {
    url: String,
    answers: Sender<Answer>,
    requests: Receiver<String>,
}

enum Answer {
    /// Status and body.
    Http(u16, &'static str),
    /// Closes without an answer.
    HangUp,
    /// Promises more than it sends.
    Short,
    /// Sends a byte now and then, for ever.
    Drip,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/sampling", listener.local_addr().unwrap());
        let (answers, told) = mpsc::channel();
        let (asked, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                serve(connection.unwrap(), &told, &asked);
            }
        });
        Server {
            url,
            answers,
            requests,
        }
    }

    fn answer(&self, answer: Answer) {
        self.answers.send(answer).unwrap();
    }

    fn request(&self) -> String {
        self.requests
            .recv_timeout(Duration::from_secs(60))
            .expect("a request")
    }
}

/// One request per connection; ends quietly with the test.
fn serve(mut connection: TcpStream, told: &Receiver<Answer>, asked: &Sender<String>) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    let _ = asked.send(String::from_utf8_lossy(&request).into_owned());
    let _ = match told.recv() {
        Ok(Answer::Http(status, body)) => write!(
            connection,
            "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Ok(Answer::Short) => {
            write!(
                connection,
                "HTTP/1.1 200 x\r\ncontent-length: 1000\r\n\r\n{{"
            )
        }
        Ok(Answer::Drip) => drip(&mut connection),
        Ok(Answer::HangUp) | Err(_) => Ok(()),
    };
    let _ = connection.shutdown(Shutdown::Both);
}

fn drip(connection: &mut TcpStream) -> std::io::Result<()> {
    write!(
        connection,
        "HTTP/1.1 200 x\r\ncontent-length: 100000\r\n\r\n"
    )?;
    loop {
        connection.write_all(b" ")?;
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The poller asks again at once, so that the next request proves the last answer was dealt with.
fn start(server: &Server, interval: Duration) -> (Arc<Remote>, Poller, Receiver<String>) {
    let settings = RemoteSampling::new(&server.url).with_polling_interval(interval);
    let remote = Arc::new(remote(settings));
    let (report, reports) = mpsc::channel();
    let poller = Poller::start(&remote, "a service&co", move |line| {
        let _ = report.send(line);
    });
    (remote, poller.unwrap(), reports)
}

const HALF: Answer = Answer::Http(200, r#"{"probabilisticSampling":{"samplingRate":0.5}}"#);
const ALL: Answer = Answer::Http(200, r#"{"probabilisticSampling":{"samplingRate":1}}"#);

#[test]
fn asks_at_once_for_the_service() {
    let server = Server::start();
    let (_remote, _poller, _) = start(&server, Duration::from_secs(3600));
    let request = server.request();
    assert!(
        request.starts_with("GET /sampling?service=a%20service%26co HTTP/1.1"),
        "{request}"
    );
}

#[test]
fn every_failure_keeps_the_last_good_strategy() {
    let server = Server::start();
    let (remote, _poller, reports) = start(&server, Duration::from_millis(1));
    server.request();
    server.answer(HALF);
    let failures = [
        Answer::Http(500, r#"{"probabilisticSampling":{"samplingRate":1}}"#),
        Answer::Http(302, ""),
        Answer::Http(200, "<html>"),
        Answer::Http(200, r#"{"probabilisticSampling":{"samplingRate":9}}"#),
        Answer::HangUp,
        Answer::Short,
    ];
    for failure in failures {
        server.request();
        assert_eq!(
            decide(&remote, "a", LOW_ID).as_deref(),
            Some("probabilistic 0.5")
        );
        server.answer(failure);
    }
    server.request();
    assert_eq!(
        decide(&remote, "a", LOW_ID).as_deref(),
        Some("probabilistic 0.5")
    );
    server.answer(ALL);
    server.request();
    assert_eq!(
        decide(&remote, "a", LOW_ID).as_deref(),
        Some("probabilistic 1")
    );

    // Six failures in a row are one report, and the end of them another.
    let lines: Vec<_> = reports.try_iter().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("cannot get the sampling strategy from `http://127.0.0.1:"));
    assert!(lines[0].contains("500"), "{lines:?}");
    assert_eq!(lines[1], "got the sampling strategy again");
}

#[test]
fn nobody_listening_leaves_the_initial_ratio() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let settings = RemoteSampling::new(format!("http://{port}")).with_initial_ratio(1.0);
    let remote = Arc::new(remote(settings));
    let (report, reports) = mpsc::channel();
    let _poller = Poller::start(&remote, "s", move |line| {
        let _ = report.send(line);
    });
    let line = reports
        .recv_timeout(Duration::from_secs(60))
        .expect("a report");
    assert!(line.ends_with("the last one stays"), "{line}");
    assert_eq!(
        decide(&remote, "a", HIGH_ID).as_deref(),
        Some("probabilistic 1")
    );
}

#[test]
fn slow_servers_are_given_up() {
    // Unless told otherwise, the server reads the request and keeps silent.
    for slow in [None, Some(Answer::Drip)] {
        let server = Server::start();
        let mut settings = RemoteSampling::new(&server.url);
        settings.timeout = Duration::from_millis(300);
        let remote = Arc::new(remote(settings));
        let (report, reports) = mpsc::channel();
        let _poller = Poller::start(&remote, "s", move |line| {
            let _ = report.send(line);
        });
        server.request();
        if let Some(answer) = slow {
            server.answer(answer);
        }
        let line = reports
            .recv_timeout(Duration::from_secs(60))
            .expect("a report");
        assert!(line.contains("timeout"), "{line}");
    }
}

#[test]
fn poller_stops_when_dropped() {
    let server = Server::start();
    let (_remote, poller, reports) = start(&server, Duration::from_secs(3600));
    server.request();
    server.answer(HALF);
    drop(poller);
    // The thread owns the other end: it is gone when this ends.
    assert_eq!(
        reports.recv_timeout(Duration::from_secs(60)),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}
