//! Which levels are recorded: `TRACED_FILTER` and `TRACED_LEVEL`.

use super::reader::Reader;
use super::setting::{Render, Setting};
use super::value::{self, Parsed, Word};
use crate::callsite::Level;

/// The lowest level that passes; `Off` lets nothing through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LevelFilter {
    Off,
    Upto(Level),
}

impl LevelFilter {
    /// Whether a span or a diagnostic of this level passes.
    pub(crate) fn enables(self, level: Level) -> bool {
        LevelFilter::Upto(level) <= self
    }
}

impl Word for LevelFilter {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("off", LevelFilter::Off),
        ("error", LevelFilter::Upto(Level::Error)),
        ("warn", LevelFilter::Upto(Level::Warn)),
        ("info", LevelFilter::Upto(Level::Info)),
        ("debug", LevelFilter::Upto(Level::Debug)),
        ("trace", LevelFilter::Upto(Level::Trace)),
    ];
}

/// Levels by the path of the traced function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Where no directive matches.
    pub(crate) default: LevelFilter,
    /// Path prefixes, the longest first.
    pub(crate) directives: Vec<(String, LevelFilter)>,
}

impl Filter {
    /// What passes for a function, by its path such as `app::db::load`.
    pub(crate) fn level(&self, path: &str) -> LevelFilter {
        self.directives
            .iter()
            .find(|(prefix, _)| is_inside(path, prefix))
            .map_or(self.default, |(_, level)| *level)
    }

    /// The most that passes anywhere.
    pub(crate) fn max_level(&self) -> LevelFilter {
        let levels = self.directives.iter().map(|(_, level)| *level);
        levels.fold(self.default, LevelFilter::max)
    }
}

/// Whether `path` is `prefix` or below it; `app::db` is not a parent of `app::dbx`.
fn is_inside(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl Render for Filter {
    fn render(&self) -> String {
        let mut items: Vec<_> = self
            .directives
            .iter()
            .map(|(path, level)| format!("{path}={}", level.name()))
            .collect();
        items.push(self.default.name().to_owned());
        items.join(",")
    }
}

pub(super) fn resolve(reader: &mut Reader<'_>) -> Setting<Filter> {
    let level = reader
        .field()
        .variable("TRACED_LEVEL", value::word)
        .or(LevelFilter::Upto(Level::Info));
    let default = Filter {
        default: level.value,
        directives: Vec::new(),
    };
    reader
        .field()
        .variable("TRACED_FILTER", |text| filter(text, level.value))
        .or_setting(Setting::new(default, level.source))
}

/// `path=level,level`: the bare level is for all other paths.
pub(super) fn filter(text: &str, default: LevelFilter) -> Parsed<Filter> {
    let mut filter = Filter {
        default,
        directives: Vec::new(),
    };
    for item in value::items(text) {
        match item.split_once('=') {
            Some((path, level)) if !path.trim().is_empty() => {
                let level = value::word(level)?;
                value::insert(&mut filter.directives, path.trim().to_owned(), level);
            }
            Some(_) => return Err("expected `path=level` or a level".to_owned()),
            None => filter.default = value::word(item)?,
        }
    }
    filter
        .directives
        .sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    Ok(filter)
}
