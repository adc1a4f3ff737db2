//! The workload without any tracing.

use std::error::Error;
use std::ops::Range;

use super::{Destination, Pipeline, Subject};
use crate::executor::yield_once;
use crate::workload::{Refused, drive, repeat, step};

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

impl Subject for Plain {
    fn name(&self) -> &'static str {
        super::PLAIN
    }

    fn crates(&self) -> &'static [&'static str] {
        &[]
    }

    fn install(&self, _: &Destination) -> Result<Box<dyn Pipeline>, Box<dyn Error>> {
        Ok(Box::new(Nothing))
    }

    fn traces(&self, orders: Range<u64>) {
        drive(orders, checkout);
    }

    fn calls(&self, count: u64) {
        repeat(count, load);
    }

    fn future_size(&self) -> usize {
        size_of_val(&checkout(0, ""))
    }
}

struct Nothing;

impl Pipeline for Nothing {
    fn flush(&self) {}
    fn shutdown(&self) {}
}
