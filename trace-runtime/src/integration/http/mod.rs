//! What spans say about requests, whichever library sends or serves them.

pub(super) mod attributes;
pub(super) mod client;
pub(super) mod error;
pub(super) mod grpc;
mod url;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// What a request speaks, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Grpc,
    /// Its trailers are part of the body, which nobody here reads.
    GrpcWeb,
}

impl Protocol {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let content_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
        let rest = content_type.and_then(|value| value.strip_prefix(b"application/grpc"));
        match rest {
            Some(rest) if rest.starts_with(b"-web") => Self::GrpcWeb,
            Some([] | [b'+' | b';' | b' ', ..]) => Self::Grpc,
            _ => Self::Http,
        }
    }
}
