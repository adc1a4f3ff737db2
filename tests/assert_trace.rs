//! `assert_trace!`: what it accepts, and how it explains what differs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use expect_test::{Expect, expect};
use trace_runtime::testing::{Capture, assert_trace};
use trace_runtime::{Failure, testing, traced};

#[derive(Debug, Failure)]
enum PaymentError {
    CardDeclined,
}

impl std::fmt::Display for PaymentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("card declined")
    }
}

struct Payments;

impl Payments {
    #[traced(kind = client)]
    fn charge(amount: f64, tags: &[&str]) -> Result<(), PaymentError> {
        let _ = (amount, tags);
        audit();
        Err(PaymentError::CardDeclined)
    }
}

#[traced]
fn audit() {}

#[traced("db::item")]
fn item(id: u64, cached: bool) {
    let _ = (id, cached);
}

#[traced]
fn checkout(items: u64) -> Result<(), PaymentError> {
    (1..=items).for_each(|id| item(id, id > 2));
    Payments::charge(12.5, &["tea", "cup"])
}

fn checked_out() -> Capture {
    let capture = testing::capture();
    capture.scope(|| checkout(3)).unwrap_err();
    capture
}

/// The message of the panic.
fn fails(assertion: impl FnOnce(&Capture), expected: &Expect) {
    let capture = checked_out();
    let panic = catch_unwind(AssertUnwindSafe(|| assertion(&capture))).unwrap_err();
    expected.assert_eq(panic.downcast_ref::<String>().unwrap());
}

#[test]
fn the_example_of_the_documentation_passes() {
    let capture = checked_out();
    assert_trace!(capture, "checkout" { "db::item" * ..=3, "Payments::charge" [error.type = "CardDeclined"] });
}

#[test]
fn counts_are_numbers_and_ranges() {
    let capture = checked_out();
    assert_trace!(capture, "checkout" { "db::item" * 3, .. });
    assert_trace!(capture, "checkout" { "db::item" * 1.., .. });
    assert_trace!(capture, "checkout" { "db::item" * 2..=3, .. });
    assert_trace!(capture, "checkout" { "db::item" * 2..4, .. });
    assert_trace!(capture, "checkout" { "db::item" * .., "audit" * .., .. });
    assert_trace!(capture, "checkout" { "db::item" * ..=9, "refund" * 0, "retry" * ..=2, .. });
}

#[test]
fn attributes_have_types_any_value_or_none() {
    let (capture, id) = (checked_out(), 2);
    assert_trace!(capture, "checkout" [items = 3, code.line.number = _, "items" = 3, !absent, !"db.system"] {
        "db::item" [id = 1, cached = false],
        "db::item" [id = id, cached = id > 2],
        "db::item" [id = 3, cached = true,],
        "Payments::charge" [amount = 12.5, tags = ["tea", "cup"], nothing = None::<u64>],
    });
}

#[test]
fn status_and_kind_are_what_jaeger_shows() {
    let capture = checked_out();
    assert_trace!(capture, "checkout" [error = true, span.kind = "internal"] {
        "db::item" * 3 [error = false, !otel.status_description],
        "Payments::charge" [span.kind = "client", otel.status_description = "card declined"],
    });
}

#[test]
fn without_braces_anything_is_below_and_with_empty_ones_nothing() {
    let capture = checked_out();
    assert_trace!(capture, "checkout");
    assert_trace!(&capture, "checkout" { "Payments::charge" { "audit" {} }, .. },);
}

#[test]
fn roots_are_siblings_too() {
    let capture = testing::capture();
    assert_trace!(capture);
    assert_trace!(capture, ..);
    capture.scope(|| (audit(), item(1, true), audit()));
    assert_trace!(capture, "db::item", "audit" * 2);
    assert_trace!(capture, "audit" * 2, ..);
}

#[test]
fn each_span_is_taken_for_one_expectation() {
    let capture = testing::capture();
    capture.scope(|| (item(1, true), item(2, true), item(3, false)));
    // The first span fits everywhere: it must make room for the others.
    assert_trace!(
        capture,
        "db::item"[cached = true],
        "db::item"[id = 1],
        "db::item"
    );
    assert_trace!(capture, "db::item" * .., "db::item"[id = 1]);
    assert_trace!(
        capture,
        "db::item" * 1..=2[cached = true],
        "db::item"[id = 2],
        "db::item" * ..=1
    );
}

#[test]
fn too_many_are_explained() {
    fails(
        |capture| assert_trace!(capture, "checkout" { "db::item" * ..=2 {}, "Payments::charge" }),
        &expect![[r#"
            the trace differs: expected `db::item` at most 2 times below `checkout`, found 3

            expected           | actual
            checkout           | checkout {items=3, error.type="CardDeclined"} !error "card declined"
              db::item * ..=2  |   db::item {id=1, cached=false}
                               |   db::item {id=2, cached=false}
                               ≠   db::item {id=3, cached=true}
              Payments::charge |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                               |     audit
        "#]],
    );
}

#[test]
fn too_few_are_explained() {
    fails(
        |capture| assert_trace!(capture, "checkout" { "db::item" * 4.., "Payments::charge" }),
        &expect![[r#"
            the trace differs: expected `db::item` at least 4 times below `checkout`, found 3

            expected           | actual
            checkout           | checkout {items=3, error.type="CardDeclined"} !error "card declined"
              db::item * 4..   |   db::item {id=1, cached=false}
                               |   db::item {id=2, cached=false}
                               |   db::item {id=3, cached=true}
                               ≠
              Payments::charge |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                               |     audit
        "#]],
    );
}

#[test]
fn an_attribute_that_differs_is_explained() {
    fails(
        |capture| {
            assert_trace!(capture, "checkout" {
                "db::item" * 3,
                "Payments::charge" [amount = 12.5, error.type = "Timeout"] { "audit" * 2 },
            })
        },
        &expect![[r#"
            the trace differs: `Payments::charge` below `checkout`: expected `error.type` to be "Timeout", found "CardDeclined"

            expected                                               | actual
            checkout                                               | checkout {items=3, error.type="CardDeclined"} !error "card declined"
              db::item * 3                                         |   db::item {id=1, cached=false}
                                                                   |   db::item {id=2, cached=false}
                                                                   |   db::item {id=3, cached=true}
              Payments::charge [amount=12.5, error.type="Timeout"] ≠   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                audit * 2                                          |     audit
                                                                   ≠
        "#]],
    );
}

#[test]
fn an_attribute_of_another_type_is_explained() {
    fails(
        |capture| assert_trace!(capture, "checkout"[items = "3"]),
        &expect![[r#"
            the trace differs: `checkout` among the roots: expected `items` to be "3", found 3

            expected             | actual
            checkout [items="3"] ≠ checkout {items=3, error.type="CardDeclined"} !error "card declined"
                                 |   db::item {id=1, cached=false}
                                 |   db::item {id=2, cached=false}
                                 |   db::item {id=3, cached=true}
                                 |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                                 |     audit
        "#]],
    );
}

#[test]
fn attributes_that_are_missing_or_too_many_are_explained() {
    fails(
        |capture| assert_trace!(capture, "checkout"[user.id = _]),
        &expect![[r#"
            the trace differs: `checkout` among the roots: expected some `user.id`, found none

            expected             | actual
            checkout [user.id=_] ≠ checkout {items=3, error.type="CardDeclined"} !error "card declined"
                                 |   db::item {id=1, cached=false}
                                 |   db::item {id=2, cached=false}
                                 |   db::item {id=3, cached=true}
                                 |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                                 |     audit
        "#]],
    );
    fails(
        |capture| assert_trace!(capture, "checkout" [!error.type]),
        &expect![[r#"
            the trace differs: `checkout` among the roots: expected no `error.type`, found "CardDeclined"

            expected               | actual
            checkout [!error.type] ≠ checkout {items=3, error.type="CardDeclined"} !error "card declined"
                                   |   db::item {id=1, cached=false}
                                   |   db::item {id=2, cached=false}
                                   |   db::item {id=3, cached=true}
                                   |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                                   |     audit
        "#]],
    );
}

#[test]
fn a_missing_span_is_explained() {
    fails(
        |capture| {
            assert_trace!(capture, "checkout" {
                "db::item" * 3, "Payments::charge", "Mail::send" { "smtp" * 1..=2 }
            })
        },
        &expect![[r#"
            the trace differs: expected `Mail::send` once below `checkout`, found none

            expected           | actual
            checkout           | checkout {items=3, error.type="CardDeclined"} !error "card declined"
              db::item * 3     |   db::item {id=1, cached=false}
                               |   db::item {id=2, cached=false}
                               |   db::item {id=3, cached=true}
              Payments::charge |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                               |     audit
              Mail::send       ≠
                smtp * 1..=2   |
        "#]],
    );
}

#[test]
fn an_unexpected_span_is_explained() {
    fails(
        |capture| assert_trace!(capture, "checkout" { "db::item" * 3 }),
        &expect![[r#"
            the trace differs: `Payments::charge` below `checkout` is not expected

            expected       | actual
            checkout       | checkout {items=3, error.type="CardDeclined"} !error "card declined"
              db::item * 3 |   db::item {id=1, cached=false}
                           |   db::item {id=2, cached=false}
                           |   db::item {id=3, cached=true}
                           ≠   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                           |     audit
        "#]],
    );
    fails(
        |capture| assert_trace!(capture, "checkout" { "Payments::charge" {}, .. }),
        &expect![[r#"
            the trace differs: `audit` below `Payments::charge` is not expected

            expected           | actual
            checkout           | checkout {items=3, error.type="CardDeclined"} !error "card declined"
              Payments::charge |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                               ≠     audit
              ..               |
                               |   db::item {id=1, cached=false}
                               |   db::item {id=2, cached=false}
                               |   db::item {id=3, cached=true}
        "#]],
    );
}

#[test]
fn a_missing_root_is_explained() {
    fails(
        |capture| assert_trace!(capture, "refund"),
        &expect![[r#"
        the trace differs: expected `refund` once among the roots, found none

        expected | actual
        refund   ≠
                 ≠ checkout {items=3, error.type="CardDeclined"} !error "card declined"
                 |   db::item {id=1, cached=false}
                 |   db::item {id=2, cached=false}
                 |   db::item {id=3, cached=true}
                 |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                 |     audit
    "#]],
    );
}

#[test]
fn one_of_several_alike_is_explained() {
    fails(
        |capture| {
            assert_trace!(capture, "checkout" {
                "db::item" [cached = true], "db::item" [id = 2], "db::item" [id = 4], ..
            })
        },
        &expect![[r#"
            the trace differs: `db::item` below `checkout`: expected `id` to be 4, found 1

            expected                 | actual
            checkout                 | checkout {items=3, error.type="CardDeclined"} !error "card declined"
              db::item [cached=true] |   db::item {id=3, cached=true}
              db::item [id=2]        |   db::item {id=2, cached=false}
              db::item [id=4]        ≠   db::item {id=1, cached=false}
              ..                     |
                                     |   Payments::charge [client] {amount=12.5, tags=["tea", "cup"], error.type="CardDeclined"} !error "card declined"
                                     |     audit
        "#]],
    );
}
