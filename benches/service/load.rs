//! The requests: HTTP/1.1 with keep-alive, one thread per connection.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// How many requests are under way at most.
pub(crate) const CONNECTIONS: u64 = 16;

/// A connection that never answers ends the run.
const PATIENCE: Duration = Duration::from_secs(10);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Sends about so many requests as fast as they are answered; how many, and how long it took.
pub(crate) fn at_full_speed(port: u16, requests: u64) -> Outcome<(u64, Duration)> {
    let each = requests.div_ceil(CONNECTIONS);
    let started = Instant::now();
    on_all_connections(port, |connection, number| {
        (0..each).try_for_each(|n| connection.request(number * each + n))
    })?;
    Ok((each * CONNECTIONS, started.elapsed()))
}

/// Sends so many requests a second; how long each took. Who has to wait for the answer before counts
/// from when it should have sent.
pub(crate) fn at_rate(port: u16, rate: u64, how_long: Duration) -> Outcome<Vec<Duration>> {
    let interval = Duration::from_secs(CONNECTIONS) / u32::try_from(rate)?;
    let each = (how_long.as_secs_f64() / interval.as_secs_f64()) as u32;
    let started = Instant::now();
    let latencies = on_all_connections(port, |connection, number| {
        let offset = interval * number as u32 / CONNECTIONS as u32;
        let mut latencies = Vec::new();
        for n in 0..each {
            let due = started + offset + interval * n;
            let early = due.saturating_duration_since(Instant::now());
            thread::sleep(early);
            let from = if early.is_zero() { due } else { Instant::now() };
            connection.request(u64::from(n))?;
            latencies.push(from.elapsed());
        }
        Ok(latencies)
    })?;
    Ok(latencies.into_iter().flatten().collect())
}

fn on_all_connections<T: Send>(
    port: u16,
    work: impl Fn(&mut Connection, u64) -> io::Result<T> + Sync,
) -> Outcome<Vec<T>> {
    let work = &work;
    thread::scope(|scope| {
        let connect = |number| {
            scope.spawn(move || {
                let mut connection = Connection::open(port)?;
                work(&mut connection, number)
            })
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(connect).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended
            .map(|outcome| Ok(outcome.map_err(|_| "a connection panicked")??))
            .collect()
    })
}

struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            answer: Vec::new(),
        })
    }

    /// One request and its whole answer, which must be a good one.
    fn request(&mut self, order: u64) -> io::Result<()> {
        let request = format!("GET /orders/{order} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes())?;
        self.answer.clear();
        let mut piece = [0; 4096];
        while !is_complete(&self.answer) {
            let length = self.stream.read(&mut piece)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.answer.extend_from_slice(&piece[..length]);
        }
        if self.answer.starts_with(b"HTTP/1.1 200 ") {
            return Ok(());
        }
        Err(io::Error::other(String::from_utf8_lossy(&self.answer)))
    }
}

/// Whether a head and as many bytes as it announces have come.
fn is_complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    answer.len() >= end + 4 + length
}
