//! The thread that asks for the strategy.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use opentelemetry::Context;
use ureq::Agent;

use super::Remote;
use crate::propagation::percent_encode;

/// Stops the thread when dropped; a request under way ends by itself within its timeout.
#[derive(Debug)]
pub(crate) struct Poller {
    stop: Arc<Stop>,
}

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

/// Far more than 2000 operations take.
const MAX_ANSWER: u64 = 4 << 20;

impl Poller {
    pub(in crate::sampler) fn start(
        remote: &Arc<Remote>,
        service_name: &str,
        report: impl Fn(String) + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let (remote, signal) = (Arc::clone(remote), Arc::clone(&stop));
        let request = request_url(remote.url(), service_name);
        thread::Builder::new()
            .name("traced-sampling".to_owned())
            .spawn(move || {
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                run(&remote, &request, &signal, &report);
            })?;
        Ok(Poller { stop })
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        *self
            .stop
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
    }
}

impl Stop {
    /// Waits; `true` when it is time to stop.
    fn wait(&self, timeout: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(stopped, timeout, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn run(remote: &Remote, request: &str, stop: &Stop, report: &dyn Fn(String)) {
    let agent = agent(remote.settings.timeout);
    let mut failing = false;
    loop {
        let result = poll(&agent, request)
            .and_then(|answer| remote.update(&answer).map_err(|error| error.to_string()))
            .map_err(|error| error.replace(remote.url(), &remote.shown_url()));
        match &result {
            Ok(()) if failing => report("got the sampling strategy again".to_owned()),
            Err(error) if !failing => report(format!(
                "cannot get the sampling strategy from `{}`: {error}; the last one stays",
                remote.shown_url()
            )),
            _ => {}
        }
        failing = result.is_err();
        if stop.wait(jittered(remote.settings.interval)) {
            return;
        }
    }
}

fn poll(agent: &Agent, request: &str) -> Result<Vec<u8>, String> {
    let mut response = agent
        .get(request)
        .call()
        .map_err(|error| error.to_string())?;
    if !response.status().is_success() {
        return Err(format!("the answer is {}", response.status()));
    }
    let body = response.body_mut().with_config().limit(MAX_ANSWER);
    body.read_to_vec().map_err(|error| error.to_string())
}

/// The timeout is given to the phases one by one: with a limit for the whole request or for the
/// name look-up, `ureq` would start a thread for every request.
fn agent(timeout: Duration) -> Agent {
    let tenths = |count| Some(timeout * count / 10);
    Agent::config_builder()
        .timeout_connect(tenths(3))
        .timeout_send_request(tenths(1))
        .timeout_recv_response(tenths(3))
        .timeout_recv_body(tenths(3))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent(concat!("trace-runtime/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn request_url(url: &str, service_name: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}service={}", percent_encode(service_name))
}

/// A tenth more or less, so that a fleet does not ask all at once.
fn jittered(interval: Duration) -> Duration {
    // Without random numbers there is no jitter, which does no harm.
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    interval.mul_f64(0.9 + 0.2 * f64::from(random) / f64::from(u32::MAX))
}
