//! Running this program under callgrind.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// First argument of the process that plays the collector.
pub(crate) const SINK: &str = "--sink";
/// First argument of the process that is counted.
pub(crate) const CHILD: &str = "--child";

/// Whether valgrind is there.
pub(crate) fn available() -> Result<(), String> {
    let found = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => Err("`valgrind` is needed to count instructions and was not found".to_owned()),
    }
}

/// The collector, in a process that is not counted.
pub(crate) struct Sink {
    process: Child,
    endpoint: String,
}

impl Sink {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SINK)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the sink has no output")?;
        let mut endpoint = String::new();
        BufReader::new(output).read_line(&mut endpoint)?;
        Ok(Self {
            process,
            endpoint: endpoint.trim_end().to_owned(),
        })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // The end of its input ends the sink.
        self.process.stdin = None;
        let _ = self.process.wait();
    }
}

/// What is counted of a thread.
pub(crate) enum Counted {
    All,
    /// Only within functions whose name fits.
    Within(&'static str),
}

/// The instructions of each thread of a child, the first one first.
pub(crate) fn threads(
    arguments: &[&str],
    counted: Counted,
    keep: Option<&Path>,
) -> Result<Vec<u64>, Box<dyn Error>> {
    let directory = match keep {
        Some(directory) => directory.to_owned(),
        None => std::env::temp_dir().join(format!("instructions-{}", std::process::id())),
    };
    fs::create_dir_all(&directory)?;
    let name = arguments[..3].join("-").replace([' ', '+'], "");
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--separate-threads=yes", "--quiet"])
        .arg(format!(
            "--callgrind-out-file={}",
            directory.join(&name).display()
        ));
    if let Counted::Within(function) = counted {
        command.arg(format!("--toggle-collect={function}"));
    }
    let output = command
        .arg(std::env::current_exe()?)
        .arg(CHILD)
        .args(arguments)
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE")
        .output()?;
    let counted = files(&directory, &name).and_then(|files| {
        files
            .iter()
            .map(|file| total(file))
            .collect::<Result<Vec<_>, _>>()
    });
    if keep.is_none() {
        fs::remove_dir_all(&directory)?;
    }
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{arguments:?} under callgrind: {complaint}").into());
    }
    counted
}

/// The files of one run: `NAME-01` is the first thread's.
fn files(directory: &Path, name: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let thread = file
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('-'));
        if thread.is_some_and(|thread| thread.bytes().all(|byte| byte.is_ascii_digit())) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// `totals: 12345` in one file.
fn total(file: &Path) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    text.lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
        .ok_or_else(|| format!("no total in {}", file.display()).into())
}
