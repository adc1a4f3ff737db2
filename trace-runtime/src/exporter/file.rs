//! Batches as lines of JSON in a file, for other programs to pick up.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use super::json;
use crate::{Batch, ExportError, Exporter};

/// Appends one `ExportTraceServiceRequest` per line, as OpenTelemetry's file exporters do.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    line: Vec<u8>,
}

impl File {
    /// Opens nothing yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            line: Vec::new(),
        }
    }

    /// The file is opened each time, so that it may be moved away meanwhile.
    fn append(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create(true).open(&self.path)?;
        let length = file.metadata()?.len();
        let written = file.write_all(&self.line);
        if written.is_err() {
            // Half a line would spoil the next one, and the batch comes again. What is no regular
            // file has no length to go back to.
            let _ = file.set_len(length);
        }
        written
    }
}

impl Exporter for File {
    fn export(&mut self, batch: &Batch<'_>) -> Result<(), ExportError> {
        if batch.spans().len() == 0 {
            return Ok(());
        }
        self.line.clear();
        json::request(batch, &mut self.line);
        self.line.push(b'\n');
        // A full disk or a missing directory may be mended.
        self.append()
            .map_err(|error| ExportError::Unreachable(error.to_string()))
    }

    fn target(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporter::samples::{batch, plain_records, some_resource};

    /// A directory of the test's own, gone when the test is over.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let name = format!("trace-runtime-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn export(exporter: &mut File, spans: u64) -> Result<(), ExportError> {
        exporter.export(&batch(&some_resource(), &plain_records(spans)))
    }

    #[test]
    fn each_batch_is_a_line() {
        let directory = Directory::new("lines");
        let path = directory.0.join("spans.jsonl");
        let mut exporter = File::new(path.clone());
        for spans in [2, 0, 3] {
            assert_eq!(export(&mut exporter, spans), Ok(()));
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with('\n'));
        let counts: Vec<_> = text
            .lines()
            .map(|line| line.matches("spanId").count())
            .collect();
        assert_eq!(counts, [2, 3]);
        assert_eq!(exporter.target(), path.display().to_string());
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_again() {
        let directory = Directory::new("moved");
        let path = directory.0.join("spans.jsonl");
        let mut exporter = File::new(path.clone());
        assert_eq!(export(&mut exporter, 1), Ok(()));
        std::fs::rename(&path, directory.0.join("spans.1.jsonl")).unwrap();
        assert_eq!(export(&mut exporter, 1), Ok(()));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_missing_directory_may_be_mended() {
        let directory = Directory::new("missing");
        let below = directory.0.join("below");
        let mut exporter = File::new(below.join("spans.jsonl"));
        let failed = export(&mut exporter, 1);
        assert!(
            matches!(failed, Err(ExportError::Unreachable(_))),
            "{failed:?}"
        );
        std::fs::create_dir(&below).unwrap();
        assert_eq!(export(&mut exporter, 1), Ok(()));
    }
}
