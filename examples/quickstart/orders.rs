//! The service `orders`: makes an order of a cart.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use trace_runtime::{Tracer, event, record, traced};

use crate::stock::{Stock, StockError};

#[derive(Deserialize, Serialize)]
pub(crate) struct NewOrder {
    pub(crate) cart_id: u64,
    pub(crate) customer: String,
    pub(crate) express: bool,
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) order_id: u64,
    pub(crate) total_cents: u64,
}

pub(crate) fn router(tracer: &Tracer) -> Router {
    Router::new()
        .route("/orders", post(create_order))
        .with_state(Stock::new(tracer))
}

#[traced]
async fn create_order(
    State(stock): State<Stock>,
    Json(NewOrder {
        cart_id,
        customer,
        express,
    }): Json<NewOrder>,
) -> Result<Json<Order>, ReserveError> {
    let (items, city) = tokio::join!(load_cart(cart_id), load_city(&customer));
    for item in &items {
        reserve(&stock, item.sku, item.quantity).await?;
    }
    event!("stock reserved", items = items.len());
    if express {
        book_courier(city).await;
    }
    let total_cents = price(&items, express);
    Ok(Json(insert_order(cart_id, total_cents).await))
}

struct Item {
    sku: &'static str,
    quantity: u64,
    cents: u64,
}

#[traced(kind = client, fields("db.system.name" = "postgresql"))]
async fn load_cart(cart_id: u64) -> Vec<Item> {
    sleep(Duration::from_millis(3)).await;
    let item = |sku, quantity, cents| Item {
        sku,
        quantity,
        cents,
    };
    let items = match cart_id {
        2 => vec![item("chair", 4, 4900), item("table", 1, 24_900)],
        3 => vec![item("sofa", 2, 79_900)],
        _ => vec![item("lamp", 1, 2900)],
    };
    record!(rows = items.len());
    items
}

#[traced(kind = client, fields("db.system.name" = "postgresql"))]
async fn load_city(customer: &str) -> &'static str {
    sleep(Duration::from_millis(5)).await;
    match customer {
        "eve" => "Nuuk",
        _ => "Berlin",
    }
}

#[traced]
async fn reserve(stock: &Stock, sku: &str, quantity: u64) -> Result<(), ReserveError> {
    stock
        .take(sku, quantity)
        .await
        .map_err(|source| ReserveError {
            sku: sku.to_owned(),
            source,
        })
}

/// It takes a while to Nuuk.
#[traced(kind = client)]
async fn book_courier(city: &str) {
    let answer = if city == "Nuuk" { 60_000 } else { 6 };
    sleep(Duration::from_millis(answer)).await;
}

#[traced]
fn price(items: &[Item], express: bool) -> u64 {
    let courier = if express { 1500 } else { 0 };
    let items: u64 = items.iter().map(|item| item.quantity * item.cents).sum();
    items + courier
}

#[traced(kind = client, fields("db.system.name" = "postgresql"))]
async fn insert_order(cart_id: u64, total_cents: u64) -> Order {
    sleep(Duration::from_millis(4)).await;
    Order {
        order_id: 1000 + cart_id,
        total_cents,
    }
}

#[derive(Debug)]
struct ReserveError {
    sku: String,
    source: StockError,
}

impl fmt::Display for ReserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be reserved", self.sku)
    }
}

impl Error for ReserveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl IntoResponse for ReserveError {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, self.to_string()).into_response()
    }
}
