//! What no step changes: an error, as the service has it.

use std::error::Error;
use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// The bank said no.
#[derive(Debug)]
pub(crate) struct Declined {
    pub(crate) amount: i64,
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bank does not pay {}", self.amount)
    }
}

impl Error for Declined {}

impl IntoResponse for Declined {
    fn into_response(self) -> Response {
        (StatusCode::PAYMENT_REQUIRED, format!("{self}\n")).into_response()
    }
}
