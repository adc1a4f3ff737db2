//! What `assert_trace!` was told to expect. Not public API: the macro writes it down.

mod difference;
mod pairing;
mod side_by_side;

use std::fmt;

use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};

use crate::ToValue;
use crate::forest::Forest;
use crate::plain_text::{kind, printable, value};
use crate::record::SpanRecord;

/// Spans with the same parent, in any order.
#[derive(Debug, Default)]
pub struct Siblings {
    spans: Vec<Expected>,
    /// Whether spans of other names may be there as well.
    open: bool,
}

/// A span, or several alike.
#[derive(Debug)]
pub struct Expected {
    name: &'static str,
    least: usize,
    most: Option<usize>,
    attributes: Vec<(String, Wanted)>,
    /// `None` if anything may be below.
    children: Option<Siblings>,
}

/// What an attribute must be.
#[derive(Debug)]
enum Wanted {
    Value(Value),
    Anything,
    Nothing,
}

impl Siblings {
    /// These and no others.
    pub fn new(spans: Vec<Expected>) -> Self {
        Self { spans, open: false }
    }

    /// Others, too.
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }
}

impl Expected {
    /// One span of this name.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            least: 1,
            most: Some(1),
            attributes: Vec::new(),
            children: None,
        }
    }

    /// `* n`
    pub fn times(mut self, n: usize) -> Self {
        (self.least, self.most) = (n, Some(n));
        self
    }

    /// `* ..=n`
    pub fn at_most(mut self, n: usize) -> Self {
        (self.least, self.most) = (0, Some(n));
        self
    }

    /// `* least..=n`
    pub fn up_to(mut self, n: usize) -> Self {
        self.most = Some(n);
        self
    }

    /// `* least..`
    pub fn or_more(mut self) -> Self {
        self.most = None;
        self
    }

    /// `* least..n`
    pub fn less_than(mut self, n: usize) -> Self {
        self.most = Some(n.saturating_sub(1));
        self
    }

    /// `key = value`
    pub fn with(mut self, key: impl Into<String>, value: &(impl ToValue + ?Sized)) -> Self {
        let value = Option::<Value>::from(value.to_value());
        let wanted = value.map_or(Wanted::Nothing, Wanted::Value);
        self.attributes.push((key.into(), wanted));
        self
    }

    /// `key = _`
    pub fn with_any(mut self, key: impl Into<String>) -> Self {
        self.attributes.push((key.into(), Wanted::Anything));
        self
    }

    /// `!key`
    pub fn without(mut self, key: impl Into<String>) -> Self {
        self.attributes.push((key.into(), Wanted::Nothing));
        self
    }

    /// `{ .. }`
    pub fn children(mut self, children: Siblings) -> Self {
        self.children = Some(children);
        self
    }

    /// Whether the span itself is as expected, whatever is below it.
    fn fits(&self, span: &SpanRecord) -> bool {
        span.name == self.name
            && self
                .attributes
                .iter()
                .all(|(key, wanted)| wanted.accepts(shown(span, key).as_ref()))
    }
}

impl Wanted {
    fn accepts(&self, found: Option<&Value>) -> bool {
        match self {
            Self::Value(wanted) => found == Some(wanted),
            Self::Anything => found.is_some(),
            Self::Nothing => found.is_none(),
        }
    }
}

/// The attribute of a span, or what Jaeger shows as one.
fn shown(span: &SpanRecord, key: &str) -> Option<Value> {
    match (key, &span.status) {
        ("error", status) => Some(matches!(status, Status::Error { .. }).into()),
        ("otel.status_description", Status::Error { description }) if !description.is_empty() => {
            Some(description.clone().into_owned().into())
        }
        ("span.kind", _) if span.kind == SpanKind::Internal => Some("internal".into()),
        ("span.kind", _) => Some(kind(&span.kind).into()),
        _ => span.attribute(key).cloned(),
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(self.name))?;
        match (self.least, self.most) {
            (1, Some(1)) => {}
            (least, Some(most)) if least == most => write!(f, " * {most}")?,
            (0, Some(most)) => write!(f, " * ..={most}")?,
            (least, Some(most)) => write!(f, " * {least}..={most}")?,
            (least, None) => write!(f, " * {least}..")?,
        }
        let mut separator = " [";
        for (key, wanted) in &self.attributes {
            f.write_str(separator)?;
            separator = ", ";
            let key = printable(key);
            match wanted {
                Wanted::Value(wanted) => write!(f, "{key}={}", value(wanted))?,
                Wanted::Anything => write!(f, "{key}=_")?,
                Wanted::Nothing => write!(f, "!{key}")?,
            }
        }
        if !self.attributes.is_empty() {
            f.write_str("]")?;
        }
        Ok(())
    }
}

/// How often a span is expected, for a sentence.
struct Often<'a>(&'a Expected);

impl fmt::Display for Often<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.least, self.0.most) {
            (least, Some(most)) if least == most => write!(f, "{}", Times(most)),
            (0, Some(most)) => write!(f, "at most {}", Times(most)),
            (least, Some(most)) => write!(f, "{least} to {}", Times(most)),
            (least, None) => write!(f, "at least {}", Times(least)),
        }
    }
}

/// A number of times.
struct Times(usize);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("not at all"),
            1 => f.write_str("once"),
            n => write!(f, "{n} times"),
        }
    }
}

/// Panics unless the spans are as expected.
#[track_caller]
pub fn check(spans: &[SpanRecord], expected: &Siblings) {
    if let Err(report) = compare(spans, expected) {
        panic!("{report}");
    }
}

fn compare(spans: &[SpanRecord], expected: &Siblings) -> Result<(), String> {
    let forest = Forest::new(&spans.iter().collect::<Vec<_>>());
    side_by_side::report(&Actual { spans, forest }, expected)
}

/// The captured spans and which is below which.
struct Actual<'a> {
    spans: &'a [SpanRecord],
    forest: Forest,
}
