//! Nobody sleeps in a model, so nobody is woken.

use std::time::Instant;

#[derive(Debug, Default)]
pub(crate) struct Waker {}

impl Waker {
    pub(crate) fn tell(&self, _queued: i64) {}

    pub(crate) fn sleep(&self, _until: Instant, _queued: i64) {}
}
