//! What a traced function returns, and what its span says about it.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};
use trace_runtime::{Failure, testing, traced};

/// Status and `error.type` of the outermost span, and the `exception` events of all.
fn outcome(run: impl FnOnce()) -> (Status, Option<String>, usize) {
    let capture = testing::capture();
    capture.scope(run);
    let spans = capture.spans();
    let root = &spans[0];
    let error_type = root.attribute("error.type").map(Value::to_string);
    let events = spans.iter().map(|span| span.events.len()).sum();
    (root.status.clone(), error_type, events)
}

fn failed(description: &'static str, error_type: &str) -> (Status, Option<String>, usize) {
    let status = Status::error(description);
    (status, Some(error_type.to_owned()), 1)
}

const FINE: (Status, Option<String>, usize) = (Status::Unset, None, 0);

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "port 80")
}

/// Everything that returns something: none of these has an `Err` in it when it is `true`.
mod shapes {
    use super::*;

    #[derive(Debug)]
    pub(crate) struct Opaque;

    pub(crate) type Own<T, E = anyhow::Error> = Result<T, E>;

    #[traced]
    pub(crate) fn io(ok: bool) -> io::Result<u8> {
        if ok { Ok(1) } else { Err(refused()) }
    }

    #[traced]
    pub(crate) fn anyhow(ok: bool) -> anyhow::Result<()> {
        if !ok {
            Err(refused())?;
        }
        Ok(())
    }

    #[traced]
    pub(crate) async fn own(ok: bool) -> Own<Box<dyn fmt::Debug>> {
        anyhow::ensure!(ok, refused());
        Ok(Box::new(1))
    }

    #[traced]
    pub(crate) fn boxed<'a>(
        ok: bool,
        text: &'a str,
    ) -> Result<&'a str, Box<dyn std::error::Error + 'a>> {
        if ok { Ok(text) } else { Err(text.into()) }
    }

    #[traced]
    pub(crate) fn generic<E>(ok: bool, error: E) -> Result<(), E> {
        if ok { Ok(()) } else { Err(error) }
    }

    #[traced]
    pub(crate) fn bound<E: fmt::Display>(ok: bool, error: E) -> Result<(), E> {
        if ok { Ok(()) } else { Err(error) }
    }

    #[traced]
    pub(crate) fn opaque(ok: bool) -> Result<impl Iterator<Item = u8>, Opaque> {
        if ok { Ok(0..3) } else { Err(Opaque) }
    }

    #[traced]
    pub(crate) fn text(ok: bool) -> Result<(), String> {
        ok.then_some(()).ok_or_else(|| "no".to_owned())
    }

    #[traced]
    pub(crate) fn unit(ok: bool) -> Result<(), ()> {
        ok.then_some(()).ok_or(())
    }

    #[traced]
    pub(crate) fn option(ok: bool) -> Option<u8> {
        ok.then_some(1)
    }

    #[traced]
    pub(crate) fn never(ok: bool) -> Result<std::convert::Infallible, &'static str> {
        let _ = ok;
        Err("always")
    }
}

#[tokio::test]
async fn ok_leaves_the_status_alone() {
    assert_eq!(outcome(|| _ = shapes::io(true)), FINE);
    assert_eq!(outcome(|| _ = shapes::anyhow(true)), FINE);
    assert_eq!(outcome(|| _ = shapes::boxed(true, "a")), FINE);
    assert_eq!(outcome(|| _ = shapes::generic(true, 1)), FINE);
    assert_eq!(outcome(|| _ = shapes::bound(true, 1)), FINE);
    assert_eq!(outcome(|| _ = shapes::opaque(true)), FINE);
    assert_eq!(outcome(|| _ = shapes::text(true)), FINE);
    assert_eq!(outcome(|| _ = shapes::unit(true)), FINE);
    assert_eq!(outcome(|| _ = shapes::option(true)), FINE);
    assert_eq!(outcome(|| _ = shapes::option(false)), FINE);
    let capture = testing::capture();
    capture.scope_async(shapes::own(true)).await.unwrap();
    assert_eq!(capture.spans()[0].status, Status::Unset);
}

#[tokio::test]
async fn err_fails_the_span_whatever_its_type() {
    let name = "std::io::error::Error";
    assert_eq!(outcome(|| _ = shapes::io(false)), failed("port 80", name));
    let kind = "ConnectionRefused";
    assert_eq!(
        outcome(|| _ = shapes::anyhow(false)),
        failed("port 80", kind)
    );
    assert_eq!(
        outcome(|| _ = shapes::boxed(false, "a")),
        failed("a", "_OTHER")
    );
    assert_eq!(
        outcome(|| drop(shapes::generic(false, refused()))),
        failed("", name)
    );
    assert_eq!(
        outcome(|| drop(shapes::bound(false, refused()))),
        failed("port 80", name)
    );
    let opaque = "outcome::shapes::Opaque";
    assert_eq!(
        outcome(|| _ = shapes::opaque(false)),
        failed("Opaque", opaque)
    );
    assert_eq!(
        outcome(|| _ = shapes::text(false)),
        failed("no", "alloc::string::String")
    );
    assert_eq!(outcome(|| _ = shapes::unit(false)), failed("()", "()"));
    assert_eq!(
        outcome(|| _ = shapes::never(false)),
        failed("always", "str")
    );
    let capture = testing::capture();
    capture.scope_async(shapes::own(false)).await.unwrap_err();
    let spans = capture.spans();
    assert_eq!(spans[0].status, Status::error("port 80"));
    assert_eq!(spans[0].attribute("error.type"), Some(&kind.into()));
}

#[derive(Debug, Failure)]
enum OrderError {
    #[traced(status = 404)]
    NotFound {
        #[allow(dead_code, reason = "its `Debug` output reads it")]
        id: u64,
    },
    #[traced(ok)]
    AlreadyPaid,
    #[traced(status = 503, rename = "database_down")]
    Database,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shown {self:?}")
    }
}

#[traced(kind = server)]
fn serve(error: OrderError) -> Result<(), OrderError> {
    Err(error)
}

#[traced(kind = client)]
fn call(error: OrderError) -> Result<(), Box<OrderError>> {
    Err(error.into())
}

#[test]
fn a_derived_failure_decides_by_the_kind_of_the_span() {
    use OrderError::{AlreadyPaid, Database, NotFound};
    let database = failed("shown Database", "database_down");
    assert_eq!(outcome(|| drop(serve(NotFound { id: 7 }))), FINE);
    assert_eq!(outcome(|| drop(serve(AlreadyPaid))), FINE);
    assert_eq!(outcome(|| drop(serve(Database))), database);
    let not_found = failed("shown NotFound { id: 7 }", "NotFound");
    assert_eq!(outcome(|| drop(call(NotFound { id: 7 }))), not_found);
    assert_eq!(outcome(|| drop(call(AlreadyPaid))), FINE);
    assert_eq!(outcome(|| drop(call(Database))), database);
    assert!(OrderError::NotFound { id: 1 }.is_failure(SpanKind::Client));
}

#[traced(err(Debug))]
fn debugged() -> io::Result<()> {
    Err(io::ErrorKind::NotFound.into())
}

#[traced(err(Display))]
fn displayed() -> anyhow::Result<()> {
    Err(anyhow::Error::from(refused()).context("calling"))
}

#[test]
fn the_text_of_an_error_can_be_chosen() {
    let name = "std::io::error::Error";
    assert_eq!(outcome(|| drop(debugged())), failed("Kind(NotFound)", name));
    assert_eq!(
        outcome(|| drop(displayed())),
        failed("calling", "ConnectionRefused")
    );
}

#[traced(err_if = Option::is_none)]
fn find(key: u8) -> Option<u8> {
    (key > 0).then_some(key)
}

#[traced(err_if = |ret: &Result<u8, io::Error>| matches!(ret, Ok(0)))]
fn read(ret: Result<u8, io::Error>) -> Result<u8, io::Error> {
    ret
}

#[test]
fn the_user_decides_what_a_failure_is() {
    let other = (Status::error(""), Some("_OTHER".to_owned()), 0);
    assert_eq!(outcome(|| _ = find(0)), other);
    assert_eq!(outcome(|| _ = find(1)), FINE);
    assert_eq!(outcome(|| drop(read(Ok(0)))), other);
    assert_eq!(outcome(|| drop(read(Err(refused())))), FINE);
}

struct Busy {
    code: u16,
}

#[traced(err(retry = err.code), err_type = format!("busy_{}", err.code))]
fn busy() -> Result<(), Busy> {
    Err(Busy { code: 3 })
}

#[traced(err = off)]
fn ignored() -> Result<(), Busy> {
    Err(Busy { code: 3 })
}

#[test]
fn fields_and_type_of_an_error_come_from_the_user() {
    let capture = testing::capture();
    capture.scope(|| drop(busy()));
    let spans = capture.spans();
    assert_eq!(spans[0].attribute("error.type"), Some(&"busy_3".into()));
    assert_eq!(spans[0].attribute("retry"), Some(&3.into()));
    assert_eq!(outcome(|| drop(ignored())), FINE);
}

#[traced]
fn inner() -> Result<(), io::Error> {
    Err(refused())
}

#[traced]
fn middle() -> anyhow::Result<()> {
    inner().map_err(|e| anyhow::Error::from(e).context("middle"))
}

#[traced]
fn another() -> Result<(), String> {
    let _ = middle();
    Err("another".to_owned())
}

#[test]
fn an_error_on_its_way_up_is_told_once() {
    let (status, _, events) = outcome(|| drop(middle()));
    assert_eq!((status, events), (Status::error("middle: port 80"), 1));
    let (status, _, events) = outcome(|| drop(another()));
    assert_eq!((status, events), (Status::error("another"), 2));
}

static SHOWN: AtomicU32 = AtomicU32::new(0);

struct Counted;

impl fmt::Display for Counted {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        SHOWN.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[traced]
fn counted() -> Result<(), Counted> {
    Err(Counted)
}

#[test]
fn an_error_is_not_looked_at_unless_the_span_records() {
    let capture = testing::capture_with(trace_runtime::Sampler::always_off());
    capture.scope(|| drop(counted()));
    assert_eq!(SHOWN.load(Ordering::Relaxed), 0);
    let capture = testing::capture();
    capture.scope(|| drop(counted()));
    assert_ne!(SHOWN.load(Ordering::Relaxed), 0);
}

#[traced(kind = server)]
fn respond(code: u16) -> http::Response<Vec<u8>> {
    let response = http::Response::builder().status(code);
    response.body(Vec::new()).unwrap()
}

#[traced(kind = server)]
async fn handle(code: u16) -> Result<&'static str, http::StatusCode> {
    Err(http::StatusCode::from_u16(code).unwrap())
}

#[tokio::test]
async fn a_response_tells_by_its_status() {
    let error = |code: &str| (Status::error(""), Some(code.to_owned()), 0);
    assert_eq!(outcome(|| drop(respond(200))), FINE);
    assert_eq!(outcome(|| drop(respond(404))), FINE);
    assert_eq!(outcome(|| drop(respond(500))), error("500"));
    let capture = testing::capture();
    capture.scope_async(handle(404)).await.unwrap_err();
    capture.scope_async(handle(502)).await.unwrap_err();
    let spans = capture.spans();
    let seen: Vec<_> = spans
        .iter()
        .map(|span| (span.attribute("http.response.status_code"), &span.status))
        .collect();
    let bad = Status::error("");
    assert_eq!(
        seen,
        [
            (Some(&404.into()), &Status::Unset),
            (Some(&502.into()), &bad)
        ]
    );
}
