//! The `#[traced]` attribute.

mod args;
mod attribute;
mod container;
mod error;
mod expand;
mod function;
mod parameter;
mod plan;
#[cfg(test)]
mod tests;
mod tokens;
mod traced;

use expand::Package;
use proc_macro::TokenStream;

/// Runs a function inside a span.
#[proc_macro_attribute]
pub fn traced(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let package = Package {
        name: variable("CARGO_PKG_NAME"),
        version: variable("CARGO_PKG_VERSION"),
    };
    traced::traced(arguments.into(), item.into(), &package).into()
}
