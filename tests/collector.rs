//! An OTLP collector on a loopback port that decodes and keeps what it is sent.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// How the collector treats requests.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    /// Takes everything.
    Accept,
    /// Reads the request and never answers.
    Silent,
}

/// The collector; it stops with the process.
#[derive(Clone, Debug)]
pub struct Collector {
    address: SocketAddr,
    inbox: Arc<(Mutex<Vec<Received>>, Condvar)>,
}

/// A span and who sent it.
#[derive(Clone, Debug)]
pub struct Received {
    /// `service.name` of the resource.
    pub service: String,
    /// The name of the instrumentation scope.
    pub scope: String,
    /// The span.
    pub span: Span,
}

impl Received {
    /// The text of an attribute.
    pub fn text(&self, key: &str) -> Option<String> {
        attribute(&self.span.attributes, key)
    }
}

fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|kv| kv.key == key)?.value.clone();
    match value {
        Some(AnyValue {
            value: Some(Value::StringValue(text)),
        }) => Some(text),
        Some(AnyValue { value: Some(other) }) => Some(format!("{other:?}")),
        _ => None,
    }
}

impl Collector {
    /// Listens on a port of the system's choice.
    pub fn start() -> Self {
        Self::in_mood(Mood::Accept)
    }

    /// Listens on a port of the system's choice, in this mood.
    pub fn in_mood(mood: Mood) -> Self {
        Self::listen(
            TcpListener::bind("127.0.0.1:0").expect("a loopback port"),
            mood,
        )
    }

    /// Takes connections from this listener.
    pub fn listen(listener: TcpListener, mood: Mood) -> Self {
        let address = listener.local_addr().expect("the listener's address");
        let collector = Self {
            address,
            inbox: Arc::default(),
        };
        let serving = collector.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(stream, mood));
            }
        });
        collector
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn serve(&self, stream: TcpStream, mood: Mood) {
        let mut writer = stream.try_clone().expect("a second handle");
        let mut reader = BufReader::new(stream);
        while let Some(body) = read_request(&mut reader) {
            if let Mood::Silent = mood {
                std::thread::park();
            }
            let request = ExportTraceServiceRequest::decode(&*body).expect("valid protobuf");
            let (inbox, arrived) = &*self.inbox;
            inbox
                .lock()
                .expect("no test panics here")
                .extend(flatten(request));
            arrived.notify_all();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            if writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    /// Everything so far.
    pub fn spans(&self) -> Vec<Received> {
        self.inbox.0.lock().expect("no test panics here").clone()
    }

    /// Waits until so many spans have come; gives what there is after 20 s.
    pub fn wait_for(&self, spans: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let (inbox, arrived) = &*self.inbox;
        let mut received = inbox.lock().expect("no test panics here");
        while received.len() < spans {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            received = arrived
                .wait_timeout(received, left)
                .expect("no test panics here")
                .0;
        }
        received.clone()
    }
}

fn flatten(request: ExportTraceServiceRequest) -> Vec<Received> {
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes);
        let service = attribute(&attributes.unwrap_or_default(), "service.name");
        for scope in resource.scope_spans {
            let name = scope.scope.map(|scope| scope.name).unwrap_or_default();
            spans.extend(scope.spans.into_iter().map(|span| Received {
                service: service.clone().unwrap_or_default(),
                scope: name.clone(),
                span,
            }));
        }
    }
    spans
}

fn read_request(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut headers = HashMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            None => break,
        }
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}
