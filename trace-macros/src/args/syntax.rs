//! What can follow the word of an option.

use super::{Err, Format, Name};
use crate::attribute::{self, Field, skip_to_comma};
use crate::error::{Errors, or_list};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, Lit, LitStr, Token, token};

const KINDS: &[(&str, &str)] = &[
    ("internal", "Internal"),
    ("server", "Server"),
    ("client", "Client"),
    ("producer", "Producer"),
    ("consumer", "Consumer"),
];

/// In the order of tracing's numbers, which start with trace = 1.
const LEVELS: &[(&str, &str)] = &[
    ("trace", "Trace"),
    ("debug", "Debug"),
    ("info", "Info"),
    ("warn", "Warn"),
    ("error", "Error"),
];

pub(super) fn check_name(literal: &LitStr, errors: &mut Errors) {
    if literal.value().trim().is_empty() {
        errors.at(literal, "span name must not be empty");
    }
}

pub(super) fn name(word: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Name> {
    equals(word, input)?;
    let expr: Expr = input.parse()?;
    if let Some(literal) = as_string(&expr) {
        check_name(&literal, errors);
        return Ok(Name::Literal(literal.into_token_stream()));
    }
    Ok(Name::Dynamic(expr.into_token_stream()))
}

/// The literal, also through the invisible group around a fragment of `macro_rules`.
fn as_string(expr: &Expr) -> Option<LitStr> {
    match expr {
        Expr::Group(group) => as_string(&group.expr),
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(literal) => syn::parse2(literal.to_token_stream()).ok(),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn kind(word: &Ident, input: ParseStream<'_>) -> syn::Result<&'static str> {
    equals(word, input)?;
    let expr: Expr = input.parse()?;
    let written = last_word(&expr);
    let lower = written.to_lowercase();
    let known = KINDS.iter().find(|(kind, _)| *kind == lower);
    match known {
        Some((kind, variant)) if *kind == written && is_word(&expr) => Ok(variant),
        Some((kind, _)) => Err(syn::Error::new_spanned(
            &expr,
            format_args!("a span kind is a bare word; write `kind = {kind}`"),
        )),
        None => {
            let kinds: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
            Err(syn::Error::new_spanned(
                &expr,
                format_args!(
                    "unknown span kind `{written}`; expected {}",
                    or_list(&kinds)
                ),
            ))
        }
    }
}

/// `info`, and as tracing has it: `"info"`, `Level::INFO`, `3`.
pub(super) fn level(word: &Ident, input: ParseStream<'_>) -> syn::Result<&'static str> {
    equals(word, input)?;
    let expr: Expr = input.parse()?;
    let written = last_word(&expr);
    let lower = written.to_lowercase();
    let number = lower.parse().ok().and_then(|n: usize| n.checked_sub(1));
    let found = LEVELS.iter().find(|(level, _)| *level == lower);
    match found.or_else(|| LEVELS.get(number?)) {
        Some((_, variant)) => Ok(variant),
        None => {
            let levels: Vec<_> = LEVELS.iter().rev().map(|(level, _)| *level).collect();
            Err(syn::Error::new_spanned(
                &expr,
                format_args!("unknown level `{written}`; expected {}", or_list(&levels)),
            ))
        }
    }
}

/// `server` of `server`, `"server"`, `SpanKind::server`; else the expression's text.
fn last_word(expr: &Expr) -> String {
    match expr {
        Expr::Group(group) => last_word(&group.expr),
        Expr::Path(path) => match path.path.segments.last() {
            Some(segment) => segment.ident.unraw().to_string(),
            None => String::new(),
        },
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => text.value(),
            other => other.to_token_stream().to_string(),
        },
        other => other.to_token_stream().to_string(),
    }
}

fn is_word(expr: &Expr) -> bool {
    match expr {
        Expr::Group(group) => is_word(&group.expr),
        Expr::Path(path) => path.path.get_ident().is_some(),
        _ => false,
    }
}

pub(super) fn err(word: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Err> {
    if input.peek(Token![=]) {
        let _: Token![=] = input.parse()?;
        let value = input.call(Ident::parse_any).ok();
        return match value {
            Some(value) if value == "off" => Ok(Err::Off),
            Some(value) => Err(syn::Error::new_spanned(value, usage(word))),
            None => Err(input.error(usage(word))),
        };
    }
    let (format, fields) = format_and_fields(word, input, errors)?;
    Ok(Err::On {
        format: format.unwrap_or(Format::Auto),
        fields,
    })
}

/// Nothing, `(Debug)`, `(Display)`, `(key = value, ..)`.
pub(super) fn format_and_fields(
    word: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<(Option<Format>, Vec<Field>)> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok((Some(Format::Auto), Vec::new()));
    }
    parenthesized(word, input, |content| {
        let ahead = content.fork();
        let format = match ahead.parse::<Ident>() {
            Ok(_) if !ahead.is_empty() && !ahead.peek(Token![,]) => None,
            Ok(word) if word == "Debug" => Some(Format::Debug),
            Ok(word) if word == "Display" => Some(Format::Display),
            _ => None,
        };
        if format.is_some() {
            let _: Ident = content.parse()?;
            let _: Option<Token![,]> = content.parse()?;
        }
        let fields = attribute::fields(content, errors);
        for field in &fields {
            diagnose_level(word, field, errors);
        }
        Ok((format, fields))
    })
}

/// tracing's `err(level = ..)` must not become an attribute that nobody asked for.
fn diagnose_level(word: &Ident, field: &Field, errors: &mut Errors) {
    if field.key.text() == Some("level") && syn::parse2::<Ident>(field.key.written.clone()).is_ok()
    {
        errors.at(
            &field.key.written,
            format_args!(
                "`{word}(level = ..)` is not supported by `#[traced]`: only the span has a level\nhelp: write `\"level\" = ..` for an attribute of that name"
            ),
        );
    }
}

pub(super) fn names(word: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    parenthesized(word, input, |content| {
        let names = content.parse_terminated(Ident::parse_any, Token![,])?;
        Ok(names.into_iter().collect())
    })
}

pub(super) fn flag(word: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    let next = input.fork().parse::<proc_macro2::TokenTree>()?;
    let message = format!("`{word}` takes no value");
    Err(syn::Error::new(next.span(), message))
}

pub(super) fn value(word: &Ident, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    equals(word, input)?;
    let expr: Expr = input.parse()?;
    Ok(expr.into_token_stream())
}

pub(super) fn equals(word: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if !input.peek(Token![=]) {
        return Err(expected(word, input));
    }
    let _: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(expected(word, input));
    }
    Ok(())
}

pub(super) fn parenthesized<T>(
    word: &Ident,
    input: ParseStream<'_>,
    parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    if !input.peek(token::Paren) {
        return Err(expected(word, input));
    }
    let content;
    syn::parenthesized!(content in input);
    let result = parse(&content);
    // Unread tokens would be a second error for the same mistake.
    while !content.is_empty() {
        skip_to_comma(&content);
        let _: syn::Result<Token![,]> = content.parse();
    }
    result
}

fn expected(word: &Ident, input: ParseStream<'_>) -> syn::Error {
    match input.fork().parse::<proc_macro2::TokenTree>() {
        Ok(next) => syn::Error::new(next.span(), usage(word)),
        _ => syn::Error::new_spanned(word, usage(word)),
    }
}

fn usage(word: &Ident) -> String {
    let form = match word.to_string().as_str() {
        "name" => "name = \"..\"",
        "kind" => "kind = server",
        "level" => "level = info",
        "crate" => "crate = path",
        "err" => "err = off` or `err(..)",
        word @ ("skip" | "only" | "redact" | "fields" | "ret") => {
            return format!("expected `{word}(..)`");
        }
        word => return format!("expected `{word} = ..`"),
    };
    format!("expected `{form}`")
}
