//! One variable at a time: what it accepts, what it refuses, and what it gives.

use super::*;

/// A variable, the setting it feeds, what it accepts and what it refuses.
pub(super) struct Row {
    pub(super) variable: &'static str,
    setting: &'static str,
    default: &'static str,
    good: &'static [(&'static str, &'static str)],
    bad: &'static [&'static str],
}

const fn row(
    variable: &'static str,
    setting: &'static str,
    default: &'static str,
    good: &'static [(&'static str, &'static str)],
    bad: &'static [&'static str],
) -> Row {
    Row {
        variable,
        setting,
        default,
        good,
        bad,
    }
}

const GO_TRUE: &[(&str, &str)] = &[
    ("1", "true"),
    ("t", "true"),
    ("T", "true"),
    ("True", "true"),
    ("0", "false"),
    ("F", "false"),
];
const NOT_GO: &[&str] = &["yes", "on", "tRUE", "2"];
const COUNTS: &[(&str, &str)] = &[("0", "0"), (" 7 ", "7"), ("2147483647", "2147483647")];
const NOT_COUNTS: &[&str] = &["-1", "+1", "2147483648", "1.5", "many", "0x10"];
const NOT_SIZES: &[&str] = &["0", "-1", "2147483648", "many"];
const TIMEOUTS: &[(&str, &str)] = &[("0", "none"), ("250", "250 ms")];
const NOT_TIMES: &[&str] = &["-1", "10s", "2147483648", "1.5"];
const NOT_URLS: &[&str] = &[
    "collector:4318",
    "localhost",
    "ftp://host",
    "http://",
    "http://:4318",
    "http://host:99999",
    "http://host:0",
    "http://host:",
    "http://host:port/",
    "http://a b",
    "://host",
];
const GO_TIMES: &[(&str, &str)] = &[
    ("2s", "2000 ms"),
    ("1m30s", "90000 ms"),
    ("1.5s", "1500 ms"),
    ("+250ms", "250 ms"),
    ("1ns", "1 ms"),
];
const NOT_GO_TIMES: &[&str] = &["s", "1x", "fast", "99999999999h"];

pub(super) const ROWS: &[Row] = &[
    row(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "otlp.endpoint",
        "http://localhost:4318/v1/traces",
        &[
            ("http://c:4318", "http://c:4318/v1/traces"),
            ("http://c:4318/", "http://c:4318/v1/traces"),
            ("https://c/base", "https://c/base/v1/traces"),
            ("http://c/base/?key=1", "http://c/base/v1/traces?key=1"),
            ("http://c?key=1", "http://c/v1/traces?key=1"),
            ("http://c/#part", "http://c/v1/traces"),
            (" http://[::1]:4318 ", "http://[::1]:4318/v1/traces"),
            ("HTTP://C", "HTTP://C/v1/traces"),
        ],
        NOT_URLS,
    ),
    row(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "otlp.endpoint",
        "http://localhost:4318/v1/traces",
        &[
            ("http://c:4318", "http://c:4318"),
            ("http://c:4318/x?y=1", "http://c:4318/x?y=1"),
        ],
        NOT_URLS,
    ),
    row(
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "otlp.protocol",
        "http/protobuf",
        &[
            ("grpc", "grpc"),
            (" HTTP/JSON ", "http/json"),
            ("http/protobuf", "http/protobuf"),
        ],
        &["http", "protobuf"],
    ),
    row(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "otlp.protocol",
        "http/protobuf",
        &[("grpc", "grpc")],
        &["x"],
    ),
    row(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "otlp.headers",
        "none",
        &[
            ("a=1, B=2", "a=[redacted], b=[redacted]"),
            ("authorization=Basic dXNlcg==", "authorization=[redacted]"),
            ("a=1,a=2,", "a=[redacted]"),
        ],
        &["a", "=1", "a=%", "a=%zz", "a=%ff", "a b=1", "a=%0a"],
    ),
    row(
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "otlp.headers",
        "none",
        &[("a=1", "a=[redacted]")],
        &["a"],
    ),
    row(
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "otlp.timeout",
        "10000 ms",
        TIMEOUTS,
        NOT_TIMES,
    ),
    row(
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "otlp.timeout",
        "10000 ms",
        TIMEOUTS,
        NOT_TIMES,
    ),
    row(
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "otlp.compression",
        "none",
        &[("GZIP", "gzip"), ("none", "none")],
        &["zip"],
    ),
    row(
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
        "otlp.compression",
        "none",
        &[("gzip", "gzip")],
        &["zip"],
    ),
    row(
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "otlp.certificate",
        "none",
        &[("Cargo.toml", "Cargo.toml")],
        &["missing.pem", "src"],
    ),
    row(
        "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
        "otlp.certificate",
        "none",
        &[("Cargo.toml", "Cargo.toml")],
        &["missing.pem"],
    ),
    row(
        "OTEL_EXPORTER_JAEGER_PROTOCOL",
        "jaeger.protocol",
        "http/thrift.binary",
        &[
            ("UDP/thrift.compact", "udp/thrift.compact"),
            ("udp/thrift.binary", "udp/thrift.binary"),
        ],
        &["grpc", "udp"],
    ),
    row(
        "OTEL_EXPORTER_JAEGER_AGENT_HOST",
        "jaeger.agent_host",
        "localhost",
        &[("a", "a")],
        &["a:1", "http://a"],
    ),
    row(
        "OTEL_EXPORTER_JAEGER_AGENT_PORT",
        "jaeger.agent_port",
        "6831",
        &[("1", "1")],
        &["0", "65536", "x"],
    ),
    row(
        "OTEL_EXPORTER_JAEGER_ENDPOINT",
        "jaeger.endpoint",
        "http://localhost:14268/api/traces",
        &[("http://c/x", "http://c/x")],
        NOT_URLS,
    ),
    row(
        "OTEL_EXPORTER_JAEGER_TIMEOUT",
        "jaeger.timeout",
        "10000 ms",
        TIMEOUTS,
        NOT_TIMES,
    ),
    row(
        "JAEGER_AGENT_HOST",
        "jaeger.agent_host",
        "localhost",
        &[
            ("agent", "agent"),
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
        ],
        &["agent:6831", "udp://agent", "a b", "[agent]", "u@h"],
    ),
    row(
        "JAEGER_AGENT_PORT",
        "jaeger.agent_port",
        "6831",
        &[("6832", "6832"), ("65535", "65535")],
        &["0", "65536", "-1", "tcp://10.0.0.1:6831"],
    ),
    row(
        "JAEGER_ENDPOINT",
        "jaeger.endpoint",
        "http://localhost:14268/api/traces",
        &[
            ("http://c:14268/api/traces", "http://c:14268/api/traces"),
            (
                "http://c:14268/api/traces?format=jaeger.thrift",
                "http://c:14268/api/traces?format=jaeger.thrift",
            ),
        ],
        NOT_URLS,
    ),
    row(
        "JAEGER_AUTH_TOKEN",
        "jaeger.token",
        "none",
        &[("abc", "[redacted]")],
        &["a\nb"],
    ),
    row(
        "TRACED_JAEGER",
        "jaeger.client",
        "own",
        &[
            ("own", "own"),
            ("OpenTelemetry-Jaeger", "opentelemetry-jaeger"),
        ],
        &["crate", "none"],
    ),
    row(
        "JAEGER_REPORTER_LOG_SPANS",
        "log_spans",
        "false",
        GO_TRUE,
        NOT_GO,
    ),
    row(
        "JAEGER_REPORTER_MAX_QUEUE_SIZE",
        "queue_size",
        "32768",
        &[("100", "100"), ("+5", "5")],
        &["many", "1.5"],
    ),
    row(
        "JAEGER_REPORTER_FLUSH_INTERVAL",
        "schedule_delay",
        "1000 ms",
        GO_TIMES,
        NOT_GO_TIMES,
    ),
    row(
        "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED",
        "jaeger.reconnecting_disabled",
        "false",
        GO_TRUE,
        NOT_GO,
    ),
    row(
        "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL",
        "jaeger.reconnect_interval",
        "30000 ms",
        GO_TIMES,
        NOT_GO_TIMES,
    ),
    row(
        "JAEGER_SAMPLER_MAX_OPERATIONS",
        "sampler.max_operations",
        "2000",
        &[("5", "5")],
        &["x"],
    ),
    row(
        "JAEGER_SAMPLER_REFRESH_INTERVAL",
        "sampler.interval",
        "60000 ms",
        GO_TIMES,
        NOT_GO_TIMES,
    ),
    row(
        "JAEGER_SAMPLING_ENDPOINT",
        "sampler.endpoint",
        "http://127.0.0.1:5778/sampling",
        &[("http://s/x", "http://s/x")],
        NOT_URLS,
    ),
    row(
        "JAEGER_SAMPLER_MANAGER_HOST_PORT",
        "sampler.endpoint",
        "http://127.0.0.1:5778/sampling",
        &[
            ("m:5778", "http://m:5778/sampling"),
            ("http://m/x", "http://m/x"),
            ("[::1]:1", "http://[::1]:1/sampling"),
        ],
        &["m", "m:x", "ftp://m"],
    ),
    row("JAEGER_DISABLED", "disabled", "false", GO_TRUE, NOT_GO),
    row(
        "JAEGER_PROPAGATION",
        "propagators",
        "tracecontext, baggage",
        &[
            ("jaeger", "jaeger"),
            ("W3C,b3,w3c", "tracecontext, b3multi (first wins)"),
        ],
        &["none", "tracecontext", "b3,x", ","],
    ),
    row(
        "OTEL_PROPAGATORS",
        "propagators",
        "tracecontext, baggage",
        &[
            ("b3", "b3"),
            ("B3Multi, jaeger", "b3multi, jaeger"),
            ("none", "none"),
            ("b3,b3,baggage", "b3, baggage"),
        ],
        &["xray", "b3,xray", "none,b3", ","],
    ),
    row(
        "OTEL_BSP_SCHEDULE_DELAY",
        "schedule_delay",
        "1000 ms",
        &[("1", "1 ms"), ("5000", "5000 ms")],
        &["0", "-1", "1s", "2147483648"],
    ),
    row(
        "OTEL_BSP_EXPORT_TIMEOUT",
        "export_timeout",
        "30000 ms",
        TIMEOUTS,
        NOT_TIMES,
    ),
    row(
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "queue_size",
        "32768",
        &[("2048", "2048")],
        NOT_SIZES,
    ),
    row(
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        "batch_size",
        "512",
        &[("1", "1"), ("32768", "32768")],
        &["0", "32769", "x"],
    ),
    row(
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "limit.attributes",
        "128",
        COUNTS,
        NOT_COUNTS,
    ),
    row(
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "limit.attributes",
        "128",
        COUNTS,
        NOT_COUNTS,
    ),
    row(
        "OTEL_SPAN_EVENT_COUNT_LIMIT",
        "limit.events",
        "128",
        COUNTS,
        NOT_COUNTS,
    ),
    row(
        "OTEL_SPAN_LINK_COUNT_LIMIT",
        "limit.links",
        "128",
        COUNTS,
        NOT_COUNTS,
    ),
    row(
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        "limit.attributes_per_event",
        "128",
        COUNTS,
        NOT_COUNTS,
    ),
    row(
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        "limit.attributes_per_link",
        "128",
        COUNTS,
        NOT_COUNTS,
    ),
    row(
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "limit.value_length",
        "none",
        COUNTS,
        NOT_COUNTS,
    ),
    row(
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "limit.value_length",
        "none",
        COUNTS,
        NOT_COUNTS,
    ),
    row(
        "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN",
        "exceptions",
        "span events",
        &[
            ("logs", "logs"),
            ("logs/dup", "logs/dup"),
            ("logs,logs/dup", "logs/dup"),
            ("logs/dup,logs", "logs/dup"),
        ],
        &["events", "logs,x", ","],
    ),
    row(
        "OTEL_LOG_LEVEL",
        "log_level",
        "info",
        &[
            ("DEBUG", "debug"),
            ("none", "off"),
            ("warning", "warn"),
            ("verbose", "trace"),
            ("error", "error"),
        ],
        &["loud"],
    ),
    row(
        "TRACED_LEVEL",
        "filter",
        "info",
        &[("debug", "debug"), ("OFF", "off")],
        &["loud"],
    ),
    row(
        "TRACED_FILTER",
        "filter",
        "info",
        &[
            ("app::db=debug,info", "app::db=debug,info"),
            ("warn, a=trace, a::b=off", "a::b=off,a=trace,warn"),
            ("a=debug,a=warn", "a=warn,info"),
        ],
        &["app::db", "a=loud", "=info", "a=b=info"],
    ),
    row(
        "TRACED_ARGUMENTS",
        "arguments",
        "all",
        &[("scalars", "scalars"), ("NONE", "none")],
        &["some"],
    ),
    row(
        "TRACED_REDACT",
        "redact",
        "none",
        &[("email, Phone,email", "email, phone")],
        &[],
    ),
    row(
        "TRACED_CODE",
        "code",
        "all",
        &[("function", "function"), ("off", "off")],
        &["none"],
    ),
    row(
        "TRACED_CANCELLED",
        "cancelled",
        "kind",
        &[("error", "error"), ("unset", "unset")],
        &["ok"],
    ),
    row("TRACED_STRICT", "strict", "false", GO_TRUE, NOT_GO),
    row(
        "TRACED_DOCTOR",
        "doctor",
        "false",
        &[
            ("1", "true"),
            ("T", "true"),
            ("0", "false"),
            (" JSON", "json"),
        ],
        NOT_GO,
    ),
    row(
        "TRACED_MAX_QUEUE_BYTES",
        "queue_bytes",
        "33554432",
        &[("1024", "1024")],
        NOT_SIZES,
    ),
    row(
        "TRACED_SHUTDOWN_TIMEOUT",
        "shutdown_timeout",
        "5000 ms",
        &[("0", "0 ms"), ("250", "250 ms")],
        NOT_TIMES,
    ),
    row(
        "TRACED_FILE",
        "file",
        "none",
        &[("out.jsonl", "out.jsonl")],
        &[],
    ),
    row(
        "TRACED_LOG",
        "log",
        "automatic",
        &[
            ("stderr", "stderr"),
            ("log", "log"),
            ("Tracing", "tracing"),
            ("off", "off"),
        ],
        &["syslog", "automatic"],
    ),
];

#[test]
fn paths_that_have_no_effect_are_warned_about() {
    let file = from_env(&[("TRACED_FILE", "spans")]);
    assert_eq!(
        file.warnings(),
        ["`TRACED_FILE`: has no effect without `OTEL_TRACES_EXPORTER=file`"]
    );
    from_env(&[("TRACED_FILE", "spans"), ("OTEL_TRACES_EXPORTER", "file")]).assert_quiet();
    let certificate = [("OTEL_EXPORTER_OTLP_CERTIFICATE", "Cargo.toml")];
    from_env(&certificate).assert_quiet();
    let warnings = resolve_all(&Overrides::default(), DEFAULT, &certificate).warnings();
    let expected = "`OTEL_EXPORTER_OTLP_CERTIFICATE`: has no effect without feature `tls` \
                    of `trace-runtime`";
    assert!(warnings.iter().any(|line| line == expected), "{warnings:?}");
}

impl Row {
    pub(super) fn unset_and_blank_give_the_default(&self) {
        let all = [
            &[] as Pairs<'_>,
            &[(self.variable, "")],
            &[(self.variable, " \t")],
        ];
        for pairs in all {
            let resolved = from_env(pairs);
            let expected = (self.default.to_owned(), "default".to_owned());
            assert_eq!(resolved.get(self.setting), expected, "{}", self.variable);
            resolved.assert_quiet();
        }
    }

    pub(super) fn good_values_are_used_and_name_their_variable(&self) {
        for (text, expected) in self.good {
            let resolved = from_env(&[(self.variable, text)]);
            let expected = ((*expected).to_owned(), self.variable.to_owned());
            let case = format!("{}={text}", self.variable);
            assert_eq!(resolved.get(self.setting), expected, "{case}");
            assert_eq!(resolved.errors(), [""; 0], "{case}");
        }
    }

    pub(super) fn bad_values_are_reported_once_and_replaced_by_the_default(&self) {
        for text in self.bad.iter().copied().chain(["caf\u{fffd}"]) {
            let resolved = from_env(&[(self.variable, text)]);
            assert_eq!(
                resolved.value(self.setting),
                self.default,
                "{}={text}",
                self.variable
            );
            let errors = resolved.errors();
            let [error] = errors.as_slice() else {
                panic!("{}={text}: {errors:?}", self.variable);
            };
            assert!(
                error.starts_with(&format!("`{}=", self.variable)),
                "{error}"
            );
            assert!(
                error.contains("expected") || error.contains("must"),
                "{error}"
            );
            assert!(!error.contains('\n'), "{error}");
        }
    }
}

#[test]
fn what_is_not_positive_is_the_default_in_go() {
    for (variable, setting, default) in [
        ("JAEGER_REPORTER_MAX_QUEUE_SIZE", "queue_size", "32768"),
        (
            "JAEGER_REPORTER_FLUSH_INTERVAL",
            "schedule_delay",
            "1000 ms",
        ),
        (
            "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL",
            "jaeger.reconnect_interval",
            "30000 ms",
        ),
        (
            "JAEGER_SAMPLER_MAX_OPERATIONS",
            "sampler.max_operations",
            "2000",
        ),
        (
            "JAEGER_SAMPLER_REFRESH_INTERVAL",
            "sampler.interval",
            "60000 ms",
        ),
    ] {
        for text in ["0", "-5"] {
            let resolved = from_env(&[(variable, text)]);
            let expected = (default.to_owned(), "default".to_owned());
            assert_eq!(resolved.get(setting), expected, "{variable}={text}");
            assert_eq!(resolved.errors(), [""; 0], "{variable}={text}");
        }
    }
}

#[test]
fn a_bare_integer_is_milliseconds_and_said_to_be() {
    for (variable, setting) in [
        ("JAEGER_REPORTER_FLUSH_INTERVAL", "schedule_delay"),
        (
            "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL",
            "jaeger.reconnect_interval",
        ),
        ("JAEGER_SAMPLER_REFRESH_INTERVAL", "sampler.interval"),
    ] {
        let resolved = from_env(&[(variable, "750")]);
        assert_eq!(resolved.value(setting), "750 ms");
        let expected = format!("`{variable}=750`: has no unit and is read as milliseconds");
        assert!(
            resolved.infos().contains(&expected),
            "{:?}",
            resolved.infos()
        );
    }
}

#[test]
fn booleans_of_the_specification_are_false_unless_true() {
    for (text, expected, errors) in [
        ("true", "true", 0),
        ("TRUE", "true", 0),
        ("false", "false", 0),
        ("1", "false", 1),
        ("yes", "false", 1),
    ] {
        let resolved = from_env(&[("OTEL_SDK_DISABLED", text), ("JAEGER_DISABLED", "0")]);
        let expected = (expected.to_owned(), "OTEL_SDK_DISABLED".to_owned());
        assert_eq!(resolved.get("disabled"), expected, "{text}");
        assert_eq!(resolved.errors().len(), errors, "{text}");
    }
}

#[test]
fn the_default_batch_fits_a_small_queue() {
    let resolved = from_env(&[("OTEL_BSP_MAX_QUEUE_SIZE", "100")]);
    assert_eq!(resolved.value("batch_size"), "100");
    resolved.assert_quiet();
}

#[test]
fn filters_match_whole_path_segments_the_longest_first() {
    let resolved = from_env(&[(
        "TRACED_FILTER",
        "warn,app=info,app::db=trace,app::db::raw=off",
    )]);
    let filter = &resolved.config.filter.value;
    for (path, level) in [
        ("other::f", "warn"),
        ("app", "info"),
        ("app::f", "info"),
        ("apps::f", "warn"),
        ("app::db::load", "trace"),
        ("app::dbx", "info"),
        ("app::db::raw::f", "off"),
    ] {
        assert_eq!(value::Word::name(filter.level(path)), level, "{path}");
    }
    assert!(filter.max_level().enables(crate::callsite::Level::Trace));
    assert!(
        !filter
            .level("app::db::raw")
            .enables(crate::callsite::Level::Error)
    );
    assert!(filter.level("x").enables(crate::callsite::Level::Warn));
    assert!(!filter.level("x").enables(crate::callsite::Level::Info));
}

#[test]
fn unsupported_variables_are_said_to_be() {
    let resolved = from_env(&[
        ("JAEGER_TRACEID_128BIT", "false"),
        ("JAEGER_RPC_METRICS", "true"),
        ("OTEL_CONFIG_FILE", "otel.yaml"),
    ]);
    assert_eq!(
        resolved.infos(),
        ["`JAEGER_TRACEID_128BIT=false`: has no effect: trace ids always have 128 bits"]
    );
    assert_eq!(
        resolved.warnings(),
        [
            "`JAEGER_RPC_METRICS=true`: is not supported: no metrics are made",
            "`OTEL_CONFIG_FILE=otel.yaml`: is not supported; the variables are used",
        ]
    );
    from_env(&[
        ("JAEGER_TRACEID_128BIT", "true"),
        ("JAEGER_RPC_METRICS", "0"),
    ])
    .assert_quiet();
    assert_eq!(
        from_env(&[("JAEGER_TRACEID_128BIT", "maybe")])
            .errors()
            .len(),
        1
    );
    assert_eq!(
        from_env(&[("JAEGER_RPC_METRICS", "maybe")]).errors().len(),
        1
    );
}
