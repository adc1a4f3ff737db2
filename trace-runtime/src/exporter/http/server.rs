//! A receiver that answers by a script.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Which connection brought it, from 0.
    pub(crate) connection: usize,
}

/// What a connection sends after it has read a request; the connection ends where the list does.
pub(crate) type Answers = Vec<Vec<u8>>;

pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) received: Receiver<Received>,
}

impl Server {
    /// Takes one connection after the other, each with answers of its own.
    pub(crate) fn start(connections: Vec<Answers>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, received) = channel();
        thread::spawn(move || {
            for (connection, answers) in connections.into_iter().enumerate() {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                let mut stream = BufReader::new(stream);
                for answer in answers {
                    let Some((head, body)) = read_request(&mut stream) else {
                        break;
                    };
                    let request = Received {
                        head,
                        body,
                        connection,
                    };
                    // The test may be over: then nobody looks at the request any more.
                    if sender.send(request).is_err() || stream.get_mut().write_all(&answer).is_err()
                    {
                        return;
                    }
                }
            }
        });
        Self { address, received }
    }

    /// One connection, one answer.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(vec![vec![answer.into()]])
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }
}

fn read_request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length?];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// An answer with these header lines.
pub(crate) fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        out.push_str(header);
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}
