//! What a log line says about the span that it was written in.
//!
//! The API gives no way back from a context to our type, and none of its methods returns anything. But
//! setting the status to `Unset` does nothing to any span, by specification, so a span of ours takes it
//! for a question if one was asked on this thread.

use std::borrow::Cow;
use std::cell::RefCell;

use opentelemetry::trace::{SpanRef, Status};

use super::live::Live;
use crate::Value;
use crate::callsite;
use crate::record::Entries;
use crate::value::into_owned;

/// A span that has not ended.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) name: Cow<'static, str>,
    pub(crate) attributes: Vec<(Cow<'static, str>, Value<'static>)>,
}

enum Question {
    Asked { attributes: bool },
    Answered(Described),
}

thread_local! {
    static QUESTION: RefCell<Option<Question>> = const { RefCell::new(None) };
}

/// Name and, if wanted, attributes of the span; `None` if it is not ours or does not record.
pub(crate) fn describe(span: &SpanRef<'_>, attributes: bool) -> Option<Described> {
    put(Some(Question::Asked { attributes }))?;
    span.set_status(Status::Unset);
    match put(None)? {
        Some(Question::Answered(described)) => Some(described),
        _ => None,
    }
}

/// Answers the question, if one was asked.
#[cold]
pub(crate) fn answer(live: &mut Live) {
    if let Some(Some(Question::Asked { attributes })) = put(None) {
        put(Some(Question::Answered(live.described(attributes))));
    }
}

/// What was there before; `None` while the thread ends.
fn put(question: Option<Question>) -> Option<Option<Question>> {
    QUESTION.try_with(|place| place.replace(question)).ok()
}

impl Live {
    fn described(&mut self, attributes: bool) -> Described {
        Described {
            name: self.name(),
            attributes: match attributes {
                true => self.attributes_so_far(),
                false => Vec::new(),
            },
        }
    }

    fn name(&mut self) -> Cow<'static, str> {
        if let Some(name) = self.late.as_ref().and_then(|late| late.name.clone()) {
            return name;
        }
        match Entries(self.attributes.as_words()).own_name() {
            Some(name) => name.to_owned().into(),
            None => Cow::Borrowed(&callsite::site(self.site).name),
        }
    }

    /// Arguments, fields and what was set since; without what is constant about the function.
    fn attributes_so_far(&mut self) -> Vec<(Cow<'static, str>, Value<'static>)> {
        let late = self.late.as_ref().map_or(&[][..], |late| &late.attributes);
        let keys = callsite::site(self.site).keys;
        let early = Entries(self.attributes.as_words()).filter_map(|(index, value)| {
            let key = *keys.get(index)?;
            let is_set_later = late.iter().any(|kv| kv.key.as_str() == key);
            (!is_set_later).then(|| (Cow::Borrowed(key), into_owned(value)))
        });
        let late = late.iter().map(|kv| {
            let key = Cow::Owned(kv.key.as_str().to_owned());
            (key, into_owned(Value::from(&kv.value)))
        });
        early.chain(late).collect()
    }
}
