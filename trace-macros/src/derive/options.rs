//! `#[traced(..)]` on a type or a variant that derives something.
//!
//! Both derives read the same options, because an enum may derive both.

use super::is_ours;
use crate::attribute;
use crate::error::{Errors, comma_list};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, LitInt, LitStr, Token};

#[derive(Default)]
pub(super) struct Options {
    pub(super) rename: Option<LitStr>,
    pub(super) verdict: Verdict,
}

/// Whether a span that ends with the error has failed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Verdict {
    #[default]
    Failure,
    Ok,
    /// That is for the span's kind to say.
    Status(u16),
}

/// Where the options stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Struct,
    Enum,
    Variant,
}

#[derive(Default)]
struct Parsed {
    options: Options,
    krate: Option<TokenStream>,
    seen: Vec<Ident>,
}

impl Options {
    pub(super) fn of_variant(attributes: &[Attribute], errors: &mut Errors) -> Self {
        parse(attributes, Place::Variant, errors).options
    }

    /// The options of a type, and where `trace_runtime` is re-exported.
    pub(super) fn of_type(
        attributes: &[Attribute],
        is_struct: bool,
        errors: &mut Errors,
    ) -> (Self, Option<TokenStream>) {
        let place = if is_struct {
            Place::Struct
        } else {
            Place::Enum
        };
        let Parsed { options, krate, .. } = parse(attributes, place, errors);
        (options, krate)
    }
}

fn parse(attributes: &[Attribute], place: Place, errors: &mut Errors) -> Parsed {
    let mut parsed = Parsed::default();
    for attribute in attributes.iter().filter(|attribute| is_ours(attribute)) {
        let list = attribute.parse_args_with(|input: ParseStream<'_>| {
            attribute::list(input, errors, |input, errors| {
                option(input, place, &mut parsed, errors)
            });
            Ok(())
        });
        if let Err(error) = list {
            errors.push(error);
        }
    }
    parsed
}

fn option(
    input: ParseStream<'_>,
    place: Place,
    parsed: &mut Parsed,
    errors: &mut Errors,
) -> syn::Result<()> {
    let accepted: &[&str] = match place {
        Place::Struct => &["rename", "ok", "status", "crate"],
        Place::Enum => &["crate"],
        Place::Variant => &["rename", "ok", "status"],
    };
    let word = input.call(Ident::parse_any)?;
    let text = word.to_string();
    if !accepted.contains(&text.as_str()) {
        let message = format!(
            "unknown option `{text}`\nhelp: options here are {}",
            comma_list(accepted)
        );
        return Err(syn::Error::new_spanned(word, message));
    }
    if parsed.seen.contains(&word) {
        errors.at(&word, format_args!("`{word}` given more than once"));
    }
    match text.as_str() {
        "ok" => verdict(&word, Verdict::Ok, parsed, errors),
        "status" => {
            let code = status(input)?;
            verdict(&word, Verdict::Status(code), parsed, errors);
        }
        "rename" => {
            let _: Token![=] = input.parse()?;
            parsed.options.rename = Some(input.parse()?);
        }
        _ => {
            let _: Token![=] = input.parse()?;
            let path: syn::Path = input.parse()?;
            parsed.krate = Some(path.into_token_stream());
        }
    }
    parsed.seen.push(word);
    Ok(())
}

fn status(input: ParseStream<'_>) -> syn::Result<u16> {
    let _: Token![=] = input.parse()?;
    let literal: LitInt = input.parse()?;
    let code = literal.base10_parse().unwrap_or(0);
    if (100..600).contains(&code) {
        return Ok(code);
    }
    let message = format!("`{literal}` is no HTTP status; expected 100 to 599");
    Err(syn::Error::new_spanned(literal, message))
}

fn verdict(word: &Ident, verdict: Verdict, parsed: &mut Parsed, errors: &mut Errors) {
    let other = parsed
        .seen
        .iter()
        .find(|seen| *seen == "ok" || *seen == "status");
    if let Some(other) = other.filter(|other| *other != word) {
        let message = format_args!("`{other}` says already what is a failure; remove `{word}`");
        errors.at(word, message);
    }
    parsed.options.verdict = verdict;
}
