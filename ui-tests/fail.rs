//! Mistakes and what the compiler says about them.
//!
//! `//~` in a case marks each line that must have an error, `//~~` one with two. `TRYBUILD=overwrite cargo test -p
//! ui-tests --test fail` writes the `.stderr` files anew; read them before they are committed.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}

/// One mistake, one error, where the mistake is.
#[test]
fn every_error_is_expected() {
    for case in cases() {
        let source = fs::read_to_string(&case).expect("a case");
        let expected = marked_lines(&source);
        let stderr = fs::read_to_string(case.with_extension("stderr")).expect("its errors");
        let mut found = error_lines(&stderr);
        found.sort_unstable();
        assert_eq!(found, expected, "lines with an error in {}", case.display());
        assert!(!expected.is_empty(), "{} expects no error", case.display());
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fail");
    let files = fs::read_dir(folder).expect("the cases");
    let paths = files.map(|file| file.expect("a case").path());
    paths
        .filter(|path| path.extension().is_some_and(|found| found == "rs"))
        .collect()
}

/// The number of each line with a mark, as often as it has one.
fn marked_lines(source: &str) -> Vec<usize> {
    let marks = |line: &str| match line.split_once("//~") {
        Some((_, more)) => 1 + more.chars().take_while(|mark| *mark == '~').count(),
        None => 0,
    };
    let lines = source.lines().enumerate();
    lines
        .flat_map(|(index, line)| std::iter::repeat_n(index + 1, marks(line)))
        .collect()
}

/// The line that each error or warning points at first.
fn error_lines(stderr: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut is_open = false;
    for line in stderr.lines() {
        is_open |= line.starts_with("error") || line.starts_with("warning");
        if let (true, Some((_, place))) = (is_open, line.split_once("--> ")) {
            let line = place.split(':').nth(1).and_then(|line| line.parse().ok());
            lines.push(line.expect("a line number"));
            is_open = false;
        }
    }
    assert!(!is_open, "an error without a place in:\n{stderr}");
    lines
}
