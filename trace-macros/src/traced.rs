//! From `#[traced(..)]` and an item to the item in a span, or to the item and what is wrong.

use crate::args::{self, Args};
use crate::container;
use crate::error::Errors;
use crate::expand::{Package, expand};
use crate::function::Function;
use crate::plan::{self, Plan};
use crate::tokens::{unwrap_invisible, without_helpers};
use proc_macro2::{Ident, TokenStream, TokenTree};

/// The whole macro, but for where it is called from. `off`: check the arguments, change nothing.
pub(crate) fn traced(
    arguments: TokenStream,
    item: TokenStream,
    package: &Package,
    off: bool,
) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(arguments, &mut errors);
    let expanded = match kind(item.clone()) {
        Kind::Function => function(&args, item.clone(), package, &mut errors),
        Kind::Container => container::expand(&args, item.clone(), package, &mut errors),
        Kind::Other(keyword, what) => {
            let message = format_args!(
                "`#[traced]` applies to functions, methods, `impl` and `trait`, not to {what}"
            );
            errors.at(keyword, message);
            None
        }
    };
    match expanded {
        Some(_) if off && errors.is_empty() => without_helpers(item),
        Some(tokens) if errors.is_empty() => tokens,
        // Losing the item would add an error wherever it is used.
        _ => {
            let mut tokens = errors.into_tokens();
            tokens.extend(without_helpers(item));
            tokens
        }
    }
}

fn function(
    args: &Args,
    item: TokenStream,
    package: &Package,
    errors: &mut Errors,
) -> Option<TokenStream> {
    if let Some(off) = &args.off {
        let message = "`off` only makes sense inside a traced `impl` or `trait`";
        errors.at(off, message);
    }
    let function = Function::parse(item, errors)?;
    plan::check(args, &function, errors);
    let plan = Plan::new(args, &function, errors);
    Some(expand(args, &function, &plan, package))
}

pub(crate) enum Kind {
    Function,
    Container,
    /// Its keyword, and what to call it.
    Other(TokenTree, &'static str),
}

/// What an item is, from the first word that tells.
pub(crate) fn kind(item: TokenStream) -> Kind {
    let mut tokens = unwrap_invisible(item).into_iter().peekable();
    let mut last = None;
    while let Some(token) = tokens.next() {
        if let TokenTree::Ident(word) = &token {
            // `extern "C"` is one keyword.
            let is_extern = word == "extern";
            while is_extern && matches!(tokens.peek(), Some(TokenTree::Literal(_))) {
                tokens.next();
            }
            match kind_by_word(word, tokens.peek()) {
                Some(Kind::Other(_, what)) => return Kind::Other(token, what),
                Some(kind) => return kind,
                None => {}
            }
        }
        last = Some(token);
    }
    let fallback = || TokenTree::Ident(Ident::new("item", proc_macro2::Span::call_site()));
    Kind::Other(last.unwrap_or_else(fallback), "this")
}

fn kind_by_word(word: &Ident, next: Option<&TokenTree>) -> Option<Kind> {
    let next_is = |expected: &[&str]| match next {
        Some(TokenTree::Ident(next)) => expected.iter().any(|word| next == word),
        _ => false,
    };
    let what = match word.to_string().as_str() {
        "fn" => return Some(Kind::Function),
        "impl" | "trait" => return Some(Kind::Container),
        "const" if next_is(&["fn", "async", "unsafe", "extern", "trait"]) => return None,
        "extern" if next_is(&["crate"]) => "an `extern crate`",
        "extern" if is_brace(next) => "an `extern` block",
        "struct" => "a struct",
        "enum" => "an enum",
        "union" => "a union",
        "mod" => "a module",
        "use" => "an import",
        "type" => "a type alias",
        "static" => "a static",
        "const" => "a constant",
        "macro_rules" | "macro" => "a macro",
        _ => return None,
    };
    let keyword = TokenTree::Ident(word.clone());
    Some(Kind::Other(keyword, what))
}

fn is_brace(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == proc_macro2::Delimiter::Brace)
}
