//! Messages that arrive.

use std::borrow::Cow;
use std::future::Future;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::TraceContextExt;

use super::client::{Client, Links, PROCESS, RECEIVE, complete, setters};
use super::handled::{self, Handled};
use super::{IntoMessage, Message};
use crate::Extract;
use crate::propagation::{self, ParentSource};
use crate::span::Active;
use crate::span_future::in_span;

/// Receives and processes messages from one destination.
///
/// Made once and used for every message; see the [module](super) for an example.
#[derive(Clone, Debug)]
pub struct Consumer {
    client: Client,
    continues: bool,
}

setters!(Consumer);

impl Consumer {
    /// A consumer of a messaging system, which has its name from the conventions: `kafka`, `rabbitmq`,
    /// `aws_sqs`, `gcp_pubsub`, `pulsar`, ..
    pub fn new(system: impl Into<Cow<'static, str>>) -> Self {
        Self {
            client: Client::new(system.into()),
            continues: false,
        }
    }

    /// What the system calls processing, say `consume`; `process` without it.
    #[must_use]
    pub fn operation(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.client.operation = Some(name.into());
        self
    }

    /// The consumer group, or what the system calls one.
    #[must_use]
    pub fn group(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.client.group = Some(name.into());
        self
    }

    /// Makes the sender of a single message the parent of its `process` span, so that both are one
    /// trace. The link stays, and a span that was current is linked to as well.
    ///
    /// Without it the conventions' default holds, a link alone. Batches are not affected: a span has one
    /// parent.
    #[must_use]
    pub fn continue_trace(mut self) -> Self {
        self.continues = true;
        self
    }

    /// Processes one message inside a span.
    ///
    /// ```
    /// use trace_runtime::messaging::Consumer;
    ///
    /// # fn handle(payload: &[u8]) -> Result<(), std::fmt::Error> { Ok(()) }
    /// # let (headers, payload): (Vec<(String, Vec<u8>)>, _) = (Vec::new(), b"3 tea");
    /// let orders = Consumer::new("kafka").destination("orders").group("packers");
    /// let result = orders.process(&headers, || handle(payload));
    /// # assert!(result.is_ok());
    /// ```
    pub fn process<M, R>(&self, message: M, process: impl FnOnce() -> R) -> R
    where
        M: IntoMessage<Headers: Extract>,
        R: Handled,
    {
        let mut span = self.begin(message);
        let result = span.run(process);
        handled::record(&mut span, &result);
        result
    }

    /// The same, with a future.
    ///
    /// ```
    /// use trace_runtime::messaging::Consumer;
    ///
    /// # async fn handle(payload: &[u8]) -> Result<(), std::fmt::Error> { Ok(()) }
    /// # async fn example(headers: Vec<(String, Vec<u8>)>, payload: &[u8]) {
    /// let orders = Consumer::new("kafka").destination("orders");
    /// if orders.process_async(&headers, handle(payload)).await.is_ok() { /* acknowledge */ }
    /// # }
    /// ```
    pub async fn process_async<M, F>(&self, message: M, process: F) -> F::Output
    where
        M: IntoMessage<Headers: Extract>,
        F: Future<Output: Handled>,
    {
        let mut span = self.begin(message);
        let result = in_span(&mut span, process).await;
        handled::record(&mut span, &result);
        result
    }

    /// Processes a batch of messages inside one span, which is linked to each.
    ///
    /// ```
    /// use trace_runtime::messaging::{Consumer, Message};
    ///
    /// # struct Record { id: u64, headers: Vec<(String, Vec<u8>)> }
    /// # fn handle(batch: &[Record]) -> Result<(), std::fmt::Error> { Ok(()) }
    /// # fn example(batch: Vec<Record>) -> Result<(), std::fmt::Error> {
    /// let orders = Consumer::new("kafka").destination("orders");
    /// let messages = batch.iter().map(|record| Message::new(&record.headers).id(record.id));
    /// orders.process_batch(messages, || handle(&batch))
    /// # }
    /// ```
    pub fn process_batch<I, R>(&self, messages: I, process: impl FnOnce() -> R) -> R
    where
        I: IntoIterator<Item: IntoMessage<Headers: Extract>>,
        R: Handled,
    {
        let mut span = self.begin_batch(messages);
        let result = span.run(process);
        handled::record(&mut span, &result);
        result
    }

    /// The same, with a future.
    pub async fn process_batch_async<I, F>(&self, messages: I, process: F) -> F::Output
    where
        I: IntoIterator<Item: IntoMessage<Headers: Extract>>,
        F: Future<Output: Handled>,
    {
        let mut span = self.begin_batch(messages);
        let result = in_span(&mut span, process).await;
        handled::record(&mut span, &result);
        result
    }

    /// Asks the broker for messages inside a span, which is then linked to those that `messages` names.
    ///
    /// ```
    /// use trace_runtime::messaging::Consumer;
    ///
    /// # struct Record { headers: Vec<(String, Vec<u8>)> }
    /// # fn poll() -> Result<Vec<Record>, std::fmt::Error> { Ok(Vec::new()) }
    /// # fn main() -> Result<(), std::fmt::Error> {
    /// let orders = Consumer::new("kafka").destination("orders");
    /// let batch = orders.receive_batch(poll, |batch, received| {
    ///     batch.iter().for_each(|record| received.add(&record.headers));
    /// })?;
    /// # let _ = batch;
    /// # Ok(())
    /// # }
    /// ```
    pub fn receive_batch<R: Handled>(
        &self,
        receive: impl FnOnce() -> R,
        messages: impl FnOnce(&R::Value, &mut Received),
    ) -> R {
        let mut span = self
            .client
            .batch(&RECEIVE, self.client.context(), None, Vec::new());
        let result = span.run(receive);
        received(&mut span, &result, messages);
        result
    }

    /// The same, with a future.
    pub async fn receive_batch_async<F>(
        &self,
        receive: F,
        messages: impl FnOnce(&<F::Output as Handled>::Value, &mut Received),
    ) -> F::Output
    where
        F: Future<Output: Handled>,
    {
        let mut span = self
            .client
            .batch(&RECEIVE, self.client.context(), None, Vec::new());
        let result = in_span(&mut span, receive).await;
        received(&mut span, &result, messages);
        result
    }

    fn begin<M: IntoMessage<Headers: Extract>>(&self, message: M) -> Active {
        let Message {
            headers,
            attributes,
        } = message.into_message();
        let current = self.client.context();
        let (cx, links) = if self.continues {
            continued(&headers, &current)
        } else {
            apart(&headers, &current)
        };
        self.client.single(&PROCESS, cx, attributes, links)
    }

    fn begin_batch<I>(&self, messages: I) -> Active
    where
        I: IntoIterator<Item: IntoMessage<Headers: Extract>>,
    {
        let mut received = Received::default();
        messages
            .into_iter()
            .for_each(|message| received.add(message));
        let (cx, links) = (self.client.context(), received.links);
        self.client.batch(&PROCESS, cx, Some(links.len()), links)
    }
}

/// The messages that came, see [`Consumer::receive_batch`].
#[derive(Debug, Default)]
pub struct Received {
    links: Links,
}

impl Received {
    /// One more message.
    pub fn add<M: IntoMessage<Headers: Extract>>(&mut self, message: M) {
        let Message {
            headers,
            attributes,
        } = message.into_message();
        let sender = propagation::current().extract_with(&Context::new(), &headers);
        let sender = sender.span().span_context().clone();
        self.links.push((sender, attributes));
    }
}

fn received<R: Handled>(
    span: &mut Active,
    result: &R,
    messages: impl FnOnce(&R::Value, &mut Received),
) {
    if let (Some(value), true) = (result.value(), span.is_recording()) {
        let mut received = Received::default();
        messages(value, &mut received);
        complete(span, received.links);
    }
    handled::record(span, result);
}

/// Below the current span, with the message's baggage, and linked to its sender.
fn apart<H: Extract>(headers: &H, current: &Context) -> (Context, Links) {
    let (links, cx) = match propagation::refuse(headers, current) {
        Some((sender, cx)) => (vec![(sender, Vec::new())], cx),
        None => (Vec::new(), current.clone()),
    };
    match propagation::baggage(headers) {
        Some(baggage) => (cx.with_baggage(baggage), links),
        None => (cx, links),
    }
}

/// Below the sender, and linked to it and to the current span.
fn continued<H: Extract>(headers: &H, current: &Context) -> (Context, Links) {
    let Some(cx) = headers.parent(current) else {
        return (current.clone(), Vec::new());
    };
    let spans = [&cx, current].map(|cx| cx.span().span_context().clone());
    let same = spans[0] == spans[1]; // baggage alone came
    let spans = if same { Vec::new() } else { spans.to_vec() };
    let links = spans.into_iter().map(|span| (span, Vec::new()));
    (cx, links.collect())
}
