//! What the receiver's answer means for the batch.

use std::time::SystemTime;

use http::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use http::{StatusCode, Uri};
use serde_json::Value as Json;

use super::http::Format;
use super::proto::{Field, Fields};
use super::retry_after;
use crate::ExportError;

/// An answer, and the question it belongs to.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) uri: &'a Uri,
    pub(super) target: &'a str,
    /// How many spans were sent.
    pub(super) spans: u64,
}

impl Answer<'_> {
    /// # Errors
    ///
    /// [`ExportError`] for everything but a full success.
    pub(super) fn outcome(&self) -> Result<(), ExportError> {
        match self.status.as_u16() {
            // Web servers that know no better answer any path with a page.
            200..=299 if self.has_type("text/html") => Err(self.rejected()),
            200..=299 if self.has_type(Format::Json.media_type()) => {
                partial_success_json(self.body)
            }
            200..=299 => partial_success(self.body),
            429 | 502 | 503 | 504 => Err(ExportError::Retry {
                after: self
                    .header(RETRY_AFTER.as_str())
                    .and_then(|value| retry_after::parse(value, SystemTime::now())),
                message: self.message(),
            }),
            _ => Err(self.rejected()),
        }
    }

    fn rejected(&self) -> ExportError {
        let mut message = self.message();
        if let Some(hint) = self.hint() {
            message.push_str("; ");
            message.push_str(&hint);
        }
        ExportError::Rejected {
            spans: self.spans,
            message,
        }
    }

    /// `HTTP 404 Not Found from http://host/v1/traces: first line of the body`.
    fn message(&self) -> String {
        let (status, target) = (self.status.as_u16(), self.target);
        let reason = self.status.canonical_reason().unwrap_or_default();
        let mut message = format!("HTTP {status} {reason} from {target}").replace("  ", " ");
        let said = if self.has_type("text/html") {
            "a web page".to_owned()
        } else if self.has_type(Format::Protobuf.media_type()) {
            status_message(self.body)
        } else if self.has_type(Format::Json.media_type()) {
            status_message_json(self.body).unwrap_or_else(|| first_line(self.body))
        } else {
            first_line(self.body)
        };
        if !said.is_empty() {
            message.push_str(": ");
            message.push_str(&said);
        }
        message
    }

    /// What is probably wrong.
    fn hint(&self) -> Option<String> {
        Some(match self.status.as_u16() {
            300..=399 => {
                let location = self.header(LOCATION.as_str()).unwrap_or_default();
                let location = location.split('?').next().unwrap_or_default();
                if location.is_empty() || location.contains('@') {
                    "redirects are not followed".to_owned()
                } else {
                    format!("redirects are not followed, send to `{location}`")
                }
            }
            401 | 403 => "check the credentials in the exporter's headers".to_owned(),
            413 => "a smaller `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` may help".to_owned(),
            415 => "the receiver does not take OTLP as protobuf here".to_owned(),
            200..=299 | 404 | 405 if self.uri.path().ends_with("/v1/traces") => {
                "OTLP over HTTP is usually on port 4318".to_owned()
            }
            200..=299 | 404 | 405 => {
                "OTLP over HTTP is usually received at the path `/v1/traces`".to_owned()
            }
            _ => return None,
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn has_type(&self, media_type: &str) -> bool {
        let given = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let given = given.split(';').next().unwrap_or_default();
        given.trim().eq_ignore_ascii_case(media_type)
    }
}

/// `ExportTraceServiceResponse.partial_success`: how many spans were refused, and why.
fn partial_success(body: &[u8]) -> Result<(), ExportError> {
    let partial = Fields(body).find_map(|field| match field {
        (1, Field::Bytes(partial)) => Some(partial),
        _ => None,
    });
    let (mut spans, mut message) = (0, String::new());
    for field in Fields(partial.unwrap_or_default()) {
        match field {
            (1, Field::Varint(count)) => spans = count,
            (2, Field::Bytes(text)) => message = first_line(text),
            _ => {}
        }
    }
    refused(spans as i64, message)
}

/// The same in JSON, where a count of 64 bits may stand in quotes.
fn partial_success_json(body: &[u8]) -> Result<(), ExportError> {
    let body: Json = serde_json::from_slice(body).unwrap_or_default();
    let partial = &body["partialSuccess"];
    let count = &partial["rejectedSpans"];
    let spans = count
        .as_i64()
        .or_else(|| count.as_str()?.parse().ok())
        .unwrap_or(0);
    let message = partial["errorMessage"].as_str().unwrap_or_default();
    refused(spans, first_line(message.as_bytes()))
}

/// A negative count makes no sense, and zero with a message is advice.
fn refused(spans: i64, message: String) -> Result<(), ExportError> {
    match u64::try_from(spans) {
        Err(_) | Ok(0) => Ok(()),
        Ok(spans) => Err(ExportError::Rejected { spans, message }),
    }
}

/// The message of a `google.rpc.Status`, which OTLP receivers send with an error.
fn status_message(body: &[u8]) -> String {
    let message = Fields(body).find_map(|field| match field {
        (2, Field::Bytes(message)) => Some(first_line(message)),
        _ => None,
    });
    message.unwrap_or_default()
}

fn status_message_json(body: &[u8]) -> Option<String> {
    let status: Json = serde_json::from_slice(body).ok()?;
    Some(first_line(status["message"].as_str()?.as_bytes()))
}

/// At most 200 characters, and nothing that could disturb a terminal.
fn first_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}
