//! What differs, in a sentence.

use super::{Expected, Often, Wanted, shown};
use crate::plain_text::{printable, value};
use crate::record::SpanRecord;

/// Where spans stand: below which one, if below any.
#[derive(Clone, Copy)]
pub(super) struct Place<'a>(pub(super) Option<&'a str>);

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(parent) => write!(f, "below `{}`", printable(parent)),
            None => f.write_str("among the roots"),
        }
    }
}

/// There are too many or too few.
pub(super) fn count(expected: &Expected, place: Place<'_>, found: usize) -> String {
    let name = printable(expected.name);
    let often = Often(expected);
    match found {
        0 => format!("expected `{name}` {often} {place}, found none"),
        found => format!("expected `{name}` {often} {place}, found {found}"),
    }
}

/// The first attribute that is not as expected.
pub(super) fn attribute(
    expected: &Expected,
    place: Place<'_>,
    span: &SpanRecord,
) -> Option<String> {
    let (key, wanted, found) = expected.attributes.iter().find_map(|(key, wanted)| {
        let found = shown(span, key);
        (!wanted.accepts(found.as_ref())).then_some((key, wanted, found))
    })?;
    let (name, key) = (printable(expected.name), printable(key));
    let wanted = match wanted {
        Wanted::Value(wanted) => format!("`{key}` to be {}", value(wanted)),
        Wanted::Anything => format!("some `{key}`"),
        Wanted::Nothing => format!("no `{key}`"),
    };
    let found = found.map_or_else(|| "none".into(), |found| value(&found));
    Some(format!(
        "`{name}` {place}: expected {wanted}, found {found}"
    ))
}

/// Nobody expects a span of this name.
pub(super) fn unexpected(span: &SpanRecord, place: Place<'_>) -> String {
    format!("`{}` {place} is not expected", printable(&span.name))
}
