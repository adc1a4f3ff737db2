//! The configuration as a table for people.

use std::fmt;

use super::Config;
use super::exporter::ExporterChoice;
use super::sampler::RootSampler;
use super::secret::one_line;
use super::setting::{Render, Setting, Source};

/// One line of the table.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) source: Source,
}

/// Collects rows; defaults of parts that are not in use are left out unless everything is asked for.
struct Table {
    rows: Vec<Row>,
    in_use: bool,
    everything: bool,
}

impl Table {
    fn add<T: Render>(&mut self, name: &str, setting: &Setting<T>) -> &mut Self {
        if self.in_use || self.everything || setting.source != Source::Default {
            self.rows.push(Row {
                name: name.to_owned(),
                value: one_line(&setting.value.render()),
                source: setting.source,
            });
        }
        self
    }
}

/// Setting, value and source, aligned. Secrets are redacted. `{:#}` shows the defaults of unused
/// exporters and samplers, too.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows(f.alternate());
        let width = |text: fn(&Row) -> &str| {
            let widths = rows.iter().map(|row| text(row).chars().count());
            widths.max().unwrap_or(0)
        };
        let names = width(|row| &row.name);
        let values = width(|row| &row.value);
        for (
            index,
            Row {
                name,
                value,
                source,
            },
        ) in rows.iter().enumerate()
        {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{name:names$}  {value:values$}  {source}")?;
        }
        Ok(())
    }
}

impl Config {
    pub(super) fn rows(&self, everything: bool) -> Vec<Row> {
        let mut table = Table {
            rows: Vec::new(),
            in_use: true,
            everything,
        };
        table.add("disabled", &self.disabled);
        for (key, setting) in &self.resource {
            table.add(&format!("resource.{key}"), setting);
        }
        table.add("exporters", &self.exporters);
        self.add_otlp(&mut table);
        self.add_jaeger(&mut table);
        self.add_recording(&mut table);
        self.add_pipeline(&mut table);
        table.rows
    }

    fn add_otlp(&self, table: &mut Table) {
        table.in_use = self.exporters.value.contains(&ExporterChoice::Otlp);
        table
            .add("otlp.endpoint", &self.otlp.endpoint)
            .add("otlp.protocol", &self.otlp.protocol)
            .add("otlp.headers", &self.otlp.headers)
            .add("otlp.timeout", &self.otlp.timeout)
            .add("otlp.compression", &self.otlp.compression)
            .add("otlp.certificate", &self.otlp.certificate)
            .add("otlp.client_certificate", &self.otlp.client_certificate)
            .add("otlp.client_key", &self.otlp.client_key);
    }

    fn add_jaeger(&self, table: &mut Table) {
        let chosen = |exporter: &ExporterChoice| matches!(exporter, ExporterChoice::Jaeger(_));
        table.in_use = self.exporters.value.iter().any(chosen);
        table
            .add("jaeger.client", &self.jaeger.client)
            .add("jaeger.protocol", &self.jaeger.protocol)
            .add("jaeger.agent_host", &self.jaeger.agent_host)
            .add("jaeger.agent_port", &self.jaeger.agent_port)
            .add("jaeger.endpoint", &self.jaeger.endpoint)
            .add("jaeger.user", &self.jaeger.user)
            .add("jaeger.password", &self.jaeger.password)
            .add("jaeger.token", &self.jaeger.token)
            .add("jaeger.timeout", &self.jaeger.timeout)
            .add(
                "jaeger.reconnecting_disabled",
                &self.jaeger.reconnecting_disabled,
            )
            .add("jaeger.reconnect_interval", &self.jaeger.reconnect_interval);
    }

    fn add_recording(&self, table: &mut Table) {
        table.in_use = true;
        table
            .add("propagators", &self.propagators)
            .add("sampler", &self.sampler);
        table.in_use = matches!(self.sampler.value.root, RootSampler::Remote { .. });
        table
            .add("sampler.endpoint", &self.remote.endpoint)
            .add("sampler.interval", &self.remote.interval)
            .add("sampler.max_operations", &self.remote.max_operations);
        table.in_use = true;
        table
            .add("filter", &self.filter)
            .add("arguments", &self.own.arguments)
            .add("redact", &self.own.redact)
            .add("code", &self.own.code)
            .add("cancelled", &self.own.cancelled)
            .add("exceptions", &self.own.exception_signal)
            .add("limit.attributes", &self.limits.attributes)
            .add("limit.events", &self.limits.events)
            .add("limit.links", &self.limits.links)
            .add(
                "limit.attributes_per_event",
                &self.limits.attributes_per_event,
            )
            .add(
                "limit.attributes_per_link",
                &self.limits.attributes_per_link,
            )
            .add("limit.value_length", &self.limits.value_length);
    }

    fn add_pipeline(&self, table: &mut Table) {
        table.in_use = true;
        table
            .add("schedule_delay", &self.batch.schedule_delay)
            .add("export_timeout", &self.batch.export_timeout)
            .add("queue_size", &self.batch.queue_size)
            .add("queue_bytes", &self.batch.queue_bytes)
            .add("batch_size", &self.batch.batch_size)
            .add("shutdown_timeout", &self.own.shutdown_timeout)
            .add("file", &self.own.file)
            .add("log", &self.own.log)
            .add("log_level", &self.own.log_level)
            .add("log_spans", &self.own.log_spans)
            .add("strict", &self.own.strict)
            .add("doctor", &self.own.doctor);
    }
}
