use std::future::Future;
use std::pin::Pin;
use trace_runtime::traced;

#[traced]
fn numbers(n: u8) -> impl Iterator<Item = u8> {
    if n == 0 {
        return vec![n].into_iter();
    }
    0..n //~
}

#[traced]
async fn numbers_async(n: u8) -> impl Iterator<Item = u8> {
    if n == 0 {
        return vec![n].into_iter();
    }
    0..n //~
}

#[traced]
fn texts(n: u8) -> impl Iterator<Item = String> { //~
    0..n
}

#[traced]
async fn texts_async(n: u8) -> impl Iterator<Item = String> { //~~
    0..n
}

#[traced]
fn future(n: u8) -> impl Future<Output = String> { //~~
    async move { n }
}

#[traced]
fn boxed(n: u8) -> Pin<Box<dyn Future<Output = String>>> {
    Box::pin(async move { n }) //~
}

fn main() {}
