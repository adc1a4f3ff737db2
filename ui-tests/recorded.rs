//! What the options of `#[traced]` record, seen from the spans.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use trace_runtime::opentelemetry::Context;
use trace_runtime::opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceContextExt as _};
use trace_runtime::opentelemetry::trace::{TraceFlags, TraceId, TraceState};
use trace_runtime::testing::capture;
use trace_runtime::traced;

/// The span tree of what runs in the scope.
fn tree<R>(run: impl FnOnce() -> R) -> String {
    let capture = capture();
    capture.scope(run);
    capture.tree()
}

async fn tree_async<F: Future>(future: F) -> String {
    let capture = capture();
    capture.scope_async(future).await;
    capture.tree()
}

#[derive(Debug)]
struct Declined {
    code: u16,
    peer: &'static str,
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} declined", self.peer)
    }
}

impl std::error::Error for Declined {}

#[derive(Debug)]
struct User {
    id: u64,
}

struct Json<T>(T);

#[traced]
fn patterns(
    Json(user_id): Json<u64>,
    (a, _b): (u8, u8),
    all @ [_, second]: [u8; 2],
    _: u8,
    _unused: u8,
    User { id: renamed }: &User,
) -> u64 {
    user_id + u64::from(a + second) + *renamed + all.len() as u64
}

#[test]
fn every_binding_is_an_attribute() {
    let found = tree(|| patterns(Json(1), (2, 3), [4, 5], 6, 7, &User { id: 8 }));
    assert_eq!(
        found,
        "patterns {user_id=1, a=2, all=[4, 5], second=5, renamed=8}\n"
    );
}

#[traced(skip(a))]
fn skip(a: u8, b: u8) -> u8 {
    a + b
}

#[traced(skip_all, redact(b))]
fn skip_all(a: u8, b: u8) -> u8 {
    a + b
}

#[traced(only(password))]
fn only(password: &str, token: &str, b: u8) -> usize {
    password.len() + token.len() + usize::from(b)
}

#[traced]
fn parameters(
    #[traced(skip)] a: u8,
    #[traced(redact)] b: u8,
    #[traced("api.token")] token: &str,
    #[traced("hidden")] _hidden: u8,
    error: u8,
) -> usize {
    usize::from(a + b + error) + token.len()
}

#[test]
fn arguments_are_selected_and_redacted() {
    assert_eq!(tree(|| skip(1, 2)), "skip {b=2}\n");
    assert_eq!(tree(|| skip_all(1, 2)), "skip_all {b=\"[redacted]\"}\n");
    assert_eq!(tree(|| only("x", "y", 1)), "only {password=\"x\"}\n");
    assert_eq!(
        tree(|| parameters(1, 2, "t", 3, 4)),
        "parameters {b=\"[redacted]\", api.token=\"t\", hidden=3}\n"
    );
}

const KEY: &str = "constant";

#[traced(fields(id = id * 2, user.id, ?tag, text = %id, { KEY } = 1, "db.table" = "orders"))]
fn fields(id: u64, user: &User, Json(tag): Json<Option<u8>>) -> u64 {
    id + user.id + u64::from(tag.unwrap_or_default())
}

#[test]
fn fields_add_to_arguments_and_replace_them() {
    assert_eq!(
        tree(|| fields(3, &User { id: 4 }, Json(Some(5)))),
        "fields {id=6, user.id=4, tag=\"Some(5)\", text=\"3\", constant=1, db.table=\"orders\"}\n"
    );
}

#[traced("GET /orders/{id}", kind = server)]
fn named(id: u64) -> u64 {
    id
}

#[traced(name = format!("load {id}"), kind = client)]
fn dynamic(id: u64) -> u64 {
    id
}

struct Orders {
    id: u64,
}

#[traced(kind = client, fields(self.id))]
impl Orders {
    #[traced(off)]
    fn new(id: u64) -> Self {
        Self { id }
    }

    fn associated(a: u8) -> u8 {
        a
    }

    #[traced(kind = server, fields(b = 2))]
    fn method(&self, a: u8) -> u8 {
        a
    }
}

#[test]
fn names_and_kinds_are_as_written() {
    assert_eq!(tree(|| named(1)), "GET /orders/{id} [server] {id=1}\n");
    assert_eq!(tree(|| dynamic(1)), "load 1 [client] {id=1}\n");
    assert_eq!(
        tree(|| {
            Orders::associated(1);
            Orders::new(2).method(3)
        }),
        "Orders::associated [client] {a=1}\nOrders::method [server] {a=3, self.id=2, b=2}\n"
    );
}

#[traced(ret)]
fn whole(n: u64) -> Result<u64, Declined> {
    Ok(n)
}

#[traced(ret)]
fn whole_of_any_type() -> Option<User> {
    Some(User { id: 1 })
}

#[traced(ret(Display), skip_all)]
async fn displayed(n: u64) -> u64 {
    n
}

#[traced(skip_all, ret(sum = ret.0 + ret.1, ret.0))]
fn parts(a: u8, b: u8) -> (u8, u8) {
    (a, b)
}

#[tokio::test]
async fn the_result_is_recorded_when_asked_for() {
    assert_eq!(tree(|| whole(2)), "whole {n=2, return=2}\n");
    assert_eq!(
        tree(whole_of_any_type),
        "whole_of_any_type {return=\"Some(User { id: 1 })\"}\n"
    );
    assert_eq!(tree_async(displayed(3)).await, "displayed {return=\"3\"}\n");
    assert_eq!(tree(|| parts(1, 2)), "parts {sum=3, ret.0=1}\n");
}

#[traced(skip_all, err(peer = %err.peer, err.code), err_type = format!("E{}", err.code))]
fn declined(fails: bool) -> Result<(), Declined> {
    match fails {
        true => Err(Declined {
            code: 7,
            peer: "bank",
        }),
        false => Ok(()),
    }
}

#[traced(skip_all, err(Debug))]
async fn declined_debug() -> Result<(), Declined> {
    Err(Declined {
        code: 7,
        peer: "bank",
    })
}

#[traced(err = off)]
fn quiet() -> Result<(), Declined> {
    Err(Declined {
        code: 7,
        peer: "bank",
    })
}

#[traced(skip_all, err_if = |found: &Option<u8>| found.is_none())]
fn find(found: Option<u8>) -> Option<u8> {
    found
}

#[tokio::test]
async fn errors_are_told_as_asked_for() {
    assert_eq!(tree(|| declined(false)), "declined\n");
    let found = tree(|| declined(true));
    let first = found.lines().next().unwrap();
    assert!(first.contains("error.type=\"E7\""), "{found}");
    assert!(first.contains("peer=\"bank\", err.code=7"), "{found}");
    assert!(first.ends_with("!error \"bank declined\""), "{found}");
    let found = tree_async(declined_debug()).await;
    assert!(found.contains("!error \"Declined { code: 7"), "{found}");
    assert_eq!(tree(quiet), "quiet\n");
    assert_eq!(tree(|| find(Some(1))), "find\n");
    assert!(tree(|| find(None)).contains("!error"));
}

#[traced]
fn future(n: u8) -> impl Future<Output = Result<u8, Declined>> {
    Orders::associated(n);
    async move {
        Err(Declined {
            code: u16::from(n),
            peer: "bank",
        })
    }
}

#[traced]
fn boxed(n: &u8) -> Pin<Box<dyn Future<Output = u8> + '_>> {
    if *n == 0 {
        return Box::pin(async { Orders::associated(0) });
    }
    Box::pin(async move { Orders::associated(*n) })
}

#[traced]
fn iterator(n: u8) -> impl Iterator<Item = u8> {
    Orders::associated(n);
    0..n
}

#[traced]
fn nested(n: u8) -> Result<impl Iterator<Item = u8>, Declined> {
    if n == 0 {
        return Err(Declined {
            code: 0,
            peer: "bank",
        });
    }
    Ok(0..n)
}

#[tokio::test]
async fn returned_futures_are_followed_to_their_end() {
    let found = tree_async(async { future(1).await }).await;
    assert!(found.starts_with("future {n=1, error.type="), "{found}");
    assert!(
        found.contains("\n  Orders::associated [client] {a=1}\n"),
        "{found}"
    );
    assert_eq!(
        tree_async(async { boxed(&0).await }).await,
        "boxed {n=0}\n  Orders::associated [client] {a=0}\n"
    );
    assert_eq!(
        tree(|| iterator(2).count()),
        "iterator {n=2}\n  Orders::associated [client] {a=2}\n"
    );
    assert!(tree(|| nested(0).is_err()).contains("!error \"bank declined\""));
}

fn remote() -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes([1; 16]),
        SpanId::from_bytes([2; 8]),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}

#[traced(skip_all, parent = cx)]
fn with_parent(cx: &Context) {
    let _ = cx;
}

#[traced(root)]
fn with_root() {}

#[traced(skip_all, links = all.iter())]
fn with_links(all: &[SpanContext]) {
    let _ = all;
}

#[test]
fn parents_and_links_are_as_given() {
    let capture = capture();
    capture.scope(|| {
        let cx = Context::current().with_remote_span_context(remote());
        with_parent(&cx);
        let _attached = cx.attach();
        with_root();
        with_links(&[remote()]);
    });
    let spans = capture.spans();
    let by_name = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(by_name("with_parent").trace_id, remote().trace_id());
    assert_ne!(by_name("with_root").trace_id, remote().trace_id());
    assert_eq!(by_name("with_links").links.len(), 1);
    assert_eq!(by_name("with_links").kind, SpanKind::Internal);
}

thread_local!(static EVALUATED: Cell<u32> = const { Cell::new(0) });

fn evaluated() -> u64 {
    EVALUATED.set(EVALUATED.get() + 1);
    1
}

#[traced(fields(n = evaluated()), level = trace, name = { evaluated(); "dynamic" }, ret(n2 = evaluated()))]
fn costly() {}

#[test]
fn nothing_is_evaluated_without_a_span() {
    let cx = Context::current().with_telemetry_suppressed();
    let capture = capture();
    capture.scope(|| {
        let _suppressed = cx.attach();
        costly();
    });
    assert_eq!(EVALUATED.get(), 0);
    assert_eq!(tree(costly), "dynamic {n=1, n2=1}\n");
    assert_eq!(EVALUATED.get(), 3);
}

#[traced]
fn place() {}

#[test]
fn the_place_is_the_function_s_name() {
    let capture = capture();
    capture.scope(place);
    let spans = capture.spans();
    let line = spans[0].attribute("code.line.number").cloned();
    assert_eq!(line, Some((i64::from(line!()) - 8).into()));
}
