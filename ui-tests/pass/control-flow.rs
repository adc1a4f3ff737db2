//! What a body may do.

#![deny(warnings)]

use std::sync::Mutex;
use trace_runtime::traced;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[traced]
fn early(n: u8) -> Outcome<u8> {
    if n == 0 {
        return Err("zero".into());
    }
    let parsed: u8 = n.to_string().parse()?;
    for i in 0..n {
        if i == 5 {
            return Ok(i);
        }
    }
    Ok(parsed)
}

#[traced]
async fn early_async(n: u8) -> anyhow::Result<u8> {
    anyhow::ensure!(n > 0, "zero");
    let parsed: u8 = n.to_string().parse()?;
    if parsed == 2 {
        anyhow::bail!("two");
    }
    Ok(parsed)
}

#[traced]
fn inferred(n: u8) -> Result<Box<dyn std::fmt::Display>, String> {
    if n == 0 {
        Ok(Box::new("zero"))
    } else {
        Ok(Box::new(n))
    }
}

#[traced]
fn collected(n: u8) -> Result<Vec<u8>, String> {
    (0..n)
        .map(|i| i.checked_add(1).ok_or("large".to_owned()))
        .collect()
}

#[traced]
async fn collected_async(n: u8) -> Result<std::collections::BTreeSet<u8>, std::num::ParseIntError> {
    (0..n).map(|i| i.to_string().parse()).collect()
}

#[traced]
fn converted(text: &str) -> String {
    text.into()
}

#[traced]
fn unsized_closure() -> Box<dyn Fn(&u8) -> u8> {
    Box::new(|n| n + 1)
}

#[traced]
fn guard_at_the_end(n: &Mutex<u8>) -> u8 {
    *n.lock().unwrap()
}

#[traced]
async fn guard_at_the_end_async(n: &Mutex<Vec<u8>>) -> usize {
    n.lock().unwrap().len()
}

#[traced]
fn never(n: u8) -> ! {
    std::panic::resume_unwind(Box::new(n))
}

#[traced]
async fn never_async() -> ! {
    loop {
        tokio::task::yield_now().await;
    }
}

#[traced]
fn factorial(n: u64) -> u64 {
    if n < 2 { 1 } else { n * factorial(n - 1) }
}

#[traced]
async fn factorial_async(n: u64) -> u64 {
    if n < 2 {
        1
    } else {
        n * Box::pin(factorial_async(n - 1)).await
    }
}

#[traced]
fn outer(n: u8) -> u8 {
    #[traced]
    fn inner(n: u8) -> u8 {
        n + 1
    }
    const STEP: u8 = 1;
    static __CALLSITE: u8 = STEP;
    inner(n) + __CALLSITE
}

#[traced]
fn labelled(n: u8) -> u8 {
    'outer: loop {
        loop {
            break 'outer;
        }
    }
    n
}

#[traced]
fn inner_attributes(n: u8) -> u8 {
    #![allow(unused_variables)]
    let unused = n;
    n
}

/// # Safety
/// None needed.
#[traced]
unsafe fn unsafe_fn(n: *const u8) -> u8 {
    // SAFETY: the caller says so.
    unsafe { *n }
}

/// # Safety
/// None needed.
#[traced]
async unsafe fn async_unsafe_fn(n: u8) -> u8 {
    n
}

#[traced]
extern "C" fn external(n: u8) -> u8 {
    n
}

#[traced]
#[unsafe(no_mangle)]
pub extern "C" fn traced_symbol(n: u8) -> u8 {
    n
}

#[inline]
#[must_use]
#[doc = "Documented."]
#[traced]
#[deprecated(note = "not really")]
pub fn attributes(n: u8) -> u8 {
    n
}

#[cfg_attr(all(), traced)]
#[cfg_attr(any(), traced)]
fn conditional(n: u8) -> u8 {
    n
}

#[traced(fields(n))]
fn with_cfg(#[cfg(all())] n: u8, #[cfg(any())] n: String, #[cfg(any())] other: Missing) -> u8 {
    n
}

#[traced]
fn with_lint(#[allow(unused_variables, unused_mut)] mut n: u8) {}

#[tokio::main(flavor = "current_thread")]
#[traced]
async fn traced_main_below() -> Outcome<()> {
    early_async(1).await?;
    Ok(())
}

#[traced]
#[tokio::main(flavor = "current_thread")]
async fn traced_main_above() -> Outcome<()> {
    early_async(1).await?;
    Ok(())
}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    assert_eq!(early(9).unwrap(), 5);
    assert_eq!(inferred(1).unwrap().to_string(), "1");
    assert_eq!(collected(2), Ok(vec![1, 2]));
    assert_eq!(converted("a"), "a");
    assert_eq!(unsized_closure()(&1), 2);
    assert_eq!(guard_at_the_end(&Mutex::new(1)), 1);
    drop(is_send(guard_at_the_end_async(&Mutex::new(Vec::new()))));
    drop(is_send(collected_async(3)));
    drop(is_send(never_async()));
    assert_eq!(factorial(5), 120);
    drop(is_send(factorial_async(5)));
    assert_eq!(outer(1), 3);
    assert_eq!(labelled(1), 1);
    assert_eq!(inner_attributes(1), 1);
    // SAFETY: it points at a value.
    assert_eq!(unsafe { unsafe_fn(&1) }, 1);
    // SAFETY: nothing is asked for.
    drop(unsafe { async_unsafe_fn(1) });
    assert_eq!(external(1) + traced_symbol(1), 2);
    #[allow(deprecated)]
    let n = attributes(1);
    assert_eq!(conditional(n) + with_cfg(1), 2);
    with_lint(1);
    assert!(std::panic::catch_unwind(|| never(1)).is_err());
    traced_main_below().unwrap();
    traced_main_above().unwrap();
}
