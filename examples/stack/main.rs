//! One order on its way through a whole stack, drawn as one trace.
//!
//! A client with reqwest asks a shop on axum; a function of `tracing` reserves the goods and warns; tonic
//! calls the payments, which are a process of their own; a message tells the warehouse. Lines of the log
//! are JSON on standard output, and carry the ids of the span in which they were written.
//!
//! ```text
//! cargo run -p stack                                                            on the terminal
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 cargo run -p stack          in Jaeger
//! ```

mod api;
mod log;
mod payments;
mod shop;
mod warehouse;

use std::error::Error;
use std::time::Duration;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use trace_runtime::reqwest::ClientMiddleware;
use trace_runtime::{Console, Tracer, TracerGuard, traced};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The argument that makes this program the payments.
const PAYMENTS: &str = "--payments";

#[tokio::main]
async fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some(PAYMENTS) {
        let guard = trace("payments")?;
        payments::serve().await?;
        return Ok(guard.shutdown(Duration::from_secs(5))?);
    }
    let guard = trace("shop")?;
    let (payments, address) = payments::spawn(PAYMENTS).await?;
    let (messages, warehouse) = warehouse::open();
    let url = shop::serve(&address, messages).await?;
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(ClientMiddleware::new())
        .build();

    let answer = buy(&client, &url, "tea", 3).await?;
    println!("the shop says: {answer}");

    warehouse.await?;
    payments.stop().await?;
    Ok(guard.shutdown(Duration::from_secs(5))?)
}

/// The tracer first: the layer for `#[instrument]` asks for its provider.
fn trace(service: &str) -> Result<TracerGuard> {
    let guard = Tracer::builder()
        .with_service_name(service)
        .with_default_exporter(Console::new())
        .install()?;
    log::init()?;
    Ok(guard)
}

#[traced(skip(client))]
async fn buy(
    client: &ClientWithMiddleware,
    shop: &str,
    product: &str,
    count: u32,
) -> reqwest_middleware::Result<String> {
    let url = format!("{shop}/orders/{product}/{count}");
    Ok(client.post(url).send().await?.text().await?)
}
