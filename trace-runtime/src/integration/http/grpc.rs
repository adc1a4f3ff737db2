//! What a span says about a call of gRPC, in the words of OpenTelemetry's RPC conventions.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode, Uri};
use opentelemetry::trace::SpanKind;

use super::attributes::{RPC_METHOD, RPC_METHOD_ORIGINAL, RPC_SYSTEM, text};
use super::error;
use crate::Value;
use crate::outcome::{Failed, Sink};
use crate::propagation::percent_decode;
use crate::span::{Active, Start};

const SYSTEM: &str = "grpc";
const STATUS_CODE: &str = "rpc.status_code";
const OTHER: &str = "_OTHER";

/// The names of the status codes, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
const OK: usize = 0;
const CANCELLED: usize = 1;
const UNKNOWN: usize = 2;
const DEADLINE_EXCEEDED: usize = 4;
const PERMISSION_DENIED: usize = 7;
const UNIMPLEMENTED: usize = 12;
const INTERNAL: usize = 13;
const UNAVAILABLE: usize = 14;
const DATA_LOSS: usize = 15;
const UNAUTHENTICATED: usize = 16;

/// The codes that a server is to blame for.
const SERVER_ERRORS: [usize; 6] = [
    UNKNOWN,
    DEADLINE_EXCEEDED,
    UNIMPLEMENTED,
    INTERNAL,
    UNAVAILABLE,
    DATA_LOSS,
];

/// `package.Service/Method`
fn method(uri: &Uri) -> Option<&str> {
    let path = uri.path().strip_prefix('/')?;
    let (service, method) = path.split_once('/')?;
    let is_method = !service.is_empty() && !method.is_empty() && !method.contains('/');
    is_method.then_some(path)
}

/// The span's name: the method's, where there is one.
pub(crate) fn span_name(uri: &Uri) -> Cow<'static, str> {
    method(uri).map_or(SYSTEM.into(), |method| method.to_owned().into())
}

/// The attributes of a call that begins.
pub(crate) fn attributes(span: &mut Start, uri: &Uri) {
    text(span, RPC_SYSTEM, SYSTEM);
    match method(uri) {
        Some(method) => text(span, RPC_METHOD, method),
        None => {
            text(span, RPC_METHOD, OTHER);
            text(span, RPC_METHOD_ORIGINAL, uri.path());
        }
    }
}

/// What the head of a response says to a client; true if there is nothing to come.
pub(super) fn record_client_head(
    status: StatusCode,
    headers: &HeaderMap,
    span: &mut Active,
) -> bool {
    if let Some(code) = code(headers) {
        record(code, headers, span);
        return true;
    }
    // Somebody in between, who does not speak gRPC; what that means is part of gRPC's protocol.
    let code = match status {
        StatusCode::OK => return false,
        StatusCode::BAD_REQUEST => INTERNAL,
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::FORBIDDEN => PERMISSION_DENIED,
        StatusCode::NOT_FOUND => UNIMPLEMENTED,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => UNAVAILABLE,
        _ => UNKNOWN,
    };
    record(code, headers, span);
    true
}

/// What the head of a response says on its way out; true if that was the call's status.
pub(crate) fn record_server_head(uri: &Uri, headers: &HeaderMap, span: &mut Active) -> bool {
    let Some(code) = code(headers) else {
        return false;
    };
    if code == UNIMPLEMENTED && !headers.contains_key("grpc-message") {
        forget_method(uri, span);
    }
    record(code, headers, span);
    true
}

/// So answers a server that knows no such method: the client made it up, and whatever clients make up
/// is no name.
fn forget_method(uri: &Uri, span: &Active) {
    if let Some(method) = method(uri) {
        span.rename(SYSTEM);
        span.set("rpc.method", Value::Str(OTHER.into()));
        span.set("rpc.method_original", Value::Str(method.into()));
    }
}

/// What the end of the response says; `None` where it just ends.
pub(crate) fn record_end(trailers: Option<&HeaderMap>, span: &mut Active) {
    match trailers.and_then(|trailers| Some((code(trailers)?, trailers))) {
        Some((code, trailers)) => record(code, trailers, span),
        // Every client must take it for this.
        None if span.kind() == SpanKind::Client => record(UNKNOWN, &HeaderMap::new(), span),
        None => {}
    }
}

/// Nobody waits for the response any longer.
pub(crate) fn record_cancelled(span: &Active) {
    span.set(STATUS_CODE, Value::Str(CODES[CANCELLED].into()));
}

/// The status, if it is here.
fn code(headers: &HeaderMap) -> Option<usize> {
    let code = headers.get("grpc-status")?;
    let code = code.to_str().ok().and_then(|code| code.parse().ok());
    Some(code.filter(|code| *code < CODES.len()).unwrap_or(UNKNOWN))
}

fn record(code: usize, headers: &HeaderMap, span: &mut Active) {
    span.set(STATUS_CODE, Value::Str(CODES[code].into()));
    let is_error = match span.kind() {
        SpanKind::Server => SERVER_ERRORS.contains(&code),
        _ => code != OK,
    };
    if is_error {
        let failed = Failed {
            error_type: CODES[code].into(),
            description: message(headers),
            exception: None,
        };
        error::fail(failed, span);
    }
}

/// What the server has to say about the status.
fn message(headers: &HeaderMap) -> String {
    let message = headers.get("grpc-message");
    let message = message.and_then(|message| message.to_str().ok());
    let message = message.unwrap_or_default();
    percent_decode(message).unwrap_or_else(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integration::http::Protocol;

    #[test]
    fn the_content_type_tells_grpc() {
        for (content_type, protocol) in [
            ("application/grpc", Protocol::Grpc),
            ("application/grpc+proto", Protocol::Grpc),
            ("application/grpc;charset=utf-8", Protocol::Grpc),
            ("application/grpc-web+proto", Protocol::GrpcWeb),
            ("application/grpc-web-text", Protocol::GrpcWeb),
            ("application/grpcish", Protocol::Http),
            ("application/json", Protocol::Http),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", content_type.parse().unwrap());
            assert_eq!(Protocol::of(&headers), protocol, "{content_type}");
        }
        assert_eq!(Protocol::of(&HeaderMap::new()), Protocol::Http);
    }

    #[test]
    fn a_method_is_a_service_and_a_name() {
        for (path, name) in [
            ("/shop.v1.Orders/Get", "shop.v1.Orders/Get"),
            ("/Orders/Get", "Orders/Get"),
            ("/", "grpc"),
            ("/Orders", "grpc"),
            ("/Orders/", "grpc"),
            ("//Get", "grpc"),
            ("/a/b/c", "grpc"),
        ] {
            assert_eq!(span_name(&path.parse().unwrap()), name, "{path}");
        }
    }

    #[test]
    fn a_status_that_is_none_is_unknown() {
        for (status, expected) in [
            ("0", OK),
            ("14", UNAVAILABLE),
            ("17", UNKNOWN),
            ("x", UNKNOWN),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(code(&headers), None);
            headers.insert("grpc-status", status.parse().unwrap());
            assert_eq!(code(&headers), Some(expected), "{status}");
        }
    }
}
