//! The feature `off`.

use super::{package, tokens};

fn traced(arguments: &str, item: &str) -> String {
    crate::traced::traced(tokens(arguments), tokens(item), &package(), true).to_string()
}

fn text(item: &str) -> String {
    tokens(item).to_string()
}

#[test]
fn items_stay_as_they_are() {
    assert_eq!(
        traced(
            "skip(a)",
            "fn f(a: u8, #[traced(redact)] b: u8) -> u8 { a + b }"
        ),
        text("fn f(a: u8, b: u8) -> u8 { a + b }")
    );
    assert_eq!(
        traced(
            "",
            "impl A { #[traced(root)] #[inline] fn f(self) {} const N: u8 = { 1 }; }"
        ),
        text("impl A { #[inline] fn f(self) {} const N: u8 = { 1 }; }")
    );
}

#[test]
fn arguments_are_checked_all_the_same() {
    let found = traced("skip(b)", "fn f(a: u8) {}");
    assert!(found.contains("compile_error"), "{found}");
    assert!(found.ends_with(&text("fn f(a: u8) {}")), "{found}");
}
