//! Rows whose variables mean something only beside others.

use super::*;

/// What is set, and what comes of it.
pub(super) struct Case {
    env: Pairs<'static>,
    setting: &'static str,
    /// Value and source; none where the setting is absent.
    expected: Option<(&'static str, &'static str)>,
    errors: usize,
    warnings: usize,
}

const fn good(
    env: Pairs<'static>,
    setting: &'static str,
    value: &'static str,
    source: &'static str,
) -> Case {
    Case {
        env,
        setting,
        expected: Some((value, source)),
        errors: 0,
        warnings: 0,
    }
}

const fn absent(env: Pairs<'static>, setting: &'static str) -> Case {
    Case {
        expected: None,
        ..good(env, setting, "", "")
    }
}

impl Case {
    const fn bad(self, errors: usize) -> Case {
        Case { errors, ..self }
    }

    const fn warned(self) -> Case {
        Case {
            warnings: 1,
            ..self
        }
    }

    pub(super) fn check(&self) {
        let resolved = if self.setting == NAME {
            resolve_all(&Overrides::default(), EVERYTHING, self.env)
        } else {
            from_env(self.env)
        };
        let found = resolved.find(self.setting);
        let found = found
            .as_ref()
            .map(|(value, source)| (value.as_str(), source.as_str()));
        assert_eq!(found, self.expected, "{:?}", self.env);
        assert_eq!(
            resolved.errors().len(),
            self.errors,
            "{:?}: {:?}",
            self.env,
            resolved.errors()
        );
        let warnings = resolved.warnings();
        assert_eq!(
            warnings.len(),
            self.warnings,
            "{:?}: {warnings:?}",
            self.env
        );
    }
}

/// The variable must be there with a good value, blank, and with a bad one.
pub(super) fn assert_complete(variable: &str, table: &[Case]) {
    let has = |wanted: fn(&str, &Case) -> bool| {
        table.iter().any(|case| {
            let mut values = case.env.iter().filter(|(name, _)| *name == variable);
            values.any(|(_, value)| wanted(value, case))
        })
    };
    assert!(
        has(|value, case| !value.is_empty() && case.errors == 0),
        "{variable} is never set"
    );
    assert!(
        has(|value, _| value.is_empty()),
        "{variable} is never blank"
    );
    let anything_goes = ["OTEL_CONFIG_FILE"].contains(&variable);
    assert!(
        anything_goes || has(|_, case| case.errors > 0),
        "{variable} is never bad"
    );
}

const BAD: &str = "caf\u{fffd}";
const NAME: &str = "resource.service.name";

const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
pub(super) const OTEL_TRACES_EXPORTER: &[Case] = &[
    good(&[], "exporters", "otlp", "default"),
    good(&[(EXPORTER, "")], "exporters", "otlp", "default"),
    good(
        &[(EXPORTER, "otlp, Console")],
        "exporters",
        "otlp, console",
        EXPORTER,
    ),
    good(&[(EXPORTER, "logging")], "exporters", "console", EXPORTER),
    good(
        &[(EXPORTER, "jaeger")],
        "exporters",
        "jaeger (http/thrift.binary)",
        EXPORTER,
    ),
    good(&[(EXPORTER, " NONE ")], "exporters", "none", EXPORTER),
    // Silence beats the wrong place.
    good(&[(EXPORTER, "jaegr")], "exporters", "none", EXPORTER).bad(1),
    good(&[(EXPORTER, "none,otlp")], "exporters", "none", EXPORTER).bad(1),
    good(&[(EXPORTER, BAD)], "exporters", "none", EXPORTER).bad(1),
    good(
        &[(EXPORTER, "otlp"), ("JAEGER_AGENT_HOST", "a")],
        "exporters",
        "otlp",
        EXPORTER,
    )
    .warned(),
];

const DISABLED: &str = "OTEL_SDK_DISABLED";
pub(super) const OTEL_SDK_DISABLED: &[Case] = &[
    good(&[], "disabled", "false", "default"),
    good(&[(DISABLED, "")], "disabled", "false", "default"),
    good(&[(DISABLED, " True ")], "disabled", "true", DISABLED),
    good(&[(DISABLED, "false")], "disabled", "false", DISABLED),
    good(&[(DISABLED, "1")], "disabled", "false", DISABLED).bad(1),
    good(
        &[(DISABLED, BAD), ("JAEGER_DISABLED", "1")],
        "disabled",
        "true",
        "JAEGER_DISABLED",
    )
    .bad(1),
    good(
        &[(DISABLED, "true"), ("JAEGER_DISABLED", "0")],
        "disabled",
        "true",
        DISABLED,
    )
    .warned(),
];

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const GRPC: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
const HOST: (&str, &str) = (ENDPOINT, "c:4317");
const INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";
const TRACES_INSECURE: &str = "OTEL_EXPORTER_OTLP_TRACES_INSECURE";
pub(super) const OTEL_EXPORTER_OTLP_INSECURE: &[Case] = &[
    good(&[GRPC, HOST], "otlp.endpoint", "https://c:4317", ENDPOINT),
    good(
        &[GRPC, HOST, (INSECURE, "")],
        "otlp.endpoint",
        "https://c:4317",
        ENDPOINT,
    ),
    good(
        &[GRPC, HOST, (INSECURE, "true")],
        "otlp.endpoint",
        "http://c:4317",
        ENDPOINT,
    ),
    good(
        &[GRPC, HOST, (INSECURE, "1")],
        "otlp.endpoint",
        "https://c:4317",
        ENDPOINT,
    )
    .bad(1),
    good(
        &[GRPC, HOST, (TRACES_INSECURE, "")],
        "otlp.endpoint",
        "https://c:4317",
        ENDPOINT,
    ),
    good(
        &[GRPC, HOST, (TRACES_INSECURE, "true")],
        "otlp.endpoint",
        "http://c:4317",
        ENDPOINT,
    ),
    good(
        &[GRPC, HOST, (TRACES_INSECURE, "yes")],
        "otlp.endpoint",
        "https://c:4317",
        ENDPOINT,
    )
    .bad(1),
    good(
        &[GRPC, HOST, (TRACES_INSECURE, "false"), (INSECURE, "true")],
        "otlp.endpoint",
        "https://c:4317",
        ENDPOINT,
    ),
    // A scheme says it all.
    good(
        &[GRPC, (ENDPOINT, "https://c"), (INSECURE, "true")],
        "otlp.endpoint",
        "https://c",
        ENDPOINT,
    ),
];

const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE";
const TRACES_CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE";
const KEY: &str = "OTEL_EXPORTER_OTLP_CLIENT_KEY";
const TRACES_KEY: &str = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY";
const FILE: &str = "Cargo.toml";
const SHOWN: &str = "otlp.client_certificate";
const HIDDEN: &str = "otlp.client_key";
pub(super) const OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: &[Case] = &[
    good(&[], SHOWN, "none", "default"),
    good(
        &[(CERTIFICATE, FILE), (KEY, FILE)],
        SHOWN,
        FILE,
        CERTIFICATE,
    ),
    good(
        &[(CERTIFICATE, FILE), (KEY, FILE)],
        HIDDEN,
        "[redacted]",
        KEY,
    ),
    good(
        &[(TRACES_CERTIFICATE, FILE), (TRACES_KEY, FILE)],
        SHOWN,
        FILE,
        TRACES_CERTIFICATE,
    ),
    good(
        &[(TRACES_CERTIFICATE, FILE), (TRACES_KEY, FILE)],
        HIDDEN,
        "[redacted]",
        TRACES_KEY,
    ),
    good(
        &[(CERTIFICATE, ""), (TRACES_CERTIFICATE, "")],
        SHOWN,
        "none",
        "default",
    ),
    good(&[(KEY, ""), (TRACES_KEY, "")], HIDDEN, "none", "default"),
    // Both or neither.
    good(&[(CERTIFICATE, FILE), (KEY, "")], SHOWN, "none", "default").bad(1),
    good(&[(CERTIFICATE, ""), (KEY, FILE)], HIDDEN, "none", "default").bad(1),
    good(
        &[(CERTIFICATE, "missing.pem"), (KEY, FILE)],
        SHOWN,
        "none",
        "default",
    )
    .bad(2),
    good(
        &[(CERTIFICATE, FILE), (KEY, "missing.pem")],
        HIDDEN,
        "none",
        "default",
    )
    .bad(2),
    good(
        &[(TRACES_CERTIFICATE, "src"), (TRACES_KEY, BAD)],
        SHOWN,
        "none",
        "default",
    )
    .bad(2),
];

const OTEL_USER: &str = "OTEL_EXPORTER_JAEGER_USER";
const OTEL_PASSWORD: &str = "OTEL_EXPORTER_JAEGER_PASSWORD";
const USER: &str = "JAEGER_USER";
const PASSWORD: &str = "JAEGER_PASSWORD";
const TO_JAEGER: (&str, &str) = (EXPORTER, "jaeger");
pub(super) const OTEL_EXPORTER_JAEGER_USER: &[Case] = &[
    good(
        &[(OTEL_USER, "u"), (OTEL_PASSWORD, "p"), TO_JAEGER],
        "jaeger.user",
        "[redacted]",
        OTEL_USER,
    ),
    good(
        &[(OTEL_USER, "u"), (OTEL_PASSWORD, "p"), TO_JAEGER],
        "jaeger.password",
        "[redacted]",
        OTEL_PASSWORD,
    ),
    good(
        &[(OTEL_USER, ""), (OTEL_PASSWORD, ""), TO_JAEGER],
        "jaeger.user",
        "none",
        "default",
    ),
    good(
        &[(OTEL_USER, "u"), TO_JAEGER],
        "jaeger.user",
        "none",
        "default",
    )
    .bad(1),
    good(
        &[(OTEL_PASSWORD, "p"), TO_JAEGER],
        "jaeger.password",
        "none",
        "default",
    )
    .bad(1),
    good(
        &[(OTEL_USER, "u:v"), (OTEL_PASSWORD, "p"), TO_JAEGER],
        "jaeger.user",
        "none",
        "default",
    )
    .bad(2),
    good(
        &[
            (OTEL_USER, "u"),
            (OTEL_PASSWORD, "p"),
            (USER, "v"),
            (PASSWORD, "p"),
            TO_JAEGER,
        ],
        "jaeger.user",
        "[redacted]",
        OTEL_USER,
    )
    .warned(),
];
pub(super) const JAEGER_USER: &[Case] = &[
    good(&[], "jaeger.user", "none", "default"),
    good(
        &[(USER, "u"), (PASSWORD, "p")],
        "jaeger.user",
        "[redacted]",
        USER,
    ),
    good(
        &[(USER, "u"), (PASSWORD, "p")],
        "jaeger.password",
        "[redacted]",
        PASSWORD,
    ),
    good(
        &[(USER, ""), (PASSWORD, "")],
        "jaeger.user",
        "none",
        "default",
    ),
    good(
        &[(USER, "u"), (PASSWORD, "")],
        "jaeger.user",
        "none",
        "default",
    )
    .bad(1),
    good(
        &[(USER, ""), (PASSWORD, "p")],
        "jaeger.password",
        "none",
        "default",
    )
    .bad(1),
    good(
        &[(USER, BAD), (PASSWORD, "p")],
        "jaeger.user",
        "none",
        "default",
    )
    .bad(2),
    // Whoever has a token needs no user.
    good(
        &[(USER, "u"), (PASSWORD, "p"), ("JAEGER_AUTH_TOKEN", "t")],
        "jaeger.token",
        "none",
        "default",
    )
    .bad(1),
];

const SERVICE: &str = "OTEL_SERVICE_NAME";
const OLD_SERVICE: &str = "JAEGER_SERVICE_NAME";
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const TAGS: &str = "JAEGER_TAGS";
const UNKNOWN: &str = "unknown_service:shop";
pub(super) const OTEL_SERVICE_NAME: &[Case] = &[
    good(&[], NAME, UNKNOWN, "default").warned(),
    good(&[(SERVICE, "  ")], NAME, UNKNOWN, "default").warned(),
    good(&[(SERVICE, "")], NAME, UNKNOWN, "default").warned(),
    good(&[(SERVICE, " a b ")], NAME, "a b", SERVICE),
    good(&[(SERVICE, BAD)], NAME, UNKNOWN, "default")
        .bad(1)
        .warned(),
    good(
        &[(SERVICE, "a"), (ATTRIBUTES, "service.name=b")],
        NAME,
        "a",
        SERVICE,
    ),
    good(&[(SERVICE, "a"), (OLD_SERVICE, "b")], NAME, "a", SERVICE).warned(),
];
pub(super) const OTEL_RESOURCE_ATTRIBUTES: &[Case] = &[
    absent(&[(ATTRIBUTES, "")], "resource.a"),
    good(
        &[(ATTRIBUTES, "a=1%2C2,b=3")],
        "resource.a",
        "1,2",
        ATTRIBUTES,
    ),
    absent(&[(ATTRIBUTES, "a=1,b")], "resource.a").bad(1),
    absent(&[(ATTRIBUTES, "a=1,b=%zz")], "resource.a").bad(1),
    absent(&[(ATTRIBUTES, BAD)], "resource.a").bad(1),
    good(
        &[(ATTRIBUTES, "a=1"), (TAGS, "a=2")],
        "resource.a",
        "1",
        ATTRIBUTES,
    )
    .warned(),
    good(
        &[(ATTRIBUTES, "service.name=b"), (OLD_SERVICE, "c")],
        NAME,
        "b",
        ATTRIBUTES,
    )
    .warned(),
];
pub(super) const JAEGER_SERVICE_NAME: &[Case] = &[
    good(&[(OLD_SERVICE, "")], NAME, UNKNOWN, "default").warned(),
    good(&[(OLD_SERVICE, "a")], NAME, "a", OLD_SERVICE),
    good(&[(OLD_SERVICE, BAD)], NAME, UNKNOWN, "default")
        .bad(1)
        .warned(),
    good(&[(OLD_SERVICE, "a"), (SERVICE, "a")], NAME, "a", SERVICE),
    good(&[(OLD_SERVICE, "a"), (SERVICE, "b")], NAME, "b", SERVICE).warned(),
];
pub(super) const JAEGER_TAGS: &[Case] = &[
    absent(&[(TAGS, "")], "resource.a"),
    good(&[(TAGS, " a = 1 ,b=2")], "resource.a", "1", TAGS),
    good(&[(TAGS, "a=${N:x}")], "resource.a", "x", TAGS),
    good(&[(TAGS, "a=${N:x}"), ("N", "y")], "resource.a", "y", TAGS),
    // Its other entries stay.
    good(&[(TAGS, "a=1,b")], "resource.a", "1", TAGS).bad(1),
    absent(&[(TAGS, BAD)], "resource.a").bad(1),
    good(
        &[(TAGS, "a=1"), (ATTRIBUTES, "a=2")],
        "resource.a",
        "2",
        ATTRIBUTES,
    )
    .warned(),
];

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
const TYPE: &str = "JAEGER_SAMPLER_TYPE";
const PARAMETER: &str = "JAEGER_SAMPLER_PARAM";
const RATIO: (&str, &str) = (SAMPLER, "traceidratio");
const REMOTE: (&str, &str) = (SAMPLER, "parentbased_jaeger_remote");
const ON: &str = "parentbased_always_on";
pub(super) const OTEL_TRACES_SAMPLER: &[Case] = &[
    good(&[], "sampler", ON, "default"),
    good(&[(SAMPLER, "")], "sampler", ON, "default"),
    good(
        &[(SAMPLER, " Always_Off ")],
        "sampler",
        "always_off",
        SAMPLER,
    ),
    good(&[RATIO], "sampler", "traceidratio(1)", SAMPLER),
    good(
        &[REMOTE],
        "sampler",
        "parentbased_jaeger_remote(0.001)",
        SAMPLER,
    ),
    good(&[(SAMPLER, "allways_on")], "sampler", ON, "default").bad(1),
    good(&[(SAMPLER, BAD)], "sampler", ON, "default").bad(1),
    good(
        &[(SAMPLER, "always_off"), (TYPE, "const")],
        "sampler",
        "always_off",
        SAMPLER,
    )
    .warned(),
];
pub(super) const OTEL_TRACES_SAMPLER_ARG: &[Case] = &[
    good(
        &[RATIO, (ARGUMENT, "")],
        "sampler",
        "traceidratio(1)",
        SAMPLER,
    ),
    good(
        &[RATIO, (ARGUMENT, "0.25")],
        "sampler",
        "traceidratio(0.25)",
        SAMPLER,
    ),
    good(
        &[RATIO, (ARGUMENT, "2.5")],
        "sampler",
        "traceidratio(1)",
        SAMPLER,
    )
    .bad(1),
    good(
        &[RATIO, (ARGUMENT, "NaN")],
        "sampler",
        "traceidratio(1)",
        SAMPLER,
    )
    .bad(1),
    good(
        &[RATIO, (ARGUMENT, "-1")],
        "sampler",
        "traceidratio(1)",
        SAMPLER,
    )
    .bad(1),
    good(
        &[
            REMOTE,
            (
                ARGUMENT,
                "endpoint=http://s/x,pollingIntervalMs=5,initialSamplingRate=0.5",
            ),
        ],
        "sampler.endpoint",
        "http://s/x",
        ARGUMENT,
    ),
    good(
        &[REMOTE, (ARGUMENT, "initialSamplingRate=2")],
        "sampler",
        "parentbased_jaeger_remote(0.001)",
        SAMPLER,
    )
    .bad(1),
    good(&[(ARGUMENT, "0.5")], "sampler", ON, "default").warned(),
    good(
        &[
            RATIO,
            (ARGUMENT, "0.25"),
            (TYPE, "probabilistic"),
            (PARAMETER, "0.5"),
        ],
        "sampler",
        "traceidratio(0.25)",
        SAMPLER,
    )
    .warned(),
];
pub(super) const JAEGER_SAMPLER_TYPE: &[Case] = &[
    good(&[(TYPE, "")], "sampler", ON, "default"),
    good(&[(TYPE, "CONST")], "sampler", ON, TYPE),
    good(
        &[(TYPE, "probabilistic")],
        "sampler",
        "parentbased_traceidratio(0.001)",
        TYPE,
    ),
    good(
        &[(TYPE, "remote")],
        "sampler",
        "parentbased_jaeger_remote(0.001)",
        TYPE,
    ),
    good(&[(TYPE, "ratelimiting")], "sampler", ON, "default").bad(1),
    good(&[(TYPE, "sometimes")], "sampler", ON, "default").bad(1),
    good(
        &[(TYPE, "remote"), (SAMPLER, "always_on")],
        "sampler",
        "always_on",
        SAMPLER,
    )
    .warned(),
];
pub(super) const JAEGER_SAMPLER_PARAM: &[Case] = &[
    good(&[(TYPE, "const"), (PARAMETER, "")], "sampler", ON, TYPE),
    good(
        &[(TYPE, "const"), (PARAMETER, "0")],
        "sampler",
        "parentbased_always_off",
        TYPE,
    ),
    good(
        &[(TYPE, "ratelimiting"), (PARAMETER, "2.5")],
        "sampler",
        "parentbased_ratelimiting(2.5)",
        TYPE,
    ),
    good(&[(TYPE, "const"), (PARAMETER, "x")], "sampler", ON, TYPE).bad(1),
    good(
        &[(TYPE, "probabilistic"), (PARAMETER, "1.5")],
        "sampler",
        "parentbased_traceidratio(0.001)",
        TYPE,
    )
    .bad(1),
    // Without a type it is jaeger-client-go's default, which asks.
    good(
        &[(PARAMETER, "0.5")],
        "sampler",
        "parentbased_jaeger_remote(0.5)",
        PARAMETER,
    ),
    good(
        &[
            (TYPE, "probabilistic"),
            (PARAMETER, "0.5"),
            (SAMPLER, "always_off"),
        ],
        "sampler",
        "always_off",
        SAMPLER,
    )
    .warned(),
];

const WIDE: &str = "JAEGER_TRACEID_128BIT";
const METRICS: &str = "JAEGER_RPC_METRICS";
pub(super) const JAEGER_TRACEID_128BIT: &[Case] = &[
    good(&[(WIDE, "")], "sampler", ON, "default"),
    good(&[(WIDE, "true")], "sampler", ON, "default"),
    good(&[(WIDE, "f")], "sampler", ON, "default"),
    good(&[(WIDE, "maybe")], "sampler", ON, "default").bad(1),
];
pub(super) const JAEGER_RPC_METRICS: &[Case] = &[
    good(&[(METRICS, "")], "sampler", ON, "default"),
    good(&[(METRICS, "false")], "sampler", ON, "default"),
    good(&[(METRICS, "true")], "sampler", ON, "default").warned(),
    good(&[(METRICS, "maybe")], "sampler", ON, "default").bad(1),
];
pub(super) const OTEL_CONFIG_FILE: &[Case] = &[
    good(&[("OTEL_CONFIG_FILE", "")], "sampler", ON, "default"),
    good(
        &[("OTEL_CONFIG_FILE", "otel.yaml")],
        "sampler",
        ON,
        "default",
    )
    .warned(),
];
