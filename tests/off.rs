//! Tracing that is off: functions run as ever, and nothing that only a span needs is evaluated.

use std::cell::Cell;
use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
use trace_runtime::{
    Batch, ExportError, Exporter, ToValue, Tracer, Value, event, record, set_error, span, traced,
};

thread_local!(static EVALUATED: Cell<Vec<&'static str>> = const { Cell::new(Vec::new()) });

/// Notes that an expression of the user's was evaluated.
fn evaluated<T>(what: &'static str, value: T) -> T {
    let mut all = EVALUATED.take();
    all.push(what);
    EVALUATED.set(all);
    value
}

/// A value that notices when it is looked at.
struct Shy;

impl ToValue for Shy {
    fn to_value(&self) -> Value<'_> {
        evaluated("argument", Value::Bool(true))
    }
}

impl fmt::Debug for Shy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(evaluated("debug", "shy"))
    }
}

impl fmt::Display for Shy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(evaluated("display", "shy"))
    }
}

impl std::error::Error for Shy {}

mod quiet {
    use super::*;

    #[traced(
        level = debug,
        name = evaluated("name", "dynamic"),
        parent = evaluated("parent", None::<Context>),
        links = evaluated("links", None::<SpanContext>),
        fields(n = evaluated("field", 1), ?shy, text = %shy),
        ret(done = evaluated("ret", *ret)),
        err(why = evaluated("err", 1), %err),
        err_type = evaluated("err_type", "shy")
    )]
    pub(super) fn function(shy: Shy, fails: bool) -> Result<bool, Shy> {
        record!(n = evaluated("record", 1));
        event!("event", n = evaluated("event", 1));
        set_error!(evaluated("set_error", "no"));
        if fails { Err(shy) } else { Ok(true) }
    }

    #[traced(level = debug, err_if = |_: &u8| evaluated("err_if", true))]
    pub(super) async fn asynchronous(shy: Shy) -> u8 {
        let _ = shy;
        tokio::task::yield_now().await;
        7
    }
}

/// A span of its own, at the default level.
fn spans_inside() -> u8 {
    span!(evaluated("span", "span"), n = evaluated("span field", 1) => 7)
}

/// Calls everything; the results are those of the functions.
async fn call_all() {
    assert!(quiet::function(Shy, false).unwrap());
    quiet::function(Shy, true).unwrap_err();
    assert_eq!(quiet::asynchronous(Shy).await, 7);
}

struct Refusing;

impl Exporter for Refusing {
    fn export(&mut self, _: &Batch<'_>) -> Result<(), ExportError> {
        panic!("there is a span")
    }

    fn target(&self) -> String {
        "nowhere".to_owned()
    }
}

/// The first span of a process looks whether the environment asks for a tracer. It does not.
fn decide() {
    #[traced]
    fn first() {}
    first();
}

/// What is evaluated under a tracer with these variables, which records nothing.
async fn under(variables: &'static [(&'static str, &'static str)]) -> Vec<&'static str> {
    decide();
    let env = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let (tracer, guard) = Tracer::builder()
        .with_env(env)
        .with_exporter(Refusing)
        .build()
        .unwrap();
    tracer.in_scope_async(call_all()).await;
    guard.flush().unwrap();
    assert_eq!(guard.stats().ended, 0);
    EVALUATED.take()
}

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn nothing_is_evaluated_when_disabled() {
    assert_eq!(under(&[("OTEL_SDK_DISABLED", "true")]).await, NOTHING);
}

#[tokio::test]
async fn nothing_is_evaluated_below_the_level() {
    assert_eq!(under(&[("TRACED_LEVEL", "info")]).await, NOTHING);
    assert_eq!(under(&[]).await, NOTHING);
}

#[tokio::test]
async fn nothing_is_evaluated_without_any_tracer() {
    decide();
    call_all().await;
    assert_eq!(EVALUATED.take(), NOTHING);
}

#[test]
fn nothing_is_evaluated_for_a_span_inside_a_body() {
    let (tracer, guard) = Tracer::builder()
        .with_env(|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned()))
        .with_exporter(Refusing)
        .build()
        .unwrap();
    assert_eq!(tracer.in_scope(spans_inside), 7);
    assert_eq!((guard.stats().ended, EVALUATED.take()), (0, Vec::new()));
}
