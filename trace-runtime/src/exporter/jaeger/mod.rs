//! Jaeger's own format, for agents and collectors that do not know OTLP: Thrift in datagrams to an
//! agent, or posted to a collector.

mod agent;
#[cfg(feature = "opentelemetry-jaeger")]
mod archived;
mod batch;
mod binary;
mod collector;
mod compact;
mod connection;
mod span;
mod tag;
mod thrift;

use self::agent::Agent;
use self::binary::Binary;
use self::collector::{Collector, CollectorSettings, Credentials};
use self::compact::Compact;
use self::connection::{Connection, ConnectionSettings};
use crate::Exporter;
#[cfg(feature = "opentelemetry-jaeger")]
use crate::config::JaegerClient;
use crate::config::{JaegerConfig, JaegerProtocol};
use crate::exporter::http::Endpoint;

/// The exporter for this protocol. It does no I/O before the first batch.
///
/// # Errors
///
/// Why it cannot work.
pub(super) fn build(
    protocol: JaegerProtocol,
    config: &JaegerConfig,
) -> Result<Box<dyn Exporter>, String> {
    #[cfg(feature = "opentelemetry-jaeger")]
    if config.client.value == JaegerClient::Archived {
        return Ok(Box::new(archived::Archived::new(config)?));
    }
    Ok(match protocol {
        JaegerProtocol::UdpCompact => Box::new(Agent::<Compact, _>::new(connection(config))),
        JaegerProtocol::UdpBinary => Box::new(Agent::<Binary, _>::new(connection(config))),
        JaegerProtocol::HttpThrift => Box::new(Collector::new(collector(config))?),
    })
}

/// Where a collector is posted to.
///
/// # Errors
///
/// What is wrong with the endpoint or the credentials.
pub(crate) fn collector_endpoint(config: &JaegerConfig) -> Result<Endpoint, String> {
    collector(config).endpoint()
}

fn collector(config: &JaegerConfig) -> CollectorSettings {
    CollectorSettings {
        endpoint: config.endpoint.value.as_str().to_owned(),
        credentials: credentials(config),
        timeout: config.timeout.value,
    }
}

fn connection(config: &JaegerConfig) -> Connection {
    let reconnects = !config.reconnecting_disabled.value;
    Connection::new(ConnectionSettings {
        host: config.agent_host.value.clone(),
        port: config.agent_port.value,
        reconnect_interval: reconnects.then_some(config.reconnect_interval.value),
    })
}

fn credentials(config: &JaegerConfig) -> Option<Credentials> {
    match (
        &config.user.value,
        &config.password.value,
        &config.token.value,
    ) {
        (Some(user), Some(password), _) => Some(Credentials::Basic {
            user: user.0.clone(),
            password: password.0.clone(),
        }),
        (_, _, Some(token)) => Some(Credentials::Bearer(token.0.clone())),
        _ => None,
    }
}
