//! What every subject does besides being traced.
//!
//! The workload of the budgets is the 4-span trace: the async root
//! `checkout(order_id: u64, customer: &str)` calls `load`, yields once, and calls `price` and
//! `store`; these are sync and take one `id: u64`. Each step returns its id plus one, so the spans of
//! a trace carry `order_id`, `order_id + 1` and `order_id + 2`, and the sink can tell a right span
//! from a wrong one. The others each do one thing a lot. The bodies are written out once per
//! subject, because where the instrumentation goes is exactly what differs.

use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;

use crate::executor::block_on;
use crate::gate::Gate;
use crate::subject::Destination;

/// The second argument of every root.
pub(crate) const CUSTOMER: &str = "customer-17";

/// Names of the three steps, in calling order.
pub(crate) const STEPS: [&str; 3] = ["load", "price", "store"];

/// The name of the root.
pub(crate) const ROOT: &str = "checkout";

/// How many spans a 4-span trace has.
pub const SPANS_PER_TRACE: u64 = 4;

/// How deep [`Workload::Deep`] nests.
const DEPTH: u64 = 50;

/// How many children [`Workload::Wide`] has.
const CHILDREN: u64 = 200;

/// As long as a text may be without being cut by anybody's defaults.
const TEXT: &str = {
    const BYTES: [u8; 1000] = [b'x'; 1000];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => unreachable!(),
    }
};

/// What one trace consists of.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Workload {
    /// The async root and its three children.
    FourSpans,
    /// 50 functions, each called by the one before.
    Deep,
    /// A root that calls a function 200 times.
    Wide,
    /// A function that fails, and its caller; the error has two sources.
    Failing,
    /// A function with 20 numbers as arguments.
    TwentyAttributes,
    /// A function with a text of 1000 characters as argument.
    LongText,
    /// The 4-span trace, and the sampler says no.
    UnsampledRoot,
    /// The 4-span trace, of which a hook at the end of a span drops two spans.
    HalfDropped,
}

impl Workload {
    /// All of them, as the tables list them.
    pub const ALL: [Self; 8] = [
        Self::FourSpans,
        Self::Deep,
        Self::Wide,
        Self::Failing,
        Self::TwentyAttributes,
        Self::LongText,
        Self::UnsampledRoot,
        Self::HalfDropped,
    ];

    /// What the tables call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FourSpans => "4-span trace",
            Self::Deep => "50 nested",
            Self::Wide => "root with 200 children",
            Self::Failing => "error with two sources",
            Self::TwentyAttributes => "20 attributes",
            Self::LongText => "text of 1000 characters",
            Self::UnsampledRoot => "4-span trace, unsampled",
            Self::HalfDropped => "4-span trace, half dropped",
        }
    }

    /// How many functions of a trace are traced.
    #[must_use]
    pub fn spans(self) -> u64 {
        match self {
            Self::FourSpans | Self::UnsampledRoot | Self::HalfDropped => SPANS_PER_TRACE,
            Self::Deep => DEPTH,
            Self::Wide => 1 + CHILDREN,
            Self::Failing => 2,
            Self::TwentyAttributes | Self::LongText => 1,
        }
    }

    /// How many spans of a trace reach the exporter.
    #[must_use]
    pub fn exported(self) -> u64 {
        match self {
            Self::UnsampledRoot => 0,
            Self::HalfDropped => 2,
            _ => self.spans(),
        }
    }

    /// Where its spans go, for an exporter that only counts.
    #[must_use]
    pub fn destination(self, gate: &Arc<Gate>) -> Destination {
        match self {
            Self::UnsampledRoot => Destination::Unsampled(gate.clone()),
            Self::HalfDropped => Destination::HalfDropped(gate.clone()),
            _ => Destination::Null(gate.clone()),
        }
    }
}

/// Whether [`Workload::HalfDropped`] drops the span of that name.
pub(crate) fn is_dropped(name: &str) -> bool {
    name == "load" || name == "price"
}

/// The functions of one subject.
pub(crate) struct Bodies<C> {
    /// The root of the 4-span trace.
    pub(crate) checkout: C,
    /// Calls itself until its argument is 1.
    pub(crate) nested: fn(u64) -> Result<u64, Refused>,
    /// Calls `load` so many times.
    pub(crate) fan_out: fn(u64) -> Result<u64, Refused>,
    /// Calls `reserve`, which fails.
    pub(crate) place: fn(u64) -> Result<u64, Failed>,
    /// Calls a function of 20 arguments.
    pub(crate) describe: fn(u64) -> Result<u64, Refused>,
    /// Has one argument.
    pub(crate) search: fn(&str) -> Result<u64, Refused>,
}

impl<F: Future, C: Fn(u64, &'static str) -> F> Bodies<C> {
    /// Makes one trace per order.
    pub(crate) fn run(&self, workload: Workload, orders: Range<u64>) {
        match workload {
            Workload::FourSpans | Workload::UnsampledRoot | Workload::HalfDropped => {
                each(orders, |order| {
                    block_on((self.checkout)(order, black_box(CUSTOMER)))
                });
            }
            Workload::Deep => each(orders, |_| (self.nested)(black_box(DEPTH))),
            Workload::Wide => each(orders, |_| (self.fan_out)(black_box(CHILDREN))),
            Workload::Failing => each(orders, self.place),
            Workload::TwentyAttributes => each(orders, self.describe),
            Workload::LongText => each(orders, |_| (self.search)(black_box(TEXT))),
        }
    }
}

fn each<T>(orders: Range<u64>, call: impl Fn(u64) -> T) {
    for order in orders {
        black_box(call(black_box(order)));
    }
}

/// Calls a function of 20 numbers.
macro_rules! with_twenty {
    ($function:path, $id:ident) => {
        $function(
            $id,
            $id + 1,
            $id + 2,
            $id + 3,
            $id + 4,
            $id + 5,
            $id + 6,
            $id + 7,
            $id + 8,
            $id + 9,
            $id + 10,
            $id + 11,
            $id + 12,
            $id + 13,
            $id + 14,
            $id + 15,
            $id + 16,
            $id + 17,
            $id + 18,
            $id + 19,
        )
    };
}
pub(crate) use with_twenty;

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

/// Why an order failed.
#[derive(Debug)]
pub(crate) struct Failed(Locked);

/// Why it failed, and so on.
#[derive(Debug)]
struct Locked(Refused);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the order cannot be placed")
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the row is locked")
    }
}

impl std::error::Error for Locked {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// The work of a step that fails; the compiler cannot know.
#[inline(always)]
pub(crate) fn fail(id: u64) -> Result<u64, Failed> {
    if black_box(id) != u64::MAX {
        return Err(Failed(Locked(Refused)));
    }
    Ok(id)
}

/// Calls one traced step `count` times.
pub(crate) fn repeat(count: u64, call: impl Fn(u64) -> Result<u64, Refused>) {
    for id in 0..count {
        let _ = black_box(call(black_box(id)));
    }
}
