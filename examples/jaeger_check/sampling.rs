//! A tracer under each of the strategies in `.ci/strategies.json`, as Jaeger hands them out.
//!
//! Until the strategy is there no trace is sampled, so the first one that is tells that it has come.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, TraceId, Value};
use trace_runtime::{Batch, ExportError, Exporter, OtelTracer, Tracer, TracerGuard};

use crate::poll;

const PATIENCE: Duration = Duration::from_secs(30);
const ROOTS: usize = 1000;

pub(crate) fn check(url: &str) -> Result<(), String> {
    let ways = [by_otel_variables(url), by_jaeger_variables(url)];
    for variables in ways {
        probabilistic(Service::start("half", &variables)?)?;
        println!("ok      probabilistic, by `{}`", variables[0].0);
        rate_limiting(&Service::start("limited", &variables)?)?;
        println!("ok      rate limiting, by `{}`", variables[0].0);
        per_operation(&Service::start("shop", &variables)?)?;
        println!("ok      per operation, by `{}`", variables[0].0);
        everything(&Service::start("somebody else", &variables)?)?;
        println!("ok      the default strategy, by `{}`", variables[0].0);
    }
    Ok(())
}

type Variables = Vec<(&'static str, String)>;

fn by_otel_variables(url: &str) -> Variables {
    let argument = format!("endpoint={url},pollingIntervalMs=100,initialSamplingRate=0");
    vec![
        (
            "OTEL_TRACES_SAMPLER",
            "parentbased_jaeger_remote".to_owned(),
        ),
        ("OTEL_TRACES_SAMPLER_ARG", argument),
    ]
}

fn by_jaeger_variables(url: &str) -> Variables {
    vec![
        ("JAEGER_SAMPLER_TYPE", "remote".to_owned()),
        ("JAEGER_SAMPLER_PARAM", "0".to_owned()),
        ("JAEGER_SAMPLING_ENDPOINT", url.to_owned()),
        ("JAEGER_SAMPLER_REFRESH_INTERVAL", "100ms".to_owned()),
    ]
}

/// The trace ids below the middle, as every OpenTelemetry SDK has it.
fn probabilistic(service: Service) -> Result<(), String> {
    service.wait_for("any")?;
    let sampled = service.roots("any", |id, sampled| sampled == is_below(0.5, id))?;
    if sampled == 0 || sampled == ROOTS {
        return Err(format!("half: {sampled} of {ROOTS} are sampled"));
    }
    service.explained("probabilistic", 0.5)
}

/// No more than the bucket holds and what flows in meanwhile; and then again some.
fn rate_limiting(service: &Service) -> Result<(), String> {
    let start = Instant::now();
    service.wait_for("any")?;
    let sampled = service.roots("any", |_, _| true)?;
    let most = 2.0 + 2.0 * start.elapsed().as_secs_f64();
    if sampled as f64 > most {
        return Err(format!(
            "limited: {sampled} are sampled, not {most} at most"
        ));
    }
    service.wait_for("any")?;
    service.explained("ratelimiting", 2.0)
}

fn per_operation(service: &Service) -> Result<(), String> {
    service.wait_for("always")?;
    service.roots("always", |_, sampled| sampled)?;
    service.roots("never", |_, sampled| !sampled)?;
    service.roots("half", |id, sampled| sampled == is_below(0.5, id))?;
    service.roots("unlisted", |id, sampled| sampled == is_below(0.25, id))?;
    service.explained("probabilistic", 1.0)?;
    // Below a root nobody asks what a name stands for.
    let root =
        Context::new().with_span(service.tracer.start_with_context("always", &Context::new()));
    let child = service.tracer.start_with_context("never", &root);
    match child.span_context().is_sampled() {
        true => Ok(()),
        false => Err("shop: a child is not sampled although its root is".to_owned()),
    }
}

fn everything(service: &Service) -> Result<(), String> {
    service.wait_for("any")?;
    service.roots("any", |_, sampled| sampled)?;
    service.explained("probabilistic", 1.0)
}

fn is_below(ratio: f64, id: TraceId) -> bool {
    let low = u128::from_be_bytes(id.to_bytes()) as u64;
    low >> 1 < (ratio * (1_u64 << 63) as f64) as u64
}

/// A tracer with a service name, and what it exports.
struct Service {
    name: &'static str,
    tracer: OtelTracer,
    exported: Receiver<Explanation>,
    guard: TracerGuard,
}

impl Service {
    fn start(name: &'static str, variables: &Variables) -> Result<Self, String> {
        let variables = variables.clone();
        let lookup = move |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.clone())
        };
        let (sender, exported) = channel();
        let (tracer, guard) = Tracer::builder()
            .with_env(lookup)
            .with_service_name(name)
            .with_exporter(Explanations(sender))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            name,
            tracer: tracer.provider().tracer("sampling"),
            exported,
            guard,
        })
    }

    /// Starts and ends a root.
    fn root(&self, name: &'static str) -> (TraceId, bool) {
        let span = self.tracer.start_with_context(name, &Context::new());
        let context = span.span_context();
        (context.trace_id(), context.is_sampled())
    }

    fn wait_for(&self, name: &'static str) -> Result<(), String> {
        poll(PATIENCE, || match self.root(name) {
            (_, true) => Ok(()),
            _ => Err(format!("{}: the strategy does not come", self.name)),
        })
    }

    /// How many of so many roots are sampled, each as it should be.
    fn roots(
        &self,
        name: &'static str,
        is_right: fn(TraceId, bool) -> bool,
    ) -> Result<usize, String> {
        let mut count = 0;
        for _ in 0..ROOTS {
            let (id, sampled) = self.root(name);
            if !is_right(id, sampled) {
                return Err(format!("{}: {name} {id} is sampled: {sampled}", self.name));
            }
            count += usize::from(sampled);
        }
        Ok(count)
    }

    /// The first of the roots says which strategy has sampled it.
    fn explained(&self, kind: &'static str, param: f64) -> Result<(), String> {
        self.guard.flush().map_err(|error| error.to_string())?;
        let expected: Explanation = (Some(kind.into()), Some(param.into()));
        match self.exported.try_recv() {
            Ok(found) if found == expected => Ok(()),
            found => Err(format!("{}: {found:?}, not {expected:?}", self.name)),
        }
    }
}

/// What `sampler.type` and `sampler.param` say.
type Explanation = (Option<Value>, Option<Value>);

struct Explanations(Sender<Explanation>);

impl Exporter for Explanations {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        for span in batch.spans() {
            let get = |key| {
                let found = span.attributes().find(|(present, _)| *present == key);
                found.and_then(|(_, value)| value.into())
            };
            // Whoever reads them may be gone.
            let _ = self.0.send((get("sampler.type"), get("sampler.param")));
        }
        Ok(())
    }

    fn target(&self) -> String {
        "memory".to_owned()
    }
}
