//! The socket between look-ups, refusals and pauses.

use std::sync::{Arc, Mutex};

use super::*;

/// Answers look-ups with the address it holds now, and counts them.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<(Option<SocketAddr>, u32)>>);

impl Names {
    fn set(&self, address: Option<SocketAddr>) {
        self.0.lock().unwrap().0 = address;
    }

    fn look_ups(&self) -> u32 {
        self.0.lock().unwrap().1
    }

    fn connection(&self, interval: Option<Duration>) -> Connection {
        let names = self.clone();
        let resolve = move || {
            let mut state = names.0.lock().unwrap();
            state.1 += 1;
            let unknown = io::Error::new(ErrorKind::NotFound, "unknown host");
            state.0.map(|address| vec![address]).ok_or(unknown)
        };
        Connection::with_resolver("udp://agent:1".to_owned(), interval, Box::new(resolve))
    }
}

fn listen() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// An address that nobody reads from. The port is taken, by a socket that only hears another peer.
struct Closed(UdpSocket);

impl Closed {
    fn new() -> Self {
        let (socket, address) = listen();
        socket.connect(address).unwrap();
        Self(socket)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
}

fn received(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 100];
    let len = socket.recv(&mut buffer).unwrap();
    buffer[..len].to_vec()
}

const OFTEN: Option<Duration> = Some(Duration::ZERO);
const RARELY: Option<Duration> = Some(Duration::from_secs(3600));

#[test]
fn nothing_is_looked_up_before_the_first_datagram() {
    let names = Names::default();
    let mut connection = names.connection(OFTEN);
    assert!(!connection.was_refused());
    assert_eq!(names.look_ups(), 0);
}

#[test]
fn an_agent_that_moves_is_found_again() {
    let ((first, first_address), (second, second_address)) = (listen(), listen());
    let names = Names::default();
    let mut connection = names.connection(OFTEN);
    names.set(Some(first_address));
    connection.send(b"1").unwrap();
    names.set(Some(second_address));
    connection.send(b"2").unwrap();
    // A name that is gone for a moment changes nothing.
    names.set(None);
    connection.send(b"3").unwrap();
    assert_eq!(received(&first), b"1");
    assert_eq!(
        (received(&second), received(&second)),
        (b"2".to_vec(), b"3".to_vec())
    );
}

#[test]
fn within_the_interval_the_address_stays() {
    let ((socket, address), closed) = (listen(), Closed::new());
    for interval in [RARELY, None] {
        let names = Names::default();
        let mut connection = names.connection(interval);
        names.set(Some(address));
        connection.send(b"1").unwrap();
        names.set(Some(closed.address()));
        connection.send(b"2").unwrap();
        assert_eq!(
            (received(&socket), received(&socket)),
            (b"1".to_vec(), b"2".to_vec())
        );
        assert_eq!(names.look_ups(), 1);
    }
}

#[test]
fn a_refusal_makes_it_look_again_unless_that_is_disabled() {
    for (interval, look_ups) in [(RARELY, 2), (None, 1)] {
        let ((socket, address), closed) = (listen(), Closed::new());
        let names = Names::default();
        let mut connection = names.connection(interval);
        names.set(Some(closed.address()));
        let refused = connection.send(b"1");
        assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
        names.set(Some(address));
        let again = connection.send(b"2");
        if interval.is_some() {
            again.unwrap();
            assert_eq!(received(&socket), b"2");
        } else {
            assert!(matches!(again, Err(SendError::Refused(_))), "{again:?}");
        }
        assert_eq!(names.look_ups(), look_ups);
    }
}

#[test]
fn an_agent_that_goes_is_noticed_by_the_next_datagram_at_the_latest() {
    let (socket, address) = listen();
    let names = Names::default();
    let mut connection = names.connection(RARELY);
    names.set(Some(address));
    connection.send(b"1").unwrap();
    drop(socket);
    let lost = connection.send(b"2");
    let noticed = lost.is_err() || connection.was_refused() || connection.send(b"3").is_err();
    assert!(noticed);
}

#[test]
fn an_unknown_host_is_looked_up_again_unless_that_is_disabled() {
    let (socket, address) = listen();
    let names = Names::default();
    let mut connection = names.connection(RARELY);
    match connection.send(b"1") {
        Err(SendError::Failed(reason)) => {
            assert_eq!(reason, "cannot find the agent: unknown host");
        }
        other => panic!("{other:?}"),
    }
    names.set(Some(address));
    connection.send(b"2").unwrap();
    assert_eq!(received(&socket), b"2");

    let names = Names::default();
    let mut connection = names.connection(None);
    for _ in 0..2 {
        match connection.send(b"1") {
            Err(SendError::Never(reason)) => {
                assert!(reason.contains("RECONNECTING_DISABLED"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
        names.set(Some(address));
    }
    assert_eq!(names.look_ups(), 1);
}

#[test]
fn a_pause_follows_every_burst() {
    let (_socket, address) = listen();
    let names = Names::default();
    names.set(Some(address));
    let mut connection = names.connection(RARELY);
    let datagram = vec![0; 60_000];
    let start = Instant::now();
    for _ in 0..11 {
        connection.send(&datagram).unwrap();
        assert!(connection.burst <= BURST);
    }
    // Two datagrams fit a burst, so there were five pauses, ours or the machine's.
    assert!(start.elapsed() >= 5 * PAUSE, "{:?}", start.elapsed());
}

#[test]
fn a_datagram_beyond_all_limits_is_too_long() {
    let (_socket, address) = listen();
    let names = Names::default();
    names.set(Some(address));
    let result = names.connection(RARELY).send(&vec![0; 70_000]);
    assert!(matches!(result, Err(SendError::TooLong(_))), "{result:?}");
}

#[test]
fn ipv4_comes_first() {
    let (v4, v6): (SocketAddr, SocketAddr) =
        ("127.0.0.1:1".parse().unwrap(), "[::1]:1".parse().unwrap());
    assert_eq!(preferred(&[v6, v4]).unwrap(), v4);
    assert_eq!(preferred(&[v6]).unwrap(), v6);
    assert!(preferred(&[]).is_err());
}
