//! The sampling strategy of a Jaeger agent or collector.

mod poller;
mod strategy;

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

pub(crate) use poller::Poller;
use strategy::{Strategy, StrategyError};

use super::{Ratio, Root, Sampler, Sampling, SamplingInput};

/// A sampler that asks a Jaeger agent or collector which traces to record.
///
/// Until the first answer, and if the answer never comes, one trace in a thousand is recorded;
/// after a failure the last good strategy stays.
///
/// ```
/// use std::time::Duration;
/// use trace_runtime::sampler::{RemoteSampling, Sampler};
///
/// let sampler: Sampler = RemoteSampling::new("http://localhost:5778/sampling")
///     .with_polling_interval(Duration::from_secs(30))
///     .with_initial_ratio(0.01)
///     .into();
/// ```
#[derive(Clone)]
pub struct RemoteSampling {
    url: String,
    interval: Duration,
    /// For one request, all phases together.
    timeout: Duration,
    initial_ratio: f64,
    max_operations: usize,
}

impl RemoteSampling {
    /// Asks this URL; `?service=..` is added.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        RemoteSampling {
            url: url.into(),
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            initial_ratio: 0.001,
            max_operations: 2000,
        }
    }

    /// How often to ask; a minute by default, and at least a millisecond.
    #[must_use]
    pub fn with_polling_interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(1));
        self
    }

    /// The part of all traces recorded until the first answer; 0.001 by default.
    #[must_use]
    pub fn with_initial_ratio(mut self, ratio: f64) -> Self {
        self.initial_ratio = ratio;
        self
    }

    /// How many span names may have a sampler of their own; 2000 by default.
    #[must_use]
    pub fn with_max_operations(mut self, operations: usize) -> Self {
        self.max_operations = operations;
        self
    }
}

impl fmt::Debug for RemoteSampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSampling")
            .field("url", &without_user_info(&self.url))
            .field("interval", &self.interval)
            .field("initial_ratio", &self.initial_ratio)
            .field("max_operations", &self.max_operations)
            .finish()
    }
}

impl From<RemoteSampling> for Sampler {
    fn from(settings: RemoteSampling) -> Self {
        let initial = Ratio::new(settings.initial_ratio);
        Sampler::from_root(Root::Remote(Arc::new(Remote {
            settings,
            initial,
            strategy: RwLock::new(None),
        })))
    }
}

/// The strategy in force, shared by the sampler and the thread that asks for it.
pub(super) struct Remote {
    settings: RemoteSampling,
    initial: Ratio,
    strategy: RwLock<Option<Arc<Strategy>>>,
}

impl Remote {
    pub(super) fn url(&self) -> &str {
        &self.settings.url
    }

    /// The URL as it may be shown: without user and password.
    pub(super) fn shown_url(&self) -> String {
        without_user_info(self.url())
    }

    pub(super) fn sample(&self, input: &SamplingInput<'_>) -> Sampling {
        match self.strategy() {
            Some(strategy) => strategy.sample(input),
            None => {
                let sampled = self.initial.samples(input.trace_id);
                Sampling::explained(sampled, "probabilistic", self.initial.ratio)
            }
        }
    }

    pub(super) fn needs_name(&self) -> bool {
        self.strategy()
            .is_some_and(|strategy| strategy.is_per_operation())
    }

    /// Never waits: while the strategy is being replaced, there is none.
    fn strategy(&self) -> Option<Arc<Strategy>> {
        self.strategy.try_read().ok()?.clone()
    }

    /// Takes over an answer of the server; a new strategy only if it differs, so that buckets are
    /// not refilled by every poll.
    fn update(&self, answer: &[u8]) -> Result<(), StrategyError> {
        let strategy = Strategy::parse(answer, self.settings.max_operations)?;
        let same = self
            .strategy()
            .is_some_and(|current| current.is_same(&strategy));
        if !same {
            if let Ok(mut current) = self.strategy.write() {
                *current = Some(Arc::new(strategy));
            }
        }
        Ok(())
    }
}

fn without_user_info(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
