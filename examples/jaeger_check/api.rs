//! Jaeger's query API.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(crate) struct Query {
    url: String,
    agent: ureq::Agent,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trace {
    #[serde(rename = "traceID")]
    pub(crate) id: String,
    pub(crate) spans: Vec<Span>,
    pub(crate) processes: HashMap<String, Process>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Process {
    pub(crate) service_name: String,
    pub(crate) tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Span {
    #[serde(rename = "spanID")]
    pub(crate) id: String,
    pub(crate) operation_name: String,
    pub(crate) references: Vec<Reference>,
    pub(crate) start_time: u64,
    pub(crate) duration: u64,
    pub(crate) tags: Vec<Tag>,
    pub(crate) logs: Vec<Log>,
    #[serde(rename = "processID")]
    pub(crate) process: String,
    pub(crate) warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reference {
    pub(crate) ref_type: String,
    #[serde(rename = "traceID")]
    pub(crate) trace: String,
    #[serde(rename = "spanID")]
    pub(crate) span: String,
}

#[derive(Deserialize)]
pub(crate) struct Log {
    pub(crate) timestamp: u64,
    pub(crate) fields: Vec<Tag>,
}

#[derive(Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) value: serde_json::Value,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Dependency {
    pub(crate) parent: String,
    pub(crate) child: String,
    #[serde(rename = "callCount")]
    pub(crate) calls: u64,
}

impl Query {
    pub(crate) fn new(url: String) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10)));
        Self {
            url,
            agent: config.build().into(),
        }
    }

    /// The traces in which the service has a part, eldest first, each as its own page shows it.
    pub(crate) fn traces(&self, service: &str) -> Result<Vec<Trace>, String> {
        let found: Vec<Trace> = self.get(&format!("/api/traces?service={service}&limit=100"))?;
        let mut traces = Vec::new();
        for trace in found {
            traces.extend(self.trace(&trace.id)?);
        }
        traces.sort_by_key(|trace| trace.spans.iter().map(|span| span.start_time).min());
        Ok(traces)
    }

    /// The trace of this id; an error while nothing of it has arrived.
    pub(crate) fn trace(&self, id: &str) -> Result<Vec<Trace>, String> {
        self.get(&format!("/api/traces/{id}"))
    }

    pub(crate) fn services(&self) -> Result<Vec<String>, String> {
        self.get("/api/services")
    }

    pub(crate) fn operations(&self, service: &str) -> Result<Vec<String>, String> {
        self.get(&format!("/api/services/{service}/operations"))
    }

    /// Who called whom in the last hour.
    pub(crate) fn dependencies(&self) -> Result<Vec<Dependency>, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_millis();
        self.get(&format!("/api/dependencies?endTs={now}&lookback=3600000"))
    }

    /// Unknown paths are answered with 200 and a page, so only what can be read counts.
    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}{path}: {error}", self.url);
        let mut response = self
            .agent
            .get(format!("{}{path}", self.url))
            .call()
            .map_err(|error| failed(&error))?;
        let text = response
            .body_mut()
            .read_to_string()
            .map_err(|error| failed(&error))?;
        let answer: Answer<T> = serde_json::from_str(&text).map_err(|error| failed(&error))?;
        Ok(answer.data)
    }
}
