//! The second file: a copy of every checkpoint, where whoever can write the log cannot.
//!
//! One line a checkpoint. It may be a pipe to another host: then it is only written.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::chain::Hash;
use crate::checkpoint::Checkpoint;
use crate::error::AuditError;

/// Bytes of a line at most.
const LINE_MAX: u64 = 512;

/// A second file that is read.
pub(crate) struct WitnessReader {
    path: PathBuf,
    lines: BufReader<File>,
    line: u64,
    /// Where the last whole line ended.
    end: u64,
}

/// A line as read.
pub(crate) enum Line {
    Checkpoint(Box<Checkpoint>),
    /// No checkpoint; the number of the line.
    Bad(u64),
}

impl WitnessReader {
    pub fn open(path: &Path) -> Result<WitnessReader, AuditError> {
        let file = File::open(path).map_err(AuditError::io(path))?;
        Ok(WitnessReader { path: path.to_path_buf(), lines: BufReader::new(file), line: 0, end: 0 })
    }

    /// Number of the line read last, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next line; `None` at the end, where a line without its end was cut off by a crash and does not count.
    pub fn next_line(&mut self) -> Result<Option<Line>, AuditError> {
        let mut text = Vec::new();
        let mut bounded = self.lines.by_ref().take(LINE_MAX);
        bounded.read_until(b'\n', &mut text).map_err(AuditError::io(&self.path))?;
        self.line += 1;
        let Some((b'\n', text)) = text.split_last() else {
            let whole = text.len() as u64 == LINE_MAX;
            return Ok(whole.then_some(Line::Bad(self.line)));
        };
        self.end += text.len() as u64 + 1;
        let checkpoint = std::str::from_utf8(text).ok().and_then(Checkpoint::from_line);
        Ok(Some(match checkpoint {
            Some(checkpoint) => Line::Checkpoint(Box::new(checkpoint)),
            None => Line::Bad(self.line),
        }))
    }
}

/// A second file that is written.
#[derive(Debug)]
pub(crate) struct WitnessWriter {
    path: PathBuf,
    file: File,
    is_regular: bool,
}

impl WitnessWriter {
    /// Opens it for appending. One that is a file must speak of this log and of no more records than it has, or of
    /// nothing; a line
    /// that a crash cut off is removed.
    ///
    /// # Errors
    ///
    /// [`AuditError::Io`], also for a pipe that nobody reads; [`AuditError::Damaged`].
    pub fn open(path: &Path, identity: &Hash, count: u64) -> Result<WitnessWriter, AuditError> {
        // A pipe without a reader must be an error, not a wait.
        let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let options =
            || File::options().append(true).create(true).custom_flags(nonblocking).open(path);
        let file = options().map_err(AuditError::io(path))?;
        let is_regular = file.metadata().map_err(AuditError::io(path))?.is_file();
        if is_regular {
            let mut reader = WitnessReader::open(path)?;
            while let Some(line) = reader.next_line()? {
                let damaged = |why: String| AuditError::Damaged { path: path.to_path_buf(), why };
                match line {
                    Line::Bad(line) => {
                        return Err(damaged(format!("line {line} is no checkpoint")));
                    }
                    Line::Checkpoint(said) if said.identity != *identity => {
                        return Err(damaged("it speaks of another audit log".into()));
                    }
                    Line::Checkpoint(said) if said.count > count => {
                        let said = said.count;
                        return Err(damaged(format!(
                            "it speaks of {said} records, the audit log has {count}"
                        )));
                    }
                    Line::Checkpoint(_) => {}
                }
            }
            file.set_len(reader.end).map_err(AuditError::io(path))?;
        }
        Ok(WitnessWriter { path: path.to_path_buf(), file, is_regular })
    }

    /// Appends lines, and waits until they are safe.
    pub fn append(&mut self, lines: &str) -> Result<(), AuditError> {
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| {
            // What is no file cannot be synced: who reads it keeps it.
            if self.is_regular { self.file.sync_data() } else { Ok(()) }
        });
        written.map_err(AuditError::io(&self.path))
    }
}
