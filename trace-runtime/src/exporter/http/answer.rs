//! A receiver's answer, and how to speak about it.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};

use super::retry_after;
use crate::ExportError;
use crate::plain_text::first_line;

/// An answer, and the question it belongs to.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// The URL, without credentials and query: what is probably wrong may show in it.
    #[cfg_attr(not(feature = "otlp-http"), expect(dead_code))]
    pub(crate) target: &'a str,
    /// How many spans were sent.
    pub(crate) spans: u64,
}

impl Answer<'_> {
    /// The receiver will take the same request later.
    pub(crate) fn retry(&self, said: &str) -> ExportError {
        ExportError::Retry {
            after: self.retry_after(),
            message: self.message(said),
        }
    }

    /// The receiver will never take the request; the hint says what is probably wrong.
    pub(crate) fn rejected(&self, said: &str, hint: Option<String>) -> ExportError {
        let mut message = self.message(said);
        if let Some(hint) = hint {
            message.push_str("; ");
            message.push_str(&hint);
        }
        ExportError::Rejected {
            spans: self.spans,
            message,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let value = self.header(RETRY_AFTER.as_str())?;
        retry_after::parse(value, SystemTime::now())
    }

    /// `HTTP 404 Not Found: what it said`. Whoever reports it says who answered.
    fn message(&self, said: &str) -> String {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let message = format!("HTTP {} {reason}", self.status.as_u16());
        let message = message.trim_end();
        if said.is_empty() {
            message.to_owned()
        } else {
            format!("{message}: {said}")
        }
    }

    /// The first line of an answer that is text.
    pub(crate) fn said(&self) -> String {
        if self.is_web_page() {
            "a web page".to_owned()
        } else {
            first_line(self.body)
        }
    }

    /// Web servers that know no better answer any path with a page.
    pub(crate) fn is_web_page(&self) -> bool {
        self.has_type("text/html")
    }

    /// What to tell whoever has configured a receiver that redirects.
    pub(crate) fn redirect_hint(&self) -> String {
        let location = self.header(LOCATION.as_str()).unwrap_or_default();
        let location = location.split('?').next().unwrap_or_default();
        if location.is_empty() || location.contains('@') {
            "redirects are not followed".to_owned()
        } else {
            format!("redirects are not followed, send to `{location}`")
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn has_type(&self, media_type: &str) -> bool {
        let given = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let given = given.split(';').next().unwrap_or_default();
        given.trim().eq_ignore_ascii_case(media_type)
    }
}
