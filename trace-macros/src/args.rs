//! The arguments of `#[traced(..)]`, and the rules that need nothing but them.

mod syntax;
mod unknown;

use self::syntax::{
    check_name, equals, err, flag, format_and_fields, kind, level, name, names, parenthesized,
    value,
};
use self::unknown::unknown;
use crate::attribute::{self, Field};
use crate::error::{Errors, comma_list};
use crate::tokens::ends_in;
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::LitStr;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};

/// An option with the word that set it, so that either can be blamed.
#[derive(Clone)]
pub(crate) struct Given<T> {
    pub(crate) word: Ident,
    pub(crate) value: T,
}

/// Everything that `#[traced(..)]` can say.
#[derive(Clone, Default)]
pub(crate) struct Args {
    pub(crate) name: Option<Given<Name>>,
    /// The variant of `Kind`; internal when absent.
    pub(crate) kind: Option<Given<&'static str>>,
    /// The variant of `Level`; info when absent.
    pub(crate) level: Option<Given<&'static str>>,
    pub(crate) select: Option<Given<Select>>,
    pub(crate) redact: Option<Given<Vec<Ident>>>,
    pub(crate) fields: Option<Given<Vec<Field>>>,
    pub(crate) ret: Option<Given<Ret>>,
    pub(crate) err: Option<Given<Err>>,
    pub(crate) err_if: Option<Given<TokenStream>>,
    pub(crate) err_type: Option<Given<TokenStream>>,
    pub(crate) parent: Option<Given<Parent>>,
    pub(crate) links: Option<Given<TokenStream>>,
    pub(crate) off: Option<Ident>,
    /// Where `trace_runtime` is re-exported.
    pub(crate) path: Option<Given<TokenStream>>,
}

#[derive(Clone)]
pub(crate) enum Name {
    /// A string literal.
    Literal(TokenStream),
    Dynamic(TokenStream),
}

/// Which arguments are recorded.
#[derive(Clone)]
pub(crate) enum Select {
    AllBut(Vec<Ident>),
    None,
    Only(Vec<Ident>),
}

/// Where the returned value or the error is put into words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Left to the type.
    Auto,
    Debug,
    Display,
}

#[derive(Clone)]
pub(crate) struct Ret {
    /// The whole value under the key `return`.
    pub(crate) whole: Option<Format>,
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone)]
pub(crate) enum Err {
    Off,
    On { format: Format, fields: Vec<Field> },
}

#[derive(Clone)]
pub(crate) enum Parent {
    Root,
    Given(TokenStream),
}

const OPTIONS: &[&str] = &[
    "name", "kind", "skip", "skip_all", "only", "redact", "fields", "ret", "err", "err_if",
    "err_type", "root", "parent", "links", "level", "off", "crate",
];

/// Parses the arguments; what is wrong goes to `errors` and the rest is still read.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    let found = errors.len();
    let parser = |input: ParseStream<'_>| {
        let mut first = true;
        attribute::list(input, errors, |input, errors| {
            let is_first = std::mem::take(&mut first);
            if input.peek(LitStr) {
                positional_name(input, is_first, &mut args, errors)
            } else {
                option(input, &mut args, errors)
            }
        });
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        // What syn has to say about tokens left over repeats an error that is already known.
        if errors.len() == found {
            errors.push(error);
        }
    }
    args
}

fn positional_name(
    input: ParseStream<'_>,
    is_first: bool,
    args: &mut Args,
    errors: &mut Errors,
) -> syn::Result<()> {
    let literal: LitStr = input.parse()?;
    if !is_first {
        return Err(syn::Error::new_spanned(
            &literal,
            "a span name without `name =` comes first",
        ));
    }
    check_name(&literal, errors);
    args.name = Some(Given {
        word: Ident::new("name", literal.span()),
        value: Name::Literal(literal.into_token_stream()),
    });
    Ok(())
}

fn option(input: ParseStream<'_>, args: &mut Args, errors: &mut Errors) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("expected an option: {}", comma_list(OPTIONS))));
    }
    let word = input.call(Ident::parse_any)?;
    match word.to_string().as_str() {
        "name" => {
            let value = name(&word, input, errors)?;
            set(&mut args.name, word, value, errors);
        }
        "kind" => {
            let value = kind(&word, input)?;
            set(&mut args.kind, word, value, errors);
        }
        "level" => {
            let value = level(&word, input)?;
            set(&mut args.level, word, value, errors);
        }
        "skip" => {
            let names = names(&word, input)?;
            select(&mut args.select, word, Select::AllBut(names), errors);
        }
        "skip_all" => {
            flag(&word, input)?;
            select(&mut args.select, word, Select::None, errors);
        }
        "only" => {
            let names = names(&word, input)?;
            select(&mut args.select, word, Select::Only(names), errors);
        }
        "redact" => {
            let value = names(&word, input)?;
            set(&mut args.redact, word, value, errors);
        }
        "fields" => {
            let value = parenthesized(&word, input, |content| {
                Ok(attribute::fields(content, errors))
            })?;
            set(&mut args.fields, word, value, errors);
        }
        "ret" => {
            let (whole, fields) = format_and_fields(&word, input, errors)?;
            let value = Ret { whole, fields };
            set(&mut args.ret, word, value, errors);
        }
        "err" => {
            let value = err(&word, input, errors)?;
            set_err(args, word, value, errors);
        }
        "err_if" => {
            let value = value(&word, input)?;
            conflict_with_err_off(args, &word, "err_if", errors);
            set(&mut args.err_if, word, value, errors);
        }
        "err_type" => {
            let value = value(&word, input)?;
            conflict_with_err_off(args, &word, "err_type", errors);
            set(&mut args.err_type, word, value, errors);
        }
        "root" => {
            flag(&word, input)?;
            parent(args, word, Parent::Root, errors);
        }
        "parent" => {
            let value = value(&word, input)?;
            if ends_in(&value, "None") {
                errors.at(
                    &value,
                    "`parent = None` keeps the current parent in `#[traced]`\nhelp: write `root` for a new trace",
                );
            }
            parent(args, word, Parent::Given(value), errors);
        }
        "links" => {
            let value = value(&word, input)?;
            set(&mut args.links, word, value, errors);
        }
        "off" => {
            flag(&word, input)?;
            if args.off.is_some() {
                duplicate(&word, errors);
            }
            args.off = Some(word);
        }
        "crate" => {
            equals(&word, input)?;
            let path: syn::Path = input.parse()?;
            set(&mut args.path, word, path.into_token_stream(), errors);
        }
        _ => unknown(&word, input, errors),
    }
    Ok(())
}

/// Stores a value, once.
fn set<T>(slot: &mut Option<Given<T>>, word: Ident, value: T, errors: &mut Errors) {
    if slot.is_some() {
        duplicate(&word, errors);
    } else {
        *slot = Some(Given { word, value });
    }
}

fn duplicate(word: &Ident, errors: &mut Errors) {
    errors.at(word, format_args!("`{word}` given more than once"));
}

fn select(slot: &mut Option<Given<Select>>, word: Ident, value: Select, errors: &mut Errors) {
    let conflict = match (slot.as_ref().map(|given| &given.value), &value) {
        (Some(Select::None), Select::AllBut(_)) | (Some(Select::AllBut(_)), Select::None) => {
            "`skip_all` already skips every argument; remove `skip(..)`"
        }
        (Some(Select::None), Select::Only(_)) | (Some(Select::Only(_)), Select::None) => {
            "`only(..)` already skips every other argument; remove `skip_all`"
        }
        (Some(Select::AllBut(_)), Select::Only(_)) | (Some(Select::Only(_)), Select::AllBut(_)) => {
            "`only(..)` already skips every other argument; remove `skip(..)`"
        }
        _ => return set(slot, word, value, errors),
    };
    errors.at(word, conflict);
}

fn parent(args: &mut Args, word: Ident, value: Parent, errors: &mut Errors) {
    match (args.parent.as_ref().map(|given| &given.value), &value) {
        (Some(Parent::Root), Parent::Given(_)) | (Some(Parent::Given(_)), Parent::Root) => {
            errors.at(
                word,
                "`root` starts a new trace and `parent` continues one; remove `root` or `parent`",
            );
        }
        _ => set(&mut args.parent, word, value, errors),
    }
}

fn set_err(args: &mut Args, word: Ident, value: Err, errors: &mut Errors) {
    let is_off = |err: &Err| matches!(err, Err::Off);
    match &args.err {
        Some(given) if is_off(&given.value) != is_off(&value) => {
            errors.at(&word, "`err = off` ignores errors; remove it or `err(..)`");
        }
        _ => {
            if is_off(&value) {
                let other = (args.err_if.as_ref().map(|_| "err_if"))
                    .or(args.err_type.as_ref().map(|_| "err_type"));
                if let Some(other) = other {
                    err_off_conflict(&word, other, errors);
                }
            }
            set(&mut args.err, word, value, errors);
        }
    }
}

fn conflict_with_err_off(args: &Args, word: &Ident, name: &str, errors: &mut Errors) {
    if matches!(&args.err, Some(given) if matches!(given.value, Err::Off)) {
        err_off_conflict(word, name, errors);
    }
}

fn err_off_conflict(word: &Ident, other: &str, errors: &mut Errors) {
    errors.at(
        word,
        format_args!("`err = off` ignores errors; remove it or `{other}`"),
    );
}
