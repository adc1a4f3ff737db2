//! No secret is printed.

use super::*;

const SECRET: &str = "hunter2";

/// Everything that anybody might print.
fn everything_printed(resolved: &Resolved) -> String {
    let mut text = format!("{:#}\n{:?}\n", resolved.config, resolved.config);
    for diagnostic in &resolved.diagnostics {
        text += &format!("{diagnostic}\n{diagnostic:?}\n");
    }
    if let Some(error) = InitError::from_diagnostics(&resolved.diagnostics) {
        text += &format!("{error}\n{error:?}\n");
    }
    text
}

#[test]
fn secrets_are_never_printed_good_or_bad() {
    for (variable, text) in [
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=hunter2"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=%hunter2"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2\u{fffd}"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a b=hunter2"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "hunter2.pem"),
        ("OTEL_EXPORTER_JAEGER_USER", "hunter2"),
        ("OTEL_EXPORTER_JAEGER_PASSWORD", "hunter2"),
        ("JAEGER_USER", "a:hunter2"),
        ("JAEGER_PASSWORD", "hunter2"),
        ("JAEGER_AUTH_TOKEN", "hunter2"),
        ("JAEGER_AUTH_TOKEN", "hunter2\n"),
        ("JAEGER_AUTH_TOKEN", "a\nhunter2"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://user:hunter2@host:4318",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://hunter2@host"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "user:hunter2@host:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:a/hunter2@host"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://user:hunter2@host:99999",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://user:hunter2@host/v1/traces",
        ),
        ("OTEL_EXPORTER_JAEGER_ENDPOINT", "http://user:hunter2@"),
        ("JAEGER_ENDPOINT", "https://user:hunter2@host"),
        ("JAEGER_AGENT_HOST", "user:hunter2@host"),
        ("JAEGER_SAMPLING_ENDPOINT", "http://user:hunter2@host"),
        ("JAEGER_SAMPLER_MANAGER_HOST_PORT", "user:hunter2@host"),
    ] {
        let resolved = resolve_all(&Overrides::default(), DEFAULT, &[(variable, text)]);
        let printed = everything_printed(&resolved);
        assert!(!printed.contains(SECRET), "{variable}={text}\n{printed}");
    }
}

#[test]
fn user_info_in_code_and_in_sampler_arguments_is_not_printed() {
    for url in ["http://u:hunter2@h", "u:hunter2@h"] {
        let argument = format!("endpoint={url}");
        let overrides = Overrides {
            endpoint: Some(url.to_owned()),
            agent: Some(url.to_owned()),
            headers: vec![
                ("a".to_owned(), SECRET.to_owned()),
                ("b c".to_owned(), SECRET.to_owned()),
            ],
            ..Overrides::default()
        };
        let env = [
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
            ("OTEL_TRACES_SAMPLER_ARG", argument.as_str()),
        ];
        let printed = everything_printed(&resolve_all(&overrides, DEFAULT, &env));
        assert!(!printed.contains(SECRET), "{printed}");
    }
}

#[test]
fn disagreeing_secrets_are_not_printed_but_the_winner_is_used() {
    let resolved = from_env(&[
        ("OTEL_TRACES_EXPORTER", "jaeger"),
        ("OTEL_EXPORTER_JAEGER_USER", "a"),
        ("OTEL_EXPORTER_JAEGER_PASSWORD", "b"),
        ("JAEGER_USER", "c"),
        ("JAEGER_PASSWORD", SECRET),
    ]);
    let jaeger = &resolved.config.jaeger;
    assert_eq!(jaeger.user.value, Some(Secret("a".to_owned())));
    assert_eq!(jaeger.password.value, Some(Secret("b".to_owned())));
    assert_eq!(resolved.warnings().len(), 2);
    assert!(!everything_printed(&resolved).contains(SECRET));
}

#[test]
fn user_and_password_come_together_and_exclude_a_token() {
    let user = ("JAEGER_USER", "u");
    let password = ("JAEGER_PASSWORD", "p");
    let token = ("JAEGER_AUTH_TOKEN", "t");
    let table: &[(Pairs<'_>, [bool; 3], usize)] = &[
        (&[user, password], [true, true, false], 0),
        (&[token], [false, false, true], 0),
        (&[user], [false, false, false], 1),
        (&[password], [false, false, false], 1),
        (&[user, password, token], [true, true, false], 1),
    ];
    for (pairs, expected, errors) in table {
        let resolved = from_env(pairs);
        let jaeger = &resolved.config.jaeger;
        let present = [&jaeger.user, &jaeger.password, &jaeger.token];
        assert_eq!(
            present.map(|setting| setting.value.is_some()),
            *expected,
            "{pairs:?}"
        );
        assert_eq!(resolved.errors().len(), *errors, "{pairs:?}");
    }
}
