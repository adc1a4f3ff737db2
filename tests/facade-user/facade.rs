//! Spans of a crate that knows us only through a facade.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use facade::traced::testing::{Capture, capture};
use tests_facade_user::{OrderError, OrderId, Orders, boxed};

/// The output of a future that never waits.
fn finish<F: Future>(capture: &Capture, future: F) -> F::Output {
    let mut future = pin!(capture.scope_async(future));
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

#[test]
fn functions_are_traced_through_the_facade() {
    let capture = capture();
    capture.scope(|| {
        assert_eq!(Orders.find(OrderId(2)).unwrap(), 2);
        Orders.find(OrderId(3)).unwrap_err();
        Orders.batch(&[]);
    });
    assert_eq!(
        capture.tree(),
        "Orders::find [client] {id=2}\n\
         Orders::find [client] {id=3, error.type=\"NotFound\"} !error \"NotFound\"\n  \
         - exception {exception.type=\"tests_facade_user::OrderError\", exception.message=\"NotFound\"}\n\
         batch of 0 [client]\n"
    );
}

#[test]
fn futures_are_traced_through_the_facade() {
    let capture = capture();
    let paid = finish(&capture, Orders.pay(OrderId(2), "visa", Some("credit")));
    assert!(paid.unwrap());
    let declined = finish(&capture, Orders.pay(OrderId(0), "visa", None));
    assert!(matches!(declined, Err(OrderError::Declined)));
    assert_eq!(finish(&capture, async { boxed(1).await }), 2);
    assert_eq!(
        capture.tree(),
        "pay [client] {id=2, card=\"visa\", card_kind=\"credit\", paid=true}\n  \
         Orders::find [client] {id=2}\n\
         pay [client] {id=0, card=\"visa\", error.type=\"Declined\", fatal=true} !error \"Declined\"\n  \
         - exception {exception.type=\"tests_facade_user::OrderError\", exception.message=\"Declined\"}\n  \
         Orders::find [client] {id=0}\n\
         boxed {id=1}\n"
    );
}
