//! Cuts a damaged journal where its valid part ends, and keeps what is cut off.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::lease::Lease;
use super::reader::Tail;
use super::segment::{self, JournalError};

/// What a cut takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes behind the valid part of its segment, up to the last one that is not zero.
    pub bytes: u64,
    /// Later segments that hold something, and their sizes up to the last byte that is not zero.
    pub segments: Vec<(PathBuf, u64)>,
}

/// What [`cut`] would take away behind `tail`.
///
/// # Errors
///
/// [`JournalError::Io`].
pub fn plan(folder: &Path, tail: Tail) -> Result<Cut, JournalError> {
    let mut segments = Vec::new();
    for number in later(folder, tail)? {
        let path = segment::path_of(folder, number);
        let bytes = content(&path, 0)?.len() as u64;
        if bytes > 0 {
            segments.push((path, bytes));
        }
    }
    let path = segment::path_of(folder, tail.segment);
    let bytes = if tail.offset == 0 { 0 } else { content(&path, tail.offset)?.len() as u64 };
    Ok(Cut { bytes, segments })
}

/// Cuts the journal behind `tail`. Everything that is cut off is copied to `.bad` files and synced first; their paths.
///
/// # Errors
///
/// [`JournalError::Io`]; whatever was not copied is still where it was.
pub fn cut(lease: &Lease, tail: Tail) -> Result<Vec<PathBuf>, JournalError> {
    let folder = lease.folder();
    let mut kept = Vec::new();
    for number in later(folder, tail)? {
        kept.extend(keep(&segment::path_of(folder, number), 0)?);
    }
    kept.extend(keep_torn(lease, tail)?);
    for number in later(folder, tail)? {
        let path = segment::path_of(folder, number);
        std::fs::remove_file(&path).map_err(JournalError::io(&path))?;
    }
    if tail.offset > 0 {
        let path = segment::path_of(folder, tail.segment);
        erase(&path, tail.offset).map_err(JournalError::io(&path))?;
    }
    sync_folder(folder)?;
    Ok(kept)
}

/// Copies the bytes behind the valid part of the tail's segment to a file beside it; `None`: there are none.
pub(super) fn keep_torn(lease: &Lease, tail: Tail) -> Result<Option<PathBuf>, JournalError> {
    if tail.offset == 0 || !tail.torn {
        return Ok(None);
    }
    let path = segment::path_of(lease.folder(), tail.segment);
    let kept = keep(&path, tail.offset)?;
    if let Some(kept) = &kept {
        let (path, offset, kept) = (path.display(), tail.offset, kept.display());
        tracing::warn!(
            "{path}: cut off at byte {offset}, where no record is whole; what stood there is kept in {kept}"
        );
    }
    Ok(kept)
}

/// Segments behind the tail's, the last one first, so that a cut that is interrupted leaves no hole.
fn later(folder: &Path, tail: Tail) -> Result<Vec<u32>, JournalError> {
    let mut numbers = segment::numbers(folder)?;
    numbers.retain(|number| tail.offset == 0 || *number > tail.segment);
    numbers.reverse();
    Ok(numbers)
}

/// Bytes of a file from `offset` to the last one that is not zero.
fn content(path: &Path, offset: u64) -> Result<Vec<u8>, JournalError> {
    let read = || -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let len = file.metadata()?.len().saturating_sub(offset);
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(&mut bytes, offset)?;
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        bytes.truncate(end);
        Ok(bytes)
    };
    read().map_err(JournalError::io(path))
}

/// Copies the content of a file from `offset` to a new file that never takes an earlier one's place; `None`: there is none.
pub(super) fn keep(path: &Path, offset: u64) -> Result<Option<PathBuf>, JournalError> {
    let bytes = content(path, offset)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let stem = path.with_extension("").to_string_lossy().into_owned();
    for attempt in 0..u32::MAX {
        let name = match attempt {
            0 => format!("{stem}-{offset}.bad"),
            _ => format!("{stem}-{offset}-{attempt}.bad"),
        };
        let to = PathBuf::from(name);
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened.map_err(JournalError::io(&to))?,
        };
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        if let Err(error) = written {
            let _ = std::fs::remove_file(&to); // Half a copy is none.
            return Err(JournalError::io(&to)(error));
        }
        sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        return Ok(Some(to));
    }
    Ok(None)
}

/// Leaves nothing but zeros from `offset` on.
fn erase(path: &Path, offset: u64) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    let len = file.metadata()?.len();
    file.set_len(offset)?;
    file.set_len(len)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(JournalError::io(folder))
}
