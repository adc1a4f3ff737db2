//! The OTLP exporter: `OTEL_EXPORTER_OTLP_TRACES_*` above `OTEL_EXPORTER_OTLP_*`.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::Overrides;
use super::features::Features;
use super::reader::Reader;
use super::secret::{Secret, Url};
use super::setting::{Render, Setting, Source};
use super::value::{self, Parsed, Word};
use crate::diagnostics::Diagnostic;

/// A variable of the traces signal and the general one below it.
type Names = [&'static str; 2];

const PROTOCOL: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const ENDPOINT: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
const HEADERS: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_HEADERS",
];
const TIMEOUT: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
];
const COMPRESSION: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
];
const INSECURE: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_INSECURE",
];
const CERTIFICATE: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];
const CLIENT_KEY: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
];
const CLIENT_CERTIFICATE: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
];

/// All variables of the exporter.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    let names = [
        ENDPOINT,
        PROTOCOL,
        HEADERS,
        TIMEOUT,
        COMPRESSION,
        INSECURE,
        CERTIFICATE,
        CLIENT_KEY,
        CLIENT_CERTIFICATE,
    ];
    names.into_iter().flatten()
}

/// How OTLP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtlpProtocol {
    HttpProtobuf,
    HttpJson,
    Grpc,
}

impl Word for OtlpProtocol {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("http/protobuf", OtlpProtocol::HttpProtobuf),
        ("http/json", OtlpProtocol::HttpJson),
        ("grpc", OtlpProtocol::Grpc),
    ];
}

/// How request bodies are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
}

impl Word for Compression {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Compression::None), ("gzip", Compression::Gzip)];
}

/// Everything about the OTLP exporter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OtlpConfig {
    /// Where to post, `/v1/traces` included; for gRPC the server.
    pub(crate) endpoint: Setting<Url>,
    pub(crate) protocol: Setting<OtlpProtocol>,
    /// Valid HTTP headers, names in lower case.
    pub(crate) headers: Setting<Vec<(String, Secret)>>,
    /// Of one round of attempts; none: no limit.
    pub(crate) timeout: Setting<Option<Duration>>,
    pub(crate) compression: Setting<Compression>,
    /// PEM of the authorities to trust.
    pub(crate) certificate: Setting<Option<PathBuf>>,
    /// PEM; with the key or not at all.
    pub(crate) client_certificate: Setting<Option<PathBuf>>,
    pub(crate) client_key: Setting<Option<ClientKey>>,
}

/// The path of a private key, which is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ClientKey(pub(crate) PathBuf);

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render())
    }
}

impl Render for ClientKey {
    fn render(&self) -> String {
        super::secret::REDACTED.to_owned()
    }
}

pub(super) fn resolve(
    reader: &mut Reader<'_>,
    overrides: &Overrides,
    features: Features,
) -> OtlpConfig {
    let protocol = reader
        .field()
        .variable(PROTOCOL[0], value::word)
        .variable(PROTOCOL[1], value::word)
        .or(OtlpProtocol::HttpProtobuf);
    let certificate = path(reader, CERTIFICATE);
    let (client_certificate, client_key) = client_pair(reader);
    for source in [certificate.source, client_certificate.source] {
        if source != Source::Default && !features.tls {
            let message = "has no effect without feature `tls` of `trace-runtime`";
            reader.report_at(source, Diagnostic::warning(message));
        }
    }
    OtlpConfig {
        endpoint: resolve_endpoint(reader, overrides, protocol.value),
        headers: resolve_headers(reader, overrides),
        timeout: reader
            .field()
            .variable(TIMEOUT[0], value::timeout)
            .variable(TIMEOUT[1], value::timeout)
            .or(Some(Duration::from_secs(10))),
        compression: resolve_compression(reader, features),
        protocol,
        certificate,
        client_certificate,
        client_key,
    }
}

fn resolve_endpoint(
    reader: &mut Reader<'_>,
    overrides: &Overrides,
    protocol: OtlpProtocol,
) -> Setting<Url> {
    let grpc = protocol == OtlpProtocol::Grpc;
    let insecure = reader
        .field()
        .otel_boolean(INSECURE[0])
        .otel_boolean(INSECURE[1])
        .or(false)
        .value;
    let parse = |text: &str| match text.contains("://") {
        false if grpc && insecure => value::url(&format!("http://{}", text.trim())),
        false if grpc => value::url(&format!("https://{}", text.trim())),
        _ => value::url(text),
    };
    let base = |text: &str| {
        Ok(if grpc {
            parse(text)?
        } else {
            signal_url(&parse(text)?)
        })
    };
    let mut field = reader.field();
    if let Some(text) = &overrides.endpoint {
        field = match base(text) {
            Ok(url) => field.code(Some(url)),
            Err(accepted) => field.reject("with_endpoint", text, accepted),
        };
    }
    let default = if grpc {
        "http://localhost:4317"
    } else {
        "http://localhost:4318/v1/traces"
    };
    let endpoint = field
        .variable(ENDPOINT[0], parse)
        .variable(ENDPOINT[1], base)
        .or(Url(default.to_owned()));
    if endpoint.value.as_str().contains("/v1/traces/v1/traces") {
        let message = "`/v1/traces` is appended to a base URL; leave it out, \
                       or set `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`";
        reader.report_at(endpoint.source, Diagnostic::warning(message));
    }
    endpoint
}

/// Appends the path of the traces signal to a base URL, before a query.
fn signal_url(base: &Url) -> Url {
    let text = base.as_str();
    let query = text.find('?').unwrap_or(text.len());
    let (path, query) = text.split_at(query);
    Url(format!("{}/v1/traces{query}", path.trim_end_matches('/')))
}

/// Code wins for each header it names; the environment adds the others.
fn resolve_headers(
    reader: &mut Reader<'_>,
    overrides: &Overrides,
) -> Setting<Vec<(String, Secret)>> {
    let mut headers = reader
        .field()
        .variable(HEADERS[0], headers)
        .variable(HEADERS[1], headers)
        .or(Vec::new());
    for (name, value) in &overrides.headers {
        match header(name, value) {
            Ok((name, value)) => {
                value::insert(&mut headers.value, name, value);
                headers.source = Source::Code;
            }
            Err(accepted) => reader.report(Diagnostic::error(accepted).about("with_header")),
        }
    }
    headers
}

fn headers(text: &str) -> Parsed<Vec<(String, Secret)>> {
    let mut headers = Vec::new();
    for (name, value) in value::map(text)? {
        let (name, value) = header(&name, &value)?;
        value::insert(&mut headers, name, value);
    }
    Ok(headers)
}

fn header(name: &str, value: &str) -> Parsed<(String, Secret)> {
    let expected = || "expected `name=value,name=value` with valid HTTP headers".to_owned();
    let name: HeaderName = name.parse().map_err(|_| expected())?;
    HeaderValue::from_str(value).map_err(|_| expected())?;
    Ok((name.as_str().to_owned(), Secret(value.to_owned())))
}

fn resolve_compression(reader: &mut Reader<'_>, features: Features) -> Setting<Compression> {
    let available = |text: &str| match value::word(text)? {
        Compression::Gzip if !features.gzip => {
            Err("`gzip` needs feature `gzip` of `trace-runtime`".to_owned())
        }
        compression => Ok(compression),
    };
    reader
        .field()
        .variable(COMPRESSION[0], available)
        .variable(COMPRESSION[1], available)
        .or(Compression::None)
}

fn path(reader: &mut Reader<'_>, names: Names) -> Setting<Option<PathBuf>> {
    reader
        .field()
        .variable(names[0], readable_file)
        .variable(names[1], readable_file)
        .or(None)
}

/// Opens the file, because at the first export it would be too late to say so.
fn readable_file(text: &str) -> Parsed<Option<PathBuf>> {
    let path = PathBuf::from(text.trim());
    match std::fs::File::open(&path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Ok(Some(path)),
        Ok(_) => Err("expected a PEM file".to_owned()),
        Err(error) => Err(format!("expected a PEM file: {}", error.kind())),
    }
}

type ClientPair = (Setting<Option<PathBuf>>, Setting<Option<ClientKey>>);

fn client_pair(reader: &mut Reader<'_>) -> ClientPair {
    let certificate = path(reader, CLIENT_CERTIFICATE);
    let key = path(reader, CLIENT_KEY).map(|key| key.map(ClientKey));
    let (source, missing) = match (&certificate.value, &key.value) {
        (Some(_), None) => (certificate.source, CLIENT_KEY[1]),
        (None, Some(_)) => (key.source, CLIENT_CERTIFICATE[1]),
        _ => return (certificate, key),
    };
    let message = format!("has no effect without `{missing}`; using neither");
    reader.report_at(source, Diagnostic::error(message));
    (
        Setting::new(None, Source::Default),
        Setting::new(None, Source::Default),
    )
}
