//! One message: its headers, and what is known about it.

use opentelemetry::{Key, KeyValue};

use crate::{Extract, Inject, ToValue, Value};

/// A message's headers, with what else a span should say about the message.
///
/// Where nothing else is to be said the headers alone will do.
///
/// ```
/// use trace_runtime::messaging::{Consumer, Message};
///
/// # fn handle(record: (u64, Vec<(String, Vec<u8>)>, Vec<u8>)) {
/// let orders = Consumer::new("kafka").destination("orders");
/// let (offset, headers, payload) = record;
/// let message = Message::new(&headers)
///     .body_size(payload.len())
///     .attribute("messaging.kafka.offset", offset);
/// orders.process(message, || { /* .. */ });
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Message<H> {
    pub(super) headers: H,
    pub(super) attributes: Vec<KeyValue>,
}

impl<H> Message<H> {
    /// A message with these headers: something to write to for who sends, a reference to something to
    /// read from for who receives.
    pub fn new(headers: H) -> Self {
        Self {
            headers,
            attributes: Vec::new(),
        }
    }

    /// The message's id, as the messaging system knows it.
    #[must_use]
    pub fn id(self, id: impl ToValue) -> Self {
        self.attribute("messaging.message.id", id)
    }

    /// The conversation that the message belongs to, also called its correlation id.
    #[must_use]
    pub fn conversation_id(self, id: impl ToValue) -> Self {
        self.attribute("messaging.message.conversation_id", id)
    }

    /// The size of the message's body in bytes, uncompressed if both are known.
    #[must_use]
    pub fn body_size(self, bytes: usize) -> Self {
        self.attribute("messaging.message.body.size", bytes)
    }

    /// The partition of the destination.
    #[must_use]
    pub fn partition(self, id: impl ToString) -> Self {
        self.attribute("messaging.destination.partition.id", id.to_string())
    }

    /// Any other attribute, such as `messaging.kafka.message.key`. A value that is absent says nothing.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<Key>, value: impl ToValue) -> Self {
        push(&mut self.attributes, key.into(), value.to_value());
        self
    }
}

/// Adds an attribute, hidden if its key names a secret.
pub(super) fn push(attributes: &mut Vec<KeyValue>, key: Key, value: Value<'_>) {
    let value = crate::__private::shown(key.as_str(), value);
    if let Some(value) = Option::<opentelemetry::Value>::from(value) {
        attributes.push(KeyValue::new(key, value));
    }
}

/// A [`Message`], or headers alone.
pub trait IntoMessage {
    /// What the headers are.
    type Headers;

    /// The message.
    fn into_message(self) -> Message<Self::Headers>;
}

impl<H> IntoMessage for Message<H> {
    type Headers = H;

    fn into_message(self) -> Self {
        self
    }
}

/// Something to read from, given by reference.
impl<'h, H: Extract + ?Sized> IntoMessage for &'h H {
    type Headers = &'h H;

    fn into_message(self) -> Message<&'h H> {
        Message::new(self)
    }
}

/// Something to write to, given by reference.
impl<'h, H: Inject + ?Sized> IntoMessage for &'h mut H {
    type Headers = &'h mut H;

    fn into_message(self) -> Message<&'h mut H> {
        Message::new(self)
    }
}

/// Byte headers to write to, given by value.
impl<V: From<String>> IntoMessage for Vec<(String, V)> {
    type Headers = Self;

    fn into_message(self) -> Message<Self> {
        Message::new(self)
    }
}
