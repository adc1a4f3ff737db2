//! What the receiver's answer means for the batch.

use super::proto::{Field, Fields};
use crate::ExportError;
use crate::exporter::http::Answer;
use crate::exporter::http::answer::first_line;

/// # Errors
///
/// [`ExportError`] for everything but a full success.
pub(super) fn outcome(answer: &Answer<'_>) -> Result<(), ExportError> {
    match answer.status.as_u16() {
        200..=299 if answer.is_web_page() => Err(rejected(answer)),
        200..=299 => partial_success(answer.body),
        429 | 502 | 503 | 504 => Err(answer.retry(&said(answer))),
        _ => Err(rejected(answer)),
    }
}

fn rejected(answer: &Answer<'_>) -> ExportError {
    answer.rejected(&said(answer), hint(answer))
}

fn said(answer: &Answer<'_>) -> String {
    if answer.has_type("application/x-protobuf") {
        status_message(answer.body)
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
    // The count is signed: a negative one makes no sense, and none with a message is advice.
    if spans == 0 || spans > i64::MAX as u64 {
        return Ok(());
    }
    Err(ExportError::Rejected { spans, message })
}

/// The message of a `google.rpc.Status`, which OTLP receivers send with an error.
fn status_message(body: &[u8]) -> String {
    let message = Fields(body).find_map(|field| match field {
        (2, Field::Bytes(message)) => Some(first_line(message)),
        _ => None,
    });
    message.unwrap_or_default()
}
