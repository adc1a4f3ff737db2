//! Streams inside a span: from the first poll to the last item, or until somebody lets go of them.
//!
//! [`in_span`](InSpan::in_span) puts any stream into a span of its own. With feature `stream`,
//! [`#[traced]`](macro@crate::traced) does so for functions that return `impl Stream`,
//! `Pin<Box<dyn Stream>>`, `BoxStream` or `LocalBoxStream`, async ones included: the span starts as
//! that of any other function and ends with the stream.
//!
//! - The span is current whenever the stream is polled and while it is dropped, whoever does that: what
//!   happens inside is its child, and its parent is what was current where the stream was made.
//! - What a function returns is told by how its type is written: an alias of one's own is not seen.
//! - `traced.stream.items` says how many items came out.
//! - Dropped before its end, the stream was cancelled: `traced.cancelled`, as with a future. A panic
//!   inside fails the span.
//! - An item that is an `Err` fails the span of a traced function, as a returned one would: status,
//!   `error.type` and an exception event for each. The options `err`, `err_if` and `err_type` look at
//!   items. Of a stream that [`in_span`](InSpan::in_span) takes in, ask for it:
//!   [`record_errors`](TracedStream::record_errors).
//!
//! # Server-sent events
//!
//! A handler has returned long before the last event is sent, and the server polls its stream where no
//! span is current. The stream brings its own:
//!
//! ```no_run
//! use std::convert::Infallible;
//! use std::time::Duration;
//!
//! use axum::Router;
//! use axum::extract::Path;
//! use axum::response::sse::{Event, Sse};
//! use axum::routing::get;
//! use futures_util::{Stream, StreamExt, stream};
//! use trace_runtime::traced;
//!
//! #[traced]
//! async fn quote(symbol: &str) -> String {
//!     tokio::time::sleep(Duration::from_secs(1)).await;
//!     format!("{symbol} is up")
//! }
//!
//! #[traced] // "quotes": until the client goes away
//! fn quotes(symbol: String) -> impl Stream<Item = Result<Event, Infallible>> {
//!     stream::repeat(symbol).then(|symbol| async move {
//!         Ok(Event::default().data(quote(&symbol).await)) // "quote", below "quotes"
//!     })
//! }
//!
//! async fn handler(Path(symbol): Path<String>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
//!     Sse::new(quotes(symbol))
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let _guard = trace_runtime::init_tracer();
//!     let app = Router::new().route("/quotes/{symbol}", get(handler));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     axum::serve(listener, app).await
//! }
//! ```
//!
//! # Other streams
//!
#![cfg_attr(feature = "testing", doc = "```")]
#![cfg_attr(not(feature = "testing"), doc = "```ignore")]
//! use futures_util::{StreamExt, stream};
//! use trace_runtime::stream::InSpan;
//! use trace_runtime::{testing, traced};
//!
//! #[traced]
//! fn parse(text: &str) -> Result<u64, std::num::ParseIntError> {
//!     text.parse()
//! }
//!
//! let capture = testing::capture();
//! let sum = capture.scope_async(async {
//!     let numbers = stream::iter(["1", "2"]).map(parse).in_span("numbers").record_errors();
//!     numbers.fold(0, |sum, number| async move { sum + number.unwrap_or(0) }).await
//! });
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! assert_eq!(runtime.block_on(sum), 3);
//! assert_eq!(
//!     capture.tree(),
//!     "numbers {traced.stream.items=2}\n  parse {text=\"1\"}\n  parse {text=\"2\"}\n"
//! );
//! ```

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::SCHEMA_URL;
use crate::__private::{call_unfinished, shown};
use crate::callsite::Callsite;
use crate::outcome::{Sink, service_failed};
use crate::span::{self, Active, enter};
use crate::span_future;
use crate::value::{ValueLimits, limit};
use crate::{ToValue, Value};

const ITEMS: &str = "traced.stream.items";

static STREAM: Callsite =
    Callsite::new::<()>(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), &[])
        .name("stream")
        .library(SCHEMA_URL);

/// Streams that get a span of their own.
pub trait InSpan: Stream + Sized {
    /// The stream, inside a span that starts now, below the current one, and ends with the stream.
    ///
    /// ```
    /// use futures_util::stream;
    /// use trace_runtime::stream::InSpan;
    ///
    /// let orders = stream::iter([7, 8]).in_span("orders").with_attribute("shop", "tea");
    /// # drop(orders);
    /// ```
    fn in_span(self, name: impl Into<Cow<'static, str>>) -> TracedStream<Self> {
        let span = if STREAM.is_enabled() {
            enter(STREAM.start_named(span::current(), || name.into()))
        } else {
            Active::none()
        };
        TracedStream::new(span, self, Unseen)
    }
}

impl<S: Stream> InSpan for S {}

/// Looks at the items that pass.
pub trait Observe<I> {
    #[doc(hidden)]
    fn observe(&mut self, item: I, span: &mut Active) -> I;
}

/// Items pass without a look.
#[derive(Clone, Copy, Debug)]
pub struct Unseen;

impl<I> Observe<I> for Unseen {
    fn observe(&mut self, item: I, _: &mut Active) -> I {
        item
    }
}

/// An item that is an `Err` fails the span.
#[derive(Clone, Copy, Debug)]
pub struct Errors;

impl<T, E: Display + 'static> Observe<Result<T, E>> for Errors {
    fn observe(&mut self, item: Result<T, E>, span: &mut Active) -> Result<T, E> {
        if let Err(error) = &item {
            span.fail(service_failed(error));
        }
        item
    }
}

/// What `#[traced]` makes of its options about errors.
#[derive(Clone, Copy)]
pub struct Expanded<F>(F);

impl<F> fmt::Debug for Expanded<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expanded(..)")
    }
}

impl<I, F: FnMut(I, &mut Active) -> I> Observe<I> for Expanded<F> {
    fn observe(&mut self, item: I, span: &mut Active) -> I {
        (self.0)(item, span)
    }
}

pin_project! {
    /// A stream whose end is the end of its span, see [`InSpan::in_span`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct TracedStream<S, O = Unseen> {
        #[pin]
        inner: span_future::InSpan<S, Active>,
        observe: O,
        items: i64,
    }

    impl<S, O> PinnedDrop for TracedStream<S, O> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            count(this.inner.span(), *this.items);
        }
    }
}

impl<S, O> TracedStream<S, O> {
    fn new(span: Active, stream: S, observe: O) -> Self {
        Self {
            inner: span_future::InSpan::new(span, stream),
            observe,
            items: 0,
        }
    }
}

impl<S> TracedStream<S> {
    /// Sets an attribute of the span. Values under a key that names a secret are not shown.
    pub fn with_attribute(self, key: &'static str, value: impl ToValue) -> Self {
        let span = self.inner.span_ref();
        if span.is_recording() {
            let value = limit(value.to_value(), &ValueLimits::default());
            span.set(key, shown(key, value));
        }
        self
    }
}

impl<S, T, E> TracedStream<S>
where
    S: Stream<Item = Result<T, E>>,
    E: Display + 'static,
{
    /// Lets every item that is an `Err` fail the span.
    pub fn record_errors(mut self) -> TracedStream<S, Errors> {
        TracedStream {
            inner: self.inner.take(),
            observe: Errors,
            items: self.items,
        }
    }
}

impl<S: Stream, O: Observe<S::Item>> Stream for TracedStream<S, O> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let polled = this
            .inner
            .as_mut()
            .poll_inside(|stream| stream.poll_next(task), Option::is_none);
        let Some(polled) = polled else {
            return Poll::Ready(None);
        };
        let item = ready!(polled);
        let span = this.inner.span();
        Poll::Ready(match item {
            Some(item) if Sink::recording(span) => {
                *this.items += 1;
                Some(this.observe.observe(item, span))
            }
            Some(item) => Some(item),
            None => {
                count(span, *this.items);
                drop(span.take());
                None
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.inner().map_or((0, Some(0)), Stream::size_hint)
    }
}

fn count(span: &Active, items: i64) {
    if span.is_recording() {
        span.set(ITEMS, Value::I64(items));
    }
}

/// The stream that a traced function returns; the span goes on with it.
pub fn stream_in_span<S: Stream>(span: Active, stream: S) -> TracedStream<S> {
    TracedStream::new(span, stream, Unseen)
}

/// The same; `observe` tells what items say about the span.
pub fn observed_in_span<S, F>(span: Active, stream: S, observe: F) -> TracedStream<S, Expanded<F>>
where
    S: Stream,
    F: FnMut(S::Item, &mut Active) -> S::Item,
{
    TracedStream::new(span, stream, Expanded(observe))
}

/// Runs a body that returns some stream of items; the span goes on with it.
pub fn call_stream<I, A, S: Stream<Item = I>>(
    span: &mut Active,
    arguments: A,
    body: impl FnOnce(A) -> S,
) -> S {
    call_unfinished(span, arguments, body)
}
