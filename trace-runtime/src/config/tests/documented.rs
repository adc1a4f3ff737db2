//! Every row of the documented tables has a test here, which the row names, and every test a row.

use std::collections::BTreeMap;

use super::by_hand::{self, Case};
use super::*;

/// Tests of the rows: the variables of each, and for those that need others beside them a table.
macro_rules! documented {
    ($($test:ident $(= $table:ident)?: $($variable:literal),+;)*) => {
        $(
            #[test]
            fn $test() {
                check(&[$($variable),+], &[$(by_hand::$table)?]);
            }
        )*

        const TESTS: &[(&str, &[&str])] = &[$((stringify!($test), &[$($variable),+])),*];
    };
}

documented! {
    otel_traces_exporter = OTEL_TRACES_EXPORTER: "OTEL_TRACES_EXPORTER";
    otel_sdk_disabled = OTEL_SDK_DISABLED: "OTEL_SDK_DISABLED";
    otel_exporter_otlp_endpoint: "OTEL_EXPORTER_OTLP_ENDPOINT";
    otel_exporter_otlp_traces_endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    otel_exporter_otlp_protocol: "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
    otel_exporter_otlp_headers: "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
    otel_exporter_otlp_timeout: "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT";
    otel_exporter_otlp_compression: "OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION";
    otel_exporter_otlp_insecure = OTEL_EXPORTER_OTLP_INSECURE: "OTEL_EXPORTER_OTLP_INSECURE", "OTEL_EXPORTER_OTLP_TRACES_INSECURE";
    otel_exporter_otlp_certificate: "OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE";
    otel_exporter_otlp_client_certificate = OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY";
    otel_exporter_jaeger_protocol: "OTEL_EXPORTER_JAEGER_PROTOCOL";
    otel_exporter_jaeger_endpoint: "OTEL_EXPORTER_JAEGER_ENDPOINT";
    otel_exporter_jaeger_agent_host: "OTEL_EXPORTER_JAEGER_AGENT_HOST", "OTEL_EXPORTER_JAEGER_AGENT_PORT";
    otel_exporter_jaeger_user = OTEL_EXPORTER_JAEGER_USER: "OTEL_EXPORTER_JAEGER_USER", "OTEL_EXPORTER_JAEGER_PASSWORD";
    otel_exporter_jaeger_timeout: "OTEL_EXPORTER_JAEGER_TIMEOUT";
    jaeger_agent_host: "JAEGER_AGENT_HOST", "JAEGER_AGENT_PORT";
    jaeger_endpoint: "JAEGER_ENDPOINT";
    jaeger_user = JAEGER_USER: "JAEGER_USER", "JAEGER_PASSWORD";
    jaeger_auth_token: "JAEGER_AUTH_TOKEN";
    jaeger_reporter_attempt_reconnecting_disabled: "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED";
    jaeger_reporter_attempt_reconnect_interval: "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL";
    traced_jaeger: "TRACED_JAEGER";
    jaeger_disabled: "JAEGER_DISABLED";
    traced_file: "TRACED_FILE";
    otel_service_name = OTEL_SERVICE_NAME: "OTEL_SERVICE_NAME";
    otel_resource_attributes = OTEL_RESOURCE_ATTRIBUTES: "OTEL_RESOURCE_ATTRIBUTES";
    jaeger_service_name = JAEGER_SERVICE_NAME: "JAEGER_SERVICE_NAME";
    jaeger_tags = JAEGER_TAGS: "JAEGER_TAGS";
    otel_traces_sampler = OTEL_TRACES_SAMPLER: "OTEL_TRACES_SAMPLER";
    otel_traces_sampler_arg = OTEL_TRACES_SAMPLER_ARG: "OTEL_TRACES_SAMPLER_ARG";
    jaeger_sampler_type = JAEGER_SAMPLER_TYPE: "JAEGER_SAMPLER_TYPE";
    jaeger_sampler_param = JAEGER_SAMPLER_PARAM: "JAEGER_SAMPLER_PARAM";
    jaeger_sampling_endpoint: "JAEGER_SAMPLING_ENDPOINT";
    jaeger_sampler_manager_host_port: "JAEGER_SAMPLER_MANAGER_HOST_PORT";
    jaeger_sampler_max_operations: "JAEGER_SAMPLER_MAX_OPERATIONS";
    jaeger_sampler_refresh_interval: "JAEGER_SAMPLER_REFRESH_INTERVAL";
    traced_level: "TRACED_LEVEL";
    traced_filter: "TRACED_FILTER";
    traced_arguments: "TRACED_ARGUMENTS";
    traced_redact: "TRACED_REDACT";
    traced_code: "TRACED_CODE";
    traced_cancelled: "TRACED_CANCELLED";
    otel_semconv_exception_signal_opt_in: "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN";
    otel_attribute_count_limit: "OTEL_ATTRIBUTE_COUNT_LIMIT";
    otel_span_attribute_count_limit: "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT";
    otel_span_event_count_limit: "OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_SPAN_LINK_COUNT_LIMIT";
    otel_attribute_value_length_limit: "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT";
    otel_propagators: "OTEL_PROPAGATORS";
    jaeger_propagation: "JAEGER_PROPAGATION";
    otel_bsp_schedule_delay: "OTEL_BSP_SCHEDULE_DELAY";
    otel_bsp_export_timeout: "OTEL_BSP_EXPORT_TIMEOUT";
    otel_bsp_max_queue_size: "OTEL_BSP_MAX_QUEUE_SIZE";
    otel_bsp_max_export_batch_size: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
    traced_max_queue_bytes: "TRACED_MAX_QUEUE_BYTES";
    traced_shutdown_timeout: "TRACED_SHUTDOWN_TIMEOUT";
    jaeger_reporter_flush_interval: "JAEGER_REPORTER_FLUSH_INTERVAL";
    jaeger_reporter_max_queue_size: "JAEGER_REPORTER_MAX_QUEUE_SIZE";
    otel_log_level: "OTEL_LOG_LEVEL";
    traced_log: "TRACED_LOG";
    traced_strict: "TRACED_STRICT";
    traced_doctor: "TRACED_DOCTOR";
    jaeger_reporter_log_spans: "JAEGER_REPORTER_LOG_SPANS";
    jaeger_traceid_128bit = JAEGER_TRACEID_128BIT: "JAEGER_TRACEID_128BIT";
    jaeger_rpc_metrics = JAEGER_RPC_METRICS: "JAEGER_RPC_METRICS";
    otel_config_file = OTEL_CONFIG_FILE: "OTEL_CONFIG_FILE";
}

/// Set, blank, bad, and beside what else feeds the same setting.
fn check(variables: &[&str], by_hand: &[&[Case]]) {
    for variable in variables {
        if by_hand.is_empty() {
            let rows: Vec<_> = rows::ROWS
                .iter()
                .filter(|row| row.variable == *variable)
                .collect();
            assert!(!rows.is_empty(), "no row of {variable}");
            for row in rows {
                row.unset_and_blank_give_the_default();
                row.good_values_are_used_and_name_their_variable();
                row.bad_values_are_reported_once_and_replaced_by_the_default();
            }
        }
        for table in by_hand {
            by_hand::assert_complete(variable, table);
        }
        precedence::check(variable);
    }
    for case in by_hand.iter().copied().flatten() {
        case.check();
    }
}

/// The variables of each row and the test it names.
fn rows_of_the_documentation() -> BTreeMap<&'static str, Vec<String>> {
    let words = |cell: &'static str| cell.split('`').skip(1).step_by(2);
    let lines = include_str!("../ENVIRONMENT.md").lines();
    let mut rows = BTreeMap::new();
    for line in lines.filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").collect();
        let (first, last) = (cells[0], cells[cells.len() - 1]);
        let mut variables = Vec::new();
        for variable in words(first) {
            variables.push(variable.to_owned());
            // A footnote stands for the variable of the signal.
            if first.contains('¹') {
                variables.push(variable.replace("OTLP_", "OTLP_TRACES_"));
            }
        }
        let test = words(last)
            .last()
            .unwrap_or_else(|| panic!("no test: {line}"));
        assert!(rows.insert(test, variables).is_none(), "{test} twice");
    }
    rows
}

#[test]
fn every_row_of_the_documentation_names_the_test_that_covers_it() {
    let tests: BTreeMap<_, Vec<String>> = TESTS
        .iter()
        .map(|(test, variables)| {
            (
                *test,
                variables.iter().map(|name| (*name).to_owned()).collect(),
            )
        })
        .collect();
    assert_eq!(rows_of_the_documentation(), tests);
}
