//! The committed numbers: `benches/baseline.toml`, as much of TOML as it needs.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The section of the budgets beside peers; the others are toolchains.
const BUDGETS: &str = "budgets";

/// Numbers by section and key.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Baseline {
    /// The comment at the top.
    head: String,
    sections: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Baseline {
    pub(crate) fn read(file: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(Self::parse(&fs::read_to_string(file)?)?)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut baseline = Self::default();
        let mut section = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with('#') {
                baseline.head += line;
                baseline.head.push('\n');
            } else if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                let name = name.trim_matches('"').to_owned();
                section = Some(baseline.sections.entry(name).or_default());
            } else {
                let (key, value) = line.split_once(" = ").ok_or_else(|| unreadable(line))?;
                let value = value.parse().map_err(|_| unreadable(line))?;
                let section = section.as_mut().ok_or_else(|| unreadable(line))?;
                section.insert(key.trim_matches('"').to_owned(), value);
            }
        }
        Ok(baseline)
    }

    pub(crate) fn write(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        fs::write(file, self.text())?;
        println!("\nwritten to {}", file.display());
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = self.head.clone();
        for (name, numbers) in &self.sections {
            let _ = writeln!(text, "\n[\"{name}\"]");
            for (key, number) in numbers {
                let _ = writeln!(text, "\"{key}\" = {number}");
            }
        }
        text
    }

    pub(crate) fn knows(&self, toolchain: &str) -> bool {
        self.sections.contains_key(toolchain)
    }

    pub(crate) fn instructions(&self, toolchain: &str, case: &str) -> Option<f64> {
        self.sections.get(toolchain)?.get(case).copied()
    }

    pub(crate) fn set(&mut self, toolchain: &str, case: &str, found: f64) {
        let section = self.sections.entry(toolchain.to_owned()).or_default();
        section.insert(case.to_owned(), (found * 10.0).round() / 10.0);
    }

    /// Case, peer, and how much of the peer's instructions ours may take.
    pub(crate) fn budgets(&self) -> Vec<(String, String, f64)> {
        let budgets = self.sections.get(BUDGETS).into_iter().flatten();
        budgets
            .filter_map(|(key, budget)| {
                let (case, peer) = key.split_once(" / ")?;
                Some((case.to_owned(), peer.to_owned(), *budget))
            })
            .collect()
    }
}

fn unreadable(line: &str) -> String {
    format!("`{line}` in the baseline; expected `[section]` or `key = number`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Why.\n\n[\"budgets\"]\n\"foreground / SDK\" = 0.3\n\n[\"rustc 1.95.0\"]\n\"foreground\" = 4000.5\n";

    #[test]
    fn what_is_read_is_written() {
        let baseline = Baseline::parse(TEXT).unwrap();
        assert_eq!(baseline.text(), TEXT);
        assert_eq!(
            baseline.instructions("rustc 1.95.0", "foreground"),
            Some(4000.5)
        );
        assert!(!baseline.knows("rustc 1.96.0"));
        let budget = ("foreground".to_owned(), "SDK".to_owned(), 0.3);
        assert_eq!(baseline.budgets(), [budget]);
    }

    #[test]
    fn mistakes_are_named() {
        let error = Baseline::parse("[a]\nb: 1").unwrap_err();
        assert!(error.starts_with("`b: 1` in the baseline"), "{error}");
        assert!(Baseline::parse("b = 1").is_err());
    }
}
