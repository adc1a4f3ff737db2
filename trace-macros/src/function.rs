//! The annotated function: what its signature says, and its body as the tokens it came in.

use crate::error::Errors;
use crate::parameter::Parameter;
use crate::stream::Stream;
use crate::tokens::{is_traced, regroup, unwrap_invisible, without_impl};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, FnArg, GenericArgument, PathArguments, Receiver, ReceiverKind, ReturnType,
    Signature, Token, Type, TypeParamBound, Visibility,
};

pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// As written, but for patterns and `mut` that move into the body.
    pub(crate) signature: Signature,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) receiver: Option<This>,
    pub(crate) shape: Shape,
    pub(crate) body: Group,
}

/// The receiver.
pub(crate) struct This {
    pub(crate) span: Span,
    /// Moved into the body in whole, not behind a reference.
    pub(crate) is_owned: bool,
}

/// What the function gives back, and so how its body is wrapped.
pub(crate) enum Shape {
    /// A value, made by a closure.
    Sync(Output),
    /// A value, made by an `async` block.
    Async(Output),
    /// `impl Future<Output = ..>`
    Future(Output),
    /// `Pin<Box<dyn Future<Output = ..>>>`, with the whole type as written.
    BoxedFuture(Output, TokenStream),
    /// `impl Stream<Item = ..>` and the like.
    Stream(Stream),
    /// Any other `impl Trait`.
    Opaque,
}

/// The type of the value that the function or its future arrives at.
pub(crate) enum Output {
    Unit,
    Never,
    /// A type that can be written in the body; `None` when all of it is `impl Trait`.
    Type(Option<TokenStream>),
}

/// A function as it is written.
pub(crate) struct Parts {
    pub(crate) attributes: Vec<Attribute>,
    visibility: Visibility,
    pub(crate) signature: Signature,
    /// `None` for the `;` of a trait method without a default.
    pub(crate) body: Option<Group>,
}

impl Parts {
    pub(crate) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut parts = Self::parse_head(input)?;
        if input.peek(Token![;]) {
            let _: Token![;] = input.parse()?;
        } else {
            let token: TokenTree = input.parse()?;
            let message = "expected the body of a function";
            let body = braces(&token).ok_or_else(|| syn::Error::new(token.span(), message))?;
            parts.body = Some(body);
        }
        Ok(parts)
    }

    /// All but the body.
    pub(crate) fn parse_head(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: None,
        })
    }
}

impl ToTokens for Parts {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        match &self.body {
            Some(body) => body.to_tokens(tokens),
            None => <Token![;]>::default().to_tokens(tokens),
        }
    }
}

impl Function {
    /// Parses a function and reports what keeps it from being traced.
    pub(crate) fn parse(item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let mut tokens: Vec<_> = unwrap_invisible(item).into_iter().collect();
        // What syn does not see costs nothing.
        let body = tokens.last().and_then(braces);
        let head = body.as_ref().map_or(tokens.len(), |_| tokens.len() - 1);
        let rest: TokenStream = tokens.drain(..head).collect();
        let parts = match body {
            Some(body) => Parts::parse_head.parse2(rest).map(|parts| Parts {
                body: Some(body),
                ..parts
            }),
            None => Parts::parse.parse2(rest),
        };
        match parts {
            Ok(parts) => Self::new(parts, errors),
            Err(error) => {
                errors.push(error);
                None
            }
        }
    }

    pub(crate) fn new(parts: Parts, errors: &mut Errors) -> Option<Self> {
        let Parts {
            attributes,
            visibility,
            mut signature,
            body,
        } = parts;
        check(&attributes, &signature, errors);
        let Some(body) = body else {
            let name = &signature.ident;
            let message = format_args!(
                "nothing to trace: `{name}` has no body\nhelp: put `#[traced]` on the implementations or on a default body"
            );
            errors.at(name, message);
            return None;
        };
        let (body, attributes) = lift_inner_attributes(body, attributes);
        let shape = shape(&signature);
        let is_closure = match &shape {
            Shape::Async(_) | Shape::Opaque => false,
            Shape::Stream(stream) => !stream.is_async,
            _ => true,
        };
        let mut receiver = None;
        let mut parameters = Vec::new();
        for (position, input) in signature.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Receiver(this) => {
                    this.attrs.retain(|attribute| !is_traced(attribute));
                    receiver = Some(This {
                        span: this.self_token.span,
                        is_owned: is_owned(this),
                    });
                }
                FnArg::Typed(typed) => {
                    parameters.push(Parameter::new(typed, position, is_closure, errors));
                }
            }
        }
        Some(Self {
            attributes,
            visibility,
            signature,
            parameters,
            receiver,
            shape,
            body,
        })
    }

    pub(crate) fn ident(&self) -> &Ident {
        &self.signature.ident
    }

    /// The names of the arguments, as a user would list them.
    pub(crate) fn argument_names(&self) -> Vec<String> {
        let bindings = self.parameters.iter().flat_map(|one| &one.bindings);
        bindings.map(|binding| binding.ident.to_string()).collect()
    }
}

impl Shape {
    /// What the function or its future arrives at, or its stream gives out; `None` where nobody waits
    /// for it.
    pub(crate) fn output(&self) -> Option<&Output> {
        match self {
            Self::Sync(output)
            | Self::Async(output)
            | Self::Future(output)
            | Self::BoxedFuture(output, _)
            | Self::Stream(Stream { item: output, .. }) => Some(output),
            Self::Opaque => None,
        }
    }
}

/// The braces at the end, whether written here or handed over by `macro_rules`.
fn braces(token: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => braces(&group.stream().into_iter().next()?),
        _ => None,
    }
}

/// What no function that is traced may have.
fn check(attributes: &[Attribute], signature: &Signature, errors: &mut Errors) {
    if let Some(constness) = &signature.constness {
        errors.at(
            constness,
            "`const fn` cannot be traced: spans are created at run time\nhelp: remove `const` or `#[traced]`",
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(
            variadic.dots.to_token_stream(),
            "variadic functions cannot be traced",
        );
    }
    for attribute in attributes {
        if attribute.path().is_ident("track_caller") {
            errors.at(
                attribute.path(),
                "`#[traced]` moves the body into a closure, so `Location::caller()` would report this line",
            );
        }
        if is_traced(attribute) {
            errors.at(attribute, "`#[traced]` applied more than once");
        }
    }
}

/// `{ #![allow(..)] .. }` becomes `#[allow(..)]` on the function: a closure's block has no attributes.
fn lift_inner_attributes(body: Group, mut outer: Vec<Attribute>) -> (Group, Vec<Attribute>) {
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_inner)?;
        Ok((attributes, input.parse::<TokenStream>()?))
    };
    let is = |token: Option<TokenTree>, expected| matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == expected);
    let mut start = body.stream().into_iter();
    if !(is(start.next(), '#') && is(start.next(), '!')) {
        return (body, outer);
    }
    match parser.parse2(body.stream()) {
        Ok((inner, rest)) if !inner.is_empty() => {
            outer.extend(inner.into_iter().map(|mut attribute| {
                attribute.style = syn::AttrStyle::Outer;
                attribute
            }));
            (regroup(&body, Delimiter::Brace, rest), outer)
        }
        _ => (body, outer),
    }
}

/// `self`, `self: Box<Self>`
fn is_owned(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Value => true,
        ReceiverKind::Typed(_, ty) => !matches!(**ty, Type::Reference(_)),
        _ => false,
    }
}

fn shape(signature: &Signature) -> Shape {
    let ReturnType::Type(_, ty) = &signature.output else {
        return match signature.asyncness {
            Some(_) => Shape::Async(Output::Unit),
            None => Shape::Sync(Output::Unit),
        };
    };
    let ty = unwrap_type(ty);
    if let Some(stream) = Stream::of(ty, signature) {
        return Shape::Stream(stream);
    }
    if signature.asyncness.is_some() {
        return Shape::Async(output(ty));
    }
    if let Type::ImplTrait(opaque) = ty {
        return match named_output(&opaque.bounds, "Future", "Output") {
            Some(output) => Shape::Future(output),
            None => Shape::Opaque,
        };
    }
    match boxed(ty, ["BoxFuture", "LocalBoxFuture"], "Future", "Output") {
        Some(output) => Shape::BoxedFuture(output, ty.to_token_stream()),
        None => Shape::Sync(output(ty)),
    }
}

pub(crate) fn unwrap_type(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => unwrap_type(&group.elem),
        Type::Paren(paren) => unwrap_type(&paren.elem),
        other => other,
    }
}

fn output(ty: &Type) -> Output {
    match unwrap_type(ty) {
        Type::Tuple(tuple) if tuple.elems.is_empty() => Output::Unit,
        Type::Never(_) => Output::Never,
        ty => Output::Type(without_impl(ty.to_token_stream())),
    }
}

/// The `T` of `Pin<Box<dyn Future<Output = T> ..>>`, `BoxFuture<'_, T>`, `LocalBoxFuture<'_, T>`.
pub(crate) fn boxed(ty: &Type, aliases: [&str; 2], of: &str, output_name: &str) -> Option<Output> {
    let (name, mut arguments) = last_segment(ty)?;
    match name.as_str() {
        name if aliases.contains(&name) => Some(output(arguments.next()?)),
        "Pin" => {
            let (name, mut arguments) = last_segment(arguments.next()?)?;
            match (name.as_str(), unwrap_type(arguments.next()?)) {
                ("Box", Type::TraitObject(object)) => named_output(&object.bounds, of, output_name),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The name of a type and its type arguments.
fn last_segment(ty: &Type) -> Option<(String, impl Iterator<Item = &Type>)> {
    let Type::Path(path) = unwrap_type(ty) else {
        return None;
    };
    let segment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some((segment.ident.to_string(), types))
}

/// The `T` of `Future<Output = T> + ..`.
pub(crate) fn named_output<'a>(
    bounds: impl IntoIterator<Item = &'a TypeParamBound>,
    of: &str,
    output_name: &str,
) -> Option<Output> {
    let found = bounds.into_iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last()?;
            (last.ident == of).then_some(last)
        }
        _ => None,
    })?;
    let PathArguments::AngleBracketed(arguments) = &found.arguments else {
        return Some(Output::Type(None));
    };
    let named = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(named) if named.ident == output_name => Some(output(&named.ty)),
        _ => None,
    });
    Some(named.unwrap_or(Output::Type(None)))
}
