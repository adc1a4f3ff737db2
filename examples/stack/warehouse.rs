//! The warehouse: what becomes of a message. The broker is a channel.

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use trace_runtime::messaging::Consumer;
use trace_runtime::traced;

pub(crate) const BROKER: &str = "kafka";
pub(crate) const TOPIC: &str = "orders";

/// A message as a broker has it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) product: String,
    pub(crate) count: u32,
}

/// Ends with the first message.
pub(crate) fn open() -> (UnboundedSender<Order>, JoinHandle<()>) {
    let (sender, mut messages) = unbounded_channel::<Order>();
    let warehouse = async move {
        let consumer = Consumer::new(BROKER)
            .destination(TOPIC)
            .group("packers")
            .continue_trace();
        if let Some(order) = messages.recv().await {
            consumer.process(&order.headers, || pack(&order.product, order.count));
        }
    };
    (sender, tokio::spawn(warehouse))
}

#[traced]
fn pack(product: &str, count: u32) {
    tracing::info!(product, count, "packed");
}
