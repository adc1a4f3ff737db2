//! The service: an order is looked up, priced and reserved. The steps are the same for all; what
//! differs is who traces them.

use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::io::BufRead;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use benches::clock::process_cpu_time;
use benches::subject::{self, Destination, OURS, PLAIN};
use tokio::net::TcpListener;

/// First argument of the process that serves; then subject and collector.
pub(crate) const ROLE: &str = "--serve";

/// The request, the handler and three steps.
pub(crate) const SPANS_PER_REQUEST: u64 = 5;

/// Serves until its input ends, and answers every line with the CPU time since the one before.
pub(crate) fn serve(subject: &str, collector: &str) -> Result<(), Box<dyn Error>> {
    let router = match subject {
        PLAIN => plain::router(),
        OURS => ours::router(),
        "tracing" => tracing::router(),
        _ => return Err(format!("unknown subject `{subject}`").into()),
    };
    let subject = subject::find(subject).ok_or("unknown subject")?;
    let pipeline = subject.install(&Destination::Otlp(collector.to_owned()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("{}", listener.local_addr()?.port());
    runtime.spawn(async move { axum::serve(listener, router).await });
    let mut before = process_cpu_time();
    for line in std::io::stdin().lock().lines() {
        line?;
        let now = process_cpu_time();
        println!("{}", (now - before).as_nanos());
        before = now;
    }
    drop(runtime);
    pipeline.shutdown();
    Ok(())
}

/// What a database would give.
async fn items(order: u64) -> Vec<u64> {
    tokio::task::yield_now().await;
    (order..order + 2_000).collect()
}

/// A few microseconds of work.
fn total(order: u64, items: &[u64]) -> u64 {
    items.iter().fold(order, |sum, item| {
        black_box(sum ^ item).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What another service would say.
async fn confirmation(order: u64, warehouse: &str) -> bool {
    tokio::task::yield_now().await;
    black_box(order) != u64::MAX && !warehouse.is_empty()
}

fn answer(order: u64, total: u64, reserved: bool) -> String {
    format!("{{\"order\":{order},\"total\":{total},\"reserved\":{reserved}}}")
}

fn route<F, H>(handler: H) -> Router
where
    F: Future<Output = String> + Send + 'static,
    H: Fn(Path<u64>) -> F + Clone + Send + Sync + 'static,
{
    Router::new().route("/orders/{order}", get(handler))
}

mod plain {
    use super::{Path, Router, answer, confirmation, items, route, total};

    async fn order(Path(order): Path<u64>) -> String {
        let items = load(order).await;
        let total = price(order, &items);
        let reserved = reserve(order, "warehouse-1").await;
        answer(order, total, reserved)
    }

    async fn load(order: u64) -> Vec<u64> {
        items(order).await
    }

    fn price(order: u64, items: &[u64]) -> u64 {
        total(order, items)
    }

    async fn reserve(order: u64, warehouse: &str) -> bool {
        confirmation(order, warehouse).await
    }

    pub(super) fn router() -> Router {
        route(order)
    }
}

mod ours {
    use super::{Path, Router, answer, confirmation, items, route, total};
    use trace_runtime::tower::ServerLayer;
    use trace_runtime::traced;

    #[traced]
    async fn order(Path(order): Path<u64>) -> String {
        let items = load(order).await;
        let total = price(order, &items);
        let reserved = reserve(order, "warehouse-1").await;
        answer(order, total, reserved)
    }

    #[traced]
    async fn load(order: u64) -> Vec<u64> {
        items(order).await
    }

    #[traced(skip(items))]
    fn price(order: u64, items: &[u64]) -> u64 {
        total(order, items)
    }

    #[traced]
    async fn reserve(order: u64, warehouse: &str) -> bool {
        confirmation(order, warehouse).await
    }

    pub(super) fn router() -> Router {
        route(order).layer(ServerLayer::new())
    }
}

mod tracing {
    use super::{Path, Router, answer, confirmation, items, route, total};
    use tower_http::trace::TraceLayer;
    use tracing::instrument;

    #[instrument]
    async fn order(Path(order): Path<u64>) -> String {
        let items = load(order).await;
        let total = price(order, &items);
        let reserved = reserve(order, "warehouse-1").await;
        answer(order, total, reserved)
    }

    #[instrument]
    async fn load(order: u64) -> Vec<u64> {
        items(order).await
    }

    #[instrument(skip(items))]
    fn price(order: u64, items: &[u64]) -> u64 {
        total(order, items)
    }

    #[instrument]
    async fn reserve(order: u64, warehouse: &str) -> bool {
        confirmation(order, warehouse).await
    }

    pub(super) fn router() -> Router {
        route(order).layer(TraceLayer::new_for_http())
    }
}
