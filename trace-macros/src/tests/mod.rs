//! The macro as a function over tokens, without a compiler around it.

mod derive;
mod expansion;
mod fields;
mod off;
mod robustness;

use crate::expand::Package;
use proc_macro2::TokenStream;
use std::str::FromStr;

/// What `#[traced(arguments)] item` becomes.
fn traced(arguments: TokenStream, item: TokenStream) -> TokenStream {
    crate::traced::traced(arguments, item, &package(), false)
}

fn package() -> Package {
    Package {
        name: "orders".to_owned(),
        version: "1.2.3".to_owned(),
    }
}

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).expect("tokens")
}
