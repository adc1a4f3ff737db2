//! Who sends the requests; knows nothing of traces.

use axum::BoxError;
use axum::http::StatusCode;
use serde::Serialize;

use crate::http;

#[derive(Serialize)]
pub(crate) struct Cart {
    pub(crate) cart_id: u64,
    pub(crate) customer: &'static str,
    express: bool,
    card: &'static str,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) trace_id: String,
    pub(crate) body: String,
}

/// Two that are served, one whose sofa is not to be had, and one that no courier gets to in time.
pub(crate) fn carts() -> [Cart; 4] {
    let cart = |cart_id, customer, express| Cart {
        cart_id,
        customer,
        express,
        card: "4111 1111 1111 1111",
    };
    [
        cart(1, "ann", false),
        cart(2, "bob", true),
        cart(3, "ann", false),
        cart(1, "eve", true),
    ]
}

pub(crate) async fn buy(gateway: &str, cart: &Cart) -> Result<Answer, BoxError> {
    let url = format!("{gateway}/checkout");
    let response = http::post(http::client(), &url, cart).await?;
    let trace_id = response.headers().get(crate::gateway::TRACE_ID);
    Ok(Answer {
        status: response.status(),
        trace_id: trace_id
            .map_or("", |id| id.to_str().unwrap_or(""))
            .to_owned(),
        body: String::from_utf8_lossy(response.body()).into_owned(),
    })
}
