//! A receiver that took not all of the spans.

use super::proto::{Field, Fields};
use crate::ExportError;
use crate::plain_text::first_line;

/// `ExportTraceServiceResponse.partial_success`: how many spans were refused, and why.
pub(super) fn partial_success(body: &[u8]) -> Result<(), ExportError> {
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

/// A negative count makes no sense, and zero with a message is advice.
pub(super) fn refused(spans: i64, message: String) -> Result<(), ExportError> {
    match u64::try_from(spans) {
        Err(_) | Ok(0) => Ok(()),
        Ok(spans) => Err(ExportError::Rejected { spans, message }),
    }
}
