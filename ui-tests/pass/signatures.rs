//! Everyday signatures.

#![deny(warnings)]
use std::future::Future;
use trace_runtime::traced;
mod inner {
    pub mod deep {
        #[trace_runtime::traced]
        pub(in super::super) fn f(n: u8) -> u8 {
            n
        }
    }
}
#[traced]
pub fn split<'a, 'b: 'a>(a: &'a str, b: &'b str) -> (&'a str, &'b str) {
    (a, b)
}
#[traced]
fn boxed_iter<'a>(v: &'a [u8]) -> Box<dyn Iterator<Item = &'a u8> + 'a> {
    Box::new(v.iter())
}
#[traced]
fn result_of_dyn(
    v: &[u8],
) -> Result<Box<dyn Iterator<Item = &u8> + '_>, Box<dyn std::error::Error>> {
    Ok(Box::new(v.iter()))
}
#[traced]
async fn lifetimes<'a>(a: &'a str, b: &str) -> Result<&'a str, std::io::Error> {
    tokio::task::yield_now().await;
    let _ = b;
    Ok(a)
}
#[traced]
async fn callback<F, Fut>(f: F) -> Fut::Output
where
    F: FnOnce(u8) -> Fut,
    Fut: Future,
{
    f(1).await
}
#[traced]
async fn select(n: u64) -> u64 {
    tokio::select! { v = lifetimes("a", "b") => v.map(|s| s.len() as u64).unwrap_or(n), _ = std::future::ready(()) => 3 }
}
#[traced]
fn arr<const N: usize>(a: [u8; N]) -> [u8; 3]
where
    [u8; N]: Sized,
{
    [a[0]; 3]
}
#[traced]
fn slice_mut(v: &mut [u8]) -> Option<&mut u8> {
    v.iter_mut().max()
}
#[traced]
fn string_impl(s: impl Into<String> + AsRef<str>) -> String {
    s.into()
}
#[traced]
fn fnptr(f: fn(&str) -> &str, s: &'static str) -> &'static str {
    f(s)
}
#[traced]
fn ret_fn() -> fn(u8) -> u8 {
    |n| n
}
#[traced]
fn tuple_ret(a: u8) -> (u8, Result<u8, ()>) {
    (a, Err(()))
}
#[traced]
fn question_option(a: Option<u8>) -> Option<u8> {
    Some(a? + 1)
}
#[traced(fields(n = a.len()), skip(a))]
async fn moved(a: Vec<u8>) -> Vec<u8> {
    a
}
#[traced]
async fn mutex(m: &std::sync::Mutex<u8>) -> u8 {
    std::future::ready(()).await;
    *m.lock().unwrap()
}
#[traced]
async fn closure_in(v: Vec<u8>) -> Vec<u8> {
    v.into_iter()
        .map(|x| {
            if x == 0 {
                return 1;
            }
            x
        })
        .collect()
}
trait Shape {
    fn area(&self) -> f64
    where
        Self: Sized,
    {
        self.side() * self.side()
    }
    fn side(&self) -> f64;
}
#[traced]
impl Shape for f64 {
    fn side(&self) -> f64 {
        *self
    }
}
impl std::fmt::Display for W {
    #[traced]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "w")
    }
}
struct W;
impl Drop for W {
    #[traced]
    fn drop(&mut self) {}
}
impl std::str::FromStr for W {
    type Err = String;
    #[traced]
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if s.is_empty() { Err("e".into()) } else { Ok(W) }
    }
}
fn is_send<T: Send>(_: &T) {}
fn main() {
    inner::deep::f(1);
    split("a", "b");
    boxed_iter(&[1]).count();
    result_of_dyn(&[1]).unwrap().count();
    is_send(&lifetimes("a", "b"));
    is_send(&select(1));
    is_send(&callback(|n| async move { n }));
    arr([1]);
    slice_mut(&mut [1]);
    string_impl("a");
    fnptr(|s| s, "a");
    ret_fn()(1);
    let _ = tuple_ret(1);
    question_option(None);
    is_send(&moved(vec![]));
    is_send(&mutex(&std::sync::Mutex::new(1)));
    is_send(&closure_in(vec![]));
    1.0f64.area();
    let w: W = "x".parse().unwrap();
    w.to_string();
}
