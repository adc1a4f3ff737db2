//! What can be said about tokens without parsing them.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Attribute;

/// Whether an attribute is `#[traced]`, under whatever path.
pub(crate) fn is_traced(attribute: &Attribute) -> bool {
    matches!(attribute.path().segments.last(), Some(last) if last.ident == "traced")
}

/// The item without the `#[traced(..)]` that belong to this macro: on the item, on its parameters,
/// on its members and on theirs.
pub(crate) fn without_helpers(item: TokenStream) -> TokenStream {
    strip(unwrap_invisible(item), true)
}

fn strip(tokens: TokenStream, is_item: bool) -> TokenStream {
    let is_container = is_item && is_container(&tokens);
    let mut output = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if is_helper(&output, &group) => {
                output.pop();
            }
            TokenTree::Group(group) => {
                let content = match group.delimiter() {
                    // Parameters, or the path of `pub(in path)`.
                    Delimiter::Parenthesis => strip(group.stream(), false),
                    // The members, whose bodies are left alone.
                    Delimiter::Brace if is_container => strip_members(group.stream()),
                    _ => group.stream(),
                };
                output.push(regroup(&group, group.delimiter(), content).into());
            }
            other => output.push(other),
        }
    }
    output.into_iter().collect()
}

fn strip_members(tokens: TokenStream) -> TokenStream {
    // Members are items in a row; none of them is a container.
    strip(tokens, false)
}

/// Whether `group` after what is in `output` makes `#[..::traced(..)]`.
fn is_helper(output: &[TokenTree], group: &Group) -> bool {
    if group.delimiter() != Delimiter::Bracket {
        return false;
    }
    if !matches!(output.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#') {
        return false;
    }
    let mut path = group.stream().into_iter();
    let mut last = None;
    for token in path.by_ref() {
        match token {
            TokenTree::Ident(ident) => last = Some(ident),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            _ => break,
        }
    }
    matches!(last, Some(last) if last == "traced")
}

fn is_container(tokens: &TokenStream) -> bool {
    let is =
        |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(ident) if ident == word);
    let mut tokens = tokens.clone().into_iter();
    tokens
        .find(|token| ["fn", "impl", "trait"].iter().any(|word| is(token, word)))
        .is_some_and(|token| !is(&token, "fn"))
}

/// `macro_rules` hands a fragment over in an invisible group.
pub(crate) fn unwrap_invisible(tokens: TokenStream) -> TokenStream {
    let mut iter = tokens.clone().into_iter();
    match (iter.next(), iter.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            unwrap_invisible(group.stream())
        }
        _ => tokens,
    }
}

/// The same group around other tokens.
pub(crate) fn regroup(group: &Group, delimiter: Delimiter, content: TokenStream) -> Group {
    let mut new = Group::new(delimiter, content);
    new.set_span(group.span());
    new
}

/// The first identifier `word` in `tokens`, which knows the hygiene of whoever wrote it.
pub(crate) fn find_word(tokens: &TokenStream, word: &str) -> Option<Ident> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == word => Some(ident),
        TokenTree::Group(group) => find_word(&group.stream(), word),
        _ => None,
    })
}

/// Whether an expression uses a variable, in format strings too.
pub(crate) fn mentions(expr: &TokenStream, name: &str) -> bool {
    expr.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{name}")),
        TokenTree::Punct(_) => false,
    })
}

/// The first `.await` that waits here, and not in a future made here.
pub(crate) fn find_await(tokens: &TokenStream) -> Option<Ident> {
    let mut after_dot = false;
    let mut in_future = false;
    for token in tokens.clone() {
        match &token {
            TokenTree::Ident(word) if word == "async" => in_future = true,
            TokenTree::Ident(word) if after_dot && !in_future && word == "await" => {
                return Some(word.clone());
            }
            TokenTree::Group(group) if in_future => {
                in_future = group.delimiter() != Delimiter::Brace;
            }
            TokenTree::Group(group) => {
                let found = find_await(&group.stream());
                if found.is_some() {
                    return found;
                }
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ',') => in_future = false,
            _ => {}
        }
        after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
    }
    None
}

/// A type with every `impl Trait` in it replaced by `_`, as bodies may not write it.
/// `None` when nothing but `_` would be left.
pub(crate) fn without_impl(ty: TokenStream) -> Option<TokenStream> {
    let ty = replace_impl(ty);
    let mut tokens = ty.clone().into_iter();
    let is_nothing = match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(word)), None) => word == "_",
        _ => false,
    };
    (!is_nothing).then_some(ty)
}

fn replace_impl(ty: TokenStream) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = ty.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "impl" => {
                Ident::new("_", word.span()).to_tokens(&mut output);
                let mut depth = 0_usize;
                let mut arrow = false;
                while let Some(next) = tokens.peek() {
                    if let TokenTree::Punct(punct) = next {
                        match punct.as_char() {
                            ',' if depth == 0 => break,
                            '>' if arrow => {}
                            '>' if depth == 0 => break,
                            '>' => depth -= 1,
                            '<' => depth += 1,
                            _ => {}
                        }
                        arrow = punct.as_char() == '-';
                    }
                    tokens.next();
                }
            }
            TokenTree::Group(group) => {
                let content = replace_impl(group.stream());
                regroup(&group, group.delimiter(), content).to_tokens(&mut output);
            }
            other => other.to_tokens(&mut output),
        }
    }
    output
}

/// The same names, said to be written at `span`: that is where errors about them point.
pub(crate) fn located_at(tokens: TokenStream, span: Span) -> TokenStream {
    let relocate = |mut token: TokenTree| {
        token.set_span(token.span().located_at(span));
        token
    };
    tokens.into_iter().map(relocate).collect()
}

/// The tokens once more, for a place where nobody wrote them: no lint asks to spell them otherwise.
pub(crate) fn repeated(tokens: TokenStream) -> TokenStream {
    let repeat = |token| match token {
        // `$crate` is what it is by who wrote it.
        TokenTree::Ident(word) if word != "$crate" => {
            let mut word = word.clone();
            word.set_span(word.span().resolved_at(Span::mixed_site()));
            word.into()
        }
        TokenTree::Group(group) => {
            regroup(&group, group.delimiter(), repeated(group.stream())).into()
        }
        other => other,
    };
    tokens.into_iter().map(repeat).collect()
}

/// Whether an expression is a path whose last segment is `word`.
pub(crate) fn ends_in(expr: &TokenStream, word: &str) -> bool {
    match syn::parse2::<syn::Path>(expr.clone()) {
        Ok(path) => matches!(path.segments.last(), Some(last) if last.ident == word),
        _ => false,
    }
}
