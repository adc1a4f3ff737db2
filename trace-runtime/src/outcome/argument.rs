//! The arguments of a traced function: recorded if their type is a value, passed over otherwise.
//! And its whole return value, which has to be shown one way or the other.

use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Deref;

use crate::{ToValue, Value};

/// The span that is about to start, as far as an argument needs to know it.
pub trait Arguments {
    /// Whether arguments are recorded; no value is converted otherwise.
    fn wants(&self) -> bool;

    /// Records the argument whose key stands at this position among the call site's.
    fn argument(&mut self, index: usize, value: Value<'_>);
}

/// An argument of any type.
#[derive(Debug)]
pub struct Arg<'a, T: ?Sized>(pub &'a T);

impl<T: ToValue + ?Sized> Arg<'_, T> {
    /// Records the argument.
    #[inline]
    pub fn __record<A: Arguments>(&self, arguments: &mut A, index: usize) {
        if arguments.wants() {
            arguments.argument(index, self.0.to_value());
        }
    }
}

impl<T: ?Sized> Deref for Arg<'_, T> {
    type Target = NoValue;

    #[inline]
    fn deref(&self) -> &NoValue {
        &NoValue
    }
}

/// An argument that cannot be recorded.
#[derive(Debug)]
pub struct NoValue;

impl NoValue {
    /// Passes over the argument.
    #[inline]
    pub fn __record<A: Arguments>(&self, _arguments: &mut A, _index: usize) {}
}

/// The span whose function has returned, as far as values from then need to know it.
pub trait LateArguments {
    /// Records the value whose key stands at this position among the call site's.
    fn late(&self, index: usize, value: Value<'_>);
}

/// The value that a function returned, to be recorded as a whole.
#[inline]
pub fn whole<T: ?Sized>(ret: &T) -> Whole<'_, T> {
    Whole(WholeDebug(ret))
}

/// A returned value, recorded as a value.
#[derive(Debug)]
pub struct Whole<'r, T: ?Sized>(WholeDebug<'r, T>);

impl<T: ToValue + ?Sized> Whole<'_, T> {
    /// Records the value.
    pub fn __record<S: LateArguments>(&self, span: &S, index: usize) {
        span.late(index, self.0.0.to_value());
    }
}

impl<'r, T: ?Sized> Deref for Whole<'r, T> {
    type Target = WholeDebug<'r, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A returned value, recorded by its `Debug` output.
#[derive(Debug)]
pub struct WholeDebug<'r, T: ?Sized>(&'r T);

impl<T: ?Sized> WholeDebug<'_, T> {
    /// Records the text.
    pub fn __record<S: LateArguments>(&self, span: &S, index: usize)
    where
        T: Debug,
    {
        let text = format!("{:?}", self.0);
        span.late(index, Value::Str(Cow::Owned(text)));
    }
}
