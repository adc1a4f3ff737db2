//! What the derives write, and what they refuse.

use super::tokens;
use crate::derive::{failure, to_value};
use expect_test::{Expect, expect};
use proc_macro2::TokenStream;

fn check(derive: fn(TokenStream) -> TokenStream, item: &str, expected: &Expect) {
    let output = derive(tokens(item)).to_string();
    let file = syn::parse_file(&output).expect("an expansion is Rust");
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// The messages of the errors, and nothing else.
fn errors(derive: fn(TokenStream) -> TokenStream, item: &str) -> Vec<String> {
    let file = syn::parse2::<syn::File>(derive(tokens(item))).expect("an expansion is Rust");
    let macros = file.items.iter().filter_map(|item| match item {
        syn::Item::Macro(item) => Some(&item.mac),
        _ => None,
    });
    macros
        .map(|error| {
            error
                .parse_body::<syn::LitStr>()
                .expect("a message")
                .value()
        })
        .collect()
}

#[test]
fn newtype() {
    check(
        to_value,
        "struct Id<T>(Box<T>, PhantomData<T>);",
        &expect![[r#"
            #[automatically_derived]
            impl<T> ::trace_runtime::ToValue for Id<T>
            where
                Box<T>: ::trace_runtime::ToValue,
            {
                fn to_value(&self) -> ::trace_runtime::Value<'_> {
                    ::trace_runtime::ToValue::to_value(&self.0)
                }
            }
        "#]],
    );
}

#[test]
fn enum_without_fields() {
    check(
        to_value,
        r#"#[traced(crate = my::tracing)] enum Color { Red, #[traced(rename = "dark")] Navy {}, r#type() }"#,
        &expect![[r#"
            #[automatically_derived]
            impl my::tracing::ToValue for Color {
                fn to_value(&self) -> my::tracing::Value<'_> {
                    my::tracing::ToValue::to_value(
                        match self {
                            Self::Red => "Red",
                            Self::Navy { .. } => "dark",
                            Self::r#type(..) => "type",
                        },
                    )
                }
            }
        "#]],
    );
}

#[test]
fn failures() {
    check(
        failure,
        "enum E<T: Error> { #[traced(ok)] Gone, #[traced(status = 404)] NotFound(u64), Broken { by: T } }",
        &expect![[r#"
            #[automatically_derived]
            impl<T: Error> ::trace_runtime::Failure for E<T> {
                fn error_type(&self) -> ::std::borrow::Cow<'static, str> {
                    ::std::borrow::Cow::Borrowed(
                        match self {
                            Self::Gone => "Gone",
                            Self::NotFound(..) => "NotFound",
                            Self::Broken { .. } => "Broken",
                        },
                    )
                }
                fn is_failure(&self, kind: ::trace_runtime::__private::Kind) -> bool {
                    match self {
                        Self::Gone => false,
                        Self::NotFound(..) => {
                            ::trace_runtime::__private::status_is_failure(404u16, &kind)
                        }
                        Self::Broken { .. } => true,
                    }
                }
            }
        "#]],
    );
}

#[test]
fn a_struct_can_fail_too() {
    check(
        failure,
        r#"#[traced(rename = "timeout")] struct Elapsed;"#,
        &expect![[r##"
            #[automatically_derived]
            impl ::trace_runtime::Failure for Elapsed {
                fn error_type(&self) -> ::std::borrow::Cow<'static, str> {
                    ::std::borrow::Cow::Borrowed(
                        match self {
                            _ => "timeout",
                        },
                    )
                }
            }
        "##]],
    );
}

#[test]
fn values_that_cannot_be_derived() {
    let count = |what| {
        vec![format!(
            "`ToValue` can be derived for structs with one field, but `Order` has {what}\nhelp: record its parts instead: `fields(order.id, order.total)`"
        )]
    };
    assert_eq!(
        errors(to_value, "struct Order { id: u64, total: u64 }"),
        count("2 fields")
    );
    assert_eq!(errors(to_value, "struct Order;"), count("no field"));
    assert_eq!(
        errors(to_value, "enum Order { New, Paid(u64) }"),
        [
            "`ToValue` can be derived for enums without fields, but `Paid` has some\nhelp: implement `ToValue`, or write `?value` for the `Debug` output"
        ]
    );
    assert_eq!(
        errors(failure, "union U { a: u8 }"),
        ["`Failure` cannot be derived for a union"]
    );
}

#[test]
fn options_that_say_nothing_are_refused() {
    for (item, expected) in [
        (
            "#[traced(ok)] enum E { A }",
            "unknown option `ok`\nhelp: options here are `crate`",
        ),
        (
            "enum E { #[traced(okay)] A }",
            "unknown option `okay`\nhelp: options here are `rename`, `ok`, `status`",
        ),
        (
            "enum E { #[traced(ok, ok)] A }",
            "`ok` given more than once",
        ),
        (
            "enum E { #[traced(ok, status = 500)] A }",
            "`ok` says already what is a failure; remove `status`",
        ),
        (
            "enum E { #[traced(status = 42)] A }",
            "`42` is no HTTP status; expected 100 to 599",
        ),
        (
            "enum E { A(#[traced(skip)] u8) }",
            "a field has no `#[traced]` options",
        ),
    ] {
        assert_eq!(errors(failure, item), [expected], "{item}");
    }
}

#[test]
fn mistakes_pile_up() {
    let item = "enum E { #[traced(okay)] A, #[traced(status = 1)] B, C(#[traced(skip)] u8) }";
    assert_eq!(errors(failure, item).len(), 3);
}
