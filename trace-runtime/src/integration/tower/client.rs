//! Requests that leave.

use std::fmt::{self, Display};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use http::request::Parts;
use http::{Request, Response, Uri};
use opentelemetry::Context;
use opentelemetry::trace::SpanKind;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::attributes::{self, KEYS, NETWORK_PROTOCOL_VERSION, SCHEMA_URL};
use super::error;
use crate::callsite::Callsite;
use crate::outcome::{Sink, record_status};
use crate::propagation;
use crate::span::{self, Active, enter};
use crate::span_future::InSpan;
use crate::tracer::Tracer;
use crate::{ToValue, Value};

static CLIENT: Callsite =
    Callsite::new::<()>(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), KEYS)
        .name("HTTP")
        .kind(SpanKind::Client)
        .library(SCHEMA_URL);

/// Puts every request that a client sends inside a client span, and that span's context into the
/// request's headers.
///
/// The span is named after the method and ends with the head of the response. It failed if the
/// status is 400 or more, if the service fails, or if the request is given up before the head is
/// there. Put the layer below one that retries, to see every attempt.
///
/// See the [module](super) for an example.
#[derive(Clone, Debug, Default)]
pub struct ClientLayer {
    tracer: Option<Tracer>,
    inject_to: Option<InjectTo>,
}

impl ClientLayer {
    /// The layer, for the global tracer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the spans with this tracer.
    #[must_use]
    pub fn with_tracer(mut self, tracer: impl Into<Tracer>) -> Self {
        self.tracer = Some(tracer.into());
        self
    }

    /// Decides which requests carry trace context and baggage; without it, all do.
    ///
    /// Where they must not go, headers of this kind that the request already has, say because it is
    /// being forwarded, are removed.
    ///
    /// ```
    /// use trace_runtime::tower::ClientLayer;
    ///
    /// let layer = ClientLayer::new()
    ///     .inject_to(|uri| uri.host().is_some_and(|host| host.ends_with(".internal")));
    /// ```
    #[must_use]
    pub fn inject_to(mut self, decide: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        self.inject_to = Some(InjectTo(Arc::new(decide)));
        self
    }

    fn start(&self, parts: &Parts) -> Active {
        if !CLIENT.is_enabled() {
            return Active::none();
        }
        let parent = match &self.tracer {
            Some(tracer) => span::within(tracer.scope(&Context::current())),
            None => span::current(),
        };
        let mut start = CLIENT.start_named(parent, || attributes::span_name(&parts.method, None));
        if start.is_recording() {
            attributes::client(&mut start, parts);
        }
        enter(start)
    }

    /// Writes the current context.
    fn inject<B>(&self, request: &mut Request<B>) {
        let allowed = self
            .inject_to
            .as_ref()
            .is_none_or(|InjectTo(decide)| decide(request.uri()));
        if allowed {
            propagation::inject(request);
        } else {
            propagation::strip(request.headers_mut());
        }
    }
}

/// The user's function that decides where context goes.
#[derive(Clone)]
struct InjectTo(Arc<dyn Fn(&Uri) -> bool + Send + Sync>);

impl fmt::Debug for InjectTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InjectTo(..)")
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = TracedClient<S>;

    fn layer(&self, inner: S) -> TracedClient<S> {
        TracedClient {
            inner,
            layer: self.clone(),
        }
    }
}

/// A client whose requests are traced, see [`ClientLayer`].
#[derive(Clone, Debug)]
pub struct TracedClient<S> {
    inner: S,
    layer: ClientLayer,
}

impl<S, B, R> Service<Request<B>> for TracedClient<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ClientFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let mut span = self.layer.start(&parts);
        let mut request = Request::from_parts(parts, body);
        let future = span.run(|| {
            self.layer.inject(&mut request);
            self.inner.call(request)
        });
        ClientFuture {
            inner: InSpan::new(span, future),
        }
    }
}

pin_project! {
    /// The response of a [`TracedClient`].
    #[derive(Debug)]
    pub struct ClientFuture<F> {
        #[pin]
        inner: InSpan<F, Active>,
    }
}

impl<F, R, E> Future for ClientFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Display + 'static,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = ready!(this.inner.as_mut().poll(task));
        let mut span = this.inner.span().take();
        if Sink::recording(&span) {
            match &result {
                Ok(response) => record(response, &mut span),
                Err(error) => error::record(error, &mut span),
            }
        }
        Poll::Ready(result)
    }
}

fn record<R>(response: &Response<R>, span: &mut Active) {
    let version = attributes::version(response.version());
    span.set(
        NETWORK_PROTOCOL_VERSION,
        version.map_or(Value::None, ToValue::to_value),
    );
    record_status(response.status().as_u16(), span);
}
