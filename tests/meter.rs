//! Metrics as text, for tests.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

/// A meter provider that is read when a test asks.
pub struct Meters {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Default for Meters {
    fn default() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone());
        Self {
            provider: provider.build(),
            exporter,
        }
    }
}

impl Meters {
    /// The provider itself.
    pub fn provider(&self) -> &SdkMeterProvider {
        &self.provider
    }

    /// A meter to give to a tracer.
    pub fn meter(&self) -> Meter {
        self.provider.meter("test")
    }

    /// The sum of a histogram, over all series.
    pub fn sum(&self, name: &str) -> f64 {
        let sum = |metric: &Metric| -> f64 {
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    histogram.data_points().map(|point| point.sum()).sum()
                }
                other => panic!("unexpected {other:?}"),
            }
        };
        self.all(name, |metric| vec![sum(metric)]).into_iter().sum()
    }

    /// What stands there now, a line for each series whose metric's name begins like this; of a
    /// histogram the count.
    pub fn read(&self, prefix: &str) -> String {
        let mut lines = self.all(prefix, lines);
        lines.sort();
        lines.concat()
    }

    fn all<T>(&self, prefix: &str, of: impl Fn(&Metric) -> Vec<T>) -> Vec<T> {
        self.exporter.reset();
        self.provider.force_flush().expect("the reader reads");
        let read = self.exporter.get_finished_metrics().expect("no poison");
        let scopes = read.iter().flat_map(|metrics| metrics.scope_metrics());
        let metrics = scopes.flat_map(|scope| scope.metrics());
        metrics
            .filter(|metric| metric.name().starts_with(prefix))
            .flat_map(of)
            .collect()
    }
}

fn lines(metric: &Metric) -> Vec<String> {
    let line = |attributes: Vec<&KeyValue>, value: String| {
        let mut attributes: Vec<_> = attributes
            .iter()
            .map(|kv| format!("{}={}", kv.key, kv.value))
            .collect();
        attributes.sort();
        format!("{} {{{}}} {value}\n", metric.name(), attributes.join(", "))
    };
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            assert!(sum.is_monotonic(), "{} counts", metric.name());
            let points = sum.data_points();
            points
                .map(|point| line(point.attributes().collect(), point.value().to_string()))
                .collect()
        }
        AggregatedMetrics::I64(MetricData::Sum(sum)) => {
            assert!(!sum.is_monotonic(), "{} goes up and down", metric.name());
            let points = sum.data_points();
            points
                .map(|point| line(point.attributes().collect(), point.value().to_string()))
                .collect()
        }
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            assert_eq!(metric.unit(), "s");
            let points = histogram.data_points();
            points
                .map(|point| line(point.attributes().collect(), point.count().to_string()))
                .collect()
        }
        other => panic!("unexpected {other:?}"),
    }
}
