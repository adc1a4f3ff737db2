//! Messages: producer and consumer spans for Kafka, RabbitMQ and whatever else has headers.
//!
//! [`Producer`] opens a span around sending a message and writes that span's context into the message's
//! headers; [`Consumer`] reads it and opens a span around processing. Neither knows a broker: what the
//! client library calls headers is given as any [`Inject`] or [`Extract`], or as [`Headers`], which is
//! made from an iterator of names and bytes.
//!
//! | operation | span | kind |
//! |---|---|---|
//! | [`Producer::send`] one message | `send {destination}` | producer |
//! | [`Producer::create`] each message of a batch | `create {destination}` | producer |
//! | [`Producer::send_batch`] | `send {destination}`, linked to each message | client |
//! | [`Consumer::receive_batch`] | `receive {destination}`, linked to each message | client |
//! | [`Consumer::process`] one message | `process {destination}`, linked to the message | consumer |
//! | [`Consumer::process_batch`] | `process {destination}`, linked to each message | consumer |
//!
//! All but `create` exist for futures, too, with `_async` in their names. Names, kinds, links and
//! attributes are those of OpenTelemetry's messaging conventions, version 1.37.0. Whatever else a span
//! should say, [`record!`](crate::record) says inside; an `Err` fails the span.
//!
//! # Link or parent
//!
//! A message may be processed hours later, several times, in a batch, or inside a request: so the
//! conventions correlate by link, and a `process` span begins a trace of its own or belongs to the span
//! that is current. For single messages they allow the sender as parent. That draws sender and consumer
//! as one trace, and it is the better choice where each message is processed once and soon:
//! [`Consumer::continue_trace`].
//!
//! The message's baggage is current while it is processed, either way.
//!
//! # A program
//!
#![cfg_attr(feature = "testing", doc = "```")]
#![cfg_attr(not(feature = "testing"), doc = "```ignore")]
//! use std::collections::VecDeque;
//! use trace_runtime::messaging::{Consumer, Message, Producer};
//! use trace_runtime::{testing, traced};
//!
//! struct Record {
//!     headers: Vec<(String, Vec<u8>)>,
//!     payload: String,
//! }
//!
//! #[derive(Default)]
//! struct Broker(VecDeque<Record>);
//!
//! impl Broker {
//!     fn publish(&mut self, record: Record) -> std::io::Result<()> {
//!         self.0.push_back(record);
//!         Ok(())
//!     }
//! }
//!
//! #[traced]
//! fn order(broker: &mut Broker, orders: &Producer, tea: u64) -> std::io::Result<()> {
//!     let payload = format!("{tea} tea");
//!     let message = Message::new(Vec::new()).body_size(payload.len());
//!     orders.send(message, |headers| broker.publish(Record { headers, payload }))
//! }
//!
//! #[traced]
//! fn pack(order: &str) -> Result<u64, std::num::ParseIntError> {
//!     order.trim_end_matches(" tea").parse()
//! }
//!
//! fn shop(broker: &mut Broker) {
//!     let orders = Producer::new("kafka").destination("orders");
//!     order(broker, &orders, 3).unwrap();
//!
//!     let orders = Consumer::new("kafka").destination("orders").group("packers").continue_trace();
//!     while let Some(record) = broker.0.pop_front() {
//!         let packed = orders.process(&record.headers, || pack(&record.payload));
//!         assert_eq!(packed, Ok(3));
//!     }
//! }
//!
//! fn main() {
//!     let capture = testing::capture(); // a service calls `trace_runtime::init_tracer()` instead
//!     capture.scope(|| shop(&mut Broker::default()));
//!     testing::assert_trace!(capture, "order" {
//!         "send orders" [span.kind = "producer", messaging.message.body.size = 5] {
//!             "process orders" [span.kind = "consumer", messaging.consumer.group.name = "packers"] {
//!                 "pack" [order = "3 tea"],
//!             },
//!         },
//!     });
//! }
//! ```
//!
//! # Headers of a client library
//!
//! Those of rdkafka are a list of names and values that may be absent, those of lapin a map whose values
//! are of many types. [`Headers`] stands between:
//!
//! ```
//! use std::collections::BTreeMap;
//! use trace_runtime::messaging::{Consumer, Headers, Producer};
//!
//! // As rdkafka has them: `Header { key, value }`, and a builder that takes one after the other.
//! struct Header<'a> { key: &'a str, value: Option<&'a [u8]> }
//! #[derive(Default)]
//! struct OwnedHeaders(Vec<(String, Option<Vec<u8>>)>);
//! impl OwnedHeaders {
//!     fn insert(mut self, header: Header<'_>) -> Self {
//!         self.0.push((header.key.to_owned(), header.value.map(<[u8]>::to_vec)));
//!         self
//!     }
//!     fn iter(&self) -> impl Iterator<Item = Header<'_>> {
//!         self.0.iter().map(|(key, value)| Header { key, value: value.as_deref() })
//!     }
//! }
//!
//! let sent: Result<OwnedHeaders, String> = Producer::new("kafka").destination("orders").send(
//!     Headers::new(),
//!     |headers| {
//!         let all = headers.iter().fold(OwnedHeaders::default(), |all, (key, value)| {
//!             all.insert(Header { key, value })
//!         });
//!         Ok(all) // producer.send(FutureRecord::to("orders").headers(all))
//!     },
//! );
//! let headers: Headers = sent.as_ref().unwrap().iter().map(|h| (h.key, h.value)).collect();
//! Consumer::new("kafka").destination("orders").process(&headers, || { /* .. */ });
//!
//! // As lapin has them: `FieldTable`, a map to `AMQPValue`.
//! enum AMQPValue { LongString(Vec<u8>), Boolean(bool) }
//! type FieldTable = BTreeMap<String, AMQPValue>;
//!
//! let rabbit = Producer::new("rabbitmq").destination("orders").operation("publish");
//! let sent: Result<FieldTable, String> = rabbit.send(Headers::new(), |headers| {
//!     let mut table = FieldTable::from([("urgent".to_owned(), AMQPValue::Boolean(true))]);
//!     for (name, value) in headers.iter() {
//!         table.insert(name.to_owned(), AMQPValue::LongString(value.unwrap_or_default().to_vec()));
//!     }
//!     Ok(table) // channel.basic_publish(.., BasicProperties::default().with_headers(table))
//! });
//! let table = sent.unwrap();
//! let headers: Headers = table
//!     .iter()
//!     .filter_map(|(name, value)| match value {
//!         AMQPValue::LongString(bytes) => Some((name.as_str(), bytes.as_slice())),
//!         AMQPValue::Boolean(_) => None,
//!     })
//!     .collect();
//! Consumer::new("rabbitmq").destination("orders").process(&headers, || { /* .. */ });
//! ```
//!
//! [`Inject`]: crate::Inject
//! [`Extract`]: crate::Extract

mod client;
mod consumer;
mod handled;
mod headers;
mod message;
mod producer;

pub use consumer::{Consumer, Received};
pub use handled::Handled;
pub use headers::Headers;
pub use message::{IntoMessage, Message};
pub use producer::Producer;
