//! How a trace crosses process boundaries: header formats, and the carriers they travel in.
//!
//! [`inject`] and [`extract`] use the formats the process was configured with (`OTEL_PROPAGATORS`,
//! by default W3C `tracecontext` and `baggage`). A [`Propagators`] value does the same with formats
//! of your choice, say for the one old service that only speaks B3.
//!
//! Reading is strict: a header that breaks its format changes nothing, and the next format is tried.

mod b3;
mod baggage;
mod carrier;
mod found;
mod jaeger;
mod otel;
mod parent;
mod text;
#[cfg(feature = "tonic")]
mod tonic;
mod tracecontext;

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use opentelemetry::Context;

pub use carrier::{Environment, Extract, Inject};
pub use otel::TextMap;
pub use parent::ParentSource;
#[cfg(any(feature = "messaging", feature = "tower"))]
pub(crate) use parent::refuse;
#[allow(unused_imports, reason = "read by the tracer")]
pub(crate) use parent::{Hints, debug_id, mark_debug};
#[cfg(feature = "tower")]
pub(crate) use parent::{debug_request, trusted};
#[cfg(feature = "tower")]
pub(crate) use text::percent_decode;
#[cfg(feature = "remote-sampler")]
pub(crate) use text::percent_encode;

use found::{Found, FoundTrace};

/// Writes the current context into a carrier: headers, a map, a child process.
///
/// Writes nothing while telemetry is suppressed.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// trace_runtime::propagation::inject(&mut headers);
/// ```
pub fn inject<C: Inject + ?Sized>(carrier: &mut C) {
    // Cloned, because a carrier is the user's code and may look at the current context itself.
    let cx = Context::current();
    if !cx.is_telemetry_suppressed() {
        // One level of reference more makes any carrier, sized or not, a trait object.
        let mut carrier = carrier;
        current().inject_context(&cx, &mut carrier);
    }
}

/// Reads a context from a carrier; the current context, unchanged, when there is no valid header.
///
/// ```
/// use opentelemetry::trace::TraceContextExt;
///
/// let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
/// let cx = trace_runtime::propagation::extract(&headers);
/// assert!(cx.span().span_context().is_sampled());
/// ```
#[must_use]
pub fn extract<C: Extract + ?Sized>(carrier: &C) -> Context {
    current().extract_with(&Context::current(), &carrier)
}

/// The baggage alone, for who does not continue the trace.
#[cfg(feature = "messaging")]
pub(crate) fn baggage<C: Extract>(carrier: &C) -> Option<opentelemetry::baggage::Baggage> {
    current().find(carrier).baggage
}

/// Removes what [`inject`] would set, say from a forwarded request.
#[cfg(feature = "tower")]
pub(crate) fn strip(headers: &mut http::HeaderMap) {
    for name in current().fields() {
        headers.remove(name);
    }
    if current().formats().any(|format| format == Format::Jaeger) {
        let names: Vec<_> = headers
            .keys()
            .filter(|name| name.as_str().starts_with(jaeger::BAGGAGE_PREFIX))
            .cloned()
            .collect();
        for name in names {
            headers.remove(name);
        }
    }
}

/// A header format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// W3C `traceparent` and `tracestate`.
    TraceContext = 1,
    /// W3C `baggage`.
    Baggage = 2,
    /// `b3` in one header; reads the several headers, too.
    B3 = 3,
    /// `X-B3-TraceId` and its siblings; reads the single header, too.
    B3Multi = 4,
    /// Jaeger's `uber-trace-id`, `uberctx-*`, `jaeger-baggage` and `jaeger-debug-id`.
    Jaeger = 5,
}

impl Format {
    const ALL: [Format; 5] = [
        Format::TraceContext,
        Format::Baggage,
        Format::B3,
        Format::B3Multi,
        Format::Jaeger,
    ];

    fn fields(self) -> &'static [&'static str] {
        match self {
            Format::TraceContext => tracecontext::FIELDS,
            Format::Baggage => baggage::FIELDS,
            Format::B3 => b3::SINGLE_FIELDS,
            Format::B3Multi => b3::MULTI_FIELDS,
            Format::Jaeger => jaeger::FIELDS,
        }
    }

    /// The word in `OTEL_PROPAGATORS`.
    fn from_otel_word(word: &str) -> Option<Format> {
        Some(match word {
            "tracecontext" => Format::TraceContext,
            "baggage" => Format::Baggage,
            "b3" => Format::B3,
            "b3multi" => Format::B3Multi,
            "jaeger" => Format::Jaeger,
            _ => return None,
        })
    }

    /// The word in `JAEGER_PROPAGATION`; the Java client's `b3` is the several headers.
    fn from_jaeger_word(word: &str) -> Option<Format> {
        Some(match word {
            "jaeger" => Format::Jaeger,
            "b3" => Format::B3Multi,
            "w3c" => Format::TraceContext,
            _ => return None,
        })
    }
}

/// An ordered list of header formats.
///
/// Injection writes all of them. Extraction tries all of them; where several find a trace, the last
/// one wins, as in every OpenTelemetry SDK, unless [`first_wins`](Self::first_wins) says otherwise.
/// Where they name the same span, what one format has no room for comes from the other.
///
/// ```
/// use opentelemetry::Context;
/// use opentelemetry::trace::TraceContextExt;
/// use trace_runtime::propagation::Propagators;
///
/// let propagators: Propagators = "b3, jaeger".parse()?;
/// let headers = vec![("B3", "463ac35c9f6413ad48485a3953bb6124-0020000000000001-1")];
/// let cx = propagators.extract_with(&Context::new(), &headers);
/// assert!(cx.span().span_context().is_sampled());
///
/// let mut headers = std::collections::HashMap::new();
/// propagators.inject_context(&cx, &mut headers);
/// assert_eq!(headers["uber-trace-id"], "463ac35c9f6413ad48485a3953bb6124:0020000000000001:0:1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
// One word: a nibble per format, so that the current list fits an atomic and reading it never waits.
pub struct Propagators(u32);

const FIRST_WINS: u32 = 1 << 31;

impl Propagators {
    /// No format: nothing is written, nothing is read.
    pub const NONE: Propagators = Propagators(0);

    /// The given formats in order; repetitions are dropped.
    #[must_use]
    pub fn new(formats: &[Format]) -> Self {
        let mut packed = 0;
        let mut shift = 0;
        for format in formats {
            if !Propagators(packed).formats().any(|known| known == *format) {
                packed |= (*format as u32) << shift;
                shift += 4;
            }
        }
        Propagators(packed)
    }

    /// Makes the first valid context win, as `JAEGER_PROPAGATION` does.
    #[must_use]
    pub fn first_wins(self) -> Self {
        Propagators(self.0 | FIRST_WINS)
    }

    /// Reads the value of `JAEGER_PROPAGATION`: a list of `jaeger`, `b3` and `w3c`.
    ///
    /// # Errors
    /// Says which word is unknown and what is accepted.
    pub fn from_jaeger(list: &str) -> Result<Self, PropagatorsError> {
        let formats = parse_list(list, Format::from_jaeger_word, "`jaeger`, `b3` or `w3c`")?;
        Ok(Propagators::new(&formats).first_wins())
    }

    /// The formats in order.
    pub fn formats(self) -> impl Iterator<Item = Format> {
        (0..Format::ALL.len()).map_while(move |place| {
            let number = (self.0 >> (4 * place)) & 0xf;
            (number as usize).checked_sub(1).map(|at| Format::ALL[at])
        })
    }

    /// The header names that are written and read, not counting Jaeger's `uberctx-*`.
    pub fn fields(self) -> impl Iterator<Item = &'static str> {
        self.formats().flat_map(|format| format.fields()).copied()
    }

    /// Writes `cx` in every format.
    pub fn inject_context(self, cx: &Context, carrier: &mut dyn Inject) {
        for format in self.formats() {
            match format {
                Format::TraceContext => tracecontext::inject(cx, carrier),
                Format::Baggage => baggage::inject(cx, carrier),
                Format::B3 => b3::inject_single(cx, carrier),
                Format::B3Multi => b3::inject_multi(cx, carrier),
                Format::Jaeger => jaeger::inject(cx, carrier),
            }
        }
    }

    /// `cx` with what the carrier holds; `cx` unchanged when it holds nothing valid.
    #[must_use]
    pub fn extract_with(self, cx: &Context, carrier: &dyn Extract) -> Context {
        self.find(carrier)
            .into_context(cx)
            .unwrap_or_else(|| cx.clone())
    }

    fn find(self, carrier: &dyn Extract) -> Found {
        let mut found = Found::default();
        for format in self.formats() {
            let next = match format {
                Format::TraceContext => tracecontext::extract(carrier),
                Format::Baggage => baggage::extract(carrier),
                Format::B3 | Format::B3Multi => b3::extract(carrier),
                Format::Jaeger => jaeger::extract(carrier),
            };
            found = if self.0 & FIRST_WINS == 0 {
                next.over(found)
            } else {
                found.over(next)
            };
        }
        found
    }
}

impl Default for Propagators {
    /// `tracecontext` and `baggage`.
    fn default() -> Self {
        DEFAULT
    }
}

impl fmt::Debug for Propagators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.formats()).finish()
    }
}

impl FromStr for Propagators {
    type Err = PropagatorsError;

    /// Reads the value of `OTEL_PROPAGATORS`.
    fn from_str(list: &str) -> Result<Self, Self::Err> {
        let accepted = "`tracecontext`, `baggage`, `b3`, `b3multi`, `jaeger` or `none`";
        let formats = if list.trim().eq_ignore_ascii_case("none") {
            Vec::new()
        } else {
            parse_list(list, Format::from_otel_word, accepted)?
        };
        Ok(Propagators::new(&formats))
    }
}

/// An unknown word in a list of propagators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropagatorsError(String);

impl fmt::Display for PropagatorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PropagatorsError {}

fn parse_list(
    list: &str,
    format: fn(&str) -> Option<Format>,
    accepted: &str,
) -> Result<Vec<Format>, PropagatorsError> {
    let words = list
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    words
        .map(|word| {
            let lower = word.to_ascii_lowercase();
            format(&lower).ok_or_else(|| {
                PropagatorsError(match lower.as_str() {
                    "none" => "`none` must stand alone".to_owned(),
                    _ => format!("unknown propagator `{word}`; expected {accepted}"),
                })
            })
        })
        .collect()
}

const DEFAULT: Propagators =
    Propagators(Format::TraceContext as u32 | (Format::Baggage as u32) << 4);

static CURRENT: AtomicU32 = AtomicU32::new(DEFAULT.0);

/// The formats of [`inject`] and [`extract`].
pub(crate) fn current() -> Propagators {
    Propagators(CURRENT.load(Ordering::Relaxed))
}

/// Sets the formats of [`inject`] and [`extract`] for the whole process.
#[allow(dead_code, reason = "called by the tracer")]
pub(crate) fn set_propagators(propagators: Propagators) {
    CURRENT.store(propagators.0, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
