//! How long a recorded value may be.

use std::borrow::Cow;

use super::Value;

/// At most so many elements of an array are recorded.
pub(crate) const ELEMENTS: usize = 64;

/// At most so many characters of a text, when nobody says otherwise.
const CHARACTERS: usize = 1024;

/// What the configuration says about the length of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ValueLimits {
    /// At most so many characters of a text. Without it 1024, and the last one says that there was
    /// more.
    pub(crate) length: Option<usize>,
}

impl ValueLimits {
    /// Whether the text may be too long. No text has more characters than bytes.
    #[inline]
    pub(crate) fn cuts(&self, text: &str) -> bool {
        text.len() > self.length.unwrap_or(CHARACTERS)
    }

    /// Whether the value may be too long.
    pub(crate) fn may_cut(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Str(text) => self.cuts(text),
            Value::Array(_) => true,
            _ => false,
        }
    }
}

/// The value, cut where it is too long. A text that is short enough is not looked at.
#[inline]
pub(crate) fn limit<'a>(value: Value<'a>, limits: &ValueLimits) -> Value<'a> {
    match value {
        Value::Str(text) if limits.cuts(&text) => Value::Str(cut(text, limits)),
        Value::Array(elements) => Value::Array(cut_elements(elements, limits)),
        short => short,
    }
}

fn cut_elements<'a>(mut elements: Vec<Value<'a>>, limits: &ValueLimits) -> Vec<Value<'a>> {
    elements.truncate(ELEMENTS);
    for element in &mut elements {
        if matches!(element, Value::Str(_)) {
            *element = limit(std::mem::replace(element, Value::None), limits);
        }
    }
    elements
}

#[cold]
fn cut<'a>(text: Cow<'a, str>, limits: &ValueLimits) -> Cow<'a, str> {
    match limits.length {
        Some(length) => shorten(text, length),
        None if text.char_indices().nth(CHARACTERS).is_none() => text,
        None => {
            let mut owned = shorten(text, CHARACTERS - 1).into_owned();
            owned.push('…');
            Cow::Owned(owned)
        }
    }
}

/// At most so many characters of the text.
fn shorten(text: Cow<'_, str>, characters: usize) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(characters) else {
        return text;
    };
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToValue;

    fn limited(text: &str, length: Option<usize>) -> String {
        let limits = ValueLimits { length };
        let borrowed = limit(text.to_value(), &limits);
        let owned = limit(Value::Str(Cow::Owned(text.to_owned())), &limits);
        assert_eq!(borrowed, owned);
        match owned {
            Value::Str(text) => text.into_owned(),
            other => panic!("a text expected, not {other:?}"),
        }
    }

    #[test]
    fn texts_are_cut_at_1024_characters_ellipsis_included() {
        for character in ["x", "é", "🦀"] {
            let fits = character.repeat(1024);
            assert_eq!(limited(&fits, None), fits);
            let cut = limited(&character.repeat(1025), None);
            assert_eq!(cut, character.repeat(1023) + "…");
        }
    }

    #[test]
    fn an_explicit_limit_replaces_the_default_and_adds_nothing() {
        assert_eq!(limited("crustacean", Some(5)), "crust");
        assert_eq!(limited("🦀🦀🦀", Some(2)), "🦀🦀");
        assert_eq!(limited("crab", Some(4)), "crab");
        assert_eq!(limited("crab", Some(0)), "");
        let long = "x".repeat(2000);
        assert_eq!(limited(&long, Some(5000)), long);
    }

    #[test]
    fn arrays_keep_64_elements_and_cut_each_text() {
        let limits = ValueLimits { length: Some(1) };
        let many = Value::Array(vec![Value::Str("ab".into()); 100]);
        let expected = Value::Array(vec![Value::Str("a".into()); ELEMENTS]);
        assert_eq!(limit(many, &limits), expected);
    }
}
