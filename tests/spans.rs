//! Traced functions, sync and async: their spans, parents, arguments and outcomes.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use trace_runtime::{testing, traced};

#[derive(Debug)]
struct NotFound(u64);

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {} not found", self.0)
    }
}

impl std::error::Error for NotFound {}

struct Opaque;

#[traced]
fn leaf(n: u64) -> u64 {
    n + 1
}

#[traced]
async fn root(order_id: u64, user: &str, _ignored: Opaque, opaque: Opaque) -> u64 {
    let _ = opaque;
    let first = leaf(order_id);
    tokio::task::yield_now().await;
    first + leaf(user.len() as u64)
}

#[traced]
fn find(id: u64) -> Result<u64, NotFound> {
    Err(NotFound(id))
}

#[traced]
fn outer(id: u64) -> Result<u64, NotFound> {
    find(id)
}

#[tokio::test]
async fn nested_calls_become_children_with_their_arguments() {
    let capture = testing::capture();
    capture.scope_async(root(7, "ann", Opaque, Opaque)).await;
    assert_eq!(
        capture.tree(),
        "root {order_id=7, user=\"ann\"}\n  leaf {n=7}\n  leaf {n=3}\n"
    );
}

#[test]
fn an_error_fails_every_span_it_passes_and_is_told_once() {
    let capture = testing::capture();
    let result = capture.scope(|| outer(9));
    assert!(result.is_err());
    assert_eq!(
        capture.tree(),
        "outer {id=9, error.type=\"spans::NotFound\"} !error \"order 9 not found\"\n  \
         find {id=9, error.type=\"spans::NotFound\"} !error \"order 9 not found\"\n    \
         - exception {exception.type=\"spans::NotFound\", exception.message=\"order 9 not found\"}\n"
    );
}

#[test]
fn spans_of_the_api_and_ours_nest_both_ways() {
    let capture = testing::capture();
    capture.scope(|| {
        let tracer = capture.tracer().provider().tracer("manual");
        tracer.in_span("by hand", |_| {
            leaf(1);
            let mut span = tracer.start("inner");
            span.end();
        });
        let cx = Context::current();
        assert!(!cx.span().span_context().is_valid());
    });
    assert_eq!(capture.tree(), "by hand\n  leaf {n=1}\n  inner\n");
}

/// What a future must hold besides the plain one: the arguments until it starts, the span, and the
/// way to the span from inside.
#[test]
fn a_traced_future_grows_by_its_arguments_and_40_bytes() {
    #[traced]
    async fn traced(order_id: u64, user: &str, items: Vec<u8>) -> usize {
        std::future::ready(()).await;
        order_id as usize + user.len() + items.len()
    }
    async fn plain(order_id: u64, user: &str, items: Vec<u8>) -> usize {
        std::future::ready(()).await;
        order_id as usize + user.len() + items.len()
    }
    let arguments = size_of::<(u64, &str, Vec<u8>)>();
    let grown = size_of_val(&traced(1, "", vec![])) - size_of_val(&plain(1, "", vec![]));
    assert!(grown <= arguments + 40, "{grown} bytes");
}
