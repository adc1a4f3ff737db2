//! The tracer: what records spans under one configuration, and who holds it.

mod builder;
mod core;
pub(crate) mod global;
mod guard;
mod launch;

use std::future::Future;

use opentelemetry::Context;

pub use self::builder::TracerBuilder;
pub(crate) use self::core::Core;
pub use self::guard::TracerGuard;

use crate::error::InitError;
use crate::span_future::WithContext;

/// Records spans under one configuration.
///
/// The global tracer, which [`init_tracer`](crate::init_tracer) installs, serves every span that no
/// other tracer claims. Another tracer is in charge inside [`in_scope`](Self::in_scope),
/// [`in_scope_async`](Self::in_scope_async) and [`attach`](Self::attach): it travels in the
/// OpenTelemetry [`Context`], so work that leaves the context must carry it.
///
/// ```
/// use trace_runtime::{Sampler, Tracer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (orders, _guard) = Tracer::builder()
///     .with_env(|_| None)
///     .with_service_name("orders")
///     .with_sampler(Sampler::always_off())
///     .build()?;
/// orders.in_scope(|| { /* spans of the service `orders` */ });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Tracer {
    pub(crate) core: &'static Core,
}

/// What takes a tracer takes a borrowed one, too: it is a reference already.
impl From<&Tracer> for Tracer {
    fn from(tracer: &Tracer) -> Self {
        tracer.clone()
    }
}

impl Tracer {
    /// Configures a tracer, in code over the environment.
    pub fn builder() -> TracerBuilder {
        TracerBuilder::new()
    }

    /// A tracer that sends every span to a Jaeger agent over UDP, each second, and logs it.
    ///
    /// # Errors
    ///
    /// Every setting that is bad, in code or in the environment.
    pub fn new(service_name: &str, agent: &str) -> Result<(Self, TracerGuard), InitError> {
        Self::builder()
            .with_service_name(service_name)
            .with_agent(agent)
            .with_sampler(crate::Sampler::always_on())
            .with_flush_interval(std::time::Duration::from_secs(1))
            .with_log_spans(true)
            .build()
    }

    /// Runs `body` with this tracer in charge.
    pub fn in_scope<R>(&self, body: impl FnOnce() -> R) -> R {
        let _attached = self.attach();
        body()
    }

    /// The future, with this tracer in charge whenever it is polled.
    pub fn in_scope_async<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        WithContext::new(future, self.scope(&Context::current()))
    }

    /// Puts this tracer in charge until the guard is dropped.
    #[must_use = "the tracer is in charge until this is dropped"]
    pub fn attach(&self) -> opentelemetry::ContextGuard {
        self.scope(&Context::current()).attach()
    }

    /// The OpenTelemetry API's view of this tracer.
    pub fn provider(&self) -> crate::otel::OtelTracerProvider {
        crate::otel::OtelTracerProvider::of(self.core)
    }

    /// `cx` with this tracer in charge.
    pub(crate) fn scope(&self, cx: &Context) -> Context {
        cx.with_value(global::Scoped(self.core))
    }
}
