//! Requests that arrive.

use std::cell::OnceCell;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanKind};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::{self, TracedBody};
use super::call::Call;
use super::route::{self, IntoRoute, RouteOf};
use crate::callsite::Callsite;
use crate::integration::SCHEMA_URL;
use crate::integration::http::attributes::{self, KEYS};
use crate::integration::http::{Protocol, error, grpc};
use crate::outcome::record_status;
use crate::propagation::{self, ParentSource};
use crate::span::{self, Active, enter};
use crate::tracer::Tracer;

static SERVER: Callsite =
    Callsite::new::<()>(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), KEYS)
        .name("HTTP")
        .kind(SpanKind::Server)
        .library(SCHEMA_URL);

/// What a trace may do that somebody else has started.
///
/// Whoever can send a request can send a `traceparent`, too: name any trace, or have every request
/// sampled. A request for a debug trace (`jaeger-debug-id`) is heard from everybody, but from callers
/// that are not trusted once a second at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// It goes on here: the caller's span is the parent. For callers of one's own.
    #[default]
    Continue,
    /// A new trace begins here, linked to the caller's span. Baggage is not read.
    Link,
    /// A new trace begins here. Baggage is not read.
    Ignore,
}

/// Puts every request that a service handles inside a server span.
///
/// The span is named after method and route, `GET /users/{id}`, and lasts until the response's body
/// has ended; its first byte is an event. It failed if the status is 500 or more, if the service or
/// the body fails, or if the handler panics. If the client goes away before the end, it says
/// `traced.cancelled`.
///
/// A call of gRPC (content type `application/grpc`) is named `package.Service/Method` and speaks of its
/// status, wherever in the response that is: see the [module](super#grpc).
///
/// The route is the one that axum matched (feature `axum`; the layer must be inside the router, by
/// `Router::layer` or `route_layer`), or what [`with_route`](Self::with_route) says. A raw path is
/// never a name.
///
/// Where nothing is recorded, the trace of the caller is still passed on.
///
/// See the [module](super) for an example.
#[derive(Clone, Debug, Default)]
pub struct ServerLayer {
    tracer: Option<Tracer>,
    trust: Trust,
    route: Option<RouteOf>,
}

impl ServerLayer {
    /// The layer, for the global tracer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts this tracer in charge of all that happens below.
    #[must_use]
    pub fn with_tracer(mut self, tracer: impl Into<Tracer>) -> Self {
        self.tracer = Some(tracer.into());
        self
    }

    /// Says which route a request takes: a template with few values, such as `/users/{id}`.
    ///
    /// ```
    /// use trace_runtime::tower::ServerLayer;
    ///
    /// let layer = ServerLayer::new().with_route(|parts| match parts.uri.path() {
    ///     "/" => Some("/"),
    ///     path if path.starts_with("/users/") => Some("/users/{id}"),
    ///     _ => None,
    /// });
    /// ```
    #[must_use]
    pub fn with_route<R: IntoRoute>(
        mut self,
        route: impl Fn(&Parts) -> R + Send + Sync + 'static,
    ) -> Self {
        self.route = Some(RouteOf::new(route));
        self
    }

    /// Decides what a trace may do that the caller names; the default is [`Trust::Continue`].
    ///
    /// ```
    /// use trace_runtime::tower::{ServerLayer, Trust};
    ///
    /// let public = ServerLayer::new().trust(Trust::Link);
    /// ```
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    fn start(&self, protocol: Protocol, parts: &Parts) -> Active {
        if !SERVER.is_enabled() {
            return self.pass_on(parts);
        }
        let Parent { cx, root, link } = self.parent(parts);
        let choice = if root {
            span::root_in(cx.clone())
        } else {
            span::within(cx.clone())
        };
        let route = OnceCell::new();
        let route = || {
            let found = || route::route(self.route.as_ref(), parts);
            route.get_or_init(found).as_deref()
        };
        let uri = route::uri(parts);
        let name = || match protocol {
            Protocol::Http => attributes::span_name(&parts.method, route()),
            Protocol::Grpc | Protocol::GrpcWeb => grpc::span_name(uri),
        };
        let mut start = SERVER.start_named(choice, name);
        if start.is_recording() {
            attributes::server(&mut start, protocol, parts, uri, route());
            start.links(link);
        }
        let span = enter(start);
        if span.context().is_some() {
            span
        } else {
            Active::passing(cx)
        }
    }

    /// Nothing records here, but the caller's trace may go on behind.
    fn pass_on(&self, parts: &Parts) -> Active {
        let trusted = self.trust == Trust::Continue;
        let found = || parts.headers.parent(&Context::current());
        let found = trusted.then(found).flatten();
        found.map_or_else(Active::none, Active::passing)
    }

    fn parent(&self, parts: &Parts) -> Parent {
        let current = Context::current();
        let cx = match &self.tracer {
            Some(tracer) => tracer.scope(&current),
            None => current,
        };
        let mut parent = Parent {
            cx,
            root: false,
            link: None,
        };
        if self.trust == Trust::Continue {
            if let Some(found) = propagation::trusted(&parts.headers, &parent.cx) {
                parent.cx = found;
            }
        } else if let Some((foreign, cx)) = propagation::refuse(&parts.headers, &parent.cx) {
            parent = Parent {
                cx,
                root: true,
                link: (self.trust == Trust::Link).then_some(foreign),
            };
        } else if let Some(cx) = propagation::debug_request(&parts.headers, &parent.cx) {
            parent.cx = cx;
        }
        parent
    }
}

/// Where the span of a request belongs.
struct Parent {
    cx: Context,
    root: bool,
    link: Option<SpanContext>,
}

impl<S> Layer<S> for ServerLayer {
    type Service = TracedServer<S>;

    fn layer(&self, inner: S) -> TracedServer<S> {
        TracedServer {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service whose requests are traced, see [`ServerLayer`].
#[derive(Clone, Debug)]
pub struct TracedServer<S> {
    inner: S,
    layer: ServerLayer,
}

impl<S, B, R> Service<Request<B>> for TracedServer<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display + 'static,
    R: Body,
    R::Error: Display + 'static,
{
    type Response = Response<TracedBody<R>>;
    type Error = S::Error;
    type Future = ServerFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let protocol = Protocol::of(&parts.headers);
        let mut span = self.layer.start(protocol, &parts);
        let asked = Asked {
            is_head: parts.method == Method::HEAD,
            uri: (protocol != Protocol::Http).then(|| route::uri(&parts).clone()),
        };
        let request = Request::from_parts(parts, body);
        let future = span.run(|| self.inner.call(request));
        ServerFuture {
            call: Call::new(protocol, span, future),
            asked,
        }
    }
}

pin_project! {
    /// The response of a [`TracedServer`].
    #[derive(Debug)]
    pub struct ServerFuture<F> {
        #[pin]
        call: Call<F>,
        asked: Asked,
    }
}

/// What of the request decides how its response is read.
#[derive(Debug)]
struct Asked {
    is_head: bool,
    /// Kept for gRPC.
    uri: Option<Uri>,
}

impl<F, R, E> Future for ServerFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Display + 'static,
    R: Body,
    R::Error: Display + 'static,
{
    type Output = Result<Response<TracedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut call = this.call.project();
        let result = ready!(call.inner.as_mut().poll(task));
        let mut span = call.inner.span().take();
        Poll::Ready(match result {
            Ok(response) => Ok(answer(response, span, this.asked, *call.protocol)),
            Err(error) => {
                error::record(&error, &mut span);
                Err(error)
            }
        })
    }
}

/// The span goes on with the body, if one will be sent.
fn answer<R: Body>(
    response: Response<R>,
    mut span: Active,
    asked: &Asked,
    protocol: Protocol,
) -> Response<TracedBody<R>> {
    let status = response.status();
    let headers = response.headers();
    let length = body::announced_length(&response);
    let (protocol, is_over) = match &asked.uri {
        Some(uri) if status == StatusCode::OK => {
            (protocol, grpc::record_server_head(uri, headers, &mut span))
        }
        // Also where a layer in between has answered a call of gRPC in its own way.
        _ => {
            record_status(status.as_u16(), &mut span);
            (Protocol::Http, false)
        }
    };
    let ends_here = is_over
        || asked.is_head
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || length == Some(0)
        || response.body().is_end_stream();
    if ends_here {
        drop(span);
        return response.map(TracedBody::untraced);
    }
    response.map(|body| TracedBody::new(protocol, body, span, length))
}
