//! Whatever a receiver answers.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use proptest::prelude::*;
use proptest::sample::select;

use crate::ExportError;
use crate::any_input;
use crate::exporter::http::Answer;
use crate::exporter::otlp::answer::outcome;
use crate::exporter::otlp::proto::Fields;

const PIECES: &[&str] = &[
    "\x08",
    "\x0a",
    "\x10",
    "\x12",
    "\x01",
    "\x05",
    "\x7f",
    "\0",
    "\x1a",
    "\x0d",
    "\x09",
    "no",
    "é",
    "{\"partialSuccess\":{",
    "\"rejectedSpans\":",
    "\"3\"",
    "-1",
    ",",
    "\"errorMessage\":\"a\\nb\"",
    "}}",
    "{\"message\":\"",
    "\"}",
];
const TYPES: &[&str] = &[
    "application/x-protobuf",
    "application/json; a=b",
    "text/html",
    "text/plain",
];
const STATUS: &[u16] = &[200, 202, 307, 400, 401, 404, 413, 429, 503];

proptest! {
    #![proptest_config(any_input::config())]

    #[test]
    fn any_answer(
        body in any_input::bytes(PIECES),
        header in any_input::bytes(PIECES),
        media_type in select(TYPES),
        status in select(STATUS),
    ) {
        prop_assert!(Fields(&body).count() <= body.len());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        if let Ok(value) = HeaderValue::from_bytes(&header) {
            headers.insert(RETRY_AFTER, value.clone());
            headers.insert(LOCATION, value);
        }
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            headers: &headers,
            body: &body,
            target: "http://host/v1/traces",
            spans: 5,
        };
        match outcome(&answer) {
            Ok(()) => prop_assert!(status < 300),
            Err(ExportError::Retry { message, .. } | ExportError::Rejected { message, .. }) => {
                prop_assert!(!message.contains('\n'), "{}", message);
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }
}
