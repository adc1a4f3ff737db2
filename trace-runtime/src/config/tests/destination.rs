//! Where spans go: exporters, endpoints, propagators, and what this build can do.

use super::*;

fn exporters(pairs: Pairs<'_>) -> (String, String) {
    from_env(pairs).get("exporters")
}

const UDP: &str = "jaeger (udp/thrift.compact)";
const HTTP: &str = "jaeger (http/thrift.binary)";

#[test]
fn the_exporter_follows_from_the_variables_that_are_set() {
    let table: &[(Pairs<'_>, &str, &str)] = &[
        (&[], "otlp", "default"),
        (&[("JAEGER_SERVICE_NAME", "x")], "otlp", "default"),
        (&[("JAEGER_AGENT_HOST", "a")], UDP, "JAEGER_AGENT_HOST"),
        (&[("JAEGER_AGENT_PORT", "1")], UDP, "JAEGER_AGENT_PORT"),
        (&[("JAEGER_ENDPOINT", "http://c")], HTTP, "JAEGER_ENDPOINT"),
        (
            &[("JAEGER_ENDPOINT", "http://c"), ("JAEGER_AGENT_HOST", "a")],
            HTTP,
            "JAEGER_ENDPOINT",
        ),
        (&[("JAEGER_ENDPOINT", "")], "otlp", "default"),
        (
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
                ("JAEGER_AGENT_HOST", "a"),
            ],
            "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            &[
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "5"),
                ("JAEGER_AGENT_HOST", "a"),
            ],
            "otlp",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ),
        (
            &[("OTEL_EXPORTER_JAEGER_AGENT_HOST", "a")],
            "otlp",
            "OTEL_EXPORTER_JAEGER_AGENT_HOST",
        ),
    ];
    for (pairs, value, source) in table {
        let expected = ((*value).to_owned(), (*source).to_owned());
        assert_eq!(exporters(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn the_exporter_variable_wins() {
    for (text, expected) in [
        ("otlp", "otlp"),
        ("Console", "console"),
        ("logging", "console"),
        ("none", "none"),
        ("otlp, jaeger,otlp", "otlp, jaeger (udp/thrift.compact)"),
        ("file", "file"),
    ] {
        let pairs = [
            ("OTEL_TRACES_EXPORTER", text),
            ("JAEGER_AGENT_HOST", "a"),
            ("TRACED_FILE", "spans"),
        ];
        let expected = (expected.to_owned(), "OTEL_TRACES_EXPORTER".to_owned());
        assert_eq!(exporters(&pairs), expected, "{text}");
    }
}

#[test]
fn an_unknown_exporter_means_none_and_a_loud_line() {
    for text in ["zipkin", "otlp,zipkin", "none,otlp", "otlp\u{fffd}", ","] {
        let pairs = [
            ("OTEL_TRACES_EXPORTER", text),
            ("JAEGER_ENDPOINT", "http://c"),
        ];
        let resolved = from_env(&pairs);
        assert_eq!(resolved.config.exporters.value, [], "{text}");
        assert_eq!(
            resolved.errors().len(),
            1,
            "{text}: {:?}",
            resolved.errors()
        );
    }
    let resolved = from_env(&[("OTEL_TRACES_EXPORTER", "zipkin")]);
    assert_eq!(
        resolved.errors(),
        [
            "`OTEL_TRACES_EXPORTER=zipkin`: unknown `zipkin`; expected `otlp`, `jaeger`, `console`, \
          `file`, `logging` or `none`; no spans are exported"
        ]
    );
}

#[test]
fn a_destination_that_is_not_used_is_warned_about() {
    let both = from_env(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
        ("JAEGER_AGENT_HOST", "a"),
    ]);
    assert_eq!(
        both.warnings(),
        ["`JAEGER_AGENT_HOST`: is ignored: `OTEL_EXPORTER_OTLP_ENDPOINT` chooses `otlp`"]
    );
    let lonely = from_env(&[("OTEL_EXPORTER_JAEGER_ENDPOINT", "http://c")]);
    assert_eq!(
        lonely.warnings(),
        [
            "`OTEL_EXPORTER_JAEGER_ENDPOINT`: has no effect without `OTEL_TRACES_EXPORTER=jaeger`; \
          using `otlp`"
        ]
    );
}

#[test]
fn exporters_of_the_builder_replace_only_the_default() {
    let adding = Overrides {
        has_exporter: true,
        ..Overrides::default()
    };
    let falling_back = Overrides {
        default_exporter: true,
        ..Overrides::default()
    };
    for overrides in [&adding, &falling_back] {
        let alone = resolve_all(overrides, EVERYTHING, &[]);
        assert_eq!(
            alone.get("exporters"),
            ("none".to_owned(), "code".to_owned())
        );
        let env = [("JAEGER_AGENT_HOST", "a")];
        let named = resolve_all(overrides, EVERYTHING, &env);
        assert_eq!(named.value("exporters"), UDP);
    }
}

#[test]
fn an_exporter_variable_that_code_overrules_is_warned_about() {
    let overrides = Overrides {
        endpoint: Some("http://c".to_owned()),
        service_name: Some("x".to_owned()),
        ..Overrides::default()
    };
    let resolved = resolve_all(
        &overrides,
        EVERYTHING,
        &[("OTEL_TRACES_EXPORTER", "console")],
    );
    assert_eq!(
        resolved.get("exporters"),
        ("otlp".to_owned(), "code".to_owned())
    );
    assert_eq!(
        resolved.warnings(),
        ["`OTEL_TRACES_EXPORTER=console`: is ignored: code chooses `otlp`"]
    );
    resolve_all(&overrides, EVERYTHING, &[("OTEL_TRACES_EXPORTER", "otlp")]).assert_quiet();
}

#[test]
fn the_jaeger_protocol_follows_from_its_destination() {
    let table: &[(Pairs<'_>, &str, &str)] = &[
        (&[], "http/thrift.binary", "6831"),
        (&[("JAEGER_AGENT_HOST", "a")], "udp/thrift.compact", "6831"),
        (
            &[
                ("OTEL_EXPORTER_JAEGER_AGENT_HOST", "a"),
                ("JAEGER_ENDPOINT", "http://c"),
            ],
            "udp/thrift.compact",
            "6831",
        ),
        (
            &[("OTEL_EXPORTER_JAEGER_PROTOCOL", "udp/thrift.binary")],
            "udp/thrift.binary",
            "6832",
        ),
        (
            &[
                ("OTEL_EXPORTER_JAEGER_PROTOCOL", "udp/thrift.compact"),
                ("JAEGER_ENDPOINT", "http://c"),
            ],
            "udp/thrift.compact",
            "6831",
        ),
    ];
    for (pairs, protocol, port) in table {
        let mut all = vec![("OTEL_TRACES_EXPORTER", "jaeger")];
        all.extend_from_slice(pairs);
        let resolved = from_env(&all);
        assert_eq!(resolved.value("jaeger.protocol"), *protocol, "{pairs:?}");
        assert_eq!(resolved.value("jaeger.agent_port"), *port, "{pairs:?}");
        assert_eq!(resolved.value("exporters"), format!("jaeger ({protocol})"));
    }
}

#[test]
fn an_agent_in_code_is_reached_over_udp() {
    let overrides = Overrides {
        agent: Some("127.0.0.1".to_owned()),
        ..Overrides::default()
    };
    for (protocol, expected, port) in [
        ("", UDP, "6831"),
        ("http/thrift.binary", UDP, "6831"),
        ("udp/thrift.binary", "jaeger (udp/thrift.binary)", "6832"),
    ] {
        let env = [("OTEL_EXPORTER_JAEGER_PROTOCOL", protocol)];
        let resolved = resolve_all(&overrides, EVERYTHING, &env);
        assert_eq!(resolved.value("exporters"), expected);
        assert_eq!(resolved.value("jaeger.agent_port"), port);
    }
}

#[test]
fn grpc_has_its_own_endpoints() {
    let endpoint = |pairs: Pairs<'_>| {
        let mut all = vec![("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
        all.extend_from_slice(pairs);
        let resolved = from_env(&all);
        (resolved.value("otlp.endpoint"), resolved.errors().len())
    };
    let found = |url: &str| (url.to_owned(), 0);
    assert_eq!(endpoint(&[]), found("http://localhost:4317"));
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    assert_eq!(endpoint(&[(ENDPOINT, "http://c:1")]), found("http://c:1"));
    assert_eq!(endpoint(&[(ENDPOINT, "c:4317")]), found("https://c:4317"));
    for variable in [
        "OTEL_EXPORTER_OTLP_INSECURE",
        "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    ] {
        let insecure = [(ENDPOINT, "c:4317"), (variable, "true")];
        assert_eq!(endpoint(&insecure), found("http://c:4317"));
        let bad = [(ENDPOINT, "c:4317"), (variable, "1")];
        assert_eq!(endpoint(&bad), ("https://c:4317".to_owned(), 1));
    }
}

#[test]
fn a_url_without_a_scheme_gets_a_hint() {
    let errors = from_env(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]).errors();
    assert_eq!(
        errors,
        [
            "`OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318`: expected an absolute URL such as \
          `http://localhost:4318`; write `http://` in front of the host; using \
          `http://localhost:4318/v1/traces` (default)"
        ]
    );
}

#[test]
fn a_signal_path_in_the_base_url_is_warned_about() {
    let resolved = from_env(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/v1/traces")]);
    assert_eq!(resolved.warnings().len(), 1, "{:?}", resolved.warnings());
    from_env(&[(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "http://c:4318/v1/traces",
    )])
    .assert_quiet();
}

#[test]
fn what_is_not_built_in_is_an_error_that_names_the_feature() {
    let table: &[(Pairs<'_>, &str, &str)] = &[
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c")],
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "feature `tls`",
        ),
        (
            &[("JAEGER_ENDPOINT", "HTTPS://c")],
            "JAEGER_ENDPOINT",
            "feature `tls`",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "feature `otlp-grpc`",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "expected `http/protobuf`",
        ),
    ];
    for (pairs, variable, needed) in table {
        let resolved = resolve_all(&Overrides::default(), DEFAULT, pairs);
        assert_eq!(resolved.config.exporters.value, [], "{pairs:?}");
        let errors = resolved.errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors[0].contains(variable) && errors[0].contains(needed),
            "{errors:?}"
        );
    }
    for (variable, text, feature) in [
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "feature `gzip`"),
        ("TRACED_LOG", "log", "feature `log`"),
        ("TRACED_LOG", "tracing", "feature `tracing`"),
    ] {
        let resolved = resolve_all(&Overrides::default(), DEFAULT, &[(variable, text)]);
        let errors = resolved.errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(feature), "{errors:?}");
        assert_eq!(resolved.value("exporters"), "otlp");
    }
}

#[test]
fn the_archived_crate_reaches_agents_and_nothing_else() {
    const ARCHIVED: (&str, &str) = ("TRACED_JAEGER", "opentelemetry-jaeger");
    for (more, expected, errors) in [
        (
            ("JAEGER_AGENT_HOST", "a"),
            "jaeger (udp/thrift.compact)",
            &[][..],
        ),
        (
            ("OTEL_TRACES_EXPORTER", "jaeger"),
            "jaeger (udp/thrift.compact)",
            &[],
        ),
        (
            ("JAEGER_ENDPOINT", "http://c"),
            "none",
            &[
                "`TRACED_JAEGER`: `opentelemetry-jaeger` sends `udp/thrift.compact`, not \
               `http/thrift.binary`; no spans go to `jaeger (http/thrift.binary)`",
            ],
        ),
    ] {
        let resolved = from_env(&[ARCHIVED, more]);
        assert_eq!(resolved.value("exporters"), expected, "{more:?}");
        assert_eq!(resolved.errors(), errors, "{more:?}");
    }
    let pairs = [ARCHIVED, ("JAEGER_AGENT_HOST", "a")];
    assert_eq!(
        resolve_all(&Overrides::default(), DEFAULT, &pairs).errors(),
        [
            "`TRACED_JAEGER`: `opentelemetry-jaeger` needs the feature of this name of \
          `trace-runtime`; no spans go to `jaeger (udp/thrift.compact)`"
        ]
    );
    let asked = Overrides {
        opentelemetry_jaeger: Some(true),
        agent: Some("a:1".to_owned()),
        ..Overrides::default()
    };
    let resolved = resolve_all(&asked, EVERYTHING, &[("TRACED_JAEGER", "own")]);
    assert_eq!(
        resolved.get("jaeger.client"),
        ("opentelemetry-jaeger".to_owned(), "code".to_owned())
    );
}

#[test]
fn a_build_without_features_resolves_everything_and_exports_nothing() {
    let nothing = Features {
        otlp_http: false,
        jaeger: false,
        remote_sampler: false,
        ..DEFAULT
    };
    let unset = resolve_all(&Overrides::default(), nothing, &[]);
    assert_eq!(unset.config.exporters.value, []);
    assert_eq!(unset.errors(), [""; 0], "nobody asked for an exporter");
    assert!(
        unset
            .warnings()
            .iter()
            .any(|line| line.contains("`otlp-http`"))
    );
    for (pairs, feature) in [
        ([("JAEGER_AGENT_HOST", "a")], "`jaeger`"),
        ([("OTEL_TRACES_EXPORTER", "otlp")], "`otlp-http`"),
        ([("JAEGER_SAMPLER_TYPE", "remote")], "`remote-sampler`"),
    ] {
        let errors = resolve_all(&Overrides::default(), nothing, &pairs).errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors[0].contains(pairs[0].0) && errors[0].contains(feature),
            "{errors:?}"
        );
    }
}

#[test]
fn the_file_exporter_needs_a_path() {
    let resolved = from_env(&[("OTEL_TRACES_EXPORTER", "file")]);
    assert_eq!(resolved.config.exporters.value, []);
    assert_eq!(
        resolved.errors(),
        [
            "`OTEL_TRACES_EXPORTER`: exporter `file` needs `TRACED_FILE`, the path; \
          no spans go to `file`"
        ]
    );
}

#[test]
fn client_certificate_and_key_come_together() {
    const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE";
    const KEY: &str = "OTEL_EXPORTER_OTLP_CLIENT_KEY";
    let both = from_env(&[(CERTIFICATE, "Cargo.toml"), (KEY, "src/lib.rs")]);
    both.assert_quiet();
    assert_eq!(both.value("otlp.client_certificate"), "Cargo.toml");
    assert_eq!(both.value("otlp.client_key"), "[redacted]");
    for alone in [(CERTIFICATE, "Cargo.toml"), (KEY, "Cargo.toml")] {
        let resolved = from_env(&[alone]);
        assert_eq!(resolved.errors().len(), 1, "{:?}", resolved.errors());
        assert!(resolved.errors()[0].starts_with(&format!("`{}`", alone.0)));
        assert_eq!(resolved.value("otlp.client_certificate"), "none");
        assert_eq!(resolved.value("otlp.client_key"), "none");
    }
    let missing = from_env(&[(CERTIFICATE, "Cargo.toml"), (KEY, "missing.pem")]);
    assert!(
        missing
            .errors()
            .iter()
            .all(|error| !error.contains("missing.pem"))
    );
    assert_eq!(missing.value("otlp.client_certificate"), "none");
}

#[test]
fn jaeger_propagation_is_added_for_those_who_came_from_jaeger() {
    let propagators = |pairs: Pairs<'_>| from_env(pairs).get("propagators");
    assert_eq!(
        propagators(&[("JAEGER_AGENT_HOST", "a")]),
        (
            "tracecontext, baggage, jaeger".to_owned(),
            "JAEGER_AGENT_HOST".to_owned()
        )
    );
    for pairs in [
        &[("JAEGER_AGENT_HOST", "a"), ("OTEL_PROPAGATORS", "b3")] as Pairs<'_>,
        &[
            ("OTEL_TRACES_EXPORTER", "jaeger"),
            ("OTEL_PROPAGATORS", "b3"),
        ],
    ] {
        assert_eq!(propagators(pairs).0, "b3");
    }
    let otel = propagators(&[
        ("OTEL_TRACES_EXPORTER", "jaeger"),
        ("JAEGER_AGENT_HOST", "a"),
    ]);
    assert_eq!(otel.0, "tracecontext, baggage");
    let disabled = from_env(&[
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_PROPAGATORS", "jaeger"),
    ]);
    assert_eq!(disabled.value("propagators"), "jaeger");
}

#[test]
fn a_destination_in_the_environment_allows_a_lazy_start() {
    let names = |name: &str, value: &str| {
        names_destination(&|wanted: &str| (wanted == name).then(|| value.to_owned()))
    };
    for variable in [
        "OTEL_TRACES_EXPORTER",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_JAEGER_AGENT_HOST",
        "JAEGER_ENDPOINT",
        "JAEGER_AGENT_HOST",
        "JAEGER_AGENT_PORT",
    ] {
        assert!(names(variable, "x"), "{variable}");
        assert!(!names(variable, " "), "{variable}");
    }
    for variable in [
        "OTEL_SERVICE_NAME",
        "JAEGER_SERVICE_NAME",
        "JAEGER_SAMPLER_TYPE",
        "TRACED_FILE",
    ] {
        assert!(!names(variable, "x"), "{variable}");
    }
    assert!(!names("OTEL_TRACES_EXPORTER", "None"));
}
