//! The macro `assert_trace!`: from what the user writes to what [`expected`](super::expected) checks.

/// Asserts that the captured spans are these, and explains it if they are not.
///
/// ```text
/// assert_trace!(CAPTURE, SPANS)
/// SPANS      := (SPAN,)* [..]                     in any order; `..` allows spans of other names
/// SPAN       := "name" [* COUNT] [[ATTRIBUTES]] [{ SPANS }]
/// COUNT      := 3 | 1..=3 | 1.. | ..=3 | ..       1 without it
/// ATTRIBUTES := (KEY = VALUE | KEY = _ | !KEY),*  the value; any value; none
/// KEY        := error.type | "error.type"
/// ```
///
/// - The spans in one pair of braces are *all* the spans that stand there, unless the last thing in it is
///   `..`. Without braces anything may be below a span; `{}` says that nothing is.
/// - Spans stand in any order. Where several of one name are expected, with different attributes or
///   different children, each span is taken for one of them.
/// - A value is any expression that implements [`ToValue`](crate::ToValue), and types count: `3` is
///   neither `"3"` nor `3.0`. Attributes that are not mentioned may be there.
/// - What Jaeger shows as tags has its name there: `error` (a bool), `otel.status_description`, and
///   `span.kind`, which is `"internal"`, `"server"`, `"client"`, `"producer"` or `"consumer"`.
///
/// ```
/// use trace_runtime::testing::{assert_trace, capture};
/// use trace_runtime::{Failure, traced};
///
/// #[derive(Debug, Failure)]
/// enum PaymentError {
///     CardDeclined,
/// }
///
/// #[traced("db::item")]
/// fn item(id: u64) {}
///
/// #[traced("Payments::charge", kind = client)]
/// fn charge(amount: u64) -> Result<(), PaymentError> {
///     Err(PaymentError::CardDeclined)
/// }
///
/// #[traced]
/// fn checkout() -> Result<(), PaymentError> {
///     (1..=2).for_each(item);
///     charge(120)
/// }
///
/// let capture = capture();
/// capture.scope(checkout).unwrap_err();
///
/// assert_trace!(capture, "checkout" [error = true] {
///     "db::item" * ..=3 {},
///     "Payments::charge" [error.type = "CardDeclined", span.kind = "client", amount = 120],
/// });
/// assert_trace!(capture, "checkout" { "db::item" * 2, .. });
/// ```
///
/// # Panics
///
/// If the spans differ. The message begins with the first difference and shows both trees:
///
/// ```text
/// the trace differs: expected `db::item` once below `checkout`, found 2
///
/// expected             | actual
/// checkout             | checkout {error.type="CardDeclined"} !error "CardDeclined"
///   db::item           |   db::item {id=1}
///                      ≠   db::item {id=2}
///   Payments::charge   |   Payments::charge [client] {amount=120, error.type="CardDeclined"} !error "CardDeclined"
/// ```
#[macro_export]
macro_rules! assert_trace {
    ($capture:expr, $($spans:tt)*) => {
        $crate::testing::expected::check(
            &$capture.spans(),
            &$crate::__expected_spans!($($spans)*),
        )
    };
    ($capture:expr) => {
        $crate::assert_trace!($capture,)
    };
}

/// Spans with the same parent. Not recursive but for what is in braces, so that a long list does not
/// meet the compiler's limit. The variables that never match anything stand where a repetition has
/// nothing else to count by.
#[doc(hidden)]
#[macro_export]
macro_rules! __expected_spans {
    ($(
        $name:literal
        $(*
            $(..= $at_most:literal)?
            $(.. $($unused:lifetime)?)?
            $($times:literal $(..= $up_to:literal)? $(.. $($less_than:literal)?)?)?
        )?
        $([$($attributes:tt)*])?
        $({$($children:tt)*})?
    ),* $(,)? $(.. $($never:lifetime)?)?) => {
        $crate::testing::expected::Siblings::new(::std::vec![$({
            let span = $crate::testing::expected::Expected::new($name);
            $(
                $(let span = span.at_most($at_most);)?
                $(
                    let span = span.times(0).or_more();
                    $($unused)?
                )?
                $(
                    let span = span.times($times);
                    $(let span = span.up_to($up_to);)?
                    $(
                        let span = span.or_more();
                        $(let span = span.less_than($less_than);)?
                    )?
                )?
            )?
            $(let span = $crate::__expected_attributes!(span; $($attributes)*);)?
            $(let span = span.children($crate::__expected_spans!($($children)*));)?
            span
        }),*])
        $(.open() $($never)?)?
    };
}

/// The attributes of one span.
#[doc(hidden)]
#[macro_export]
macro_rules! __expected_attributes {
    ($span:expr; $(,)?) => {
        $span
    };
    ($span:expr; $word:ident $(. $words:ident)* = $($rest:tt)*) => {
        $crate::__expected_attributes!(
            @$span; ::std::concat!(::std::stringify!($word) $(, ".", ::std::stringify!($words))*);
            $($rest)*
        )
    };
    ($span:expr; $key:literal = $($rest:tt)*) => {
        $crate::__expected_attributes!(@$span; $key; $($rest)*)
    };
    ($span:expr; ! $word:ident $(. $words:ident)* $(, $($rest:tt)*)?) => {
        $crate::__expected_attributes!(
            $span.without(
                ::std::concat!(::std::stringify!($word) $(, ".", ::std::stringify!($words))*)
            );
            $($($rest)*)?
        )
    };
    ($span:expr; ! $key:literal $(, $($rest:tt)*)?) => {
        $crate::__expected_attributes!($span.without($key); $($($rest)*)?)
    };
    (@$span:expr; $key:expr; _ $(, $($rest:tt)*)?) => {
        $crate::__expected_attributes!($span.with_any($key); $($($rest)*)?)
    };
    (@$span:expr; $key:expr; $value:expr $(, $($rest:tt)*)?) => {
        $crate::__expected_attributes!($span.with($key, &$value); $($($rest)*)?)
    };
}
