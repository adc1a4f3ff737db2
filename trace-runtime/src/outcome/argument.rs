//! The arguments of a traced function: recorded if their type is a value, passed over otherwise.

use std::ops::Deref;

use crate::{ToValue, Value};

/// The span that is about to start, as far as an argument needs to know it.
pub trait Arguments {
    /// Whether arguments are recorded; no value is converted otherwise.
    fn wants(&self) -> bool;

    /// Records the argument whose key stands at this position among the call site's.
    fn argument(&mut self, index: usize, value: Value<'_>);

    /// The same for an integer.
    #[inline]
    fn integer(&mut self, index: usize, value: i64) {
        self.argument(index, Value::I64(value));
    }

    /// The same for a text.
    #[inline]
    fn text(&mut self, index: usize, text: &str) {
        self.argument(index, Value::Str(text.into()));
    }
}

impl<A: Arguments> Arguments for &mut A {
    fn wants(&self) -> bool {
        (**self).wants()
    }

    fn argument(&mut self, index: usize, value: Value<'_>) {
        (**self).argument(index, value);
    }

    fn integer(&mut self, index: usize, value: i64) {
        (**self).integer(index, value);
    }

    fn text(&mut self, index: usize, text: &str) {
        (**self).text(index, text);
    }
}

/// An argument of any type.
#[derive(Debug)]
pub struct Arg<'a, T: ?Sized>(pub &'a T);

impl<T: ToValue + ?Sized> Arg<'_, T> {
    /// Records the argument and hands the span on, which costs the compiler less than lending it.
    #[inline]
    pub fn __record<A: Arguments>(&self, mut arguments: A, index: usize) -> A {
        if arguments.wants() {
            self.0.__record(index, &mut arguments);
        }
        arguments
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
    pub fn __record<A: Arguments>(&self, arguments: A, _index: usize) -> A {
        arguments
    }
}
