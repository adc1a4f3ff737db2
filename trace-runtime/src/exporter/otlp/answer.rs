//! What the receiver's answer means for the batch.

use serde_json::Value as Json;

use super::http::Format;
use super::partial::{partial_success, refused};
use super::proto::{Field, Fields};
use crate::ExportError;
use crate::exporter::http::Answer;
use crate::plain_text::first_line;

/// # Errors
///
/// [`ExportError`] for everything but a full success.
pub(super) fn outcome(answer: &Answer<'_>) -> Result<(), ExportError> {
    match answer.status.as_u16() {
        200..=299 if answer.is_web_page() => Err(rejected(answer)),
        200..=299 if answer.has_type(Format::Json.media_type()) => {
            partial_success_json(answer.body)
        }
        200..=299 => partial_success(answer.body),
        429 | 502 | 503 | 504 => Err(answer.retry(&said(answer))),
        _ => Err(rejected(answer)),
    }
}

fn rejected(answer: &Answer<'_>) -> ExportError {
    answer.rejected(&said(answer), hint(answer))
}

fn said(answer: &Answer<'_>) -> String {
    if answer.has_type(Format::Protobuf.media_type()) {
        status_message(answer.body)
    } else if answer.has_type(Format::Json.media_type()) {
        status_message_json(answer.body).unwrap_or_else(|| answer.said())
    } else {
        answer.said()
    }
}

/// What is probably wrong.
fn hint(answer: &Answer<'_>) -> Option<String> {
    Some(match answer.status.as_u16() {
        300..=399 => answer.redirect_hint(),
        401 | 403 => "check the credentials in the exporter's headers".to_owned(),
        413 => "a smaller `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` may help".to_owned(),
        415 => "the receiver does not take OTLP as protobuf here".to_owned(),
        200..=299 | 404 | 405 if answer.target.ends_with("/v1/traces") => {
            "OTLP over HTTP is usually on port 4318".to_owned()
        }
        200..=299 | 404 | 405 => {
            "OTLP over HTTP is usually received at the path `/v1/traces`".to_owned()
        }
        _ => return None,
    })
}

/// A partial success in JSON, where a count of 64 bits may stand in quotes.
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
