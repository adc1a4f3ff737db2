//! What the tests of log lines share.

use std::io;
use std::sync::{Arc, Mutex};

use trace_runtime::SpanEvent;
use trace_runtime::opentelemetry::{KeyValue, Value};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what a subscriber or a logger writes.
#[derive(Clone, Debug, Default)]
pub struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("no test panics here").clone();
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().expect("no test panics here");
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Output {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The event as `name {key=value, ..}`, texts in quotes.
pub fn shown(event: &SpanEvent) -> String {
    let one = |attribute: &KeyValue| match &attribute.value {
        Value::String(text) => format!("{}={:?}", attribute.key, text.as_str()),
        Value::F64(number) => format!("{}={number:?}", attribute.key),
        other => format!("{}={other}", attribute.key),
    };
    let attributes: Vec<String> = event.attributes.iter().map(one).collect();
    format!("{} {{{}}}", event.name, attributes.join(", "))
}
