//! The body, and how the arguments get there.

use super::{Expansion, first_span, here};
use crate::function::{Output, Shape};
use crate::parameter::{Entry, Parameter, is_variable};
use crate::tokens::{located_at, regroup, repeated};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Visibility;

/// A value on its way into the body.
struct Passed {
    /// What holds it outside.
    source: TokenStream,
    /// What takes it inside.
    pattern: TokenStream,
    /// Whether the pattern is a variable.
    is_simple: bool,
}

impl Expansion<'_> {
    /// Everything, given the block that starts the span.
    pub(super) fn body(&self, head: TokenStream) -> TokenStream {
        let parameters = &self.function.parameters;
        let is_taken_apart = |one: &Parameter| matches!(one.entry, Entry::Whole { .. });
        let is_lean = !parameters.iter().any(is_taken_apart);
        match &self.function.shape {
            Shape::Async(output) if is_lean => {
                let ret = self.lean_async_ret(&head, output);
                let end = self.end();
                quote_spanned!(here()=> #ret #end __ret)
            }
            Shape::Stream(stream) if is_lean && stream.is_async => {
                let ret = self.lean_async_ret(&head, &stream.awaited());
                let stream = self.stream(stream);
                quote_spanned!(here()=> #ret #stream)
            }
            _ => {
                let rest = self.rest();
                quote_spanned!(here()=> let mut __span = #head; #rest)
            }
        }
    }

    /// ```text
    /// let mut __span;
    /// let __ret = {
    ///     let a = a; let b = b;
    ///     __span = HEAD;
    ///     let a = a; let mut b = b;
    ///     p::in_span(&mut __span, async move {
    ///         if false { return p::fake::<RET>() }
    ///         BODY
    ///     })
    /// }.await;
    /// ```
    /// The future has room for every variable that anything ever pointed to, until its block ends:
    /// the head points to these short-lived ones, not to those of the function. The body has its own,
    /// so that the compiler sees which it leaves unused.
    fn lean_async_ret(&self, head: &TokenStream, output: &Output) -> TokenStream {
        let passed = self.passed();
        let moved =
            passed.map(|Passed { source, .. }| quote_spanned!(here()=> let #source = #source;));
        let moved: TokenStream = moved.collect();
        let lets = self.lets();
        let future = self.in_span(output);
        quote_spanned! {here()=>
            let mut __span;
            let __ret = {
                #moved
                __span = #head;
                #lets
                #future
            }.await;
        }
    }

    /// `p::in_span(&mut __span, async move { BODY })`
    fn in_span(&self, output: &Output) -> TokenStream {
        let p = &self.private;
        let body = self.async_body(output);
        let block = self.braces(body);
        quote_spanned!(here()=> #p::in_span(&mut __span, async move #block))
    }

    /// `if false { return p::fake::<RET>() } BODY`
    ///
    /// `return if false { p::fake() } else BODY;` where the body may end in a future: clippy takes a
    /// future at the end of an `async` block for a forgotten `.await`. A body that never ends would
    /// make a mere `return` unreachable.
    fn async_body(&self, output: &Output) -> TokenStream {
        let p = &self.private;
        let hint = self.hint(output);
        let body = &self.function.body;
        if may_be_future(output) {
            return quote_spanned!(here()=> #hint return if false { #p::fake() } else #body;);
        }
        let content = body.stream();
        quote!(#hint #content)
    }

    /// Everything after the head.
    fn rest(&self) -> TokenStream {
        let p = &self.private;
        match &self.function.shape {
            // let __ret = p::call(&mut __span, (a, b,), move |(a, mut b,)| -> RET { BODY });
            // p::outcome(&__ret).__error().__record(&mut __span);
            // __ret
            Shape::Sync(output) => {
                let ret = self.repeated(closure_output(output));
                let call = self.call(&quote_spanned!(here()=> call), &ret);
                if matches!(output, Output::Never) {
                    // Whatever came after would be unreachable, and linted.
                    return quote_spanned!(here()=> #call;);
                }
                let end = self.end();
                quote_spanned!(here()=> let __ret = #call; #end __ret)
            }
            // let a = a; let (mut b, _) = __b;
            // let __ret = p::in_span(&mut __span, async move { .. }).await;
            // p::outcome(&__ret).__error().__record(&mut __span);
            // __ret
            Shape::Async(output) => {
                let lets = self.lets();
                let future = self.in_span(output);
                let end = self.end();
                quote_spanned! {here()=>
                    #lets
                    let __ret = #future.await;
                    #end
                    __ret
                }
            }
            // let __future = p::call_future::<O, _, _>(&mut __span, (a,), move |(a,)| { BODY });
            // async move { .. }
            Shape::Future(output) => {
                let call = self.call_for("call_future", output);
                let future = located_at(self.future(), at(output));
                quote_spanned!(here()=> let __future = #call; #future)
            }
            // let __future = p::call_unfinished(&mut __span, (a,), move |(a,)| -> RET { BODY });
            // Box::pin(async move { .. })
            Shape::BoxedFuture(_, ty) => {
                let name = quote_spanned!(here()=> call_unfinished);
                let ty = self.repeated(ty.clone());
                let call = self.call(&name, &quote_spanned!(here()=> -> #ty));
                let future = self.future();
                quote_spanned! {here()=>
                    let __future = #call;
                    ::std::boxed::Box::pin(#future)
                }
            }
            // let __ret = p::call_stream::<ITEM, _, _>(..), or let __ret = p::in_span(..).await;
            // p::stream_in_span(__span, __ret)
            Shape::Stream(stream) => {
                let ret = match &stream.boxed {
                    _ if stream.is_async => {
                        let lets = self.lets();
                        let future = self.in_span(&stream.awaited());
                        quote_spanned!(here()=> #lets let __ret = #future.await;)
                    }
                    Some(ty) => {
                        let name = quote_spanned!(here()=> call_unfinished);
                        let call = self.call(&name, &quote_spanned!(here()=> -> #ty));
                        quote_spanned!(here()=> let __ret = #call;)
                    }
                    None => {
                        let call = self.call_for("call_stream", &stream.item);
                        quote_spanned!(here()=> let __ret = #call;)
                    }
                };
                let stream = self.stream(stream);
                quote_spanned!(here()=> #ret #stream)
            }
            // let a = a; let mut b = b;
            // let __entered = p::attach(&mut __span);
            // BODY
            Shape::Opaque => {
                let lets = self.lets();
                let mut bindings = self
                    .function
                    .parameters
                    .iter()
                    .flat_map(|one| &one.bindings);
                let body = match bindings.any(|binding| !binding.mode.is_empty()) {
                    // Clippy would like to see `let mut a = a; if b { a = c }` in one.
                    true => self.function.body.to_token_stream(),
                    false => self.function.body.stream(),
                };
                quote_spanned! {here()=>
                    let __entered = #p::attach(&mut __span);
                    #lets
                    #body
                }
            }
        }
    }

    /// `p::NAME(&mut __span, (a, b,), move |(a, mut b,)| -> RET { BODY })`
    fn call(&self, name: &TokenStream, ret: &TokenStream) -> TokenStream {
        let p = &self.private;
        let mut lets = TokenStream::new();
        let mut sources = Vec::new();
        let mut patterns = Vec::new();
        let mut is_simple = true;
        for passed in self.passed() {
            let Passed {
                source, pattern, ..
            } = passed;
            // What a pattern leaves behind is dropped after its variables and before the arguments
            // to its left: from here on, each has a variable of its own to be taken from.
            is_simple &= passed.is_simple;
            if is_simple {
                patterns.push(pattern);
            } else {
                lets.extend(match passed.is_simple {
                    // Clippy asks what `let _x = y` is for.
                    true => quote_spanned!(here()=> let (#pattern,) = (#source,);),
                    false => quote_spanned!(here()=> let #pattern = #source;),
                });
                patterns.push(source.clone());
            }
            sources.push(source);
        }
        let body = self.closure_body(lets);
        quote_spanned! {here()=>
            #p::#name(&mut __span, (#(#sources,)*), move |(#(#patterns,)*)| #ret #body)
        }
    }

    /// `p::NAME::<OUTPUT, _, _>(..)`, of a body that returns something of this output.
    fn call_for(&self, name: &str, output: &Output) -> TokenStream {
        let at = at(output);
        let output = output_type(output).unwrap_or_else(|| quote_spanned!(here()=> _));
        let name = Ident::new(name, here());
        let name = quote_spanned!(here()=> #name::<#output, _, _>);
        located_at(self.call(&name, &TokenStream::new()), at)
    }

    /// The body as written, if possible the very token.
    fn closure_body(&self, mut prelude: TokenStream) -> Group {
        let body = &self.function.body;
        prelude.extend(self.uses());
        if let Some(this) = self.function.receiver.as_ref().filter(|this| this.is_owned) {
            // A closure would capture only those fields that it uses, and the others would
            // outlive the call.
            let this = Ident::new("self", this.span);
            prelude.extend(quote_spanned!(here()=> let _ = &#this;));
        }
        if prelude.is_empty() {
            return body.clone();
        }
        let content = body.stream();
        self.braces(quote!(#prelude #content))
    }

    /// `let a = a; let mut b = b;`: to where the compiler sees which of them the body leaves unused.
    fn lets(&self) -> TokenStream {
        let lets = self.passed().map(|passed| {
            let Passed {
                source, pattern, ..
            } = passed;
            quote_spanned!(here()=> let #pattern = #source;)
        });
        let mut lets: TokenStream = lets.collect();
        lets.extend(self.uses());
        lets
    }

    /// An argument that one of the options mentions is not unused.
    fn uses(&self) -> TokenStream {
        let parameters = self.function.parameters.iter();
        let passed = parameters.filter(|one| !matches!(one.entry, Entry::Captured));
        let idents = passed.flat_map(|one| &one.bindings).map(|one| &one.ident);
        let used = idents.filter(|ident| self.is_mentioned(ident));
        used.map(|ident| quote_spanned!(here()=> let _ = &#ident;))
            .collect()
    }

    fn passed(&self) -> impl Iterator<Item = Passed> {
        let parameters = self.function.parameters.iter();
        parameters.flat_map(|parameter| match &parameter.entry {
            Entry::Captured => Vec::new(),
            Entry::Variables => {
                let bindings = parameter.bindings.iter();
                let passed = bindings.map(|binding| {
                    let (ident, mode) = (&binding.ident, &binding.mode);
                    Passed {
                        source: ident.to_token_stream(),
                        pattern: quote!(#mode #ident),
                        is_simple: true,
                    }
                });
                passed.collect()
            }
            Entry::Whole { variable, pattern } => vec![Passed {
                source: variable.to_token_stream(),
                // `_` would leave the value where it is.
                pattern: match **pattern {
                    syn::Pat::Wild(_) => variable.to_token_stream(),
                    _ => pattern.to_token_stream(),
                },
                is_simple: is_variable(pattern) || matches!(**pattern, syn::Pat::Wild(_)),
            }],
        })
    }

    /// Tells inference what an `async` block returns, where the user wrote it.
    fn hint(&self, output: &Output) -> Option<TokenStream> {
        let ty = match output {
            Output::Never => return None,
            Output::Unit => quote_spanned!(here()=> ()),
            Output::Type(ty) => self.repeated(ty.clone()?),
        };
        let at = first_span(&ty).resolved_at(here());
        let p = located_at(self.private.to_token_stream(), at);
        Some(quote_spanned!(at=> if false { return #p::fake::<#ty>() }))
    }

    /// A type of the signature, for the body. Where the trait decides what the signature looks like,
    /// clippy must not ask for `Self` in the copy; elsewhere errors are better off with the original.
    fn repeated(&self, ty: TokenStream) -> TokenStream {
        let is_private = matches!(self.function.visibility, Visibility::Inherited);
        match is_private && self.function.receiver.is_some() {
            true => repeated(ty),
            false => ty,
        }
    }

    /// The future that finishes `__future` inside the span.
    fn future(&self) -> TokenStream {
        let p = &self.private;
        let end = self.end();
        quote_spanned! {here()=>
            async move {
                let mut __span = __span;
                let __ret = #p::in_span(&mut __span, __future).await;
                #end
                __ret
            }
        }
    }

    /// Braces are the user's: their edition says when temporaries at the end are dropped.
    fn braces(&self, content: TokenStream) -> Group {
        regroup(&self.function.body, Delimiter::Brace, content)
    }
}

/// Whether a value of this type might be a future.
fn may_be_future(output: &Output) -> bool {
    let Output::Type(Some(ty)) = output else {
        return false;
    };
    let last_word = |ty: TokenStream| {
        let ty = syn::parse2::<syn::TypePath>(ty).ok()?;
        Some(ty.path.segments.last()?.ident.to_string())
    };
    let never = ["Option", "String", "Vec", "bool", "char"];
    let is_number = |word: &str| {
        word.trim_start_matches(['u', 'i', 'f'])
            .parse::<u8>()
            .is_ok()
    };
    last_word(ty.clone()).is_some_and(|word| {
        !word.ends_with("Result") && !never.contains(&word.as_str()) && !is_number(&word)
    })
}

/// `-> RET`, for a closure.
fn closure_output(output: &Output) -> TokenStream {
    match output_type(output) {
        Some(ty) => quote_spanned!(here()=> -> #ty),
        None => TokenStream::new(),
    }
}

/// Where to report a future or stream of another output: at the return type.
fn at(output: &Output) -> Span {
    let output = output_type(output).unwrap_or_else(|| quote_spanned!(here()=> _));
    first_span(&output).resolved_at(here())
}

fn output_type(output: &Output) -> Option<TokenStream> {
    match output {
        Output::Unit => Some(quote_spanned!(here()=> ())),
        Output::Never => Some(quote_spanned!(here()=> !)),
        Output::Type(ty) => ty.clone(),
    }
}
