//! `#[derive(ToValue)]` and `#[derive(Failure)]`.
//!
//! ```text
//! #[derive(ToValue)] struct OrderId(u64);
//! impl ::trace_runtime::ToValue for OrderId {
//!     fn to_value(&self) -> ::trace_runtime::Value<'_> {
//!         ::trace_runtime::ToValue::to_value(&self.0)
//!     }
//! }
//!
//! #[derive(Failure)] enum E { #[traced(ok)] Gone, #[traced(status = 404)] NotFound(u64), Broken }
//! impl ::trace_runtime::Failure for E {
//!     fn error_type(&self) -> ::std::borrow::Cow<'static, str> {
//!         ::std::borrow::Cow::Borrowed(match self {
//!             Self::Gone => "Gone",
//!             Self::NotFound(..) => "NotFound",
//!             Self::Broken => "Broken",
//!         })
//!     }
//!     fn is_failure(&self, kind: ::trace_runtime::__private::Kind) -> bool {
//!         match self {
//!             Self::Gone => false,
//!             Self::NotFound(..) => ::trace_runtime::__private::status_is_failure(404, &kind),
//!             Self::Broken => true,
//!         }
//!     }
//! }
//! ```

mod options;

use self::options::{Options, Verdict};
use crate::error::Errors;
use crate::tokens::find_word;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Generics, Item, Member, Type, Variant, WherePredicate};

/// `#[derive(ToValue)]`
pub(crate) fn to_value(item: TokenStream) -> TokenStream {
    derive(item, "ToValue", |target, errors| {
        let krate = &target.krate;
        let (value, bound) = match &target.kind {
            Kind::Struct(fields) => match only_field(&target.ident, fields, errors) {
                Some((member, ty)) => (field_value(krate, &member, ty), field_bound(target, ty)),
                // After an error, so that it is the only one.
                None => (quote!(#krate::Value::None), None),
            },
            Kind::Enum(variants) => (variant_name(krate, variants, errors), None),
        };
        let members = quote_spanned! {here()=>
            fn to_value(&self) -> #krate::Value<'_> { #value }
        };
        (members, bound)
    })
}

/// `#[derive(Failure)]`
pub(crate) fn failure(item: TokenStream) -> TokenStream {
    derive(item, "Failure", |target, _errors| {
        let arms: Vec<_> = match &target.kind {
            Kind::Struct(_) => vec![Arm::new(quote!(_), &target.ident, &target.options)],
            Kind::Enum(variants) => (variants.iter())
                .map(|(variant, options)| Arm::new(pattern(variant), &variant.ident, options))
                .collect(),
        };
        let error_type = error_type(&arms);
        let is_failure = is_failure(&arms, &target.krate);
        (quote!(#error_type #is_failure), None)
    })
}

/// Locals and paths of ours, out of reach of the user's names.
fn here() -> Span {
    Span::mixed_site()
}

/// The type that an implementation is derived for.
struct Target {
    ident: Ident,
    generics: Generics,
    krate: TokenStream,
    options: Options,
    kind: Kind,
}

enum Kind {
    Struct(Fields),
    Enum(Vec<(Variant, Options)>),
}

/// An implementation of `trait_name` with the members that `members` writes.
fn derive(
    item: TokenStream,
    trait_name: &str,
    members: impl FnOnce(&Target, &mut Errors) -> (TokenStream, Option<WherePredicate>),
) -> TokenStream {
    let mut errors = Errors::default();
    let Some(target) = Target::parse(item, trait_name, &mut errors) else {
        return errors.into_tokens();
    };
    let (members, bound) = members(&target, &mut errors);
    let trait_name = Ident::new(trait_name, here());
    let Target {
        ident,
        mut generics,
        krate,
        ..
    } = target;
    if let Some(bound) = bound {
        generics.make_where_clause().predicates.push(bound);
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let errors = errors.into_tokens();
    quote_spanned! {here()=>
        #errors
        #[automatically_derived]
        impl #parameters #krate::#trait_name for #ident #arguments #bounds { #members }
    }
}

impl Target {
    fn parse(item: TokenStream, trait_name: &str, errors: &mut Errors) -> Option<Self> {
        let (attributes, ident, generics, kind) = match syn::parse2(item) {
            Ok(Item::Struct(item)) => {
                check_fields(&item.fields, errors);
                (
                    item.attrs,
                    item.ident,
                    item.generics,
                    Kind::Struct(item.fields),
                )
            }
            Ok(Item::Enum(item)) => {
                let variants = item.variants.into_iter();
                let variants = variants.map(|variant| {
                    check_fields(&variant.fields, errors);
                    let options = Options::of_variant(&variant.attrs, errors);
                    (variant, options)
                });
                let kind = Kind::Enum(variants.collect());
                (item.attrs, item.ident, item.generics, kind)
            }
            Ok(Item::Union(item)) => {
                let message = format_args!("`{trait_name}` cannot be derived for a union");
                errors.at(item.union_token, message);
                return None;
            }
            Ok(other) => {
                let message = format_args!("`{trait_name}` can be derived for structs and enums");
                errors.at(other, message);
                return None;
            }
            Err(error) => {
                errors.push(error);
                return None;
            }
        };
        let is_struct = matches!(kind, Kind::Struct(_));
        let (options, krate) = Options::of_type(&attributes, is_struct, errors);
        let krate = krate.unwrap_or_else(|| quote_spanned!(here()=> ::trace_runtime));
        Some(Self {
            ident,
            generics,
            krate,
            options,
            kind,
        })
    }
}

/// The options stand on types and variants.
fn check_fields(fields: &Fields, errors: &mut Errors) {
    for attribute in fields.iter().flat_map(|field| &field.attrs) {
        if is_ours(attribute) {
            errors.at(attribute, "a field has no `#[traced]` options");
        }
    }
}

fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().is_ident("traced")
}

/// The field that a newtype is about.
fn only_field<'a>(
    ident: &Ident,
    fields: &'a Fields,
    errors: &mut Errors,
) -> Option<(Member, &'a Type)> {
    let members = fields.members().zip(fields.iter().map(|field| &field.ty));
    let mut members = members.filter(|(_, ty)| !is_phantom(ty));
    if let (Some(only), None) = (members.next(), members.next()) {
        return Some(only);
    }
    let count = match fields.len() {
        0 => "no field".to_owned(),
        count => format!("{count} fields"),
    };
    let message = format_args!(
        "`ToValue` can be derived for structs with one field, but `{ident}` has {count}\nhelp: record its parts instead: `fields(order.id, order.total)`"
    );
    errors.at(ident, message);
    None
}

fn is_phantom(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"))
}

/// A type that is no value is reported where it stands.
fn field_value(krate: &TokenStream, member: &Member, ty: &Type) -> TokenStream {
    let at = ty.span().resolved_at(here());
    let value = quote_spanned!(at=> ToValue::to_value(&self.#member));
    quote_spanned!(here()=> #krate::#value)
}

/// What a generic field asks of its parameters.
fn field_bound(target: &Target, ty: &Type) -> Option<WherePredicate> {
    let krate = &target.krate;
    let tokens = ty.to_token_stream();
    let mut parameters = target.generics.type_params();
    let is_generic =
        parameters.any(|parameter| find_word(&tokens, &parameter.ident.to_string()).is_some());
    is_generic.then(|| syn::parse_quote!(#ty: #krate::ToValue))
}

/// The name of the variant.
fn variant_name(
    krate: &TokenStream,
    variants: &[(Variant, Options)],
    errors: &mut Errors,
) -> TokenStream {
    for (variant, _) in variants {
        if !variant.fields.is_empty() {
            let message = format_args!(
                "`ToValue` can be derived for enums without fields, but `{}` has some\nhelp: implement `ToValue`, or write `?value` for the `Debug` output",
                variant.ident
            );
            errors.at(&variant.ident, message);
        }
    }
    let arms: Vec<_> = variants
        .iter()
        .map(|(variant, options)| Arm::new(pattern(variant), &variant.ident, options))
        .collect();
    let name = names(&arms);
    quote_spanned!(here()=> #krate::ToValue::to_value(#name))
}

fn pattern(variant: &Variant) -> TokenStream {
    let ident = &variant.ident;
    match variant.fields {
        Fields::Unit => quote_spanned!(here()=> Self::#ident),
        Fields::Unnamed(_) => quote_spanned!(here()=> Self::#ident(..)),
        Fields::Named(_) => quote_spanned!(here()=> Self::#ident { .. }),
    }
}

/// What is known about a variant, or about a whole struct.
struct Arm {
    pattern: TokenStream,
    name: String,
    verdict: Verdict,
}

impl Arm {
    fn new(pattern: TokenStream, ident: &Ident, options: &Options) -> Self {
        let name = match &options.rename {
            Some(name) => name.value(),
            None => ident.unraw().to_string(),
        };
        Self {
            pattern,
            name,
            verdict: options.verdict,
        }
    }
}

/// `match self { Self::A => "A", .. }`
fn names(arms: &[Arm]) -> TokenStream {
    let arms = arms
        .iter()
        .map(|Arm { pattern, name, .. }| quote!(#pattern => #name,));
    match_self(&arms.collect())
}

fn match_self(arms: &TokenStream) -> TokenStream {
    match arms.is_empty() {
        // A reference has a value even where the enum has none.
        true => quote_spanned!(here()=> match *self {}),
        false => quote_spanned!(here()=> match self { #arms }),
    }
}

fn error_type(arms: &[Arm]) -> TokenStream {
    let name = names(arms);
    quote_spanned! {here()=>
        fn error_type(&self) -> ::std::borrow::Cow<'static, str> {
            ::std::borrow::Cow::Borrowed(#name)
        }
    }
}

/// Nothing, if every error is a failure: that is what the trait says already.
fn is_failure(arms: &[Arm], krate: &TokenStream) -> Option<TokenStream> {
    if arms.iter().all(|arm| arm.verdict == Verdict::Failure) {
        return None;
    }
    let arms = arms.iter().map(
        |Arm {
             pattern, verdict, ..
         }| {
            let verdict = match verdict {
                Verdict::Failure => quote!(true),
                Verdict::Ok => quote!(false),
                Verdict::Status(code) => quote_spanned! {here()=>
                    #krate::__private::status_is_failure(#code, &kind)
                },
            };
            quote!(#pattern => #verdict,)
        },
    );
    let verdict = match_self(&arms.collect());
    Some(quote_spanned! {here()=>
        fn is_failure(&self, kind: #krate::__private::Kind) -> bool { #verdict }
    })
}
