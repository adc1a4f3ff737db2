//! The shop: a handler, what it calls, and a message at the end.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;
use tonic::transport::{Channel, Endpoint};
use tower::Layer as _;
use trace_runtime::messaging::{Message, Producer};
use trace_runtime::tower::{ClientLayer, ServerLayer, TracedClient};
use trace_runtime::traced;

use crate::api::{ChargeRequest, PaymentsClient};
use crate::warehouse::{BROKER, Order, TOPIC};

type Payments = PaymentsClient<TracedClient<Channel>>;

struct Shop {
    payments: Payments,
    messages: UnboundedSender<Order>,
}

/// Serves until the program ends; returns the URL.
pub(crate) async fn serve(
    payments: &str,
    messages: UnboundedSender<Order>,
) -> crate::Result<String> {
    let channel = Endpoint::from_shared(payments.to_owned())?.connect_lazy();
    let channel = ClientLayer::new().layer(channel);
    let shop = Shop {
        payments: PaymentsClient::new(channel, payments.parse()?),
        messages,
    };
    let router = Router::new()
        .route("/orders/{product}/{count}", post(order))
        .layer(ServerLayer::new())
        .with_state(Arc::new(shop));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(url)
}

#[traced]
async fn order(
    State(shop): State<Arc<Shop>>,
    Path((product, count)): Path<(String, u32)>,
) -> Result<String, StatusCode> {
    tracing::info!("an order");
    let cents = reserve(&shop.payments, &product, count).await?;
    publish(&shop.messages, product, count)?;
    Ok(format!("{cents} cents"))
}

/// Not ours yet.
#[tracing::instrument(skip(payments))]
async fn reserve(payments: &Payments, product: &str, count: u32) -> Result<u64, StatusCode> {
    tracing::warn!(left = 1, "nearly sold out");
    charge(payments, u64::from(count) * 250).await
}

#[traced(skip(payments))]
async fn charge(payments: &Payments, cents: u64) -> Result<u64, StatusCode> {
    let reply = payments.clone().charge(ChargeRequest { cents }).await;
    let reply = reply.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(reply.into_inner().cents)
}

#[traced(skip(messages))]
fn publish(
    messages: &UnboundedSender<Order>,
    product: String,
    count: u32,
) -> Result<(), StatusCode> {
    let producer = Producer::new(BROKER).destination(TOPIC);
    let message = Message::new(Vec::new());
    let sent = producer.send(message, |headers| {
        messages.send(Order {
            headers,
            product,
            count,
        })
    });
    sent.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}
