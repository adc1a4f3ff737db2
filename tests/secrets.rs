//! Whatever a secret is, its bytes reach no exporter.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Keeps the bodies of what is posted to it.
struct Sink {
    port: u16,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let seen = Arc::default();
        let sink = Self {
            port,
            seen: Arc::clone(&seen),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || serve(stream, &seen));
            }
        });
        sink
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.seen.lock().expect("no panic"))
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<u8>>) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut headers = HashMap::new();
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 2 {
            if let Some((name, value)) = line.split_once(':') {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            line.clear();
        }
        let length = headers.get("content-length")?.parse().ok()?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        seen.lock().expect("no panic").extend(body);
        writer
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .ok()?;
    }
}

/// Words that no encoding changes: they are found if they are anywhere.
fn words() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("pub[a-z0-9]{8,40}", "sec[a-z0-9]{8,40}"), 1..8)
}

/// What the program writes to standard output and error when it is told the words.
fn run(words: &[(String, String)], variables: &[(&str, String)]) -> Vec<u8> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_leaks"))
        .env_clear()
        .env("OTEL_SERVICE_NAME", "leaks")
        .env("TRACED_REDACT", "email,home_address")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let lines = words
        .iter()
        .map(|(public, secret)| format!("{public} {secret}\n"));
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(lines.collect::<String>().as_bytes())
        .expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let written = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&written)
    );
    written
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

/// For all words: the public ones are `seen` in what the exporter got, the secret ones are not.
fn check(seen: impl Fn(&[(String, String)]) -> Vec<u8>) {
    let config = Config {
        cases: 6,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRunner::deterministic().new_rng();
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&words(), |words| {
        let bytes = seen(&words);
        for (public, secret) in &words {
            prop_assert!(contains(&bytes, public), "nothing arrived");
            let shown = String::from_utf8_lossy(&bytes);
            prop_assert!(!contains(&bytes, secret), "{secret} in {shown}");
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

fn otlp(protocol: &str) {
    let sink = Sink::start();
    let variables = [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://127.0.0.1:{}", sink.port),
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
    ];
    check(|words| {
        run(words, &variables);
        sink.take()
    });
}

#[test]
fn no_secret_is_sent_as_otlp_protobuf() {
    otlp("http/protobuf");
}

#[test]
fn no_secret_is_sent_as_otlp_json() {
    otlp("http/json");
}

#[test]
fn no_secret_is_sent_as_jaeger_thrift_over_http() {
    let sink = Sink::start();
    let url = format!("http://127.0.0.1:{}/api/traces", sink.port);
    let variables = [("JAEGER_ENDPOINT", url)];
    check(|words| {
        run(words, &variables);
        sink.take()
    });
}

#[test]
fn no_secret_is_sent_as_jaeger_thrift_over_udp() {
    let agent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    agent
        .set_read_timeout(Some(Duration::from_millis(200)))
        .expect("a timeout");
    let port = agent.local_addr().expect("its address").port();
    let variables = [
        ("JAEGER_AGENT_HOST", "127.0.0.1".to_owned()),
        ("JAEGER_AGENT_PORT", port.to_string()),
    ];
    check(|words| {
        run(words, &variables);
        // The program has ended: all it sent is here.
        let mut bytes = Vec::new();
        let mut packet = vec![0; 65_536];
        while let Ok(length) = agent.recv(&mut packet) {
            bytes.extend_from_slice(&packet[..length]);
        }
        bytes
    });
}

#[test]
fn no_secret_is_written_to_the_console() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "console".to_owned()),
        ("COLUMNS", "10000".to_owned()),
    ];
    check(|words| run(words, &variables));
}

#[test]
fn no_secret_is_written_to_a_file() {
    let path = std::env::temp_dir().join(format!("secrets-{}.jsonl", std::process::id()));
    let variables = [
        ("OTEL_TRACES_EXPORTER", "file".to_owned()),
        ("TRACED_FILE", path.to_string_lossy().into_owned()),
        ("JAEGER_REPORTER_LOG_SPANS", "true".to_owned()),
        ("OTEL_LOG_LEVEL", "debug".to_owned()),
    ];
    check(|words| {
        let _ = std::fs::remove_file(&path);
        let mut bytes = run(words, &variables);
        bytes.extend(std::fs::read(&path).expect("the file"));
        std::fs::remove_file(&path).expect("the file");
        bytes
    });
}

/// What arrives with `TRACED_ARGUMENTS` set.
fn with_arguments(mode: &str) -> Vec<u8> {
    let sink = Sink::start();
    let words = [("publicargument".to_owned(), "secretargument".to_owned())];
    let variables = [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://127.0.0.1:{}", sink.port),
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json".to_owned()),
        ("TRACED_ARGUMENTS", mode.to_owned()),
    ];
    run(&words, &variables);
    sink.take()
}

#[test]
fn arguments_are_left_out_as_a_variable_says() {
    let has = |bytes: &[u8], key: &str| contains(bytes, &format!("\"key\":\"{key}\""));
    let all = with_arguments("all");
    assert!(has(&all, "user") && has(&all, "count") && has(&all, "shown"));
    let scalars = with_arguments("scalars");
    assert!(!has(&scalars, "user") && has(&scalars, "count") && has(&scalars, "shown"));
    let none = with_arguments("none");
    assert!(!has(&none, "user") && !has(&none, "count") && has(&none, "shown"));
}
