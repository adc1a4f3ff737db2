//! What comes before the body: the call site, the span's start, what it records.

use super::{Expansion, Package, borrowed, here};
use crate::args::{Given, Name, Parent};
use crate::tokens::located_at;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote_spanned;

impl Expansion<'_> {
    /// The block that starts the span, records what is known before the body, and enters it.
    pub(super) fn head(&self, package: &Package) -> TokenStream {
        let p = &self.private;
        let callsite = self.callsite(package);
        let start = self.start();
        let views = self.views();
        let records = self.records();
        if records.is_empty() {
            return quote_spanned! {here()=> {
                static __CALLSITE: #p::Callsite = #callsite;
                #views
                #p::enter(#start)
            }};
        }
        quote_spanned! {here()=> {
            static __CALLSITE: #p::Callsite = #callsite;
            #views
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

    /// Variables inside patterns that wait for the body, for options to see.
    fn views(&self) -> TokenStream {
        let is_recorded = |ident: &Ident| {
            let mut arguments = self.plan.arguments.iter();
            arguments.any(|argument| !argument.redact && argument.source == *ident)
        };
        let parameters = self.function.parameters.iter();
        let views = parameters.filter_map(|parameter| {
            parameter.view(|ident| is_recorded(ident) || self.is_mentioned(ident))
        });
        views.collect()
    }

    /// Arguments, then what takes the user's expressions.
    fn records(&self) -> TokenStream {
        let p = &self.private;
        let mut records = TokenStream::new();
        for argument in &self.plan.arguments {
            let key = Literal::usize_unsuffixed(argument.key);
            let (source, cfg) = (&argument.source, &argument.cfg);
            records.extend(match argument.redact {
                true => quote_spanned!(here()=> #cfg #p::redacted(&mut __span, #key);),
                false => {
                    quote_spanned!(here()=> #cfg #p::Arg(&#source).__record(&mut __span, #key);)
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
}
