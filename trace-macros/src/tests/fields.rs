//! What the macros for inside a body turn into, and what they refuse.

use super::{package, tokens};
use crate::fields;
use expect_test::{Expect, expect};
use proc_macro2::TokenStream;

fn span(input: TokenStream) -> TokenStream {
    fields::span(input, &package())
}

fn check(expand: fn(TokenStream) -> TokenStream, input: &str, expected: &Expect) {
    let output = expand(tokens(input)).to_string();
    // What a reader knows anyway.
    let output = output.replace(":: trace_runtime :: __private ::", "p ::");
    let file = syn::parse_file(&format!("fn f() {{ {output} }}")).expect("an expansion is Rust");
    expected.assert_eq(&prettyplease::unparse(&file));
}

fn message(expand: fn(TokenStream) -> TokenStream, input: &str) -> String {
    let output = expand(tokens(input));
    let block: syn::Block = syn::parse2(output).expect("a block");
    let messages = block.stmts.iter().filter_map(|statement| match statement {
        syn::Stmt::Macro(error) => Some(&error.mac),
        syn::Stmt::Expr(syn::Expr::Macro(error), _) => Some(&error.mac),
        _ => None,
    });
    let is_error = |found: &&syn::Macro| {
        found
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "compile_error")
    };
    let messages: Vec<_> = messages
        .filter(is_error)
        .map(|error| {
            error
                .parse_body::<syn::LitStr>()
                .expect("a message")
                .value()
        })
        .collect();
    messages.join("; ")
}

#[test]
fn record() {
    check(
        fields::record,
        r#"rows = a + b, ?self.list, { KEY } = %c"#,
        &expect![[r#"
            fn f() {
                if let ::core::option::Option::Some(mut __span) = p::inside() {
                    p::set(&mut __span, "rows", &(a + b));
                    p::set_debug(&mut __span, "self.list", &(self.list));
                    p::set_display(&mut __span, KEY, &(c));
                }
            }
        "#]],
    );
    check(
        fields::record,
        "",
        &expect![[r#"
        fn f() {
            ()
        }
    "#]],
    );
}

#[test]
fn event() {
    check(
        fields::event,
        r#""miss", key"#,
        &expect![[r#"
        fn f() {
            if let ::core::option::Option::Some(__span) = p::inside() {
                let mut __event = p::event(&__span, "miss");
                p::set(&mut __event, "key", &(key));
                p::add_event(__event);
            }
        }
    "#]],
    );
    check(
        fields::event,
        "NAME",
        &expect![[r#"
        fn f() {
            if let ::core::option::Option::Some(__span) = p::inside() {
                let __event = p::event(&__span, NAME);
                p::add_event(__event);
            }
        }
    "#]],
    );
}

#[test]
fn set_error() {
    check(
        fields::set_error,
        "e.into_inner(), retry = 3",
        &expect![[r#"
            fn f() {
                if let ::core::option::Option::Some(mut __span) = p::inside() {
                    p::error(&(e.into_inner())).__error().__record_if(&(), p::always, &mut __span);
                    p::set(&mut __span, "retry", &(3));
                }
            }
        "#]],
    );
}

#[test]
fn span_around_an_expression() {
    check(
        span,
        r#""parse", bytes = n, ?text => text.parse()?"#,
        &expect![[r#"
            fn f() {
                {
                    let mut __span = {
                        struct __Here;
                        static __CALLSITE: p::Callsite = p::Callsite::new::<
                            __Here,
                        >("orders", "1.2.3", &["bytes", "text"])
                            .name("parse");
                        let mut __span = p::Callsite::start(&__CALLSITE);
                        if p::enabled(&__span) {
                            p::record(&mut __span, 0, &(n));
                            p::record_debug(&mut __span, 1, &(text));
                        }
                        p::enter(__span)
                    };
                    let __attached = p::attach(&mut __span);
                    text.parse()?
                }
            }
        "#]],
    );
}

#[test]
fn span_with_a_dynamic_name_around_a_future() {
    check(
        span,
        "format!(\"{x}\") => async move { x.await }",
        &expect![[r#"
            fn f() {
                {
                    let __span = {
                        struct __Here;
                        static __CALLSITE: p::Callsite = p::Callsite::new::<
                            __Here,
                        >("orders", "1.2.3", &[]);
                        let __span = if p::Callsite::is_enabled(&__CALLSITE) {
                            p::Callsite::start_named(
                                &__CALLSITE,
                                p::current(),
                                || ::core::convert::Into::into(format!("{x}")),
                            )
                        } else {
                            p::off()
                        };
                        p::enter(__span)
                    };
                    p::resume_only(__span, async move { x.await })
                }
            }
        "#]],
    );
}

#[test]
fn mistakes() {
    let usage = "an event begins with its name: `event!(\"cache miss\", key = value)`";
    assert_eq!(message(fields::event, ""), usage);
    assert_eq!(message(fields::event, "key = value"), usage);
    assert_eq!(
        message(fields::event, "\" \""),
        "event name must not be empty"
    );
    assert_eq!(
        message(fields::record, "rows = 1, rows = 2"),
        "duplicate attribute key `rows`"
    );
    assert_eq!(
        message(fields::record, "a b, otel.kind = 1, c ="),
        "expected `,`; an expression needs a key: `key = ..`; `otel.kind` is spelled `kind` in `#[traced]`; unexpected end of input, expected an expression"
    );
    assert_eq!(
        message(span, "\"name\""),
        "expected `=>` and what runs inside the span: `span!(\"parse\" => parse(text))`"
    );
    assert_eq!(
        message(span, "=> 1"),
        "a span begins with its name: `span!(\"parse\", key = value => expression)`"
    );
    assert_eq!(message(span, "\"\" => 1"), "span name must not be empty");
}

#[test]
fn waiting_inside_a_span_is_refused() {
    let refused = "`.await` inside `span!(.. => ..)` would leave the span current for other tasks\nhelp: put it in a future: `span!(.. => async { .. }).await`";
    for input in [
        "f().await",
        "{ g(async { a.await }); f().await }",
        "join!(f().await)",
    ] {
        assert_eq!(
            message(span, &format!("\"n\" => {input}")),
            refused,
            "{input}"
        );
    }
    for input in [
        "g(async { a.await })",
        "g(async move { a.await }, await_all)",
        "g(async |x| x.await)",
        "async { a.await }",
    ] {
        assert_eq!(message(span, &format!("\"n\" => {input}")), "", "{input}");
    }
}
