//! Traces through a facade: neither `trace_runtime` nor `opentelemetry` is a dependency of this
//! package, so nothing that the macros emit may name them.

use std::pin::Pin;

use facade::observe;
use facade::traced::opentelemetry::trace::SpanContext;
use facade::traced::{Failure, ToValue, traced};

/// An order's number.
#[derive(ToValue, Debug, Clone, Copy)]
#[traced(crate = facade::traced)]
pub struct OrderId(pub u64);

/// What can go wrong.
#[derive(Failure, Debug)]
#[traced(crate = facade::traced)]
pub enum OrderError {
    /// There is no such order.
    #[traced(status = 404)]
    NotFound,
    /// The payment was declined.
    Declined,
}

/// A service.
#[derive(Debug)]
pub struct Orders;

#[observe(crate = facade::traced, kind = client)]
impl Orders {
    /// Sync.
    ///
    /// # Errors
    /// Even orders are there.
    pub fn find(&self, id: OrderId) -> Result<u64, OrderError> {
        match id.0 % 2 {
            0 => Ok(id.0),
            _ => Err(OrderError::NotFound),
        }
    }

    /// Async.
    ///
    /// # Errors
    /// The first order cannot be paid.
    #[traced("pay", fields(card_kind), ret(paid = ret), err(fatal = matches!(err, OrderError::Declined)))]
    pub async fn pay(
        &self,
        id: OrderId,
        card: &str,
        card_kind: Option<&str>,
    ) -> Result<bool, OrderError> {
        let _ = (card, card_kind);
        match self.find(id)? {
            0 => Err(OrderError::Declined),
            _ => Ok(true),
        }
    }

    /// All that is evaluated late.
    #[traced(name = format!("batch of {}", links.len()), root, links = links.iter())]
    pub fn batch(&self, links: &[SpanContext]) {
        let _ = links;
    }
}

/// Boxed.
#[traced(crate = facade::traced)]
pub fn boxed(id: u64) -> Pin<Box<dyn Future<Output = u64>>> {
    Box::pin(async move { id + 1 })
}
