//! The arguments of `#[traced(..)]`, and the rules that need nothing but them.

use crate::attribute::{self, Field, skip_to_comma};
use crate::error::{Errors, closest, comma_list, or_list};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Lit, LitStr, Token, token};

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

fn check_name(literal: &LitStr, errors: &mut Errors) {
    if literal.value().trim().is_empty() {
        errors.at(literal, "span name must not be empty");
    }
}

fn name(word: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Name> {
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

fn kind(word: &Ident, input: ParseStream<'_>) -> syn::Result<&'static str> {
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
fn level(word: &Ident, input: ParseStream<'_>) -> syn::Result<&'static str> {
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

/// Whether an expression is a path whose last segment is `word`.
pub(crate) fn ends_in(expr: &TokenStream, word: &str) -> bool {
    match syn::parse2::<syn::Path>(expr.clone()) {
        Ok(path) => matches!(path.segments.last(), Some(last) if last.ident == word),
        _ => false,
    }
}

fn err(word: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Err> {
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
fn format_and_fields(
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

fn names(word: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    parenthesized(word, input, |content| {
        let names = content.parse_terminated(Ident::parse_any, Token![,])?;
        Ok(names.into_iter().collect())
    })
}

fn flag(word: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    let next = input.fork().parse::<proc_macro2::TokenTree>()?;
    let message = format!("`{word}` takes no value");
    Err(syn::Error::new(next.span(), message))
}

fn value(word: &Ident, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    equals(word, input)?;
    let expr: Expr = input.parse()?;
    Ok(expr.into_token_stream())
}

fn equals(word: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if !input.peek(Token![=]) {
        return Err(expected(word, input));
    }
    let _: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(expected(word, input));
    }
    Ok(())
}

fn parenthesized<T>(
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

fn unknown(word: &Ident, input: ParseStream<'_>, errors: &mut Errors) {
    // `otel.kind` is one word to its user.
    let mut written = word.to_token_stream();
    let mut text = word.to_string();
    while input.peek(Token![.]) {
        let dot: syn::Result<Token![.]> = input.parse();
        if let (Ok(dot), Ok(part)) = (dot, input.call(Ident::parse_any)) {
            text += &format!(".{part}");
            dot.to_tokens(&mut written);
            part.to_tokens(&mut written);
        }
    }
    errors.at(written, unknown_message(&text));
    skip_to_comma(input);
}

fn unknown_message(word: &str) -> String {
    let spelled = |option: &str| format!("`{word}` is spelled `{option}` in `#[traced]`");
    match word {
        "follows_from" | "follows" => spelled("links"),
        "properties" | "attributes" | "tags" | "attrs" => spelled("fields"),
        "span_kind" | "otel.kind" => spelled("kind"),
        "otel.name" | "span_name" => spelled("name"),
        "error_if" => spelled("err_if"),
        "ok_if" => format!(
            "{}\nhelp: the function given to `err_if` answers whether the call failed",
            spelled("err_if")
        ),
        "record_return" => spelled("ret"),
        "new_trace" => spelled("root"),
        "short_name" => {
            "`short_name` is the default in `#[traced]`\nhelp: remove it".to_owned()
        }
        "target" => {
            "`target` has no counterpart in `#[traced]`: the scope of a span is its package\nhelp: remove it".to_owned()
        }
        "enter_on_poll" => {
            "`enter_on_poll` is not supported by `#[traced]`: a future has one span".to_owned()
        }
        _ => {
            let help = match closest(word, OPTIONS) {
                Some(option) => format!("did you mean `{option}`?"),
                None => format!("options are {}", comma_list(OPTIONS)),
            };
            format!("unknown `#[traced]` option `{word}`\nhelp: {help}")
        }
    }
}
