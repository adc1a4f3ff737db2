//! The report as JSON.

use std::time::Duration;

use opentelemetry::TraceId;

use super::report::Report;
use super::{Config, Diagnostic, Probe, Probing, Severity, TestSpan, features};
use crate::ExporterStats;
use crate::config::{ExporterChoice, Render, Setting, Source, authority};
use crate::exporter::json::writer::{Object, object};

pub(super) fn report(report: &Report) -> String {
    let mut out = Vec::new();
    object(&mut out, |object| {
        settings(object, &report.config, &report.given);
        object.any_list("diagnostics", report.diagnostics.iter(), diagnostic);
        object.plain("healthy", report.is_healthy());
        object.any_text("version", env!("CARGO_PKG_VERSION"));
        let features = features::built().into_iter();
        object.texts("features", features.map(str::to_owned));
        if report.probing != Probing::Off {
            object.any_list("probes", report.probes.iter(), probe);
        }
        if let Some(span) = &report.test_span {
            object.object("test_span", |object| test_span(object, span));
        }
    });
    // Everything in it came from texts.
    String::from_utf8_lossy(&out).into_owned()
}

fn settings(object: &mut Object<'_>, config: &Config, given: &[String]) {
    if let Some((_, name)) = config.resource.first() {
        text(object, "service_name", name);
    }
    exporters(object, config, given);
    otlp(object, config);
    jaeger(object, config);
    text(object, "sampler", &config.sampler);
    setting(object, "propagators", &config.propagators, |object, all| {
        object.texts("value", all.list.iter().map(Render::render));
    });
    resource(object, config);
    let batch = &config.batch;
    setting(object, "schedule_delay_ms", &batch.schedule_delay, millis);
    plain(object, "queue_size", &batch.queue_size);
    plain(object, "batch_size", &batch.batch_size);
    plain(object, "span_attribute_limit", &config.limits.attributes);
    let length = &config.limits.value_length;
    setting(
        object,
        "attribute_value_length_limit",
        length,
        |object, length| match length {
            Some(length) => object.plain("value", length),
            None => object.plain("value", "null"),
        },
    );
    plain(object, "log_spans", &config.own.log_spans);
    plain(object, "disabled", &config.disabled);
}

fn otlp(object: &mut Object<'_>, config: &Config) {
    let otlp = &config.otlp;
    text(object, "otlp_endpoint", &otlp.endpoint);
    text(object, "otlp_protocol", &otlp.protocol);
    setting(object, "otlp_headers", &otlp.headers, |object, headers| {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.render()));
        object.texts_by_key("value", headers);
    });
    setting(
        object,
        "otlp_timeout_ms",
        &otlp.timeout,
        |object, timeout| {
            millis(object, &timeout.unwrap_or_default());
        },
    );
    text(object, "otlp_compression", &otlp.compression);
}

fn jaeger(object: &mut Object<'_>, config: &Config) {
    let jaeger = &config.jaeger;
    let (host, port) = (&jaeger.agent_host, &jaeger.agent_port);
    // The address is as much from code or environment as either of its parts.
    let source = match host.source {
        Source::Default => port.source,
        source => source,
    };
    let agent = Setting {
        value: authority(&host.value, port.value),
        source,
    };
    text(object, "jaeger_agent", &agent);
    text(object, "jaeger_endpoint", &jaeger.endpoint);
}

/// One setting for each exporter.
fn exporters(object: &mut Object<'_>, config: &Config, given: &[String]) {
    let chosen = &config.exporters;
    let named = chosen.value.iter().map(|choice| Exporter {
        name: exporter_name(*choice),
        source: chosen.source,
        protocol: protocol(*choice, config),
        target: None,
    });
    let given = given.iter().map(|target| Exporter {
        name: "custom",
        source: Source::Code,
        protocol: String::new(),
        target: Some(target),
    });
    object.any_list("exporters", named.chain(given), |object, exporter| {
        object.any_text("value", exporter.name);
        object.any_text("source", &exporter.source.to_string());
        object.text("protocol", &exporter.protocol);
        object.text("target", exporter.target.map_or("", String::as_str));
    });
}

struct Exporter<'a> {
    name: &'static str,
    source: Source,
    protocol: String,
    target: Option<&'a String>,
}

pub(super) fn exporter_name(choice: ExporterChoice) -> &'static str {
    match choice {
        ExporterChoice::Otlp => "otlp",
        ExporterChoice::Jaeger(_) => "jaeger",
        ExporterChoice::Console => "console",
        ExporterChoice::File => "file",
    }
}

fn protocol(choice: ExporterChoice, config: &Config) -> String {
    match choice {
        ExporterChoice::Otlp => config.otlp.protocol.value.render(),
        ExporterChoice::Jaeger(protocol) => protocol.render(),
        ExporterChoice::Console | ExporterChoice::File => String::new(),
    }
}

/// The attributes have sources of their own; the source of the whole is the first that is no default.
fn resource(object: &mut Object<'_>, config: &Config) {
    let attributes = || config.resource.iter();
    let mut sources = attributes().map(|(_, setting)| setting.source);
    let source = sources
        .find(|source| *source != Source::Default)
        .unwrap_or(Source::Default);
    object.object("resource", |object| {
        let values = attributes().map(|(key, setting)| (key.clone(), setting.value.render()));
        object.texts_by_key("value", values);
        object.any_text("source", &source.to_string());
        let sources = attributes().map(|(key, setting)| (key.clone(), setting.source.to_string()));
        object.texts_by_key("sources", sources);
    });
}

fn setting<T>(
    object: &mut Object<'_>,
    name: &str,
    setting: &Setting<T>,
    write: impl FnOnce(&mut Object<'_>, &T),
) {
    object.object(name, |object| {
        write(object, &setting.value);
        object.any_text("source", &setting.source.to_string());
    });
}

fn text<T: Render>(object: &mut Object<'_>, name: &str, text: &Setting<T>) {
    setting(object, name, text, |object, value| {
        object.any_text("value", &value.render());
    });
}

/// A number or a boolean.
fn plain<T: std::fmt::Display>(object: &mut Object<'_>, name: &str, number: &Setting<T>) {
    setting(object, name, number, |object, value| {
        object.plain("value", value);
    });
}

fn millis(object: &mut Object<'_>, duration: &Duration) {
    object.plain("value", duration.as_millis());
}

/// A value that is refused is a warning with a mark: the program goes on without it.
fn diagnostic(object: &mut Object<'_>, diagnostic: &Diagnostic) {
    let level = match diagnostic.severity() {
        Severity::Info => "info",
        Severity::Error | Severity::Warning => "warning",
    };
    object.any_text("level", level);
    optional(object, "variable", diagnostic.variable());
    optional(object, "value", diagnostic.value());
    object.any_text("message", diagnostic.message());
    object.plain("bad", diagnostic.severity() == Severity::Error);
}

fn optional(object: &mut Object<'_>, key: &str, text: Option<&str>) {
    match text {
        Some(text) => object.any_text(key, text),
        None => object.plain(key, "null"),
    }
}

fn probe(object: &mut Object<'_>, probe: &Probe) {
    object.any_text("exporter", probe.exporter);
    object.any_text("target", &probe.target);
    object.plain("reached", probe.answer.is_some());
    optional(object, "answer", probe.answer.as_deref());
    object.texts("problems", probe.problems.iter().cloned());
}

fn test_span(object: &mut Object<'_>, span: &TestSpan) {
    let id: TraceId = span.trace_id;
    object.any_text("trace_id", &id.to_string());
    object.plain("delivered", span.problems().next().is_none());
    object.any_list(
        "exporters",
        span.exporters.iter(),
        |object, exporter: &ExporterStats| {
            object.any_text("target", &exporter.target);
            object.plain("delivered", exporter.exported > 0 && exporter.failed == 0);
            optional(object, "error", exporter.last_error.as_deref());
        },
    );
}
