//! The workload without any tracing.

use std::error::Error;
use std::ops::Range;

use super::{Destination, Pipeline, Subject};
use crate::executor::yield_once;
use crate::workload::{Bodies, Failed, Refused, Workload, fail, repeat, step, with_twenty};

pub(super) struct Plain;

async fn checkout(order_id: u64, customer: &str) -> Result<u64, Refused> {
    let id = load(order_id)?;
    yield_once().await;
    let id = price(id)?;
    let id = store(id)?;
    Ok(id + customer.len() as u64)
}

#[inline(never)]
fn load(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[inline(never)]
fn price(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[inline(never)]
fn store(id: u64) -> Result<u64, Refused> {
    step(id)
}

#[inline(never)]
fn nested(id: u64) -> Result<u64, Refused> {
    if id == 1 { step(id) } else { nested(id - 1) }
}

#[inline(never)]
fn fan_out(count: u64) -> Result<u64, Refused> {
    (0..count).try_fold(0, |sum, id| Ok(sum + load(id)?))
}

#[inline(never)]
fn place(id: u64) -> Result<u64, Failed> {
    reserve(id)
}

#[inline(never)]
fn reserve(id: u64) -> Result<u64, Failed> {
    fail(id)
}

#[inline(never)]
#[expect(clippy::too_many_arguments)]
fn described(
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: u64,
    h: u64,
    i: u64,
    j: u64,
    k: u64,
    l: u64,
    m: u64,
    n: u64,
    o: u64,
    p: u64,
    q: u64,
    r: u64,
    s: u64,
    t: u64,
) -> Result<u64, Refused> {
    step(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t)
}

fn describe(id: u64) -> Result<u64, Refused> {
    with_twenty!(described, id)
}

#[inline(never)]
fn search(text: &str) -> Result<u64, Refused> {
    step(text.len() as u64)
}

impl Subject for Plain {
    fn name(&self) -> &'static str {
        super::PLAIN
    }

    fn crates(&self) -> &'static [&'static str] {
        &[]
    }

    fn records(&self) -> bool {
        false
    }

    fn install(&self, _: &Destination) -> Result<Box<dyn Pipeline>, Box<dyn Error>> {
        Ok(Box::new(super::Nothing))
    }

    fn run(&self, workload: Workload, orders: Range<u64>) {
        Bodies {
            checkout,
            nested,
            fan_out,
            place,
            describe,
            search,
        }
        .run(workload, orders);
    }

    fn calls(&self, count: u64) {
        repeat(count, load);
    }

    fn future_size(&self) -> usize {
        size_of_val(&checkout(0, ""))
    }
}
