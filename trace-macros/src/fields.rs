//! The macros for inside a body: `record!`, `event!`, `set_error!` and `span!`.
//!
//! `p` is `::trace_runtime::__private`. A value goes through `set`, `set_debug` or `set_display`.
//! ```text
//! record!(rows = n, ?x)
//! if let Some(mut __span) = p::inside() {
//!     p::set(&mut __span, "rows", &(n));
//!     p::set_debug(&mut __span, "x", &(x));
//! }
//!
//! event!("cache miss", key = k)
//! if let Some(__span) = p::inside() {
//!     let mut __event = p::event(&__span, "cache miss");
//!     p::set(&mut __event, "key", &(k));
//!     p::add_event(__event);
//! }
//!
//! set_error!(e, retry = 3)
//! if let Some(mut __span) = p::inside() {
//!     p::error(&(e)).__error().__record_if(&(), p::always, &mut __span);
//!     p::set(&mut __span, "retry", &(3));
//! }
//!
//! span!("parse", bytes = n => EXPR)
//! {
//!     let mut __span = HEAD;             // as `#[traced]` has it
//!     let __attached = p::attach(&mut __span);
//!     EXPR                               // in place: `?`, `return` and `break` mean what they say
//! }
//!
//! span!("load" => async { .. })
//! {
//!     let __span = HEAD;
//!     p::resume_only(__span, async { .. })
//! }
//! ```
//! What an `Err` is cannot be asked of `EXPR`: its type may be known only from what is done with it,
//! and looking for a method would decide that too early.

use crate::attribute::{self, Field, Form, KeyText};
use crate::error::Errors;
use crate::expand::{Package, borrowed, here};
use crate::tokens::find_await;
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Lit, Token};

/// `record!(..)`
pub(crate) fn record(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let fields = parse(input, &mut errors, |input, errors| {
        Ok(attribute::fields(input, errors))
    });
    let Some(fields) = fields.filter(|_| errors.is_empty()) else {
        return refuse(errors, None);
    };
    if fields.is_empty() {
        return quote!(());
    }
    inside(
        &quote_spanned!(here()=> mut __span),
        &set_all(&fields, "__span"),
    )
}

/// `event!(..)`
pub(crate) fn event(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let usage = "an event begins with its name: `event!(\"cache miss\", key = value)`";
    let Some((name, fields)) = parse(input, &mut errors, |input, errors| {
        let name = first(input, usage)?;
        check_name(&name, "event", errors);
        Ok((name, attribute::fields(input, errors)))
    })
    .filter(|_| errors.is_empty()) else {
        return refuse(errors, None);
    };
    let p = private();
    let set = set_all(&fields, "__event");
    let mutable = (!fields.is_empty()).then(|| quote_spanned!(here()=> mut));
    let statements = quote_spanned! {here()=>
        let #mutable __event = #p::event(&__span, #name);
        #set
        #p::add_event(__event);
    };
    inside(&quote_spanned!(here()=> __span), &statements)
}

/// `set_error!(..)`
pub(crate) fn set_error(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let usage = "the error comes first: `set_error!(error, key = value)`";
    let Some((error, fields)) = parse(input, &mut errors, |input, errors| {
        Ok((first(input, usage)?, attribute::fields(input, errors)))
    })
    .filter(|_| errors.is_empty()) else {
        return refuse(errors, None);
    };
    let p = private();
    let error = borrowed(&error.into_token_stream());
    let set = set_all(&fields, "__span");
    let statements = quote_spanned! {here()=>
        #p::error(#error).__error().__record_if(&(), #p::always, &mut __span);
        #set
    };
    inside(&quote_spanned!(here()=> mut __span), &statements)
}

/// `span!(..)`
pub(crate) fn span(input: TokenStream, package: &Package) -> TokenStream {
    let mut errors = Errors::default();
    let (head, body) = split_at_arrow(input);
    let usage = "a span begins with its name: `span!(\"parse\", key = value => expression)`";
    let head = parse(head, &mut errors, |input, errors| {
        let name = first(input, usage)?;
        check_name(&name, "span", errors);
        Ok((name, attribute::fields(input, errors)))
    });
    let Some(body) = body else {
        if errors.is_empty() {
            errors.push(syn::Error::new(
                Span::call_site(),
                "expected `=>` and what runs inside the span: `span!(\"parse\" => parse(text))`",
            ));
        }
        return refuse(errors, None);
    };
    let is_async = match syn::parse2::<Expr>(body.clone()) {
        Ok(expr) => matches!(expr, Expr::Async(_)),
        Err(error) => {
            errors.push(error);
            return refuse(errors, None);
        }
    };
    if let Some(word) = find_await(&body).filter(|_| !is_async) {
        errors.at(
            word,
            "`.await` inside `span!(.. => ..)` would leave the span current for other tasks\nhelp: put it in a future: `span!(.. => async { .. }).await`",
        );
    }
    match head.filter(|_| errors.is_empty()) {
        None => refuse(errors, Some(body)),
        Some(_) if cfg!(feature = "off") => body,
        Some((name, fields)) => in_span(&head_of(&name, &fields, package), is_async, &body),
    }
}

fn in_span(head: &TokenStream, is_async: bool, body: &TokenStream) -> TokenStream {
    let p = private();
    if is_async {
        return quote_spanned!(here()=> { let __span = #head; #p::resume_only(__span, #body) });
    }
    quote_spanned! {here()=> {
        let mut __span = #head;
        let __attached = #p::attach(&mut __span);
        #body
    }}
}

/// The block that starts the span and enters it.
fn head_of(name: &Expr, fields: &[Field], package: &Package) -> TokenStream {
    let p = private();
    let Package {
        name: package,
        version,
    } = package;
    let keys = fields.iter().map(key);
    let mut callsite =
        quote_spanned!(here()=> #p::Callsite::new::<__Here>(#package, #version, &[#(#keys),*]));
    let mut start = quote_spanned!(here()=> #p::Callsite::start(&__CALLSITE));
    if is_string(name) {
        callsite.extend(quote_spanned!(here()=> .name(#name)));
    } else {
        start = quote_spanned! {here()=>
            if #p::Callsite::is_enabled(&__CALLSITE) {
                #p::Callsite::start_named(&__CALLSITE, #p::current(), || ::core::convert::Into::into(#name))
            } else {
                #p::off()
            }
        };
    }
    let records = fields.iter().enumerate().map(|(index, field)| {
        let function = form(field, "record");
        let index = Literal::usize_unsuffixed(index);
        let value = borrowed(&field.value);
        quote_spanned!(here()=> #p::#function(&mut __span, #index, #value);)
    });
    let records: TokenStream = records.collect();
    let (mutable, records) = match records.is_empty() {
        true => (None, None),
        false => (
            Some(quote_spanned!(here()=> mut)),
            Some(quote_spanned!(here()=> if #p::enabled(&__span) { #records })),
        ),
    };
    quote_spanned! {here()=> {
        struct __Here;
        static __CALLSITE: #p::Callsite = #callsite;
        let #mutable __span = #start;
        #records
        #p::enter(__span)
    }}
}

fn private() -> TokenStream {
    quote_spanned!(here()=> ::trace_runtime::__private)
}

/// `statements`, with the current span in `span`, if it records.
fn inside(span: &TokenStream, statements: &TokenStream) -> TokenStream {
    let p = private();
    quote_spanned! {here()=>
        if let ::core::option::Option::Some(#span) = #p::inside() { #statements }
    }
}

fn set_all(fields: &[Field], target: &str) -> TokenStream {
    let p = private();
    let target = Ident::new(target, here());
    let set = fields.iter().map(|field| {
        let function = form(field, "set");
        let key = key(field);
        let value = borrowed(&field.value);
        quote_spanned!(here()=> #p::#function(&mut #target, #key, #value);)
    });
    set.collect()
}

/// The function that takes the value in the form that the user wants.
fn form(field: &Field, name: &str) -> Ident {
    let suffix = match field.form {
        Form::Value => "",
        Form::Debug => "_debug",
        Form::Display => "_display",
    };
    Ident::new(&format!("{name}{suffix}"), here())
}

fn key(field: &Field) -> TokenStream {
    match &field.key.text {
        KeyText::Literal(text) => text.to_token_stream(),
        KeyText::Const(expr) => expr.clone(),
    }
}

fn parse<T>(
    input: TokenStream,
    errors: &mut Errors,
    read: impl FnOnce(ParseStream<'_>, &mut Errors) -> syn::Result<T>,
) -> Option<T> {
    let found = errors.len();
    match (|input: ParseStream<'_>| read(input, errors)).parse2(input) {
        Ok(value) => Some(value),
        Err(error) => {
            // What syn has to say about tokens left over repeats an error that is already known.
            if errors.len() == found {
                errors.push(error);
            }
            None
        }
    }
}

/// What stands before the fields.
fn first(input: ParseStream<'_>, usage: &str) -> syn::Result<Expr> {
    if input.is_empty() {
        return Err(syn::Error::new(Span::call_site(), usage));
    }
    let begin = input.fork();
    let expr: Expr = input.parse().map_err(|_| begin.error(usage))?;
    if matches!(expr, Expr::Assign(_)) {
        return Err(syn::Error::new_spanned(expr, usage));
    }
    if !input.is_empty() {
        let _: Token![,] = input.parse()?;
    }
    Ok(expr)
}

fn is_string(expr: &Expr) -> bool {
    match expr {
        Expr::Group(group) => is_string(&group.expr),
        Expr::Lit(lit) => matches!(lit.lit, Lit::Str(_)),
        _ => false,
    }
}

fn check_name(name: &Expr, what: &str, errors: &mut Errors) {
    if let Expr::Lit(lit) = name {
        if matches!(&lit.lit, Lit::Str(text) if text.value().trim().is_empty()) {
            errors.at(name, format_args!("{what} name must not be empty"));
        }
    }
}

/// What stands before and after the first `=>`.
fn split_at_arrow(input: TokenStream) -> (TokenStream, Option<TokenStream>) {
    let mut head = Vec::new();
    let mut tokens = input.into_iter();
    while let Some(token) = tokens.next() {
        let is_arrow = match (&token, head.last()) {
            (TokenTree::Punct(end), Some(TokenTree::Punct(start))) => {
                end.as_char() == '>'
                    && start.as_char() == '='
                    && start.spacing() == proc_macro2::Spacing::Joint
            }
            _ => false,
        };
        if is_arrow {
            head.pop();
            let body: TokenStream = tokens.collect();
            return (head.into_iter().collect(), Some(body));
        }
        head.push(token);
    }
    (head.into_iter().collect(), None)
}

/// The errors, and what the user wants to run, so that they stay the only ones.
fn refuse(errors: Errors, body: Option<TokenStream>) -> TokenStream {
    let errors = errors.into_tokens();
    quote!({ #errors #body })
}
