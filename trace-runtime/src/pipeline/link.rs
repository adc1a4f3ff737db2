//! The way from the worker to a sender: on the worker's own thread when it is the only one, else on a
//! thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use opentelemetry::Context;

use super::report::Reporter;
use super::sender::{Effort, Pending, Sender};
use crate::diagnostics::Diagnostic;

/// The way to a sender: on the worker's own thread when it is the only one.
pub(super) enum Link {
    Here(Sender),
    Thread {
        orders: mpsc::Sender<Order>,
        answers: mpsc::Receiver<u64>,
        asked: u64,
    },
}

pub(super) enum Order {
    Accept(Arc<Pending>),
    /// With a number to answer with; nobody waits for [`Effort::Usual`].
    Deliver(Effort, u64),
    Shutdown(Instant, u64),
}

impl Link {
    pub(super) fn spawn(mut sender: Sender, reporter: &Arc<Reporter>) -> Self {
        let (orders, inbox) = mpsc::channel();
        let (done, answers) = mpsc::channel();
        let spawned = thread::Builder::new()
            .name("trace-runtime-send".into())
            .spawn(move || {
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                let mut retry_at: Option<Instant> = None;
                loop {
                    let order = match retry_at {
                        None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                        Some(at) => {
                            inbox.recv_timeout(at.saturating_duration_since(Instant::now()))
                        }
                    };
                    match order {
                        Ok(Order::Accept(batch)) => {
                            sender.accept(batch);
                            continue;
                        }
                        Ok(Order::Deliver(Effort::Usual, _)) | Err(RecvTimeoutError::Timeout) => {
                            retry_at = sender.deliver(Effort::Usual);
                        }
                        Ok(Order::Deliver(effort, number)) => {
                            retry_at = sender.deliver(effort);
                            let _ = done.send(number);
                        }
                        Ok(Order::Shutdown(until, number)) => {
                            sender.shutdown(until);
                            let _ = done.send(number);
                            return;
                        }
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            });
        if let Err(error) = spawned {
            reporter.note(Diagnostic::error(format!(
                "an exporter's thread cannot start: {error}"
            )));
        }
        Self::Thread {
            orders,
            answers,
            asked: 0,
        }
    }

    pub(super) fn accept(&mut self, batch: Arc<Pending>) {
        match self {
            Self::Here(sender) => sender.accept(batch),
            Self::Thread { orders, .. } => {
                let _ = orders.send(Order::Accept(batch));
            }
        }
    }

    /// Delivers what it can without being waited for; says when to come back if something is left.
    pub(super) fn proceed(&mut self, effort: Effort) -> Option<Instant> {
        match (&mut *self, effort) {
            // All that is left fails together, once.
            (_, Effort::Last(_)) => None,
            (Self::Here(sender), effort) => sender.deliver(effort),
            (Self::Thread { .. }, _) => {
                self.begin(Effort::Usual);
                None
            }
        }
    }

    pub(super) fn begin(&mut self, effort: Effort) {
        if let Self::Thread { orders, asked, .. } = self {
            *asked += 1;
            let _ = orders.send(Order::Deliver(effort, *asked));
        }
    }

    pub(super) fn finish(&mut self, effort: Effort) -> Option<Instant> {
        match (self, effort) {
            (Self::Here(sender), _) => sender.deliver(effort),
            (Self::Thread { .. }, Effort::Usual) => None,
            (link, Effort::Now(until) | Effort::Last(until)) => {
                link.wait(until);
                None
            }
        }
    }

    pub(super) fn shutdown(&mut self, until: Instant) {
        match self {
            Self::Here(sender) => sender.shutdown(until),
            Self::Thread { orders, asked, .. } => {
                *asked += 1;
                let _ = orders.send(Order::Shutdown(until, *asked));
                self.wait(until);
            }
        }
    }

    /// Waits for the answer to the last order; an answer to an earlier one comes late.
    fn wait(&self, until: Instant) {
        if let Self::Thread { answers, asked, .. } = self {
            let left = || until.saturating_duration_since(Instant::now());
            while answers
                .recv_timeout(left())
                .is_ok_and(|number| number < *asked)
            {}
        }
    }
}
