//! Headers of any client library, between its types and ours.

use std::borrow::Cow;

use crate::{Extract, Inject};

use super::{IntoMessage, Message};

/// Names and bytes, in order; a name may come twice, and a value may be absent.
///
/// To read, collect what a client library has; to write, begin with [`Headers::new`], or with what the
/// message has already, and hand over what [`iter`](Self::iter) yields. The [module](super) shows both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a>(Vec<Header<'a>>);

type Header<'a> = (Cow<'a, str>, Option<Cow<'a, [u8]>>);

impl Headers<'_> {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The headers in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.0
            .iter()
            .map(|(name, value)| (&**name, value.as_deref()))
    }
}

impl<'a> FromIterator<(&'a str, &'a [u8])> for Headers<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a [u8])>>(headers: I) -> Self {
        let some = |(name, value)| (name, Some(value));
        headers.into_iter().map(some).collect()
    }
}

impl<'a> FromIterator<(&'a str, Option<&'a [u8]>)> for Headers<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, Option<&'a [u8]>)>>(headers: I) -> Self {
        let borrowed = |(name, value): (&'a str, Option<&'a [u8]>)| {
            (Cow::Borrowed(name), value.map(Cow::Borrowed))
        };
        Self(headers.into_iter().map(borrowed).collect())
    }
}

impl Inject for Headers<'_> {
    fn set(&mut self, name: &str, value: String) {
        Inject::remove(self, name);
        let value = Cow::Owned(value.into_bytes());
        self.0.push((Cow::Owned(name.to_owned()), Some(value)));
    }

    fn remove(&mut self, name: &str) {
        self.0
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }
}

impl Extract for Headers<'_> {
    fn get_all(&self, name: &str) -> Vec<&str> {
        // A value that is absent or no text counts, as one that no format accepts.
        self.0
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_deref().unwrap_or_default())
            .map(|bytes| std::str::from_utf8(bytes).unwrap_or_default())
            .collect()
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| &**name).collect()
    }
}

impl<'a> IntoMessage for Headers<'a> {
    type Headers = Self;

    fn into_message(self) -> Message<Self> {
        Message::new(self)
    }
}
