//! Messages that leave.

use std::borrow::Cow;
use std::future::Future;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::client::{CREATE, Client, SEND, SEND_BATCH, setters};
use super::handled::{self, Handled};
use super::{IntoMessage, Message};
use crate::span::Active;
use crate::{Inject, inject, span_future::in_span};

/// Sends messages to one destination.
///
/// Made once and used for every message; see the [module](super) for an example.
#[derive(Clone, Debug)]
pub struct Producer {
    client: Client,
}

setters!(Producer);

impl Producer {
    /// A producer for a messaging system, which has its name from the conventions: `kafka`, `rabbitmq`,
    /// `aws_sqs`, `gcp_pubsub`, `pulsar`, ..
    pub fn new(system: impl Into<Cow<'static, str>>) -> Self {
        Self {
            client: Client::new(system.into()),
        }
    }

    /// What the system calls sending, say `publish`; `send` without it.
    #[must_use]
    pub fn operation(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.client.operation = Some(name.into());
        self
    }

    /// Sends one message: `send` gets the headers with the span's context in them.
    ///
    /// ```
    /// use trace_runtime::messaging::Producer;
    ///
    /// # fn publish(headers: &[(String, Vec<u8>)], body: &[u8]) -> std::io::Result<u64> { Ok(42) }
    /// # fn main() -> std::io::Result<()> {
    /// let orders = Producer::new("rabbitmq").destination("orders").operation("publish");
    /// let headers: Vec<(String, Vec<u8>)> = Vec::new();
    /// orders.send(headers, |headers| {
    ///     let id = publish(&headers, b"3 tea")?;
    ///     trace_runtime::record!("messaging.message.id" = id);
    ///     Ok::<_, std::io::Error>(id)
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn send<M, R>(&self, message: M, send: impl FnOnce(M::Headers) -> R) -> R
    where
        M: IntoMessage<Headers: Inject>,
        R: Handled,
    {
        let (mut span, headers) = self.begin(message);
        let result = span.run(|| send(injected(headers)));
        handled::record(&mut span, &result);
        result
    }

    /// The same, with a future.
    ///
    /// ```
    /// use trace_runtime::messaging::{Headers, Producer};
    ///
    /// # async fn publish(headers: Headers<'_>, body: &[u8]) -> std::io::Result<()> { Ok(()) }
    /// # async fn example() -> std::io::Result<()> {
    /// let orders = Producer::new("kafka").destination("orders");
    /// orders.send_async(Headers::new(), |headers| publish(headers, b"3 tea")).await
    /// # }
    /// ```
    pub async fn send_async<M, F>(
        &self,
        message: M,
        send: impl FnOnce(M::Headers) -> F,
    ) -> F::Output
    where
        M: IntoMessage<Headers: Inject>,
        F: Future<Output: Handled>,
    {
        let (mut span, headers) = self.begin(message);
        let future = span.run(|| send(injected(headers)));
        let result = in_span(&mut span, future).await;
        handled::record(&mut span, &result);
        result
    }

    /// A message of a batch that [`send_batch`](Self::send_batch) is going to send: a span of its own,
    /// which begins and ends here, and whose context goes into the headers.
    ///
    /// ```
    /// use trace_runtime::messaging::Producer;
    ///
    /// # struct Record { headers: Vec<(String, Vec<u8>)> }
    /// # fn publish(batch: &[Record]) -> std::io::Result<()> { Ok(()) }
    /// # fn example(mut batch: Vec<Record>) -> std::io::Result<()> {
    /// let orders = Producer::new("kafka").destination("orders");
    /// let created: Vec<_> = batch.iter_mut().map(|record| orders.create(&mut record.headers)).collect();
    /// orders.send_batch(created, || publish(&batch))
    /// # }
    /// ```
    pub fn create<M>(&self, message: M) -> SpanContext
    where
        M: IntoMessage<Headers: Inject>,
    {
        let Message {
            headers,
            attributes,
        } = message.into_message();
        let cx = self.client.context();
        let mut span = self.client.single(&CREATE, cx, attributes, Vec::new());
        span.run(|| {
            injected(headers);
            Context::map_current(|cx| cx.span().span_context().clone())
        })
    }

    /// Sends a batch of messages, each of which [`create`](Self::create) has prepared.
    pub fn send_batch<R: Handled>(
        &self,
        created: impl IntoIterator<Item = SpanContext>,
        send: impl FnOnce() -> R,
    ) -> R {
        let mut span = self.begin_batch(created);
        let result = span.run(send);
        handled::record(&mut span, &result);
        result
    }

    /// The same, with a future.
    pub async fn send_batch_async<F>(
        &self,
        created: impl IntoIterator<Item = SpanContext>,
        send: F,
    ) -> F::Output
    where
        F: Future<Output: Handled>,
    {
        let mut span = self.begin_batch(created);
        let result = in_span(&mut span, send).await;
        handled::record(&mut span, &result);
        result
    }

    fn begin<M: IntoMessage>(&self, message: M) -> (Active, M::Headers) {
        let Message {
            headers,
            attributes,
        } = message.into_message();
        let cx = self.client.context();
        (
            self.client.single(&SEND, cx, attributes, Vec::new()),
            headers,
        )
    }

    fn begin_batch(&self, created: impl IntoIterator<Item = SpanContext>) -> Active {
        let links: Vec<_> = created.into_iter().map(|cx| (cx, Vec::new())).collect();
        let cx = self.client.context();
        self.client.batch(&SEND_BATCH, cx, Some(links.len()), links)
    }
}

/// The headers, with the current context in them.
fn injected<H: Inject>(mut headers: H) -> H {
    inject(&mut headers);
    headers
}
