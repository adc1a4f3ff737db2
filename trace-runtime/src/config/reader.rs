//! Reads variables through the lookup function, resolves one setting from several of them and
//! collects what is wrong.

use super::Lookup;
use super::setting::{Render, Setting, Source};
use super::value::{self, Parsed};
use crate::diagnostics::Diagnostic;

/// What the process lookup puts where the environment is not UTF-8.
const NOT_UTF8: char = char::REPLACEMENT_CHARACTER;

pub(super) struct Reader<'a> {
    lookup: &'a Lookup<'a>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a Lookup<'a>) -> Self {
        Reader {
            lookup,
            diagnostics: Vec::new(),
        }
    }

    /// The text of a variable. Blank is unset, and so is what is not UTF-8, which is reported.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = (self.lookup)(name).filter(|text| !text.trim().is_empty())?;
        if text.contains(NOT_UTF8) {
            self.bad(name, &text, "expected UTF-8; the variable is ignored");
            return None;
        }
        Some(text)
    }

    /// Whether a variable is set to something, good or bad.
    pub(super) fn is_set(&self, name: &str) -> bool {
        is_set(self.lookup, name)
    }

    /// The first of the variables that is set.
    pub(super) fn first_set(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.is_set(name))
    }

    /// A value out of the environment that is not one of our variables.
    pub(super) fn foreign(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|text| !text.is_empty())
    }

    /// A bad value: `try_init_tracer` refuses it.
    pub(super) fn bad(&mut self, name: &'static str, text: &str, message: impl Into<String>) {
        self.report(Diagnostic::error(message).found(name, text));
    }

    /// Adds a diagnostic about a setting that came from `source`.
    pub(super) fn report_at(&mut self, source: Source, diagnostic: Diagnostic) {
        self.report(match source {
            Source::Variable(name) => diagnostic.about(name),
            Source::Code | Source::Default => diagnostic,
        });
    }

    /// Adds a diagnostic, each only once: several settings may read the same variable.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Starts one setting.
    pub(super) fn field<T>(&mut self) -> Field<'_, 'a, T> {
        Field {
            reader: self,
            found: Vec::new(),
            rejected: Vec::new(),
        }
    }
}

pub(super) fn is_set(lookup: &Lookup<'_>, name: &str) -> bool {
    lookup(name).is_some_and(|text| !text.trim().is_empty())
}

/// One setting in the making: sources are offered from the strongest to the weakest.
///
/// All of them are read, so that all bad values are reported at once.
pub(super) struct Field<'r, 'a, T> {
    pub(super) reader: &'r mut Reader<'a>,
    found: Vec<Setting<T>>,
    rejected: Vec<Rejected>,
}

struct Rejected {
    variable: &'static str,
    text: String,
    accepted: String,
}

impl<T: Render + PartialEq> Field<'_, '_, T> {
    /// What the builder says.
    pub(super) fn code(self, value: Option<T>) -> Self {
        self.given(Source::Code, value)
    }

    /// A value that somebody else has read already.
    pub(super) fn given(mut self, source: Source, value: Option<T>) -> Self {
        self.found
            .extend(value.map(|value| Setting::new(value, source)));
        self
    }

    /// A variable.
    pub(super) fn variable(self, name: &'static str, parse: impl Fn(&str) -> Parsed<T>) -> Self {
        self.variable_or_default(name, |text| parse(text).map(Some))
    }

    /// A variable with values that stand for the default.
    pub(super) fn variable_or_default(
        self,
        name: &'static str,
        parse: impl Fn(&str) -> Parsed<Option<T>>,
    ) -> Self {
        let Some(text) = self.reader.text(name) else {
            return self;
        };
        match parse(&text) {
            Ok(value) => self.given(Source::Variable(name), value),
            Err(accepted) => self.reject(name, &text, accepted),
        }
    }

    /// Refuses a value; once the setting is known, the report says what is used instead.
    pub(super) fn reject(
        mut self,
        variable: &'static str,
        text: &str,
        accepted: impl Into<String>,
    ) -> Self {
        self.rejected.push(Rejected {
            variable,
            text: text.to_owned(),
            accepted: accepted.into(),
        });
        self
    }

    /// Whether a source has had a good value already.
    pub(super) fn is_given(&self) -> bool {
        !self.found.is_empty()
    }

    /// The strongest source that had a good value, or the default.
    pub(super) fn or(self, default: T) -> Setting<T> {
        self.or_setting(Setting::new(default, Source::Default))
    }

    /// As [`or`](Self::or), for a default that follows from another variable.
    pub(super) fn or_setting(self, default: Setting<T>) -> Setting<T> {
        let mut found = self.found.into_iter();
        let setting = found.next().unwrap_or(default);
        let used = setting.value.render();
        for rejected in self.rejected {
            let message = format!("{}; using `{used}` ({})", rejected.accepted, setting.source);
            self.reader.bad(rejected.variable, &rejected.text, message);
        }
        let loser = found.find(|other| other.value != setting.value && is_rival(&setting, other));
        if let (Source::Variable(winner), Some(loser)) = (setting.source, loser) {
            warn_about_both(self.reader, winner, &used, &loser);
        }
        setting
    }
}

impl Field<'_, '_, bool> {
    /// A boolean of the specification: anything but `true` is false, but reported.
    pub(super) fn otel_boolean(self, name: &'static str) -> Self {
        let Some(text) = self.reader.text(name) else {
            return self;
        };
        let source = Source::Variable(name);
        match value::boolean(&text) {
            Ok(value) => self.given(source, Some(value)),
            Err(accepted) => {
                let message = format!("{accepted}; using `false`");
                self.reader.bad(name, &text, message);
                self.given(source, Some(false))
            }
        }
    }
}

/// Whether two values come from the two worlds of `OTEL_*` and `JAEGER_*`.
fn is_rival<T>(winner: &Setting<T>, other: &Setting<T>) -> bool {
    !winner.source.is_jaeger() && other.source.is_jaeger()
}

fn warn_about_both<T: Render>(
    reader: &mut Reader<'_>,
    winner: &'static str,
    used: &str,
    loser: &Setting<T>,
) {
    let Source::Variable(variable) = loser.source else {
        return;
    };
    let message = format!("disagrees with `{winner}`, which wins with `{used}`");
    reader.report(Diagnostic::warning(message).found(variable, &loser.value.render()));
}
