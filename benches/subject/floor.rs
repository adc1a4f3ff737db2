//! The least that a span costs whoever keeps the current one where the OpenTelemetry API has it: a look
//! at the parent, a span of the API in a context that is attached and detached, and two readings of the
//! clock. Nothing is recorded, and nothing comes out.
//!
//! Over OTLP as many bytes are posted as ours send, with one write and one read each: the least that
//! delivering the spans costs, without encoding them, handing them to another thread, or HTTP.

use std::borrow::Cow;
use std::cell::Cell;
use std::error::Error;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    FutureExt, Span, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, ContextGuard, KeyValue};

use super::{BATCH, Destination, Pipeline, Subject};
use crate::clock::ticks;
use crate::executor::yield_once;
use crate::workload::{Bodies, Failed, Refused, Workload, fail, repeat, step};

pub(super) struct Floor;

thread_local!(static NEXT: Cell<u64> = const { Cell::new(1) });

/// What every traced function asks first.
static LEVEL: AtomicU8 = AtomicU8::new(ON);

const OFF: u8 = 0;
const UNSAMPLED: u8 = 1;
const ON: u8 = 2;

/// A span that is nothing but its ids.
#[derive(Debug)]
struct Ids(SpanContext);

impl Span for Ids {
    fn add_event_with_timestamp<T>(&mut self, _: T, _: SystemTime, _: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
    }

    fn span_context(&self) -> &SpanContext {
        &self.0
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn set_attribute(&mut self, _: KeyValue) {}

    fn set_status(&mut self, _: Status) {}

    fn update_name<T>(&mut self, _: T)
    where
        T: Into<Cow<'static, str>>,
    {
    }

    fn add_link(&mut self, _: SpanContext, _: Vec<KeyValue>) {}

    fn end_with_timestamp(&mut self, _: SystemTime) {}
}

/// Where something is recorded: a span below the current one, or a root; `None` below one that is not sampled.
fn start() -> Option<(Context, u64)> {
    let level = LEVEL.load(Ordering::Relaxed);
    let parent = Context::map_current(|cx| {
        let span = cx.span();
        let parent = span.span_context();
        (parent.trace_id(), parent.trace_flags())
    });
    let id = NEXT.get();
    NEXT.set(id + 1);
    let (trace_id, flags) = match parent {
        (TraceId::INVALID, _) if level == UNSAMPLED => (new_trace(id), TraceFlags::NOT_SAMPLED),
        (TraceId::INVALID, _) => (new_trace(id), TraceFlags::SAMPLED),
        (_, flags) if !flags.is_sampled() => return None,
        parent => parent,
    };
    let ids = SpanContext::new(trace_id, SpanId::from(id), flags, false, TraceState::NONE);
    let started = ticks();
    Some((Context::current_with_span(Ids(ids)), started))
}

fn new_trace(id: u64) -> TraceId {
    TraceId::from(u128::from(id))
}

fn end((cx, started): (Context, u64)) {
    cx.span().end_with_timestamp(UNIX_EPOCH);
    black_box((started, ticks()));
}

/// Runs the body inside a span.
#[inline]
fn span<R>(body: impl FnOnce() -> R) -> R {
    if LEVEL.load(Ordering::Relaxed) == OFF {
        return body();
    }
    let Some(span) = start() else { return body() };
    let attached: ContextGuard = span.0.clone().attach();
    let result = body();
    drop(attached);
    end(span);
    result
}

async fn checkout(order_id: u64, customer: &str) -> Result<u64, Refused> {
    let body = async {
        let id = load(order_id)?;
        yield_once().await;
        let id = price(id)?;
        let id = store(id)?;
        Ok(id + customer.len() as u64)
    };
    let Some(span) = start() else {
        return body.await;
    };
    let result = body.with_context(span.0.clone()).await;
    end(span);
    result
}

#[inline(never)]
fn load(id: u64) -> Result<u64, Refused> {
    span(|| step(id))
}

#[inline(never)]
fn price(id: u64) -> Result<u64, Refused> {
    span(|| step(id))
}

#[inline(never)]
fn store(id: u64) -> Result<u64, Refused> {
    span(|| step(id))
}

#[inline(never)]
fn nested(id: u64) -> Result<u64, Refused> {
    span(|| if id == 1 { step(id) } else { nested(id - 1) })
}

#[inline(never)]
fn fan_out(count: u64) -> Result<u64, Refused> {
    span(|| (0..count).try_fold(0, |sum, id| Ok(sum + load(id)?)))
}

#[inline(never)]
fn place(id: u64) -> Result<u64, Failed> {
    span(|| reserve(id))
}

#[inline(never)]
fn reserve(id: u64) -> Result<u64, Failed> {
    span(|| fail(id))
}

#[inline(never)]
fn search(text: &str) -> Result<u64, Refused> {
    span(|| step(text.len() as u64))
}

/// How many bytes ours take for one span of the 4-span trace.
const BYTES_PER_SPAN: usize = 184;

/// A connection over which bytes are posted.
struct Posts {
    stream: TcpStream,
    /// Head and body.
    request: Vec<u8>,
    /// How many spans there were at the last flush.
    seen: AtomicU64,
}

impl Posts {
    fn to(url: &str) -> Result<Self, Box<dyn Error>> {
        let address = url.strip_prefix("http://").ok_or("no plain HTTP")?;
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let body = vec![0; BATCH * BYTES_PER_SPAN];
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-protobuf\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        Ok(Self {
            stream,
            request: [head.into_bytes(), body].concat(),
            seen: AtomicU64::new(NEXT.get()),
        })
    }

    fn post(&self) -> io::Result<()> {
        let mut stream = &self.stream;
        stream.write_all(&self.request)?;
        // The sink writes its answer at once.
        match stream.read(&mut [0; 1024])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl Pipeline for Posts {
    /// For the spans of this thread, which is the one that makes them where CPU time is measured.
    fn flush(&self) {
        let spans = NEXT.get() - self.seen.swap(NEXT.get(), Ordering::Relaxed);
        for _ in 0..spans.div_ceil(BATCH as u64) {
            self.post().expect("the sink answers");
        }
    }

    fn shutdown(&self) {
        self.flush();
    }
}

impl Subject for Floor {
    fn name(&self) -> &'static str {
        super::FLOOR
    }

    fn crates(&self) -> &'static [&'static str] {
        &["opentelemetry"]
    }

    fn records(&self) -> bool {
        false
    }

    fn install(&self, destination: &Destination) -> Result<Box<dyn Pipeline>, Box<dyn Error>> {
        let level = match destination {
            Destination::Off => OFF,
            Destination::Unsampled(_) => UNSAMPLED,
            _ => ON,
        };
        LEVEL.store(level, Ordering::Relaxed);
        match destination {
            Destination::Otlp(url) => Ok(Box::new(Posts::to(url)?)),
            _ => Ok(Box::new(super::Nothing)),
        }
    }

    fn run(&self, workload: Workload, orders: Range<u64>) {
        Bodies {
            checkout,
            nested,
            fan_out,
            place,
            describe: load,
            search,
        }
        .run(workload, orders);
    }

    fn calls(&self, count: u64) {
        span(|| repeat(count, load));
    }

    fn future_size(&self) -> usize {
        size_of_val(&checkout(0, ""))
    }
}
