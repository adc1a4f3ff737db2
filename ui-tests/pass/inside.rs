//! The macros inside a body and the derives, where nothing is imported and everything is shadowed.

#![deny(warnings)]
#![no_implicit_prelude]
#![allow(non_camel_case_types)]

#[derive(::trace_runtime::ToValue)]
struct Id<T: ::core::marker::Copy>(T);

#[derive(::trace_runtime::ToValue)]
enum Size {
    Small,
    #[traced(rename = "big")]
    Large,
}

#[derive(::trace_runtime::Failure)]
#[forbid(unsafe_code)]
enum Broken {
    #[traced(status = 404)]
    Some(::std::string::String),
    #[traced(ok)]
    None { r#type: u8 },
    Err,
}

struct Some;
struct Result;
struct Option;
struct Box;

fn inside(span: u8, event: &str) -> ::core::result::Result<u8, ::std::num::ParseIntError> {
    let (_, _, _, _) = (Some, Result, Option, Box);
    ::trace_runtime::record!(span, ?event, id = Id(span), size = Size::Small);
    ::trace_runtime::event!("shown", size = Size::Large);
    ::trace_runtime::set_error!(event);
    let parsed = ::trace_runtime::span!("parse", event => event.parse::<u8>()?);
    let __span = ::trace_runtime::span!("plain" => parsed + span);
    ::core::result::Result::Ok(__span)
}

async fn outside(values: &[u8]) -> u8 {
    let sum = ::trace_runtime::span!("sum", len = values.len() => async {
        let mut sum = 0;
        for value in values {
            ::core::future::ready(()).await;
            sum += value;
        }
        sum
    });
    sum.await
}

fn main() {
    use ::trace_runtime::Failure as _;
    let errors = [
        Broken::Some(::std::string::String::new()),
        Broken::None { r#type: 1 },
        Broken::Err,
    ];
    let types = errors.map(|error| error.error_type());
    ::std::assert_eq!(types, ["Some", "None", "Err"]);
    let capture = ::trace_runtime::testing::capture();
    ::std::assert_eq!(capture.scope(|| inside(1, "2")), ::core::result::Result::Ok(3));
    ::core::mem::drop(outside(&[1]));
}
