//! A function that returns a stream: its span goes on with the stream.

use super::{Expansion, here};
use crate::stream::Stream;
use proc_macro2::TokenStream;
use quote::quote_spanned;

impl Expansion<'_> {
    /// ```text
    /// let __ret = p::call_stream::<ITEM, _, _>(&mut __span, (a,), move |(a,)| { BODY });
    /// p::observed_in_span(__span, __ret, |__ret, mut __span| {
    ///     p::outcome(&__ret).__error().__record(&mut __span);
    ///     __ret
    /// })
    /// ```
    /// With `p::call_unfinished(&mut __span, (a,), move |(a,)| -> RET { BODY })` and in a box of its
    /// own, if the function's is; after the `.await` of an `async fn`.
    pub(super) fn stream(&self, stream: &Stream) -> TokenStream {
        let p = &self.private;
        let end = self.end();
        let traced = if end.is_empty() {
            quote_spanned!(here()=> #p::stream_in_span(__span, __ret))
        } else {
            quote_spanned! {here()=>
                #p::observed_in_span(__span, __ret, |__ret, mut __span| { #end __ret })
            }
        };
        match stream.boxed {
            Some(_) => quote_spanned!(here()=> ::std::boxed::Box::pin(#traced)),
            None => traced,
        }
    }
}
