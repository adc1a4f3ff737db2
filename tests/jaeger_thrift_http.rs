//! Posts to a collector, from the variables to the bytes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tests::jaeger_thrift_idl::{Batch, binary_batch};
use trace_runtime::{Tracer, TracerGuard, traced};

/// A collector that answers by a list, one answer for each post.
struct Collector {
    address: String,
    posts: Receiver<Post>,
}

struct Post {
    /// The request line.
    request: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Collector {
    fn answering(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().unwrap().to_string();
        let (sender, posts) = channel();
        std::thread::spawn(move || {
            let mut answers = answers.iter();
            for stream in listener.incoming().flatten() {
                let mut stream = BufReader::new(stream);
                while let Some(post) = read(&mut stream) {
                    let Some(answer) = answers.next() else {
                        return;
                    };
                    let answer = format!("HTTP/1.1 {answer}\r\n\r\n");
                    if stream.get_mut().write_all(answer.as_bytes()).is_err()
                        || sender.send(post).is_err()
                    {
                        return;
                    }
                }
            }
        });
        Self { address, posts }
    }

    fn url(&self) -> String {
        format!("http://{}/api/traces", self.address)
    }

    fn post(&self) -> Post {
        let post = self.posts.recv_timeout(Duration::from_secs(20));
        post.expect("a post")
    }

    fn batch(&self) -> Batch {
        binary_batch(&self.post().body)
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Post> {
    let mut request = String::new();
    stream
        .read_line(&mut request)
        .ok()
        .filter(|read| *read > 0)?;
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Post {
        request: request.trim_end().to_owned(),
        headers,
        body,
    })
}

const ACCEPTED: &str = "202 Accepted\r\ncontent-length: 0";

#[traced]
fn greet(name: &str) -> String {
    format!("hello, {name}")
}

fn tracer(variables: &[(&'static str, &str)]) -> (Tracer, TracerGuard) {
    let variables: HashMap<_, _> = variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    Tracer::builder()
        .with_env(move |name| variables.get(name).cloned())
        .with_service_name("greeter")
        .with_flush_interval(Duration::from_secs(3600))
        .build()
        .expect("good settings")
}

#[test]
fn a_batch_is_one_post_to_the_url_as_written() {
    let collector = Collector::answering(&[ACCEPTED, ACCEPTED]);
    let url = format!("{}?format=jaeger.thrift", collector.url());
    let (tracer, guard) = tracer(&[("JAEGER_ENDPOINT", &url)]);
    for name in ["ann", "bob"] {
        tracer.in_scope(|| greet(name));
    }
    guard.flush().expect("a collector that accepts");

    let post = collector.post();
    assert_eq!(
        post.request,
        "POST /api/traces?format=jaeger.thrift HTTP/1.1"
    );
    assert_eq!(
        post.headers["content-type"],
        "application/vnd.apache.thrift.binary"
    );
    assert_eq!(post.headers.get("authorization"), None);
    // A bare struct, without the envelope of a call.
    let head = b"\x0c\x00\x01\x0b\x00\x01\x00\x00\x00\x07greeter";
    assert_eq!(post.body[..head.len()], head[..]);
    let batch = binary_batch(&post.body);
    assert_eq!(batch.process.service_name, "greeter");
    let names: Vec<_> = batch.spans.iter().map(|span| span.tag("name")).collect();
    assert_eq!(names, [Some(&"ann".into()), Some(&"bob".into())]);
    assert_eq!(batch.seq_no, Some(1));

    tracer.in_scope(|| greet("eve"));
    guard.flush().unwrap();
    assert_eq!(collector.batch().seq_no, Some(2));
}

#[test]
fn no_post_is_too_large() {
    let collector = Collector::answering(&[ACCEPTED]);
    let (tracer, guard) = tracer(&[("JAEGER_ENDPOINT", &collector.url())]);
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    let builder = opentelemetry::trace::SpanBuilder::from_name("large")
        .with_attributes([opentelemetry::KeyValue::new("filler", "x".repeat(500_000))]);
    drop(tracer.provider().tracer("filler").build(builder));
    guard.flush().unwrap();
    assert_eq!(collector.batch().spans.len(), 1);
}

#[test]
fn credentials_are_sent_and_not_shown() {
    for (variables, expected) in [
        (
            &[("JAEGER_USER", "ann"), ("JAEGER_PASSWORD", "s3cret: x")][..],
            "Basic YW5uOnMzY3JldDogeA==",
        ),
        (
            &[("JAEGER_AUTH_TOKEN", "s3cret.token")][..],
            "Bearer s3cret.token",
        ),
    ] {
        let collector = Collector::answering(&[ACCEPTED]);
        let url = collector.url();
        let mut all = vec![("JAEGER_ENDPOINT", url.as_str())];
        all.extend(variables);
        let (tracer, guard) = tracer(&all);
        tracer.in_scope(|| greet("ann"));
        guard.flush().unwrap();
        assert_eq!(collector.post().headers["authorization"], expected);
        let shown = format!(
            "{:?} {:?} {}",
            guard.stats(),
            guard.diagnostics(),
            guard.config()
        );
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn what_the_collector_refuses_is_lost() {
    let collector = Collector::answering(&[
        "400 Bad Request\r\ncontent-length: 12\r\n\r\nUnable to pr",
        ACCEPTED,
    ]);
    let (tracer, guard) = tracer(&[("JAEGER_ENDPOINT", &collector.url())]);
    tracer.in_scope(|| greet("ann"));
    let error = guard.flush().expect_err("refused");
    assert_eq!((error.exported(), error.lost()), (0, 1));
    assert_eq!(guard.stats().failed, 1);
    collector.post();
    tracer.in_scope(|| greet("bob"));
    guard.flush().unwrap();
    let batch = collector.batch();
    assert_eq!(batch.spans.len(), 1);
    assert_eq!(batch.stats.unwrap().failed_to_emit, 1);
}

#[test]
fn what_a_busy_collector_puts_off_comes_again() {
    for busy in [
        &["503 Service Unavailable\r\ncontent-length: 0", ACCEPTED][..],
        &["500 Internal Server Error\r\ncontent-length: 0", ACCEPTED],
        &["429 Too Many Requests\r\ncontent-length: 0", ACCEPTED],
    ] {
        let collector = Collector::answering(busy);
        let (tracer, guard) = tracer(&[("JAEGER_ENDPOINT", &collector.url())]);
        tracer.in_scope(|| greet("ann"));
        guard.flush().expect_err("put off");
        let first = collector.batch();
        guard.flush().expect("accepted this time");
        assert_eq!(collector.batch(), first);
        assert_eq!((guard.stats().exported, guard.stats().failed), (1, 0));
    }
}
