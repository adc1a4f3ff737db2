//! The handshake, and what to set when it fails.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConnection, Error, StreamOwned};

use super::connect::left;
use crate::exporter::tls::Tls;

pub(super) type Secured = StreamOwned<ClientConnection, TcpStream>;

/// Shakes hands.
///
/// # Errors
///
/// Those of the library are inside of the error.
pub(super) fn secure(
    mut stream: TcpStream,
    tls: &Tls,
    protocol: &[u8],
    host: &str,
    deadline: Instant,
) -> io::Result<Secured> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut client = tls.client().map_err(io::Error::other)?;
    client.alpn_protocols = vec![protocol.to_vec()];
    let mut connection = ClientConnection::new(Arc::new(client), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        stream.set_read_timeout(Some(left(deadline)))?;
        stream.set_write_timeout(Some(left(deadline)))?;
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// What to set, in a sentence.
pub(super) fn explain(error: &io::Error, target: &str, setting: &str) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(Error::InvalidCertificate(problem)) => certificate(problem, target, setting),
        Some(Error::InvalidMessage(_)) => {
            format!("{target} does not speak TLS: write `http://` in {setting}")
        }
        Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => format!(
            "{target} speaks another protocol inside of TLS: check `OTEL_EXPORTER_OTLP_PROTOCOL` and \
             {setting}"
        ),
        Some(Error::AlertReceived(alert)) => format!(
            "{target} refuses TLS with us ({alert:?}): {}",
            match alert {
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnknownCA
                | AlertDescription::HandshakeFailure =>
                    "set `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE` and \
                     `OTEL_EXPORTER_OTLP_CLIENT_KEY` to a certificate and key that it trusts",
                _ => "look at its own log",
            }
        ),
        None if error.kind() == io::ErrorKind::UnexpectedEof => format!(
            "{target} hangs up when TLS begins: if it does not speak TLS, write `http://` in {setting}"
        ),
        _ => format!("TLS with {target} fails ({error}): check {setting}"),
    }
}

fn certificate(problem: &CertificateError, target: &str, setting: &str) -> String {
    use CertificateError as Bad;
    match problem {
        Bad::UnknownIssuer => format!(
            "the certificate of {target} is not signed by an authority that we trust: set \
             `OTEL_EXPORTER_OTLP_CERTIFICATE` to the PEM file of that authority"
        ),
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => format!(
            "the certificate of {target} is for another name: set {setting} to a name that it is for"
        ),
        Bad::Expired | Bad::ExpiredContext { .. } => format!(
            "the certificate of {target} has expired, or the clock of this machine is wrong: renew \
             it, or set the clock"
        ),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => format!(
            "the certificate of {target} is not valid yet, or the clock of this machine is wrong: \
             set the clock"
        ),
        other => format!("the certificate of {target} is bad ({other:?}): have it replaced"),
    }
}
