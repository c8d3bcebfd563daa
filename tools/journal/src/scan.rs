//! Reads every record of a journal without replaying any: counts, the last input, the first bad record.

use std::path::{Path, PathBuf};

use engine::journal::reader::{Fault, Reader, Tail};
use engine::journal::{JournalError, Record, numbers, path_of};
use engine::replay::Replay;
use engine::snapshot;

use crate::failure::Failure;

/// Scans a journal and opens it at its beginning.
///
/// # Errors
///
/// There is none, or it cannot be replayed.
pub fn open(folder: &Path) -> Result<(Replay, Scan), Failure> {
    let scan = Scan::of(folder)?;
    let replay = Replay::open(folder)?;
    replay.zip(scan).ok_or_else(|| Failure::no_journal(folder))
}

/// What a journal holds.
#[derive(Debug)]
pub struct Scan {
    /// Where the valid part ends.
    pub tail: Tail,
    /// The first bad record.
    pub fault: Option<Fault>,
    /// Number of the last input.
    pub inputs: u64,
    /// Times that an engine opened it.
    pub opened: u64,
    /// Whether the last record is a clean stop.
    pub closed: bool,
    /// Requests, reports and controls, recorded by value.
    pub by_value: u64,
    /// Segment files.
    pub segments: Vec<PathBuf>,
}

impl Scan {
    /// Scans a folder; `None`: it holds no segment.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if a segment cannot be read, or is none; [`JournalError::Gone`] if nothing is in them, and snapshots say
    /// that something was.
    pub fn of(folder: &Path) -> Result<Option<Scan>, JournalError> {
        let segments: Vec<_> =
            numbers(folder)?.into_iter().map(|number| path_of(folder, number)).collect();
        let gone = || JournalError::Gone(folder.to_path_buf());
        let had_inputs = || snapshot::list(folder).map_or(true, |listed| !listed.is_empty());
        if segments.is_empty() {
            return if had_inputs() { Err(gone()) } else { Ok(None) };
        }
        let mut reader = Reader::open(folder)?;
        let (mut inputs, mut opened, mut by_value, mut closed) = (0, 0, 0, false);
        while let Some(record) = reader.next_record()? {
            closed = matches!(record, Record::Closed { .. });
            match record {
                Record::Input(input) => {
                    inputs = input.seq;
                    by_value += 1;
                }
                Record::Run { first_seq, count, .. } => {
                    inputs = first_seq.saturating_add(count).saturating_sub(1);
                }
                Record::Opened { .. } => opened += 1,
                _ => {}
            }
        }
        let (tail, fault) = (reader.tail(), reader.fault());
        if opened == 0 && fault.is_none() && had_inputs() {
            return Err(gone());
        }
        Ok(Some(Scan { tail, fault, inputs, opened, closed, by_value, segments }))
    }
}
