//! What can carry a context, and the process-wide functions.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::process::Command;

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tonic::metadata::{MetadataMap, MetadataValue};
use trace_runtime::propagation::{Environment, Extract, Inject, Propagators, TextMap};
use trace_runtime::{extract, inject};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn context() -> Context {
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        TraceFlags::SAMPLED,
        false,
        TraceState::from_key_value([("a", "1")]).unwrap(),
    ))
}

fn check<C: Inject + Extract>(mut carrier: C) {
    // Set twice: the second one replaces the first.
    for _ in 0..2 {
        let _guard = context().attach();
        inject(&mut carrier);
    }
    assert_eq!(carrier.get_all("TraceParent"), [PARENT]);
    let mut names = carrier.names();
    names.sort_unstable();
    assert_eq!(names, ["traceparent", "tracestate"]);

    let cx = extract(&carrier);
    let (read, written) = (cx.span(), context());
    assert_eq!(
        read.span_context().span_id(),
        written.span().span_context().span_id()
    );
    assert_eq!(
        read.span_context().trace_state(),
        written.span().span_context().trace_state()
    );
    assert!(read.span_context().is_remote());

    carrier.remove("TRACEPARENT");
    assert!(!extract(&carrier).has_active_span());
}

#[test]
fn carriers_give_back_what_they_got() {
    check(HeaderMap::new());
    check(Request::new(()));
    check(HashMap::<String, String>::new());
    check(BTreeMap::<String, String>::new());
    check(Vec::<(String, Vec<u8>)>::new());
    check(Vec::<(String, String)>::new());
    check(MetadataMap::new());
    check(tonic::Request::new(()));
}

#[test]
fn references_are_carriers() {
    let mut headers = HeaderMap::new();
    let by_reference: &mut HeaderMap = &mut headers;
    let _guard = context().attach();
    inject(by_reference);
    inject(&mut &mut headers);
    let dynamic: &dyn Extract = &headers;
    assert!(extract(dynamic).has_active_span());
    assert!(extract(&&headers).has_active_span());
}

#[test]
fn request_parts_are_read() {
    let request = Request::builder()
        .header("traceparent", PARENT)
        .body(())
        .unwrap();
    let (parts, ()) = request.into_parts();
    assert!(extract(&parts).span().span_context().is_sampled());
}

#[test]
fn two_headers_of_a_map_are_seen() {
    let mut headers = HeaderMap::new();
    headers.append("traceparent", HeaderValue::from_static(PARENT));
    headers.append("traceparent", HeaderValue::from_static(PARENT));
    assert!(!extract(&headers).has_active_span());
}

#[test]
fn metadata_of_grpc_is_read_as_strictly() {
    let mut metadata = MetadataMap::new();
    metadata.append("traceparent", PARENT.parse().unwrap());
    metadata.insert_bin("uberctx-key-bin", MetadataValue::from_bytes(b"binary"));
    assert!(extract(&metadata).span().span_context().is_sampled());
    assert_eq!(metadata.names(), ["traceparent"]);
    assert_eq!(Extract::get_all(&metadata, "uberctx-key-bin"), [""; 0]);
    metadata.append("traceparent", PARENT.parse().unwrap());
    assert!(!extract(&metadata).has_active_span());

    // What cannot be a text of gRPC is left out.
    metadata.set("uberctx-key-bin", "text".to_owned());
    metadata.set("not a name", "text".to_owned());
    metadata.set("name", "not a\nvalue".to_owned());
    assert_eq!(metadata.len(), 3);
}

#[test]
fn value_that_is_not_text_counts() {
    let not_text = vec![0xff];
    let headers = vec![
        ("traceparent", PARENT.as_bytes().to_vec()),
        ("traceparent", not_text),
    ];
    assert!(extract(&headers[..1]).has_active_span());
    assert!(!extract(&headers).has_active_span());
}

#[test]
fn names_that_cannot_be_headers_are_skipped() {
    let mut headers = HeaderMap::new();
    headers.set("not a name", "value".to_owned());
    headers.set("name", "not a\nvalue".to_owned());
    assert_eq!(headers.len(), 0);
    headers.set("Good", "value".to_owned());
    assert_eq!(
        headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
        ["good"]
    );
}

#[test]
fn environment_is_a_carrier() {
    let jaeger: Propagators = "tracecontext,jaeger".parse().unwrap();
    let environment = Environment::new(|name| match name {
        "TRACEPARENT" => Some(PARENT.to_owned()),
        "TRACESTATE" => Some(String::new()),
        "UBER_TRACE_ID" => Some("1:2:0:1".to_owned()),
        _ => None,
    });
    assert_eq!(
        extract(&environment).span().span_context().trace_state(),
        &TraceState::NONE
    );
    let cx = jaeger.extract_with(&Context::new(), &environment);
    assert_eq!(cx.span().span_context().trace_id(), TraceId::from(1));
    assert_eq!(environment.names(), ["traceparent", "uber-trace-id"]);
}

#[test]
fn child_process_gets_variables() {
    let mut command = Command::new("true");
    let _guard = context().attach();
    inject(&mut command);
    let variables: HashMap<_, _> = command.get_envs().collect();
    assert_eq!(
        variables[OsStr::new("TRACEPARENT")],
        Some(OsStr::new(PARENT))
    );
    assert_eq!(variables[OsStr::new("TRACESTATE")], Some(OsStr::new("a=1")));
}

#[test]
fn suppressed_context_writes_nothing() {
    let _guard = context().with_telemetry_suppressed().attach();
    let mut headers = HeaderMap::new();
    inject(&mut headers);
    TextMap::from(Propagators::default()).inject(&mut OtelMap(&mut headers));
    assert!(headers.is_empty());
}

struct OtelMap<'a>(&'a mut HeaderMap);

impl opentelemetry::propagation::Injector for OtelMap<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.0.set(key, value);
    }
}

#[test]
fn carrier_may_use_the_context() {
    struct Curious(Vec<bool>);
    impl Inject for Curious {
        fn set(&mut self, _: &str, _: String) {
            let _guard = Context::new().attach();
            self.0.push(Context::current().has_active_span());
        }
    }
    let _guard = context().attach();
    let mut curious = Curious(Vec::new());
    inject(&mut curious);
    assert_eq!(curious.0, [false, false]);
}

#[test]
fn opentelemetry_propagator_speaks_our_formats() {
    let text_map = TextMap::from("b3,jaeger".parse::<Propagators>().unwrap());
    let fields: Vec<_> = text_map.fields().collect();
    assert_eq!(
        fields,
        ["b3", "uber-trace-id", "jaeger-debug-id", "jaeger-baggage"]
    );

    let mut headers = HashMap::new();
    text_map.inject_context(&context(), &mut headers);
    assert_eq!(headers.len(), 2);
    headers.remove("uber-trace-id");
    let cx = text_map.extract_with_context(&Context::new(), &headers);
    let written = context();
    assert_eq!(
        cx.span().span_context().trace_id(),
        written.span().span_context().trace_id()
    );
}

#[test]
fn opentelemetry_extractor_may_be_sensitive_to_case() {
    struct Sensitive(BTreeMap<&'static str, &'static str>);
    impl opentelemetry::propagation::Extractor for Sensitive {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key).copied()
        }
        fn keys(&self) -> Vec<&str> {
            self.0.keys().copied().collect()
        }
    }
    let carrier = Sensitive(BTreeMap::from([("TraceParent", PARENT)]));
    let cx = TextMap::from(Propagators::default()).extract_with_context(&Context::new(), &carrier);
    assert!(cx.span().span_context().is_sampled());
}
