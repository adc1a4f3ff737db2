//! Which headers carry a trace, which do not, and what is written.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use trace_runtime::propagation::{Format, Propagators};

const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const SPAN: u64 = 0xb7ad_6b71_6920_3331;
const IDS: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

type Headers = Vec<(&'static str, String)>;

fn propagators(list: &str) -> Propagators {
    list.parse().unwrap()
}

fn extract(list: &str, headers: &[(&str, &str)]) -> SpanContext {
    let cx = propagators(list).extract_with(&Context::new(), &headers);
    cx.span().span_context().clone()
}

/// `trace-span-flags` in hexadecimal, `none` for no trace.
fn shown(list: &str, headers: &[(&str, &str)]) -> String {
    let context = extract(list, headers);
    if !context.is_valid() {
        assert_eq!(context, SpanContext::NONE, "{headers:?}");
        return "none".to_owned();
    }
    assert!(context.is_remote());
    let (trace, span, flags) = (context.trace_id(), context.span_id(), context.trace_flags());
    format!("{trace:032x}-{span:016x}-{flags:02x}")
}

fn inject(list: &str, cx: &Context) -> HashMap<String, String> {
    let mut headers = HashMap::new();
    propagators(list).inject_context(cx, &mut headers);
    headers
}

fn context(flags: u8, state: TraceState) -> Context {
    let (trace, span) = (TraceId::from(TRACE), SpanId::from(SPAN));
    let flags = TraceFlags::new(flags);
    Context::new().with_remote_span_context(SpanContext::new(trace, span, flags, false, state))
}

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn traceparent_is_read() {
    let cases = [
        ("00-{}-00", "00"),
        ("00-{}-01", "01"),
        // Random is passed on, what we do not know is not.
        ("00-{}-02", "02"),
        ("00-{}-03", "03"),
        ("00-{}-ff", "03"),
        ("00-{}-09", "01"),
        (" \t00-{}-01\t ", "01"),
        // Future versions, with and without more fields.
        ("cc-{}-01", "01"),
        ("cc-{}-01-what-the-future-will-be-like", "01"),
        ("01-{}-00", "00"),
        ("fe-{}-01", "01"),
    ];
    for (header, flags) in cases {
        let header = header.replace("{}", IDS);
        let found = shown("tracecontext", &[("traceparent", &header)]);
        assert_eq!(found, format!("{IDS}-{flags}"), "{header}");
    }
}

#[test]
fn malformed_traceparent_is_no_trace() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let span = "b7ad6b7169203331";
    let cases = [
        String::new(),
        "-".to_owned(),
        "00".to_owned(),
        format!("00-{IDS}"),
        format!("00-{IDS}-"),
        format!("00-{IDS}-1"),
        format!("00-{IDS}-011"),
        format!("00-{IDS}-01-"),
        format!("00-{IDS}-01-extra"),
        format!("00-{IDS}-01.extra"),
        format!("cc-{IDS}-01.extra"),
        format!("cc-{IDS}-0"),
        format!("ff-{IDS}-01"),
        format!("0-{IDS}-01"),
        format!("000-{IDS}-01"),
        format!("0g-{IDS}-01"),
        format!("0A-{IDS}-01"),
        format!("00-{IDS}-0A"),
        format!("00-{IDS}-0g"),
        format!("00-{IDS}-+1"),
        format!("00-{}-01", IDS.to_uppercase()),
        "00-1-2-01".to_owned(),
        format!("00-+{}-{span}-01", &trace[1..]),
        format!("00-{trace}-+{}-01", &span[1..]),
        format!("00-{}-{span}-01", "0".repeat(32)),
        format!("00-{trace}-{}-01", "0".repeat(16)),
        format!("00-{}-{span}-01", &trace[1..]),
        format!("00-{trace}0-{span}-01"),
        format!("00-{trace}-{}-01", &span[1..]),
        format!("00-{trace}-{span}0-01"),
        format!("00-{}.{span}-01", trace),
        format!("00_{trace}_{span}_01"),
        format!("00-{}\u{e9}-{span}-01", &trace[2..]),
        format!("\u{a0}00-{IDS}-01"),
        format!("\u{b}00-{IDS}-01"),
        format!("00-{IDS}-01,00-{IDS}-01"),
    ];
    for header in cases {
        let headers = [("traceparent", header.as_str()), ("tracestate", "a=1")];
        assert_eq!(shown("tracecontext", &headers), "none", "{header}");
    }
}

/// Of the test suite of the W3C, as the others here.
#[test]
fn headers_with_similar_names_are_no_traceparent() {
    let header = format!("00-{IDS}-01");
    for name in [
        "trace-parent",
        "trace.parent",
        "traceparent2",
        "xtraceparent",
    ] {
        assert_eq!(shown("tracecontext", &[(name, &header)]), "none", "{name}");
    }
}

#[test]
fn tracestate_alone_is_nothing() {
    let propagators = propagators("tracecontext");
    for headers in [
        &[("tracestate", "foo=1")][..],
        &[("tracestate", "foo=1"), ("tracestate", "bar=2")],
        &[("traceparent", "00-bad"), ("tracestate", "foo=1")],
    ] {
        let cx = propagators.extract_with(&Context::new(), &headers);
        assert!(!cx.has_active_span());
        assert!(inject("tracecontext", &cx).is_empty(), "{headers:?}");
    }
}

#[test]
fn two_traceparents_are_no_trace() {
    let header = format!("00-{IDS}-01");
    for second in [
        header.as_str(),
        "00-00000000000000000000000000000001-0000000000000001-01",
        "x",
    ] {
        for name in ["traceparent", "Traceparent"] {
            let headers = [("traceparent", header.as_str()), (name, second)];
            assert_eq!(shown("tracecontext", &headers), "none");
        }
    }
}

#[test]
fn header_names_have_no_case() {
    let header = format!("00-{IDS}-01");
    for name in ["traceparent", "TraceParent", "TRACEPARENT"] {
        assert_ne!(shown("tracecontext", &[(name, header.as_str())]), "none");
    }
}

/// What reaches the next service; `None` where the whole state is dropped.
fn passed_on(states: &[&str]) -> Option<String> {
    let parent = format!("00-{IDS}-01");
    let mut headers = vec![("traceparent", parent.as_str())];
    headers.extend(states.iter().map(|state| ("tracestate", *state)));
    let propagators = propagators("tracecontext");
    let cx = propagators.extract_with(&Context::new(), &headers);
    assert!(
        cx.span().span_context().is_valid(),
        "a bad state must not cost the trace: {states:?}"
    );
    inject("tracecontext", &cx).remove("tracestate")
}

#[test]
fn tracestate_is_passed_on() {
    let long_key = format!("{}=1", "a".repeat(256));
    let tenant = format!("{}@{}=1", "t".repeat(241), "v".repeat(14));
    let long_value = format!("a={}", "x".repeat(256));
    let full = (0..32)
        .map(|n| format!("k{n}={n}"))
        .collect::<Vec<_>>()
        .join(",");
    let same = [
        "foo=1",
        "foo=1,bar=2",
        "foo=1,foo=2",
        "0=1",
        "a-_*/b=1",
        "foo=a b",
        "foo= a",
        "foo= !\"#$%&'()*+-./0123456789:;<>?@[\\]^_`abc{|}~",
        "t@v=1",
        // OpenTelemetry's own type refuses these four keys.
        tenant.as_str(),
        "a@b@c=1",
        "a=1,t@_v=2,b=3",
        "t@vvvvvvvvvvvvvvvv=2",
        long_key.as_str(),
        long_value.as_str(),
        full.as_str(),
    ];
    for state in same {
        assert_eq!(passed_on(&[state]).as_deref(), Some(state));
    }
}

#[test]
fn tracestate_headers_are_joined_and_tidied() {
    let cases: [(&[&str], &str); 6] = [
        (&["foo=1", "bar=2"], "foo=1,bar=2"),
        (&["foo=1,", ",bar=2"], "foo=1,bar=2"),
        (&["", "foo=1", "  ", "bar=2"], "foo=1,bar=2"),
        (&["foo=1 \t , \tbar=2, "], "foo=1,bar=2"),
        (&["foo=1,,,bar=2"], "foo=1,bar=2"),
        (&["bar=2", "foo=1"], "bar=2,foo=1"),
    ];
    for (headers, joined) in cases {
        assert_eq!(passed_on(headers).as_deref(), Some(joined), "{headers:?}");
    }
}

#[test]
fn malformed_tracestate_is_dropped_as_a_whole() {
    let too_many = (0..33)
        .map(|n| format!("k{n}={n}"))
        .collect::<Vec<_>>()
        .join(",");
    let long_key = format!("{}=1", "a".repeat(257));
    let long_value = format!("a={}", "x".repeat(257));
    let bad = [
        "",
        ",",
        "foo",
        "foo=",
        "=1",
        "foo =1",
        "Foo=1",
        "_a=1",
        "@a=1",
        "a.b=1",
        "foo=1=2",
        "foo=1\u{7f}",
        "foo=\u{e9}",
        "foo=a\tb",
        "foo=1;bar=2,x",
        "\u{fffd}",
        too_many.as_str(),
        long_key.as_str(),
        long_value.as_str(),
    ];
    for state in bad {
        assert_eq!(passed_on(&[state]), None, "{state}");
        assert_eq!(
            passed_on(&[state, "good=1"]).is_none(),
            !matches!(state, "" | ","),
            "{state}"
        );
    }
}

#[test]
fn changed_tracestate_is_written_rather_than_the_one_read() {
    let parent = format!("00-{IDS}-01");
    let headers = [
        ("traceparent", parent.as_str()),
        ("tracestate", "a=1,t@_v=2"),
    ];
    let cx = propagators("tracecontext").extract_with(&Context::new(), &headers);
    let remote = cx.span().span_context().clone();
    let changed = SpanContext::new(
        remote.trace_id(),
        remote.span_id(),
        remote.trace_flags(),
        false,
        remote.trace_state().insert("own", "3").unwrap(),
    );
    let headers = inject("tracecontext", &cx.with_remote_span_context(changed));
    assert_eq!(headers["tracestate"], "own=3,a=1");
}

#[test]
fn traceparent_is_written() {
    for (flags, written) in [(0, "00"), (1, "01"), (2, "02"), (3, "03"), (0xff, "03")] {
        let headers = inject("tracecontext", &context(flags, TraceState::NONE));
        assert_eq!(
            headers,
            map(&[("traceparent", &format!("00-{IDS}-{written}"))])
        );
    }
}

#[test]
fn values_that_would_break_a_header_are_not_written() {
    let state = TraceState::from_key_value([
        ("good", "1"),
        ("bad", "a\r\nx-evil: 1"),
        ("worse", "\u{e9}"),
    ]);
    let headers = inject("tracecontext", &context(1, state.unwrap()));
    assert_eq!(headers["tracestate"], "good=1");
}

#[test]
fn forwarded_tracestate_does_not_survive() {
    let mut headers = map(&[
        ("Tracestate", "old=1"),
        ("TraceParent", "old"),
        ("other", "stays"),
    ]);
    propagators("tracecontext").inject_context(&context(1, TraceState::NONE), &mut headers);
    assert_eq!(
        headers,
        map(&[("traceparent", &format!("00-{IDS}-01")), ("other", "stays")])
    );
}

#[test]
fn nothing_is_written_without_a_span() {
    assert_eq!(
        inject("tracecontext,baggage,b3,b3multi,jaeger", &Context::new()),
        HashMap::new()
    );
}

const B3_IDS: &str = "463ac35c9f6413ad48485a3953bb6124-0020000000000001";

#[test]
fn b3_single_is_read() {
    let short = "000000000000000048485a3953bb6124-0020000000000001";
    let cases = [
        (format!("{B3_IDS}-1"), B3_IDS, "01"),
        (format!("{B3_IDS}-0"), B3_IDS, "00"),
        (format!("{B3_IDS}-d"), B3_IDS, "01"),
        (B3_IDS.to_owned(), B3_IDS, "00"),
        (format!("{B3_IDS}-1-05e3ac9a4f6e3b90"), B3_IDS, "01"),
        (
            "48485a3953bb6124-0020000000000001-1".to_owned(),
            short,
            "01",
        ),
        (format!(" {B3_IDS}-1\t"), B3_IDS, "01"),
    ];
    for (header, ids, flags) in cases {
        for list in ["b3", "b3multi"] {
            assert_eq!(
                shown(list, &[("B3", &header)]),
                format!("{ids}-{flags}"),
                "{header}"
            );
        }
    }
}

#[test]
fn malformed_b3_is_no_trace() {
    let cases = [
        String::new(),
        "0".to_owned(),
        "1".to_owned(),
        "d".to_owned(),
        "-".to_owned(),
        "2".to_owned(),
        format!("{B3_IDS}-"),
        format!("{B3_IDS}-2"),
        format!("{B3_IDS}-true"),
        format!("{B3_IDS}-D"),
        format!("{B3_IDS}-1-"),
        format!("{B3_IDS}-1-1"),
        format!("{B3_IDS}-1-05e3ac9a4f6e3b9g"),
        format!("{B3_IDS}-1-05e3ac9a4f6e3b90-x"),
        format!("{B3_IDS}-05e3ac9a4f6e3b90"),
        "463ac35c9f6413ad48485a3953bb6124".to_owned(),
        "463ac35c9f6413ad48485a3953bb6124-1".to_owned(),
        "463ac35c9f6413ad48485a3953bb612-0020000000000001-1".to_owned(),
        "463ac35c9f6413ad48485a3953bb61245-0020000000000001-1".to_owned(),
        "463ac35c9f6413ad48485a3953bb6124-002000000000001-1".to_owned(),
        "463ac35c9f6413ad48485a3953bb6124-00200000000000011-1".to_owned(),
        "00000000000000000000000000000000-0020000000000001-1".to_owned(),
        "463ac35c9f6413ad48485a3953bb6124-0000000000000000-1".to_owned(),
        "+63ac35c9f6413ad48485a3953bb6124-0020000000000001-1".to_owned(),
        "463ac35c9f6413ad48485a3953bb6124-+020000000000001-1".to_owned(),
    ];
    for header in cases {
        assert_eq!(shown("b3", &[("b3", &header)]), "none", "{header}");
    }
    let good = format!("{B3_IDS}-1");
    assert_eq!(
        shown("b3", &[("b3", good.as_str()), ("B3", good.as_str())]),
        "none"
    );
}

fn b3_multi<'a>(more: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    let mut headers = vec![
        ("X-B3-TraceId", "463ac35c9f6413ad48485a3953bb6124"),
        ("X-B3-SpanId", "0020000000000001"),
    ];
    headers.extend(more);
    headers
}

#[test]
fn b3_multi_is_read() {
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("X-B3-Sampled", "1")], "01"),
        (&[("X-B3-Sampled", "true")], "01"),
        (&[("X-B3-Sampled", "0")], "00"),
        (&[("X-B3-Sampled", "false")], "00"),
        (&[("X-B3-Flags", "1")], "01"),
        (&[("X-B3-Flags", "1"), ("X-B3-Sampled", "0")], "01"),
        (&[("X-B3-Flags", "0"), ("X-B3-Sampled", "1")], "01"),
        (&[("X-B3-ParentSpanId", "05e3ac9a4f6e3b90")], "00"),
        (&[], "00"),
    ];
    for (more, flags) in cases {
        for list in ["b3", "b3multi"] {
            assert_eq!(
                shown(list, &b3_multi(more)),
                format!("{B3_IDS}-{flags}"),
                "{more:?}"
            );
        }
    }
}

#[test]
fn malformed_b3_multi_is_no_trace() {
    assert_eq!(
        shown("b3multi", &b3_multi(&[("X-B3-Sampled", "2")])),
        "none"
    );
    assert_eq!(
        shown("b3multi", &b3_multi(&[("X-B3-Sampled", "d")])),
        "none"
    );
    assert_eq!(
        shown("b3multi", &b3_multi(&[("x-b3-traceid", "1")])),
        "none"
    );
    assert_eq!(
        shown(
            "b3multi",
            &b3_multi(&[("X-B3-Sampled", "1"), ("x-b3-sampled", "1")])
        ),
        "none"
    );
    assert_eq!(shown("b3multi", &b3_multi(&[])[..1]), "none");
    assert_eq!(shown("b3multi", &b3_multi(&[])[1..]), "none");
    let short = [("X-B3-TraceId", "1"), ("X-B3-SpanId", "0020000000000001")];
    assert_eq!(shown("b3multi", &short), "none");
}

#[test]
fn single_b3_is_tried_first_and_a_bad_one_does_not_hide_the_other() {
    let other = "00000000000000000000000000000007-0000000000000008";
    let single = format!("{other}-1");
    for list in ["b3", "b3multi"] {
        let good = b3_multi(&[("b3", &single)]);
        assert_eq!(shown(list, &good), format!("{other}-01"));
        let bad = b3_multi(&[("b3", "bad"), ("X-B3-Sampled", "1")]);
        assert_eq!(shown(list, &bad), format!("{B3_IDS}-01"));
        let mere_decision = b3_multi(&[("b3", "0"), ("X-B3-Sampled", "1")]);
        assert_eq!(shown(list, &mere_decision), format!("{B3_IDS}-01"));
    }
}

#[test]
fn b3_is_written() {
    for (flags, digit) in [(0, "0"), (1, "1"), (3, "1"), (2, "0")] {
        let cx = context(flags, TraceState::NONE);
        assert_eq!(inject("b3", &cx), map(&[("b3", &format!("{IDS}-{digit}"))]));
        let (trace, span) = IDS.split_once('-').unwrap();
        let multi = [
            ("x-b3-traceid", trace),
            ("x-b3-spanid", span),
            ("x-b3-sampled", digit),
        ];
        assert_eq!(inject("b3multi", &cx), map(&multi));
    }
}

#[test]
fn forwarded_b3_does_not_contradict_ours() {
    let mut headers = map(&[
        ("X-B3-ParentSpanId", "0000000000000009"),
        ("X-B3-Flags", "1"),
    ]);
    propagators("b3multi").inject_context(&context(1, TraceState::NONE), &mut headers);
    let mut names: Vec<_> = headers.into_keys().collect();
    names.sort();
    assert_eq!(names, ["x-b3-sampled", "x-b3-spanid", "x-b3-traceid"]);
}

#[test]
fn uber_trace_id_is_read() {
    let one = "00000000000000000000000000000001-0000000000000002";
    let cases = [
        (
            "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1",
            IDS,
            "01",
        ),
        (
            "0AF7651916CD43DD8448EB211C80319C:B7AD6B7169203331:0:1",
            IDS,
            "01",
        ),
        ("1:2:0:1", one, "01"),
        ("1:2:3:0", one, "00"),
        ("1:2:anything:1", one, "01"),
        ("1:2::1", one, "01"),
        ("1:2:0:3", one, "01"),
        // Debug counts with sampled only.
        ("1:2:0:2", one, "00"),
        ("1:2:0:01", one, "01"),
        ("1:2:0:ff", one, "01"),
        ("1:2:0:10", one, "00"),
        ("1%3A2%3a0%3A1", one, "01"),
        (" 1:2:0:1 ", one, "01"),
        (
            "00000000000000000000000000000001:0000000000000002:0:1",
            one,
            "01",
        ),
    ];
    for (header, ids, flags) in cases {
        for name in ["uber-trace-id", "Uber-Trace-Id"] {
            assert_eq!(
                shown("jaeger", &[(name, header)]),
                format!("{ids}-{flags}"),
                "{header}"
            );
        }
    }
}

#[test]
fn malformed_uber_trace_id_is_no_trace() {
    let cases = [
        "",
        ":",
        ":::",
        "1",
        "1:2:0",
        "1:2:0:",
        "1:2:0:1:",
        "1:2:0:1:5",
        "0:2:0:1",
        "1:0:0:1",
        "00000000000000000000000000000000:2:0:1",
        "1:0000000000000000:0:1",
        "+1:2:0:1",
        "1:+2:0:1",
        "1:2:0:+1",
        "1:-2:0:1",
        "g:2:0:1",
        "1:2:0:x",
        "1:2:0:001",
        "1:2:0:100",
        "0af7651916cd43dd8448eb211c80319c0:2:0:1",
        "1:b7ad6b71692033310:0:1",
        "1%3A2%3A0%3A",
        "1%3A2%3A0%3",
        "1%253A2%253A0%253A1",
        "1 :2:0:1",
    ];
    for header in cases {
        assert_eq!(
            shown("jaeger", &[("uber-trace-id", header)]),
            "none",
            "{header}"
        );
    }
    let twice = [("uber-trace-id", "1:2:0:1"), ("Uber-Trace-Id", "1:2:0:1")];
    assert_eq!(shown("jaeger", &twice), "none");
}

#[test]
fn uber_trace_id_is_written_with_decimal_flags() {
    for (flags, digit) in [(0, 0), (1, 1), (2, 0), (3, 1)] {
        let ids = IDS.replace('-', ":");
        let headers = inject("jaeger", &context(flags, TraceState::NONE));
        assert_eq!(
            headers,
            map(&[("uber-trace-id", &format!("{ids}:0:{digit}"))])
        );
    }
}

fn in_every_format() -> Headers {
    vec![
        ("traceparent", format!("00-{:032x}-{:016x}-01", 1, 1)),
        ("b3", format!("{:032x}-{:016x}-1", 2, 2)),
        ("uber-trace-id", "3:3:0:1".to_owned()),
    ]
}

fn winner(propagators: Propagators, headers: &Headers) -> u128 {
    let cx = propagators.extract_with(&Context::new(), &headers);
    u128::from_be_bytes(cx.span().span_context().trace_id().to_bytes())
}

#[test]
fn last_valid_format_wins() {
    let mut headers = in_every_format();
    assert_eq!(winner(propagators("tracecontext,b3,jaeger"), &headers), 3);
    assert_eq!(winner(propagators("jaeger,b3,tracecontext"), &headers), 1);
    headers[2].1 = "broken".to_owned();
    assert_eq!(winner(propagators("tracecontext,b3,jaeger"), &headers), 2);
}

#[test]
fn first_valid_format_wins_for_jaeger_propagation() {
    let mut headers = in_every_format();
    assert_eq!(
        winner(Propagators::from_jaeger("w3c,b3,jaeger").unwrap(), &headers),
        1
    );
    assert_eq!(
        winner(Propagators::from_jaeger("jaeger,b3,w3c").unwrap(), &headers),
        3
    );
    headers[0].1 = "broken".to_owned();
    assert_eq!(
        winner(Propagators::from_jaeger("w3c,b3,jaeger").unwrap(), &headers),
        2
    );
}

#[test]
fn formats_that_name_the_same_span_complete_each_other() {
    let traceparent = format!("00-{IDS}-03");
    let uber = format!("{}:0:1", IDS.replace('-', ":"));
    let headers = [
        ("traceparent", traceparent.as_str()),
        ("tracestate", "a=1"),
        ("uber-trace-id", uber.as_str()),
        ("b3", IDS),
    ];
    for list in [
        "tracecontext,jaeger",
        "jaeger,tracecontext",
        "b3,tracecontext",
        // B3 says nothing about sampling here, so what the others say counts.
        "tracecontext,b3",
    ] {
        let context = extract(list, &headers);
        assert_eq!(context.trace_flags().to_u8(), 3, "{list}");
        assert_eq!(context.trace_state().header(), "a=1", "{list}");
    }
    // They disagree on sampling: the winner decides.
    let unsampled = uber.replace(":0:1", ":0:0");
    let headers = [
        headers[0],
        headers[1],
        ("uber-trace-id", unsampled.as_str()),
    ];
    assert_eq!(
        extract("tracecontext,jaeger", &headers)
            .trace_flags()
            .to_u8(),
        2
    );
    assert_eq!(
        extract("jaeger,tracecontext", &headers)
            .trace_flags()
            .to_u8(),
        3
    );
    // Another span: nothing of the loser is left.
    let other = [headers[0], headers[1], ("uber-trace-id", "1:2:0:1")];
    assert_eq!(
        extract("tracecontext,jaeger", &other).trace_state(),
        &TraceState::NONE
    );
}

#[test]
fn all_formats_are_written() {
    let headers = inject("jaeger,b3,tracecontext", &context(1, TraceState::NONE));
    assert_eq!(headers.len(), 3);
}

#[test]
fn lists_are_read_with_tolerance_and_errors_name_the_word() {
    let formats = |list: &str| propagators(list).formats().collect::<Vec<_>>();
    assert_eq!(
        formats(" B3 ,tracecontext,b3,"),
        [Format::B3, Format::TraceContext]
    );
    assert_eq!(formats("none"), []);
    assert_eq!(Propagators::default(), propagators("tracecontext,baggage"));
    let all = "jaeger,b3multi,b3,baggage,tracecontext";
    assert_eq!(formats(all).len(), 5);
    let jaeger = Propagators::from_jaeger("jaeger,b3,w3c").unwrap();
    let expected = [Format::Jaeger, Format::B3Multi, Format::TraceContext];
    assert_eq!(jaeger.formats().collect::<Vec<_>>(), expected);

    let error = |list: &str| list.parse::<Propagators>().unwrap_err().to_string();
    assert_eq!(
        error("tracecontext,xray"),
        "unknown propagator `xray`; expected `tracecontext`, `baggage`, `b3`, `b3multi`, `jaeger` or `none`"
    );
    assert_eq!(error("none,b3"), "`none` must stand alone");
    assert_eq!(
        Propagators::from_jaeger("b3multi").unwrap_err().to_string(),
        "unknown propagator `b3multi`; expected `jaeger`, `b3` or `w3c`"
    );
}

#[test]
fn no_valid_header_leaves_the_context_as_it_is() {
    let current = context(1, TraceState::NONE);
    let headers = [
        ("traceparent", "bad"),
        ("b3", "bad"),
        ("uber-trace-id", "bad"),
        ("baggage", "="),
    ];
    let cx = propagators("tracecontext,baggage,b3,jaeger").extract_with(&current, &headers);
    assert_eq!(cx.span().span_context(), current.span().span_context());
    assert!(!cx.span().span_context().is_remote());
}
