//! The socket to an agent: its address is looked up late and again and again, sends are paced, and
//! a closed port is noticed as early as UDP allows.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::authority;

/// An agent's socket holds about three full datagrams, and what comes on top vanishes without a
/// trace. So after two of them the agent gets time to read: enough for a busy machine, and still
/// some 13 MB a second. It is the exporter's own thread that waits.
const BURST: usize = 128 * 1024;
const PAUSE: Duration = Duration::from_millis(10);

/// How long a first datagram waits for the news that nobody listens.
const DOUBT: Duration = Duration::from_millis(10);

/// Why a datagram did not arrive, as far as we know.
#[derive(Debug)]
pub(super) enum SendError {
    /// Nobody listens, so what was sent just before is lost, too.
    Refused(String),
    /// This path takes no datagrams of such a length.
    TooLong(String),
    /// Another attempt may succeed.
    Failed(String),
    /// No attempt ever will.
    Never(String),
}

/// Takes datagrams to an agent.
pub(super) trait Wire: Send + 'static {
    /// Whether the datagram that was sent last has come back since.
    fn was_refused(&mut self) -> bool;

    /// Sends one datagram.
    fn send(&mut self, datagram: &[u8]) -> Result<(), SendError>;

    /// For people.
    fn target(&self) -> String;
}

type Resolver = Box<dyn FnMut() -> io::Result<Vec<SocketAddr>> + Send>;

/// What the configuration says about an agent.
#[derive(Clone, Debug)]
pub(super) struct ConnectionSettings {
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// How often the host is looked up again; `None` for once and never again.
    pub(super) reconnect_interval: Option<Duration>,
}

/// A socket that is connected, so that the system says when nobody listens.
pub(super) struct Connection {
    target: String,
    resolve: Resolver,
    reconnect_interval: Option<Duration>,
    open: Option<Open>,
    resolved_at: Instant,
    /// Why the only look-up failed, when there is to be only one.
    lost: Option<String>,
    /// Bytes since the last pause, of the agent's or of ours.
    burst: usize,
    sent_at: Instant,
}

#[derive(Debug)]
struct Open {
    socket: UdpSocket,
    peer: SocketAddr,
    /// Nothing has been sent since it was opened, or since it was refused.
    doubtful: bool,
}

impl Connection {
    /// Does no I/O: the first datagram does.
    pub(super) fn new(settings: ConnectionSettings) -> Self {
        let ConnectionSettings {
            host,
            port,
            reconnect_interval,
        } = settings;
        let target = format!("udp://{}", authority(&host, port));
        let resolve = move || Ok((host.as_str(), port).to_socket_addrs()?.collect());
        Self::with_resolver(target, reconnect_interval, Box::new(resolve))
    }

    fn with_resolver(
        target: String,
        reconnect_interval: Option<Duration>,
        resolve: Resolver,
    ) -> Self {
        Self {
            target,
            resolve,
            reconnect_interval,
            open: None,
            resolved_at: Instant::now(),
            lost: None,
            burst: 0,
            sent_at: Instant::now(),
        }
    }

    /// The socket; opened, or moved to where the host is now.
    fn open(&mut self) -> Result<&mut Open, SendError> {
        if let Some(reason) = &self.lost {
            return Err(SendError::Never(reason.clone()));
        }
        let is_due = |interval| self.resolved_at.elapsed() >= interval;
        if self.open.is_none() || self.reconnect_interval.is_some_and(is_due) {
            self.resolve()?;
        }
        self.open
            .as_mut()
            .ok_or_else(|| SendError::Failed("no socket".to_owned()))
    }

    fn resolve(&mut self) -> Result<(), SendError> {
        self.resolved_at = Instant::now();
        let found = (self.resolve)().and_then(|addresses| preferred(&addresses));
        let opened = found.and_then(|peer| match &self.open {
            Some(open) if open.peer == peer => Ok(None),
            _ => Open::new(peer).map(Some),
        });
        match opened {
            Ok(Some(open)) => self.open = Some(open),
            Ok(None) => {}
            // The address of before may still be right.
            Err(_) if self.open.is_some() => {}
            Err(error) => {
                let reason = format!("cannot find the agent: {error}");
                if self.reconnect_interval.is_some() {
                    return Err(SendError::Failed(reason));
                }
                let reason =
                    format!("{reason}; `JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED` is set");
                self.lost = Some(reason.clone());
                return Err(SendError::Never(reason));
            }
        }
        Ok(())
    }

    /// A failed write may mean that the agent has moved: the next attempt looks it up again.
    fn failed(&mut self, error: &io::Error) -> SendError {
        let reason = match error.kind() {
            ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            _ => error.to_string(),
        };
        if is_too_long(error) {
            return SendError::TooLong(reason);
        }
        if let Some(open) = &mut self.open {
            open.doubtful = true;
        }
        if self.reconnect_interval.is_some() {
            self.open = None;
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => SendError::Refused(reason),
            _ => SendError::Failed(reason),
        }
    }

    fn pace(&mut self, len: usize) {
        if self.sent_at.elapsed() >= PAUSE {
            self.burst = 0;
        } else if self.burst + len > BURST {
            thread::sleep(PAUSE);
            self.burst = 0;
        }
        self.burst += len;
        self.sent_at = Instant::now();
    }
}

impl Wire for Connection {
    fn was_refused(&mut self) -> bool {
        let error = self
            .open
            .as_ref()
            .and_then(|open| open.socket.take_error().unwrap_or_else(Some));
        error.is_some_and(|error| matches!(self.failed(&error), SendError::Refused(_)))
    }

    fn send(&mut self, datagram: &[u8]) -> Result<(), SendError> {
        self.pace(datagram.len());
        let sent = self.open()?.send(datagram);
        sent.map_err(|error| self.failed(&error))
    }

    fn target(&self) -> String {
        self.target.clone()
    }
}

impl Open {
    fn new(peer: SocketAddr) -> io::Result<Self> {
        let socket = match peer {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
        };
        socket.connect(peer)?;
        socket.set_read_timeout(Some(DOUBT))?;
        Ok(Self {
            socket,
            peer,
            doubtful: true,
        })
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send(datagram)?;
        if self.doubtful {
            self.listen()?;
            self.doubtful = false;
        }
        // On this machine the news that nobody listens is there already.
        self.socket.take_error()?.map_or(Ok(()), Err)
    }

    /// An agent never answers, so all that can come within this time is its refusal.
    fn listen(&self) -> io::Result<()> {
        match self.socket.recv(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Err(error),
            _ => Ok(()),
        }
    }
}

/// IPv4 first, as Go has it: agents that listen on IPv6 alone are rare, and with both it is the same.
fn preferred(addresses: &[SocketAddr]) -> io::Result<SocketAddr> {
    let v4 = addresses.iter().find(|address| address.is_ipv4());
    v4.or(addresses.first())
        .copied()
        .ok_or_else(|| io::Error::new(ErrorKind::NotFound, "the host has no address"))
}

/// `EMSGSIZE`, which has no [`ErrorKind`].
fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EMSGSIZE)
}

#[cfg(test)]
mod tests;
