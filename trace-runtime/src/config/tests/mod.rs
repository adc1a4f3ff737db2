//! Every row of the documented tables: set, blank, bad, and set in both worlds.

mod any_input;
mod by_hand;
mod destination;
mod documented;
mod identity;
mod precedence;
mod properties;
mod rows;
mod sampling;
mod secrets;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::features::Features;
use super::resource::Host;
use super::secret::Secret;
use super::*;
use crate::diagnostics::Severity;
use crate::error::InitError;

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A build with every part in it.
const EVERYTHING: Features = Features {
    otlp_http: true,
    otlp_grpc: true,
    http_json: true,
    jaeger: true,
    opentelemetry_jaeger: true,
    remote_sampler: true,
    tls: true,
    gzip: true,
    log: true,
    tracing: true,
};

/// A build with the default features.
const DEFAULT: Features = Features {
    otlp_grpc: false,
    http_json: false,
    opentelemetry_jaeger: false,
    tls: false,
    gzip: false,
    log: false,
    tracing: false,
    ..EVERYTHING
};

struct Resolved {
    config: Config,
    diagnostics: Vec<Diagnostic>,
}

impl Resolved {
    /// The printed value of a setting by its name in the table, and its source.
    fn get(&self, name: &str) -> (String, String) {
        self.find(name)
            .unwrap_or_else(|| panic!("no setting `{name}`"))
    }

    fn find(&self, name: &str) -> Option<(String, String)> {
        let rows = self.config.rows(true);
        let row = rows.into_iter().find(|row| row.name == name)?;
        Some((row.value, row.source.to_string()))
    }

    fn value(&self, name: &str) -> String {
        self.get(name).0
    }

    fn lines(&self, severity: Severity) -> Vec<String> {
        let wanted = |diagnostic: &&Diagnostic| diagnostic.severity() == severity;
        let found = self.diagnostics.iter().filter(wanted);
        found.map(ToString::to_string).collect()
    }

    fn errors(&self) -> Vec<String> {
        self.lines(Severity::Error)
    }

    fn warnings(&self) -> Vec<String> {
        self.lines(Severity::Warning)
    }

    fn infos(&self) -> Vec<String> {
        self.lines(Severity::Info)
    }

    /// Asserts that nothing but the service name is missing.
    fn assert_quiet(&self) {
        assert_eq!(self.diagnostics, [], "{:?}", self.diagnostics);
    }
}

fn host() -> Host {
    Host {
        pid: 42,
        executable: Some("shop".to_owned()),
        name: Some("box".to_owned()),
        container: None,
        instance: Some("id".to_owned()),
    }
}

fn resolve_all(overrides: &Overrides, features: Features, pairs: Pairs<'_>) -> Resolved {
    let lookup = |name: &str| {
        let found = pairs.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let (config, diagnostics) = resolve(overrides, &lookup, features, &host());
    Resolved {
        config,
        diagnostics,
    }
}

/// Resolves with a service name, so that nobody warns about its absence.
fn from_env(pairs: Pairs<'_>) -> Resolved {
    let overrides = Overrides {
        service_name: Some("test".to_owned()),
        ..Overrides::default()
    };
    resolve_all(&overrides, EVERYTHING, pairs)
}

#[test]
fn the_process_lookup_resolves_and_knows_its_process() {
    let (config, _) = Config::resolve(&Overrides::default(), &|_| None);
    let resource = config.resource();
    let get = |key: &str| {
        let found = resource.attributes().find(|(present, _)| *present == key);
        found.map(|(_, value)| value.clone())
    };
    assert_eq!(
        get("process.pid"),
        Some(Value::I64(std::process::id().into()))
    );
    assert!(matches!(get("process.executable.name"), Some(Value::Str(name)) if !name.is_empty()));
    assert_eq!(
        config.after_fork(),
        config,
        "nothing changes in the same process"
    );
    assert_eq!(
        config,
        Config::resolve(&Overrides::default(), &|_| None).0,
        "the same settings compare equal"
    );
}

#[test]
fn the_table_is_aligned_and_shows_value_and_source() {
    let resolved = from_env(&[("OTEL_BSP_SCHEDULE_DELAY", "250")]);
    let table = resolved.config.to_string();
    let line = |name: &str| {
        let found = table.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("no `{name}` in\n{table}"))
    };
    assert!(line("schedule_delay").contains("  250 ms "), "{table}");
    assert!(line("schedule_delay").ends_with("  OTEL_BSP_SCHEDULE_DELAY"));
    assert!(line("resource.service.name").ends_with("  code"));
    assert!(line("queue_size").ends_with("  default"));
    let column = |name: &str, word: &str| line(name).rfind(word);
    assert_eq!(
        column("queue_size", "default"),
        column("resource.service.name", "code")
    );
    assert!(
        !table.contains("jaeger."),
        "unused parts are left out:\n{table}"
    );
    assert!(format!("{:#}", resolved.config).contains("jaeger.agent_host"));
}

#[test]
fn strict_collects_every_bad_variable_in_one_error() {
    let resolved = from_env(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "0"),
        ("JAEGER_SAMPLER_TYPE", "always"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
        ("TRACED_STRICT", "1"),
    ]);
    assert!(resolved.config.own.strict.value);
    let error = InitError::from_diagnostics(&resolved.diagnostics).expect("three bad variables");
    let text = error.to_string();
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains(
        "`OTEL_BSP_SCHEDULE_DELAY=0`: expected milliseconds from 1 to 2147483647; \
         using `1000 ms` (default)"
    ));
    assert!(text.contains(
        "`JAEGER_SAMPLER_TYPE=always`: expected `const`, `probabilistic`, `ratelimiting` or `remote`; \
         using `parentbased_always_on` (default)"
    ));
    assert!(text.contains("`OTEL_EXPORTER_OTLP_HEADERS=[redacted]`: "));
}

#[test]
fn long_times_from_code_are_cut_to_what_instants_can_add() {
    let overrides = Overrides {
        flush_interval: Some(Duration::MAX),
        ..Overrides::default()
    };
    let resolved = resolve_all(&overrides, EVERYTHING, &[]);
    assert_eq!(resolved.value("schedule_delay"), "2147483647 ms");
}

#[test]
fn the_documentation_names_exactly_the_variables_that_are_read() {
    let read = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        read.borrow_mut().insert(name.to_owned());
        // These two are only followed by their parameters when set.
        match name {
            "OTEL_TRACES_SAMPLER" => Some("traceidratio".to_owned()),
            "JAEGER_SAMPLER_TYPE" => Some("const".to_owned()),
            _ => None,
        }
    };
    let _ = resolve(&Overrides::default(), &lookup, EVERYTHING, &host());
    let read: BTreeSet<_> = read
        .into_inner()
        .iter()
        // A footnote stands for the variables of the signal.
        .map(|name| name.replace("OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"))
        .collect();
    let documented: BTreeSet<_> = include_str!("../ENVIRONMENT.md")
        .split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_')
        .filter(|word| word.contains('_') && !word.starts_with('_') && !word.ends_with('_'))
        .map(|name| name.replace("OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"))
        .collect();
    assert_eq!(read, documented);
}
