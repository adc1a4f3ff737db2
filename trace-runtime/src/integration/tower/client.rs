//! Requests that leave.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use http::{Request, Response, Uri};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::TracedBody;
use super::call::Call;
use crate::integration::http::client::{InjectTo, Outgoing, record_head};
use crate::integration::http::{Protocol, error};
use crate::tracer::Tracer;

/// Puts every request that a client sends inside a client span, and that span's context into the
/// request's headers.
///
/// The span is named after the method and ends with the head of the response. It failed if the
/// status is 400 or more, if the service fails, or if the request is given up before the head is
/// there. A call of gRPC (content type `application/grpc`) is named `package.Service/Method` and ends
/// with its status, see the [module](super#grpc). Put the layer below one that retries, to see every attempt.
///
/// See the [module](super) for an example.
#[derive(Clone, Debug, Default)]
pub struct ClientLayer(Outgoing);

impl ClientLayer {
    /// The layer, for the global tracer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the spans with this tracer.
    #[must_use]
    pub fn with_tracer(mut self, tracer: impl Into<Tracer>) -> Self {
        self.0.tracer = Some(tracer.into());
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
        self.0.inject_to = Some(InjectTo::new(decide));
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = TracedClient<S>;

    fn layer(&self, inner: S) -> TracedClient<S> {
        TracedClient {
            inner,
            requests: self.0.clone(),
        }
    }
}

/// A client whose requests are traced, see [`ClientLayer`].
#[derive(Clone, Debug)]
pub struct TracedClient<S> {
    inner: S,
    requests: Outgoing,
}

impl<S, B, R> Service<Request<B>> for TracedClient<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display + 'static,
{
    type Response = Response<TracedBody<R>>;
    type Error = S::Error;
    type Future = ClientFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let protocol = Protocol::of(&parts.headers);
        let (method, uri) = (&parts.method, &parts.uri);
        let mut span = self.requests.start(protocol, method, uri, &parts.headers);
        let future = span.run(|| {
            self.requests.inject(&parts.uri, &mut parts.headers);
            self.inner.call(Request::from_parts(parts, body))
        });
        ClientFuture {
            call: Call::new(protocol, span, future),
        }
    }
}

pin_project! {
    /// The response of a [`TracedClient`].
    #[derive(Debug)]
    pub struct ClientFuture<F> {
        #[pin]
        call: Call<F>,
    }
}

impl<F, R, E> Future for ClientFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Display + 'static,
{
    type Output = Result<Response<TracedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let mut call = self.project().call.project();
        let result = ready!(call.inner.as_mut().poll(task));
        let mut span = call.inner.span().take();
        let protocol = *call.protocol;
        Poll::Ready(match result {
            Ok(response) => {
                let (status, version) = (response.status(), response.version());
                let headers = response.headers();
                if record_head(protocol, status, version, headers, &mut span) {
                    drop(span);
                    Ok(response.map(TracedBody::untraced))
                } else {
                    Ok(response.map(|body| TracedBody::new(protocol, body, span, None)))
                }
            }
            Err(error) => {
                error::record(&error, &mut span);
                Err(error)
            }
        })
    }
}
