use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::ops::Add;
use trace_runtime::traced;

#[traced]
fn plain<T>(value: T) -> T {
    value
}

#[traced(fields(?value))]
fn bounded<'a, T, const N: usize>(value: &'a [T; N]) -> &'a T
where
    T: Debug + 'a,
{
    &value[0]
}

#[traced]
fn fallible<T: Display, E: From<String>>(value: T) -> Result<T, E> {
    if value.to_string().is_empty() {
        return Err("empty".to_owned().into());
    }
    Ok(value)
}

#[traced]
fn opaque_argument(value: impl Add<Output = u8> + Copy, calls: impl FnOnce(u8) -> u8 + Send) -> u8 {
    calls(value + value)
}

#[traced]
fn dynamic(call: &dyn Fn(u8) -> u8, boxed: Box<dyn FnMut() + '_>) -> u8 {
    drop(boxed);
    call(1)
}

struct Store<'a, T> {
    rows: &'a mut Vec<T>,
}

#[traced]
impl<'a, T: Clone + 'a> Store<'a, T> {
    fn first(&self) -> Option<&T> {
        self.rows.first()
    }

    fn entry(&mut self, index: usize) -> Result<&mut T, String> {
        self.rows.get_mut(index).ok_or_else(|| "none".to_owned())
    }

    fn name<'b>(&self, name: &'b str) -> Cow<'b, str> {
        Cow::Borrowed(name)
    }

    fn elided(&self, name: Cow<'_, str>) -> Cow<'_, str> {
        Cow::Owned(name.into_owned())
    }

    async fn load<U>(&mut self, index: usize, other: U) -> Result<(&mut T, U), String> {
        match self.rows.get_mut(index) {
            Some(row) => Ok((row, other)),
            None => Err("none".to_owned()),
        }
    }

    fn into_rows(self) -> Vec<T> {
        self.rows.clone()
    }
}

#[traced]
fn reborrow<'a>(rows: &'a mut Vec<u8>, more: &mut Vec<u8>) -> Result<&'a mut u8, std::io::Error> {
    rows.append(more);
    if let Some(last) = rows.last_mut() {
        return Ok(last);
    }
    Err(std::io::Error::other("empty"))
}

#[traced]
fn higher_ranked(call: for<'x> fn(&'x str) -> &'x str) -> Box<dyn for<'x> Fn(&'x str) -> &'x str> {
    Box::new(call)
}

trait Named {
    const NAME: &'static str;
    type Id: Default + 'static;

    fn id(&self) -> Self::Id;
}

#[traced]
impl Named for u8 {
    const NAME: &'static str = "u8";
    type Id = u64;

    fn id(&self) -> Self::Id {
        Self::Id::default()
    }
}

fn main() {
    assert_eq!(plain(1), 1);
    assert_eq!(bounded(&[1, 2]), &1);
    assert_eq!(fallible::<_, String>("x"), Ok("x"));
    assert_eq!(opaque_argument(1_u8, |n| n + 1), 3);
    assert_eq!(dynamic(&|n| n + 1, Box::new(|| ())), 2);
    let mut rows = vec![1, 2];
    let mut store = Store { rows: &mut rows };
    assert_eq!(store.first(), Some(&1));
    *store.entry(0).unwrap() = 3;
    assert_eq!(store.name("a"), "a");
    assert_eq!(store.elided("a".into()), "a");
    drop(store.load(0, ()));
    assert_eq!(store.into_rows(), [3, 2]);
    assert_eq!(reborrow(&mut vec![1], &mut vec![2]).unwrap(), &2);
    assert_eq!(higher_ranked(|x| x)("a"), "a");
    assert_eq!(1_u8.id(), 0);
    assert_eq!(u8::NAME, "u8");
}
