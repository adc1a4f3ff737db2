//! The service `gateway`: takes a cart and has `orders` make an order of it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{BoxError, Json, Router, middleware};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};
use tower::Layer;
use trace_runtime::tower::{ClientLayer, TracedClient};
use trace_runtime::traced;

use crate::http;
use crate::orders::{NewOrder, Order};

/// Tells callers what to look for in Jaeger.
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// So long customers wait for an order.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) fn router(orders: String) -> Router {
    Router::new()
        .route("/checkout", post(checkout))
        .layer(middleware::map_response(with_trace_id))
        .with_state(Orders {
            url: orders,
            client: ClientLayer::new().layer(http::client()),
        })
}

#[derive(Deserialize)]
struct Checkout {
    cart_id: u64,
    customer: String,
    express: bool,
    card: String,
}

#[derive(Serialize)]
struct Receipt {
    order_id: u64,
    total_cents: u64,
}

#[traced(redact(card))]
async fn checkout(
    State(orders): State<Orders>,
    Json(Checkout {
        cart_id,
        customer,
        express,
        card,
    }): Json<Checkout>,
) -> Result<Json<Receipt>, CheckoutError> {
    authorize(&customer, &card).await?;
    let order = NewOrder {
        cart_id,
        customer,
        express,
    };
    let Ok(placed) = timeout(PATIENCE, orders.create(&order)).await else {
        return Err(CheckoutError::TooSlow);
    };
    let Order {
        order_id,
        total_cents,
    } = placed.map_err(CheckoutError::Orders)?;
    Ok(Json(Receipt {
        order_id,
        total_cents,
    }))
}

/// Asks the bank; everything about the card stays out of the trace.
#[traced(kind = client)]
async fn authorize(customer: &str, #[traced(redact)] card: &str) -> Result<(), CheckoutError> {
    sleep(Duration::from_millis(4)).await;
    if card.starts_with('4') {
        Ok(())
    } else {
        Err(CheckoutError::Declined(customer.to_owned()))
    }
}

/// The service `orders`, seen from here.
#[derive(Clone)]
struct Orders {
    url: String,
    /// Every request is a span, and takes the trace along.
    client: TracedClient<http::Client>,
}

impl Orders {
    #[traced]
    async fn create(&self, order: &NewOrder) -> Result<Order, BoxError> {
        let url = format!("{}/orders", self.url);
        let answer = http::post(self.client.clone(), &url, order).await?;
        if !answer.status().is_success() {
            return Err(format!("orders answered {}", answer.status()).into());
        }
        Ok(serde_json::from_slice(answer.body())?)
    }
}

#[derive(Debug)]
enum CheckoutError {
    Declined(String),
    Orders(BoxError),
    TooSlow,
}

impl fmt::Display for CheckoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declined(customer) => write!(f, "the bank declined the card of {customer}"),
            Self::Orders(_) => f.write_str("the order was not placed"),
            Self::TooSlow => write!(f, "no order within {PATIENCE:?}"),
        }
    }
}

impl Error for CheckoutError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Orders(source) => Some(&**source),
            Self::Declined(_) | Self::TooSlow => None,
        }
    }
}

impl IntoResponse for CheckoutError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Declined(_) => StatusCode::PAYMENT_REQUIRED,
            Self::Orders(_) => StatusCode::BAD_GATEWAY,
            Self::TooSlow => StatusCode::GATEWAY_TIMEOUT,
        };
        (status, self.to_string()).into_response()
    }
}

async fn with_trace_id(response: Response) -> Response {
    match trace_runtime::trace_id() {
        Some(id) => ([(TRACE_ID, id.to_string())], response).into_response(),
        None => response,
    }
}
