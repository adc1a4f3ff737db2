//! Nothing that the macro adds is linted, by rustc or by clippy.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    rust_2018_idioms,
    rust_2021_compatibility,
    unused,
    missing_docs,
    missing_debug_implementations,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
// Ours, not the macro's.
#![allow(
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::unused_async,
    clippy::unused_self,
    clippy::needless_pass_by_value,
    clippy::pub_underscore_fields
)]

use std::future::Future;
use std::pin::Pin;
use trace_runtime::traced;

/// Orders.
#[derive(Debug)]
pub struct Orders {
    id: u64,
}

/// A pair.
#[derive(Debug)]
pub struct Pair(pub u64, pub u64);

/// A point.
#[derive(Debug)]
pub struct Point {
    x: u64,
    y: u64,
}

#[traced]
impl Orders {
    /// Sync.
    pub fn sync(&self, id: u64) -> Result<u64, String> {
        Ok(self.id + id)
    }

    /// Nothing to say.
    pub fn unit(&self) {}

    /// Async.
    pub async fn asynchronous(&self, mut id: u64) -> Result<u64, String> {
        id += 1;
        Ok(self.id + id)
    }

    /// Async, nothing to say.
    pub async fn asynchronous_unit(&self) {}

    /// A box.
    pub fn boxed(&self, id: u64) -> Pin<Box<dyn Future<Output = u64> + '_>> {
        Box::pin(async move { self.id + id })
    }

    /// A future.
    pub fn future(&self, id: u64) -> impl Future<Output = u64> + '_ {
        async move { self.id + id }
    }

    /// An iterator.
    pub fn iterator(&self, _unused: u64) -> impl Iterator<Item = u64> + '_ {
        std::iter::once(self.id)
    }

    /// Everything.
    #[traced("all", kind = server, fields(self.id, ?extra), ret(n = *ret), err(text = %err), err_type = "x")]
    pub fn all(&self, extra: Option<&str>) -> Result<usize, String> {
        extra.map(str::len).ok_or_else(String::new)
    }

    /// A name that is made, a new trace, a test of the result.
    #[traced(name = self.id.to_string(), root, err_if = Option::is_none, ret)]
    pub fn dynamic(&self, links: &[u8]) -> Option<u8> {
        links.first().copied()
    }

    /// By value.
    pub fn by_value(self) -> u64 {
        self.id
    }

    /// Unused arguments.
    pub fn unused(&self, _: u64, _a: u64, Pair(_b, _): Pair, _c: u64) {}

    /// Unused arguments, async.
    pub async fn unused_async(&self, _: u64, _a: u64, Pair(_b, _): Pair, _c: u64) {}

    /// Patterns.
    pub fn patterns(
        &self,
        Point { x, .. }: Point,
        (a, mut b): (u64, u64),
        Pair(c, _): &Pair,
    ) -> u64 {
        b += 1;
        x + a + b + c
    }

    /// Patterns, async.
    pub async fn patterns_async(&self, Point { x, .. }: Point, (a, mut b): (u64, u64)) -> u64 {
        b += 1;
        x + a + b
    }

    /// Never.
    pub fn never(&self) -> ! {
        std::process::exit(0)
    }
}

fn point() -> Point {
    let point = Point { x: 1, y: 2 };
    assert_eq!(point.y, 2);
    point
}

fn main() {
    let orders = Orders { id: 1 };
    orders.unit();
    drop(orders.asynchronous(1));
    drop(orders.asynchronous_unit());
    drop(orders.boxed(1));
    drop(orders.future(1));
    drop(orders.iterator(1));
    orders.unused(1, 2, Pair(3, 4), 5);
    drop(orders.unused_async(1, 2, Pair(3, 4), 5));
    drop(orders.patterns_async(point(), (2, 3)));
    assert_eq!(orders.patterns(point(), (2, 3), &Pair(4, 5)), 11);
    assert_eq!(orders.sync(1), Ok(2));
    assert_eq!(orders.all(Some("a")), Ok(1));
    assert_eq!(orders.dynamic(&[1]), Some(1));
    assert_eq!(Orders { id: 3 }.by_value(), 3);
    orders.never()
}
