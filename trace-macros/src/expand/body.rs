//! The body, and how the arguments get there.

use super::end::Run;
use super::{Expansion, first_span, here, output_type};
use crate::function::{Output, Shape, unwrap_type};
use crate::parameter::{Entry, Parameter, is_variable};
use crate::plan::Argument;
use crate::tokens::{located_at, regroup};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Type};

/// A value on its way into the body.
struct Passed {
    /// What holds it outside.
    source: TokenStream,
    /// What takes it inside.
    pattern: TokenStream,
    kind: Kind,
    /// Whether something before the body looks at it, and so hides from the compiler that the body
    /// does not.
    is_seen: bool,
    /// Whether that points to it.
    is_pointed_to: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Variable,
    /// The pattern is a variable whose name says that it is not used.
    Unused,
    /// A variable that is `mut`.
    Mutable,
    /// The pattern takes the value apart.
    Apart,
}

impl Passed {
    /// `let PATTERN = SOURCE;`
    fn binding(&self) -> TokenStream {
        let Self {
            source, pattern, ..
        } = self;
        match self.kind {
            // Clippy asks what `let _x = y` is for.
            Kind::Unused => quote_spanned!(here()=> let (#pattern,) = (#source,);),
            _ => quote_spanned!(here()=> let #pattern = #source;),
        }
    }
}

impl Expansion<'_> {
    /// Everything, given the block that starts the span.
    pub(super) fn body(&self, head: Group) -> TokenStream {
        let p = &self.private;
        let parameters = &self.function.parameters;
        let is_taken_apart = |one: &Parameter| matches!(one.entry, Entry::Whole { .. });
        let is_lean = !parameters.iter().any(is_taken_apart);
        match &self.function.shape {
            Shape::Async(output) if is_lean => self.ended(&Run::FUTURE, output, |function| {
                self.lean_async_ret(function, &head, output)
            }),
            // let __span = HEAD; let a = a; let (mut b, _) = __b;
            // p::returns::<RET>().__how().__future(__span, async move { .. }).await
            Shape::Async(output) => {
                let lets = self.async_lets();
                let rest = self.ended(&Run::FUTURE, output, |function| {
                    let block = self.async_block(output);
                    quote_spanned!(here()=> #function(__span, #block))
                });
                quote_spanned!(here()=> let __span = #head; #lets #rest)
            }
            Shape::Stream(stream) if stream.is_async => {
                let in_span = quote_spanned!(here()=> #p::in_span);
                let output = stream.awaited();
                let rest = self.stream(stream);
                let (lets, ret) = if is_lean {
                    let ret = self.lean_async_ret(&in_span, &head, &output);
                    (TokenStream::new(), ret)
                } else {
                    let lets = self.async_lets();
                    let block = self.async_block(&output);
                    let lets = quote_spanned!(here()=> let __span = #head; #lets);
                    (lets, quote_spanned!(here()=> #in_span(__span, #block)))
                };
                quote_spanned!(here()=> #lets let (__ret, __span) = #ret.await; #rest)
            }
            // p::returns::<RET>().__how()
            //     .__call(HEAD, (a, b,), move |(a, mut b,)| -> RET { BODY })
            Shape::Sync(output) => {
                let ret = self.repeated(closure_output(output));
                if matches!(output, Output::Never) {
                    let call_only = quote_spanned!(here()=> #p::call_only);
                    // Whatever came after would be unreachable, and linted.
                    let call = self.call(&call_only, &head, &ret);
                    return quote_spanned!(here()=> #call;);
                }
                self.ended(&Run::CALL, output, |function| {
                    self.call(function, &head, &ret)
                })
            }
            _ => {
                let rest = self.rest();
                quote_spanned!(here()=> let mut __span = #p::enter(#head); #rest)
            }
        }
    }

    /// `FUNCTION(HEAD, { let a = a; async move { BODY } })`, or, if the head points to `b`,
    /// ```text
    /// {
    ///     let b = b;
    ///     let __span = HEAD;
    ///     let a = a; let b = b;
    ///     FUNCTION(__span, async move { BODY })
    /// }
    /// ```
    /// The future has room for every variable that anything ever pointed to, until its block ends:
    /// the head points to these short-lived ones, not to those of the function. The body has its own,
    /// so that the compiler sees which it leaves unused.
    fn lean_async_ret(&self, function: &TokenStream, head: &Group, output: &Output) -> TokenStream {
        let pointed_to = self.passed().filter(|passed| passed.is_pointed_to);
        let moved =
            pointed_to.map(|Passed { source, .. }| quote_spanned!(here()=> let #source = #source;));
        let moved: TokenStream = moved.collect();
        let lets = self.async_lets();
        let block = self.async_block(output);
        match (moved.is_empty(), lets.is_empty()) {
            (true, true) => quote_spanned!(here()=> #function(#head, #block)),
            (true, false) => quote_spanned!(here()=> #function(#head, { #lets #block })),
            _ => quote_spanned! {here()=>
                {
                    #moved
                    let __span = #head;
                    #lets
                    #function(__span, #block)
                }
            },
        }
    }

    /// `async move { if false { return p::fake::<RET>() } BODY }`
    fn async_block(&self, output: &Output) -> TokenStream {
        let body = self.async_body(output);
        let block = self.braces(body);
        quote_spanned!(here()=> async move #block)
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
        if may_be_future(&self.function.signature.output) {
            return quote_spanned!(here()=> #hint return if false { #p::fake() } else #body;);
        }
        let content = body.stream();
        quote!(#hint #content)
    }

    /// Everything after the head, for shapes whose span goes on with what they return.
    fn rest(&self) -> TokenStream {
        let p = &self.private;
        match &self.function.shape {
            // let __future = p::call_future::<O, _, _>(&mut __span, (a,), move |(a,)| { BODY });
            // async move { .. }
            Shape::Future(output) => {
                let call = self.call_for("call_future", output);
                let future = located_at(self.future(output), at(output));
                quote_spanned!(here()=> let __future = #call; #future)
            }
            // let __future = p::call_unfinished(&mut __span, (a,), move |(a,)| -> RET { BODY });
            // Box::pin(async move { .. })
            Shape::BoxedFuture(output, ty) => {
                let call = self.call_boxed(ty);
                let future = self.future(output);
                quote_spanned! {here()=>
                    let __future = #call;
                    ::std::boxed::Box::pin(#future)
                }
            }
            // let __ret = p::call_stream::<ITEM, _, _>(..);
            // p::stream_in_span(__span, __ret)
            Shape::Stream(stream) => {
                let call = match &stream.boxed {
                    Some(ty) => self.call_boxed(ty),
                    None => self.call_for("call_stream", &stream.item),
                };
                let stream = self.stream(stream);
                quote_spanned!(here()=> let __ret = #call; #stream)
            }
            // let a = a; let mut b = b;
            // let __entered = p::attach(&mut __span);
            // BODY
            _ => {
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

    /// `FUNCTION(SPAN, (a, b,), move |(a, mut b,)| -> RET { BODY })`
    ///
    /// What a closure captures, it drops in the order that it mentions it, and clippy has less to say
    /// about it.
    fn call(&self, function: &TokenStream, span: &impl ToTokens, ret: &TokenStream) -> TokenStream {
        let mut lets = TokenStream::new();
        let mut sources = Vec::new();
        let mut patterns = Vec::new();
        let mut is_simple = true;
        for passed in self.passed() {
            // What a pattern leaves behind is dropped after its variables and before the arguments
            // to its left: from here on, each has a variable of its own to be taken from.
            is_simple &= passed.kind != Kind::Apart;
            if is_simple {
                patterns.push(passed.pattern);
            } else {
                lets.extend(passed.binding());
                patterns.push(passed.source.clone());
            }
            sources.push(passed.source);
        }
        let body = self.closure_body(lets);
        quote_spanned! {here()=>
            #function(#span, (#(#sources,)*), move |(#(#patterns,)*)| #ret #body)
        }
    }

    /// `p::NAME::<OUTPUT, _, _>(..)`, of a body that returns something of this output.
    fn call_for(&self, name: &str, output: &Output) -> TokenStream {
        let at = at(output);
        let output = output_type(output).unwrap_or_else(|| quote_spanned!(here()=> _));
        let name = Ident::new(name, here());
        let p = &self.private;
        let function = quote_spanned!(here()=> #p::#name::<#output, _, _>);
        located_at(self.call(&function, &entered(), &TokenStream::new()), at)
    }

    /// `p::call_unfinished(..)`, of a body that returns the boxed type as written.
    fn call_boxed(&self, ty: &TokenStream) -> TokenStream {
        let p = &self.private;
        let function = quote_spanned!(here()=> #p::call_unfinished);
        let ty = self.repeated(ty.clone());
        self.call(&function, &entered(), &quote_spanned!(here()=> -> #ty))
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

    /// What an `async` block needs: it captures by itself what nobody has looked at.
    fn async_lets(&self) -> TokenStream {
        let is_needed = |passed: &Passed| passed.is_seen || passed.kind != Kind::Variable;
        let passed = self.passed().filter(is_needed);
        let lets = passed.map(|passed| passed.binding());
        lets.chain([self.uses()]).collect()
    }

    /// `let a = a; let mut b = b;`: to where the compiler sees which of them the body leaves unused.
    fn lets(&self) -> TokenStream {
        let lets = self.passed().map(|passed| passed.binding());
        lets.chain([self.uses()]).collect()
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
                    let arguments = self.plan.arguments.iter();
                    let mut recorded = arguments.filter(|one| one.source == *ident && !one.redact);
                    let recorded = recorded.next();
                    let is_mentioned = self.is_mentioned(ident);
                    let is_copied = |one: &Argument| one.scalar.is_some();
                    Passed {
                        source: ident.to_token_stream(),
                        pattern: quote!(#mode #ident),
                        kind: match mode.is_empty() {
                            true => Kind::Variable,
                            false => Kind::Mutable,
                        },
                        is_seen: is_mentioned || recorded.is_some(),
                        is_pointed_to: is_mentioned || !recorded.is_none_or(is_copied),
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
                kind: match is_variable(pattern) || matches!(**pattern, syn::Pat::Wild(_)) {
                    true => Kind::Unused,
                    false => Kind::Apart,
                },
                is_seen: true,
                is_pointed_to: true,
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

    /// The future that finishes `__future` inside the span.
    fn future(&self, output: &Output) -> TokenStream {
        let rest = self.ended(
            &Run::RESUME,
            output,
            |function| quote_spanned!(here()=> #function(__span, __future)),
        );
        quote_spanned!(here()=> async move { #rest })
    }

    /// Braces are the user's: their edition says when temporaries at the end are dropped.
    fn braces(&self, content: TokenStream) -> Group {
        regroup(&self.function.body, Delimiter::Brace, content)
    }
}

/// The span, where it does not end with the body.
fn entered() -> TokenStream {
    quote_spanned!(here()=> &mut __span)
}

/// Whether a value of this type might be a future.
fn may_be_future(ty: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = ty else {
        return false;
    };
    let Type::Path(path) = unwrap_type(ty) else {
        return false;
    };
    let Some(word) = path.path.segments.last() else {
        return false;
    };
    let word = word.ident.to_string();
    let never = ["Option", "String", "Vec", "bool", "char"];
    let number = word.trim_start_matches(['u', 'i', 'f']);
    !word.ends_with("Result") && !never.contains(&word.as_str()) && number.parse::<u8>().is_err()
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
