//! The macros of `trace-runtime`, which re-exports them and has the documentation that matters.
//!
//! Three pure functions over tokens make `#[traced]`: `args` reads what is in the parentheses,
//! `function` what the attribute stands on, and `expand` puts the two together and cannot fail.
//! Between them, `plan` reports what does not fit. Mistakes accumulate, and the item is always
//! emitted. Only this file knows `proc_macro`.

mod args;
mod attribute;
mod container;
mod derive;
mod error;
mod expand;
mod fields;
mod function;
mod parameter;
mod plan;
mod stream;
#[cfg(test)]
mod tests;
mod tokens;
mod traced;

use expand::Package;
use proc_macro::TokenStream;

#[doc = include_str!("traced.md")]
#[proc_macro_attribute]
pub fn traced(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let off = cfg!(feature = "off");
    traced::traced(arguments.into(), item.into(), &package(), off).into()
}

/// The package that is being compiled.
fn package() -> Package {
    let variable = |name| std::env::var(name).unwrap_or_default();
    Package {
        name: variable("CARGO_PKG_NAME"),
        version: variable("CARGO_PKG_VERSION"),
    }
}

/// Sets attributes on the current span.
///
/// `key = value`, `key = ?value` for its `Debug` output, `key = %value` for `Display`, and as a
/// shorthand `?value`, `%value` or `user.id`. A key is a word, words with dots, a string, or a
/// constant in braces. The last value under a key wins. Nothing is evaluated unless the span
/// records.
///
/// ```
/// use trace_runtime::{record, traced};
///
/// #[traced]
/// fn search(text: &str) -> Vec<String> {
///     let found = vec![text.to_owned()];
///     record!(rows = found.len(), "search.mode" = "exact", ?found);
///     found
/// }
/// # search("a");
/// ```
#[proc_macro]
pub fn record(input: TokenStream) -> TokenStream {
    fields::record(input.into()).into()
}

/// Adds an event to the current span: a name, then attributes as in [`record!`].
///
/// ```
/// # let key = 7;
/// trace_runtime::event!("cache miss", key, tries = 3);
/// ```
#[proc_macro]
pub fn event(input: TokenStream) -> TokenStream {
    fields::event(input.into()).into()
}

/// Marks the current span as failed by an error that the function does not return; attributes as in
/// [`record!`] may follow.
///
/// The error may be of any type, as the `Err` of a traced function may: status, `error.type` and the
/// exception event are the same. `Failure::is_failure` is not asked.
///
/// ```
/// use trace_runtime::{set_error, traced};
///
/// #[traced]
/// fn port(text: &str) -> u16 {
///     text.parse::<u16>().unwrap_or_else(|error| {
///         set_error!(error, fallback = 80);
///         80
///     })
/// }
/// # port("x");
/// ```
#[proc_macro]
pub fn set_error(input: TokenStream) -> TokenStream {
    fields::set_error(input.into()).into()
}

/// Runs an expression, or an `async` block, in a span of its own: a name, attributes as in
/// [`record!`], `=>`, the expression.
///
/// The expression stays in place: `?`, `return` and `break` leave the span and go where they go
/// without it. An `async` block becomes a future whose span starts now. What the expression returns
/// is not looked at; [`set_error!`] inside it fails the span, a panic does so by itself.
///
/// ```
/// use trace_runtime::span;
///
/// # async fn wait() {}
/// # async fn example(text: &str) -> Result<u64, std::num::ParseIntError> {
/// let number: u64 = span!("parse", bytes = text.len() => text.parse()?);
/// span!("wait", number => async { wait().await }).await;
/// # Ok(number)
/// # }
/// # fn main() {}
/// ```
#[proc_macro]
pub fn span(input: TokenStream) -> TokenStream {
    fields::span(input.into(), &package()).into()
}

/// Makes a type of one's own recordable: see the trait of the same name.
///
/// A struct with one field is recorded as that field, an enum without fields as the name of the
/// variant. `#[traced(rename = "..")]` gives a variant another name, `#[traced(crate = path)]` on
/// the type says where `trace_runtime` is re-exported. Fields of type `PhantomData` do not count.
///
/// ```
/// use trace_runtime::{ToValue, Value};
///
/// #[derive(ToValue)]
/// struct OrderId(u64);
///
/// #[derive(ToValue)]
/// enum Color {
///     Red,
///     #[traced(rename = "dark-blue")]
///     Navy,
/// }
///
/// assert_eq!(OrderId(7).to_value(), Value::I64(7));
/// assert_eq!(Color::Red.to_value(), Value::Str("Red".into()));
/// assert_eq!(Color::Navy.to_value(), Value::Str("dark-blue".into()));
/// ```
#[proc_macro_derive(ToValue, attributes(traced))]
pub fn derive_to_value(item: TokenStream) -> TokenStream {
    derive::to_value(item.into()).into()
}

/// Makes an error say what a span records about it: see the trait of the same name.
///
/// `error.type` is the name of the variant (or of the struct), or what `#[traced(rename = "..")]`
/// says. Every error is a failure, but for `#[traced(ok)]`, which never is, and
/// `#[traced(status = 404)]`: from 400 on a failure of client spans, from 500 on of every span.
/// `#[traced(crate = path)]` on the type says where `trace_runtime` is re-exported.
///
/// ```
/// use trace_runtime::{Failure, opentelemetry::trace::SpanKind};
///
/// #[derive(Failure)]
/// enum OrderError {
///     #[traced(status = 404)]
///     NotFound { id: u64 },
///     #[traced(ok)]
///     AlreadyPaid,
///     Database(std::io::Error),
/// }
///
/// let error = OrderError::NotFound { id: 7 };
/// assert_eq!(error.error_type(), "NotFound");
/// assert!(!error.is_failure(SpanKind::Server));
/// assert!(error.is_failure(SpanKind::Client));
/// assert!(!OrderError::AlreadyPaid.is_failure(SpanKind::Client));
/// ```
#[proc_macro_derive(Failure, attributes(traced))]
pub fn derive_failure(item: TokenStream) -> TokenStream {
    derive::failure(item.into()).into()
}
