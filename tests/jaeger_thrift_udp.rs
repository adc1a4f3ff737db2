//! Datagrams to an agent: their form, their size, and what becomes of spans that do not fit.

use std::collections::{HashMap, HashSet};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, Tracer as _, TracerProvider as _};
use tests::jaeger_thrift_agent::{Agent, Datagram};
use tests::jaeger_thrift_idl::{ClientStats, Span};
use trace_runtime::{Sampler, Tracer, TracerBuilder, TracerGuard, traced};

/// What an agent reads of a datagram.
const LIMIT: usize = 65_000;

#[traced]
fn greet(name: &str) -> String {
    format!("hello, {name}")
}

fn with_variables(variables: Vec<(&'static str, String)>) -> TracerBuilder {
    let variables: HashMap<_, _> = variables.into_iter().collect();
    Tracer::builder()
        .with_env(move |name| variables.get(name).cloned())
        .with_service_name("greeter")
}

/// A span whose name tells its number, and which is about so large.
fn span(tracer: &Tracer, number: usize, size: usize) {
    let attributes = [KeyValue::new("filler", "x".repeat(size))];
    let builder = SpanBuilder::from_name(number.to_string()).with_attributes(attributes);
    drop(tracer.provider().tracer("filler").build(builder));
}

fn all_spans(datagrams: &[Datagram]) -> Vec<&Span> {
    datagrams
        .iter()
        .flat_map(|datagram| &datagram.batch.spans)
        .collect()
}

#[test]
fn the_tutorials_tracer_reaches_its_agent() {
    let agent = Agent::compact();
    let (tracer, guard) = Tracer::new("greeter", &agent.address()).expect("a good address");
    tracer.in_scope(|| greet("ann"));
    guard.flush().expect("an agent that listens");
    let datagram = agent.wait_for(1).remove(0);
    assert_eq!(datagram.batch.process.service_name, "greeter");
    assert_eq!(datagram.batch.spans[0].operation_name, "greet");
    assert_eq!(datagram.batch.spans[0].tag("name"), Some(&"ann".into()));
    guard.shutdown(Duration::from_secs(5)).unwrap();
    let stats = guard.stats();
    assert_eq!((stats.ended, stats.exported), (1, 1));
    assert_eq!(
        stats.exporters[0].target,
        format!("udp://{}", agent.address())
    );
}

#[test]
fn the_interval_sends_without_a_flush() {
    let agent = Agent::compact();
    let (tracer, _guard) = Tracer::new("greeter", &agent.address()).unwrap();
    tracer.in_scope(|| greet("ann"));
    assert_eq!(agent.spans(1).len(), 1);
}

#[test]
fn variables_alone_reach_the_agent() {
    let agent = Agent::compact();
    let variables = [
        ("JAEGER_SERVICE_NAME", "from-go".to_owned()),
        ("JAEGER_AGENT_HOST", "127.0.0.1".to_owned()),
        ("JAEGER_AGENT_PORT", agent.port().to_string()),
        ("JAEGER_SAMPLER_TYPE", "const".to_owned()),
        ("JAEGER_SAMPLER_PARAM", "1".to_owned()),
        ("JAEGER_TAGS", "region=eu".to_owned()),
    ];
    let variables = HashMap::from(variables);
    let (tracer, guard) = Tracer::builder()
        .with_env(move |name| variables.get(name).cloned())
        .build()
        .unwrap();
    tracer.in_scope(|| greet("ann"));
    guard.flush().unwrap();
    let batch = agent.wait_for(1).remove(0).batch;
    assert_eq!(batch.process.service_name, "from-go");
    assert_eq!(batch.process.tag("region"), Some(&"eu".into()));
}

#[test]
fn the_first_bytes_are_those_that_agents_look_for() {
    let agent = Agent::compact();
    let (tracer, guard) = with_variables(vec![])
        .with_agent(agent.address())
        .build()
        .unwrap();
    tracer.in_scope(|| greet("ann"));
    guard.flush().unwrap();
    let head = b"\x82\x81\x01\x09emitBatch\x1c\x1c\x18\x07greeter";
    assert_eq!(agent.raw()[..head.len()], head[..]);
}

#[test]
fn the_binary_protocol_says_the_same() {
    let agent = Agent::binary();
    let variables = vec![
        ("OTEL_TRACES_EXPORTER", "jaeger".to_owned()),
        (
            "OTEL_EXPORTER_JAEGER_PROTOCOL",
            "udp/thrift.binary".to_owned(),
        ),
        ("OTEL_EXPORTER_JAEGER_AGENT_HOST", "127.0.0.1".to_owned()),
        ("OTEL_EXPORTER_JAEGER_AGENT_PORT", agent.port().to_string()),
    ];
    let (tracer, guard) = with_variables(variables).build().unwrap();
    tracer.in_scope(|| greet("ann"));
    guard.flush().unwrap();
    let span = agent.spans(1).remove(0);
    assert_eq!(span.operation_name, "greet");
    assert_eq!(span.tag("name"), Some(&"ann".into()));

    tracer.in_scope(|| greet("bob"));
    guard.flush().unwrap();
    let head = b"\x80\x01\x00\x04\x00\x00\x00\x09emitBatch\x00\x00\x00\x02\x0c\x00\x01\x0c\x00\x01\
        \x0b\x00\x01\x00\x00\x00\x07greeter";
    assert_eq!(agent.raw()[..head.len()], head[..]);
}

/// No more than the kernel keeps for an agent that does not come to read, on a busy machine.
const UNREAD: usize = 120_000;

#[test]
fn ten_thousand_spans_arrive_but_the_one_that_no_datagram_holds() {
    const SPANS: usize = 10_000;
    const GIANT: usize = 7_000;
    let agent = Agent::compact();
    let (tracer, guard) = with_variables(vec![])
        .with_agent(agent.address())
        .with_flush_interval(Duration::from_secs(3600))
        .build()
        .unwrap();
    let (mut datagrams, mut sent, mut unread) = (Vec::new(), 0, 0);
    let mut read = |spans: usize| {
        // An error, once, because of the giant.
        let _ = guard.flush();
        datagrams.extend(agent.wait_for(spans));
    };
    for number in 0..SPANS {
        let size = match number {
            GIANT => 100_000,
            number if number % 500 == 0 => 60_000,
            _ => 20,
        };
        span(&tracer, number, size);
        if number != GIANT {
            sent += 1;
            unread += size + 250;
        }
        if unread + 60_000 > UNREAD {
            read(sent);
            (sent, unread) = (0, 0);
        }
    }
    read(sent);

    let mut numbers = HashSet::new();
    for span in all_spans(&datagrams) {
        let number: usize = span.operation_name.parse().unwrap();
        assert!(numbers.insert(number), "span {number} came twice");
    }
    let missing: Vec<_> = (0..SPANS)
        .filter(|number| !numbers.contains(number))
        .collect();
    assert_eq!(missing, [GIANT]);

    let sizes: Vec<_> = datagrams.iter().map(|datagram| datagram.size).collect();
    assert!(sizes.iter().all(|size| *size <= LIMIT), "{sizes:?}");
    let sequences: Vec<_> = datagrams.iter().map(|datagram| datagram.sequence).collect();
    assert!(
        sequences.iter().copied().eq(1..=sizes.len() as i32),
        "{sequences:?}"
    );
    for datagram in &datagrams {
        assert_eq!(datagram.batch.seq_no, Some(datagram.sequence.into()));
    }
    let last = datagrams.last().unwrap().batch.stats;
    let expected = ClientStats {
        full_queue_dropped: 0,
        too_large_dropped: 1,
        failed_to_emit: 0,
    };
    assert_eq!(last, Some(expected));
    let said: Vec<_> = guard
        .diagnostics()
        .iter()
        .map(ToString::to_string)
        .collect();
    let reason = "refused by udp://";
    assert!(
        said.iter()
            .any(|line| line.starts_with(reason) && line.contains("65000 bytes")),
        "{said:?}"
    );

    let stats = guard.stats();
    assert_eq!(
        (stats.ended, stats.exported),
        (SPANS as u64, SPANS as u64 - 1)
    );
    assert_eq!(
        (stats.dropped_too_large, stats.failed, stats.queued),
        (1, 0, 0)
    );
    let exporter = &stats.exporters[0];
    assert_eq!(
        (exporter.exported, exporter.dropped_too_large),
        (SPANS as u64 - 1, 1)
    );
}

#[test]
fn a_span_that_no_datagram_holds_is_an_error_of_the_flush() {
    let agent = Agent::compact();
    let (tracer, guard) = with_variables(vec![])
        .with_agent(agent.address())
        .build()
        .unwrap();
    span(&tracer, 0, 100_000);
    span(&tracer, 1, 10);
    let error = guard.flush().expect_err("one of them is too large");
    assert_eq!((error.exported(), error.lost()), (1, 1), "{error}");
    assert_eq!(agent.spans(1)[0].operation_name, "1");
}

#[test]
fn datagrams_are_filled() {
    let agent = Agent::compact();
    let (tracer, guard) = with_variables(vec![])
        .with_agent(agent.address())
        .with_flush_interval(Duration::from_secs(3600))
        .build()
        .unwrap();
    for number in 0..260 {
        span(&tracer, number, number);
    }
    guard.flush().unwrap();
    let datagrams = agent.wait_for(260);
    assert_eq!(all_spans(&datagrams).len(), 260);
    // No span of this test has 700 bytes, so there was room for none more.
    let (_, full) = datagrams.split_last().unwrap();
    assert_eq!(full.len(), 1);
    for datagram in full {
        assert!(
            (LIMIT - 700..=LIMIT).contains(&datagram.size),
            "{}",
            datagram.size
        );
    }
}

#[test]
fn what_found_the_queue_full_is_reported() {
    let agent = Agent::compact();
    let variables = vec![
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64".to_owned()),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64".to_owned()),
    ];
    let (tracer, guard) = with_variables(variables)
        .with_agent(agent.address())
        .with_flush_interval(Duration::from_secs(3600))
        .with_sampler(Sampler::always_on())
        .build()
        .unwrap();
    // Faster than anybody could take them away.
    while guard.stats().dropped_queue_full == 0 {
        (0..10_000).for_each(|_| drop(tracer.in_scope(|| greet("ann"))));
    }
    let _ = guard.flush();
    tracer.in_scope(|| greet("bob"));
    guard.flush().unwrap();
    let of_bob = |datagram: &Datagram| {
        let mut spans = datagram.batch.spans.iter();
        spans.any(|span| span.tag("name") == Some(&"bob".into()))
    };
    let mut datagrams = std::iter::repeat_with(|| agent.wait_for(1).remove(0));
    let told = datagrams.find(of_bob).unwrap().batch.stats.unwrap();
    assert_eq!(
        told.full_queue_dropped as u64,
        guard.stats().dropped_queue_full
    );
}

#[test]
fn an_agent_on_ipv6_is_reached() {
    // Not every machine has it.
    let Some(agent) = Agent::compact_v6() else {
        return;
    };
    assert!(agent.address().starts_with("[::1]:"));
    let (tracer, guard) = Tracer::new("greeter", &agent.address()).unwrap();
    tracer.in_scope(|| greet("ann"));
    guard.flush().unwrap();
    assert_eq!(agent.spans(1).len(), 1);

    for host in ["::1", "[::1]"] {
        let variables = vec![
            ("JAEGER_AGENT_HOST", host.to_owned()),
            ("JAEGER_AGENT_PORT", agent.port().to_string()),
        ];
        let (tracer, guard) = with_variables(variables).build().unwrap();
        tracer.in_scope(|| greet("ann"));
        guard.flush().unwrap();
        assert_eq!(agent.spans(1).len(), 1, "{host}");
    }
}

/// A port that nobody reads from: taken, by a socket that only hears another peer.
fn closed() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(socket.local_addr().unwrap()).unwrap();
    socket
}

fn at_a_closed_port(port: &UdpSocket) -> (Tracer, TracerGuard) {
    let address = port.local_addr().unwrap().to_string();
    with_variables(vec![]).with_agent(address).build().unwrap()
}

#[test]
fn a_closed_port_is_noticed() {
    let port = closed();
    let (tracer, guard) = at_a_closed_port(&port);
    tracer.in_scope(|| greet("ann"));
    let error = guard.flush().expect_err("nobody listens");
    assert_eq!((error.exported(), error.lost()), (0, 1));
    assert_eq!(error.reason(), "connection refused");
    assert_eq!(guard.stats().queued, 1, "kept for later");
}

#[test]
fn a_closed_port_does_not_hold_up_the_end() {
    let port = closed();
    let (tracer, guard) = at_a_closed_port(&port);
    tracer.in_scope(|| greet("ann"));
    let start = Instant::now();
    guard
        .shutdown(Duration::from_secs(5))
        .expect_err("nobody listens");
    assert!(
        start.elapsed() < Duration::from_millis(500),
        "{:?}",
        start.elapsed()
    );
    let stats = guard.stats();
    assert_eq!((stats.exported, stats.failed), (0, 1));
}

#[test]
fn an_agent_that_comes_late_gets_what_was_kept() {
    let port = closed();
    let (tracer, guard) = at_a_closed_port(&port);
    tracer.in_scope(|| greet("ann"));
    guard.flush().expect_err("nobody listens");
    let address = port.local_addr().unwrap().to_string();
    drop(port);
    let Ok(agent) = Agent::compact_at(&address) else {
        return; // Somebody else has taken the port meanwhile.
    };
    guard.flush().unwrap();
    assert_eq!(agent.spans(1).len(), 1);
    assert_eq!(guard.stats().exported, 1);
}

#[test]
fn a_host_that_nobody_knows_is_no_error_at_start() {
    let variables = vec![
        ("JAEGER_AGENT_HOST", "agent.invalid".to_owned()),
        ("JAEGER_AGENT_PORT", "6831".to_owned()),
    ];
    let (tracer, guard) = with_variables(variables).build().unwrap();
    tracer.in_scope(|| greet("ann"));
    assert_eq!(
        guard.stats().exporters[0].target,
        "udp://agent.invalid:6831"
    );
}
