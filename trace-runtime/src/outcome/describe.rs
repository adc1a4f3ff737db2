//! What is said about an error: its type, its text, its causes.

use std::any::type_name;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::{io, iter};

use opentelemetry::trace::SpanKind;

use super::{Exception, Failed, Failure};

/// `error.type` when nothing better is known, as the semantic conventions want it.
pub(super) const OTHER: &str = "_OTHER";

const DESCRIPTION_BYTES: usize = 4 * 1024;
const STACKTRACE_BYTES: usize = 16 * 1024;

/// A chain of sources may be a circle.
const SOURCES: usize = 64;

/// How an error shows itself.
pub(super) enum Shown<'e> {
    Chain(&'e (dyn Error + 'e)),
    Display(&'e dyn Display),
    Debug(&'e dyn Debug),
    Nothing,
}

/// An error, once the look-up has found out what it is.
pub(super) struct Found<'e> {
    shown: Shown<'e>,
    /// The error itself, if it has its own mind.
    failure: Option<&'e dyn Failure>,
    /// The error's type, if it is not hidden behind `dyn Error`.
    type_name: Option<&'static str>,
    /// The text that the user asked for.
    description: Option<String>,
}

impl<'e> Found<'e> {
    pub(super) fn typed<E>(shown: Shown<'e>) -> Self {
        Self {
            type_name: plain_type_name(type_name::<E>()),
            ..Self::untyped(shown)
        }
    }

    pub(super) fn untyped(shown: Shown<'e>) -> Self {
        Self {
            shown,
            failure: None,
            type_name: None,
            description: None,
        }
    }

    pub(super) fn deciding(self, failure: &'e dyn Failure) -> Self {
        Self {
            failure: Some(failure),
            ..self
        }
    }

    pub(super) fn described(self, description: fmt::Arguments<'_>) -> Self {
        Self {
            description: Some(bounded(description, DESCRIPTION_BYTES)),
            ..self
        }
    }

    pub(super) fn is_failure(&self, kind: SpanKind) -> bool {
        self.failure.is_none_or(|failure| failure.is_failure(kind))
    }

    pub(super) fn into_failed(self) -> Failed {
        let type_name = self.type_name();
        Failed {
            error_type: match self.failure {
                Some(failure) => failure.error_type(),
                None => type_name.clone(),
            },
            exception: Some(Exception {
                type_name,
                stacktrace: stacktrace(self.source()),
                identity: self.identity(),
            }),
            description: match self.description {
                Some(description) => description,
                None => self.shown.text(),
            },
        }
    }

    fn type_name(&self) -> Cow<'static, str> {
        match (self.type_name, &self.shown) {
            (Some(name), _) => name.into(),
            (None, Shown::Chain(error)) => match io_kind(*error) {
                Some(kind) => kind.into(),
                None => OTHER.into(),
            },
            (None, _) => OTHER.into(),
        }
    }

    fn source(&self) -> Option<&'e (dyn Error + 'static)> {
        match self.shown {
            Shown::Chain(error) => error.source(),
            _ => None,
        }
    }

    /// Told by the innermost source, because what wraps it changes as the error bubbles up.
    fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let text = match sources(self.source()).last() {
            Some(root) => bounded(format_args!("{root}"), DESCRIPTION_BYTES),
            None => self.shown.text(),
        };
        if text.is_empty() {
            self.type_name.hash(&mut hasher);
        }
        text.hash(&mut hasher);
        hasher.finish()
    }
}

impl Shown<'_> {
    fn text(&self) -> String {
        match self {
            Self::Chain(error) => chain(*error),
            Self::Display(error) => bounded(format_args!("{error}"), DESCRIPTION_BYTES),
            Self::Debug(error) => bounded(format_args!("{error:?}"), DESCRIPTION_BYTES),
            Self::Nothing => String::new(),
        }
    }
}

/// The error and its sources, each but those that the text before already ends with.
fn chain(error: &dyn Error) -> String {
    let mut chain = Bounded::new(DESCRIPTION_BYTES);
    let _ = write!(chain, "{error}");
    let mut end = chain.text.len();
    for source in sources(error.source()) {
        // Written where it belongs, and taken away again if it was there before.
        let separator = ": ";
        let _ = write!(chain, "{separator}{source}");
        let (before, cause) = chain.text.split_at(end);
        if before.ends_with(cause.get(separator.len()..).unwrap_or(cause)) {
            chain.text.truncate(end);
        }
        end = chain.text.len();
        if chain.is_full() {
            break;
        }
    }
    chain.text
}

fn sources<'e>(
    first: Option<&'e (dyn Error + 'static)>,
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(first, |&error| error.source()).take(SOURCES)
}

/// The list of causes, and where we are if the process wants backtraces.
fn stacktrace(first: Option<&(dyn Error + 'static)>) -> Option<String> {
    let mut text = Bounded::new(STACKTRACE_BYTES);
    // A full text is no error.
    let _ = write_stacktrace(&mut text, first);
    (!text.text.is_empty()).then_some(text.text)
}

fn write_stacktrace(text: &mut Bounded, first: Option<&(dyn Error + 'static)>) -> fmt::Result {
    if first.is_some() {
        text.write_str("Caused by:")?;
    }
    for (index, source) in sources(first).enumerate() {
        write!(text, "\n    {index}: {source}")?;
    }
    // Looks at `RUST_LIB_BACKTRACE` and `RUST_BACKTRACE` once and costs nothing without them.
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        if first.is_some() {
            text.write_str("\n\n")?;
        }
        write!(text, "Stack backtrace:\n{backtrace}")?;
    }
    Ok(())
}

/// The kind of the first `io::Error` among the error and its sources.
pub(super) fn io_kind(error: &dyn Error) -> Option<String> {
    top_io_kind(error).or_else(|| {
        sources(error.source())
            .find_map(|source| source.downcast_ref::<io::Error>())
            .map(|error| format!("{:?}", error.kind()))
    })
}

/// The kind of the error itself, read from its `Debug` output.
///
/// A `Box<dyn Error + 'a>` is not `'static`, so it cannot be downcast, and no look-up can tell it
/// from one that is. Should `Debug` of `io::Error` ever change, the type becomes `_OTHER` again.
fn top_io_kind(error: &dyn Error) -> Option<String> {
    let debug = bounded(format_args!("{error:?}"), DESCRIPTION_BYTES);
    let rest = if let Some(rest) = debug.strip_prefix("Os { code: ") {
        rest.split_once(", kind: ")?.1
    } else {
        ["Custom { kind: ", "Error { kind: ", "Kind("]
            .iter()
            .find_map(|start| debug.strip_prefix(start))?
    };
    let end = rest.find(|c: char| !c.is_ascii_alphabetic())?;
    let (kind, rest) = rest.split_at(end);
    let follows = [", error: ", ", message: ", ")"];
    let is_io = !kind.is_empty() && follows.iter().any(|next| rest.starts_with(next));
    is_io.then(|| kind.to_owned())
}

/// The name of an error's type without generics, and without the pointers to it.
fn plain_type_name(name: &'static str) -> Option<&'static str> {
    const POINTERS: [&str; 5] = [
        "&",
        "mut ",
        "alloc::boxed::Box<",
        "alloc::rc::Rc<",
        "alloc::sync::Arc<",
    ];
    let mut name = name;
    while let Some(inner) = POINTERS
        .iter()
        .find_map(|pointer| name.strip_prefix(pointer))
    {
        name = inner;
    }
    if name.starts_with("dyn ") {
        return None;
    }
    let end = name.find(['<', '>', ',']).unwrap_or(name.len());
    Some(&name[..end]).filter(|name| !name.is_empty())
}

/// The text, as far as it fits. A `fmt` that fails ends it, where `to_string` would panic.
fn bounded(arguments: fmt::Arguments<'_>, bytes: usize) -> String {
    let mut bounded = Bounded::new(bytes);
    let _ = bounded.write_fmt(arguments);
    bounded.text
}

struct Bounded {
    text: String,
    bytes: usize,
}

impl Bounded {
    fn new(bytes: usize) -> Self {
        Self {
            // Longer than most messages, so that few have to move as they grow.
            text: String::with_capacity(bytes.min(128)),
            bytes,
        }
    }

    fn is_full(&self) -> bool {
        self.text.len() >= self.bytes
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let left = self.bytes - self.text.len();
        if piece.len() <= left {
            self.text.push_str(piece);
            return Ok(());
        }
        let end = (0..=left)
            .rev()
            .find(|&end| piece.is_char_boundary(end))
            .unwrap_or(0);
        self.text.push_str(&piece[..end]);
        // Stops whoever writes.
        self.bytes = self.text.len();
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_lose_generics_and_pointers() {
        struct Generic<T>(T);
        for (name, expected) in [
            (type_name::<io::Error>(), Some("std::io::error::Error")),
            (type_name::<Box<io::Error>>(), Some("std::io::error::Error")),
            (type_name::<&&mut str>(), Some("str")),
            (type_name::<String>(), Some("alloc::string::String")),
            (type_name::<()>(), Some("()")),
            (type_name::<Box<dyn Error + Send + Sync>>(), None),
            (type_name::<&dyn Error>(), None),
        ] {
            assert_eq!(plain_type_name(name), expected);
        }
        let generic = plain_type_name(type_name::<Generic<Vec<u8>>>()).unwrap();
        assert!(generic.ends_with("::Generic"), "{generic}");
    }

    #[test]
    fn every_form_of_io_error_is_recognised() {
        for error in [
            io::Error::from_raw_os_error(2),
            io::ErrorKind::NotFound.into(),
            io::Error::new(io::ErrorKind::NotFound, "custom"),
        ] {
            assert_eq!(top_io_kind(&error).as_deref(), Some("NotFound"));
        }
        // A constant message: what `read_exact` reports.
        let mut byte = [0];
        let error = io::Read::read_exact(&mut io::empty(), &mut byte).unwrap_err();
        assert_eq!(top_io_kind(&error).as_deref(), Some("UnexpectedEof"));
        assert_eq!(top_io_kind(&fmt::Error), None);
    }

    #[test]
    fn a_chain_says_nothing_twice_and_has_an_end() {
        #[derive(Debug)]
        struct Link(&'static str, Option<Box<Link>>);

        impl Display for Link {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }

        impl Error for Link {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                self.1.as_deref().map(|source| source as _)
            }
        }

        let texts = |texts: &[&'static str]| {
            let next = |source, &text: &&'static str| Some(Box::new(Link(text, source)));
            chain(&*texts.iter().rev().fold(None, next).unwrap())
        };
        assert_eq!(texts(&["a", "b", "c"]), "a: b: c");
        assert_eq!(texts(&["a: b", "b", "", "c"]), "a: b: c");
        let long: &str = "x".repeat(5000).leak();
        assert_eq!(texts(&["a", long, "b"]).len(), DESCRIPTION_BYTES);
        assert_eq!(texts(&[long, "b"]), long[..DESCRIPTION_BYTES]);
    }

    #[test]
    fn a_text_ends_on_a_character_boundary() {
        assert_eq!(bounded(format_args!("aé"), 3), "aé");
        assert_eq!(bounded(format_args!("aéb"), 2), "a");
        assert_eq!(bounded(format_args!("{}{}", "aé", "b"), 2), "a");
    }
}
