//! Every grammar, and whatever text.

use super::*;
use crate::any_input::{bytes, config, text};
use crate::config::exporter::Exporter;
use crate::config::{filter, go, jaeger, resource, sampler, secret, value};
use proptest::prelude::*;

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "9",
    "2147483647",
    ".",
    "-",
    "+",
    " ",
    "e",
    "0x",
    "p",
    "_",
    "NaN",
    "inf",
    "s",
    "ms",
    "us",
    "µs",
    "m",
    "h",
    "ns",
    "true",
    "FALSE",
    "t",
    "T",
    "f",
];
const URLS: &[&str] = &[
    "http://",
    "https://",
    "HTTP://",
    "://",
    "@",
    "user",
    ":",
    "4318",
    "/",
    "?",
    "#",
    "%",
    "[",
    "]",
    "::1",
    "127.0.0.1",
    "host",
    "-",
    "_",
    ".",
    " ",
    "é",
    "&",
    "=",
];
const LISTS: &[&str] = &[
    "=", ",", " ", "%", "%41", "%c3%a9", "%ff", "%0a", "key", "value", ";", "${", "}", ":", "none",
    "otlp", "Jaeger", "console", "file", "\u{fffd}",
];
const FILTERS: &[&str] = &[
    "app", "::", "db", "=", ",", " ", "debug", "INFO", "off", "warn", "trace", "loud",
];
const ARGUMENTS: &[&str] = &[
    "endpoint=",
    "http://host",
    ":5778",
    "/sampling",
    "?a=b",
    "pollingIntervalMs=",
    "500",
    "initialSamplingRate=",
    "0.5",
    ",",
    " ",
    "=",
];
const FILES: &[&str] = &[
    "0::/",
    "docker/",
    "/",
    "-",
    ":",
    ".scope",
    "\n",
    "containers/",
    "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef",
];

/// What was accepted, written as it is shown, is accepted as the same.
fn survives<T: PartialEq + std::fmt::Debug>(
    parse: impl Fn(&str) -> value::Parsed<T>,
    show: impl Fn(&T) -> String,
    text: &str,
) -> Result<(), TestCaseError> {
    if let Ok(first) = parse(text) {
        let shown = show(&first);
        prop_assert_eq!(parse(&shown), Ok(first), "{:?} as {:?}", text, shown);
    }
    Ok(())
}

/// Percent-encoded as far as it must be.
fn encoded(entries: &[(String, String)]) -> String {
    let encode = |text: &String| crate::propagation::percent_encode(text);
    let pairs = entries.iter();
    let pairs: Vec<_> = pairs
        .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
        .collect();
    pairs.join(",")
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_number(text in text(NUMBERS)) {
        let millis = |time: &Duration| time.as_millis().to_string();
        survives(value::boolean, bool::to_string, &text)?;
        survives(value::integer(0), usize::to_string, &text)?;
        survives(value::integer(1), usize::to_string, &text)?;
        survives(value::milliseconds(1), millis, &text)?;
        let limit = |time: &Option<Duration>| time.map_or("0".to_owned(), |time| millis(&time));
        survives(value::timeout, limit, &text)?;
        survives(value::ratio, f64::to_string, &text)?;
        survives(value::port, u16::to_string, &text)?;
        survives(go::boolean, bool::to_string, &text)?;
        survives(go::float, f64::to_string, &text)?;
        let number = |number: &Option<usize>| number.unwrap_or(0).to_string();
        survives(go::positive, number, &text)?;
        let nanos = |time: &Option<Duration>| format!("{}ns", time.map_or(0, |t| t.as_nanos()));
        survives(go::positive_duration, nanos, &text)?;
        if let Some(number) = go::bare_integer(&text) {
            prop_assert_eq!(go::bare_integer(&number.to_string()), Some(number));
        }
    }

    #[test]
    fn any_url(text in text(URLS)) {
        survives(value::url, |url| url.as_str().to_owned(), &text)?;
        survives(sampler::manager_url, |url| url.as_str().to_owned(), &text)?;
        if let Ok(url) = value::url(&text) {
            let uri: http::Uri = url.as_str().parse().map_err(|_| TestCaseError::fail(text.clone()))?;
            prop_assert!(uri.host().is_some_and(|host| !host.is_empty()));
        }
        survives(value::host, String::clone, &text)?;
        let shown = |(host, port): &(String, Option<u16>)| match port {
            Some(port) => jaeger::authority(host, *port),
            None => host.clone(),
        };
        survives(value::host_and_port, shown, &text)?;
    }

    #[test]
    fn any_list(text in text(LISTS)) {
        survives(value::map, |entries| encoded(entries), &text)?;
        let words = |list: &Vec<Exporter>| match list.as_slice() {
            [] => "none".to_owned(),
            list => list.iter().map(|word| value::Word::name(*word)).collect::<Vec<_>>().join(","),
        };
        survives(value::word_list::<Exporter>, words, &text)?;
        prop_assert!(value::items(&text).all(|item| !item.is_empty() && item.trim() == item));
        let resolved = from_env(&[("JAEGER_TAGS", &text), ("OTEL_RESOURCE_ATTRIBUTES", &text)]);
        prop_assert!(resolved.errors().len() <= 2);
    }

    #[test]
    fn any_list_of_propagators(text in text(&["b3", "B3Multi", ",", " ", "none", "jaeger", "w3c", "x"])) {
        use crate::propagation::Propagators;
        let (otel, java) = (text.parse::<Propagators>(), Propagators::from_jaeger(&text));
        for propagators in [otel, java].into_iter().flatten() {
            prop_assert_eq!(Propagators::new(&propagators.formats().collect::<Vec<_>>()).formats().count(),
                propagators.formats().count());
        }
    }

    #[test]
    fn any_filter(text in text(FILTERS)) {
        let level = LevelFilter::Off;
        survives(|text| filter::filter(text, level), Render::render, &text)?;
    }

    #[test]
    fn any_sampler_argument(text in text(ARGUMENTS)) {
        let shown = |argument: &sampler::RemoteArgument| {
            let part = |key: &str, value: Option<String>| value.map(|value| format!("{key}={value}"));
            let parts = [
                part("endpoint", argument.endpoint.as_ref().map(|url| url.as_str().to_owned())),
                part("pollingIntervalMs", argument.interval.map(|time| time.as_millis().to_string())),
                part("initialSamplingRate", argument.initial_rate.map(|rate| rate.to_string())),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(",")
        };
        survives(sampler::remote_argument, shown, &text)?;
    }

    #[test]
    fn any_text_is_shown_on_one_line(text in text(URLS), mark in "[a-z]{8}") {
        let shown = secret::one_line(&text);
        prop_assert!(!shown.contains(char::is_control));
        prop_assert_eq!(secret::one_line(&shown), shown);
        let masked = secret::mask_user_info(&format!("http://{mark}{text}@host"));
        prop_assert!(!masked.contains(&mark), "{}", masked);
    }

    #[test]
    fn any_file_of_the_container_engine(bytes in bytes(FILES)) {
        let text = String::from_utf8_lossy(&bytes);
        for id in [resource::id_in_cgroup(&text), resource::id_in_mounts(&text)].into_iter().flatten() {
            prop_assert_eq!(resource::id_in_cgroup(&format!("0::/docker/{id}")), Some(id.clone()));
            prop_assert_eq!(resource::id_in_mounts(&format!("/containers/{id}/hosts")), Some(id));
        }
    }
}
