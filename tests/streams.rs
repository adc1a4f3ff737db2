//! Streams inside a span: of `#[traced]` functions and of `in_span`.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::Poll;

use futures_util::stream::{self, BoxStream, LocalBoxStream};
use futures_util::{FutureExt, Stream, StreamExt};
use opentelemetry::trace::Status;
use trace_runtime::stream::InSpan;
use trace_runtime::testing::{Capture, capture};
use trace_runtime::{SpanRecord, traced};

#[traced]
fn double(n: u64) -> u64 {
    2 * n
}

#[traced]
fn doubled(count: u64) -> impl Stream<Item = u64> {
    double(0);
    stream::iter(1..=count).map(double)
}

#[traced]
fn doubled_by_hand(count: u64) -> Pin<Box<dyn Stream<Item = u64> + Send>> {
    Box::pin(stream::iter(1..=count).map(double))
}

#[traced]
fn doubled_in_a_box<'a>(numbers: &'a [u64]) -> BoxStream<'a, u64> {
    stream::iter(numbers).map(|n| double(*n)).boxed()
}

#[traced]
fn doubled_locally(count: u64) -> LocalBoxStream<'static, u64> {
    let step = std::rc::Rc::new(1);
    stream::iter(1..=count)
        .map(move |n| double(*step * n))
        .boxed_local()
}

#[traced]
async fn doubled_later(count: u64) -> impl Stream<Item = u64> {
    tokio::task::yield_now().await;
    double(0);
    stream::iter(1..=count).map(double)
}

#[traced]
async fn doubled_later_in_a_box((count, _): (u64, u8)) -> BoxStream<'static, u64> {
    tokio::task::yield_now().await;
    stream::iter(1..=count).map(double).boxed()
}

fn only(capture: &Capture) -> SpanRecord {
    let mut spans = capture.spans();
    assert_eq!(spans.len(), 1, "{}", capture.tree());
    spans.remove(0)
}

fn is_cancelled(span: &SpanRecord) -> bool {
    span.attribute("traced.cancelled") == Some(&true.into())
}

/// The tree after all items were taken.
async fn tree<S: Stream>(stream: impl AsyncFnOnce() -> S) -> String {
    let capture = capture();
    // Made in the scope, polled outside.
    let stream = capture.scope_async(stream()).await;
    let mut stream = std::pin::pin!(stream);
    while stream.next().await.is_some() {}
    capture.tree()
}

const DOUBLED: &str = " {count=2, traced.stream.items=2}\n  double {n=1}\n  double {n=2}\n";

#[tokio::test]
async fn the_span_of_a_function_lasts_as_long_as_its_stream() {
    let with_call = DOUBLED.replacen('\n', "\n  double {n=0}\n", 1);
    assert_eq!(
        tree(async || doubled(2)).await,
        format!("doubled{with_call}")
    );
    assert_eq!(
        tree(async || doubled_by_hand(2)).await,
        format!("doubled_by_hand{DOUBLED}")
    );
    let numbers = DOUBLED.replace("count=2", "numbers=[1, 2]");
    assert_eq!(
        tree(async || doubled_in_a_box(&[1, 2])).await,
        format!("doubled_in_a_box{numbers}")
    );
    assert_eq!(
        tree(async || doubled_locally(2)).await,
        format!("doubled_locally{DOUBLED}")
    );
    assert_eq!(
        tree(async || doubled_later(2).await).await,
        format!("doubled_later{with_call}")
    );
    assert_eq!(
        tree(async || doubled_later_in_a_box((2, 0)).await).await,
        format!("doubled_later_in_a_box{DOUBLED}")
    );
}

#[tokio::test]
async fn the_span_ends_with_the_last_item_and_the_stream_stays_ended() {
    let capture = capture();
    let mut stream = Box::pin(capture.scope(|| doubled(1)));
    assert_eq!(stream.size_hint(), (1, Some(1)));
    assert_eq!(stream.next().await, Some(2));
    let open = capture.spans();
    assert!(open.iter().all(|span| span.name == "double"), "{open:?}");
    for _ in 0..2 {
        assert_eq!(stream.next().await, None);
    }
    assert_eq!(stream.size_hint(), (0, Some(0)));
    let spans = capture.spans();
    let doubled = spans.iter().find(|span| span.name == "doubled").unwrap();
    assert!(!is_cancelled(doubled));
    assert_eq!(doubled.status, Status::Unset);
}

#[tokio::test]
async fn a_stream_that_is_dropped_early_was_cancelled() {
    let capture = capture();
    let mut stream = capture.scope(|| doubled_by_hand(9));
    stream.next().await;
    stream.next().await;
    drop(stream);
    let spans = capture.spans();
    assert_eq!(spans[0].attribute("traced.stream.items"), Some(&2.into()));
    assert!(is_cancelled(&spans[0]));
    assert_eq!(spans[0].status, Status::Unset);
}

#[traced(kind = client, skip_all)]
fn fetched(dropped_in: DropsInSpan) -> impl Stream<Item = u8> {
    stream::pending().map(move |item| {
        let _ = &dropped_in;
        item
    })
}

/// Starts a span when it is dropped.
struct DropsInSpan;

impl Drop for DropsInSpan {
    fn drop(&mut self) {
        double(7);
    }
}

#[tokio::test]
async fn a_stream_is_dropped_inside_its_span() {
    let capture = capture();
    // Not polled at all.
    drop(capture.scope(|| fetched(DropsInSpan)));
    assert_eq!(
        capture.tree(),
        "fetched [client] {traced.stream.items=0, traced.cancelled=true, error.type=\"cancelled\"} \
         !error \"cancelled\"\n  double {n=7}\n"
    );
}

#[traced]
fn explodes() -> impl Stream<Item = u8> {
    stream::iter(0..2).map(|n| if n == 0 { n } else { panic!("too far") })
}

#[tokio::test]
async fn a_panic_fails_the_span() {
    let capture = capture();
    let stream = capture.scope(explodes);
    let all = AssertUnwindSafe(stream.collect::<Vec<_>>()).catch_unwind();
    all.await.unwrap_err();
    let span = only(&capture);
    assert!(matches!(span.status, Status::Error { .. }));
    assert_eq!(span.attribute("error.type"), Some(&"panic".into()));
    assert_eq!(span.attribute("traced.stream.items"), Some(&1.into()));
    assert!(!is_cancelled(&span));
}

#[derive(Debug)]
struct Declined(u16);

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "declined {}", self.0)
    }
}

impl std::error::Error for Declined {}

#[traced]
fn rows() -> impl Stream<Item = Result<u8, Declined>> {
    stream::iter([Ok(1), Err(Declined(7)), Ok(2), Err(Declined(8))])
}

#[traced(err(declined.code = err.0), err_type = format!("declined_{}", err.0))]
async fn rows_in_a_box() -> BoxStream<'static, Result<u8, Declined>> {
    rows_of_nobody()
}

fn rows_of_nobody() -> BoxStream<'static, Result<u8, Declined>> {
    stream::iter([Ok(1), Err(Declined(7))]).boxed()
}

#[traced(err = off)]
fn rows_of_no_interest() -> BoxStream<'static, Result<u8, Declined>> {
    rows_of_nobody()
}

#[traced(err_if = Option::is_none)]
fn found() -> impl Stream<Item = Option<u8>> {
    stream::iter([Some(1), None])
}

async fn drained<S: Stream>(stream: impl Future<Output = S>) -> SpanRecord {
    let capture = capture();
    let stream = capture.scope_async(stream).await;
    stream.for_each(async |_| {}).await;
    only(&capture)
}

#[tokio::test]
async fn items_that_are_errors_fail_the_span() {
    let span = drained(async { rows() }).await;
    assert_eq!(span.status, Status::error("declined 8"));
    let error_type = span.attribute("error.type").unwrap().to_string();
    assert!(error_type.ends_with("::Declined"), "{error_type}");
    let events: Vec<_> = span.events.iter().map(|event| &*event.name).collect();
    assert_eq!(events, ["exception", "exception"]);
    assert_eq!(span.attribute("traced.stream.items"), Some(&4.into()));
}

#[tokio::test]
async fn the_options_about_errors_look_at_items() {
    let span = drained(rows_in_a_box()).await;
    assert_eq!(span.attribute("declined.code"), Some(&7.into()));
    assert_eq!(span.attribute("error.type"), Some(&"declined_7".into()));
    let span = drained(async { rows_of_no_interest() }).await;
    assert_eq!(span.status, Status::Unset);
    assert!(span.events.is_empty());
    let span = drained(async { found() }).await;
    assert_eq!(span.status, Status::error(""));
}

struct Shop;

#[traced(fields(shop = "tea"), err(Debug), ret)]
impl Shop {
    fn orders(&self) -> impl Stream<Item = Result<u8, Declined>> + use<> {
        rows_of_nobody()
    }

    #[traced("all orders")]
    async fn later(&self) -> BoxStream<'static, u8> {
        stream::iter([1]).boxed()
    }
}

#[tokio::test]
async fn methods_of_a_traced_block_return_streams() {
    let span = drained(async { Shop.orders() }).await;
    assert_eq!(span.name, "Shop::orders");
    assert_eq!(span.status, Status::error("Declined(7)"));
    let span = drained(Shop.later()).await;
    assert_eq!(span.name, "all orders");
    assert_eq!(span.attribute("shop"), Some(&"tea".into()));
    assert_eq!(span.attribute("traced.stream.items"), Some(&1.into()));
}

struct Shelf<T>(Vec<T>);

#[traced]
impl<T: Clone + Send + Sync + Unpin> Shelf<T> {
    fn lent(&self) -> impl Stream<Item = &T> {
        stream::iter(&self.0)
    }

    fn tried<'a, E>(&'a self, error: E) -> Pin<Box<dyn Stream<Item = Result<T, E>> + 'a>>
    where
        E: std::error::Error + Clone + 'a,
    {
        Box::pin(stream::iter(&self.0).map(move |_| Err(error.clone())))
    }

    async fn copied(&self) -> impl Stream<Item = T> + Send + Unpin + use<'_, T> {
        stream::iter(self.0.clone())
    }
}

#[tokio::test]
async fn streams_borrow_and_are_generic_as_before() {
    fn sendable<S: Stream + Send + Unpin>(stream: S) -> S {
        stream
    }
    let shelf = Shelf(vec![1, 2]);
    let lent: Vec<&u8> = sendable(shelf.lent()).collect().await;
    assert_eq!(lent, [&1, &2]);
    assert_eq!(sendable(shelf.copied().await).count().await, 2);
    let span = drained(async { shelf.tried(std::fmt::Error) }).await;
    assert_eq!(span.name, "Shelf::tried");
    assert_eq!(
        span.attribute("error.type"),
        Some(&"core::fmt::Error".into())
    );
}

#[traced]
async fn consumer() {
    let stream = stream::iter([1, 2]).map(double).in_span("numbers");
    // Elsewhere, where nothing is current.
    let all = tokio::spawn(stream.with_attribute("queue", "a").collect::<Vec<_>>());
    assert_eq!(all.await.unwrap(), [2, 4]);
}

#[tokio::test]
async fn any_stream_can_be_put_into_a_span() {
    let capture = capture();
    capture.scope_async(consumer()).await;
    assert_eq!(
        capture.tree(),
        "consumer\n  numbers {queue=\"a\", traced.stream.items=2}\n    double {n=1}\n    \
         double {n=2}\n"
    );
}

#[tokio::test]
async fn errors_of_any_stream_are_recorded_if_asked_for() {
    let span = drained(async { rows_of_nobody().in_span("rows") }).await;
    assert_eq!(span.status, Status::Unset);
    let span = drained(async { rows_of_nobody().in_span("rows").record_errors() }).await;
    assert_eq!(span.status, Status::error("declined 7"));
    assert_eq!(span.attribute("traced.stream.items"), Some(&2.into()));
}

#[tokio::test]
async fn what_names_a_secret_is_not_shown() {
    let stream = async {
        rows_of_nobody()
            .in_span("rows")
            .with_attribute("api_key", "abc")
    };
    let span = drained(stream).await;
    assert_eq!(span.attribute("api_key"), Some(&"[redacted]".into()));
}

#[tokio::test]
async fn a_stream_without_a_tracer_is_a_stream() {
    assert_eq!(doubled(2).collect::<Vec<_>>().await, [2, 4]);
    assert_eq!(
        stream::iter([1]).in_span("one").collect::<Vec<_>>().await,
        [1]
    );
}

#[tokio::test]
async fn the_span_is_current_only_while_the_stream_is_polled() {
    let capture = capture();
    let mut stream = capture.scope(|| {
        Box::pin(stream::poll_fn(|_| Poll::Ready(Some(trace_runtime::span_id()))).in_span("ids"))
    });
    let inside = stream.next().await.unwrap();
    assert_eq!(trace_runtime::span_id(), None);
    drop(stream);
    assert_eq!(inside, Some(only(&capture).span_id));
}
