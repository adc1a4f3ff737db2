//! The types of the standard library that can be recorded.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::limit::ELEMENTS;
use super::time_text;
use super::{ToValue, Value};
use crate::outcome::Arguments;

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

macro_rules! integers {
    ($($small:ident $nonzero_small:ident),*; $($large:ident $nonzero_large:ident),*) => {
        $(
            impl ToValue for $small {
                #[inline]
                fn to_value(&self) -> Value<'_> {
                    Value::I64(i64::from(*self))
                }

                #[inline]
                fn __record(&self, index: usize, to: &mut dyn Arguments) {
                    to.integer(index, i64::from(*self));
                }
            }
        )*
        $(
            impl ToValue for $large {
                #[inline]
                fn to_value(&self) -> Value<'_> {
                    match i64::try_from(*self) {
                        Ok(small) => Value::I64(small),
                        Err(_) => large(self),
                    }
                }

                #[inline]
                fn __record(&self, index: usize, to: &mut dyn Arguments) {
                    match i64::try_from(*self) {
                        Ok(small) => to.integer(index, small),
                        Err(_) => record_large(self, index, to),
                    }
                }
            }
        )*
        // Values of the non-zero types are built on the spot, so nothing can be borrowed from them.
        $(non_zero!($nonzero_small);)*
        $(non_zero!($nonzero_large);)*
    };
}

macro_rules! non_zero {
    ($type:ident) => {
        impl ToValue for num::$type {
            fn to_value(&self) -> Value<'_> {
                into_owned(self.get().to_value())
            }
        }
    };
}

integers!(
    i8 NonZeroI8, i16 NonZeroI16, i32 NonZeroI32, i64 NonZeroI64,
    u8 NonZeroU8, u16 NonZeroU16, u32 NonZeroU32;
    u64 NonZeroU64, i128 NonZeroI128, u128 NonZeroU128, isize NonZeroIsize, usize NonZeroUsize
);

impl ToValue for f32 {
    fn to_value(&self) -> Value<'_> {
        Value::F64(f64::from(*self))
    }
}

impl ToValue for f64 {
    fn to_value(&self) -> Value<'_> {
        Value::F64(*self)
    }
}

impl ToValue for str {
    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Str(Cow::Borrowed(self))
    }

    #[inline]
    fn __record(&self, index: usize, to: &mut dyn Arguments) {
        to.text(index, self);
    }
}

impl ToValue for String {
    #[inline]
    fn to_value(&self) -> Value<'_> {
        self.as_str().to_value()
    }

    #[inline]
    fn __record(&self, index: usize, to: &mut dyn Arguments) {
        to.text(index, self);
    }
}

impl ToValue for Path {
    fn to_value(&self) -> Value<'_> {
        Value::Str(self.to_string_lossy())
    }
}

impl ToValue for PathBuf {
    fn to_value(&self) -> Value<'_> {
        self.as_path().to_value()
    }
}

impl ToValue for Duration {
    fn to_value(&self) -> Value<'_> {
        Value::F64(self.as_secs_f64())
    }
}

impl ToValue for SystemTime {
    fn to_value(&self) -> Value<'_> {
        text(time_text::system_time(*self))
    }
}

macro_rules! displayed {
    ($($type:ty),*) => {
        $(
            impl ToValue for $type {
                fn to_value(&self) -> Value<'_> {
                    text(self.to_string())
                }
            }
        )*
    };
}

displayed!(
    char,
    IpAddr,
    Ipv4Addr,
    Ipv6Addr,
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6
);

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::None, T::to_value)
    }
}

macro_rules! pointers {
    ($($type:ty),*) => {
        $(
            impl<T: ToValue + ?Sized> ToValue for $type {
                #[inline]
                fn to_value(&self) -> Value<'_> {
                    (**self).to_value()
                }

                #[inline]
                fn __record(&self, index: usize, to: &mut dyn Arguments) {
                    (**self).__record(index, to);
                }
            }
        )*
    };
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: ToValue + ToOwned + ?Sized> ToValue for Cow<'_, T> {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for num::Wrapping<T> {
    fn to_value(&self) -> Value<'_> {
        self.0.to_value()
    }
}

impl<T: ToValue> ToValue for num::Saturating<T> {
    fn to_value(&self) -> Value<'_> {
        self.0.to_value()
    }
}

impl<T: ToValue> ToValue for [T] {
    fn to_value(&self) -> Value<'_> {
        array(self)
    }
}

impl<T: ToValue> ToValue for Vec<T> {
    fn to_value(&self) -> Value<'_> {
        array(self)
    }
}

impl<T: ToValue, const N: usize> ToValue for [T; N] {
    fn to_value(&self) -> Value<'_> {
        array(self)
    }
}

/// Kept out of line: it would make up most of a traced function that takes a `u64`.
#[cold]
fn large(integer: &impl ToString) -> Value<'static> {
    text(integer.to_string())
}

#[cold]
fn record_large(integer: &impl ToString, index: usize, to: &mut dyn Arguments) {
    to.argument(index, large(integer));
}

pub(super) fn text<'a>(text: String) -> Value<'a> {
    Value::Str(Cow::Owned(text))
}

/// An array of one type, as OpenTelemetry asks for: absent elements are left out, mixed ones become
/// texts, and an array of arrays is no attribute at all.
fn array<T: ToValue>(elements: &[T]) -> Value<'_> {
    let mut values = Vec::with_capacity(elements.len().min(ELEMENTS));
    for element in elements.iter().take(ELEMENTS) {
        match element.to_value() {
            Value::None => {}
            Value::Array(_) => return Value::None,
            scalar => values.push(scalar),
        }
    }
    if values.windows(2).any(|pair| !same_kind(&pair[0], &pair[1])) {
        values.iter_mut().for_each(make_text);
    }
    Value::Array(values)
}

fn same_kind(a: &Value<'_>, b: &Value<'_>) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

fn make_text(value: &mut Value<'_>) {
    *value = match value {
        Value::Bool(v) => text(v.to_string()),
        Value::I64(v) => text(v.to_string()),
        Value::F64(v) => text(v.to_string()),
        Value::Str(_) | Value::None | Value::Array(_) => return,
    };
}

/// The same value, borrowing nothing.
pub(crate) fn into_owned<'a>(value: Value<'_>) -> Value<'a> {
    match value {
        Value::None => Value::None,
        Value::Bool(v) => Value::Bool(v),
        Value::I64(v) => Value::I64(v),
        Value::F64(v) => Value::F64(v),
        Value::Str(v) => text(v.into_owned()),
        Value::Array(v) => Value::Array(v.into_iter().map(into_owned).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn str(text: &str) -> Value<'_> {
        Value::Str(Cow::Borrowed(text))
    }

    #[test]
    fn integers_are_numbers_while_they_fit() {
        assert_eq!(7_u8.to_value(), Value::I64(7));
        assert_eq!((-7_isize).to_value(), Value::I64(-7));
        assert_eq!((i64::MAX as u64).to_value(), Value::I64(i64::MAX));
        assert_eq!(u64::MAX.to_value(), str("18446744073709551615"));
        assert_eq!(
            i128::MIN.to_value(),
            str("-170141183460469231731687303715884105728")
        );
        assert_eq!(num::NonZeroU16::MAX.to_value(), Value::I64(65535));
        assert_eq!(num::NonZeroU64::MAX.to_value(), str("18446744073709551615"));
        assert_eq!(num::Wrapping(3_i32).to_value(), Value::I64(3));
    }

    #[test]
    fn texts_are_borrowed_through_every_pointer() {
        let owned = String::from("text");
        let boxed: Box<str> = "text".into();
        let shared: Arc<str> = "text".into();
        let counted: Rc<str> = "text".into();
        let cow: Cow<'_, str> = Cow::Borrowed("text");
        for value in [
            owned.to_value(),
            boxed.to_value(),
            shared.to_value(),
            counted.to_value(),
            cow.to_value(),
            (&&owned).to_value(),
            Path::new("text").to_value(),
        ] {
            assert!(matches!(value, Value::Str(Cow::Borrowed("text"))));
        }
        assert_eq!('é'.to_value(), str("é"));
    }

    #[test]
    fn none_is_no_attribute() {
        assert_eq!(None::<&str>.to_value(), Value::None);
        assert_eq!(Some(Box::new(1.5_f32)).to_value(), Value::F64(1.5));
    }

    #[test]
    fn times_and_addresses() {
        assert_eq!(Duration::from_millis(1500).to_value(), Value::F64(1.5));
        assert_eq!(
            SystemTime::UNIX_EPOCH.to_value(),
            str("1970-01-01T00:00:00Z")
        );
        assert_eq!(IpAddr::V6(Ipv6Addr::LOCALHOST).to_value(), str("::1"));
        let socket = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 0);
        assert_eq!(SocketAddr::V6(socket).to_value(), str("[::1]:80"));
    }

    #[test]
    fn arrays_hold_scalars_of_one_type() {
        assert_eq!(
            [1_u8, 2].to_value(),
            Value::Array(vec![Value::I64(1), Value::I64(2)])
        );
        assert_eq!(
            vec![1, u128::MAX].to_value(),
            Value::Array(vec![
                str("1"),
                str("340282366920938463463374607431768211455")
            ])
        );
        assert_eq!(
            [Some("a"), None].as_slice().to_value(),
            Value::Array(vec![str("a")])
        );
        assert_eq!(vec![vec![1]].to_value(), Value::None);
        let many = vec![true; 1000];
        let Value::Array(elements) = many.to_value() else {
            panic!("an array expected");
        };
        assert_eq!(elements.len(), ELEMENTS);
    }
}
