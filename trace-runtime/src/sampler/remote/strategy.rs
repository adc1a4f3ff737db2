//! The three kinds of strategies, as Jaeger writes them in JSON.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, RwLock};

use serde_json::Value;

use super::super::rate_limiting::TokenBucket;
use super::super::{Ratio, Sampling, SamplingInput};

/// A strategy and its counters.
#[derive(Debug)]
pub(super) enum Strategy {
    Probabilistic(Ratio),
    RateLimiting(TokenBucket),
    PerOperation(PerOperation),
}

impl Strategy {
    /// Reads the server's answer. `strategyType` is not looked at: servers leave it out or write a
    /// number, and the parts that are there say it all.
    pub(super) fn parse(json: &[u8], max_operations: usize) -> Result<Self, StrategyError> {
        let answer: Value = serde_json::from_slice(json)
            .map_err(|error| StrategyError(format!("not a JSON document: {error}")))?;
        if let Some(part) = object(&answer, "operationSampling")? {
            return PerOperation::parse(part, max_operations).map(Strategy::PerOperation);
        }
        if let Some(part) = object(&answer, "probabilisticSampling")? {
            return ratio(part, "samplingRate").map(Strategy::Probabilistic);
        }
        if let Some(part) = object(&answer, "rateLimitingSampling")? {
            let rate = rate(part, "maxTracesPerSecond")?;
            return Ok(Strategy::RateLimiting(TokenBucket::new(rate)));
        }
        Err(StrategyError(
            "found none of `operationSampling`, `probabilisticSampling`, `rateLimitingSampling`"
                .to_owned(),
        ))
    }

    pub(super) fn sample(&self, input: &SamplingInput<'_>) -> Sampling {
        match self {
            Strategy::Probabilistic(ratio) => {
                Sampling::explained(ratio.samples(input.trace_id), "probabilistic", ratio.ratio)
            }
            Strategy::RateLimiting(bucket) => {
                Sampling::explained(bucket.take(), "ratelimiting", bucket.rate())
            }
            Strategy::PerOperation(operations) => operations.sample(input),
        }
    }

    pub(super) fn is_per_operation(&self) -> bool {
        matches!(self, Strategy::PerOperation(_))
    }

    /// Whether the server asked for the same, whatever the counters are.
    pub(super) fn is_same(&self, other: &Strategy) -> bool {
        match (self, other) {
            (Strategy::Probabilistic(a), Strategy::Probabilistic(b)) => a == b,
            (Strategy::RateLimiting(a), Strategy::RateLimiting(b)) => a.rate() == b.rate(),
            (Strategy::PerOperation(a), Strategy::PerOperation(b)) => a.settings == b.settings,
            _ => false,
        }
    }
}

/// A ratio and a guaranteed rate for every span name.
#[derive(Debug)]
pub(super) struct PerOperation {
    settings: Settings,
    /// Names the server has listed and names seen since, no more than the maximum in all.
    operations: RwLock<HashMap<String, Arc<Operation>>>,
    max_operations: usize,
}

#[derive(Debug, PartialEq)]
struct Settings {
    default_ratio: Ratio,
    lower_bound: f64,
    listed: Vec<(String, Ratio)>,
}

/// A ratio, and a bucket that lets rare operations through that the ratio would hide.
#[derive(Debug)]
struct Operation {
    ratio: Ratio,
    lower_bound: TokenBucket,
}

impl PerOperation {
    fn parse(part: &Value, max_operations: usize) -> Result<Self, StrategyError> {
        let listed = match part.get("perOperationStrategies") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) => list.iter().map(operation).collect::<Result<_, _>>()?,
            Some(other) => return Err(unexpected("perOperationStrategies", "a list", other)),
        };
        let settings = Settings {
            default_ratio: ratio(part, "defaultSamplingProbability")?,
            lower_bound: rate(part, "defaultLowerBoundTracesPerSecond")?,
            listed,
        };
        let first = settings.listed.iter().take(max_operations);
        let operations = first
            .map(|(name, ratio)| (name.clone(), Arc::new(settings.operation(*ratio))))
            .collect();
        Ok(PerOperation {
            settings,
            operations: RwLock::new(operations),
            max_operations,
        })
    }

    fn sample(&self, input: &SamplingInput<'_>) -> Sampling {
        match self.operation(input.name) {
            Some(operation) => operation.sample(input),
            None => {
                let ratio = self.settings.default_ratio;
                Sampling::explained(ratio.samples(input.trace_id), "probabilistic", ratio.ratio)
            }
        }
    }

    /// `None` when the table is full, and when waiting for it would hold the request up.
    fn operation(&self, name: &str) -> Option<Arc<Operation>> {
        let known = self.operations.try_read().ok()?;
        if let Some(operation) = known.get(name) {
            return Some(Arc::clone(operation));
        }
        if known.len() >= self.max_operations {
            return None;
        }
        drop(known);
        let mut operations = self.operations.try_write().ok()?;
        if operations.len() >= self.max_operations && !operations.contains_key(name) {
            return None;
        }
        let new = || Arc::new(self.settings.operation(self.settings.default_ratio));
        Some(Arc::clone(
            operations.entry(name.to_owned()).or_insert_with(new),
        ))
    }
}

#[cfg(test)]
impl PerOperation {
    /// As the server would have written it.
    pub(super) fn json(&self) -> String {
        let Settings {
            default_ratio,
            lower_bound,
            listed,
        } = &self.settings;
        let listed = listed.iter().map(|(name, ratio)| {
            serde_json::json!({
                "operation": name,
                "probabilisticSampling": { "samplingRate": ratio.ratio },
            })
        });
        let operations = serde_json::json!({
            "operationSampling": {
                "defaultSamplingProbability": default_ratio.ratio,
                "defaultLowerBoundTracesPerSecond": lower_bound,
                "perOperationStrategies": listed.collect::<Vec<_>>(),
            },
        });
        operations.to_string()
    }
}

impl Settings {
    fn operation(&self, ratio: Ratio) -> Operation {
        Operation {
            ratio,
            lower_bound: TokenBucket::new(self.lower_bound),
        }
    }
}

impl Operation {
    fn sample(&self, input: &SamplingInput<'_>) -> Sampling {
        // The bucket counts the traces that the ratio lets through as well.
        let guaranteed = self.lower_bound.take();
        if self.ratio.samples(input.trace_id) {
            Sampling::explained(true, "probabilistic", self.ratio.ratio)
        } else {
            Sampling::explained(guaranteed, "lowerbound", self.lower_bound.rate())
        }
    }
}

/// Why an answer is not used.
#[derive(Debug)]
pub(super) struct StrategyError(String);

impl fmt::Display for StrategyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn unexpected(field: &str, expected: &str, found: &Value) -> StrategyError {
    StrategyError(format!("`{field}` is `{found}`; expected {expected}"))
}

fn object<'a>(value: &'a Value, field: &str) -> Result<Option<&'a Value>, StrategyError> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(found @ Value::Object(_)) => Ok(Some(found)),
        Some(other) => Err(unexpected(field, "an object", other)),
    }
}

fn operation(value: &Value) -> Result<(String, Ratio), StrategyError> {
    let Some(name) = value.get("operation").and_then(Value::as_str) else {
        return Err(unexpected(
            "perOperationStrategies",
            "entries with an `operation`",
            value,
        ));
    };
    let Some(part) = object(value, "probabilisticSampling")? else {
        return Err(unexpected(
            "perOperationStrategies",
            "a `probabilisticSampling`",
            value,
        ));
    };
    Ok((name.to_owned(), ratio(part, "samplingRate")?))
}

fn ratio(part: &Value, field: &str) -> Result<Ratio, StrategyError> {
    number(part, field, "a number from 0 to 1", |found| {
        (0.0..=1.0).contains(&found)
    })
    .map(Ratio::new)
}

fn rate(part: &Value, field: &str) -> Result<f64, StrategyError> {
    number(part, field, "a number not below 0", |found| found >= 0.0)
}

/// A missing number is 0: some servers leave out what has its default.
fn number(
    part: &Value,
    field: &str,
    expected: &str,
    accepts: fn(f64) -> bool,
) -> Result<f64, StrategyError> {
    match part.get(field) {
        None => Ok(0.0),
        Some(value) => value
            .as_f64()
            .filter(|found| accepts(*found))
            .ok_or_else(|| unexpected(field, expected, value)),
    }
}
