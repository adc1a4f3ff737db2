//! A call site without options, put together when its first span starts.
//!
//! The compiler evaluates every static of a crate that it checks, and an empty one costs it half as
//! much as one that is filled in. So most functions have an empty one, and bring the facts along.

use std::any::type_name;
use std::panic::Location;

use once_cell::sync::OnceCell;

use crate::callsite::{Callsite, Level};
use crate::span::{Start, off};
use crate::tracer::global;

/// A [`Callsite`], once there is one. Not public API.
#[derive(Debug)]
pub struct LazyCallsite(OnceCell<&'static Callsite>);

/// Starts a span below the current one; `P` is a type declared inside the function.
#[inline]
#[track_caller]
pub fn start<P: 'static>(
    callsite: &'static LazyCallsite,
    package: &'static str,
    version: &'static str,
    keys: &'static [&'static str],
) -> Start {
    if !global::is_enabled(Level::Info) {
        return off();
    }
    let callsite = match callsite.0.get() {
        Some(callsite) => callsite,
        None => callsite.fill(type_name::<P>, package, version, keys),
    };
    callsite.start_current()
}

impl LazyCallsite {
    /// Nothing is known yet.
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "copied into each function's static, and a path costs the compiler less than a call"
    )]
    pub const NEW: Self = Self(OnceCell::new());

    /// One small box a function, for the rest of the process.
    #[cold]
    #[track_caller]
    fn fill(
        &'static self,
        path: fn() -> &'static str,
        package: &'static str,
        version: &'static str,
        keys: &'static [&'static str],
    ) -> &'static Callsite {
        let location = Location::caller();
        self.0.get_or_init(|| {
            let callsite = Callsite::new::<()>(package, version, keys);
            Box::leak(Box::new(callsite.at(path, location)))
        })
    }
}
