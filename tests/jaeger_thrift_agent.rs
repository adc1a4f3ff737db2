//! A Jaeger agent on a loopback port that keeps what it is sent.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::jaeger_thrift_idl::{Batch, Span, binary_call, compact_call};

/// The agent; it stops with the process.
#[derive(Debug)]
pub struct Agent {
    address: SocketAddr,
    datagrams: Receiver<Vec<u8>>,
    read: fn(&[u8]) -> (i32, Batch),
}

/// What one datagram said.
#[derive(Clone, Debug, PartialEq)]
pub struct Datagram {
    /// Its size in bytes.
    pub size: usize,
    /// The number in the envelope.
    pub sequence: i32,
    /// The rest.
    pub batch: Batch,
}

impl Agent {
    /// Takes the compact protocol, as on port 6831.
    pub fn compact() -> Self {
        Self::listen("127.0.0.1:0", compact_call).expect("a loopback port")
    }

    /// Takes the binary protocol, as on port 6832.
    pub fn binary() -> Self {
        Self::listen("127.0.0.1:0", binary_call).expect("a loopback port")
    }

    /// Takes the compact protocol over IPv6, where there is such a thing.
    pub fn compact_v6() -> Option<Self> {
        Self::listen("[::1]:0", compact_call).ok()
    }

    /// Takes the compact protocol at this address.
    ///
    /// # Errors
    ///
    /// When somebody else does.
    pub fn compact_at(address: &str) -> std::io::Result<Self> {
        Self::listen(address, compact_call)
    }

    fn listen(address: &str, read: fn(&[u8]) -> (i32, Batch)) -> std::io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let address = socket.local_addr()?;
        let (sender, datagrams) = channel();
        // Its own thread, because the kernel keeps a few datagrams only.
        std::thread::spawn(move || {
            let mut buffer = vec![0; 70_000];
            while let Ok(size) = socket.recv(&mut buffer) {
                if sender.send(buffer[..size].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            address,
            datagrams,
            read,
        })
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next datagram as it came, within 20 s.
    pub fn raw(&self) -> Vec<u8> {
        let datagram = self.datagrams.recv_timeout(Duration::from_secs(20));
        datagram.expect("a datagram")
    }

    /// Waits until so many spans have come; gives what there is after 20 s.
    pub fn wait_for(&self, spans: usize) -> Vec<Datagram> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let (mut received, mut datagrams) = (0, Vec::new());
        while received < spans {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(datagram) = self.datagrams.recv_timeout(left) else {
                break;
            };
            let (sequence, batch) = (self.read)(&datagram);
            received += batch.spans.len();
            datagrams.push(Datagram {
                size: datagram.len(),
                sequence,
                batch,
            });
        }
        datagrams
    }

    /// The same, but only the spans.
    pub fn spans(&self, count: usize) -> Vec<Span> {
        let datagrams = self.wait_for(count).into_iter();
        datagrams
            .flat_map(|datagram| datagram.batch.spans)
            .collect()
    }
}
