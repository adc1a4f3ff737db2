//! What comes after the body: how it went, and what the result has to say.

use super::{Expansion, here, output_type};
use crate::args::{Format, Given};
use crate::function::Output;
use crate::plan::Value;
use crate::tokens::{find_word, located_at};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

/// What a function has to do once its body has run.
pub(super) enum End {
    /// Nothing.
    Only,
    /// It may be an error.
    Outcome,
    /// Statements about `__ret` and `__span`.
    Options(TokenStream),
}

/// How the body is run, and what the runtime calls that.
pub(super) struct Run {
    /// Where options say what comes after.
    with_options: &'static str,
    /// Where nobody asks how it went.
    only: &'static str,
    /// Where the type of the result tells, if it is certain that the body returns it.
    by_type: Option<&'static str>,
    is_async: bool,
}

impl Run {
    /// A closure is called.
    pub(super) const CALL: Self = Self {
        with_options: "call",
        only: "call_only",
        by_type: Some("__call"),
        is_async: false,
    };
    /// A future is awaited.
    pub(super) const FUTURE: Self = Self {
        with_options: "in_span",
        only: "in_span_only",
        by_type: Some("__future"),
        is_async: true,
    };
    /// A future is awaited whose span is there already.
    pub(super) const RESUME: Self = Self {
        with_options: "resume",
        only: "resume_only",
        by_type: None,
        is_async: true,
    };
}

impl Expansion<'_> {
    /// Runs the body, by a call of the function that `run` is given the name of, and what comes after.
    ///
    /// `p::returns::<RET>().__how().__call(..)`, where the result may be an error and its type is
    /// known; where nobody asks how it went `p::call_only(..)`; otherwise
    /// `let (__ret, mut __span) = p::call(..); .. __ret`.
    pub(super) fn ended(
        &self,
        how: &Run,
        output: &Output,
        run: impl FnOnce(&TokenStream) -> TokenStream,
    ) -> TokenStream {
        let p = &self.private;
        let named = |name| Ident::new(name, here()).into_token_stream();
        let dot = how.is_async.then(|| quote_spanned!(here()=> .await));
        // What is opaque in the type has no name here.
        let ty = output_type(output).filter(|ty| find_word(ty, "_").is_none());
        let end = match (self.how_it_ends(), how.by_type.zip(ty)) {
            (End::Only, _) => {
                let name = named(how.only);
                let run = run(&quote_spanned!(here()=> #p::#name));
                return quote_spanned!(here()=> let __ret = #run #dot; __ret);
            }
            (End::Outcome, Some((name, ret))) => {
                let (name, ret) = (named(name), self.repeated(ret));
                let name = quote_spanned!(here()=> #p::returns::<#ret>().__how().#name);
                let run = run(&name);
                return quote_spanned!(here()=> #run #dot);
            }
            (End::Outcome, None) => self.end(),
            (End::Options(end), _) => end,
        };
        let name = named(how.with_options);
        let run = run(&quote_spanned!(here()=> #p::#name));
        let mode = self.fails_span().then(|| quote_spanned!(here()=> mut));
        quote_spanned! {here()=>
            let (__ret, #mode __span) = #run #dot;
            #end
            __ret
        }
    }

    fn how_it_ends(&self) -> End {
        let args = self.args;
        let plan = self.plan;
        let has_options = args.err_if.is_some()
            || args.err_type.is_some()
            || matches!(plan.err_format, Some(Format::Debug | Format::Display))
            || !(plan.err.is_empty() && plan.ret.is_empty() && plan.returned.is_none());
        match (has_options, plan.has_outcome) {
            (true, _) => End::Options(self.end()),
            (false, true) => End::Outcome,
            (false, false) => End::Only,
        }
    }

    /// Whether [`end`](Self::end) takes the span by a mutable reference.
    fn fails_span(&self) -> bool {
        self.args.err_if.is_some() || self.plan.has_outcome
    }

    /// What happens between the body's end and the span's.
    pub(super) fn end(&self) -> TokenStream {
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
                let p = located_at(p.to_token_stream(), at);
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

/// The variable that the user's expressions know as `ret` or `err`.
fn variable<'a>(name: &str, exprs: impl IntoIterator<Item = &'a TokenStream>) -> Ident {
    let mut exprs = exprs.into_iter();
    let written = exprs.find_map(|expr| find_word(expr, name));
    written.unwrap_or_else(|| Ident::new(name, Span::call_site()))
}
