//! Every shape of function, each with something to be linted: in the signature, in the arguments, in
//! the body, at its end. Nothing here is an example.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use trace_runtime::traced;

pub struct Orders {
    id: u64,
    names: Vec<String>,
}

pub struct Point {
    x: u64,
    y: u64,
}

#[traced]
pub fn free(unused: u64, mut fixed: u64, text: String) -> u64 {
    let local = 1;
    let length = text.len() as u32;
    println!("{}", length);
    let mut sum = 0;
    for i in 0..10 {
        sum += i;
    }
    if sum == 45 { true } else { false };
    "7".parse::<u64>().unwrap() + fixed + sum
}

#[traced]
pub async fn asynchronous(unused: u64, mut fixed: u64, text: String) -> u64 {
    let local = 1;
    let length = text.len() as u32;
    println!("{}", length);
    tokio::task::yield_now().await;
    let pair = (1, 2).clone();
    "7".parse::<u64>().unwrap() + fixed + pair.0
}

#[traced]
pub async fn waits_for_nothing(n: &u64) -> u64 {
    *n + 1
}

#[traced]
pub fn borrowed(text: &String, names: &Vec<String>) -> String {
    let copy = text.clone();
    format!("{}{}", copy.to_string(), names.len())
}

#[traced]
pub async fn borrowed_async(text: &String, names: &Vec<String>) -> String {
    format!("{}{}", text.to_string(), names.len())
}

#[traced]
pub fn returns_a_binding(n: u64) -> u64 {
    let result = n + 1;
    result
}

#[traced]
pub async fn returns_a_binding_async(n: u64) -> u64 {
    let result = n + 1;
    result
}

#[traced]
pub fn returns_at_the_end(n: u64) -> u64 {
    return n + 1;
}

#[traced]
pub async fn returns_at_the_end_async(n: u64) -> u64 {
    return n + 1;
}

#[traced]
pub fn asks_in_vain(text: &str) -> Result<u64, std::num::ParseIntError> {
    Ok(text.parse::<u64>()?)
}

#[traced]
pub async fn asks_in_vain_async(text: &str) -> Result<u64, std::num::ParseIntError> {
    Ok(text.parse::<u64>()?)
}

#[traced]
pub fn never_fails(n: u64) -> Result<u64, String> {
    Ok(n)
}

#[traced]
pub fn always_some(n: u64) -> Option<u64> {
    Some(n)
}

#[traced]
pub async fn never_fails_async(n: u64) -> Result<u64, String> {
    Ok(n)
}

#[traced]
pub fn nothing() -> () {
    ()
}

#[traced]
pub async fn nothing_async() -> () {
    let unit = free(1, 2, String::new());
}

#[traced]
pub fn unit_by_call() {
    let unit = nothing();
    drop(unit)
}

#[traced]
pub fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
    a + b + c + d + e + f + g + h
}

#[traced]
pub fn flags(a: bool, b: bool, c: bool, d: bool) -> bool {
    a && b && c && d && true
}

#[traced]
pub fn large_error() -> Result<(), [u8; 512]> {
    Err([0; 512])
}

#[traced]
pub fn unit_error(n: u8) -> Result<u8, ()> {
    if n == 0 { Err(()) } else { Ok(n) }
}

#[traced]
pub fn complex(n: u64) -> Result<HashMap<u64, Vec<Option<Box<dyn Fn(u64) -> Option<u64>>>>>, String> {
    if n == 0 {
        return Err("zero".to_string());
    } else {
        return Ok(HashMap::new());
    }
}

#[traced]
pub fn branches(n: u64) -> u64 {
    let value;
    if n > 3 {
        value = 1;
    } else {
        value = 2;
    }
    match n {
        1 => value,
        _ => value,
    }
}

#[traced]
pub async fn branches_async(n: u64) -> u64 {
    match Some(n) {
        Some(n) => n,
        _ => 0,
    }
}

#[traced]
pub async fn holds_a_lock(lock: &Mutex<u64>) -> u64 {
    let guard = lock.lock().unwrap();
    tokio::task::yield_now().await;
    *guard
}

#[traced]
pub fn tail_guard(lock: &Mutex<u64>) -> u64 {
    *lock.lock().unwrap()
}

#[traced]
pub async fn returns_a_future(n: u64) -> tokio::task::JoinHandle<u64> {
    tokio::spawn(async move { n })
}

#[traced]
pub async fn returns_a_future_early(n: u64) -> tokio::task::JoinHandle<u64> {
    if n == 0 {
        return tokio::spawn(async { 0 });
    }
    return tokio::spawn(async move { n });
}

#[traced]
pub async fn returns_no_future(n: u64) -> tokio::task::JoinHandle<u64> {
    loop {
        tokio::task::yield_now().await;
    }
}

#[traced]
pub fn future(n: u64) -> impl Future<Output = u64> {
    async move { n.clone() }
}

#[traced]
pub fn future_of_nothing<'a>(text: &'a str) -> impl Future<Output = ()> + 'a {
    async move { println!("{}", text) }
}

#[traced]
pub fn boxed<'a>(text: &'a String) -> Pin<Box<dyn Future<Output = usize> + 'a>> {
    let local = 1;
    return Box::pin(async move { text.len().clone() });
}

#[traced]
pub fn iterator(n: u64, unused: u64) -> impl Iterator<Item = u64> {
    let local = 1;
    (0..n).map(|i| i.clone()).filter(|i| *i > 1).map(|i| i)
}

#[traced]
pub fn closure(n: u64) -> impl Fn(u64) -> u64 {
    move |m| return m + n
}

#[traced]
pub fn function() -> fn(u64) -> u64 {
    |n| u64::from(n)
}

#[traced]
pub fn patterns((a, mut b): (u64, u64), Point { x, y: unused }: Point, [first, ..]: [u64; 3], _: u8) -> u64 {
    let local = 1;
    a + x + first
}

#[traced]
pub async fn patterns_async((a, mut b): (u64, u64), Point { x, y: unused }: Point) -> u64 {
    let local = 1;
    a + x
}

#[traced]
pub fn generic<T: Clone, const N: usize>(items: [T; N], unused: &T) -> Vec<T>
where
    T: Clone,
{
    items.iter().map(|item| item.clone()).collect::<Vec<T>>()
}

#[traced]
pub fn lifetimes<'a>(text: &'a str, other: &str) -> &'a str {
    let (a, b) = (text, other);
    &a[..]
}

#[traced]
pub fn needless_lifetimes<'a>(text: &'a str) -> &'a str {
    text
}

#[traced]
pub async fn needless_lifetimes_async<'a>(text: &'a str) -> &'a str {
    text
}

#[traced]
pub fn argument(items: impl Iterator<Item = u64>, run: &dyn Fn(u64) -> u64) -> u64 {
    items.map(|n| run(n)).fold(0, |a, b| a + b)
}

#[traced]
pub fn recursive(n: u64, unused: u64) -> u64 {
    if n == 0 { 0 } else { recursive(n - 1, unused) }
}

#[traced]
pub fn forever() -> u64 {
    forever()
}

#[traced]
pub fn never(n: u64) -> ! {
    let local = 1;
    loop {
        println!("{}", n);
    }
}

#[traced]
pub fn unreachable(n: u64) -> u64 {
    return n;
    n + 1
}

#[traced]
pub fn panics(n: u64) -> Result<u64, String> {
    if n == 0 {
        panic!("zero");
    }
    todo!()
}

#[traced]
pub unsafe fn raw(pointer: *const u8) -> u8 {
    *pointer
}

#[traced]
pub fn safe_raw(pointer: *const u8) -> u8 {
    unsafe { *pointer }
}

#[traced]
pub extern "C" fn external(n: u64, text: &str) -> u64 {
    n.clone()
}

#[traced]
fn dead(unused: u64) {}

#[traced]
async fn dead_async(unused: u64) {}

#[traced]
#[must_use]
pub fn must_use_unit(n: u64) {
    n.checked_add(1);
}

#[traced]
#[inline(always)]
pub fn inlined(n: u64) -> u64 {
    n
}

#[traced]
pub fn shadowed(n: u64) -> u64 {
    let n = n;
    let n = n + 1;
    n
}

#[traced]
pub fn nested(n: u64) -> u64 {
    #[traced]
    fn inner(n: u64, unused: u64) -> u64 {
        return n;
    }
    inner(n, 1)
}

#[traced]
pub fn long(n: u64) -> u64 {
    use std::fmt::Write;
    let mut text = String::new();
    write!(text, "{}", n);
    text.push_str("x");
    assert!(true);
    assert_eq!(n == 1, true);
    std::mem::drop(&n);
    let x: f64 = n as f64;
    x as u64
}

#[traced]
pub async fn large_future(n: u64) -> u8 {
    let buffer = [0_u8; 20_000];
    tokio::task::yield_now().await;
    buffer[n as usize]
}

#[traced]
impl Orders {
    pub fn new(id: u64) -> Self {
        Orders { id: id, names: Vec::new() }
    }

    pub fn unused_self(&self, n: u64) -> u64 {
        n
    }

    pub async fn unused_self_async(&self, n: u64) -> u64 {
        n
    }

    pub fn getter(&self) -> u64 {
        self.id
    }

    pub fn mutable(&mut self, n: u64) -> u64 {
        self.id + n
    }

    pub async fn mutable_async(&mut self, unused: u64) -> u64 {
        self.id
    }

    pub fn by_value(self) -> usize {
        self.names.len()
    }

    pub fn to_by_value(self) -> u64 {
        self.id
    }

    pub fn by_box(self: Box<Self>) -> u64 {
        self.id
    }

    pub fn by_arc(self: Arc<Self>) -> u64 {
        self.id.clone()
    }

    pub async fn by_pin(self: Pin<&mut Self>) -> u64 {
        self.id.clone()
    }

    pub fn is_empty(&self) -> bool {
        self.names.len() == 0
    }

    pub fn find(&self, key: &str) -> Option<&String> {
        self.names.iter().filter(|name| name.as_str() == key).next()
    }

    pub async fn find_async(&self, key: &str) -> Option<&String> {
        self.names.iter().filter(|name| name.as_str() == key).next()
    }

    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.names.iter().map(|name| name)
    }
}

#[traced]
pub trait Store {
    fn load(&self, id: u64, unused: u64) -> u64 {
        return id;
    }

    async fn save(&self, id: u64, unused: u64) -> u64 {
        return id;
    }
}

#[traced]
impl Store for Orders {
    fn load(&self, id: u64, unused: u64) -> u64 {
        id.clone()
    }

    async fn save(&self, id: u64, unused: u64) -> u64 {
        id.clone()
    }
}

#[traced]
impl std::ops::Add for Point {
    type Output = Point;

    fn add(self, other: Point) -> Point {
        Point { x: self.x + other.x, y: self.y + other.y }
    }
}

impl std::ops::Neg for Point {
    type Output = Point;

    #[traced]
    fn neg(self) -> Point {
        return self;
    }
}

#[traced]
impl PartialEq for Orders {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && true
    }

    fn ne(&self, other: &Self) -> bool {
        !(self.id == other.id)
    }
}

#[traced]
impl Default for Point {
    fn default() -> Self {
        Point { x: 0, y: 0 }
    }
}

#[traced]
impl From<Point> for u64 {
    fn from(point: Point) -> u64 {
        point.x + point.y
    }
}

#[async_trait::async_trait]
pub trait Remote {
    async fn call(&self, id: u64, unused: u64) -> Result<u64, String>;
}

#[traced]
#[async_trait::async_trait]
impl Remote for Orders {
    async fn call(&self, id: u64, unused: u64) -> Result<u64, String> {
        let local = 1;
        Ok(id.clone())
    }
}

#[async_trait::async_trait]
impl Remote for Point {
    #[traced]
    async fn call(&self, id: u64, unused: u64) -> Result<u64, String> {
        let local = 1;
        Ok(id.clone())
    }
}

macro_rules! made {
    ($($name:ident)*) => {
        $(
            #[traced]
            pub fn $name(n: u64, unused: u64) -> u64 {
                let local = 1;
                return n.clone();
            }
        )*
    };
}

made! { first second }

fn main() {}
