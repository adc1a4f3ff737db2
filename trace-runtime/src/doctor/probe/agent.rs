//! Agents take datagrams and never answer; only a closed port makes itself known.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::connect::Place;
use super::{Probe, setting};
use crate::config::JaegerConfig;

/// How long the other machine may take to say that the port is closed.
const ECHO: Duration = Duration::from_millis(300);

pub(super) fn probe(config: &JaegerConfig, limit: Duration) -> Probe {
    let host = &config.agent_host;
    let setting = setting(host.source, "JAEGER_AGENT_HOST", "with_agent");
    let place = Place {
        host: &host.value,
        port: config.agent_port.value,
        setting: &setting,
    };
    let asked = place
        .resolve(Instant::now() + limit)
        .and_then(|addresses| ask(&addresses, &place, ECHO.min(limit)));
    Probe {
        exporter: "",
        target: format!("udp://{}", place.authority()),
        answer: asked
            .is_ok()
            .then(|| "nothing says that the port is closed".to_owned()),
        problems: asked.err().into_iter().collect(),
    }
}

/// Fails if no address can be sent to.
fn ask(addresses: &[SocketAddr], place: &Place<'_>, wait: Duration) -> Result<(), String> {
    let mut problem = None;
    for address in addresses {
        match send_nothing(*address, wait) {
            Ok(()) => return Ok(()),
            Err(error) => problem = Some(error),
        }
    }
    let (agent, setting) = (place.authority(), place.setting);
    Err(match problem {
        Some(error) if error.kind() == ErrorKind::ConnectionRefused => format!(
            "no agent listens on UDP {agent}: start one, or set {setting} to where one runs; a \
             Jaeger without agent takes OTLP, for which `OTEL_EXPORTER_OTLP_ENDPOINT` is enough"
        ),
        Some(error) => format!("nothing can be sent to UDP {agent} ({error}): check {setting}"),
        None => format!("there is no host `{}`: check {setting}", place.host),
    })
}

/// An empty datagram, which agents ignore; the refusal of a closed port comes back as an error.
fn send_nothing(address: SocketAddr, wait: Duration) -> io::Result<()> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    socket.send(&[])?;
    socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
    match socket.recv(&mut [0; 16]) {
        Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(error)
        }
        _ => Ok(()),
    }
}
