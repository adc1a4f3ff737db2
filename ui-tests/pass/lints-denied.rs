//! Nothing that the macro adds is linted.

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
    variant_size_differences
)]

use std::future::Future;
use std::pin::Pin;
use trace_runtime::traced;

/// Orders.
#[derive(Debug)]
pub struct Orders {
    id: u64,
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
    pub fn iterator(&self) -> impl Iterator<Item = u64> + '_ {
        std::iter::once(self.id)
    }

    /// Everything.
    #[traced("all", kind = server, fields(self.id, ?extra), ret(n = *ret), err(text = %err), err_type = "x")]
    pub fn all(&self, extra: Option<&str>) -> Result<usize, String> {
        extra.map(str::len).ok_or_else(|| "none".to_owned())
    }

    /// By value.
    pub fn by_value(self) -> u64 {
        self.id
    }

    /// Never.
    pub fn never(&self) -> ! {
        std::process::exit(0)
    }
}

fn main() {
    let orders = Orders { id: 1 };
    orders.unit();
    drop(orders.asynchronous(1));
    drop(orders.asynchronous_unit());
    drop(orders.boxed(1));
    drop(orders.future(1));
    drop(orders.iterator());
    assert_eq!(orders.sync(1), Ok(2));
    assert_eq!(orders.all(Some("a")), Ok(1));
    assert_eq!(Orders { id: 3 }.by_value(), 3);
    orders.never()
}
