//! Every shape of return type, recorded into a plain list.

use std::error::Error;
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::*;
use crate::ToValue;

#[derive(Debug)]
struct Recorder {
    recording: bool,
    kind: SpanKind,
    failed: Vec<Failed>,
    attributes: Vec<(String, Value<'static>)>,
}

impl Recorder {
    fn new(kind: SpanKind) -> Self {
        Self {
            recording: true,
            kind,
            failed: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

impl Sink for Recorder {
    fn recording(&self) -> bool {
        self.recording
    }

    fn kind(&self) -> SpanKind {
        self.kind.clone()
    }

    fn fail(&mut self, failed: Failed) {
        self.failed.push(failed);
    }

    fn attribute(&mut self, key: &'static str, value: Value<'_>) {
        let value = crate::value::into_owned(value);
        self.attributes.push((key.to_owned(), value));
    }
}

impl Arguments for Recorder {
    fn wants(&self) -> bool {
        self.recording
    }

    fn argument(&mut self, index: usize, value: Value<'_>) {
        let value = crate::value::into_owned(value);
        self.attributes.push((index.to_string(), value));
    }
}

/// What generated code does with a return value.
macro_rules! record {
    ($kind:expr, $ret:expr) => {{
        let mut sink = Recorder::new($kind);
        outcome(&$ret).__error().__record(&mut sink);
        sink
    }};
    ($ret:expr) => {
        record!(SpanKind::Internal, $ret)
    };
}

/// The only failure, as its type and its description.
fn only(recorder: &Recorder) -> (&str, &str) {
    match recorder.failed.as_slice() {
        [failed] => (&failed.error_type, &failed.description),
        other => panic!("one failure expected: {other:?}"),
    }
}

fn exception(recorder: &Recorder) -> &Exception {
    recorder.failed[0].exception.as_ref().unwrap()
}

/// An error around another one.
#[derive(Debug)]
struct Wrapped<E>(&'static str, E);

impl<E> fmt::Display for Wrapped<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<E: Error + 'static> Error for Wrapped<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.1)
    }
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "port 80")
}

const WRAPPED: &str = "trace_runtime::outcome::tests::Wrapped";

#[test]
fn ok_and_other_types_say_nothing() {
    struct Anything;
    assert!(record!(Ok::<_, io::Error>(1)).failed.is_empty());
    assert!(record!(Ok::<_, Anything>(Anything)).failed.is_empty());
    assert!(record!(None::<u8>).failed.is_empty());
    assert!(record!(ControlFlow::<u8, u8>::Break(1)).failed.is_empty());
    assert!(record!(()).failed.is_empty());
    assert!(record!(Anything).failed.is_empty());
    assert!(record!(refused()).failed.is_empty());
}

#[test]
fn an_error_tells_its_type_and_its_causes() {
    let ret: Result<(), _> = Err(Wrapped("cannot connect", refused()));
    let recorder = record!(ret);
    assert_eq!(only(&recorder), (WRAPPED, "cannot connect: port 80"));
    let exception = exception(&recorder);
    assert_eq!(exception.type_name, WRAPPED);
    let stacktrace = exception.stacktrace.as_deref().unwrap();
    assert!(stacktrace.starts_with("Caused by:\n    0: port 80"));
}

#[test]
fn a_source_that_was_already_said_is_not_repeated() {
    let inner = Wrapped("reading: port 80", refused());
    let ret: Result<(), _> = Err(Wrapped("starting", inner));
    assert_eq!(only(&record!(ret)).1, "starting: reading: port 80");
}

#[test]
fn an_alias_of_io_is_seen_through() {
    fn read() -> io::Result<u8> {
        Err(refused())
    }
    let expected = ("std::io::error::Error", "port 80");
    assert_eq!(only(&record!(read())), expected);
}

#[test]
fn what_holds_an_error_is_typed_by_the_io_error_inside() {
    fn boxed<'a>(error: &'a str) -> Result<(), Box<dyn Error + 'a>> {
        Err(error.into())
    }
    fn anyhow() -> anyhow::Result<()> {
        Err(refused())?
    }
    let expected = ("ConnectionRefused", "port 80");
    assert_eq!(only(&record!(anyhow())), expected);
    assert_eq!(
        only(&record!(anyhow().map_err(|e| e.context("calling")))),
        ("ConnectionRefused", "calling: port 80")
    );
    let ret: Result<(), Box<dyn Error>> = Err(refused().into());
    assert_eq!(only(&record!(ret)), expected);
    let ret: Result<(), Box<dyn Error + Send>> = Err(Box::new(refused()));
    assert_eq!(only(&record!(ret)), expected);
    let ret: Result<(), Box<dyn Error + Send + Sync>> = Err(refused().into());
    assert_eq!(only(&record!(ret)), expected);
    let ret: Result<(), Arc<dyn Error + Send + Sync>> = Err(Arc::new(refused()));
    assert_eq!(only(&record!(ret)), expected);
    let wrapped: Result<(), Box<dyn Error>> = Err(Wrapped("calling", refused()).into());
    assert_eq!(
        only(&record!(wrapped)),
        ("ConnectionRefused", "calling: port 80")
    );
    let text = String::from("borrowed");
    assert_eq!(only(&record!(boxed(&text))), ("_OTHER", "borrowed"));
    assert_eq!(
        only(&record!(Err::<(), _>(anyhow::anyhow!("plain")))),
        ("_OTHER", "plain")
    );
}

#[test]
fn errors_that_are_no_error_types() {
    struct Opaque;
    #[derive(Debug)]
    #[allow(dead_code, reason = "its `Debug` output reads it")]
    struct OnlyDebug(u8);
    let ret: Result<(), String> = Err("text".to_owned());
    assert_eq!(only(&record!(ret)), ("alloc::string::String", "text"));
    let ret: Result<(), &str> = Err("text");
    assert_eq!(only(&record!(ret)), ("str", "text"));
    let ret: Result<(), ()> = Err(());
    assert_eq!(only(&record!(ret)), ("()", "()"));
    let recorder = record!(Err::<(), _>(OnlyDebug(7)));
    assert_eq!(only(&recorder).1, "OnlyDebug(7)");
    let recorder = record!(Err::<(), _>(Opaque));
    assert!(only(&recorder).0.ends_with("::Opaque"));
    assert_eq!(only(&recorder).1, "");
}

#[test]
fn generic_errors_show_what_their_bounds_allow() {
    fn unbound<E>(error: E) -> Recorder {
        record!(Err::<(), E>(error))
    }
    fn debug<E: fmt::Debug>(error: E) -> Recorder {
        record!(Err::<(), E>(error))
    }
    fn error<E: Error>(error: E) -> Recorder {
        record!(Err::<(), E>(error))
    }
    fn held<E: AsRef<dyn Error + Send + Sync>>(error: E) -> Recorder {
        record!(Err::<(), E>(error))
    }
    let name = "std::io::error::Error";
    assert_eq!(only(&unbound(refused())), (name, ""));
    let shown = r#"Custom { kind: ConnectionRefused, error: "port 80" }"#;
    assert_eq!(only(&debug(refused())), (name, shown));
    assert_eq!(only(&error(refused())), (name, "port 80"));
    let by_reference = refused();
    assert_eq!(only(&error(&by_reference)), (name, "port 80"));
    assert_eq!(only(&error(Box::new(refused()))), (name, "port 80"));
    let held = held(anyhow::Error::from(refused()));
    assert_eq!(only(&held), ("ConnectionRefused", "port 80"));
}

/// Fails on client spans only.
macro_rules! decides {
    ($($type:ident),*) => {
        $(
            impl Failure for $type {
                fn error_type(&self) -> Cow<'static, str> {
                    "decided".into()
                }

                fn is_failure(&self, kind: SpanKind) -> bool {
                    kind == SpanKind::Client
                }
            }
        )*
    };
}

#[derive(Debug)]
struct DecidingError;
struct DecidingDisplay;
#[derive(Debug)]
struct DecidingDebug;
struct Deciding;
decides!(DecidingError, DecidingDisplay, DecidingDebug, Deciding);

impl fmt::Display for DecidingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no order 7")
    }
}

impl fmt::Display for DecidingDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("displayed")
    }
}

impl Error for DecidingError {}

#[test]
fn a_failure_decides_for_itself() {
    let ret: Result<(), _> = Err(DecidingError);
    assert!(record!(SpanKind::Server, ret).failed.is_empty());
    let recorder = record!(SpanKind::Client, ret);
    assert_eq!(only(&recorder), ("decided", "no order 7"));
    let name = "trace_runtime::outcome::tests::DecidingError";
    assert_eq!(exception(&recorder).type_name, name);
    let texts = [
        record!(SpanKind::Client, Err::<(), _>(Box::new(DecidingError))),
        record!(SpanKind::Client, Err::<(), _>(&DecidingDisplay)),
        record!(SpanKind::Client, Err::<(), _>(Arc::new(DecidingDebug))),
        record!(SpanKind::Client, Err::<(), _>(Deciding)),
    ];
    assert_eq!(
        texts.each_ref().map(only),
        [
            ("decided", "no order 7"),
            ("decided", "displayed"),
            ("decided", "DecidingDebug"),
            ("decided", "")
        ]
    );
}

#[test]
fn the_user_chooses_the_text() {
    let ret: Result<(), _> = Err(Wrapped("displayed", refused()));
    let mut sink = Recorder::new(SpanKind::Internal);
    outcome(&ret).__error().__record_display(&mut sink);
    assert_eq!(only(&sink), (WRAPPED, "displayed"));
    let mut sink = Recorder::new(SpanKind::Internal);
    outcome(&ret).__error().__record_debug(&mut sink);
    assert!(only(&sink).1.starts_with(r#"Wrapped("displayed", Custom"#));
}

#[test]
fn the_user_decides_what_a_failure_is() {
    let mut sink = Recorder::new(SpanKind::Internal);
    let row = None::<u8>;
    outcome(&row)
        .__error()
        .__record_if(&row, Option::is_none, &mut sink);
    assert_eq!(sink.failed, [Failed::other()]);

    let mut sink = Recorder::new(SpanKind::Internal);
    let ret: Result<u8, io::Error> = Err(refused());
    let error = outcome(&ret).__error();
    error.__record_if(&ret, |ret| ret.is_ok(), &mut sink);
    assert!(sink.failed.is_empty());
    error.__record_if(&ret, Result::is_err, &mut sink);
    assert_eq!(only(&sink), ("std::io::error::Error", "port 80"));
}

#[test]
fn nothing_is_called_when_nothing_is_recorded() {
    struct Untouched;
    impl fmt::Display for Untouched {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("called")
        }
    }
    impl ToValue for Untouched {
        fn to_value(&self) -> Value<'_> {
            panic!("called")
        }
    }
    let mut sink = Recorder::new(SpanKind::Internal);
    sink.recording = false;
    let ret: Result<(), _> = Err(Untouched);
    outcome(&ret).__error().__record(&mut sink);
    outcome(&ret)
        .__error()
        .__record_if(&ret, |_| panic!("called"), &mut sink);
    Arg(&Untouched).__record(&mut sink, 0);
    assert!(sink.failed.is_empty());
    assert!(sink.attributes.is_empty());
}

#[test]
fn a_broken_display_does_not_panic_and_a_long_one_is_cut() {
    struct Broken;
    impl fmt::Display for Broken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("so far")?;
            Err(fmt::Error)
        }
    }
    assert_eq!(only(&record!(Err::<(), _>(Broken))).1, "so far");
    let recorder = record!(Err::<(), _>("é".repeat(5000)));
    assert_eq!(only(&recorder).1, "é".repeat(2048));
}

#[test]
fn a_circle_of_sources_ends() {
    #[derive(Debug)]
    struct Circle;
    impl fmt::Display for Circle {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("around")
        }
    }
    impl Error for Circle {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Circle)
        }
    }
    assert_eq!(only(&record!(Err::<(), _>(Circle))).1, "around");
}

#[test]
fn the_same_root_cause_is_recognised() {
    let identity = |recorder: Recorder| exception(&recorder).identity;
    let root = identity(record!(Err::<(), _>(refused())));
    let wrapped = identity(record!(Err::<(), _>(Wrapped("calling", refused()))));
    let error = anyhow::Error::from(refused()).context("one").context("two");
    let bubbled = identity(record!(Err::<(), _>(error)));
    let other = identity(record!(Err::<(), _>("another")));
    assert_eq!([root, root], [wrapped, bubbled]);
    assert_ne!(root, other);
}

#[test]
fn the_value_and_the_error_are_within_reach() {
    let ok: Result<u8, String> = Ok(1);
    assert_eq!(outcome(&ok).__ok(), Some(&1));
    assert_eq!(failed(&ok), None);
    let err: Result<u8, String> = Err("no".to_owned());
    assert_eq!(outcome(&err).__ok(), None);
    assert_eq!(failed(&err).map(String::as_str), Some("no"));
    assert_eq!(outcome(&Some(1)).__ok(), Some(&Some(1)));
}

#[test]
fn arguments_that_are_values_are_recorded() {
    struct Permit;
    fn generic<T>(sink: &mut Recorder, value: T) {
        Arg(&value).__record(sink, 9);
    }
    let mut sink = Recorder::new(SpanKind::Internal);
    let (id, name, permit) = (1_u64, "a", Permit);
    Arg(&id).__record(&mut sink, 0);
    Arg(&name).__record(&mut sink, 1);
    Arg(&permit).__record(&mut sink, 2);
    Arg(&|| 1).__record(&mut sink, 3);
    generic(&mut sink, 5);
    assert_eq!(
        sink.attributes,
        [
            ("0".to_owned(), Value::I64(1)),
            ("1".to_owned(), Value::Str("a".into())),
        ]
    );
}

#[test]
fn an_exception_event_says_what_happened() {
    let recorder = record!(Err::<(), _>(Wrapped("calling", refused())));
    let attributes = exception(&recorder).attributes("the message");
    let keys: Vec<_> = attributes.iter().map(|kv| kv.key.as_str()).collect();
    let expected = [
        "exception.type",
        "exception.message",
        "exception.stacktrace",
    ];
    assert_eq!(keys, expected);
    assert_eq!(attributes[0].value, WRAPPED.into());
    assert_eq!(attributes[1].value, "the message".into());
}

#[cfg(feature = "http")]
mod http {
    use ::http::{Response, StatusCode};

    use super::*;

    fn response(code: u16) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(code).unwrap();
        response
    }

    /// The recorded status, and the error type if the span failed.
    fn seen(recorder: &Recorder) -> (Option<i64>, Option<&str>) {
        let code = match recorder.attributes.as_slice() {
            [(key, Value::I64(code))] if key == "http.response.status_code" => Some(*code),
            [] => None,
            other => panic!("{other:?}"),
        };
        let failed = recorder.failed.first().map(|f| &*f.error_type);
        (code, failed)
    }

    #[test]
    fn a_status_is_judged_by_the_kind_of_the_span() {
        use SpanKind::{Client, Internal, Server};
        for (kind, code, error) in [
            (Server, 200, None),
            (Server, 404, None),
            (Server, 503, Some("503")),
            (Client, 302, None),
            (Client, 404, Some("404")),
            (Internal, 503, None),
        ] {
            let expected = (Some(i64::from(code)), error);
            let ok: Result<_, io::Error> = Ok(response(code));
            assert_eq!(seen(&record!(kind.clone(), response(code))), expected);
            assert_eq!(
                seen(&record!(kind.clone(), response(code).status())),
                expected
            );
            assert_eq!(seen(&record!(kind, ok)), expected);
        }
    }

    #[test]
    fn a_result_of_a_response_still_fails_by_its_error() {
        let ret: Result<Response<()>, _> = Err(refused());
        let recorder = record!(SpanKind::Server, ret);
        assert_eq!(seen(&recorder), (None, Some("std::io::error::Error")));
        let ret: anyhow::Result<StatusCode> = Err(refused().into());
        let recorder = record!(SpanKind::Server, ret);
        assert_eq!(seen(&recorder), (None, Some("ConnectionRefused")));
    }

    #[test]
    fn a_status_can_be_the_error() {
        let ret: Result<u8, _> = Err(StatusCode::NOT_FOUND);
        assert_eq!(seen(&record!(SpanKind::Server, ret)), (Some(404), None));
        assert_eq!(
            seen(&record!(SpanKind::Internal, ret)),
            (Some(404), Some("404"))
        );
        let ret: Result<Response<()>, _> = Err(response(500));
        assert_eq!(
            seen(&record!(SpanKind::Server, ret)),
            (Some(500), Some("500"))
        );
        assert_eq!(seen(&record!(Ok::<u8, StatusCode>(1))), (None, None));
    }

    #[test]
    fn the_value_of_a_response_is_within_reach() {
        let ok: Result<_, io::Error> = Ok(response(200));
        assert_eq!(outcome(&ok).__ok().unwrap().status(), 200);
        assert_eq!(outcome(&response(201)).__ok().unwrap().status(), 201);
    }
}
