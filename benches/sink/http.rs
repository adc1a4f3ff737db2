//! As much of HTTP/1.1 as OTLP exporters use: keep-alive, `Content-Length` and chunked bodies.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// One connection of an exporter.
pub(super) struct Connection {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        let writer = stream.try_clone()?;
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, stream),
            writer,
        })
    }

    /// The body of the next request; `None` when the peer has closed.
    pub(super) fn request(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            lines.push(line.to_ascii_lowercase());
        }
        if !lines
            .first()
            .is_some_and(|line| line.starts_with("post /v1/traces "))
        {
            return Err(invalid("not a post to `/v1/traces`"));
        }
        let header = |name: &str| {
            lines
                .iter()
                .filter_map(|line| line.split_once(':'))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.trim())
        };
        if header("content-type") != Some("application/x-protobuf") {
            return Err(invalid("not a protobuf body"));
        }
        if header("expect").is_some() {
            self.writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if header("transfer-encoding") == Some("chunked") {
            return self.chunks().map(Some);
        }
        let length = header("content-length")
            .and_then(|length| length.parse().ok())
            .ok_or_else(|| invalid("no usable content length"))?;
        self.bytes(length).map(Some)
    }

    /// Answers the last request with an empty `ExportTraceServiceResponse`.
    pub(super) fn accept(&mut self) -> io::Result<()> {
        self.writer.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n",
        )
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        Ok(body)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line()?, 16)
                .map_err(|_| invalid("no usable chunk length"))?;
            body.extend(self.bytes(length)?);
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
