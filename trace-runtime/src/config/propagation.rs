//! Which propagators.

use super::reader::Reader;
use super::setting::{Render, Setting, Source};
use super::value::{self, Parsed, Word};

/// A format of trace context in headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PropagatorChoice {
    TraceContext,
    Baggage,
    B3Single,
    B3Multi,
    Jaeger,
}

impl Word for PropagatorChoice {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("tracecontext", PropagatorChoice::TraceContext),
        ("baggage", PropagatorChoice::Baggage),
        ("b3", PropagatorChoice::B3Single),
        ("b3multi", PropagatorChoice::B3Multi),
        ("jaeger", PropagatorChoice::Jaeger),
    ];
}

/// The propagators in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PropagatorsConfig {
    pub(crate) list: Vec<PropagatorChoice>,
    /// Whether the first valid context wins, as in jaeger-client-java, rather than the last.
    pub(crate) first_wins: bool,
}

impl Render for PropagatorsConfig {
    fn render(&self) -> String {
        let list = self.list.render();
        if self.first_wins {
            format!("{list} (first wins)")
        } else {
            list
        }
    }
}

/// The words of `JAEGER_PROPAGATION`.
#[derive(Clone, Copy, PartialEq)]
enum Codec {
    Jaeger,
    B3,
    W3c,
}

impl Word for Codec {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("jaeger", Codec::Jaeger),
        ("b3", Codec::B3),
        ("w3c", Codec::W3c),
    ];
}

/// The propagators; Jaeger's own is among the default ones for those who came from Jaeger.
pub(super) fn resolve(reader: &mut Reader<'_>, chosen_by: Source) -> Setting<PropagatorsConfig> {
    let mut list = vec![PropagatorChoice::TraceContext, PropagatorChoice::Baggage];
    let mut source = Source::Default;
    if chosen_by.is_jaeger() {
        list.push(PropagatorChoice::Jaeger);
        source = chosen_by;
    }
    let default = Setting::new(last_wins(list), source);
    reader
        .field()
        .variable("OTEL_PROPAGATORS", |text| {
            value::word_list(text).map(last_wins)
        })
        .variable("JAEGER_PROPAGATION", codecs)
        .or_setting(default)
}

fn last_wins(list: Vec<PropagatorChoice>) -> PropagatorsConfig {
    PropagatorsConfig {
        list,
        first_wins: false,
    }
}

fn codecs(text: &str) -> Parsed<PropagatorsConfig> {
    // `none` is no word of jaeger-client-java.
    if value::items(text).any(|item| item.eq_ignore_ascii_case("none")) {
        return Err("expected a list of `jaeger`, `b3` or `w3c`".to_owned());
    }
    let codecs =
        value::word_list(text).map_err(|_| "expected a list of `jaeger`, `b3` or `w3c`")?;
    let list: Vec<_> = codecs
        .into_iter()
        .map(|codec| match codec {
            Codec::Jaeger => PropagatorChoice::Jaeger,
            // Java's codec writes the `X-B3-*` headers.
            Codec::B3 => PropagatorChoice::B3Multi,
            Codec::W3c => PropagatorChoice::TraceContext,
        })
        .collect();
    Ok(PropagatorsConfig {
        // One alone is first and last, and agrees with the same one in `OTEL_PROPAGATORS`.
        first_wins: list.len() > 1,
        list,
    })
}
