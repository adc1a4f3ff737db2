//! What producers and consumers have in common: where messages go, and what spans say about it.

use std::borrow::Cow;

use opentelemetry::trace::{SpanContext, SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use crate::ToValue;
use crate::callsite::Callsite;
use crate::span::{self, Active, Start, enter};
use crate::tracer::Tracer;

/// The version of the conventions.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// The keys of all call sites; their order is that of the constants below.
const KEYS: &[&str] = &[
    "messaging.system",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.destination.name",
    "messaging.destination.template",
    "messaging.destination.temporary",
    "messaging.consumer.group.name",
    "messaging.client.id",
    "server.address",
    "server.port",
    "messaging.batch.message_count",
];
const SYSTEM: usize = 0;
const OPERATION_NAME: usize = 1;
const OPERATION_TYPE: usize = 2;
const DESTINATION: usize = 3;
const TEMPLATE: usize = 4;
const TEMPORARY: usize = 5;
const GROUP: usize = 6;
const CLIENT_ID: usize = 7;
const SERVER_ADDRESS: usize = 8;
const SERVER_PORT: usize = 9;
const COUNT: usize = 10;

/// One of the operations of the conventions.
pub(super) struct Operation {
    callsite: &'static Callsite,
    /// `messaging.operation.type`, and the operation's name if nobody says another.
    pub(super) word: &'static str,
}

macro_rules! operations {
    ($($name:ident: $word:literal $kind:ident),*) => {
        $(
            pub(super) static $name: Operation = {
                static CALLSITE: Callsite =
                    Callsite::new::<()>(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), KEYS)
                        .name($word)
                        .kind(SpanKind::$kind)
                        .library(SCHEMA_URL);
                Operation { callsite: &CALLSITE, word: $word }
            };
        )*
    };
}

operations!(
    CREATE: "create" Producer,
    SEND: "send" Producer,
    SEND_BATCH: "send" Client,
    RECEIVE: "receive" Client,
    PROCESS: "process" Consumer
);

/// Who talks to a broker, about which destination.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) system: Cow<'static, str>,
    pub(super) destination: Option<Cow<'static, str>>,
    pub(super) template: Option<Cow<'static, str>>,
    pub(super) temporary: bool,
    pub(super) operation: Option<Cow<'static, str>>,
    pub(super) group: Option<Cow<'static, str>>,
    pub(super) client_id: Option<Cow<'static, str>>,
    pub(super) server: Option<(Cow<'static, str>, u16)>,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) tracer: Option<Tracer>,
}

/// The setters that both builders have.
macro_rules! setters {
    ($builder:ident) => {
        impl $builder {
            /// The queue, topic or exchange; it becomes a part of the spans' names.
            #[must_use]
            pub fn destination(mut self, name: impl Into<Cow<'static, str>>) -> Self {
                self.client.destination = Some(name.into());
                self
            }

            /// What destinations like this have in common, such as `/customers/{id}`. It takes the
            /// place of the destination in the spans' names.
            #[must_use]
            pub fn destination_template(mut self, template: impl Into<Cow<'static, str>>) -> Self {
                self.client.template = Some(template.into());
                self
            }

            /// The destination is a reply queue or the like, whose name means nothing to anybody: it
            /// is no part of the spans' names.
            #[must_use]
            pub fn temporary(mut self) -> Self {
                self.client.temporary = true;
                self
            }

            /// The broker's host and port.
            #[must_use]
            pub fn server(mut self, address: impl Into<Cow<'static, str>>, port: u16) -> Self {
                self.client.server = Some((address.into(), port));
                self
            }

            /// The name under which this client is known to the broker.
            #[must_use]
            pub fn client_id(mut self, id: impl Into<Cow<'static, str>>) -> Self {
                self.client.client_id = Some(id.into());
                self
            }

            /// One more attribute for every span, such as `messaging.rabbitmq.destination.routing_key`.
            #[must_use]
            pub fn attribute(
                mut self,
                key: impl Into<opentelemetry::Key>,
                value: impl crate::ToValue,
            ) -> Self {
                super::message::push(&mut self.client.attributes, key.into(), value.to_value());
                self
            }

            /// Records the spans with this tracer.
            #[must_use]
            pub fn with_tracer(mut self, tracer: impl Into<crate::Tracer>) -> Self {
                self.client.tracer = Some(tracer.into());
                self
            }
        }
    };
}
pub(super) use setters;

/// What a span is linked to, and what the link says.
pub(super) type Links = Vec<(SpanContext, Vec<KeyValue>)>;

impl Client {
    pub(super) fn new(system: Cow<'static, str>) -> Self {
        Self {
            system,
            ..Self::default()
        }
    }

    /// The current context, with the tracer of these spans in charge.
    pub(super) fn context(&self) -> Context {
        let current = Context::current();
        match &self.tracer {
            Some(tracer) => tracer.scope(&current),
            None => current,
        }
    }

    /// The span of one message.
    pub(super) fn single(
        &self,
        operation: &Operation,
        cx: Context,
        attributes: Vec<KeyValue>,
        links: Links,
    ) -> Active {
        self.start(operation, cx, None, attributes, links)
    }

    /// The span of a batch of so many messages; `None` if that is not known yet.
    pub(super) fn batch(
        &self,
        operation: &Operation,
        cx: Context,
        count: Option<usize>,
        links: Links,
    ) -> Active {
        self.start(operation, cx, count, Vec::new(), links)
    }

    fn start(
        &self,
        operation: &Operation,
        cx: Context,
        count: Option<usize>,
        own: Vec<KeyValue>,
        links: Links,
    ) -> Active {
        if !operation.callsite.is_enabled() {
            return Active::passing(cx);
        }
        let parent = span::within(cx.clone());
        let mut start = operation
            .callsite
            .start_named(parent, || self.span_name(operation));
        self.record(&mut start, operation, count);
        let span = enter(start);
        let Some(entered) = span.context() else {
            return Active::passing(cx);
        };
        if span.is_recording() {
            let current = entered.span();
            current.set_attributes(self.attributes.iter().cloned().chain(own));
            add_links(&current, links);
        }
        span
    }

    /// `messaging.operation.name`.
    fn operation_name(&self, operation: &Operation) -> &str {
        // Another word stands for what the client is there for, not for what comes before.
        match (&self.operation, operation.word) {
            (Some(name), "send" | "process") => name,
            (_, word) => word,
        }
    }

    fn span_name(&self, operation: &Operation) -> Cow<'static, str> {
        let named = self.destination.as_ref().filter(|_| !self.temporary);
        let name = self.operation_name(operation);
        match self.template.as_ref().or(named) {
            Some(destination) => format!("{name} {destination}").into(),
            None => name.to_owned().into(),
        }
    }

    fn record(&self, start: &mut Start, operation: &Operation, count: Option<usize>) {
        if !start.is_recording() {
            return;
        }
        start.field(SYSTEM, self.system.to_value());
        start.field(OPERATION_NAME, self.operation_name(operation).to_value());
        start.field(OPERATION_TYPE, operation.word.to_value());
        start.field(DESTINATION, self.destination.to_value());
        start.field(TEMPLATE, self.template.to_value());
        start.field(TEMPORARY, self.temporary.then_some(true).to_value());
        start.field(GROUP, self.group.to_value());
        start.field(CLIENT_ID, self.client_id.to_value());
        let (address, port) = self.server.clone().unzip();
        start.field(SERVER_ADDRESS, address.to_value());
        start.field(SERVER_PORT, port.to_value());
        start.field(COUNT, count.to_value());
    }
}

/// Sets what a batch turned out to be.
pub(super) fn complete(span: &Active, links: Links) {
    if let (Some(cx), true) = (span.context(), span.is_recording()) {
        span.set(KEYS[COUNT], links.len().to_value());
        add_links(&cx.span(), links);
    }
}

fn add_links(span: &opentelemetry::trace::SpanRef<'_>, links: Links) {
    for (context, attributes) in links {
        if context.is_valid() {
            span.add_link(context, attributes);
        }
    }
}
