//! Functions that return a stream, or `async fn`s that arrive at one: feature `stream`.

use crate::function::{Output, boxed, named_output, unwrap_type};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Signature, Type};

/// The stream that a function returns.
pub(crate) struct Stream {
    /// The type of its items: each says how it went, as another function's value does.
    pub(crate) item: Output,
    /// The whole type as written, if it is `Pin<Box<dyn Stream<Item = ..>>>`; else `impl Stream`.
    pub(crate) boxed: Option<TokenStream>,
    /// Whether an `async` block arrives at it, or a closure returns it.
    pub(crate) is_async: bool,
}

impl Stream {
    /// What the type says, if it is a stream's.
    pub(crate) fn of(ty: &Type, signature: &Signature) -> Option<Self> {
        if !cfg!(feature = "stream") {
            return None;
        }
        let is_async = signature.asyncness.is_some();
        if let Type::ImplTrait(opaque) = unwrap_type(ty) {
            return Some(Self {
                item: named_output(&opaque.bounds, "Stream", "Item")?,
                boxed: None,
                is_async,
            });
        }
        Some(Self {
            item: boxed(ty, ["BoxStream", "LocalBoxStream"], "Stream", "Item")?,
            boxed: Some(ty.to_token_stream()),
            is_async,
        })
    }

    /// What the `async` block arrives at.
    pub(crate) fn awaited(&self) -> Output {
        Output::Type(self.boxed.clone())
    }
}
