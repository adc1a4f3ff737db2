//! A function and what to record, to the same function inside a span. Nothing can go wrong here.
//!
//! # What generated code expects of the runtime
//! `p` is `::trace_runtime::__private`.
//! ```text
//! // #[traced] fn f(a: u64, mut b: String, _p: Permit) -> Result<u64, E> { BODY }
//! fn f(a: u64, b: String, _p: Permit) -> Result<u64, E> {
//!     let mut __span = {
//!         static __CALLSITE: p::Callsite = p::Callsite::new(&|| {}, "package", "0.1.0").keys(&["a", "b"]);
//!         let mut __span = p::Callsite::start(&__CALLSITE);
//!         p::Arg(&a).__record(&mut __span, 0);
//!         p::Arg(&b).__record(&mut __span, 1);
//!         p::enter(__span)
//!     };
//!     let __ret = p::call(&mut __span, (a, b, _p,), move |(a, mut b, _p,)| -> Result<u64, E> { BODY });
//!     p::outcome(&__ret).__error().__record(&mut __span);
//!     __ret
//! }
//! ```
//! - `Callsite::new` is a `#[track_caller] const fn`; its tokens are where the function's name is.
//!   `.keys(&'static [&'static str])`, `.name(&'static str)`, `.kind(p::Kind::X)`,
//!   `.level(p::Level::X)` and `.shown(u64)` are `const fn` as well and left out when they say
//!   nothing. Bit i of `shown`: key i is recorded even if it sounds like a secret.
//! - `start`, or when the parent or the name is dynamic
//!   `if p::Callsite::is_enabled(&__CALLSITE) { S } else { p::off() }`, where `S` is
//!   `start_with(&__CALLSITE, PARENT)` or `start_named(&__CALLSITE, PARENT, || -> Cow)`, and
//!   `PARENT` is `p::root()`, `p::parent(&(EXPR))` or `p::current()`.
//! - On the started span: `Arg(&a).__record(&mut __span, key)`, `redacted(&mut __span, key)`, and
//!   under `if p::enabled(&__span)`: `links(&mut __span, EXPR)`,
//!   `record`, `record_debug`, `record_display(&mut __span, key, &(EXPR))`.
//! - On the entered span, after the body: `outcome(&__ret).__error().__record(&mut __span)` or
//!   `__record_debug`, `__record_display(&mut __span)`, and under `if p::enabled_late(&__span)`:
//!   `outcome(&__ret).__error().__record_if(&__ret, EXPR, &mut __span)`;
//!   `if let Some(err) = p::failed(&__ret)` around `error_type(&__span, EXPR)` and around `late`,
//!   `late_debug`, `late_display(&__span, key, &(EXPR))`; `if let Some(ret) =
//!   p::outcome(&__ret).__ok()` around the same and `whole(ret).__record(&__span, key)`: the whole
//!   value through `ToValue`, else `Debug`.
//!
//! The other shapes have the same head and the same end; see `body`.

use crate::args::{Args, Format, Given, Name, Parent};
use crate::attribute::Form;
use crate::function::{Binding, Function, Output, Parameter, Shape};
use crate::plan::{Plan, Value};
use crate::tokens::{find_word, located_at, mentions, regroup};
use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

/// Which package the function is compiled in: its spans' instrumentation scope.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Where locals and paths of ours are resolved: out of reach of the user's names.
fn here() -> Span {
    Span::mixed_site()
}

/// The function inside a span.
pub(crate) fn expand(
    args: &Args,
    function: &Function,
    plan: &Plan,
    package: &Package,
) -> TokenStream {
    let expansion = Expansion {
        args,
        function,
        plan,
        private: private(args),
    };
    let head = expansion.head(package);
    let body = expansion.body();
    let block = quote_spanned!(here()=> let mut __span = #head; #body);
    let block = regroup(&function.body, Delimiter::Brace, block);
    let Function {
        attributes,
        visibility,
        signature,
        ..
    } = function;
    quote!(#(#attributes)* #visibility #signature #block)
}

/// `::trace_runtime::__private`
fn private(args: &Args) -> TokenStream {
    match &args.path {
        Some(Given { value: path, .. }) => quote_spanned!(here()=> #path::__private),
        None => quote_spanned!(here()=> ::trace_runtime::__private),
    }
}

struct Expansion<'a> {
    args: &'a Args,
    function: &'a Function,
    plan: &'a Plan,
    private: TokenStream,
}

impl Expansion<'_> {
    /// The block that starts the span, records what is known before the body, and enters it.
    fn head(&self, package: &Package) -> TokenStream {
        let p = &self.private;
        let callsite = self.callsite(package);
        let start = self.start();
        let records = self.records();
        if records.is_empty() {
            return quote_spanned! {here()=> {
                static __CALLSITE: #p::Callsite = #callsite;
                #p::enter(#start)
            }};
        }
        quote_spanned! {here()=> {
            static __CALLSITE: #p::Callsite = #callsite;
            let mut __span = #start;
            #records
            #p::enter(__span)
        }}
    }

    /// What is constant. The call is placed at the function's name for `Location::caller()`.
    fn callsite(&self, package: &Package) -> TokenStream {
        let span = self.function.ident().span();
        let p = located_at(self.private.clone(), span);
        let p = match &self.args.path {
            Some(_) => p,
            None => quote_spanned!(span=> ::trace_runtime::__private),
        };
        let Package { name, version } = package;
        let mut callsite = quote_spanned!(span=> #p::Callsite::new(&|| {}, #name, #version));
        let p = &self.private;
        if !self.plan.keys.is_empty() {
            let keys = &self.plan.keys;
            callsite.extend(quote_spanned!(here()=> .keys(&[#(#keys),*])));
        }
        if self.plan.shown != 0 {
            let shown = Literal::u64_unsuffixed(self.plan.shown);
            callsite.extend(quote_spanned!(here()=> .shown(#shown)));
        }
        if let Some(Name::Literal(name)) = self.args.name.as_ref().map(|given| &given.value) {
            callsite.extend(quote_spanned!(here()=> .name(#name)));
        }
        if let Some(Given { value, .. }) = self.args.kind {
            let kind = Ident::new(value, here());
            callsite.extend(quote_spanned!(here()=> .kind(#p::Kind::#kind)));
        }
        if let Some(Given { value, .. }) = self.args.level {
            let level = Ident::new(value, here());
            callsite.extend(quote_spanned!(here()=> .level(#p::Level::#level)));
        }
        callsite
    }

    fn start(&self) -> TokenStream {
        let p = &self.private;
        let parent = match self.args.parent.as_ref().map(|given| &given.value) {
            Some(Parent::Root) => Some(quote_spanned!(here()=> #p::root())),
            Some(Parent::Given(expr)) => {
                let expr = borrowed(expr);
                Some(quote_spanned!(here()=> #p::parent(#expr)))
            }
            None => None,
        };
        let name = match self.args.name.as_ref().map(|given| &given.value) {
            Some(Name::Dynamic(expr)) => Some(expr),
            _ => None,
        };
        let start = match (parent, name) {
            (None, None) => return quote_spanned!(here()=> #p::Callsite::start(&__CALLSITE)),
            (Some(parent), None) => {
                quote_spanned!(here()=> #p::Callsite::start_with(&__CALLSITE, #parent))
            }
            (parent, Some(name)) => {
                let parent = parent.unwrap_or_else(|| quote_spanned!(here()=> #p::current()));
                quote_spanned! {here()=>
                    #p::Callsite::start_named(&__CALLSITE, #parent, || ::core::convert::Into::into(#name))
                }
            }
        };
        quote_spanned! {here()=>
            if #p::Callsite::is_enabled(&__CALLSITE) { #start } else { #p::off() }
        }
    }

    /// Arguments, then what takes the user's expressions.
    fn records(&self) -> TokenStream {
        let p = &self.private;
        let mut records = TokenStream::new();
        for argument in &self.plan.arguments {
            let key = Literal::usize_unsuffixed(argument.key);
            let (ident, cfg) = (&argument.ident, &argument.cfg);
            records.extend(match argument.redact {
                true => quote_spanned!(here()=> #cfg #p::redacted(&mut __span, #key);),
                false => {
                    quote_spanned!(here()=> #cfg #p::Arg(&#ident).__record(&mut __span, #key);)
                }
            });
        }
        let mut guarded = TokenStream::new();
        for value in &self.plan.fields {
            let names = ["record", "record_debug", "record_display"];
            guarded.extend(self.record(value, names, &quote_spanned!(here()=> &mut __span)));
        }
        if let Some(Given { value: links, .. }) = &self.args.links {
            guarded.extend(quote_spanned!(here()=> #p::links(&mut __span, #links);));
        }
        if !guarded.is_empty() {
            records.extend(quote_spanned!(here()=> if #p::enabled(&__span) { #guarded }));
        }
        records
    }

    fn record(&self, value: &Value, names: [&str; 3], span: &TokenStream) -> TokenStream {
        let p = &self.private;
        let key = Literal::usize_unsuffixed(value.key);
        let name = match value.field.form {
            Form::Value => names[0],
            Form::Debug => names[1],
            Form::Display => names[2],
        };
        let name = Ident::new(name, here());
        let expr = borrowed(&value.field.value);
        quote_spanned!(here()=> #p::#name(#span, #key, #expr);)
    }

    /// Everything after the head.
    fn body(&self) -> TokenStream {
        let p = &self.private;
        match &self.function.shape {
            // let __ret = p::call(&mut __span, (a, b,), move |(a, mut b,)| -> RET { BODY });
            // p::outcome(&__ret).__error().__record(&mut __span);
            // __ret
            Shape::Sync(output) => {
                let ret = closure_output(output);
                let call = self.call(&quote_spanned!(here()=> call), &ret);
                if matches!(output, Output::Never) {
                    // Whatever came after would be unreachable, and linted.
                    return quote_spanned!(here()=> #call;);
                }
                let end = self.end();
                quote_spanned!(here()=> let __ret = #call; #end __ret)
            }
            // let a = a; let mut b = b;
            // let __ret = p::in_span(&mut __span, async move {
            //     if false { return p::fake::<RET>() }
            //     BODY
            // }).await;
            // p::outcome(&__ret).__error().__record(&mut __span);
            // __ret
            Shape::Async(output) => {
                let lets = self.lets();
                let hint = self.hint(output);
                let content = self.function.body.stream();
                let block = self.braces(quote!(#hint #content));
                let end = self.end();
                quote_spanned! {here()=>
                    #lets
                    let __ret = #p::in_span(&mut __span, async move #block).await;
                    #end
                    __ret
                }
            }
            // let __future = p::call_future::<O, _, _>(&mut __span, (a,), move |(a,)| { BODY });
            // async move { .. }
            Shape::Future(output) => {
                let output = output_type(output).unwrap_or_else(|| quote_spanned!(here()=> _));
                let name = quote_spanned!(here()=> call_future::<#output, _, _>);
                let call = self.call(&name, &TokenStream::new());
                let future = self.future();
                quote_spanned!(here()=> let __future = #call; #future)
            }
            // let __future = p::call_unfinished(&mut __span, (a,), move |(a,)| -> RET { BODY });
            // Box::pin(async move { .. })
            Shape::BoxedFuture(_, ty) => {
                let name = quote_spanned!(here()=> call_unfinished);
                let call = self.call(&name, &quote_spanned!(here()=> -> #ty));
                let future = self.future();
                quote_spanned! {here()=>
                    let __future = #call;
                    ::std::boxed::Box::pin(#future)
                }
            }
            // let a = a; let mut b = b;
            // let __entered = p::attach(&mut __span);
            // BODY
            Shape::Opaque => {
                let lets = self.lets();
                let content = self.function.body.stream();
                quote_spanned! {here()=>
                    let __entered = #p::attach(&mut __span);
                    #lets
                    #content
                }
            }
        }
    }

    /// `p::NAME(&mut __span, (a, b,), move |(a, mut b,)| -> RET { BODY })`
    fn call(&self, name: &TokenStream, ret: &TokenStream) -> TokenStream {
        let p = &self.private;
        let passed: Vec<_> = self.passed().collect();
        let idents = passed.iter().map(|binding| &binding.ident);
        let patterns = passed.iter().map(|binding| {
            let Binding { ident, mode, .. } = binding;
            quote!(#mode #ident)
        });
        let body = self.closure_body();
        quote_spanned! {here()=>
            #p::#name(&mut __span, (#(#idents,)*), move |(#(#patterns,)*)| #ret #body)
        }
    }

    /// The body as written, if possible the very token.
    fn closure_body(&self) -> Group {
        let body = &self.function.body;
        let mut uses = self.uses();
        if let Some(this) = self.function.receiver.as_ref().filter(|this| this.is_owned) {
            // A closure would capture only those fields that it uses, and the others would
            // outlive the call.
            let this = Ident::new("self", this.span);
            uses.extend(quote_spanned!(here()=> let _ = &#this;));
        }
        if uses.is_empty() {
            return body.clone();
        }
        let content = body.stream();
        self.braces(quote!(#uses #content))
    }

    /// Moves the parameters to where the compiler sees which of them the body leaves unused.
    fn lets(&self) -> TokenStream {
        let lets = self.passed().map(|binding| {
            let Binding { ident, mode, .. } = binding;
            quote_spanned!(here()=> let #mode #ident = #ident;)
        });
        let mut lets: TokenStream = lets.collect();
        lets.extend(self.uses());
        lets
    }

    /// An argument that one of the options mentions is not unused.
    fn uses(&self) -> TokenStream {
        let mut exprs: Vec<_> = self
            .plan
            .fields
            .iter()
            .map(|one| &one.field.value)
            .collect();
        if let Some(Name::Dynamic(name)) = self.args.name.as_ref().map(|given| &given.value) {
            exprs.push(name);
        }
        if let Some(Parent::Given(parent)) = self.args.parent.as_ref().map(|given| &given.value) {
            exprs.push(parent);
        }
        exprs.extend(self.args.links.as_ref().map(|given| &given.value));
        let used = self.passed().map(|binding| &binding.ident).filter(|ident| {
            let name = ident.to_string();
            exprs.iter().any(|expr| mentions(expr, &name))
        });
        used.map(|ident| quote_spanned!(here()=> let _ = &#ident;))
            .collect()
    }

    fn passed(&self) -> impl Iterator<Item = &Binding> {
        let parameters = self.function.parameters.iter();
        parameters
            .filter(|parameter| parameter.is_passed)
            .flat_map(|parameter: &Parameter| &parameter.bindings)
    }

    /// Tells inference what an `async` block returns, where the user wrote it.
    fn hint(&self, output: &Output) -> Option<TokenStream> {
        let ty = match output {
            Output::Never => return None,
            Output::Unit => quote_spanned!(here()=> ()),
            Output::Type(ty) => ty.clone()?,
        };
        let at = first_span(&ty).resolved_at(here());
        let p = located_at(self.private.clone(), at);
        Some(quote_spanned!(at=> if false { return #p::fake::<#ty>() }))
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

    /// What happens between the body's end and the span's.
    fn end(&self) -> TokenStream {
        let p = &self.private;
        let mut end = TokenStream::new();
        let mut late = TokenStream::new();
        if let Some(Given {
            value: is_failure, ..
        }) = &self.args.err_if
        {
            late.extend(quote_spanned!(here()=> #p::outcome(&__ret).__error().__record_if(&__ret, #is_failure, &mut __span);));
        } else if self.plan.has_outcome {
            let name = match self.plan.err_format {
                None | Some(Format::Auto) => "__record",
                Some(Format::Debug) => "__record_debug",
                Some(Format::Display) => "__record_display",
            };
            // An error without the format, or no error at all, is reported at `err(..)`.
            let at = self
                .args
                .err
                .as_ref()
                .map_or_else(here, |given| given.word.span().resolved_at(here()));
            let name = Ident::new(name, at);
            end.extend(quote_spanned!(here()=> #p::outcome(&__ret).__error().#name(&mut __span);));
        }
        late.extend(self.end_err());
        late.extend(self.end_ret());
        if !late.is_empty() {
            end.extend(quote_spanned!(here()=> if #p::enabled_late(&__span) { #late }));
        }
        end
    }

    fn end_err(&self) -> Option<TokenStream> {
        let p = &self.private;
        let error_type = self.args.err_type.as_ref().map(|given| &given.value);
        if error_type.is_none() && self.plan.err.is_empty() {
            return None;
        }
        let values = self.plan.err.iter().map(|value| &value.field.value);
        let err = variable("err", values.chain(error_type));
        let records = self.late(&self.plan.err);
        let error_type =
            error_type.map(|expr| quote_spanned!(here()=> #p::error_type(&__span, #expr);));
        let failed = match self.args.err.as_ref() {
            // The error that the returned value is no `Result` points at `err(..)`.
            Some(Given { word, .. }) => {
                let at = word.span().resolved_at(here());
                let p = located_at(p.clone(), at);
                quote_spanned!(at=> #p::failed(&__ret))
            }
            None => quote_spanned!(here()=> #p::failed(&__ret)),
        };
        Some(quote_spanned! {here()=>
            if let ::core::option::Option::Some(#err) = #failed { #error_type #records }
        })
    }

    fn end_ret(&self) -> Option<TokenStream> {
        let p = &self.private;
        if matches!(self.function.shape.output(), Some(Output::Never)) {
            return None;
        }
        if self.plan.returned.is_none() && self.plan.ret.is_empty() {
            return None;
        }
        let ret = variable("ret", self.plan.ret.iter().map(|value| &value.field.value));
        let whole = self.plan.returned.map(|(key, format)| {
            let key = Literal::usize_unsuffixed(key);
            match format {
                Format::Auto => quote_spanned!(here()=> #p::whole(#ret).__record(&__span, #key);),
                Format::Debug => quote_spanned!(here()=> #p::late_debug(&__span, #key, #ret);),
                Format::Display => quote_spanned!(here()=> #p::late_display(&__span, #key, #ret);),
            }
        });
        let records = self.late(&self.plan.ret);
        Some(quote_spanned! {here()=>
            if let ::core::option::Option::Some(#ret) = #p::outcome(&__ret).__ok() { #whole #records }
        })
    }

    fn late(&self, values: &[Value]) -> TokenStream {
        let names = ["late", "late_debug", "late_display"];
        let span = quote_spanned!(here()=> &__span);
        let records = values.iter().map(|value| self.record(value, names, &span));
        records.collect()
    }
}

/// `-> RET`, for a closure.
fn closure_output(output: &Output) -> TokenStream {
    match output_type(output) {
        Some(ty) => quote_spanned!(here()=> -> #ty),
        None => TokenStream::new(),
    }
}

fn output_type(output: &Output) -> Option<TokenStream> {
    match output {
        Output::Unit => Some(quote_spanned!(here()=> ())),
        Output::Never => Some(quote_spanned!(here()=> !)),
        Output::Type(ty) => ty.clone(),
    }
}

/// The variable that the user's expressions know as `ret` or `err`.
fn variable<'a>(name: &str, exprs: impl IntoIterator<Item = &'a TokenStream>) -> Ident {
    let mut exprs = exprs.into_iter();
    let written = exprs.find_map(|expr| find_word(expr, name));
    written.unwrap_or_else(|| Ident::new(name, Span::call_site()))
}

/// `&(EXPR)`, where the user wrote EXPR: a type that does not fit is reported there.
fn borrowed(expr: &TokenStream) -> TokenStream {
    let first = first_span(expr).resolved_at(here());
    let last = expr.clone().into_iter().last();
    let last = last.map_or(first, |token| token.span().resolved_at(here()));
    let mut group = Group::new(Delimiter::Parenthesis, expr.clone());
    group.set_span(last);
    let mut tokens = quote_spanned!(first=> &);
    TokenTree::Group(group).to_tokens(&mut tokens);
    tokens
}

fn first_span(tokens: &TokenStream) -> Span {
    let first = tokens.clone().into_iter().next();
    first.map_or_else(Span::call_site, |token| token.span())
}
