//! Several sources for one setting.

use super::*;

/// Two variables for one setting, the stronger first, with values that differ.
struct Pair {
    setting: &'static str,
    strong: (&'static str, &'static str),
    weak: (&'static str, &'static str),
    /// The weak value in the words of the strong one.
    same: &'static str,
}

const fn pair(
    setting: &'static str,
    strong: (&'static str, &'static str),
    weak: (&'static str, &'static str),
    same: &'static str,
) -> Pair {
    Pair {
        setting,
        strong,
        weak,
        same,
    }
}

const OTEL_OVER_JAEGER: &[Pair] = &[
    pair(
        "disabled",
        ("OTEL_SDK_DISABLED", "true"),
        ("JAEGER_DISABLED", "0"),
        "false",
    ),
    pair(
        "schedule_delay",
        ("OTEL_BSP_SCHEDULE_DELAY", "5"),
        ("JAEGER_REPORTER_FLUSH_INTERVAL", "1s"),
        "1000",
    ),
    pair(
        "queue_size",
        ("OTEL_BSP_MAX_QUEUE_SIZE", "5"),
        ("JAEGER_REPORTER_MAX_QUEUE_SIZE", "100"),
        "100",
    ),
    pair(
        "sampler",
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("JAEGER_SAMPLER_TYPE", "const"),
        "parentbased_always_on",
    ),
    pair(
        "propagators",
        ("OTEL_PROPAGATORS", "b3"),
        ("JAEGER_PROPAGATION", "jaeger"),
        "jaeger",
    ),
    pair(
        "jaeger.agent_host",
        ("OTEL_EXPORTER_JAEGER_AGENT_HOST", "a"),
        ("JAEGER_AGENT_HOST", "b"),
        "b",
    ),
    pair(
        "jaeger.agent_port",
        ("OTEL_EXPORTER_JAEGER_AGENT_PORT", "1"),
        ("JAEGER_AGENT_PORT", "2"),
        "2",
    ),
    pair(
        "jaeger.endpoint",
        ("OTEL_EXPORTER_JAEGER_ENDPOINT", "http://a"),
        ("JAEGER_ENDPOINT", "http://b"),
        "http://b",
    ),
];

const TRACES_OVER_GENERAL: &[Pair] = &[
    pair(
        "otlp.endpoint",
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://a"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://b"),
        "",
    ),
    pair(
        "otlp.protocol",
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        "",
    ),
    pair(
        "otlp.timeout",
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2"),
        "",
    ),
    pair(
        "otlp.compression",
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        "",
    ),
    pair(
        "otlp.certificate",
        ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "Cargo.toml"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "src/lib.rs"),
        "",
    ),
    pair(
        "limit.attributes",
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "2"),
        "",
    ),
    pair(
        "limit.attributes_per_event",
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "2"),
        "",
    ),
    pair(
        "limit.attributes_per_link",
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "2"),
        "",
    ),
    pair(
        "limit.value_length",
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "1"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "2"),
        "",
    ),
];

impl Pair {
    fn has(&self, variable: &str) -> bool {
        self.strong.0 == variable || self.weak.0 == variable
    }

    fn the_stronger_variable_wins_and_a_bad_one_gives_way(&self) {
        let (strong, weak) = (self.strong.0, self.weak.0);
        let both = from_env(&[self.weak, self.strong]);
        assert_eq!(both.get(self.setting).1, strong);
        let alone = from_env(&[self.weak]).get(self.setting);
        assert_eq!(alone.1, weak);
        // Booleans of the specification are false when bad.
        if strong != "OTEL_SDK_DISABLED" {
            let bad = from_env(&[(strong, "\u{fffd}"), self.weak]);
            assert_eq!(bad.get(self.setting), alone);
            assert_eq!(bad.errors().len(), 1, "{strong}: {:?}", bad.errors());
        }
    }

    fn both_worlds_give_one_warning_that_names_the_winner(&self) {
        const JAEGER: (&str, &str) = ("OTEL_TRACES_EXPORTER", "jaeger");
        let both = from_env(&[JAEGER, self.weak, self.strong]);
        let warnings = both.warnings();
        let [warning] = warnings.as_slice() else {
            panic!("{}: {warnings:?}", self.setting);
        };
        assert!(
            warning.contains(self.weak.0) && warning.contains(self.strong.0),
            "{warning}"
        );
        assert!(warning.contains("wins"), "{warning}");
        let same = (self.strong.0, self.same);
        let agreeing = from_env(&[JAEGER, self.weak, same]);
        assert_eq!(agreeing.warnings(), [""; 0], "{}", self.setting);
    }

    fn one_world_alone_gives_no_warning(&self) {
        let both = from_env(&[self.weak, self.strong]);
        assert_eq!(both.warnings(), [""; 0], "{}", self.setting);
    }
}

/// The variable beside any other that feeds the same setting.
pub(super) fn check(variable: &str) {
    for pair in OTEL_OVER_JAEGER.iter().filter(|pair| pair.has(variable)) {
        pair.the_stronger_variable_wins_and_a_bad_one_gives_way();
        pair.both_worlds_give_one_warning_that_names_the_winner();
    }
    for pair in TRACES_OVER_GENERAL.iter().filter(|pair| pair.has(variable)) {
        pair.the_stronger_variable_wins_and_a_bad_one_gives_way();
        pair.one_world_alone_gives_no_warning();
    }
}

#[test]
fn code_wins_over_everything() {
    let overrides = Overrides {
        service_name: Some("code".to_owned()),
        endpoint: Some("http://code:1/base".to_owned()),
        agent: Some("[::1]:7".to_owned()),
        sampler_given: true,
        flush_interval: Some(Duration::from_millis(3)),
        log_spans: Some(false),
        resource_attributes: vec![("a".to_owned(), Value::I64(1))],
        ..Overrides::default()
    };
    let resolved = resolve_all(
        &overrides,
        EVERYTHING,
        &[
            ("OTEL_SERVICE_NAME", "env"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://env"),
            ("JAEGER_AGENT_HOST", "env"),
            ("OTEL_TRACES_SAMPLER", "always_off"),
            ("OTEL_BSP_SCHEDULE_DELAY", "5"),
            ("JAEGER_REPORTER_LOG_SPANS", "true"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=2"),
        ],
    );
    for (setting, value) in [
        ("resource.service.name", "code"),
        ("otlp.endpoint", "http://code:1/base/v1/traces"),
        ("jaeger.agent_host", "::1"),
        ("jaeger.agent_port", "7"),
        ("jaeger.protocol", "udp/thrift.compact"),
        ("sampler", "given in code"),
        ("schedule_delay", "3 ms"),
        ("log_spans", "false"),
        ("resource.a", "1"),
        ("exporters", "otlp, jaeger (udp/thrift.compact)"),
    ] {
        let expected = (value.to_owned(), "code".to_owned());
        assert_eq!(resolved.get(setting), expected, "{setting}");
    }
    resolved.assert_quiet();
}

#[test]
fn bad_values_in_code_name_the_method() {
    for (overrides, method) in [
        (
            Overrides {
                endpoint: Some("collector:4318".to_owned()),
                ..Overrides::default()
            },
            "with_endpoint",
        ),
        (
            Overrides {
                agent: Some("agent:port".to_owned()),
                ..Overrides::default()
            },
            "with_agent",
        ),
        (
            Overrides {
                flush_interval: Some(Duration::ZERO),
                ..Overrides::default()
            },
            "with_flush_interval",
        ),
        (
            Overrides {
                headers: vec![("a b".to_owned(), "c".to_owned())],
                ..Overrides::default()
            },
            "with_header",
        ),
    ] {
        let errors = resolve_all(&overrides, EVERYTHING, &[]).errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(&format!("`{method}")), "{errors:?}");
    }
}

#[test]
fn headers_of_code_win_by_name() {
    let overrides = Overrides {
        headers: vec![("Api-Key".to_owned(), "code".to_owned())],
        ..Overrides::default()
    };
    let env = [("OTEL_EXPORTER_OTLP_HEADERS", "api-key=env,tenant=a%2Cb")];
    let headers = resolve_all(&overrides, EVERYTHING, &env)
        .config
        .otlp
        .headers;
    let expected = [("api-key", "code"), ("tenant", "a,b")];
    let expected = expected.map(|(name, value)| (name.to_owned(), Secret(value.to_owned())));
    assert_eq!(headers.value, expected);
}
