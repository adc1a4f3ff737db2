//! What every subject's 4-span trace does besides being traced.
//!
//! The async root `checkout(order_id: u64, customer: &str)` calls `load`, yields once, and calls
//! `price` and `store`; these are sync and take one `id: u64`. Each step returns its id plus one,
//! so the spans of a trace carry `order_id`, `order_id + 1` and `order_id + 2`, and the sink can
//! tell a right span from a wrong one. The bodies are written out once per subject, because where
//! the instrumentation goes is exactly what differs.

use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::ops::Range;

use crate::executor::block_on;

/// The second argument of every root.
pub(crate) const CUSTOMER: &str = "customer-17";

/// Names of the three steps, in calling order.
pub(crate) const STEPS: [&str; 3] = ["load", "price", "store"];

/// The name of the root.
pub(crate) const ROOT: &str = "checkout";

/// How many spans one trace has.
pub const SPANS_PER_TRACE: u64 = 4;

/// Why a step failed; it never does, but the compiler cannot know.
#[derive(Debug)]
pub(crate) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

/// The work of one step.
#[inline(always)]
pub(crate) fn step(id: u64) -> Result<u64, Refused> {
    if black_box(id) == u64::MAX {
        return Err(Refused);
    }
    Ok(id + 1)
}

/// Drives one root per order.
pub(crate) fn drive<F: Future>(orders: Range<u64>, root: impl Fn(u64, &'static str) -> F) {
    for order in orders {
        black_box(block_on(root(black_box(order), black_box(CUSTOMER))));
    }
}

/// Calls one traced step `count` times.
pub(crate) fn repeat(count: u64, call: impl Fn(u64) -> Result<u64, Refused>) {
    for id in 0..count {
        let _ = black_box(call(black_box(id)));
    }
}
