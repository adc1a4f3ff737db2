//! A call site without options, put together when its first span starts.
//!
//! The compiler evaluates every static of a crate that it checks, and asks whether threads may share
//! it: one empty atomic costs it a third of a call site that is filled in. So most functions have
//! that, and bring the facts along.
#![allow(unsafe_code)]

use std::any::type_name;
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::callsite::{Callsite, Level};
use crate::span::{Start, off};
use crate::tracer::global;

/// A [`Callsite`], once there is one. Not public API.
#[derive(Debug)]
pub struct LazyCallsite(AtomicPtr<Callsite>);

/// Starts a span below the current one; `P` is a type declared inside the function.
///
/// The facts are the package, its version and the keys, each after a space.
#[inline]
#[track_caller]
pub fn start<P>(callsite: &'static LazyCallsite, facts: &'static str) -> Start {
    if !global::is_enabled(Level::Info) {
        return off();
    }
    let callsite = match callsite.get() {
        Some(callsite) => callsite,
        None => callsite.fill(type_name::<P>, facts),
    };
    callsite.start_current()
}

impl LazyCallsite {
    /// Nothing is known yet.
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "copied into each function's static, and a path costs the compiler less than a call"
    )]
    pub const NEW: Self = Self(AtomicPtr::new(ptr::null_mut()));

    #[inline]
    fn get(&self) -> Option<&'static Callsite> {
        let callsite = self.0.load(Ordering::Acquire);
        // SAFETY: null, or what `fill` leaked and published after it was written; nobody frees it or
        // hands out more than shared references.
        unsafe { callsite.as_ref() }
    }

    /// One small box a function, for the rest of the process.
    #[cold]
    #[track_caller]
    fn fill(&self, path: fn() -> &'static str, facts: &'static str) -> &'static Callsite {
        let mut words = facts.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (package, version) = (word(), word());
        let keys = Vec::leak(words.collect());
        let callsite = Callsite::new::<()>(package, version, keys).at(path, Location::caller());
        let callsite: &'static mut _ = Box::leak(Box::new(callsite));
        let empty = ptr::null_mut();
        // Of two threads that meet here, the first one's stays.
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        match (self.0).compare_exchange(empty, callsite, success, failure) {
            Ok(_) => callsite,
            Err(_) => self.get().unwrap_or(callsite),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_words() {
        static CALLSITE: LazyCallsite = LazyCallsite::NEW;
        assert!(CALLSITE.get().is_none());
        let made = CALLSITE.fill(type_name::<()>, "orders 1.2.3 id user.name");
        assert_eq!((made.key(0), made.key(1)), ("id", "user.name"));
        assert!(ptr::eq(CALLSITE.get().unwrap(), made));
    }

    #[test]
    fn threads_that_meet_share_one() {
        static CALLSITE: LazyCallsite = LazyCallsite::NEW;
        let fill = || ptr::from_ref(CALLSITE.fill(type_name::<()>, " ")) as usize;
        let others: Vec<_> = (0..4).map(|_| std::thread::spawn(fill)).collect();
        let first = fill();
        for other in others {
            assert_eq!(other.join().unwrap(), first);
        }
    }
}
