//! Baggage in W3C's and in Jaeger's headers.

use std::collections::{BTreeMap, HashMap};

use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use trace_runtime::propagation::Propagators;

fn propagators(list: &str) -> Propagators {
    list.parse().unwrap()
}

/// `key=value` or `key=value;properties`, sorted.
fn read(list: &str, headers: &[(&str, &str)]) -> Vec<String> {
    let cx = propagators(list).extract_with(&Context::new(), &headers);
    let mut members: Vec<_> = cx
        .baggage()
        .iter()
        .map(|(key, (value, properties))| match properties.as_str() {
            "" => format!("{key}={value}"),
            properties => format!("{key}={value};{properties}"),
        })
        .collect();
    members.sort();
    members
}

fn write(list: &str, baggage: impl Into<Baggage>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    propagators(list).inject_context(&Context::new().with_baggage(baggage), &mut headers);
    headers
}

#[test]
fn members_are_read() {
    let cases: [(&str, &[&str]); 10] = [
        ("k=v", &["k=v"]),
        ("k=v,k2=v2", &["k2=v2", "k=v"]),
        (" k = v ,\tk2=v2", &["k2=v2", "k=v"]),
        ("k=", &["k="]),
        ("k=a%20b%2Cc%3D%C3%A9", &["k=a b,c=é"]),
        ("k=a=b", &["k=a=b"]),
        ("k=+", &["k=+"]),
        ("k=%ff", &["k=\u{fffd}"]),
        ("k=v;p;q=1", &["k=v;p;q=1"]),
        ("k=v ; p ; q = %20 ;", &["k=v;p;q=%20"]),
    ];
    for (header, members) in cases {
        assert_eq!(read("baggage", &[("Baggage", header)]), members, "{header}");
    }
}

#[test]
fn headers_are_joined_and_the_last_value_of_a_key_counts() {
    let headers = [("baggage", "a=1,b=2"), ("baggage", "b=3"), ("baggage", "")];
    assert_eq!(read("baggage", &headers), ["a=1", "b=3"]);
}

#[test]
fn malformed_members_are_left_out() {
    let cases = [
        "", ",", "k", "=v", "k k=v", "k(=v", "é=v", "k=a b", "k=\"v\"", "k=a\\b", "k=é", "k=%",
        "k=%4", "k=%zz", "k=%+1", "k=v;p p", "k=v;=1", "k=v;p=\"", "\u{fffd}",
    ];
    for header in cases {
        assert_eq!(read("baggage", &[("baggage", header)]), [""; 0], "{header}");
        let with_good = format!("{header},good=1");
        assert_eq!(
            read("baggage", &[("baggage", &with_good)]),
            ["good=1"],
            "{header}"
        );
    }
}

#[test]
fn reading_stops_at_the_limits() {
    let members: Vec<_> = (0..70).map(|n| format!("k{n:02}=v")).collect();
    let found = read("baggage", &[("baggage", &members.join(","))]);
    assert_eq!(found, members[..64]);

    let long = |key: &str, len: usize| format!("{key}={}", "x".repeat(len - key.len() - 1));
    let header = format!("{},{}", long("a", 4096), long("b", 4095));
    assert_eq!(header.len(), 8192);
    assert_eq!(read("baggage", &[("baggage", &header)]).len(), 2);
    let header = format!("{},{}", long("a", 4096), long("b", 4096));
    assert_eq!(read("baggage", &[("baggage", &header)]).len(), 1);
}

#[test]
fn members_are_written_in_order_and_encoded() {
    let mut baggage = Baggage::new();
    baggage.insert("b", "é, \"x\"=1\r\n");
    baggage.insert_with_metadata("a", "1", "p; q=2");
    baggage.insert("c", "");
    let header = "a=1;p;q=2,b=%C3%A9%2C%20%22x%22%3D1%0D%0A,c=";
    let expected = BTreeMap::from([("baggage".to_owned(), header.to_owned())]);
    assert_eq!(write("baggage", baggage), expected);
}

#[test]
fn properties_that_would_break_the_header_are_not_written() {
    for properties in ["p,evil=1", "p\r\nx: y", "p=\u{e9}"] {
        let mut baggage = Baggage::new();
        baggage.insert_with_metadata("a", "1", properties);
        assert_eq!(write("baggage", baggage)["baggage"], "a=1", "{properties}");
    }
}

#[test]
fn writing_stops_at_the_limits() {
    // Encoding makes three of one.
    let value = " ".repeat(1000);
    let baggage: Vec<_> = (0..4)
        .map(|n| KeyValue::new(format!("k{n}"), value.clone()))
        .collect();
    let header = &write("baggage", baggage)["baggage"];
    assert!(header.len() <= 8192, "{}", header.len());
    assert_eq!(header.split(',').count(), 2);
}

#[test]
fn baggage_travels_without_a_span() {
    let headers = write("tracecontext,baggage,jaeger", [KeyValue::new("a", "1")]);
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["baggage", "uberctx-a"]);
}

#[test]
fn jaeger_baggage_is_read() {
    let cases: [(&str, &str, &[&str]); 9] = [
        ("uberctx-k", "v", &["k=v"]),
        ("Uberctx-K", "v", &["K=v"]),
        ("uberctx-k", "a+b%20c", &["k=a b c"]),
        ("uberctx-k", "a%2Bb", &["k=a+b"]),
        ("uberctx-k", "100%", &["k=100%"]),
        ("uberctx-", "v", &[]),
        ("uberctx-a b", "v", &[]),
        ("jaeger-baggage", "k1=v1, k2=v2", &["k1=v1", "k2=v2"]),
        ("Jaeger-Baggage", "k1, =x, k2 = v=2,", &["k2=v=2"]),
    ];
    for (name, value, members) in cases {
        assert_eq!(read("jaeger", &[(name, value)]), members, "{name}: {value}");
    }
}

#[test]
fn jaeger_baggage_is_written_encoded() {
    let headers = write("jaeger", [KeyValue::new("k", "a b+c/é")]);
    let expected = ("uberctx-k".to_owned(), "a%20b%2Bc%2F%C3%A9".to_owned());
    assert_eq!(headers, BTreeMap::from([expected]));
}

#[test]
fn baggage_of_several_formats_is_merged() {
    let headers = [
        ("baggage", "a=w3c,b=w3c"),
        ("uberctx-b", "jaeger"),
        ("uberctx-c", "jaeger"),
    ];
    assert_eq!(
        read("baggage,jaeger", &headers),
        ["a=w3c", "b=jaeger", "c=jaeger"]
    );
    assert_eq!(
        read("jaeger,baggage", &headers),
        ["a=w3c", "b=w3c", "c=jaeger"]
    );
    let first = propagators("baggage,jaeger").first_wins();
    let cx = first.extract_with(&Context::new(), &headers);
    assert_eq!(cx.baggage().get("b").unwrap().as_str(), "w3c");
}

#[test]
fn properties_survive_the_same_value_in_another_format() {
    let headers = [("baggage", "a=1;p"), ("uberctx-a", "1")];
    assert_eq!(read("baggage,jaeger", &headers), ["a=1;p"]);
    let headers = [("baggage", "a=1;p"), ("uberctx-a", "2")];
    assert_eq!(read("baggage,jaeger", &headers), ["a=2"]);
}

#[test]
fn no_valid_baggage_leaves_the_current_one() {
    let current = Context::new().with_baggage([KeyValue::new("a", "1")]);
    let headers = HashMap::from([("baggage", "broken"), ("uberctx-", "x")]);
    let cx = propagators("baggage,jaeger").extract_with(&current, &headers);
    assert_eq!(cx.baggage().get("a").unwrap().as_str(), "1");
    assert!(!cx.has_active_span());
}
