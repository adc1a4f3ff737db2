//! What clippy and the compiler say about a program is the same with `#[traced]` as without.
//!
//! Every program of `pass/` and `lints/` is checked twice, with all, pedantic and nursery lints: as it
//! is, and with the attribute blanked out. Both must have the same lints at the same places, but for
//! [`HIDDEN`]: style lints that look for a function's block and meet a closure or a future.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Style lints that look for a function's own block, or for its arguments in it, and meet a closure
/// or a future. They may be missing on a traced function; never may one be added.
const HIDDEN: &[&str] = &[
    // It cannot be one any more.
    "clippy::missing_const_for_fn",
    // What the block looks like.
    "clippy::derivable_impls",
    "clippy::manual_async_fn",
    "clippy::needless_return",
    "clippy::unnecessary_wraps",
    "clippy::unused_async",
    "unconditional_recursion",
    // What it does with its arguments.
    "clippy::boxed_local",
    "clippy::needless_lifetimes",
    "clippy::needless_pass_by_ref_mut",
    "clippy::needless_pass_by_value",
    "clippy::not_unsafe_ptr_arg_deref",
    "clippy::only_used_in_recursion",
    "clippy::ptr_arg",
    "clippy::redundant_clone",
];

/// The program of `lints/`.
const SHAPES: &str = "shapes.rs";

/// What only an option uses is unused without it: not looked at in `pass/`, where there are options.
const OF_OPTIONS: &[&str] = &["clippy::unused_self", "dead_code", "unused_imports"];

/// A lint and where it is.
type Lint = (String, String, u64, u64);

#[test]
fn lints_are_the_same_with_and_without_the_attribute() {
    let project = Project::generate();
    let traced = project.lints("traced");
    let plain = project.lints("plain");
    let added: Vec<_> = traced.difference(&plain).collect();
    let hidden = plain.difference(&traced);
    let is_known = |lint: &Lint| {
        let (name, file) = (lint.0.as_str(), lint.1.as_str());
        HIDDEN.contains(&name) || (file != SHAPES && OF_OPTIONS.contains(&name))
    };
    let hidden: Vec<_> = hidden.filter(|lint| !is_known(lint)).collect();
    assert!(
        added.is_empty() && hidden.is_empty(),
        "the attribute adds {added:#?}\nand hides {hidden:#?}"
    );
    // The comparison means something only if there is something to compare.
    assert!(plain.len() > 100, "only {} lints", plain.len());
}

/// A workspace of its own, with the same programs in two packages.
struct Project {
    folder: PathBuf,
}

impl Project {
    fn generate() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("twins");
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.join("..").canonicalize().expect("the workspace");
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\"plain\", \"traced\"]\n";
        write(&folder.join("Cargo.toml"), manifest);
        let lock = fs::read_to_string(root.join("Cargo.lock")).expect("a lock file");
        write(&folder.join("Cargo.lock"), &lock);
        for name in ["plain", "traced"] {
            let package = folder.join(name);
            write(&package.join("Cargo.toml"), &manifest_of(name, &root));
            write(&package.join("src/lib.rs"), "//! Nothing.\n");
            for program in programs(here) {
                let source = fs::read_to_string(&program).expect("a program");
                let source = match name {
                    "plain" => without_attribute(&source),
                    _ => source,
                };
                let file = program.file_name().expect("a file");
                write(&package.join("src/bin").join(file), &source);
            }
        }
        Self { folder }
    }

    fn lints(&self, package: &str) -> BTreeSet<Lint> {
        let output = Command::new(env!("CARGO"))
            .args(["clippy", "--quiet", "--offline", "--message-format", "json"])
            .args(["--package", package, "--bins", "--", "--cap-lints", "warn"])
            .args(["-W", "clippy::all", "-W", "clippy::pedantic"])
            .args(["-W", "clippy::nursery", "-W", "unused"])
            .args(["-W", "clippy::print_stdout", "-W", "clippy::unwrap_used"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env_remove("RUSTFLAGS")
            .output()
            .expect("clippy runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        let messages = stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        messages
            .filter_map(|message: Value| lint(&message))
            .collect()
    }
}

fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    // What did not change need not be checked again.
    if fs::read_to_string(path).ok().as_deref() != Some(content) {
        fs::write(path, content).expect("a file");
    }
}

fn manifest_of(name: &str, root: &Path) -> String {
    let root = root.display();
    format!(
        r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[dependencies]
anyhow = "1"
async-trait = "0.1"
tokio = {{ version = "1", default-features = false, features = ["macros", "rt", "rt-multi-thread"] }}
trace-runtime = {{ path = "{root}/trace-runtime", features = ["testing"] }}
"#
    )
}

fn programs(here: &Path) -> Vec<PathBuf> {
    let files = ["pass", "lints"].map(|folder| fs::read_dir(here.join(folder)).expect("programs"));
    let mut paths: Vec<_> = (files.into_iter().flatten())
        .map(|file| file.expect("a program").path())
        .collect();
    paths.sort();
    paths
}

/// The program with an attribute that says nothing in the place of every `#[..traced..]`, so that the
/// rest stays where it is. An empty line in its place would be linted.
fn without_attribute(source: &str) -> String {
    let mut output = String::new();
    let mut rest = source;
    while let Some(start) = rest.find("#[") {
        let (before, attribute) = rest.split_at(start);
        let (attribute, after) = attribute.split_at(end_of_brackets(attribute));
        let path = attribute[2..].split(['(', ']']).next();
        output.push_str(before);
        if path.is_some_and(|path| path.rsplit("::").next() == Some("traced")) {
            let is_alone = after.starts_with('\n');
            output.push_str(if is_alone {
                "#[cfg(debug_assertions)]"
            } else {
                ""
            });
            let rest = attribute.chars();
            output.extend(rest.map(|c| if c == '\n' { c } else { ' ' }));
        } else {
            output.push_str(attribute);
        }
        rest = after;
    }
    output + rest
}

/// How long the attribute is that the text begins with.
fn end_of_brackets(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '[' if !in_string => depth += 1,
            ']' if !in_string => depth -= 1,
            _ => continue,
        }
        if depth == 0 && c == ']' {
            return index + 1;
        }
    }
    text.len()
}

/// The lint that a message of cargo is about.
fn lint(message: &Value) -> Option<Lint> {
    let message = message.get("message")?;
    let code = message["code"]["code"].as_str()?.to_owned();
    let spans = message["spans"].as_array()?;
    let place = spans.iter().find(|span| span["is_primary"] == true)?;
    let text = place["text"][0]["text"].as_str().unwrap_or_default();
    // That the attribute was blanked out leaves an import that nobody uses, and empty lines.
    let is_import = code == "unused_imports" && text.contains("traced");
    if is_import || code == "clippy::empty_line_after_outer_attr" {
        return None;
    }
    let file = place["file_name"].as_str()?;
    let file = Path::new(file).file_name()?.to_str()?.to_owned();
    Some((
        code,
        file,
        place["line_start"].as_u64()?,
        place["column_start"].as_u64()?,
    ))
}
