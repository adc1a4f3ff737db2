//! What a span says about a request, in the words of OpenTelemetry's HTTP conventions.

use std::borrow::Cow;

use http::header::{AsHeaderName, HOST, USER_AGENT};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method, Uri, Version};

use super::{Protocol, grpc, url};
use crate::Value;
use crate::span::Start;

/// The keys of both layers' call sites; their order is that of the constants below.
pub(crate) const KEYS: &[&str] = &[
    "http.request.method",
    "http.request.method_original",
    "http.route",
    "url.scheme",
    "url.path",
    "url.query",
    "url.full",
    "server.address",
    "server.port",
    "client.address",
    NETWORK_PROTOCOL_VERSION,
    "user_agent.original",
    "rpc.system.name",
    "rpc.method",
    "rpc.method_original",
];
const METHOD: usize = 0;
const METHOD_ORIGINAL: usize = 1;
const ROUTE: usize = 2;
const SCHEME: usize = 3;
const PATH: usize = 4;
const QUERY: usize = 5;
const FULL: usize = 6;
const SERVER_ADDRESS: usize = 7;
const SERVER_PORT: usize = 8;
const CLIENT_ADDRESS: usize = 9;
const VERSION: usize = 10;
const AGENT: usize = 11;
pub(super) const RPC_SYSTEM: usize = 12;
pub(super) const RPC_METHOD: usize = 13;
pub(super) const RPC_METHOD_ORIGINAL: usize = 14;

pub(super) const NETWORK_PROTOCOL_VERSION: &str = "network.protocol.version";

/// The methods that may become a part of a span's name; whatever else a client makes up may not.
const METHODS: [&str; 9] = [
    "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT", "TRACE",
];

fn known(method: &Method) -> Option<&'static str> {
    METHODS.into_iter().find(|known| *known == method.as_str())
}

/// `GET /users/{id}`, or `GET` where no route is known.
pub(crate) fn span_name(method: &Method, route: Option<&str>) -> Cow<'static, str> {
    let method = known(method).unwrap_or("HTTP");
    match route {
        Some(route) => format!("{method} {route}").into(),
        None => method.into(),
    }
}

/// The attributes of a request that has arrived.
pub(crate) fn server(
    span: &mut Start,
    protocol: Protocol,
    parts: &Parts,
    uri: &Uri,
    route: Option<&str>,
) {
    match protocol {
        Protocol::Http => request(span, parts, uri, route),
        Protocol::Grpc | Protocol::GrpcWeb => grpc::attributes(span, uri),
    }
    if let Some(authority) = authority(uri, &parts.headers) {
        server_address(span, &authority, None);
    }
    // The first of the addresses is the one that the outermost proxy saw.
    let forwarded = header(&parts.headers, "x-forwarded-for").and_then(|all| all.split(',').next());
    if let Some(client) = forwarded.map(str::trim).filter(|first| !first.is_empty()) {
        text(span, CLIENT_ADDRESS, client);
    }
    if protocol != Protocol::Http {
        return;
    }
    if let Some(version) = version(parts.version) {
        text(span, VERSION, version);
    }
    if let Some(agent) = header(&parts.headers, USER_AGENT) {
        text(span, AGENT, agent);
    }
}

/// What a server is asked for.
fn request(span: &mut Start, parts: &Parts, uri: &Uri, route: Option<&str>) {
    method(span, &parts.method);
    if let Some(route) = route {
        text(span, ROUTE, route);
    }
    text(span, SCHEME, scheme(parts, uri));
    text(span, PATH, uri.path());
    if let Some(query) = uri.query() {
        let query = url::query(query, &mut |name| span.hides(name));
        text(span, QUERY, &query);
    }
}

/// What a client asks for.
pub(super) fn client(span: &mut Start, method: &Method, uri: &Uri) {
    self::method(span, method);
    let full = url::full(uri, &mut |name| span.hides(name));
    text(span, FULL, &full);
}

/// Whom a client asks.
pub(super) fn server_of_client(span: &mut Start, uri: &Uri, headers: &HeaderMap) {
    if let Some(authority) = authority(uri, headers) {
        let default = match uri.scheme_str() {
            Some("http") => Some(80),
            Some("https") => Some(443),
            _ => None,
        };
        server_address(span, &authority, default);
    }
}

/// The version as it stands behind `HTTP/`.
pub(super) fn version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}

fn method(span: &mut Start, method: &Method) {
    match known(method) {
        Some(method) => text(span, METHOD, method),
        None => {
            text(span, METHOD, "_OTHER");
            text(span, METHOD_ORIGINAL, method.as_str());
        }
    }
}

fn server_address(span: &mut Start, authority: &Authority, default_port: Option<u16>) {
    let host = authority.host();
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    text(span, SERVER_ADDRESS, address);
    if let Some(port) = authority.port_u16().or(default_port) {
        span.field(SERVER_PORT, Value::I64(port.into()));
    }
}

/// Where the request is addressed to: HTTP/1 says so in a header.
fn authority<'p>(uri: &'p Uri, headers: &'p HeaderMap) -> Option<Cow<'p, Authority>> {
    match uri.authority() {
        Some(authority) => Some(Cow::Borrowed(authority)),
        None => header(headers, HOST)?.parse().ok().map(Cow::Owned),
    }
}

/// The scheme that the client used. Few servers know it; then it is taken to be plain HTTP.
fn scheme<'p>(parts: &'p Parts, uri: &'p Uri) -> &'p str {
    let forwarded = || {
        let first = header(&parts.headers, "x-forwarded-proto")?
            .split(',')
            .next()?;
        ["http", "https"]
            .into_iter()
            .find(|scheme| scheme.eq_ignore_ascii_case(first.trim()))
    };
    uri.scheme_str().or_else(forwarded).unwrap_or("http")
}

fn header(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

pub(super) fn text(span: &mut Start, key: usize, value: &str) {
    span.field(key, Value::Str(Cow::Borrowed(value)));
}
