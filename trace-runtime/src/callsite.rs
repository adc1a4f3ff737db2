//! What is constant about one traced function, known to the process under a small number.
//!
//! The macro emits one [`Callsite`] static per function. The first span that starts there turns it
//! into a [`Site`]: name, code attributes, scope, which keys hide their values. Records carry only
//! the site's number, so whatever a site says is stored, and later encoded, once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use once_cell::sync::OnceCell;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::SpanKind;

use crate::Value;
use crate::redact::{self, Secrecy};

/// The level of a traced function: how important its spans are.
///
/// `TRACED_LEVEL` and `TRACED_FILTER` choose which levels are recorded; the default is `info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Only what must never be missed.
    Error = 1,
    /// What deserves attention.
    Warn = 2,
    /// The default.
    Info = 3,
    /// What helps to find a fault.
    Debug = 4,
    /// Everything else.
    Trace = 5,
}

/// One traced function, as the macro writes it down. Not public API.
#[derive(Debug)]
pub struct Callsite {
    /// Number of the registered site plus one; 0 until a span starts here.
    id: AtomicU32,
    /// Bits of the keys whose values are hidden, known once registered.
    hidden: AtomicU64,
    hidden_text: AtomicU64,
    pub(crate) level: Level,
    path: fn() -> &'static str,
    location: &'static Location<'static>,
    name: Option<&'static str>,
    kind: SpanKind,
    keys: &'static [&'static str],
    shown: u64,
    package: &'static str,
    version: &'static str,
    library: Option<&'static str>,
}

impl Callsite {
    /// The constant facts; `P` is a type declared inside the function, whose name tells the path.
    ///
    /// The keys are all that this function can record; values name them by position.
    #[track_caller]
    pub const fn new<P: 'static>(
        package: &'static str,
        version: &'static str,
        keys: &'static [&'static str],
    ) -> Self {
        Self {
            id: AtomicU32::new(0),
            hidden: AtomicU64::new(0),
            hidden_text: AtomicU64::new(0),
            level: Level::Info,
            path: std::any::type_name::<P>,
            location: Location::caller(),
            name: None,
            kind: SpanKind::Internal,
            keys,
            shown: 0,
            package,
            version,
            library: None,
        }
    }

    /// Where it is, found out at run time.
    pub(crate) fn at(
        mut self,
        path: fn() -> &'static str,
        location: &'static Location<'static>,
    ) -> Self {
        (self.path, self.location) = (path, location);
        self
    }

    /// A call site of ours rather than the user's: its scope has a schema URL, and its place in our
    /// code is of no interest.
    #[cfg(any(feature = "messaging", feature = "stream", feature = "tower"))]
    pub(crate) const fn library(mut self, schema_url: &'static str) -> Self {
        self.library = Some(schema_url);
        self
    }

    /// The span's name, instead of `Type::method`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The span's kind, instead of internal.
    pub const fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// The level, instead of info.
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Bit i: key i is recorded although its name looks like a secret's.
    pub const fn shown(mut self, mask: u64) -> Self {
        self.shown = mask;
        self
    }

    /// The number under which records name this call site.
    #[inline]
    pub(crate) fn site_id(&'static self) -> u32 {
        match self.id.load(Ordering::Acquire) {
            0 => self.register(),
            id => id - 1,
        }
    }

    #[cold]
    fn register(&'static self) -> u32 {
        let (mut hidden, mut hidden_text) = (0, 0);
        for (index, key) in self.keys.iter().enumerate() {
            match redact::secrecy(key) {
                _ if shown(self.shown, index) => {}
                Secrecy::Open => {}
                Secrecy::Secret => hidden |= bit(index),
                Secrecy::SecretText => hidden_text |= bit(index),
            }
        }
        self.hidden.store(hidden, Ordering::Relaxed);
        self.hidden_text.store(hidden_text, Ordering::Relaxed);
        let function = function_path((self.path)());
        let mut scope = InstrumentationScope::builder(self.package).with_version(self.version);
        if let Some(schema_url) = self.library {
            scope = scope.with_schema_url(schema_url);
        }
        let site = Site {
            name: self
                .name
                .map_or_else(|| span_name(&function).into(), Cow::Borrowed),
            code: self.library.is_none().then(|| Code {
                function,
                file: self.location.file(),
                line: self.location.line(),
            }),
            kind: self.kind.clone(),
            keys: self.keys,
            scope: scope.build(),
        };
        // Two threads may both arrive here: one of the two equal sites is never used.
        let id = register(site);
        self.id.store(id + 1, Ordering::Release);
        id
    }

    /// Whether the value under this key must not be recorded; `text` tells if the value is a text.
    #[inline]
    pub(crate) fn hides(&self, index: usize, text: bool) -> bool {
        let hidden = self.hidden.load(Ordering::Relaxed);
        let hidden_text = self.hidden_text.load(Ordering::Relaxed);
        if hidden | hidden_text == 0 {
            return false;
        }
        let bit = bit(index);
        hidden & bit != 0 || (text && hidden_text & bit != 0)
    }

    /// Whether the user asked for this key by name, which lifts every default redaction.
    pub(crate) fn shows(&self, index: usize) -> bool {
        shown(self.shown, index)
    }

    #[inline]
    pub(crate) fn kind_of(&self) -> &SpanKind {
        &self.kind
    }

    /// The key at this position.
    pub(crate) fn key(&self, index: usize) -> &'static str {
        self.keys.get(index).copied().unwrap_or("")
    }
}

/// Keys past the 64th share one bit, so that too much is hidden rather than too little.
fn bit(index: usize) -> u64 {
    1 << index.min(63)
}

fn shown(mask: u64, index: usize) -> bool {
    index < 64 && mask & bit(index) != 0
}

/// Where the traced function stands: the three `code.*` attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    /// `code.function.name`: the full path.
    pub(crate) function: String,
    /// `code.file.path`.
    pub(crate) file: &'static str,
    /// `code.line.number`.
    pub(crate) line: u32,
}

impl Code {
    /// The attributes, the function first.
    pub(crate) fn attributes(&self) -> [(&'static str, Value<'_>); 3] {
        [
            (
                "code.function.name",
                Value::Str(Cow::Borrowed(&self.function)),
            ),
            ("code.file.path", Value::Str(Cow::Borrowed(self.file))),
            ("code.line.number", Value::I64(i64::from(self.line))),
        ]
    }
}

/// A registered call site, or a scope and kind of the OpenTelemetry API.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: Cow<'static, str>,
    pub(crate) code: Option<Code>,
    pub(crate) kind: SpanKind,
    pub(crate) keys: &'static [&'static str],
    pub(crate) scope: InstrumentationScope,
}

impl Site {
    /// For people: the span's name, how many, where.
    pub(crate) fn describe(&self, count: i64) -> String {
        let times = if count == 1 {
            String::new()
        } else {
            format!(" ({count} times)")
        };
        match &self.code {
            Some(code) => format!("`{}`{times} at {}:{}", self.name, code.file, code.line),
            None => format!("a span of `{}`{times}", self.scope.name()),
        }
    }
}

/// Sites by number. Segments double in size and never move, so reading takes no lock.
static SEGMENTS: [OnceCell<Box<[OnceCell<Site>]>>; 20] = [const { OnceCell::new() }; 20];
static NEXT: AtomicU32 = AtomicU32::new(0);
const FIRST_SEGMENT: u32 = 64;

#[inline]
fn slot(id: u32) -> &'static OnceCell<Site> {
    let position = id / FIRST_SEGMENT + 1;
    let segment = position.ilog2();
    let start = ((1 << segment) - 1) * FIRST_SEGMENT;
    let cells = SEGMENTS[segment as usize].get_or_init(|| {
        (0..FIRST_SEGMENT << segment)
            .map(|_| OnceCell::new())
            .collect()
    });
    &cells[(id - start) as usize]
}

fn register(site: Site) -> u32 {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    slot(id).get_or_init(|| site);
    id
}

/// The site with this number.
///
/// # Panics
///
/// Never for a number from a record: sites are registered before a span starts.
#[inline]
pub(crate) fn site(id: u32) -> &'static Site {
    slot(id).get().expect("a record's site is registered")
}

/// The site of spans that are started through the OpenTelemetry API: one per scope and kind.
pub(crate) fn api_site(scope: &InstrumentationScope, kind: SpanKind) -> u32 {
    type Key = (InstrumentationScope, u8);
    static KNOWN: OnceCell<Mutex<HashMap<Key, u32>>> = OnceCell::new();
    let key = (scope.clone(), kind.clone() as u8);
    let mut known = KNOWN
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    *known.entry(key).or_insert_with(|| {
        register(Site {
            name: Cow::Borrowed(""),
            code: None,
            kind,
            keys: &[],
            scope: scope.clone(),
        })
    })
}

/// `type_name` of a type inside the function, as the path of the function.
fn function_path(inside: &str) -> String {
    let path = inside.strip_suffix("::__Here").unwrap_or(inside);
    let mut out = String::with_capacity(path.len());
    for part in path.split("::{{closure}}") {
        out.push_str(part);
    }
    out
}

/// The last two path segments if the first of them is a type, else the function's name.
fn span_name(function: &str) -> String {
    let plain = without_generics(function);
    let mut segments = plain.rsplit("::");
    let name = segments.next().unwrap_or(&plain);
    match segments.next() {
        Some(owner) if owner.starts_with(char::is_uppercase) => format!("{owner}::{name}"),
        _ => name.to_owned(),
    }
}

/// `<app::Orders<T> as app::Store>::save` becomes `app::Orders::save`.
fn without_generics(path: &str) -> String {
    let path = match path.strip_prefix('<').and_then(split_qualified) {
        Some((ty, rest)) => Cow::Owned(format!("{ty}{rest}")),
        None => Cow::Borrowed(path),
    };
    let mut out = String::with_capacity(path.len());
    let mut depth = 0_u32;
    let mut previous = ' ';
    for c in path.chars() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
        previous = c;
    }
    out.replace("::::", "::")
}

/// Splits `Type as Trait>::rest` after its type.
fn split_qualified(path: &str) -> Option<(&str, &str)> {
    let mut depth = 0_u32;
    let mut ty = None;
    for (at, c) in path.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if path[..at].ends_with('-') => {}
            '>' if depth == 0 => return Some((ty.unwrap_or(&path[..at]), &path[at + 1..])),
            '>' => depth -= 1,
            ' ' if depth == 0 && ty.is_none() && path[at..].starts_with(" as ") => {
                ty = Some(&path[..at]);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_type_and_method_or_the_function() {
        for (path, name) in [
            ("app::checkout", "checkout"),
            ("app::Orders::checkout", "Orders::checkout"),
            ("app::Orders<T>::checkout", "Orders::checkout"),
            (
                "<app::Orders<alloc::vec::Vec<u8>> as app::Store<K>>::save",
                "Orders::save",
            ),
            ("<app::Orders>::save", "Orders::save"),
            ("app::outer::inner", "inner"),
        ] {
            assert_eq!(span_name(path), name, "{path}");
        }
    }

    #[test]
    fn closures_and_the_type_are_not_part_of_the_path() {
        let path = "app::Orders::save::{{closure}}::__Here";
        assert_eq!(function_path(path), "app::Orders::save");
    }

    #[test]
    fn sites_keep_their_numbers_across_segments() {
        let scope = InstrumentationScope::builder("slots").build();
        let ids: Vec<u32> = (0..300)
            .map(|line| {
                register(Site {
                    name: line.to_string().into(),
                    code: None,
                    kind: SpanKind::Internal,
                    keys: &[],
                    scope: scope.clone(),
                })
            })
            .collect();
        for (line, id) in ids.into_iter().enumerate() {
            assert_eq!(site(id).name, line.to_string());
        }
    }
}
