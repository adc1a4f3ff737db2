//! Arguments and fields as attributes: which types, which names, what is hidden, what is cut.

use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Value;
use trace_runtime::{SpanRecord, ToValue, testing, traced};

/// The only span's attributes, without those that every span has.
fn recorded(capture: &testing::Capture) -> Vec<(String, Value)> {
    let spans = capture.spans();
    let [span] = spans.as_slice() else {
        panic!("one span expected: {spans:?}");
    };
    let attributes = span.attributes.iter();
    attributes
        .filter(|kv| !kv.key.as_str().starts_with("code."))
        .map(|kv| (kv.key.to_string(), kv.value.clone()))
        .collect()
}

macro_rules! assert_recorded {
    ($call:expr, { $($key:literal: $value:expr),* $(,)? }) => {{
        let capture = testing::capture();
        capture.scope(|| $call);
        let expected: Vec<(String, Value)> = vec![$(($key.to_owned(), $value.into())),*];
        assert_eq!(recorded(&capture), expected);
    }};
}

#[traced]
fn typed(
    count: Option<NonZeroU32>,
    big: u128,
    path: &Path,
    wait: Duration,
    ids: &[u8],
    rest: Permit,
) {
    let _ = (count, big, path, wait, ids, rest);
}

struct Permit;

#[test]
fn arguments_are_recorded_by_their_type() {
    let path = Path::new("/tmp");
    let wait = Duration::from_millis(250);
    assert_recorded!(typed(NonZeroU32::new(3), u128::MAX, path, wait, &[1, 2], Permit), {
        "count": 3,
        "big": u128::MAX.to_string(),
        "path": "/tmp",
        "wait": 0.25,
        "ids": Value::Array(vec![1, 2].into()),
    });
    assert_recorded!(typed(None, 1, path, wait, &[], Permit), {
        "big": 1,
        "path": "/tmp",
        "wait": 0.25,
        "ids": Value::Array(opentelemetry::Array::String(Vec::new())),
    });
}

#[derive(ToValue)]
struct OrderId(u64);

#[derive(ToValue)]
struct Id<T> {
    id: Arc<str>,
    of: PhantomData<T>,
}

#[derive(ToValue)]
struct Wrapper<T: Clone>(T)
where
    T: Send;

#[derive(ToValue, Clone, Copy)]
enum Plan {
    Free,
    #[traced(rename = "paid-yearly")]
    Yearly,
}

#[traced]
fn derived(
    order: OrderId,
    user: &Id<Permit>,
    plan: Plan,
    other: Option<Plan>,
    n: Wrapper<u8>,
    all: &[Plan],
) {
    let _ = (order.0, &user.id, user.of, plan, other, n.0, all);
}

#[test]
fn types_of_ones_own_are_recorded_through_the_derive() {
    let user = Id {
        id: "ann".into(),
        of: PhantomData,
    };
    let all = [Plan::Free, Plan::Yearly];
    assert_recorded!(derived(OrderId(7), &user, Plan::Free, Some(Plan::Yearly), Wrapper(1), &all), {
        "order": 7,
        "user": "ann",
        "plan": "Free",
        "other": "paid-yearly",
        "n": 1,
        "all": Value::Array(opentelemetry::Array::String(vec!["Free".into(), "paid-yearly".into()])),
    });
}

#[traced]
fn login(user: &str, password: &str, pin: u32, token: &str, tokens: u32, tokenizer: &str) {
    let _ = (user, password, pin, token, tokens, tokenizer);
}

#[test]
fn arguments_named_like_a_secret_are_hidden() {
    assert_recorded!(login("ann", "hunter2", 1234, "abc", 5, "bpe"), {
        "user": "ann",
        "password": "[redacted]",
        "pin": "[redacted]",
        "token": "[redacted]",
        "tokens": 5,
        "tokenizer": "bpe",
    });
}

#[traced(only(pin))]
fn shown(pin: u32, user: &str) {
    let _ = (pin, user);
}

#[traced]
fn renamed(#[traced("auth.session")] session: &str) {
    let _ = session;
}

#[test]
fn a_secret_that_is_asked_for_by_name_is_shown() {
    assert_recorded!(shown(7, "ann"), { "pin": 7 });
    assert_recorded!(renamed("abc"), { "auth.session": "abc" });
}

#[traced(skip_all, fields(text, api_key = 7, ?list))]
fn cut(text: &str, list: &[u8]) {
    let _ = (text, list);
}

#[test]
fn long_texts_are_cut_and_secret_fields_hidden() {
    assert_recorded!(cut(&"é".repeat(2000), &[1, 2]), {
        "text": "é".repeat(1023) + "…",
        "api_key": "[redacted]",
        "list": "[1, 2]",
    });
}

/// The spans of `body` under a tracer that is told `variables`.
fn spans_with(
    variables: &'static [(&'static str, &'static str)],
    body: impl FnOnce(),
) -> Vec<SpanRecord> {
    let env = |name: &str| match name {
        "OTEL_SERVICE_NAME" => Some("values".to_owned()),
        "OTEL_TRACES_EXPORTER" => Some("none".to_owned()),
        _ => {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    };
    let spans = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&spans);
    let (tracer, guard) = trace_runtime::Tracer::builder()
        .with_env(env)
        .with_on_end(move |span| {
            seen.lock().unwrap().push(span.clone());
            trace_runtime::Keep::Yes
        })
        .with_exporter(Nowhere)
        .build()
        .unwrap();
    tracer.in_scope(body);
    guard.flush().unwrap();
    std::mem::take(&mut *spans.lock().unwrap())
}

#[test]
fn values_are_hidden_and_cut_as_the_environment_says() {
    let variables = &[
        ("TRACED_REDACT", "user,home_address"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3"),
    ];
    let spans = spans_with(variables, || {
        login("ann", "hunter2", 1234, "abc", 5, "longer");
    });
    assert_eq!(spans.len(), 1);
    let text = |key: &str| spans[0].attribute(key).map(ToString::to_string);
    assert_eq!(text("user").as_deref(), Some("[redacted]"));
    assert_eq!(text("tokenizer").as_deref(), Some("lon"));
    assert_eq!(text("tokens").as_deref(), Some("5"));
}

#[traced(skip_all, fields(early = text), ret(late = *ret))]
fn writes(text: &str) -> &str {
    trace_runtime::record!(inside = text, list = [text]);
    trace_runtime::event!("written", text, home = text);
    text
}

/// What a value is recorded as, by way of each place that records one.
fn written(variables: &'static [(&'static str, &'static str)]) -> Vec<String> {
    let text = "x".repeat(2000);
    let spans = spans_with(variables, || {
        writes(&text);
    });
    let of_span = ["early", "inside", "late"].map(|key| spans[0].attribute(key).unwrap());
    let of_event = spans[0].events[0].attributes.iter().map(|kv| &kv.value);
    let values = of_span.into_iter().chain(of_event);
    values.map(ToString::to_string).collect()
}

#[test]
fn late_values_are_hidden_and_cut_like_early_ones() {
    const LONG: &str = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT";
    assert_eq!(written(&[]), vec!["x".repeat(1023) + "…"; 5]);
    assert_eq!(written(&[(LONG, "1500")]), vec!["x".repeat(1500); 5]);
    assert_eq!(written(&[(LONG, "5000")]), vec!["x".repeat(2000); 5]);
    assert_eq!(written(&[(LONG, "3")]), vec!["xxx"; 5]);
    let hidden = written(&[("TRACED_REDACT", "home,inside"), (LONG, "20")]);
    let cut = "x".repeat(20);
    assert_eq!(hidden, [&cut, "[redacted]", &cut, &cut, "[redacted]"]);
}

struct Nowhere;

impl trace_runtime::Exporter for Nowhere {
    fn export(&mut self, _: &trace_runtime::Batch<'_>) -> Result<(), trace_runtime::ExportError> {
        Ok(())
    }

    fn target(&self) -> String {
        "nowhere".to_owned()
    }
}
