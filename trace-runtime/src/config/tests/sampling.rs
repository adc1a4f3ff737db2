//! Samplers and what the remote one asks.

use super::*;

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
const TYPE: &str = "JAEGER_SAMPLER_TYPE";
const PARAMETER: &str = "JAEGER_SAMPLER_PARAM";

#[test]
fn samplers_of_the_specification() {
    let table: &[(Pairs<'_>, &str)] = &[
        (&[], "parentbased_always_on"),
        (&[(SAMPLER, "always_on")], "always_on"),
        (&[(SAMPLER, " ALWAYS_OFF ")], "always_off"),
        (&[(SAMPLER, "traceidratio")], "traceidratio(1)"),
        (
            &[(SAMPLER, "traceidratio"), (ARGUMENT, "0.25")],
            "traceidratio(0.25)",
        ),
        (
            &[(SAMPLER, "parentbased_always_on"), (ARGUMENT, "x")],
            "parentbased_always_on",
        ),
        (
            &[(SAMPLER, "parentbased_always_off")],
            "parentbased_always_off",
        ),
        (
            &[(SAMPLER, "parentbased_traceidratio"), (ARGUMENT, "0")],
            "parentbased_traceidratio(0)",
        ),
        (&[(SAMPLER, "jaeger_remote")], "jaeger_remote(0.001)"),
        (
            &[
                (SAMPLER, "parentbased_jaeger_remote"),
                (ARGUMENT, "initialSamplingRate=0.5"),
            ],
            "parentbased_jaeger_remote(0.5)",
        ),
    ];
    for (pairs, expected) in table {
        let resolved = from_env(pairs);
        assert_eq!(resolved.value("sampler"), *expected);
        resolved.assert_quiet();
    }
}

#[test]
fn bad_samplers_and_arguments_are_reported() {
    let table: &[(Pairs<'_>, &str, &str)] = &[
        (&[(SAMPLER, "allways_on")], SAMPLER, "parentbased_always_on"),
        (
            &[(SAMPLER, "traceidratio"), (ARGUMENT, "2.5")],
            ARGUMENT,
            "traceidratio(1)",
        ),
        (
            &[(SAMPLER, "traceidratio"), (ARGUMENT, "-1")],
            ARGUMENT,
            "traceidratio(1)",
        ),
        (
            &[(SAMPLER, "traceidratio"), (ARGUMENT, "NaN")],
            ARGUMENT,
            "traceidratio(1)",
        ),
        (
            &[(SAMPLER, "traceidratio"), (ARGUMENT, "inf")],
            ARGUMENT,
            "traceidratio(1)",
        ),
        (
            &[(SAMPLER, "jaeger_remote"), (ARGUMENT, "rate=1")],
            ARGUMENT,
            "jaeger_remote(0.001)",
        ),
        (
            &[
                (SAMPLER, "jaeger_remote"),
                (ARGUMENT, "initialSamplingRate=2"),
            ],
            ARGUMENT,
            "jaeger_remote(0.001)",
        ),
        (
            &[
                (SAMPLER, "jaeger_remote"),
                (ARGUMENT, "pollingIntervalMs=0"),
            ],
            ARGUMENT,
            "jaeger_remote(0.001)",
        ),
        (
            &[(SAMPLER, "jaeger_remote"), (ARGUMENT, "endpoint=host:1")],
            ARGUMENT,
            "jaeger_remote(0.001)",
        ),
        (&[(TYPE, "sometimes")], TYPE, "parentbased_always_on"),
        (
            &[(TYPE, "const"), (PARAMETER, "x")],
            PARAMETER,
            "parentbased_always_on",
        ),
        (
            &[(TYPE, "probabilistic"), (PARAMETER, "1.5")],
            PARAMETER,
            "parentbased_traceidratio(0.001)",
        ),
        (
            &[(TYPE, "remote"), (PARAMETER, "-1")],
            PARAMETER,
            "parentbased_jaeger_remote(0.001)",
        ),
        (&[(TYPE, "ratelimiting")], TYPE, "parentbased_always_on"),
        (
            &[(TYPE, "ratelimiting"), (PARAMETER, "-1")],
            PARAMETER,
            "parentbased_always_on",
        ),
    ];
    for (pairs, variable, used) in table {
        let resolved = from_env(pairs);
        assert_eq!(resolved.value("sampler"), *used, "{pairs:?}");
        let errors = resolved.errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors[0].starts_with(&format!("`{variable}=")),
            "{errors:?}"
        );
    }
}

#[test]
fn an_argument_without_a_sampler_is_warned_about() {
    let resolved = from_env(&[(ARGUMENT, "0.5")]);
    assert_eq!(resolved.value("sampler"), "parentbased_always_on");
    assert_eq!(
        resolved.warnings(),
        ["`OTEL_TRACES_SAMPLER_ARG=0.5`: has no effect without `OTEL_TRACES_SAMPLER`"]
    );
}

#[test]
fn samplers_of_jaeger_are_parent_based() {
    let table: &[(Pairs<'_>, &str)] = &[
        (&[(TYPE, "const")], "parentbased_always_on"),
        (
            &[(TYPE, "CONST"), (PARAMETER, "0")],
            "parentbased_always_off",
        ),
        (
            &[(TYPE, "const"), (PARAMETER, "-0")],
            "parentbased_always_off",
        ),
        (
            &[(TYPE, "const"), (PARAMETER, "0.5")],
            "parentbased_always_on",
        ),
        (
            &[(TYPE, "probabilistic")],
            "parentbased_traceidratio(0.001)",
        ),
        (
            &[(TYPE, "probabilistic"), (PARAMETER, "1e-1")],
            "parentbased_traceidratio(0.1)",
        ),
        (
            &[(TYPE, "ratelimiting"), (PARAMETER, "2.5")],
            "parentbased_ratelimiting(2.5)",
        ),
        (&[(TYPE, "remote")], "parentbased_jaeger_remote(0.001)"),
        (
            &[(TYPE, "remote"), (PARAMETER, "1")],
            "parentbased_jaeger_remote(1)",
        ),
    ];
    for (pairs, expected) in table {
        let resolved = from_env(pairs);
        assert_eq!(resolved.value("sampler"), *expected, "{pairs:?}");
        resolved.assert_quiet();
    }
}

#[test]
fn jaeger_alone_samples_everything_and_says_so() {
    for variable in ["JAEGER_AGENT_HOST", "JAEGER_SERVICE_NAME"] {
        let resolved = from_env(&[(variable, "a")]);
        let expected = ("parentbased_always_on".to_owned(), "default".to_owned());
        assert_eq!(resolved.get("sampler"), expected);
        let infos = resolved.infos();
        assert_eq!(infos.len(), 1, "{infos:?}");
        assert!(infos[0].contains("jaeger-client-go would ask its agent"));
    }
    from_env(&[("JAEGER_SERVICE_NAME", "a"), ("OTEL_SERVICE_NAME", "a")]).assert_quiet();
}

#[test]
fn sampler_variables_without_a_type_mean_remote() {
    for variable in [
        (PARAMETER, "0.001"),
        ("JAEGER_SAMPLING_ENDPOINT", "http://s"),
        ("JAEGER_SAMPLER_MAX_OPERATIONS", "5"),
    ] {
        let resolved = from_env(&[variable]);
        let expected = (
            "parentbased_jaeger_remote(0.001)".to_owned(),
            variable.0.to_owned(),
        );
        assert_eq!(resolved.get("sampler"), expected);
        assert_eq!(resolved.infos().len(), 1);
    }
    let otel = from_env(&[
        (SAMPLER, "jaeger_remote"),
        ("JAEGER_SAMPLING_ENDPOINT", "http://s"),
    ]);
    assert_eq!(otel.value("sampler"), "jaeger_remote(0.001)");
    assert_eq!(otel.value("sampler.endpoint"), "http://s");
    otel.assert_quiet();
}

#[test]
fn the_sampling_server_is_found_in_order() {
    let argument = "endpoint=http://arg/x,pollingIntervalMs=5000,initialSamplingRate=0.25";
    let all: [(&str, &str); 5] = [
        (SAMPLER, "jaeger_remote"),
        (ARGUMENT, argument),
        ("JAEGER_SAMPLING_ENDPOINT", "http://endpoint"),
        ("JAEGER_SAMPLER_MANAGER_HOST_PORT", "manager:1"),
        ("JAEGER_AGENT_HOST", "::1"),
    ];
    for (skipped, expected) in [
        (0, "http://arg/x"),
        (2, "http://endpoint"),
        (3, "http://manager:1/sampling"),
        (4, "http://[::1]:5778/sampling"),
        (5, "http://127.0.0.1:5778/sampling"),
    ] {
        let resolved = from_env(&all[skipped..]);
        assert_eq!(resolved.value("sampler.endpoint"), expected);
    }
    let resolved = from_env(&all[..2]);
    assert_eq!(resolved.value("sampler"), "jaeger_remote(0.25)");
    assert_eq!(
        resolved.get("sampler.interval"),
        ("5000 ms".to_owned(), ARGUMENT.to_owned())
    );
    let deprecated = from_env(&all[3..4]);
    assert!(
        deprecated
            .infos()
            .iter()
            .any(|line| line.contains("deprecated"))
    );
}

#[test]
fn a_remote_sampler_that_is_not_built_in_stays_cautious() {
    let features = Features {
        remote_sampler: false,
        ..EVERYTHING
    };
    let resolved = resolve_all(
        &Overrides::default(),
        features,
        &[(SAMPLER, "jaeger_remote")],
    );
    assert_eq!(resolved.value("sampler"), "traceidratio(0.001)");
    assert_eq!(resolved.errors().len(), 1);
}
