//! Every step of the migration is run, and draws the same traces.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use tests::collector::{Collector, Received};

const CALLER: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Of the request that is served, and of the one that fails.
const SHAPE: &str = "\
POST /checkout/{cart_id} [server]
  checkout [internal]
    charge [client] ! the bank is slow
    price [internal]
      look_up [client]
    send_receipt [internal]
POST /checkout/{cart_id} [server]
  checkout [internal] error
    charge [client] error ! the bank is slow
    price [internal]
      look_up [client]
";

/// What a step did.
struct Run {
    spans: Vec<Received>,
    lines: Vec<String>,
}

/// The service of one step, which ends when this does.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(binary: &str) -> Run {
    let collector = Collector::start();
    let child = Command::new(binary)
        .env_clear()
        .env("OTEL_SERVICE_NAME", "shop")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "50")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the service starts");
    let mut service = Service(child);
    let stdout = service.0.stdout.take().expect("it is piped");
    let mut stdout = BufReader::new(stdout);
    let mut url = String::new();
    stdout
        .read_line(&mut url)
        .expect("the service tells its address");
    let address = url.trim().strip_prefix("http://").expect("an address");
    assert!(post(address, "/checkout/7").starts_with("HTTP/1.1 200"));
    assert!(post(address, "/checkout/0").starts_with("HTTP/1.1 402"));
    let wanted = SHAPE.lines().count();
    assert_eq!(collector.wait_for(wanted).len(), wanted, "{binary}");
    // By a shell, which has the command wherever there is one.
    let kill = format!("kill -TERM {}", service.0.id());
    let sent = Command::new("sh").args(["-c", &kill]).status();
    assert!(sent.expect("a shell").success());
    assert!(service.0.wait().expect("its status").success(), "{binary}");
    let mut lines = String::new();
    stdout.read_to_string(&mut lines).expect("UTF-8");
    Run {
        spans: collector.spans(),
        lines: lines.lines().map(str::to_owned).collect(),
    }
}

fn post(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the service listens");
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ncontent-length: 0\r\n\
         traceparent: 00-{CALLER}-00f067aa0ba902b7-01\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Names, kinds, failures and warnings, by parent.
fn shape(spans: &[Received]) -> String {
    let mut children: BTreeMap<&[u8], Vec<&Span>> = BTreeMap::new();
    for received in spans {
        let span = &received.span;
        children.entry(&span.parent_span_id).or_default().push(span);
    }
    let caller = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes();
    let mut roots = children.get(&caller[..]).cloned().unwrap_or_default();
    roots.sort_by_key(|span| span.start_time_unix_nano);
    let mut text = String::new();
    for root in roots {
        draw(root, 0, &children, &mut text);
    }
    text
}

fn draw(span: &Span, depth: usize, children: &BTreeMap<&[u8], Vec<&Span>>, text: &mut String) {
    let kind = ["", "internal", "server", "client"][span.kind as usize];
    *text += &format!("{}{} [{kind}]", "  ".repeat(depth), span.name);
    if span.status.as_ref().is_some_and(|status| status.code == 2) {
        *text += " error";
    }
    for event in &span.events {
        let level = event.attributes.iter().find(|kv| kv.key == "level");
        let level = level.and_then(|kv| kv.value.clone());
        if level
            == Some(AnyValue {
                value: Some(Value::StringValue("WARN".into())),
            })
        {
            *text += &format!(" ! {}", event.name);
        }
    }
    *text += "\n";
    let mut below = children.get(&span.span_id[..]).cloned().unwrap_or_default();
    below.sort_by(|a, b| a.name.cmp(&b.name));
    for child in below {
        draw(child, depth + 1, children, text);
    }
}

fn check(binary: &str) -> Run {
    let run = run(binary);
    assert_eq!(shape(&run.spans), SHAPE, "{binary}");
    for received in &run.spans {
        assert_eq!(received.service, "shop");
        let trace_id: String = received
            .span
            .trace_id
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(trace_id, CALLER, "{}", received.span.name);
    }
    run
}

/// Every line that was written for a request says which trace it belongs to.
fn check_lines(run: &Run) {
    let lines = run.lines.iter();
    let lines: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .filter(|line: &serde_json::Value| line["target"] != "trace_runtime")
        .collect();
    let slow = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "the bank is slow");
    assert_eq!(slow.count(), 2, "{lines:?}");
    for line in &lines {
        assert_eq!(line["trace_id"], CALLER, "{line}");
    }
}

#[test]
fn before_draws_the_shape() {
    check(env!("CARGO_BIN_EXE_before"));
}

#[test]
fn step_1_draws_the_same() {
    check(env!("CARGO_BIN_EXE_step-1"));
}

#[test]
fn step_2_draws_the_same_and_lines_have_ids() {
    check_lines(&check(env!("CARGO_BIN_EXE_step-2")));
}

#[test]
fn step_3_draws_the_same_and_lines_have_ids() {
    check_lines(&check(env!("CARGO_BIN_EXE_step-3")));
}

#[test]
fn after_draws_the_same_and_lines_have_ids() {
    check_lines(&check(env!("CARGO_BIN_EXE_after")));
}
