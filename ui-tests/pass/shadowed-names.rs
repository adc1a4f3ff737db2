#![allow(dead_code, unused_macros, non_camel_case_types)]

use trace_runtime::traced;

struct Ok;
struct Err;
struct Some;
struct None;
struct Option;
struct Result;
struct Box;
struct String;
struct Vec;
struct Future;
struct Pin;
struct Into;
struct Kind;
struct Callsite;
struct Context;

mod p {}
mod __private {}
mod trace {}

macro_rules! format {
    ($($any:tt)*) => {
        compile_error!("shadowed")
    };
}
macro_rules! module_path {
    () => {
        compile_error!("shadowed")
    };
}
macro_rules! vec {
    ($($any:tt)*) => {
        compile_error!("shadowed")
    };
}

#[traced(ret(sum = *ret), fields(result, doubled = x * 2))]
#[allow(clippy::too_many_arguments)]
fn all(
    span: u8,
    tracer: u8,
    result: u8,
    x: u8,
    e: u8,
    caller: u8,
    guard: u8,
    ret: u8,
    err: u8,
    error: u8,
    p: u8,
) -> u32 {
    let all = [
        span, tracer, result, x, e, caller, guard, ret, err, error, p,
    ];
    all.iter().map(|one| u32::from(*one)).sum()
}

#[traced(ret(len = ret.len()), err(code = *err))]
async fn shadowing(ret: u8, err: u8) -> std::result::Result<&'static str, u8> {
    if err > 0 {
        return std::result::Result::Err(ret + err);
    }
    std::result::Result::Ok("x")
}

#[traced]
fn boxed(future: u8) -> std::pin::Pin<std::boxed::Box<dyn std::future::Future<Output = u8>>> {
    std::boxed::Box::pin(async move { future })
}

#[allow(non_snake_case)]
#[traced]
fn local_names(__span: u8, __ret: u8, __future: u8, __entered: u8) -> u8 {
    __span + __ret + __future + __entered
}

fn main() {
    assert_eq!(all(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 11);
    assert_eq!(local_names(1, 2, 3, 4), 10);
    let _ = shadowing(1, 2);
    let _ = boxed(1);
}
