use std::future::Future;
use std::pin::Pin;
use trace_runtime::traced;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

#[traced]
fn iterator(n: u8, mut seed: u8) -> impl Iterator<Item = u8> + Clone {
    if n == 0 {
        seed = 1;
    }
    (0..n).map(move |i| i + seed)
}

#[traced]
fn closure(n: u8) -> impl Fn(&u8) -> u8 {
    move |i| i + n
}

#[traced]
fn borrowed<'a>(text: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    text.split(' ')
}

#[traced]
fn nested(n: u8) -> Result<impl Iterator<Item = u8>, String> {
    let n: u8 = n.to_string().parse().map_err(|_| "not a number")?;
    Ok(0..n)
}

#[traced]
fn several(n: u8) -> (impl Iterator<Item = u8>, Option<impl Fn() -> u8>) {
    (0..n, Some(move || n))
}

#[traced]
fn future(n: u8) -> impl Future<Output = Result<u8, String>> + Send {
    async move {
        if n == 0 {
            return Err("zero".to_owned());
        }
        Ok(n)
    }
}

#[traced]
fn future_with_early_return(n: u8) -> impl Future<Output = u8> {
    let ready = std::future::ready(n);
    if n == 0 {
        return ready;
    }
    ready
}

#[traced]
fn future_of_opaque(n: u8) -> impl Future<Output = impl Iterator<Item = u8>> {
    async move { 0..n }
}

#[traced]
async fn async_opaque(n: u8) -> impl Iterator<Item = u8> {
    0..n
}

#[traced]
async fn async_nested(n: u8) -> Result<impl Iterator<Item = u8>, std::num::ParseIntError> {
    let n: u8 = n.to_string().parse()?;
    Ok(0..n)
}

#[traced(err(text = %err), ret(value = *ret))]
fn boxed<'a>(n: &'a u8) -> Pin<Box<dyn Future<Output = Result<u8, String>> + Send + 'a>> {
    if *n == 0 {
        return Box::pin(async { Err("zero".to_owned()) });
    }
    Box::pin(async move { Ok(*n) })
}

#[traced]
fn aliased(n: &u8) -> BoxFuture<'_, Result<u8, String>> {
    Box::pin(async move { Ok(*n) })
}

#[traced]
fn local(n: &u8) -> LocalBoxFuture<'_, ()> {
    let not_send = std::rc::Rc::new(*n);
    Box::pin(async move { drop(not_send) })
}

struct Numbers(Vec<u8>);

#[traced]
impl Numbers {
    fn iter(&self) -> impl Iterator<Item = &u8> + '_ {
        self.0.iter()
    }

    fn drain(&mut self) -> impl Iterator<Item = u8> + '_ {
        self.0.drain(..)
    }

    fn sum(&self) -> impl Future<Output = u8> + Send + '_ {
        async move { self.0.iter().sum() }
    }

    fn into_iter(self) -> impl Iterator<Item = u8> {
        self.0.into_iter()
    }
}

trait Load {
    fn load(&self, id: u8) -> impl Future<Output = Result<u8, String>> + Send;
    async fn save(&mut self, id: u8) -> Result<(), String>;
    fn all(&self) -> impl Iterator<Item = u8>;
}

#[traced]
impl Load for Numbers {
    async fn load(&self, id: u8) -> Result<u8, String> {
        self.0
            .get(usize::from(id))
            .copied()
            .ok_or_else(|| "none".to_owned())
    }

    async fn save(&mut self, id: u8) -> Result<(), String> {
        self.0.push(id);
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = u8> {
        self.0.iter().copied()
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(iterator(2, 1).sum::<u8>(), 3);
    assert_eq!(closure(1)(&2), 3);
    assert_eq!(borrowed("a b").count(), 2);
    assert_eq!(nested(2).unwrap().sum::<u8>(), 1);
    let (numbers, call) = several(3);
    assert_eq!(numbers.sum::<u8>() + call.unwrap()(), 6);
    assert_eq!(is_send(future(1)).await, Ok(1));
    assert_eq!(future_with_early_return(1).await, 1);
    assert_eq!(future_of_opaque(3).await.sum::<u8>(), 3);
    assert_eq!(async_opaque(3).await.sum::<u8>(), 3);
    assert_eq!(async_nested(3).await.unwrap().sum::<u8>(), 3);
    assert_eq!(boxed(&1).await, Ok(1));
    assert_eq!(is_send(boxed(&0)).await, Err("zero".to_owned()));
    assert_eq!(aliased(&1).await, Ok(1));
    local(&1).await;
    let mut numbers = Numbers(vec![1, 2]);
    assert_eq!(numbers.iter().count(), 2);
    assert_eq!(is_send(numbers.sum()).await, 3);
    numbers.save(3).await.unwrap();
    assert_eq!(is_send(numbers.load(2)).await, Ok(3));
    assert_eq!(numbers.all().count(), 3);
    assert_eq!(numbers.drain().count(), 3);
    assert_eq!(numbers.into_iter().count(), 0);
}
