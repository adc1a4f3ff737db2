//! One request, and what the other side makes of it: it may speak any protocol.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use http::{StatusCode, Uri};

use super::connect::{Place, left};
#[cfg(feature = "tls")]
use super::tls;
#[cfg(feature = "tls")]
use crate::exporter::tls::Tls;

/// More of an answer is not read.
const LIMIT: usize = 16 * 1024;

/// A connection, secured or not.
pub(super) trait Wire: Read + Write {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

#[cfg(feature = "tls")]
impl Wire for super::tls::Secured {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

/// What came back.
#[derive(Debug)]
pub(super) enum Reply {
    Http(HttpReply),
    /// The first frame of HTTP/2, which gRPC speaks.
    Http2,
    /// TLS complains that it was not spoken to.
    Tls,
    /// Something else.
    Other,
    /// The connection was closed without a byte.
    Closed,
    /// Nothing until the deadline.
    Silence,
    /// TLS broke off.
    #[cfg(feature = "tls")]
    Failed(std::io::Error),
}

impl Reply {
    /// What it is, and how long it took.
    pub(super) fn shown(&self, took: Duration) -> Option<String> {
        let what = match self {
            Reply::Http(reply) => status_line(reply.status),
            Reply::Http2 => "HTTP/2".to_owned(),
            Reply::Tls => "TLS".to_owned(),
            Reply::Other => "no HTTP".to_owned(),
            Reply::Closed => "connection closed".to_owned(),
            #[cfg(feature = "tls")]
            Reply::Failed(_) => "TLS failed".to_owned(),
            Reply::Silence => return None,
        };
        Some(format!("{what} after {} ms", took.as_millis()))
    }
}

/// `HTTP 404 Not Found`
pub(super) fn status_line(status: u16) -> String {
    let known = StatusCode::from_u16(status).ok();
    let reason = known.and_then(|status| status.canonical_reason());
    format!("HTTP {status} {}", reason.unwrap_or_default())
        .trim_end()
        .to_owned()
}

/// An answer of HTTP/1.
#[derive(Debug)]
pub(super) struct HttpReply {
    pub(super) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// The beginning, as text.
    body: String,
}

impl HttpReply {
    /// Servers of Go and nginx answer in plain text where TLS is expected.
    pub(super) fn wants_tls(&self) -> bool {
        self.body.contains("HTTPS server") || self.body.contains("HTTPS port")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A request to make.
pub(super) struct Call<'a> {
    pub(super) uri: &'a Uri,
    /// What names the URL, in backticks.
    pub(super) setting: &'a str,
    pub(super) request: &'a [u8],
    #[cfg(feature = "tls")]
    pub(super) tls: &'a Tls,
    /// Asked for in the handshake.
    #[cfg(feature = "tls")]
    pub(super) protocol: &'static [u8],
}

impl Call<'_> {
    /// Connects, sends the request and reads the answer.
    ///
    /// # Errors
    ///
    /// What was found instead of somebody who takes connections, and what to set, in a sentence.
    pub(super) fn make(&self, deadline: Instant) -> Result<Reply, String> {
        let https = self.uri.scheme_str() == Some("https");
        let host = self.uri.host().unwrap_or_default();
        let place = Place {
            host: host.trim_matches(['[', ']']),
            port: self.uri.port_u16().unwrap_or(if https { 443 } else { 80 }),
            setting: self.setting,
        };
        let mut stream = place.connect(deadline)?;
        #[cfg(feature = "tls")]
        if https {
            let secured = tls::secure(stream, self.tls, self.protocol, place.host, deadline);
            return Ok(match secured {
                Ok(mut stream) => exchange(&mut stream, self.request, deadline),
                Err(error) => Reply::Failed(error),
            });
        }
        Ok(exchange(&mut stream, self.request, deadline))
    }
}

/// How reading ended.
enum End {
    /// The answer is complete, or the time is over.
    Enough,
    Closed,
    #[cfg(feature = "tls")]
    Failed(std::io::Error),
}

/// Sends the request and reads the answer.
fn exchange(wire: &mut impl Wire, request: &[u8], deadline: Instant) -> Reply {
    let _ = wire.socket().set_write_timeout(Some(left(deadline)));
    // Whoever refuses to read may have said why.
    let _ = wire.write_all(request);
    let mut bytes = Vec::new();
    match read(wire, &mut bytes, deadline) {
        End::Enough => understand(&bytes, false),
        End::Closed => understand(&bytes, true),
        #[cfg(feature = "tls")]
        End::Failed(error) => Reply::Failed(error),
    }
}

fn read(wire: &mut impl Wire, bytes: &mut Vec<u8>, deadline: Instant) -> End {
    let mut buffer = [0; 2048];
    while bytes.len() < LIMIT && !is_complete(bytes) && Instant::now() < deadline {
        let _ = wire.socket().set_read_timeout(Some(left(deadline)));
        match wire.read(&mut buffer) {
            Ok(0) => return End::Closed,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return End::Enough,
                #[cfg(feature = "tls")]
                ErrorKind::InvalidData => return End::Failed(error),
                _ => return End::Closed,
            },
        }
    }
    End::Enough
}

fn is_complete(bytes: &[u8]) -> bool {
    if !b"HTTP/1.".iter().zip(bytes).all(|(a, b)| a == b) {
        return bytes.len() >= 9; // the head of a frame
    }
    let Some((head, body)) = split_head(bytes) else {
        return false;
    };
    let reply = parse_head(head);
    let header = |name: &str| reply.as_ref().and_then(|reply| reply.header(name));
    match header("content-length").and_then(|text| text.parse::<usize>().ok()) {
        Some(length) => body.len() >= length,
        None => header("transfer-encoding").is_some() && body.ends_with(b"0\r\n\r\n"),
    }
}

fn understand(bytes: &[u8], closed: bool) -> Reply {
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    match bytes {
        [] if closed => Reply::Closed,
        [] => Reply::Silence,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', ..] => {
            let (head, body) = split_head(bytes).unwrap_or((bytes, &[]));
            parse_head(head).map_or(Reply::Other, |reply| {
                let body = String::from_utf8_lossy(body).into_owned();
                Reply::Http(HttpReply { body, ..reply })
            })
        }
        // Length, kind, flags and stream 0.
        [0, _, _, SETTINGS | GOAWAY, _, 0, 0, 0, 0, ..] => Reply::Http2,
        // An alert, of any version.
        [21, 3, _, 0, ..] => Reply::Tls,
        _ => Reply::Other,
    }
}

fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((&bytes[..end], &bytes[end + 4..]))
}

fn parse_head(head: &[u8]) -> Option<HttpReply> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some(HttpReply {
        status,
        headers,
        body: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_protocol() {
        // A server of HTTP/2 begins with its settings.
        let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];
        let reply = |bytes: &[u8], closed| format!("{:?}", understand(bytes, closed));
        assert_eq!(reply(&settings, true), "Http2");
        assert_eq!(reply(&[21, 3, 1, 0, 2, 2, 70], true), "Tls");
        assert_eq!(reply(b"SSH-2.0-server\r\n", false), "Other");
        assert_eq!(reply(b"", true), "Closed");
        assert_eq!(reply(b"", false), "Silence");
    }

    #[test]
    fn an_answer_has_status_headers_and_body() {
        let bytes = b"HTTP/1.1 404 Not Found\r\nDate: now\r\nContent-Length: 4\r\n\r\nnone";
        let Reply::Http(reply) = understand(bytes, false) else {
            panic!("no HTTP");
        };
        assert_eq!((reply.status, reply.body.as_str()), (404, "none"));
        assert_eq!(reply.header("date"), Some("now"));
        assert!(is_complete(bytes));
        assert!(!is_complete(&bytes[..bytes.len() - 1]));
        assert!(!is_complete(b"HTT"));
    }

    #[test]
    fn a_body_in_chunks_ends_with_an_empty_one() {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let whole = [&head[..], b"2\r\nok\r\n0\r\n\r\n"].concat();
        assert!(is_complete(&whole));
        assert!(!is_complete(&whole[..whole.len() - 2]));
    }

    mod any_input {
        use proptest::prelude::*;

        use super::*;
        use crate::any_input;

        const PIECES: &[&str] = &[
            "HTTP/1.1",
            "HTTP/2",
            " ",
            "200",
            "404",
            "\r\n",
            "\r\n\r\n",
            "Content-Length: ",
            "4",
            "Transfer-Encoding: chunked",
            "0\r\n\r\n",
            "Date: ",
            "none",
            "\0\0\x06\x04\0\0\0\0\0",
            "\x15\x03\x01\0\x02",
            ":",
        ];

        proptest! {
            #![proptest_config(any_input::config())]

            #[test]
            fn any_answer(bytes in any_input::bytes(PIECES), closed: bool) {
                let _ = is_complete(&bytes);
                if let Reply::Http(reply) = understand(&bytes, closed) {
                    let mut again = format!("HTTP/1.1 {}\r\n", reply.status);
                    for (name, value) in &reply.headers {
                        again.push_str(&format!("{name}: {value}\r\n"));
                    }
                    again.push_str(&format!("\r\n{}", reply.body));
                    let again = understand(again.as_bytes(), closed);
                    prop_assert_eq!(format!("{again:?}"), format!("{:?}", Reply::Http(reply)));
                }
            }
        }
    }
}
