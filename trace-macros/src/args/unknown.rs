//! Words that are no option, and what their users may have meant.

use super::OPTIONS;
use crate::attribute::skip_to_comma;
use crate::error::{Errors, closest, comma_list};
use proc_macro2::Ident;
use quote::ToTokens;
use syn::Token;
use syn::ext::IdentExt;
use syn::parse::ParseStream;

/// Reports a word, with all of `otel.kind`, and skips its value.
pub(super) fn unknown(word: &Ident, input: ParseStream<'_>, errors: &mut Errors) {
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
