//! How long spans took, by name and error.

use std::collections::HashMap;
use std::fmt;

use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry::trace::Status;
use opentelemetry::{KeyValue, StringValue, Value};

use crate::record::{Records, SpanView};

const NAME: &str = "traces.span.metrics.duration";
const MOST_NAMES: usize = 500;
const MOST_ERRORS: usize = 100;
/// Seconds. Functions take less than requests: three more than HTTP's conventions have.
const BOUNDARIES: [f64; 17] = [
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0,
    7.5, 10.0,
];

/// The histogram, filled by the worker.
#[derive(Debug)]
pub(crate) struct Durations {
    histogram: Histogram<f64>,
    names: Words,
    errors: Words,
}

impl Durations {
    pub(super) fn new(meter: &Meter) -> Self {
        let histogram = meter
            .f64_histogram(NAME)
            .with_unit("s")
            .with_description("How long spans took, whether sampled or not.")
            .with_boundaries(BOUNDARIES.to_vec())
            .build();
        Self {
            histogram,
            names: Words::new("span.name", MOST_NAMES),
            errors: Words::new("error.type", MOST_ERRORS),
        }
    }

    /// Counts finished spans.
    pub(crate) fn record(&mut self, records: &Records) {
        for span in records.iter() {
            self.record_span(&span);
        }
    }

    fn record_span(&mut self, span: &SpanView<'_>) {
        let nanos = span.end_time_unix_nano() - span.start_time_unix_nano();
        let seconds = nanos as f64 / 1e9;
        let name = self.names.get(span.name());
        match error_type(span) {
            None => self.histogram.record(seconds, &[name]),
            Some(error) => {
                let error = self.errors.get(&error);
                self.histogram.record(seconds, &[name, error]);
            }
        }
    }
}

/// `error.type`, of a span that failed.
fn error_type(span: &SpanView<'_>) -> Option<String> {
    // What a span fails by is set when its body has ended.
    let set = span.late_attributes().find(|(key, _)| *key == "error.type");
    match set {
        Some((_, word)) => Option::<Value>::from(word).map(|word| word.to_string()),
        None => matches!(span.status(), Status::Error { .. }).then(|| "_OTHER".to_owned()),
    }
}

/// The values of one attribute, of which there must not be too many.
struct Words {
    key: &'static str,
    most: usize,
    known: HashMap<String, KeyValue>,
}

impl Words {
    fn new(key: &'static str, most: usize) -> Self {
        Self {
            key,
            most,
            known: HashMap::new(),
        }
    }

    fn get(&mut self, word: &str) -> KeyValue {
        if let Some(known) = self.known.get(word) {
            return known.clone();
        }
        if self.known.len() >= self.most {
            return KeyValue::new(self.key, "_OTHER");
        }
        // Shared, so that a copy of it takes no allocation.
        let value = StringValue::from(std::sync::Arc::<str>::from(word));
        let attribute = KeyValue::new(self.key, value);
        self.known.insert(word.to_owned(), attribute.clone());
        attribute
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("key", &self.key)
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_past_the_bound_count_as_other() {
        let mut words = Words::new("span.name", 2);
        for (word, shown) in [("a", "a"), ("b", "b"), ("c", "_OTHER"), ("a", "a")] {
            assert_eq!(words.get(word), KeyValue::new("span.name", shown));
        }
    }
}
