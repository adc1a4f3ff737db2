//! What the terminal can show: colours, hyperlinks, how many columns.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// How a trace is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    pub(crate) colour: bool,
    pub(crate) hyperlinks: bool,
    /// Columns of a line.
    pub(crate) width: usize,
    /// From where relative source paths are looked up.
    pub(crate) directory: Option<PathBuf>,
}

impl Style {
    /// What suits standard error and the environment's variables.
    pub(crate) fn of_stderr(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self::detect(is_terminal, crate::os::terminal_columns(), lookup)
    }

    /// What suits a terminal, or something that is none, of so many columns.
    pub(super) fn detect(
        is_terminal: bool,
        columns: Option<usize>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let term = lookup("TERM").unwrap_or_default();
        let colour = is_terminal && lookup("NO_COLOR").is_none() && term != "dumb";
        let said = lookup("COLUMNS").and_then(|columns| columns.trim().parse().ok());
        Self {
            colour,
            hyperlinks: colour && shows_hyperlinks(&term, lookup),
            width: said
                .or(columns)
                .map_or(100, |columns| columns.clamp(40, 400)),
            directory: std::env::current_dir().ok(),
        }
    }

    /// Without colours and links.
    #[cfg(test)]
    pub(super) fn plain(width: usize) -> Self {
        Self {
            colour: false,
            hyperlinks: false,
            width,
            directory: None,
        }
    }

    pub(super) fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.colour || paint == Paint::None || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{}m{text}\x1b[0m", paint.code())
    }

    /// The place in a source file, as a link where the terminal follows one.
    pub(super) fn place(&self, place: &Place) -> String {
        let text = self.paint(Paint::Underlined, &place.to_string());
        match self.hyperlinks.then(|| self.url(place)).flatten() {
            Some(url) => format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"),
            None => text,
        }
    }

    /// A relative path is relative to wherever the compiler ran, mostly a directory above ours.
    fn url(&self, place: &Place) -> Option<String> {
        let file = Path::new(&place.file);
        let directory = self.directory.as_deref().unwrap_or(Path::new(""));
        let path = directory
            .ancestors()
            .map(|above| above.join(file))
            .find(|path| path.is_absolute() && path.exists())?;
        let path = path.to_str()?.replace('\\', "/");
        let mut url = String::from("file://");
        if !path.starts_with('/') {
            url.push('/');
        }
        for byte in path.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                    url.push(char::from(byte));
                }
                _ => {
                    let _ = write!(url, "%{byte:02X}");
                }
            }
        }
        let _ = write!(url, "#{}", place.line);
        Some(url)
    }
}

/// Terminals that are known to print a link's bytes, or nothing, are left out.
fn shows_hyperlinks(term: &str, lookup: impl Fn(&str) -> Option<String>) -> bool {
    let plain_term = ["linux", "eterm", "cons25", "vt"]
        .iter()
        .any(|name| term.starts_with(name));
    // GNU screen filters links; tmux, which may carry the same name, passes them on.
    let screen = term.starts_with("screen") && lookup("TMUX").is_none();
    let apple = lookup("TERM_PROGRAM").is_some_and(|program| program == "Apple_Terminal");
    let old_vte = lookup("VTE_VERSION")
        .and_then(|version| version.parse().ok())
        .is_some_and(|version: u32| version < 5000);
    let editor = lookup("INSIDE_EMACS").is_some();
    !(term.is_empty() || plain_term || screen || apple || old_vte || editor)
}

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: i64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}:{}",
            crate::plain_text::printable(&self.file),
            self.line
        )
    }
}

/// The look of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    None,
    Bold,
    Dim,
    Underlined,
    Bad,
    Good,
    Warning,
    /// A colour of its own for each of the first few services.
    Service(usize),
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Underlined => "4",
            Self::Bad => "31",
            Self::Good => "32",
            Self::Warning => "33",
            Self::Service(number) => ["36", "34", "35", "96", "94", "95"][number % 6],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(is_terminal: bool, variables: &[(&str, &str)]) -> Style {
        Style::detect(is_terminal, None, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colours_need_a_terminal_and_no_objection() {
        let xterm = ("TERM", "xterm-256color");
        assert!(detect(true, &[xterm]).colour);
        assert!(detect(true, &[xterm, ("NO_COLOR", "")]).colour);
        assert!(!detect(true, &[xterm, ("NO_COLOR", "0")]).colour);
        assert!(!detect(true, &[("TERM", "dumb")]).colour);
        assert!(!detect(false, &[xterm]).colour);
    }

    #[test]
    fn links_need_a_terminal_that_follows_them() {
        let links = |variables: &[(&str, &str)]| detect(true, variables).hyperlinks;
        assert!(links(&[("TERM", "xterm-256color")]));
        assert!(links(&[("TERM", "xterm"), ("VTE_VERSION", "6003")]));
        assert!(links(&[("TERM", "screen-256color"), ("TMUX", "/tmp/tmux")]));
        assert!(!links(&[("TERM", "screen-256color")]));
        assert!(!links(&[("TERM", "xterm"), ("VTE_VERSION", "4803")]));
        assert!(!links(&[
            ("TERM", "xterm"),
            ("TERM_PROGRAM", "Apple_Terminal")
        ]));
        assert!(!links(&[("TERM", "linux")]) && !links(&[]));
        assert!(!links(&[("TERM", "xterm"), ("NO_COLOR", "1")]));
        assert!(!detect(false, &[("TERM", "xterm")]).hyperlinks);
    }

    #[test]
    fn the_width_comes_from_columns_or_the_terminal_within_reason() {
        for (columns, width) in [("120", 120), ("", 100), ("wide", 100), ("3", 40)] {
            assert_eq!(detect(true, &[("COLUMNS", columns)]).width, width);
        }
        assert_eq!(detect(true, &[]).width, 100);
        assert_eq!(Style::detect(true, Some(80), |_| None).width, 80);
        let said = Style::detect(true, Some(80), |_| Some("120".into()));
        assert_eq!(said.width, 120);
    }

    #[test]
    fn a_place_links_to_the_file_if_it_is_found() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let style = Style {
            colour: true,
            hyperlinks: true,
            width: 80,
            directory: Some(here.join("src/tree")), // paths count from a directory above
        };
        let place = |file: &str| Place {
            file: file.into(),
            line: 7,
        };
        let linked = style.place(&place("src/lib.rs"));
        assert!(linked.starts_with("\x1b]8;;file:///") && linked.contains("/src/lib.rs#7\x1b\\"));
        assert!(linked.ends_with("\x1b[4msrc/lib.rs:7\x1b[0m\x1b]8;;\x1b\\"));
        let unknown = style.place(&place("src/no_such_file.rs"));
        assert_eq!(unknown, "\x1b[4msrc/no_such_file.rs:7\x1b[0m");
        assert_eq!(Style::plain(80).place(&place("src/lib.rs")), "src/lib.rs:7");
    }
}
