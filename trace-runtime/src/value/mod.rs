//! What a span attribute can hold, and which types can become one.

mod convert;
mod foreign;
mod limit;
mod std_types;
mod time_text;

pub(crate) use limit::{ValueLimits, limit};
pub(crate) use std_types::into_owned;

use std::borrow::Cow;

use crate::outcome::Arguments;

/// The value of a span attribute, borrowed where it can be.
///
/// [`ToValue`] makes one of an argument, [`SpanView`](crate::SpanView) gives one back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// No value: the attribute is left out.
    None,
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    I64(i64),
    /// A 64-bit float.
    F64(f64),
    /// A text.
    Str(Cow<'a, str>),
    /// An array of scalars; OpenTelemetry asks for elements of one type.
    Array(Vec<Value<'a>>),
}

/// A type that can be recorded as a span attribute.
///
/// `#[traced]` records every argument whose type implements this trait under the argument's name
/// and passes over the others.
///
/// | type | recorded as |
/// |---|---|
/// | `bool`, integers, `f32`, `f64`, `NonZero*`, `Wrapping` | the value; an integer past `i64` as text |
/// | `char`, `str`, `String`, `Path`, `IpAddr`, `SocketAddr` | text |
/// | `Duration` | seconds, a float |
/// | `SystemTime` | RFC 3339 text, in UTC |
/// | `Option<T>` | the value, or no attribute |
/// | slices, `Vec<T>`, arrays | an array of the first 64 elements |
/// | `&T`, `&mut T`, `Box<T>`, `Rc<T>`, `Arc<T>`, `Cow<T>` | as `T` |
/// | feature `http`: `Method`, `StatusCode`, `Uri`, `HeaderName`, `HeaderValue`, `Version` and their parts | text, the status code as an integer |
/// | features `uuid`, `url` | text |
/// | features `chrono`, `time` | RFC 3339 text, in UTC where there is an offset; durations as seconds |
///
/// The user name and password of a URL are never recorded. For types of one's own there is
/// `#[derive(ToValue)]`, for newtypes and enums without fields, or an implementation by hand:
///
/// ```
/// use trace_runtime::{ToValue, Value};
///
/// struct OrderId(u64);
///
/// impl ToValue for OrderId {
///     fn to_value(&self) -> Value<'_> {
///         self.0.to_value()
///     }
/// }
///
/// assert_eq!(OrderId(7).to_value(), Value::I64(7));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as a span attribute",
    note = "write `?value` for its `Debug` output, `%value` for `Display`, or implement `ToValue`"
)]
pub trait ToValue {
    /// The value to record; [`Value::None`] leaves the attribute out.
    fn to_value(&self) -> Value<'_>;

    /// Records the value as an argument; what most arguments are makes no [`Value`] on the way. Not
    /// public API.
    #[doc(hidden)]
    #[inline]
    fn __record(&self, index: usize, to: &mut dyn Arguments) {
        to.argument(index, self.to_value());
    }
}
