//! Producers and consumers over the headers of message brokers.

use std::collections::BTreeMap;
use std::io;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use trace_runtime::messaging::{Consumer, Headers, Message, Producer};
use trace_runtime::testing::{Capture, assert_trace};
use trace_runtime::{Sampler, SpanRecord, testing, traced};

/// A message with headers as most of our carriers have them.
#[derive(Default)]
struct Record {
    headers: Vec<(String, Vec<u8>)>,
    payload: &'static str,
}

#[traced]
fn handle(payload: &str) -> Result<(), io::Error> {
    match payload {
        "broken" => Err(io::Error::new(io::ErrorKind::InvalidData, "broken payload")),
        _ => Ok(()),
    }
}

#[traced]
async fn handle_async(payload: &str) -> Result<(), io::Error> {
    tokio::task::yield_now().await;
    handle(payload)
}

fn producer() -> Producer {
    Producer::new("kafka").destination("orders")
}

fn consumer() -> Consumer {
    Consumer::new("kafka").destination("orders")
}

/// What a sender of its own made of the payload.
fn sent(payload: &'static str) -> Record {
    let sent = producer().send(Vec::new(), Ok::<_, io::Error>);
    let headers = sent.unwrap();
    Record { headers, payload }
}

fn span(capture: &Capture, name: &str) -> SpanRecord {
    let spans = capture.spans();
    let found = spans.into_iter().find(|span| span.name == name);
    found.unwrap_or_else(|| panic!("no `{name}` in\n{}", capture.tree()))
}

fn links(span: &SpanRecord) -> Vec<opentelemetry::SpanId> {
    let ids = span.links.iter().map(|link| link.span_context.span_id());
    ids.collect()
}

#[test]
fn a_message_is_sent_and_processed_apart_but_linked() {
    let capture = testing::capture();
    capture.scope(|| {
        let record = sent("tea");
        let message = Message::new(&record.headers)
            .id("m1")
            .conversation_id("c1")
            .body_size(3)
            .partition(7)
            .attribute("messaging.kafka.offset", 42);
        consumer()
            .group("packers")
            .process(message, || handle(record.payload))
            .unwrap();
    });
    assert_trace!(capture,
        "send orders" [
            span.kind = "producer",
            messaging.system = "kafka",
            messaging.operation.name = "send",
            messaging.operation.type = "send",
            messaging.destination.name = "orders",
            !messaging.batch.message_count,
            error = false,
        ] {},
        "process orders" [
            span.kind = "consumer",
            messaging.operation.name = "process",
            messaging.operation.type = "process",
            messaging.consumer.group.name = "packers",
            messaging.message.id = "m1",
            messaging.message.conversation_id = "c1",
            messaging.message.body.size = 3,
            messaging.destination.partition.id = "7",
            messaging.kafka.offset = 42,
            !code.function.name,
        ] {
            "handle" {}
        },
    );
    let (send, process) = (
        span(&capture, "send orders"),
        span(&capture, "process orders"),
    );
    assert_eq!(links(&process), [send.span_id]);
    assert_eq!(process.links[0].span_context.trace_id(), send.trace_id);
    assert_ne!(process.trace_id, send.trace_id);
    assert_eq!(
        process.scope.schema_url(),
        Some("https://opentelemetry.io/schemas/1.37.0")
    );
}

#[test]
fn who_continues_the_trace_is_below_the_sender_and_linked_to_it() {
    let capture = testing::capture();
    capture.scope(|| {
        let record = sent("tea");
        consumer()
            .continue_trace()
            .process(&record.headers, || handle(record.payload))
            .unwrap();
    });
    assert_trace!(capture, "send orders" { "process orders" { "handle" } });
    let process = span(&capture, "process orders");
    assert!(process.is_parent_remote);
    assert_eq!(links(&process), [process.parent_span_id]);
}

#[traced]
fn request(record: &Record, consumer: &Consumer) -> Result<(), io::Error> {
    consumer.process(&record.headers, || handle(record.payload))
}

#[test]
fn inside_a_request_the_default_is_below_it() {
    let capture = testing::capture();
    capture
        .scope(|| request(&sent("tea"), &consumer()))
        .unwrap();
    assert_trace!(capture, "send orders" {}, "request" { "process orders" { "handle" } });
    let send = span(&capture, "send orders");
    assert_eq!(links(&span(&capture, "process orders")), [send.span_id]);
}

#[test]
fn inside_a_request_who_continues_the_trace_is_linked_to_both() {
    let capture = testing::capture();
    capture
        .scope(|| request(&sent("tea"), &consumer().continue_trace()))
        .unwrap();
    assert_trace!(capture, "send orders" { "process orders" { "handle" } }, "request" {});
    let (send, request) = (span(&capture, "send orders"), span(&capture, "request"));
    assert_eq!(
        links(&span(&capture, "process orders")),
        [send.span_id, request.span_id]
    );
}

#[traced(parent = record.headers)]
fn with_the_same_headers(record: &Record) {
    let _ = record;
}

#[test]
fn a_function_with_the_same_headers_stays_below_the_process_span() {
    for consumer in [consumer(), consumer().continue_trace()] {
        let capture = testing::capture();
        capture.scope(|| {
            let record = sent("tea");
            consumer.process(&record.headers, || with_the_same_headers(&record));
        });
        let below = span(&capture, "with_the_same_headers");
        assert_eq!(
            below.parent_span_id,
            span(&capture, "process orders").span_id
        );
    }
}

#[test]
fn a_message_without_a_trace_is_a_root_without_links() {
    for consumer in [consumer(), consumer().continue_trace()] {
        let capture = testing::capture();
        let broken = [("traceparent", "00-nonsense")];
        capture
            .scope(|| consumer.process(&broken, || handle("tea")))
            .unwrap();
        assert_trace!(capture, "process orders" { "handle" });
        assert!(span(&capture, "process orders").links.is_empty());
    }
}

#[test]
fn errors_fail_the_span() {
    let capture = testing::capture();
    capture.scope(|| {
        let refused = || Err::<(), _>(io::Error::other("broker is down"));
        producer()
            .send(Vec::<(String, String)>::new(), |_| refused())
            .unwrap_err();
        let record = sent("broken");
        consumer()
            .process(&record.headers, || handle(record.payload))
            .unwrap_err();
    });
    assert_trace!(capture,
        "send orders" [error.type = "std::io::error::Error", otel.status_description = "broker is down"],
        "send orders" [error = false],
        "process orders" [error.type = "std::io::error::Error", otel.status_description = "broken payload"] {
            "handle" [error = true],
        },
    );
    // The same error is told once, where it began.
    assert_eq!(span(&capture, "process orders").events.len(), 0);
    assert_eq!(span(&capture, "handle").events.len(), 1);
}

#[test]
fn panics_fail_the_span() {
    let capture = testing::capture();
    let panics = || {
        capture.scope(|| {
            consumer().process(&Headers::new(), || -> Result<(), io::Error> {
                panic!("no tea")
            })
        })
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
    assert_trace!(capture, "process orders" [error.type = "panic"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn futures_are_sent_and_processed_on_other_threads_too() {
    let capture = testing::capture();
    let work = trace_runtime::spawn(capture.scope_async(async {
        let producer = producer();
        let headers = producer.send_async(Headers::new(), async |headers| {
            tokio::task::yield_now().await;
            handle_async("tea").await.map(|()| headers)
        });
        let headers = headers.await.unwrap();
        let consumer = consumer().continue_trace();
        consumer
            .process_async(&headers, handle_async("broken"))
            .await
    }));
    work.await.unwrap().unwrap_err();
    assert_trace!(capture, "send orders" [error = false] {
        "handle_async" { "handle" },
        "process orders" [error = true] { "handle_async" { "handle" } },
    });
}

#[tokio::test]
async fn a_future_that_is_dropped_was_cancelled() {
    let capture = testing::capture();
    capture.scope(|| {
        let (producer, consumer, none) = (producer(), consumer(), Headers::new());
        let forever = std::future::pending::<Result<(), io::Error>>;
        let mut send = Box::pin(producer.send_async(Headers::new(), |_| forever()));
        let mut process = Box::pin(consumer.process_async(&none, forever()));
        let task = &mut std::task::Context::from_waker(std::task::Waker::noop());
        assert!(send.as_mut().poll(task).is_pending());
        assert!(process.as_mut().poll(task).is_pending());
    });
    assert_trace!(capture,
        "send orders" [traced.cancelled = true, error.type = "cancelled"],
        "process orders" [traced.cancelled = true, error = false],
    );
}

#[test]
fn a_batch_is_processed_in_one_span_with_a_link_for_each_message() {
    let capture = testing::capture();
    capture.scope(|| {
        let batch = [sent("tea"), sent("cup"), Record::default()];
        let messages = ["a", "b", "c"].iter().zip(&batch);
        let messages = messages.map(|(id, record)| Message::new(&record.headers).id(*id));
        consumer()
            .continue_trace()
            .process_batch(messages, || handle("all"))
            .unwrap();
    });
    assert_trace!(capture, "send orders" * 2 {}, "process orders" [
        span.kind = "consumer", messaging.batch.message_count = 3, !messaging.message.id,
    ] { "handle" });
    let process = span(&capture, "process orders");
    let spans = capture.spans();
    let sends = spans.iter().filter(|span| span.name == "send orders");
    assert_eq!(
        links(&process),
        sends.map(|span| span.span_id).collect::<Vec<_>>()
    );
    let ids = process.links.iter().map(|link| link.attributes.clone());
    let id = |id: &'static str| vec![KeyValue::new("messaging.message.id", id)];
    assert_eq!(ids.collect::<Vec<_>>(), [id("a"), id("b")]);
}

#[test]
fn a_batch_is_received_and_then_linked() {
    let capture = testing::capture();
    capture.scope(|| {
        let sent = [sent("tea"), sent("cup")];
        let poll = || Ok::<_, io::Error>(Vec::from(sent));
        let batch = consumer().receive_batch(poll, |batch, received| {
            batch
                .iter()
                .for_each(|record| received.add(&record.headers));
        });
        assert_eq!(batch.unwrap().len(), 2);
        let refused = || Err::<(), _>(io::Error::other("broker is down"));
        consumer()
            .receive_batch(refused, |_, _| unreachable!())
            .unwrap_err();
    });
    assert_trace!(capture, "send orders" * 2,
        "receive orders" [
            span.kind = "client", messaging.operation.type = "receive", messaging.batch.message_count = 2,
        ],
        "receive orders" [error = true, !messaging.batch.message_count],
    );
    assert_eq!(links(&span(&capture, "receive orders")).len(), 2);
}

#[tokio::test]
async fn a_batch_is_received_and_processed_by_futures() {
    let capture = testing::capture();
    let work = capture.scope_async(async {
        let sent = vec![sent("tea")];
        let poll = async { Ok::<_, io::Error>(sent) };
        let orders = consumer();
        let batch = orders.receive_batch_async(poll, |batch, received| {
            batch
                .iter()
                .for_each(|record| received.add(&record.headers));
        });
        let batch = batch.await.unwrap();
        let messages = batch.iter().map(|record| &record.headers);
        orders
            .process_batch_async(messages, handle_async("tea"))
            .await
    });
    work.await.unwrap();
    assert_trace!(capture, "send orders", "receive orders" [messaging.batch.message_count = 1] {},
        "process orders" [messaging.batch.message_count = 1] { "handle_async" });
}

#[tokio::test]
async fn each_message_of_a_batch_that_is_sent_has_a_span_of_its_own() {
    let capture = testing::capture();
    let mut batch = [Record::default(), Record::default()];
    capture.scope(|| {
        let message = |record| Message::new(record).body_size(3);
        let created: Vec<_> = batch
            .iter_mut()
            .map(|record| producer().create(message(&mut record.headers)))
            .collect();
        producer().send_batch(created, || handle("all")).unwrap();
        consumer()
            .continue_trace()
            .process(&batch[0].headers, || handle("tea"))
            .unwrap();
    });
    let none =
        capture.scope_async(async { producer().send_batch_async([], handle_async("none")).await });
    none.await.unwrap();
    assert_trace!(capture,
        "create orders" [span.kind = "producer", messaging.operation.type = "create", messaging.message.body.size = 3]
            { "process orders" { "handle" } },
        "create orders" {},
        "send orders" [span.kind = "client", messaging.batch.message_count = 2] { "handle" },
        "send orders" [messaging.batch.message_count = 0] { "handle_async" },
    );
    let spans = capture.spans();
    let creates = spans.iter().filter(|span| span.name == "create orders");
    assert_eq!(
        links(&span(&capture, "send orders")),
        creates.map(|span| span.span_id).collect::<Vec<_>>()
    );
}

#[test]
fn names_say_what_the_system_and_the_destination_are() {
    let capture = testing::capture();
    let nothing = |_| Ok::<_, io::Error>(());
    capture.scope(|| {
        let rabbit = Producer::new("rabbitmq").operation("publish");
        rabbit.send(Headers::new(), nothing).unwrap();
        let reply = rabbit.clone().destination("amq.gen-x7").temporary();
        reply.send(Headers::new(), nothing).unwrap();
        let customer = rabbit
            .clone()
            .destination("customer.7")
            .destination_template("customer.{id}");
        let customer = customer.server("broker", 5672).client_id("shop-1");
        let customer = customer.attribute("messaging.rabbitmq.destination.routing_key", "vip");
        customer
            .attribute("api_key", "x")
            .send(Headers::new(), nothing)
            .unwrap();
        let consume = Consumer::new("rabbitmq")
            .destination("orders")
            .operation("consume");
        consume.process(&Headers::new(), || ());
    });
    assert_trace!(capture,
        "publish" * 2,
        "publish customer.{id}" [
            messaging.operation.name = "publish",
            messaging.operation.type = "send",
            messaging.destination.name = "customer.7",
            messaging.destination.template = "customer.{id}",
            messaging.client.id = "shop-1",
            messaging.rabbitmq.destination.routing_key = "vip",
            api_key = "[redacted]",
            server.address = "broker",
            server.port = 5672,
        ],
        "consume orders" [messaging.operation.name = "consume", messaging.operation.type = "process"],
    );
}

#[test]
fn baggage_is_current_while_a_message_is_processed() {
    for consumer in [consumer(), consumer().continue_trace()] {
        let capture = testing::capture();
        let shop = [("baggage", "shop=7")];
        let seen = capture.scope(|| {
            consumer.process(&shop, || {
                let found = Context::map_current(|cx| cx.baggage().get("shop").cloned());
                found.ok_or("no baggage")
            })
        });
        assert_eq!(seen.unwrap().as_str(), "7");
    }
}

#[test]
fn a_trace_that_is_not_sampled_goes_on_unsampled() {
    let capture = testing::capture_with(Sampler::always_off());
    let headers = capture.scope(|| {
        let sent = producer().send(Headers::new(), Ok::<_, io::Error>);
        let headers = sent.unwrap();
        consumer().continue_trace().process(&headers, || {
            let mut next = Headers::new();
            trace_runtime::inject(&mut next);
            Ok::<_, io::Error>([headers.clone(), next])
        })
    });
    let [first, next] = headers.unwrap().map(|headers| {
        let cx = trace_runtime::extract(&headers);
        let span = cx.span().span_context().clone();
        assert!(span.is_valid() && !span.is_sampled(), "{headers:?}");
        span.trace_id()
    });
    assert_eq!(first, next);
    assert!(capture.spans().is_empty());
}

#[test]
fn spans_go_to_the_tracer_they_are_given() {
    let (capture, other) = (testing::capture(), testing::capture());
    capture.scope(|| {
        let headers = producer()
            .with_tracer(other.tracer())
            .send(Headers::new(), Ok::<_, io::Error>)
            .unwrap();
        consumer()
            .with_tracer(other.tracer())
            .process(&headers, || ());
    });
    assert!(capture.spans().is_empty());
    assert_trace!(other, "send orders", "process orders");
}

/// `rdkafka`: an ordered list in which a name may come twice and a value be absent; `insert` takes the
/// list by value.
#[derive(Default)]
struct OwnedHeaders(Vec<(String, Option<Vec<u8>>)>);

struct Header<'a> {
    key: &'a str,
    value: Option<&'a [u8]>,
}

impl OwnedHeaders {
    fn insert(mut self, header: Header<'_>) -> Self {
        self.0
            .push((header.key.to_owned(), header.value.map(<[u8]>::to_vec)));
        self
    }

    fn iter(&self) -> impl Iterator<Item = Header<'_>> {
        self.0.iter().map(|(key, value)| Header {
            key,
            value: value.as_deref(),
        })
    }

    fn read(&self) -> Headers<'_> {
        self.iter()
            .map(|header| (header.key, header.value))
            .collect()
    }

    fn written(headers: &Headers<'_>) -> Self {
        headers.iter().fold(Self::default(), |all, (key, value)| {
            all.insert(Header { key, value })
        })
    }
}

#[test]
fn headers_of_the_shape_of_rdkafka_carry_the_trace() {
    let capture = testing::capture();
    capture.scope(|| {
        let own = OwnedHeaders::default()
            .insert(Header {
                key: "flavour",
                value: Some(b"\xff green"),
            })
            .insert(Header {
                key: "flavour",
                value: None,
            })
            .insert(Header {
                key: "Traceparent",
                value: Some(b"left by somebody"),
            });
        let sent = producer().send(own.read(), |headers| {
            Ok::<_, io::Error>(OwnedHeaders::written(&headers))
        });
        let sent = sent.unwrap();
        let names: Vec<_> = sent.iter().map(|header| header.key.to_owned()).collect();
        assert_eq!(names, ["flavour", "flavour", "traceparent"]);
        assert_eq!(sent.0[0].1.as_deref(), Some(b"\xff green".as_slice()));
        assert_eq!(sent.0[1].1, None);
        consumer().continue_trace().process(&sent.read(), || ());
        // The trace is named twice, and thus not at all.
        let doubtful = sent.insert(Header {
            key: "traceparent",
            value: None,
        });
        consumer().continue_trace().process(&doubtful.read(), || ());
    });
    assert_trace!(capture, "send orders" { "process orders" }, "process orders");
}

/// `lapin`: a sorted map to values of many types, texts among them being bytes.
enum AMQPValue {
    LongString(Vec<u8>),
    LongInt,
}

#[derive(Default)]
struct FieldTable(BTreeMap<String, AMQPValue>);

impl FieldTable {
    fn read(&self) -> Headers<'_> {
        self.0
            .iter()
            .filter_map(|(name, value)| match value {
                AMQPValue::LongString(bytes) => Some((name.as_str(), bytes.as_slice())),
                AMQPValue::LongInt => None,
            })
            .collect()
    }
}

#[test]
fn headers_of_the_shape_of_lapin_carry_the_trace() {
    let capture = testing::capture();
    let rabbit = Producer::new("rabbitmq")
        .destination("orders")
        .operation("publish");
    capture.scope(|| {
        let mut table = FieldTable::default();
        table.0.insert("x-death".into(), AMQPValue::LongInt);
        let sent = rabbit.send(Headers::new(), |headers| {
            for (name, value) in headers.iter() {
                let value = AMQPValue::LongString(value.unwrap_or_default().to_vec());
                table.0.insert(name.to_owned(), value);
            }
            Ok::<_, io::Error>(table)
        });
        let table = sent.unwrap();
        assert_eq!(table.0.len(), 2);
        let orders = Consumer::new("rabbitmq")
            .destination("orders")
            .continue_trace();
        orders.process(&table.read(), || ());
    });
    assert_trace!(capture, "publish orders" { "process orders" });
}
