//! A function and what to record, to the same function inside a span. Nothing can go wrong here.
//!
//! # What generated code expects of the runtime
//! `p` is `::trace_runtime::__private`.
//! ```text
//! // #[traced] fn f(a: u64, mut b: String, _p: Permit) -> Result<u64, E> { BODY }
//! fn f(a: u64, b: String, _p: Permit) -> Result<u64, E> {
//!     p::returns::<Result<u64, E>>().__how().__call(
//!         {
//!             struct __Here;
//!             static __CALLSITE: p::LazyCallsite = p::LazyCallsite::NEW;
//!             let start = p::start::<__Here>(&__CALLSITE, "package 0.1.0 a b");  // in place
//!             p::Arg(&b).__record(start.__u64(0, a), 1)
//!         },
//!         (a, b, _p,),
//!         move |(a, mut b, _p,)| -> Result<u64, E> { BODY },
//!     )
//! }
//! ```
//! - `__Here` is there for its name, which tells the function's path.
//! - `start` is `#[track_caller]`; its tokens are where the function's name is. The text is the
//!   package, its version and the keys: one text costs the compiler a third of what a slice of texts
//!   does. With options of the call site, or keys that are constants, it is instead
//!   `static __CALLSITE: p::Callsite = p::Callsite::new::<__Here>("package", "0.1.0", &[..]);`
//! - `Callsite::new` is a `#[track_caller] const fn`; its tokens are where the function's name is.
//!   `.name(&'static str)`, `.kind(p::Kind::X)`, `.level(p::Level::X)` and `.shown(u64)` are
//!   `const fn` as well and left out when they say nothing. Bit i of `shown`: key i is recorded even
//!   if it sounds like a secret.
//! - `p::Callsite::start(&__CALLSITE)` goes with it, or when the parent or the name is dynamic
//!   `if p::Callsite::is_enabled(&__CALLSITE) { S } else { p::off() }`, where `S` is
//!   `start_with(&__CALLSITE, PARENT)` or `start_named(&__CALLSITE, PARENT, || -> Cow)`, and
//!   `PARENT` is `p::root()`, `p::parent(&(EXPR))` or `p::current()`.
//! - On the started span, which each hands on: `Arg(&a).__record(SPAN, key)`, `redacted(SPAN, key)`, and
//!   `SPAN.__u64(key, a)` and the like where the type is one of the language's own.
//!   Then, on a variable, under `if p::enabled(&__span)`: `links(&mut __span, EXPR)`,
//!   `record`, `record_debug`, `record_display(&mut __span, key, &(EXPR))`.
//! - `returns::<RET>()` stands for the type that the body returns, `__how` finds out how such a value
//!   speaks about a span. `__call` runs a closure inside the span, lets the value speak, ends the span and
//!   gives the value back; `__future` makes a future that does. Where nobody asks how it went,
//!   `call_only` and `in_span_only` do all that. So the compiler has one generic call to look at.
//! - With options about the result, or a type that has no name here, it is
//!   `let (__ret, mut __span) = p::call(..);` or `= p::in_span(..).await;`, then
//!   `outcome(&__ret).__error().__record(&mut __span)` or
//!   `__record_debug`, `__record_display(&mut __span)`, and under `if p::enabled_late(&__span)`:
//!   `outcome(&__ret).__error().__record_if(&__ret, EXPR, &mut __span)`;
//!   `if let Some(err) = p::failed(&__ret)` around `error_type(&__span, EXPR)` and around `late`,
//!   `late_debug`, `late_display(&__span, key, &(EXPR))`; `if let Some(ret) =
//!   p::outcome(&__ret).__ok()` around the same and `whole(ret).__record(&__span, key)`: the whole
//!   value through `ToValue`, else `Debug`.
//!
//! The other shapes have the same head and the same end; see `body`.

mod body;
mod end;
mod head;
mod stream;

use crate::args::{Args, Given, Name, Parent};
use crate::attribute::Form;
use crate::function::{Function, Output};
use crate::plan::{Plan, Value};
use crate::tokens::{mentions, regroup, repeated};
use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Visibility;

/// Which package the function is compiled in: its spans' instrumentation scope.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Where locals and paths of ours are resolved: out of reach of the user's names.
pub(crate) fn here() -> Span {
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
        private: Repeated::new(private(args)),
    };
    let head = expansion.head(package);
    let block = expansion.body(head);
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
    private: Repeated,
}

/// Tokens that are repeated often: one by one they are appended at a fraction of the cost of a stream.
#[derive(Clone)]
struct Repeated(Vec<TokenTree>);

impl Repeated {
    fn new(tokens: TokenStream) -> Self {
        Self(tokens.into_iter().collect())
    }
}

impl ToTokens for Repeated {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().cloned());
    }
}

impl Expansion<'_> {
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

    /// The expressions that are evaluated before the body.
    fn early_exprs(&self) -> impl Iterator<Item = &TokenStream> {
        let name = match self.args.name.as_ref().map(|given| &given.value) {
            Some(Name::Dynamic(name)) => Some(name),
            _ => None,
        };
        let parent = match self.args.parent.as_ref().map(|given| &given.value) {
            Some(Parent::Given(parent)) => Some(parent),
            _ => None,
        };
        let links = self.args.links.as_ref().map(|given| &given.value);
        let fields = self.plan.fields.iter().map(|value| &value.field.value);
        fields.chain(name).chain(parent).chain(links)
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

    /// Whether one of the options uses a variable.
    fn is_mentioned(&self, ident: &Ident) -> bool {
        let name = ident.to_string();
        self.early_exprs().any(|expr| mentions(expr, &name))
    }
}

/// The type that is written for this; `None` when all of it is `impl Trait`.
fn output_type(output: &Output) -> Option<TokenStream> {
    match output {
        Output::Unit => Some(quote_spanned!(here()=> ())),
        Output::Never => Some(quote_spanned!(here()=> !)),
        Output::Type(ty) => ty.clone(),
    }
}

/// `&(EXPR)`, where the user wrote EXPR: a type that does not fit is reported there.
pub(crate) fn borrowed(expr: &TokenStream) -> TokenStream {
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
