//! One span attribute as it is written: `key = value`, `key = ?value`, `user.id`, `%addr`.

use crate::error::Errors;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, LitStr, Token, token};

/// The key of a span attribute.
#[derive(Clone)]
pub(crate) struct Key {
    /// What the user wrote, to point at.
    pub(crate) written: TokenStream,
    pub(crate) text: KeyText,
}

#[derive(Clone)]
pub(crate) enum KeyText {
    Literal(String),
    /// `{ CONST }`: the expression inside the braces.
    Const(TokenStream),
}

/// How a value becomes an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Through `ToValue`.
    Value,
    /// `?value`
    Debug,
    /// `%value`
    Display,
}

#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) key: Key,
    pub(crate) form: Form,
    pub(crate) value: TokenStream,
    /// The variable that a field without `=` starts with: the `user` of `user.id`.
    pub(crate) shorthand: Option<Ident>,
}

impl Key {
    pub(crate) fn literal(written: impl ToTokens, text: String) -> Self {
        Self {
            written: written.into_token_stream(),
            text: KeyText::Literal(text),
        }
    }

    /// The text, unless only the compiler knows it.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.text {
            KeyText::Literal(text) => Some(text),
            KeyText::Const(_) => None,
        }
    }

    /// Reports a key that another attribute of the span has.
    pub(crate) fn duplicate(&self, errors: &mut Errors) {
        let text = self.text().unwrap_or_default();
        errors.at(
            &self.written,
            format_args!("duplicate attribute key `{text}`"),
        );
    }

    /// Reports a key that no backend would show, or that another one would overwrite.
    pub(crate) fn check(&self, errors: &mut Errors) {
        let Some(text) = self.text() else { return };
        let message = match text {
            "" => "attribute key must not be empty",
            "error" | "span.kind" => {
                "`error` and `span.kind` are set by Jaeger from the span's status and kind; choose another key"
            }
            "otel.kind" => "`otel.kind` is spelled `kind` in `#[traced]`",
            "otel.name" => "`otel.name` is spelled `name` in `#[traced]`",
            "code.function.name" | "code.file.path" | "code.line.number" => {
                "`code.*` is recorded on every span; choose another key"
            }
            _ if text.contains(char::is_whitespace) => "attribute key must not contain whitespace",
            _ if text.starts_with("otel.") => "`otel.*` is reserved",
            _ => return,
        };
        errors.at(&self.written, message);
    }
}

/// Parses a comma-separated list, one error for each entry that is wrong.
pub(crate) fn list(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut entry: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let result = entry(input, errors).and_then(|()| {
            if input.is_empty() || input.peek(Token![,]) {
                Ok(())
            } else {
                Err(input.error("expected `,`"))
            }
        });
        if let Err(error) = result {
            errors.push(error);
            skip_to_comma(input);
        }
        // What is left is a comma or nothing.
        let _: syn::Result<Token![,]> = input.parse();
    }
}

pub(crate) fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _: syn::Result<TokenTree> = input.parse();
    }
}

/// Parses the inside of `fields(..)`.
pub(crate) fn fields(input: ParseStream<'_>, errors: &mut Errors) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    list(input, errors, |input, errors| {
        let field = field(input)?;
        field.key.check(errors);
        match field.key.text() {
            Some(text) if fields.iter().any(|other| other.key.text() == Some(text)) => {
                field.key.duplicate(errors);
            }
            _ => fields.push(field),
        }
        Ok(())
    });
    fields
}

fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    if input.peek(Token![?]) || input.peek(Token![%]) {
        let form = form(input)?;
        return shorthand(form, path(input)?, input);
    }
    if input.peek(token::Brace) {
        let content;
        let braces = syn::braced!(content in input);
        let expr: Expr = content.parse()?;
        let mut written = TokenStream::new();
        braces.surround(&mut written, |inner| expr.to_tokens(inner));
        let text = KeyText::Const(expr.into_token_stream());
        return with_value(Key { written, text }, input);
    }
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return with_value(Key::literal(&literal, literal.value()), input);
    }
    let path = path(input)?;
    if input.peek(Token![=]) && !input.peek(Token![==]) {
        return with_value(Key::literal(path.tokens, path.text), input);
    }
    shorthand(Form::Value, path, input)
}

fn with_value(key: Key, input: ParseStream<'_>) -> syn::Result<Field> {
    if !input.peek(Token![=]) {
        let message = "expected a value: write `key = value`";
        return Err(if input.is_empty() {
            syn::Error::new_spanned(&key.written, message)
        } else {
            input.error(message)
        });
    }
    let _: Token![=] = input.parse()?;
    let form = form(input)?;
    let value: Expr = input.parse()?;
    Ok(Field {
        key,
        form,
        value: value.into_token_stream(),
        shorthand: None,
    })
}

fn shorthand(form: Form, path: Path, input: ParseStream<'_>) -> syn::Result<Field> {
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error("expected `,`; an expression needs a key: `key = ..`"));
    }
    Ok(Field {
        key: Key::literal(&path.tokens, path.text),
        form,
        value: path.tokens,
        shorthand: Some(path.root),
    })
}

fn form(input: ParseStream<'_>) -> syn::Result<Form> {
    if input.parse::<Option<Token![?]>>()?.is_some() {
        Ok(Form::Debug)
    } else if input.parse::<Option<Token![%]>>()?.is_some() {
        Ok(Form::Display)
    } else {
        Ok(Form::Value)
    }
}

/// `user.id`, `pair.0`, `r#type`.
struct Path {
    root: Ident,
    tokens: TokenStream,
    text: String,
}

fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected an attribute: `key = value`, `user.id`, `?cart`"));
    }
    let root = input.call(Ident::parse_any)?;
    let mut tokens = root.to_token_stream();
    let mut text = root.unraw().to_string();
    while let Some(dot) = input.parse::<Option<Token![.]>>()? {
        dot.to_tokens(&mut tokens);
        if input.peek(Ident::peek_any) {
            let member = input.call(Ident::parse_any)?;
            text += &format!(".{}", member.unraw());
            member.to_tokens(&mut tokens);
        } else {
            // A tuple index; two in a row arrive as one float.
            let member: syn::Lit = input.parse()?;
            text += &format!(".{}", member.to_token_stream());
            member.to_tokens(&mut tokens);
        }
    }
    Ok(Path { root, tokens, text })
}
