//! What comes before the body: the call site, the span's start, what it records.

use super::{Expansion, Package, borrowed, here};
use crate::args::{Given, Name, Parent};
use crate::attribute::{Key, KeyText};
use crate::tokens::located_at;
use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

impl Expansion<'_> {
    /// The block that starts the span and records what is known before the body.
    pub(super) fn head(&self, package: &Package) -> Group {
        let p = &self.private;
        let (callsite, start) = match self.is_plain() {
            true => self.plain_callsite(package),
            false => {
                let callsite = self.callsite(package);
                let callsite = quote_spanned!(here()=> #p::Callsite = #callsite);
                (callsite, self.start())
            }
        };
        let views = self.views();
        let (records, span) = self.records(start);
        let content = quote_spanned! {here()=>
            struct __Here;
            static __CALLSITE: #callsite;
            #views
            #records
            #span
        };
        let mut head = Group::new(Delimiter::Brace, content);
        head.set_span(here());
        head
    }

    /// Whether the call site has no options, and constants that the compiler sees as such.
    fn is_plain(&self) -> bool {
        let has_options = self.args.name.is_some()
            || self.args.kind.is_some()
            || self.args.level.is_some()
            || self.plan.shown != 0;
        let mut keys = self.plan.keys.iter();
        !has_options && keys.all(|key| key.text().is_some()) && !self.starts_dynamically()
    }

    /// The call site and the start of its span, cheaper to compile. The call is placed at the
    /// function's name for `Location::caller()`.
    fn plain_callsite(&self, package: &Package) -> (TokenStream, TokenStream) {
        let p = &self.private;
        let (p_at_name, span) = self.private_at_name();
        let Package { name, version } = package;
        let mut facts = format!("{name} {version}");
        for key in self.plan.keys.iter().filter_map(Key::text) {
            facts.push(' ');
            facts.push_str(key);
        }
        let facts = quote_spanned!(here()=> &__CALLSITE, #facts);
        let here_type = quote_spanned!(here()=> __Here);
        (
            quote_spanned!(here()=> #p::LazyCallsite = #p::LazyCallsite::NEW),
            quote_spanned!(span=> #p_at_name::start::<#here_type>(#facts)),
        )
    }

    /// What leads to the runtime, said at the function's name.
    fn private_at_name(&self) -> (TokenStream, Span) {
        let span = self.function.ident().span();
        let p = match &self.args.path {
            Some(_) => located_at(self.private.to_token_stream(), span),
            None => quote_spanned!(span=> ::trace_runtime::__private),
        };
        (p, span)
    }

    /// What is constant. The call is placed at the function's name for `Location::caller()`.
    fn callsite(&self, package: &Package) -> TokenStream {
        let (p, span) = self.private_at_name();
        let Package { name, version } = package;
        let keys = self.plan.keys.iter().map(|key| match &key.text {
            KeyText::Literal(text) => text.to_token_stream(),
            KeyText::Const(expr) => expr.clone(),
        });
        let keys = quote_spanned!(here()=> &[#(#keys),*]);
        let here_type = quote_spanned!(here()=> __Here);
        let mut callsite =
            quote_spanned!(span=> #p::Callsite::new::<#here_type>(#name, #version, #keys));
        let p = &self.private;
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

    /// Whether the start takes the user's expressions.
    fn starts_dynamically(&self) -> bool {
        let name = self.args.name.as_ref().map(|given| &given.value);
        self.args.parent.is_some() || matches!(name, Some(Name::Dynamic(_)))
    }

    /// Variables inside patterns that wait for the body, for options to see.
    fn views(&self) -> TokenStream {
        let is_recorded = |ident: &Ident| {
            let mut arguments = self.plan.arguments.iter();
            arguments.any(|argument| !argument.redact && argument.source == *ident)
        };
        let parameters = self.function.parameters.iter();
        let views = parameters.filter_map(|parameter| {
            // What holds a variable as a whole is recorded as it is.
            let in_pattern = !parameter.is_variable();
            let wanted = |ident: &Ident| in_pattern && is_recorded(ident);
            parameter.view(|ident| wanted(ident) || self.is_mentioned(ident))
        });
        views.collect()
    }

    /// What records arguments, and then what takes the user's expressions: statements, and the span
    /// after them.
    ///
    /// Each argument's record hands the span to the next, `second.record(first.record(start))`: the
    /// compiler need not see to a variable that each call could panic over.
    fn records(&self, start: TokenStream) -> (TokenStream, TokenStream) {
        let p = &self.private;
        let variable = quote_spanned!(here()=> __span);
        let mut statements = TokenStream::new();
        let mut span = start;
        if self.starts_dynamically() {
            // The user's expressions may change arguments, so these must not be borrowed already.
            statements.extend(quote_spanned!(here()=> let __span = #span;));
            span = variable.clone();
        }
        for argument in &self.plan.arguments {
            let record = |span: &TokenStream| {
                let key = Literal::usize_unsuffixed(argument.key);
                let source = &argument.source;
                match (argument.redact, &argument.scalar) {
                    (true, _) => quote_spanned!(here()=> #p::redacted(#span, #key)),
                    // Looking for a method costs the compiler four times as much.
                    (_, Some(scalar)) => {
                        let method = Ident::new(&format!("__{}", scalar.name), here());
                        // The compiler sees through references to a text, as it does not to a number.
                        let stars = match scalar.name {
                            "str" => 0,
                            _ => scalar.references,
                        };
                        let stars = (0..stars).map(|_| quote_spanned!(here()=> *));
                        quote_spanned!(here()=> #span.#method(#key, #(#stars)* #source))
                    }
                    _ => quote_spanned!(here()=> #p::Arg(&#source).__record(#span, #key)),
                }
            };
            let cfg = &argument.cfg;
            span = if cfg.is_empty() {
                record(&span)
            } else {
                let record = record(&variable);
                statements.extend(quote_spanned! {here()=>
                    let __span = #span;
                    #cfg
                    let __span = #record;
                });
                variable.clone()
            };
        }
        let guarded = self.guarded();
        if !guarded.is_empty() {
            statements.extend(quote_spanned! {here()=>
                let mut __span = #span;
                if #p::enabled(&__span) { #guarded }
            });
            span = variable;
        }
        (statements, span)
    }

    /// What takes the user's expressions.
    fn guarded(&self) -> TokenStream {
        let p = &self.private;
        let mut guarded = TokenStream::new();
        for value in &self.plan.fields {
            let names = ["record", "record_debug", "record_display"];
            guarded.extend(self.record(value, names, &quote_spanned!(here()=> &mut __span)));
        }
        if let Some(Given { value: links, .. }) = &self.args.links {
            guarded.extend(quote_spanned!(here()=> #p::links(&mut __span, #links);));
        }
        guarded
    }
}
