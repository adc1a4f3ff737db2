//! A collector for OTLP over HTTP that forgets nothing and believes nothing.
//!
//! While a run lasts it only stores what is posted, so that it takes as little of the machine as
//! it can; it decodes and checks when it is asked for its verdict.

mod check;
mod http;

use std::io::{self, BufRead, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub use check::Verdict;
use opentelemetry_proto::tonic::trace::v1::Span;

type Bodies = Arc<Mutex<Vec<Vec<u8>>>>;

/// A listening sink; it stops with the process.
#[derive(Debug)]
pub struct Sink {
    endpoint: String,
    bodies: Bodies,
}

impl Sink {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let bodies = Bodies::default();
        let received = bodies.clone();
        thread::spawn(move || accept(&listener, &received));
        Ok(Self { endpoint, bodies })
    }

    /// The base URL to send to.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Checks and forgets everything received since the last call.
    #[must_use]
    pub fn verdict(&self, with_code: bool) -> Verdict {
        let bodies = std::mem::take(&mut *lock(&self.bodies));
        check::verdict(&bodies, with_code)
    }

    /// Decodes and forgets everything received since the last call; what cannot be decoded is
    /// missing.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let bodies = std::mem::take(&mut *lock(&self.bodies));
        let decoded = bodies.iter().filter_map(|body| check::spans(body).ok());
        decoded.flatten().collect()
    }
}

fn lock(bodies: &Bodies) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
    bodies.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, bodies: &Bodies) {
    for stream in listener.incoming().flatten() {
        let bodies = bodies.clone();
        thread::spawn(move || serve(stream, &bodies));
    }
}

/// Stores the bodies of one connection; the first malformed request ends it, and the run is void
/// because its spans are missing.
fn serve(stream: TcpStream, bodies: &Bodies) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = http::Connection::new(stream)?;
    while let Some(body) = connection.request()? {
        lock(bodies).push(body);
        connection.accept()?;
    }
    Ok(())
}

/// The sink as a process of its own: prints its endpoint, then answers each line read with a
/// verdict, until its input ends.
///
/// # Errors
/// If listening or printing fails.
pub fn serve_parent() -> io::Result<()> {
    let sink = Sink::start()?;
    let mut output = io::stdout().lock();
    writeln!(output, "{}", sink.endpoint())?;
    output.flush()?;
    for line in io::stdin().lock().lines() {
        let verdict = sink.verdict(line? == WITH_CODE);
        writeln!(output, "{}", verdict.to_line())?;
        output.flush()?;
    }
    Ok(())
}

/// Asks a sink process for a verdict that insists on `code.*` attributes.
pub(crate) const WITH_CODE: &str = "with-code";
/// Asks a sink process for a verdict.
pub(crate) const WITHOUT_CODE: &str = "without-code";
