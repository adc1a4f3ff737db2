//! Arguments are dropped when, and in the order in which, they would have been.

use std::cell::RefCell;
use trace_runtime::traced;

thread_local!(static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        LOG.with_borrow_mut(|log| log.push(self.0));
    }
}

macro_rules! both {
    ($($(#[$attr:meta])* fn $name:ident($($args:tt)*) $body:block)*) => {
        mod plain { use super::*; $(pub fn $name($($args)*) $body)* }
        mod traced { use super::*; $(#[::trace_runtime::traced] pub fn $name($($args)*) $body)* }
    };
}

both! {
    fn names(_a: Noisy, b: Noisy, _c: Noisy) {
        let _local = Noisy("local");
        drop(b);
    }

    fn wild(_a: Noisy, _: Noisy, _c: Noisy) {
        let _local = Noisy("local");
    }

    fn tuple((_a, _b): (Noisy, Noisy), _c: Noisy) {
        let _local = Noisy("local");
    }

    fn rest((a, _): (Noisy, Noisy), _c: Noisy) {
        let _local = Noisy("local");
        drop(a);
    }

    fn unused_rest((_a, ..): (Noisy, Noisy), _: Noisy) {
        let _local = Noisy("local");
    }

    fn by_reference(_a: Noisy, ref b: Noisy, _c: Noisy) {
        let _local = Noisy(b.0);
    }
}

struct Account {
    _first: Noisy,
    second: Noisy,
}

macro_rules! owned {
    ($module:ident $(#[$attr:meta])?) => {
        mod $module {
            use super::*;

            impl Account {
                $(#[$attr])?
                pub fn $module(self, _a: Noisy) {
                    let _local = Noisy("local");
                    drop(self.second);
                }
            }
        }
    };
}

owned!(owned_plain);
owned!(owned_traced #[traced]);

fn log(run: impl FnOnce()) -> Vec<&'static str> {
    run();
    LOG.with_borrow_mut(std::mem::take)
}

fn noisy() -> (Noisy, Noisy, Noisy) {
    (Noisy("a"), Noisy("b"), Noisy("c"))
}

fn account() -> Account {
    Account {
        _first: Noisy("first"),
        second: Noisy("second"),
    }
}

fn main() {
    let three = |call: fn(Noisy, Noisy, Noisy)| {
        let (a, b, c) = noisy();
        log(|| call(a, b, c))
    };
    assert_eq!(three(plain::names), three(traced::names));
    assert_eq!(three(plain::wild), three(traced::wild));
    assert_eq!(three(plain::by_reference), three(traced::by_reference));
    let tuple = |call: fn((Noisy, Noisy), Noisy)| {
        let (a, b, c) = noisy();
        log(|| call((a, b), c))
    };
    assert_eq!(tuple(plain::tuple), tuple(traced::tuple));
    assert_eq!(tuple(plain::rest), tuple(traced::rest));
    assert_eq!(tuple(plain::unused_rest), tuple(traced::unused_rest));
    assert_eq!(
        log(|| account().owned_plain(Noisy("a"))),
        log(|| account().owned_traced(Noisy("a")))
    );
}
