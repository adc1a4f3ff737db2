//! After: every function is `#[traced]`; `tracing` is for log lines.

#[path = "../declined.rs"]
mod declined;
#[path = "../serve.rs"]
mod serve;

use std::error::Error;

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use declined::Declined;
use trace_runtime::tower::ServerLayer;
use trace_runtime::tracing::{SpanEvents, WithSpan};
use trace_runtime::{TracerGuard, traced};
use tracing::{info, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let _guard = start_tracing()?;
    let app = Router::new()
        .route("/checkout/{cart_id}", post(checkout))
        .layer(ServerLayer::new());
    serve::serve(app).await?;
    Ok(())
}

fn start_tracing() -> Result<TracerGuard, Box<dyn Error>> {
    let guard = trace_runtime::try_init_tracer()?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .map_event_format(WithSpan::json);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(lines)
        .with(SpanEvents::new())
        .try_init()?;
    Ok(guard)
}

#[traced]
async fn checkout(Path(cart_id): Path<i64>) -> Result<String, Declined> {
    let amount = price(cart_id).await;
    charge(cart_id, amount).await?;
    trace_runtime::spawn(send_receipt(cart_id));
    info!(amount, "sold");
    Ok(format!("sold for {amount}\n"))
}

#[traced]
async fn price(cart_id: i64) -> i64 {
    look_up(cart_id).await * 2
}

#[traced(kind = client)]
async fn look_up(cart_id: i64) -> i64 {
    tokio::task::yield_now().await;
    cart_id * 10
}

#[traced(kind = client)]
async fn charge(cart_id: i64, amount: i64) -> Result<(), Declined> {
    warn!(attempt = 2, "the bank is slow");
    tokio::task::yield_now().await;
    match cart_id {
        0 => Err(Declined { amount }),
        _ => Ok(()),
    }
}

#[traced]
async fn send_receipt(cart_id: i64) {
    tokio::task::yield_now().await;
    info!(cart_id, "receipt sent");
}
