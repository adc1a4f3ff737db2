//! One parameter: the variables it binds, what its own `#[traced(..)]` says, and how its value gets
//! into the body.

use crate::attribute::Key;
use crate::error::Errors;
use crate::tokens::is_traced;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Pat, PatIdent, PatType, Type};

/// One parameter other than the receiver.
pub(crate) struct Parameter {
    pub(crate) bindings: Vec<Binding>,
    pub(crate) entry: Entry,
    /// `#[cfg(..)]` on the parameter, repeated on what mentions it.
    pub(crate) cfg: TokenStream,
    pub(crate) skip: bool,
    pub(crate) redact: bool,
    pub(crate) key: Option<Key>,
    /// What it is, where it is a variable of a type that is a value whatever is in scope: `u64`, `&str`.
    pub(crate) scalar: Option<Scalar>,
}

/// One variable that a parameter's pattern binds.
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    /// `mut`, which moves into the body with the value.
    pub(crate) mode: TokenStream,
    /// What holds the value before the body runs.
    pub(crate) source: Ident,
}

/// How a parameter's value gets into the body.
pub(crate) enum Entry {
    /// As a capture, if at all. A parameter with attributes can be no part of a tuple.
    Captured,
    /// Variable by variable; the signature has the pattern.
    Variables,
    /// Under a name of ours; the body has the pattern. What the pattern leaves behind is dropped
    /// when it would have been, and variables that begin with `_` stay unused.
    Whole { variable: Ident, pattern: Box<Pat> },
}

impl Parameter {
    /// Takes the `#[traced]` attributes off a parameter, and what moves into the body.
    pub(crate) fn new(
        typed: &mut PatType,
        position: usize,
        is_closure: bool,
        errors: &mut Errors,
    ) -> Self {
        let (helpers, kept): (Vec<_>, Vec<_>) = typed.attrs.drain(..).partition(is_traced);
        let cfg = (kept.iter())
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .map(ToTokens::to_token_stream)
            .collect();
        typed.attrs = kept;
        let scalar = match is_variable(&typed.pat) {
            true => Scalar::of(&typed.ty),
            false => None,
        };
        let (entry, bindings) = enter(typed, position, is_closure);
        let mut parameter = Self {
            bindings,
            entry,
            cfg,
            skip: false,
            redact: false,
            key: None,
            scalar,
        };
        for helper in helpers {
            parameter_options(&helper, &mut parameter, errors);
        }
        parameter
    }

    /// Whether the body's pattern is a variable.
    pub(crate) fn is_variable(&self) -> bool {
        matches!(&self.entry, Entry::Whole { pattern, .. } if is_variable(pattern))
    }

    /// `let (a, _) = &__arg1;`: shows the options those variables that they want to see.
    pub(crate) fn view(&self, wanted: impl Fn(&Ident) -> bool) -> Option<TokenStream> {
        let Entry::Whole { variable, pattern } = &self.entry else {
            return None;
        };
        if !self.bindings.iter().any(|binding| wanted(&binding.ident)) {
            return None;
        }
        let pattern = view(pattern, &wanted);
        Some(quote_spanned!(Span::mixed_site()=> let #pattern = &#variable;))
    }
}

/// Decides how the value gets in, and takes out of the signature what goes along.
fn enter(typed: &mut PatType, position: usize, is_closure: bool) -> (Entry, Vec<Binding>) {
    let mut bindings = Vec::new();
    // Nobody minds where an unused parameter stays, unless a closure changes when it is dropped.
    let is_unused = match &*typed.pat {
        Pat::Wild(_) => true,
        Pat::Ident(pat) => is_underscored(pat) && pat.by_ref.is_none() && pat.subpat.is_none(),
        _ => false,
    };
    if !typed.attrs.is_empty() || (is_unused && !is_closure) {
        collect_bindings(&mut typed.pat, false, &mut bindings);
        return (Entry::Captured, bindings);
    }
    if !moves_whole(&typed.pat, true) {
        collect_bindings(&mut typed.pat, true, &mut bindings);
        return (Entry::Variables, bindings);
    }
    collect_bindings(&mut typed.pat, false, &mut bindings);
    let variable = match &*typed.pat {
        // The documentation shows this name. Two underscores are for names of ours.
        Pat::Ident(pat) if !pat.ident.to_string().starts_with("__") => {
            let mut variable = pat.ident.clone();
            variable.set_span(Span::mixed_site());
            variable
        }
        _ => format_ident!("__arg{position}", span = Span::mixed_site()),
    };
    let ours = Pat::Ident(PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability: None,
        ident: variable.clone(),
        subpat: None,
    });
    let pattern = std::mem::replace(&mut typed.pat, Box::new(ours));
    if is_variable(&pattern) {
        for binding in &mut bindings {
            binding.source = variable.clone();
        }
    }
    (Entry::Whole { variable, pattern }, bindings)
}

/// Whether a pattern is a variable that takes the value, such as `_x` or `mut _x`.
pub(crate) fn is_variable(pat: &Pat) -> bool {
    matches!(pat, Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() && !is_constant(pat))
}

/// One of the language's own types, or a reference to one.
#[derive(Clone)]
pub(crate) struct Scalar {
    /// `u64`, `str`
    pub(crate) name: &'static str,
    /// How many references are in between.
    pub(crate) references: usize,
}

impl Scalar {
    /// What a type is by how it is written.
    fn of(ty: &Type) -> Option<Self> {
        const NAMES: &[&str] = &[
            "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8",
            "u16", "u32", "u64", "u128", "usize",
        ];
        match ty {
            Type::Group(group) => Self::of(&group.elem),
            Type::Reference(reference) => {
                let of = Self::of(&reference.elem)?;
                Some(Self {
                    references: of.references + 1,
                    ..of
                })
            }
            Type::Path(path) if path.qself.is_none() => {
                // To compare an identifier is to print it.
                let name = path.path.get_ident()?.to_string();
                Some(Self {
                    name: NAMES.iter().find(|known| name == **known)?,
                    references: 0,
                })
            }
            _ => None,
        }
    }
}

/// Whether a pattern leaves something of an owned value behind, or has variables that must not be
/// mentioned.
fn moves_whole(pat: &Pat, is_owned: bool) -> bool {
    match pat {
        Pat::Ident(pat) => {
            let is_reference = is_owned && pat.by_ref.is_some();
            let is_unused = is_underscored(pat);
            let leaves_some = match &pat.subpat {
                Some((_, sub)) => !matches!(**sub, Pat::Rest(_)) && moves_whole(sub, is_owned),
                None => is_owned && is_constant(pat),
            };
            is_reference || is_unused || leaves_some
        }
        Pat::Wild(_) | Pat::Rest(_) => is_owned,
        Pat::Or(pat) => pat.cases.iter().any(|pat| moves_whole(pat, is_owned)),
        Pat::Paren(pat) => moves_whole(&pat.pat, is_owned),
        Pat::Reference(pat) => moves_whole(&pat.pat, false),
        Pat::Slice(pat) => pat.elems.iter().any(|pat| moves_whole(pat, is_owned)),
        Pat::Tuple(pat) => pat.elems.iter().any(|pat| moves_whole(pat, is_owned)),
        Pat::TupleStruct(pat) if pat.qself.is_none() => {
            pat.elems.iter().any(|pat| moves_whole(pat, is_owned))
        }
        Pat::Struct(pat) if pat.qself.is_none() => {
            let mut fields = pat.fields.iter();
            (is_owned && pat.rest.is_some()) || fields.any(|one| moves_whole(&one.pat, is_owned))
        }
        Pat::Type(pat) => moves_whole(&pat.pat, is_owned),
        _ => false,
    }
}

fn is_underscored(pat: &PatIdent) -> bool {
    pat.ident.unraw().to_string().starts_with('_')
}

/// A name in upper case is a unit struct rather than a variable.
fn is_constant(pat: &PatIdent) -> bool {
    let is_plain = pat.by_ref.is_none() && pat.mutability.is_none() && pat.subpat.is_none();
    is_plain && (pat.ident.unraw().to_string()).starts_with(char::is_uppercase)
}

/// Every variable that a pattern binds. `mut` goes along where it moves into the body, so that the
/// compiler sees it where it is needed.
fn collect_bindings(pat: &mut Pat, takes_mut: bool, output: &mut Vec<Binding>) {
    match pat {
        Pat::Ident(pat) => {
            if is_constant(pat) {
                return;
            }
            let mode = match takes_mut && pat.by_ref.is_none() {
                true => pat.mutability.take().into_token_stream(),
                false => TokenStream::new(),
            };
            // The alternatives of `A(x) | B(x)` bind the same variable.
            if !output.iter().any(|binding| binding.ident == pat.ident) {
                output.push(Binding {
                    ident: pat.ident.clone(),
                    mode,
                    source: pat.ident.clone(),
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

/// The pattern that binds references to the wanted variables when it meets a reference.
fn view(pat: &Pat, wanted: &dyn Fn(&Ident) -> bool) -> TokenStream {
    let all = |pats: &mut dyn Iterator<Item = &Pat>| -> Vec<TokenStream> {
        pats.map(|pat| view(pat, wanted)).collect()
    };
    match pat {
        Pat::Ident(pat) => {
            let sub = pat.subpat.as_ref().map(|(_, pat)| view(pat, wanted));
            match (wanted(&pat.ident) && !is_constant(pat), sub) {
                (true, sub) => {
                    let ident = &pat.ident;
                    let sub = sub.map(|sub| quote!(@ #sub));
                    quote!(#ident #sub)
                }
                (false, Some(sub)) => sub,
                (false, None) => quote!(_),
            }
        }
        Pat::Or(pat) => {
            let cases = all(&mut pat.cases.iter());
            quote!((#(#cases)|*))
        }
        Pat::Paren(pat) => view(&pat.pat, wanted),
        Pat::Reference(pat) => view(&pat.pat, wanted),
        Pat::Slice(pat) => {
            let elements = all(&mut pat.elems.iter());
            quote!([#(#elements),*])
        }
        Pat::Tuple(pat) => {
            let elements = all(&mut pat.elems.iter());
            quote!((#(#elements,)*))
        }
        Pat::TupleStruct(pat) => {
            let (path, elements) = (&pat.path, all(&mut pat.elems.iter()));
            quote!(#path(#(#elements),*))
        }
        Pat::Struct(pat) => {
            let path = &pat.path;
            let fields = pat.fields.iter().map(|field| {
                let (member, pat) = (&field.member, view(&field.pat, wanted));
                // `x: x` is linted.
                match field.colon_token.is_some() || pat.to_string() == "_" {
                    true => quote!(#member: #pat,),
                    false => quote!(#pat,),
                }
            });
            quote!(#path { #(#fields)* .. })
        }
        Pat::Type(pat) => view(&pat.pat, wanted),
        Pat::Rest(_) => quote!(..),
        _ => quote!(_),
    }
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
