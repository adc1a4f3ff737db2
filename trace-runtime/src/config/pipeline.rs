//! The queue, its worker, and the limits of a span.

use std::time::Duration;

use super::Overrides;
use super::go;
use super::jaeger::note_bare_milliseconds;
use super::reader::Reader;
use super::setting::Setting;
use super::value;
use crate::diagnostics::Diagnostic;

/// How finished spans are collected and sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BatchConfig {
    pub(crate) schedule_delay: Setting<Duration>,
    /// Of one export; none: no limit.
    pub(crate) export_timeout: Setting<Option<Duration>>,
    /// Spans.
    pub(crate) queue_size: Setting<usize>,
    pub(crate) queue_bytes: Setting<usize>,
    /// Spans, at most `queue_size`.
    pub(crate) batch_size: Setting<usize>,
}

pub(super) fn resolve_batch(reader: &mut Reader<'_>, overrides: &Overrides) -> BatchConfig {
    let queue_size = reader
        .field()
        .variable("OTEL_BSP_MAX_QUEUE_SIZE", value::integer(1))
        .variable_or_default("JAEGER_REPORTER_MAX_QUEUE_SIZE", go::positive)
        .or(32_768);
    BatchConfig {
        schedule_delay: resolve_delay(reader, overrides),
        export_timeout: reader
            .field()
            .variable("OTEL_BSP_EXPORT_TIMEOUT", value::timeout)
            .or(Some(Duration::from_secs(30))),
        batch_size: resolve_batch_size(reader, queue_size.value),
        queue_size,
        queue_bytes: reader
            .field()
            .variable("TRACED_MAX_QUEUE_BYTES", value::integer(1))
            .or(32 << 20),
    }
}

fn resolve_delay(reader: &mut Reader<'_>, overrides: &Overrides) -> Setting<Duration> {
    const FLUSH: &str = "JAEGER_REPORTER_FLUSH_INTERVAL";
    note_bare_milliseconds(reader, FLUSH);
    let mut field = reader.field();
    field = match overrides.flush_interval {
        Some(Duration::ZERO) => {
            field.reject("with_flush_interval", "0", "expected a positive duration")
        }
        interval => field.code(interval.map(value::bounded)),
    };
    field
        .variable("OTEL_BSP_SCHEDULE_DELAY", value::milliseconds(1))
        .variable_or_default(FLUSH, go::positive_duration)
        .or(Duration::from_secs(1))
}

fn resolve_batch_size(reader: &mut Reader<'_>, queue_size: usize) -> Setting<usize> {
    reader
        .field()
        .variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", |text| {
            let size = value::integer(1)(text)?;
            if size > queue_size {
                return Err(format!(
                    "expected at most the size of the queue, {queue_size}"
                ));
            }
            Ok(size)
        })
        .or(queue_size.min(512))
}

/// How much one span can hold; what is over is dropped and counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LimitsConfig {
    pub(crate) attributes: Setting<usize>,
    pub(crate) events: Setting<usize>,
    pub(crate) links: Setting<usize>,
    pub(crate) attributes_per_event: Setting<usize>,
    pub(crate) attributes_per_link: Setting<usize>,
    /// Characters; none: arguments are cut at 1024, nothing else is.
    pub(crate) value_length: Setting<Option<usize>>,
}

pub(super) fn resolve_limits(reader: &mut Reader<'_>) -> LimitsConfig {
    const GENERAL: &str = "OTEL_ATTRIBUTE_COUNT_LIMIT";
    let mut count = |names: &[&'static str]| {
        let mut field = reader.field();
        for name in names {
            field = field.variable(name, value::integer(0));
        }
        field.or(128)
    };
    LimitsConfig {
        attributes: count(&["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", GENERAL]),
        events: count(&["OTEL_SPAN_EVENT_COUNT_LIMIT"]),
        links: count(&["OTEL_SPAN_LINK_COUNT_LIMIT"]),
        attributes_per_event: count(&["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", GENERAL]),
        attributes_per_link: count(&["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", GENERAL]),
        value_length: reader
            .field()
            .variable("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", length)
            .variable("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", length)
            .or(None),
    }
}

fn length(text: &str) -> value::Parsed<Option<usize>> {
    value::integer(0)(text).map(Some)
}

/// What is accepted without effect, or not supported at all.
pub(super) fn report_unsupported(reader: &mut Reader<'_>) {
    const WIDE_IDS: &str = "JAEGER_TRACEID_128BIT";
    let wide = reader.field().variable(WIDE_IDS, go::boolean).or(true);
    if !wide.value {
        let message = "has no effect: trace ids always have 128 bits";
        reader.report(Diagnostic::info(message).found(WIDE_IDS, "false"));
    }
    const METRICS: &str = "JAEGER_RPC_METRICS";
    let metrics = reader.field().variable(METRICS, go::boolean).or(false);
    if metrics.value {
        let message = "is not supported: no metrics are made";
        reader.report(Diagnostic::warning(message).found(METRICS, "true"));
    }
    const FILE: &str = "OTEL_CONFIG_FILE";
    if let Some(path) = reader.text(FILE) {
        let message = "is not supported; the variables are used";
        reader.report(Diagnostic::warning(message).found(FILE, &path));
    }
}
