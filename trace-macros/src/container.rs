//! `#[traced]` on an `impl` or a `trait`: every function in it, with the same defaults.

use crate::args::{self, Args, Given};
use crate::attribute::Field;
use crate::error::Errors;
use crate::expand::{self, Package};
use crate::function::{Function, Output, Parts, Shape};
use crate::plan::{self, Plan, is_argument};
use crate::tokens::{find_word, is_traced, regroup, unwrap_invisible, without_helpers};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Meta, Token, Visibility, token};

/// The container with every function in it traced.
pub(crate) fn expand(
    args: &Args,
    item: TokenStream,
    package: &Package,
    errors: &mut Errors,
) -> Option<TokenStream> {
    if let Some(off) = &args.off {
        let message = "`off` only makes sense inside a traced `impl` or `trait`";
        errors.at(off, message);
    }
    let Some((head, braces)) = split(item.clone()) else {
        errors.at(item, "expected the members of an `impl` or a `trait`");
        return None;
    };
    check_twice(&head, errors);
    let members = match members.parse2(braces.stream()) {
        Ok(members) => members,
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    let mut arguments = Vec::new();
    let mut body = TokenStream::new();
    for member in members {
        body.extend(expand_member(args, member, package, &mut arguments, errors));
    }
    plan::check_names(args, &arguments, "any function here", errors);
    let mut tokens = head;
    regroup(&braces, Delimiter::Brace, body).to_tokens(&mut tokens);
    Some(tokens)
}

/// What is before the members, and the braces around them.
fn split(item: TokenStream) -> Option<(TokenStream, Group)> {
    let mut tokens: Vec<_> = unwrap_invisible(item).into_iter().collect();
    match tokens.pop() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            Some((tokens.into_iter().collect(), group))
        }
        _ => None,
    }
}

fn check_twice(head: &TokenStream, errors: &mut Errors) {
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let _: TokenStream = input.parse()?;
        Ok(attributes)
    };
    for attribute in parser.parse2(head.clone()).unwrap_or_default() {
        if is_traced(&attribute) {
            errors.at(&attribute, "`#[traced]` applied more than once");
        }
    }
}

enum Member {
    Function(Box<Parts>),
    /// A constant, a type, a macro call: passed over.
    Other(TokenStream),
}

fn members(input: ParseStream<'_>) -> syn::Result<Vec<Member>> {
    let mut members = Vec::new();
    for attribute in input.call(Attribute::parse_inner)? {
        members.push(Member::Other(attribute.into_token_stream()));
    }
    while !input.is_empty() {
        members.push(member(input)?);
    }
    Ok(members)
}

fn member(input: ParseStream<'_>) -> syn::Result<Member> {
    if input.fork().call(Parts::parse_head).is_ok() {
        return Ok(Member::Function(Box::new(input.call(Parts::parse)?)));
    }
    let mut tokens = TokenStream::new();
    for attribute in input.call(Attribute::parse_outer)? {
        attribute.to_tokens(&mut tokens);
    }
    // A value may have braces inside; a macro call ends with them.
    let ends_with_semi = input.peek(Token![const]) || input.peek(Token![type]) || {
        let visibility: Visibility = input.parse()?;
        visibility.to_tokens(&mut tokens);
        input.peek(Token![const]) || input.peek(Token![type])
    };
    while !input.is_empty() {
        let is_last = input.peek(Token![;]) || (!ends_with_semi && input.peek(token::Brace));
        input.parse::<TokenTree>()?.to_tokens(&mut tokens);
        if is_last {
            break;
        }
    }
    Ok(Member::Other(tokens))
}

fn expand_member(
    defaults: &Args,
    member: Member,
    package: &Package,
    arguments: &mut Vec<String>,
    errors: &mut Errors,
) -> TokenStream {
    let mut parts = match member {
        Member::Function(parts) => parts,
        Member::Other(tokens) => return tokens,
    };
    let own = own_options(&mut parts, errors);
    let is_traceable = parts.body.is_some() && parts.signature.constness.is_none();
    let is_off = own.as_ref().is_some_and(|own| own.off.is_some());
    if is_off || (own.is_none() && !is_traceable) {
        return without_helpers(parts.into_token_stream());
    }
    let Some(function) = Function::new(*parts, errors) else {
        return TokenStream::new();
    };
    for name in function.argument_names() {
        if !arguments.contains(&name) {
            arguments.push(name);
        }
    }
    let own = own.unwrap_or_default();
    plan::check(&own, &function, errors);
    let args = merge(defaults, own, &function);
    let plan = Plan::new(&args, &function, errors);
    expand::expand(&args, &function, &plan, package)
}

/// Takes the first `#[traced(..)]` off a member and reads it.
fn own_options(parts: &mut Parts, errors: &mut Errors) -> Option<Args> {
    let position = parts.attributes.iter().position(is_traced)?;
    let attribute = parts.attributes.remove(position);
    let tokens = match attribute.meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    Some(args::parse(tokens, errors))
}

/// The member's own options, and for the others what the container says, where that fits.
fn merge(defaults: &Args, own: Args, function: &Function) -> Args {
    let defaults = defaults.clone();
    let can_fail = matches!(function.shape.output(), Some(Output::Type(_)));
    let has_value = !matches!(function.shape, Shape::Opaque | Shape::Stream(_));
    // `err = off` for all does not speak against what one of them says about its errors.
    let says_err = own.err.is_some() || own.err_if.is_some() || own.err_type.is_some();
    let is_off = matches!(&own.err, Some(given) if matches!(given.value, args::Err::Off));
    Args {
        name: own.name.or(defaults.name),
        kind: own.kind.or(defaults.kind),
        level: own.level.or(defaults.level),
        redact: own.redact.or(defaults.redact),
        fields: merge_fields(defaults.fields, own.fields, function),
        ret: own.ret.or(defaults.ret.filter(|_| has_value)),
        err_if: own
            .err_if
            .or(defaults.err_if.filter(|_| can_fail && !is_off)),
        err_type: (own.err_type).or(defaults
            .err_type
            .filter(|_| returns_result(function) && !is_off)),
        err: own.err.or(defaults.err.filter(|given| match given.value {
            args::Err::Off => !says_err,
            args::Err::On { .. } => returns_result(function),
        })),
        select: own.select.or(defaults.select),
        parent: own.parent.or(defaults.parent),
        links: own.links.or(defaults.links),
        off: None,
        path: own.path.or(defaults.path),
    }
}

/// Whether the return type looks like a `Result`: what the container says about errors must not
/// keep the other functions from compiling.
fn returns_result(function: &Function) -> bool {
    let Some(Output::Type(Some(ty))) = function.shape.output() else {
        return false;
    };
    match syn::parse2::<syn::TypePath>(ty.clone()) {
        Ok(ty) => {
            (ty.path.segments.last()).is_some_and(|last| last.ident.to_string().ends_with("Result"))
        }
        Err(_) => false,
    }
}

/// Fields add up. One of the container's is left out where the function has one with its key, or
/// has no such argument.
fn merge_fields(
    defaults: Option<Given<Vec<Field>>>,
    own: Option<Given<Vec<Field>>>,
    function: &Function,
) -> Option<Given<Vec<Field>>> {
    let Some(mut merged) = defaults else {
        return own;
    };
    let own = own.map(|given| given.value).unwrap_or_default();
    merged.value.retain(|field| {
        let is_replaced = own
            .iter()
            .any(|other| field.key.text().is_some() && other.key.text() == field.key.text());
        let fits = match &field.shorthand {
            Some(root) => is_argument(root, function),
            None => function.receiver.is_some() || find_word(&field.value, "self").is_none(),
        };
        fits && !is_replaced
    });
    merged.value.extend(own);
    Some(merged)
}
