//! The Jaeger exporter: `OTEL_EXPORTER_JAEGER_*` above `JAEGER_*`.

use std::time::Duration;

use http::HeaderValue;

use super::Overrides;
use super::go;
use super::reader::Reader;
use super::secret::{Secret, Url};
use super::setting::{Setting, Source};
use super::value::{self, Parsed, Word};
use crate::diagnostics::Diagnostic;

/// Variables of the specification that configure the exporter.
pub(super) const OTEL_VARIABLES: [&str; 7] = [
    OTEL_ENDPOINT,
    OTEL_AGENT_HOST,
    OTEL_AGENT_PORT,
    "OTEL_EXPORTER_JAEGER_PROTOCOL",
    "OTEL_EXPORTER_JAEGER_TIMEOUT",
    "OTEL_EXPORTER_JAEGER_USER",
    "OTEL_EXPORTER_JAEGER_PASSWORD",
];

/// Variables of jaeger-client-go that say where spans go.
pub(super) const DESTINATIONS: [&str; 3] = [ENDPOINT, AGENT_HOST, AGENT_PORT];

const OTEL_ENDPOINT: &str = "OTEL_EXPORTER_JAEGER_ENDPOINT";
const OTEL_AGENT_HOST: &str = "OTEL_EXPORTER_JAEGER_AGENT_HOST";
const OTEL_AGENT_PORT: &str = "OTEL_EXPORTER_JAEGER_AGENT_PORT";
const ENDPOINT: &str = "JAEGER_ENDPOINT";
const AGENT_HOST: &str = "JAEGER_AGENT_HOST";
const AGENT_PORT: &str = "JAEGER_AGENT_PORT";
const CLIENT: &str = "TRACED_JAEGER";

/// How spans reach a Jaeger agent or collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JaegerProtocol {
    /// To a collector.
    HttpThrift,
    /// To an agent's port 6831.
    UdpCompact,
    /// To an agent's port 6832.
    UdpBinary,
}

impl Word for JaegerProtocol {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("http/thrift.binary", JaegerProtocol::HttpThrift),
        ("udp/thrift.compact", JaegerProtocol::UdpCompact),
        ("udp/thrift.binary", JaegerProtocol::UdpBinary),
    ];
}

/// Whose code speaks to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JaegerClient {
    /// Ours.
    Own,
    /// The crate `opentelemetry-jaeger`, which is archived.
    Archived,
}

impl Word for JaegerClient {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("own", JaegerClient::Own),
        ("opentelemetry-jaeger", JaegerClient::Archived),
    ];
}

/// Everything about the Jaeger exporter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JaegerConfig {
    pub(crate) client: Setting<JaegerClient>,
    pub(crate) protocol: Setting<JaegerProtocol>,
    /// Without brackets, for UDP.
    pub(crate) agent_host: Setting<String>,
    pub(crate) agent_port: Setting<u16>,
    /// For HTTP; posted to as written.
    pub(crate) endpoint: Setting<Url>,
    /// HTTP Basic: both or neither.
    pub(crate) user: Setting<Option<Secret>>,
    pub(crate) password: Setting<Option<Secret>>,
    /// HTTP Bearer, never together with a user.
    pub(crate) token: Setting<Option<Secret>>,
    /// None: no limit.
    pub(crate) timeout: Setting<Option<Duration>>,
    /// When set, the agent is resolved once, with the first batch.
    pub(crate) reconnecting_disabled: Setting<bool>,
    pub(crate) reconnect_interval: Setting<Duration>,
}

pub(super) fn resolve(reader: &mut Reader<'_>, overrides: &Overrides) -> JaegerConfig {
    let code = code_agent(reader, overrides);
    let client = resolve_client(reader, overrides);
    let protocol = resolve_protocol(reader, code.is_some(), client.value);
    let (code_host, code_port) = code.unzip();
    let default_port = match protocol.value {
        JaegerProtocol::UdpBinary => 6832,
        _ => 6831,
    };
    let (user, password) = resolve_user(reader);
    let token = resolve_token(reader, &user);
    note_bare_milliseconds(reader, "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL");
    JaegerConfig {
        agent_host: reader
            .field()
            .code(code_host)
            .variable(OTEL_AGENT_HOST, value::host)
            .variable(AGENT_HOST, value::host)
            .or("localhost".to_owned()),
        agent_port: reader
            .field()
            .code(code_port.map(|port| port.unwrap_or(default_port)))
            .variable(OTEL_AGENT_PORT, value::port)
            .variable(AGENT_PORT, value::port)
            .or(default_port),
        endpoint: reader
            .field()
            .variable(OTEL_ENDPOINT, value::url)
            .variable(ENDPOINT, value::url)
            .or(Url("http://localhost:14268/api/traces".to_owned())),
        timeout: reader
            .field()
            .variable("OTEL_EXPORTER_JAEGER_TIMEOUT", value::timeout)
            .or(Some(Duration::from_secs(10))),
        reconnecting_disabled: reader
            .field()
            .variable("JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED", go::boolean)
            .or(false),
        reconnect_interval: reader
            .field()
            .variable_or_default(
                "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL",
                go::positive_duration,
            )
            .or(Duration::from_secs(30)),
        client,
        protocol,
        user,
        password,
        token,
    }
}

fn code_agent(reader: &mut Reader<'_>, overrides: &Overrides) -> Option<(String, Option<u16>)> {
    let text = overrides.agent.as_deref()?;
    match value::host_and_port(text) {
        Ok(agent) => Some(agent),
        Err(accepted) => {
            reader.bad("with_agent", text, accepted);
            None
        }
    }
}

fn resolve_client(reader: &mut Reader<'_>, overrides: &Overrides) -> Setting<JaegerClient> {
    let client = |archived| match archived {
        true => JaegerClient::Archived,
        false => JaegerClient::Own,
    };
    reader
        .field()
        .code(overrides.opentelemetry_jaeger.map(client))
        .variable(CLIENT, value::word)
        .or(JaegerClient::Own)
}

/// Unless the protocol is given it follows from what else is: an agent means UDP.
fn resolve_protocol(
    reader: &mut Reader<'_>,
    agent_in_code: bool,
    client: JaegerClient,
) -> Setting<JaegerProtocol> {
    let implied = [
        (OTEL_ENDPOINT, JaegerProtocol::HttpThrift),
        (OTEL_AGENT_HOST, JaegerProtocol::UdpCompact),
        (OTEL_AGENT_PORT, JaegerProtocol::UdpCompact),
        (ENDPOINT, JaegerProtocol::HttpThrift),
        (AGENT_HOST, JaegerProtocol::UdpCompact),
        (AGENT_PORT, JaegerProtocol::UdpCompact),
    ];
    let implied = implied.iter().find(|(name, _)| reader.is_set(name));
    let default = match implied {
        _ if agent_in_code => Setting::new(JaegerProtocol::UdpCompact, Source::Code),
        Some((name, protocol)) => Setting::new(*protocol, Source::Variable(name)),
        None if client == JaegerClient::Archived => {
            Setting::new(JaegerProtocol::UdpCompact, Source::Default)
        }
        None => Setting::new(JaegerProtocol::HttpThrift, Source::Default),
    };
    let given = reader
        .field()
        .variable("OTEL_EXPORTER_JAEGER_PROTOCOL", value::word)
        .or_setting(default);
    if agent_in_code && given.value == JaegerProtocol::HttpThrift {
        return Setting::new(JaegerProtocol::UdpCompact, Source::Code);
    }
    given
}

type Credential = Setting<Option<Secret>>;

fn resolve_user(reader: &mut Reader<'_>) -> (Credential, Credential) {
    let user = credential(
        reader,
        &["OTEL_EXPORTER_JAEGER_USER", "JAEGER_USER"],
        user_name,
    );
    let password = credential(
        reader,
        &["OTEL_EXPORTER_JAEGER_PASSWORD", "JAEGER_PASSWORD"],
        secret,
    );
    let (present, missing) = match (&user.value, &password.value) {
        (Some(_), None) => (&user, "password"),
        (None, Some(_)) => (&password, "user"),
        _ => return (user, password),
    };
    let message = format!("has no effect without the {missing}; using neither");
    reader.report_at(present.source, Diagnostic::error(message));
    (no_credential(), no_credential())
}

fn resolve_token(reader: &mut Reader<'_>, user: &Credential) -> Credential {
    let token = credential(reader, &["JAEGER_AUTH_TOKEN"], bearer_token);
    if let (Some(_), Source::Variable(other)) = (&token.value, user.source) {
        let message = format!("cannot be used together with `{other}`; using the user");
        reader.report_at(token.source, Diagnostic::error(message));
        return no_credential();
    }
    token
}

fn credential(
    reader: &mut Reader<'_>,
    names: &[&'static str],
    parse: fn(&str) -> Parsed<Option<Secret>>,
) -> Credential {
    let mut field = reader.field();
    for name in names {
        field = field.variable(name, parse);
    }
    field.or(None)
}

fn no_credential() -> Credential {
    Setting::new(None, Source::Default)
}

fn secret(text: &str) -> Parsed<Option<Secret>> {
    Ok(Some(Secret(text.to_owned())))
}

/// HTTP Basic ends the user at the first colon.
fn user_name(text: &str) -> Parsed<Option<Secret>> {
    if text.contains(':') {
        return Err("expected a user name without `:`".to_owned());
    }
    secret(text)
}

fn bearer_token(text: &str) -> Parsed<Option<Secret>> {
    let text = text.trim();
    match HeaderValue::from_str(text) {
        Ok(_) => secret(text),
        Err(_) => Err("expected a token of visible ASCII characters".to_owned()),
    }
}

/// Says that an integer without a unit was read as the Java and Node clients read it.
pub(super) fn note_bare_milliseconds(reader: &mut Reader<'_>, name: &'static str) {
    let Some(text) = reader.text(name) else {
        return;
    };
    if go::bare_integer(&text).is_some_and(|number| number != 0) {
        let message = "has no unit and is read as milliseconds";
        reader.report(Diagnostic::info(message).found(name, &text));
    }
}

/// `host:port`, with brackets around an IPv6 address.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Where `opentelemetry-jaeger` sends by itself: it looks into the environment of the process, and
/// what it finds there wins over what it is told.
#[cfg(feature = "opentelemetry-jaeger")]
pub(crate) fn jaeger_variables_of_process() -> Option<String> {
    let trimmed = |name| std::env::var(name).ok().map(|text| text.trim().to_owned());
    match (trimmed(OTEL_AGENT_HOST), trimmed(OTEL_AGENT_PORT)) {
        (None, None) => None,
        (host, port) => {
            let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
            let port = port.unwrap_or_else(|| "6831".to_owned());
            Some(format!("{host}:{port}").replace("localhost", "127.0.0.1"))
        }
    }
}
