//! A gateway and the service behind it, and somebody who buys furniture.
//!
//! ```text
//! cargo run -p examples --bin quickstart
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 cargo run -p examples --bin quickstart
//! ```
//!
//! The first draws every request on the terminal, the second sends it to a collector, say Jaeger.

mod gateway;
mod http;
mod options;
mod orders;
mod report;
mod server;
mod shopper;
mod stock;

use std::process::ExitCode;
use std::time::Duration;

use axum::BoxError;
use trace_runtime::{Console, InitError, Tracer, TracerGuard};

use options::Options;
use server::Server;

/// A service of its own in every trace. In a program that is one service, `init_tracer()` does.
fn tracer(service: &str) -> Result<(Tracer, TracerGuard), InitError> {
    Tracer::builder()
        .with_service_name(service)
        .with_default_exporter(Console::new())
        .build()
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), BoxError> {
    let options = Options::from_arguments(std::env::args().skip(1))?;
    let (orders_tracer, orders_guard) = tracer("orders")?;
    let (gateway_tracer, gateway_guard) = tracer("gateway")?;
    let guards = [gateway_guard, orders_guard];

    let orders = Server::start(orders::router(&orders_tracer), &orders_tracer).await?;
    let gateway = Server::start(gateway::router(orders.url()), &gateway_tracer).await?;

    println!("{} asks {}\n", gateway.url(), orders.url());
    let seen_in = report::jaeger_ui(&guards, &options);
    for cart in shopper::carts() {
        let answer = shopper::buy(&gateway.url(), &cart).await?;
        report::answer(&cart, &answer, seen_in.as_deref());
    }
    if options.serve {
        report::how_to_ask(&gateway.url());
        server::asked_to_stop().await?;
    }

    // From the outside in, so that what is under way still finds whom it asks.
    gateway.stop().await?;
    orders.stop().await?;
    println!();
    for guard in &guards {
        guard.shutdown(Duration::from_secs(5))?;
    }
    report::what_next(&guards);
    Ok(())
}
