//! Whatever the tokens, the macro answers; and what it answers with is Rust.

use super::traced;
use crate::tokens::without_helpers;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use proptest::prelude::*;

/// The vocabulary of the grammar, so that random tokens get past the first one.
const WORDS: &[&str] = &[
    "name", "kind", "skip", "skip_all", "only", "redact", "fields", "ret", "err", "err_if",
    "err_type", "root", "parent", "links", "level", "off", "crate", "server", "Debug", "info", "a",
    "b", "self", "traced", "fn", "impl", "trait", "async", "unsafe", "const", "struct", "pub",
    "mut", "ref", "dyn", "for", "where", "Future", "Pin", "Box", "u8", "extern", "type", "_", "_x",
    "r#type",
];

const PUNCTS: &[char] = &[
    '=', ',', '.', '?', '%', ':', ';', '#', '!', '&', '<', '>', '-', '|', '@', '+',
];

fn word_token(word: &str) -> TokenTree {
    match word.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, Span::call_site()).into(),
        None => Ident::new(word, Span::call_site()).into(),
    }
}

fn token() -> impl Strategy<Value = TokenTree> {
    let leaf = prop_oneof![
        4 => prop::sample::select(WORDS).prop_map(word_token),
        4 => (prop::sample::select(PUNCTS), any::<bool>()).prop_map(|(punct, joint)| {
            let spacing = if joint { Spacing::Joint } else { Spacing::Alone };
            Punct::new(punct, spacing).into()
        }),
        1 => prop::sample::select(&["", "x", "a b", "error", "otel.x"][..])
            .prop_map(|text| Literal::string(text).into()),
        1 => any::<u8>().prop_map(|number| Literal::u8_unsuffixed(number).into()),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let delimiter = prop::sample::select(
            &[
                Delimiter::Parenthesis,
                Delimiter::Brace,
                Delimiter::Bracket,
                Delimiter::None,
            ][..],
        );
        (delimiter, prop::collection::vec(inner, 0..6)).prop_map(|(delimiter, tokens)| {
            Group::new(delimiter, tokens.into_iter().collect()).into()
        })
    })
}

fn stream() -> impl Strategy<Value = TokenStream> {
    prop::collection::vec(token(), 0..12).prop_map(|tokens| tokens.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_arguments_are_answered(arguments in stream()) {
        let item: TokenStream = syn::parse_quote! {
            pub async fn f(&self, a: u8, (b, mut c): (u8, u8)) -> Result<u8, E> { a }
        };
        let output = traced(arguments, item);
        let is_rust = syn::parse2::<syn::File>(output.clone()).is_ok();
        prop_assert!(is_rust, "{output}");
    }

    #[test]
    fn any_item_is_answered(arguments in stream(), item in stream()) {
        let output = traced(arguments, item.clone());
        // Either a function was found, or the item is at the end, after what is wrong.
        let original = without_helpers(item).to_string();
        let found = output.to_string();
        prop_assert!(found.contains("__CALLSITE") || found.ends_with(&original), "{found}");
    }

    #[test]
    fn any_parameters_are_answered(parameters in stream(), body in stream()) {
        let mut item: TokenStream = syn::parse_quote!(fn f);
        item.extend([Group::new(Delimiter::Parenthesis, parameters), Group::new(Delimiter::Brace, body)].map(TokenTree::from));
        let output = traced(TokenStream::new(), item);
        prop_assert!(!output.is_empty());
    }
}
