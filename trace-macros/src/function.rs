//! The annotated function: what its signature says, and its body as the tokens it came in.

use crate::attribute::Key;
use crate::error::Errors;
use crate::tokens::{is_traced, regroup, unwrap_invisible, without_impl};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, FnArg, GenericArgument, LitStr, Pat, PatType, PathArguments, Receiver, ReceiverKind,
    ReturnType, Signature, Token, Type, TypeParamBound, Visibility,
};

pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    /// As written, but for `mut` in front of parameters that move into the body.
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

/// One parameter other than the receiver.
pub(crate) struct Parameter {
    pub(crate) bindings: Vec<Binding>,
    /// `#[cfg(..)]` on the parameter, repeated on what mentions it.
    pub(crate) cfg: TokenStream,
    /// Handed to the body by position. A parameter with attributes is captured instead, because
    /// an attribute can stand neither in a tuple nor in a tuple's pattern.
    pub(crate) is_passed: bool,
    pub(crate) skip: bool,
    pub(crate) redact: bool,
    pub(crate) key: Option<Key>,
}

/// One variable that a parameter's pattern binds.
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    /// `mut` or `ref`, where it moves into the body with the value.
    pub(crate) mode: TokenStream,
    /// Stands for a parameter written `_`: passed on, so that it is dropped when it would have been.
    pub(crate) is_anonymous: bool,
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
            parts.body = Some(body(input)?);
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
        match Parts::parse.parse2(unwrap_invisible(item)) {
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
        // Only a closure takes a parameter that nothing names: an `async fn` keeps its own.
        let passes_wild = signature.asyncness.is_none() && !matches!(shape, Shape::Opaque);
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
                    let mut parameter = Parameter::new(typed, errors);
                    if passes_wild {
                        parameter.pass_wild(typed, position);
                    }
                    parameters.push(parameter);
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
        bindings
            .filter(|binding| !binding.is_anonymous)
            .map(|binding| binding.ident.to_string())
            .collect()
    }
}

impl Shape {
    /// What the function or its future arrives at; `None` where nobody waits for it.
    pub(crate) fn output(&self) -> Option<&Output> {
        match self {
            Self::Sync(output)
            | Self::Async(output)
            | Self::Future(output)
            | Self::BoxedFuture(output, _) => Some(output),
            Self::Opaque => None,
        }
    }
}

/// The braces at the end, whether written here or handed over by `macro_rules`.
fn body(input: ParseStream<'_>) -> syn::Result<Group> {
    let token: TokenTree = input.parse()?;
    let mut token = Some(token);
    while let Some(TokenTree::Group(group)) = token {
        if group.delimiter() == Delimiter::Brace {
            return Ok(group);
        }
        token = group.stream().into_iter().next();
    }
    Err(input.error("expected the body of a function"))
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

impl Parameter {
    /// Takes the `#[traced]` attributes off a parameter, and `mut` where it moves into the body.
    fn new(typed: &mut PatType, errors: &mut Errors) -> Self {
        let (helpers, kept): (Vec<_>, Vec<_>) = typed.attrs.drain(..).partition(is_traced);
        let cfg = (kept.iter())
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .map(ToTokens::to_token_stream)
            .collect();
        let is_passed = kept.is_empty();
        typed.attrs = kept;
        let mut bindings = Vec::new();
        match &mut *typed.pat {
            // The value itself is passed, and borrowed where it is dropped in its turn.
            Pat::Ident(pat) if is_passed && pat.by_ref.is_some() && pat.subpat.is_none() => {
                let mut mode = pat.by_ref.take().into_token_stream();
                pat.mutability.take().to_tokens(&mut mode);
                bindings.push(Binding {
                    ident: pat.ident.clone(),
                    mode,
                    is_anonymous: false,
                });
            }
            pat => collect_bindings(pat, is_passed, &mut bindings),
        }
        let mut parameter = Self {
            bindings,
            cfg,
            is_passed,
            skip: false,
            redact: false,
            key: None,
        };
        for helper in helpers {
            parameter_options(&helper, &mut parameter, errors);
        }
        parameter
    }

    /// Names a parameter written `_`, so that the body can be handed it and drops it in its turn.
    fn pass_wild(&mut self, typed: &mut PatType, position: usize) {
        if self.is_passed && matches!(*typed.pat, Pat::Wild(_)) {
            let ident = format_ident!("__arg{position}", span = Span::mixed_site());
            *typed.pat = variable(ident.clone());
            self.bindings.push(Binding {
                ident,
                mode: TokenStream::new(),
                is_anonymous: true,
            });
        }
    }
}

fn variable(ident: Ident) -> Pat {
    Pat::Ident(syn::PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability: None,
        ident,
        subpat: None,
    })
}

const PARAMETER_OPTIONS: &str = "expected `skip`, `redact` or a key";

/// `#[traced(skip)]`, `#[traced(redact)]`, `#[traced("key")]` on a parameter.
fn parameter_options(helper: &Attribute, parameter: &mut Parameter, errors: &mut Errors) {
    let tokens = match &helper.meta {
        syn::Meta::List(list) if !list.tokens.is_empty() => list.tokens.clone(),
        _ => return errors.at(helper, PARAMETER_OPTIONS),
    };
    let parser = |input: ParseStream<'_>| {
        crate::attribute::list(input, errors, |input, errors| {
            parameter_option(input, parameter, errors)
        });
        Ok(())
    };
    // The list reports what is wrong and reads to the end.
    let _: syn::Result<()> = parser.parse2(tokens);
    if parameter.skip && (parameter.redact || parameter.key.is_some()) {
        errors.at(helper, "`skip` leaves nothing to redact or to name");
    }
}

fn parameter_option(
    input: ParseStream<'_>,
    parameter: &mut Parameter,
    errors: &mut Errors,
) -> syn::Result<()> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        let key = Key::literal(&literal, literal.value());
        key.check(errors);
        if parameter.bindings.len() != 1 {
            let message = "a key names one argument; this pattern does not bind exactly one";
            errors.at(&literal, message);
        } else if parameter.key.replace(key).is_some() {
            errors.at(&literal, "a parameter has one key");
        }
        return Ok(());
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(PARAMETER_OPTIONS));
    }
    let word = input.call(Ident::parse_any)?;
    match word.to_string().as_str() {
        "skip" => parameter.skip = true,
        "redact" => parameter.redact = true,
        _ => {
            errors.at(
                &word,
                format_args!("unknown parameter option `{word}`; {PARAMETER_OPTIONS}"),
            );
            crate::attribute::skip_to_comma(input);
        }
    }
    Ok(())
}

/// Every variable that a pattern binds. `mut` moves into the body with the value, so that the
/// compiler sees it where it is needed.
fn collect_bindings(pat: &mut Pat, takes_mut: bool, output: &mut Vec<Binding>) {
    match pat {
        Pat::Ident(pat) => {
            let starts_upper = |ident: &Ident| {
                let text = ident.unraw().to_string();
                text.starts_with(char::is_uppercase)
            };
            let is_constant = pat.by_ref.is_none()
                && pat.mutability.is_none()
                && pat.subpat.is_none()
                && starts_upper(&pat.ident);
            // The alternatives of `A(x) | B(x)` bind the same variable.
            let is_known = output.iter().any(|binding| binding.ident == pat.ident);
            let mode = match takes_mut && pat.by_ref.is_none() {
                true => pat.mutability.take().into_token_stream(),
                false => TokenStream::new(),
            };
            if !is_constant && !is_known {
                output.push(Binding {
                    ident: pat.ident.clone(),
                    mode,
                    is_anonymous: false,
                });
            }
            if let Some((_, pat)) = &mut pat.subpat {
                collect_bindings(pat, takes_mut, output);
            }
        }
        Pat::Or(pat) => collect_all(&mut pat.cases, takes_mut, output),
        Pat::Paren(pat) => collect_bindings(&mut pat.pat, takes_mut, output),
        Pat::Reference(pat) => collect_bindings(&mut pat.pat, takes_mut, output),
        Pat::Slice(pat) => collect_all(&mut pat.elems, takes_mut, output),
        Pat::Tuple(pat) => collect_all(&mut pat.elems, takes_mut, output),
        Pat::TupleStruct(pat) => collect_all(&mut pat.elems, takes_mut, output),
        Pat::Struct(pat) => {
            let pats = pat.fields.iter_mut().map(|field| &mut *field.pat);
            collect_all(pats, takes_mut, output);
        }
        Pat::Type(pat) => collect_bindings(&mut pat.pat, takes_mut, output),
        _ => {}
    }
}

fn collect_all<'a>(
    pats: impl IntoIterator<Item = &'a mut Pat>,
    takes_mut: bool,
    output: &mut Vec<Binding>,
) {
    for pat in pats {
        collect_bindings(pat, takes_mut, output);
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
    if signature.asyncness.is_some() {
        return Shape::Async(output(ty));
    }
    if let Type::ImplTrait(opaque) = ty {
        return match future_output(&opaque.bounds) {
            Some(output) => Shape::Future(output),
            None => Shape::Opaque,
        };
    }
    match boxed_future(ty) {
        Some(output) => Shape::BoxedFuture(output, ty.to_token_stream()),
        None => Shape::Sync(output(ty)),
    }
}

fn unwrap_type(ty: &Type) -> &Type {
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

/// `Pin<Box<dyn Future<Output = T> ..>>`, `BoxFuture<'_, T>`, `LocalBoxFuture<'_, T>`.
fn boxed_future(ty: &Type) -> Option<Output> {
    let (name, mut arguments) = last_segment(ty)?;
    match name.as_str() {
        "BoxFuture" | "LocalBoxFuture" => Some(output(arguments.next()?)),
        "Pin" => {
            let (name, mut arguments) = last_segment(arguments.next()?)?;
            match (name.as_str(), unwrap_type(arguments.next()?)) {
                ("Box", Type::TraitObject(object)) => future_output(&object.bounds),
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
fn future_output<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> Option<Output> {
    let future = bounds.into_iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last()?;
            (last.ident == "Future").then_some(last)
        }
        _ => None,
    })?;
    let PathArguments::AngleBracketed(arguments) = &future.arguments else {
        return Some(Output::Type(None));
    };
    let named = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(named) if named.ident == "Output" => Some(output(&named.ty)),
        _ => None,
    });
    Some(named.unwrap_or(Output::Type(None)))
}
