//! What a context travels in.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use super::Format;

/// A place to write headers to.
///
/// Implemented for [`HeaderMap`], [`http::Request`], maps and lists of strings, lists of byte
/// values (Kafka, AMQP), [`std::process::Command`], whose child gets them as `TRACEPARENT` etc., and
/// with the feature `tonic` for `tonic::metadata::MetadataMap` and `tonic::Request`.
///
/// ```
/// use trace_runtime::propagation::Inject;
///
/// struct Metadata(Vec<(String, String)>);
///
/// impl Inject for Metadata {
///     fn set(&mut self, name: &str, value: String) {
///         self.0.set(name, value);
///     }
/// }
/// # let mut metadata = Metadata(Vec::new());
/// # trace_runtime::propagation::inject(&mut metadata);
/// ```
pub trait Inject {
    /// Sets a header and replaces the ones of that name in any case. Names are lower-case.
    fn set(&mut self, name: &str, value: String);

    /// Removes a header that a forwarded request may have left and that contradicts the ones set.
    fn remove(&mut self, name: &str) {
        let _ = name;
    }
}

/// A place to read headers from.
///
/// Implemented for the same types as [`Inject`], and for [`Environment`].
///
/// ```
/// use trace_runtime::propagation::Extract;
///
/// struct Metadata(Vec<(String, String)>);
///
/// impl Extract for Metadata {
///     fn get_all(&self, name: &str) -> Vec<&str> {
///         self.0.get_all(name)
///     }
/// }
/// # trace_runtime::propagation::extract(&Metadata(Vec::new()));
/// ```
pub trait Extract {
    /// All values of a header, in order, found without regard to case.
    ///
    /// Leave none out: a header that comes twice where it must come once is invalid.
    fn get_all(&self, name: &str) -> Vec<&str>;

    /// The names of all headers; only Jaeger's `uberctx-*` needs them.
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Stands for a value that is not text, so that it counts, and no format accepts it.
const NOT_TEXT: &str = "\u{fffd}";

pub(super) fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or(NOT_TEXT)
}

impl<T: Inject + ?Sized> Inject for &mut T {
    fn set(&mut self, name: &str, value: String) {
        (**self).set(name, value);
    }

    fn remove(&mut self, name: &str) {
        (**self).remove(name);
    }
}

impl<T: Extract + ?Sized> Extract for &T {
    fn get_all(&self, name: &str) -> Vec<&str> {
        (**self).get_all(name)
    }

    fn names(&self) -> Vec<&str> {
        (**self).names()
    }
}

impl<T: Extract + ?Sized> Extract for &mut T {
    fn get_all(&self, name: &str) -> Vec<&str> {
        (**self).get_all(name)
    }

    fn names(&self) -> Vec<&str> {
        (**self).names()
    }
}

impl Inject for HeaderMap {
    fn set(&mut self, name: &str, value: String) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            self.insert(name, value);
        }
    }

    fn remove(&mut self, name: &str) {
        HeaderMap::remove(self, name);
    }
}

impl Extract for HeaderMap {
    fn get_all(&self, name: &str) -> Vec<&str> {
        HeaderMap::get_all(self, name)
            .iter()
            .map(|value| text(value.as_bytes()))
            .collect()
    }

    fn names(&self) -> Vec<&str> {
        self.keys().map(HeaderName::as_str).collect()
    }
}

impl<B> Inject for http::Request<B> {
    fn set(&mut self, name: &str, value: String) {
        self.headers_mut().set(name, value);
    }

    fn remove(&mut self, name: &str) {
        Inject::remove(self.headers_mut(), name);
    }
}

impl<B> Extract for http::Request<B> {
    fn get_all(&self, name: &str) -> Vec<&str> {
        Extract::get_all(self.headers(), name)
    }

    fn names(&self) -> Vec<&str> {
        self.headers().names()
    }
}

impl Extract for http::request::Parts {
    fn get_all(&self, name: &str) -> Vec<&str> {
        Extract::get_all(&self.headers, name)
    }

    fn names(&self) -> Vec<&str> {
        self.headers.names()
    }
}

impl<S: BuildHasher> Inject for HashMap<String, String, S> {
    fn set(&mut self, name: &str, value: String) {
        Inject::remove(self, name);
        self.insert(name.to_owned(), value);
    }

    fn remove(&mut self, name: &str) {
        self.retain(|key, _| !key.eq_ignore_ascii_case(name));
    }
}

impl Inject for BTreeMap<String, String> {
    fn set(&mut self, name: &str, value: String) {
        Inject::remove(self, name);
        self.insert(name.to_owned(), value);
    }

    fn remove(&mut self, name: &str) {
        self.retain(|key, _| !key.eq_ignore_ascii_case(name));
    }
}

impl<V: From<String>> Inject for Vec<(String, V)> {
    fn set(&mut self, name: &str, value: String) {
        Inject::remove(self, name);
        self.push((name.to_owned(), value.into()));
    }

    fn remove(&mut self, name: &str) {
        self.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }
}

fn values_of<'a, K, V>(pairs: impl Iterator<Item = (&'a K, &'a V)>, name: &str) -> Vec<&'a str>
where
    K: AsRef<str> + 'a,
    V: AsRef<[u8]> + 'a,
{
    pairs
        .filter(|(key, _)| key.as_ref().eq_ignore_ascii_case(name))
        .map(|(_, value)| text(value.as_ref()))
        .collect()
}

impl<K: AsRef<str>, V: AsRef<[u8]>, S> Extract for HashMap<K, V, S> {
    fn get_all(&self, name: &str) -> Vec<&str> {
        values_of(self.iter(), name)
    }

    fn names(&self) -> Vec<&str> {
        self.keys().map(AsRef::as_ref).collect()
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Extract for BTreeMap<K, V> {
    fn get_all(&self, name: &str) -> Vec<&str> {
        values_of(self.iter(), name)
    }

    fn names(&self) -> Vec<&str> {
        self.keys().map(AsRef::as_ref).collect()
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Extract for [(K, V)] {
    fn get_all(&self, name: &str) -> Vec<&str> {
        values_of(self.iter().map(|(key, value)| (key, value)), name)
    }

    fn names(&self) -> Vec<&str> {
        self.iter().map(|(key, _)| key.as_ref()).collect()
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Extract for Vec<(K, V)> {
    fn get_all(&self, name: &str) -> Vec<&str> {
        self.as_slice().get_all(name)
    }

    fn names(&self) -> Vec<&str> {
        self.as_slice().names()
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>, const N: usize> Extract for [(K, V); N] {
    fn get_all(&self, name: &str) -> Vec<&str> {
        self.as_slice().get_all(name)
    }

    fn names(&self) -> Vec<&str> {
        self.as_slice().names()
    }
}

/// The environment of a process as a carrier, for jobs that a traced process started.
///
/// A header `uber-trace-id` is the variable `UBER_TRACE_ID`. The variables are read once, through
/// the given function, usually `|name| std::env::var(name).ok()`.
///
/// ```
/// use trace_runtime::propagation::{Environment, extract};
///
/// let environment = Environment::new(|name| std::env::var(name).ok());
/// let cx = extract(&environment);
/// ```
#[derive(Clone, Debug)]
pub struct Environment(Vec<(&'static str, String)>);

impl Environment {
    /// Reads the variables of every known header.
    pub fn new(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let names = Format::ALL.iter().flat_map(|format| format.fields());
        let read = |name: &&'static str| {
            let value = lookup(&variable(name)).filter(|value| !value.is_empty())?;
            Some((*name, value))
        };
        Environment(names.filter_map(read).collect())
    }
}

fn variable(header: &str) -> String {
    header.to_ascii_uppercase().replace('-', "_")
}

impl Extract for Environment {
    fn get_all(&self, name: &str) -> Vec<&str> {
        self.0.get_all(name)
    }

    fn names(&self) -> Vec<&str> {
        self.0.names()
    }
}

impl Inject for std::process::Command {
    fn set(&mut self, name: &str, value: String) {
        self.env(variable(name), value);
    }

    fn remove(&mut self, name: &str) {
        self.env_remove(variable(name));
    }
}
