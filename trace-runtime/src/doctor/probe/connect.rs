//! From a host name to a connection, in a bounded time.

use std::io;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Whom to reach, and the setting that says so.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// IPv6 addresses without brackets.
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// In backticks.
    pub(super) setting: &'a str,
}

impl Place<'_> {
    /// `host:port`, for sentences.
    pub(super) fn authority(&self) -> String {
        crate::config::authority(self.host, self.port)
    }

    /// Connects to the first address that takes the connection.
    ///
    /// # Errors
    ///
    /// What was found and what to set, in a sentence.
    pub(super) fn connect(&self, deadline: Instant) -> Result<TcpStream, String> {
        let mut last = None;
        for address in self.resolve(deadline)? {
            match TcpStream::connect_timeout(&address, left(deadline)) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(match last {
            Some(error) => self.unreachable(&error),
            None => self.unknown(),
        })
    }

    /// The addresses of the host. The system's resolver knows no deadline, so it has a thread.
    pub(super) fn resolve(&self, deadline: Instant) -> Result<Vec<SocketAddr>, String> {
        let (sender, receiver) = mpsc::channel();
        let (host, port) = (self.host.to_owned(), self.port);
        let resolve = move || {
            let found = (host.as_str(), port).to_socket_addrs();
            let found: io::Result<Vec<_>> = found.map(Iterator::collect);
            let _ = sender.send(found);
        };
        let thread = thread::Builder::new().name("trace-runtime-dns".into());
        if let Err(error) = thread.spawn(resolve) {
            return Err(format!("the resolver's thread cannot start: {error}"));
        }
        match receiver.recv_timeout(left(deadline)) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(self.unknown()),
            Err(_) => Err(format!(
                "the name server does not answer for `{}` in time: check {}, and the DNS settings \
                 of this machine",
                self.host, self.setting
            )),
        }
    }

    fn unknown(&self) -> String {
        format!(
            "there is no host `{}` for this machine's name servers: set {} to one that resolves here",
            self.host, self.setting
        )
    }

    fn unreachable(&self, error: &io::Error) -> String {
        let (place, setting) = (self.authority(), self.setting);
        match error.kind() {
            ErrorKind::ConnectionRefused => format!(
                "nothing listens on {place} (connection refused): start a receiver there, or set \
                 {setting} to where one listens"
            ),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => format!(
                "{place} does not take connections in time: a firewall may be in between, or \
                 {setting} names the wrong host"
            ),
            _ => format!("{place} cannot be reached ({error}): check {setting}"),
        }
    }
}

/// The time until the deadline, and never none: sockets take zero for no limit.
pub(super) fn left(deadline: Instant) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now());
    left.max(Duration::from_millis(1))
}
