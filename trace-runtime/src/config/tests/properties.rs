//! Whatever the environment holds.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

const VARIABLES: &[&str] = &[
    "JAEGER_AGENT_HOST",
    "JAEGER_AGENT_PORT",
    "JAEGER_AUTH_TOKEN",
    "JAEGER_DISABLED",
    "JAEGER_ENDPOINT",
    "JAEGER_PASSWORD",
    "JAEGER_PROPAGATION",
    "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED",
    "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL",
    "JAEGER_REPORTER_FLUSH_INTERVAL",
    "JAEGER_REPORTER_LOG_SPANS",
    "JAEGER_REPORTER_MAX_QUEUE_SIZE",
    "JAEGER_RPC_METRICS",
    "JAEGER_SAMPLER_MANAGER_HOST_PORT",
    "JAEGER_SAMPLER_MAX_OPERATIONS",
    "JAEGER_SAMPLER_PARAM",
    "JAEGER_SAMPLER_REFRESH_INTERVAL",
    "JAEGER_SAMPLER_TYPE",
    "JAEGER_SAMPLING_ENDPOINT",
    "JAEGER_SERVICE_NAME",
    "JAEGER_TAGS",
    "JAEGER_TRACEID_128BIT",
    "JAEGER_USER",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_EXPORTER_JAEGER_AGENT_HOST",
    "OTEL_EXPORTER_JAEGER_PROTOCOL",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_LOG_LEVEL",
    "OTEL_PROPAGATORS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_EXPORTER",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "TRACED_FILTER",
    "TRACED_JAEGER",
    "TRACED_LEVEL",
    "TRACED_REDACT",
];

/// Text that comes close to being right more often than chance would have it.
fn text() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        any::<String>(),
        "[-+]?[0-9]{0,25}(\\.[0-9]{0,25})?",
        proptest::sample::select(
            &[
                "http://",
                "https://",
                "@",
                ":",
                "=",
                ",",
                "%",
                "%41",
                "${",
                "}",
                "[",
                "]",
                "::1",
                "s",
                "ms",
                "h",
                "µs",
                "p",
                "0x",
                "e",
                "none",
                "otlp",
                "jaeger",
                "grpc",
                "remote",
                "ratelimiting",
                "jaeger_remote",
                "endpoint=",
                "true",
                "info",
                "\u{fffd}",
                " ",
                "/v1/traces",
                "?",
                "#",
                "host",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(fragment, 0..5).prop_map(|parts| parts.concat())
}

fn environment() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let pair = (proptest::sample::select(VARIABLES), text());
    proptest::collection::vec(pair, 0..12)
}

fn features() -> impl Strategy<Value = Features> {
    prop_oneof![Just(EVERYTHING), Just(DEFAULT)]
}

/// The same cases in every run, and no files about failed ones.
fn deterministic() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(0x7472_6163_6564),
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    }
}

proptest! {
    #![proptest_config(deterministic())]

    #[test]
    fn no_environment_makes_resolve_panic(env in environment(), features in features()) {
        let pairs: Vec<_> = env.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let resolved = resolve_all(&Overrides::default(), features, &pairs);
        let config = &resolved.config;
        // What others divide by, wait for and add to an instant.
        prop_assert!(config.batch.schedule_delay.value >= Duration::from_millis(1));
        prop_assert!(config.batch.queue_size.value >= 1);
        prop_assert!(config.batch.batch_size.value >= 1);
        prop_assert!(config.batch.batch_size.value <= config.batch.queue_size.value);
        prop_assert!(config.remote.interval.value >= Duration::from_millis(1));
        prop_assert!(!config.service_name().is_empty());
        for url in [&config.otlp.endpoint, &config.jaeger.endpoint, &config.remote.endpoint] {
            prop_assert!(url.value.as_str().parse::<http::Uri>().is_ok(), "{}", url.value);
        }
        let table = config.to_string();
        prop_assert_eq!(table.lines().count(), config.rows(false).len());
        for diagnostic in &resolved.diagnostics {
            prop_assert_eq!(diagnostic.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn no_text_makes_a_grammar_panic(text in text()) {
        let rows = [
            "OTEL_RESOURCE_ATTRIBUTES", "JAEGER_TAGS", "JAEGER_SAMPLER_REFRESH_INTERVAL",
            "JAEGER_SAMPLER_MANAGER_HOST_PORT", "TRACED_FILTER",
        ];
        let pairs: Vec<_> = rows.iter().map(|name| (*name, text.as_str())).collect();
        let _ = from_env(&pairs);
    }

    #[test]
    fn no_user_info_is_printed(user in "[a-z]{8}", password in "[!-~]{1,12}", host in "[a-z.:@/]{0,8}") {
        let marked = format!("{user}:{password}secretmark@{host}");
        for url in [format!("http://{marked}"), marked.clone(), format!("HTTPS://{marked}:1/x")] {
            let env = [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("JAEGER_ENDPOINT", url.as_str())];
            let resolved = resolve_all(&Overrides::default(), DEFAULT, &env);
            let printed = format!("{:#}{:?}{:?}", resolved.config, resolved.config, resolved.diagnostics);
            prop_assert!(!printed.contains("secretmark"), "{url}: {printed}");
        }
    }
}
