//! Step 2: the innermost functions are `#[traced]`, and every line has its trace.

#[path = "../declined.rs"]
mod declined;
#[path = "../serve.rs"]
mod serve;

use std::error::Error;

use axum::extract::{MatchedPath, Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use axum::{Router, http::StatusCode};
use declined::Declined;
use opentelemetry::global;
use opentelemetry_http::HeaderExtractor;
use trace_runtime::tracing::{SpanEvents, WithSpan};
use trace_runtime::{TracerGuard, traced};
use tracing::{Instrument as _, field, info, info_span, instrument, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let _guard = start_tracing()?;
    let app = Router::new()
        .route("/checkout/{cart_id}", post(checkout))
        .layer(from_fn(trace_request));
    serve::serve(app).await?;
    Ok(())
}

fn start_tracing() -> Result<TracerGuard, Box<dyn Error>> {
    let guard = trace_runtime::try_init_tracer()?;
    let spans = tracing_opentelemetry::layer()
        .with_tracer(global::tracer("shop"))
        .with_filter(filter_fn(|metadata| metadata.is_span()));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .map_event_format(WithSpan::json);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(spans)
        .with(lines)
        .with(SpanEvents::new())
        .try_init()?;
    Ok(guard)
}

/// A server span around every request, which continues the caller's trace.
async fn trace_request(request: Request, next: Next) -> Response {
    let (method, path) = (request.method(), request.extensions().get::<MatchedPath>());
    let route = path.map_or("", |path| path.as_str());
    let span = info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = field::Empty,
    );
    let caller = global::get_text_map_propagator(|propagator| {
        propagator.extract(&HeaderExtractor(request.headers()))
    });
    // Fails only for a span that is turned off.
    let _ = span.set_parent(caller);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status >= StatusCode::INTERNAL_SERVER_ERROR {
        span.record("otel.status_code", "ERROR");
    }
    response
}

#[instrument(err)]
async fn checkout(Path(cart_id): Path<i64>) -> Result<String, Declined> {
    let amount = price(cart_id).await;
    charge(cart_id, amount).await?;
    tokio::spawn(send_receipt(cart_id).in_current_span());
    info!(amount, "sold");
    Ok(format!("sold for {amount}\n"))
}

#[instrument]
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

#[instrument]
async fn send_receipt(cart_id: i64) {
    tokio::task::yield_now().await;
    info!(cart_id, "receipt sent");
}
