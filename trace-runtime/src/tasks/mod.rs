//! Threads and tasks: taking the current span along.
//!
//! The current span belongs to the code that runs now, on this thread. A future that is polled where it
//! was made, or awaited, stays inside it; work that is handed to somebody else does not, unless it
//! carries the span. Each way of handing over has a form that does:
//!
//! | instead of | write |
//! |---|---|
//! | `std::thread::spawn(f)` | `std::thread::spawn(`[`carry`]`(f))` |
//! | `rayon::spawn(f)`, `rayon::join(f, g)`, `scope.spawn(..)` | the same with `carry(f)`, `carry(g)` |
//! | `items.par_iter().map(f)` | `items.par_iter().map(`[`carry_fn`]`(f))` |
//! | `tokio::spawn(future)` | `trace_runtime::spawn(future)`, feature `tokio` |
//! | `tokio::task::spawn_blocking(f)` | `trace_runtime::spawn_blocking(f)`, feature `tokio` |
//! | `tokio::task::JoinSet` | `trace_runtime::tasks::JoinSet`, feature `tokio` |
//! | any other `spawn(future)` | `spawn(future.`[`in_current_context`](InCurrentContext::in_current_context)`())` |
//!
//! The span that is carried need not wait: a task may go on after its parent has ended, and is drawn
//! below it all the same.
//!
//! # A program
//!
#![cfg_attr(all(feature = "testing", feature = "tokio"), doc = "```")]
#![cfg_attr(not(all(feature = "testing", feature = "tokio")), doc = "```ignore")]
//! use trace_runtime::tasks::JoinSet;
//! use trace_runtime::{carry, spawn, spawn_blocking, testing, traced};
//!
//! #[traced]
//! async fn price(item: u64) -> u64 {
//!     10 * item
//! }
//!
//! #[traced]
//! fn compress(page: u64) {}
//!
//! #[traced]
//! async fn checkout() -> u64 {
//!     let mut prices = JoinSet::new();
//!     for item in 1..=2 {
//!         prices.spawn(price(item));
//!     }
//!     let total = prices.join_all().await.iter().sum();
//!     spawn(price(3)).await.unwrap();
//!     spawn_blocking(|| compress(1)).await.unwrap();
//!     std::thread::spawn(carry(|| compress(2))).join().unwrap();
//!     total
//! }
//!
//! #[tokio::main]
//! async fn main() {
//!     let capture = testing::capture(); // a service calls `trace_runtime::init_tracer()` instead
//!     assert_eq!(capture.scope_async(checkout()).await, 30);
//!     testing::assert_trace!(capture, "checkout" { "price" * 3, "compress" * 2 });
//! }
//! ```
//!
//! # What happens without
//!
//! A bare `tokio::spawn`, `std::thread::spawn` or rayon closure knows nothing of the span it was started
//! in. The spans in it are not lost, and nothing warns: each begins a trace of its own, sampled on its
//! own, which shares no id with the request. The request's trace ends where the work was handed over.
//! A tracer in charge of a scope only, as [`in_scope`](crate::Tracer::in_scope) and
//! `testing::capture()` make it, stays behind as well: the spans go to the global tracer, if there is
//! one.
//!
#![cfg_attr(all(feature = "testing", feature = "tokio"), doc = "```")]
#![cfg_attr(not(all(feature = "testing", feature = "tokio")), doc = "```ignore")]
//! use trace_runtime::{Tracer, testing, traced};
//!
//! #[traced]
//! async fn send_mail() {}
//!
//! #[traced]
//! async fn checkout(tracer: Tracer) {
//!     // Stands for the global tracer, which every task finds by itself.
//!     let task = tokio::spawn(async move { tracer.in_scope_async(send_mail()).await });
//!     task.await.unwrap();
//! }
//!
//! #[tokio::main]
//! async fn main() {
//!     let capture = testing::capture();
//!     capture.scope_async(checkout(capture.tracer().clone())).await;
//!     testing::assert_trace!(capture, "checkout" {}, "send_mail"); // two roots
//! }
//! ```

#[cfg(feature = "tokio")]
mod join_set;

pub use crate::carry::{InCurrentContext, carry, carry_fn};
#[cfg(feature = "tokio")]
pub use crate::carry::{spawn, spawn_blocking};
#[cfg(feature = "tokio")]
pub use join_set::JoinSet;
