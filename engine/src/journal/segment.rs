//! Segment files: preallocated, numbered, each with a header of its own.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Size of a segment file.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// Bytes of a segment's header: magic, format version, number.
pub(super) const HEADER_BYTES: u64 = 16;
const MAGIC: [u8; 8] = *b"TGJRNL1\n";
/// Bytes before each payload: length, CRC32C.
pub(super) const FRAME_BYTES: usize = 8;
/// No record is longer: a configuration file must fit.
pub(super) const PAYLOAD_MAX: usize = 8 << 20;

/// Why a journal cannot be opened or go on.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        #[source]
        error: io::Error,
    },
    /// Another engine writes it.
    #[error("{0}: another engine is writing this journal; stop it, or choose another folder")]
    InUse(PathBuf),
    /// A file of the folder is no segment of a journal.
    #[error("{0}: not a segment of a journal of this version")]
    NotASegment(PathBuf),
    /// A new journal was asked for, and the folder holds one.
    #[error("{0}: holds a journal already")]
    NotEmpty(PathBuf),
}

impl JournalError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> JournalError + '_ {
        move |error| JournalError::Io { path: path.to_path_buf(), error }
    }
}

/// The path of a segment.
pub(super) fn path_of(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}.tgj"))
}

/// Numbers of the segments in a folder, ascending. An absent folder has none.
pub(super) fn numbers(folder: &Path) -> Result<Vec<u32>, JournalError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(JournalError::io(folder)(error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(JournalError::io(folder))?.file_name();
        let number: Option<u32> =
            name.to_str().and_then(|name| name.strip_suffix(".tgj")).and_then(|n| n.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes a segment with its header, its whole length reserved on the disk, so that a later append cannot run out of space.
pub(super) fn create(folder: &Path, number: u32, bytes: u64) -> Result<File, JournalError> {
    let path = path_of(folder, number);
    let open = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
    let file = open.map_err(JournalError::io(&path))?;
    let reserved = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes);
    reserved.map_err(|error| JournalError::io(&path)(error.into()))?;
    let mut header = [0; HEADER_BYTES as usize];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&number.to_le_bytes());
    file.write_all_at(&header, 0).map_err(JournalError::io(&path))?;
    Ok(file)
}

/// Checks a segment's header.
pub(super) fn check_header(bytes: &[u8], number: u32, path: &Path) -> Result<(), JournalError> {
    let good = bytes.starts_with(&MAGIC) && bytes.get(8..12) == Some(&number.to_le_bytes());
    good.then_some(()).ok_or_else(|| JournalError::NotASegment(path.to_path_buf()))
}

/// Frames a payload: length, CRC32C, payload.
pub(super) fn frame(payload: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    to.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    to.extend_from_slice(payload);
}

/// Splits the first framed payload off; `None` where the valid part of a segment ends.
pub(super) fn unframe(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len) as usize;
    if len == 0 || len > PAYLOAD_MAX {
        return None;
    }
    let payload = rest.get(..len)?;
    (crc32c::crc32c(payload) == u32::from_le_bytes(*crc)).then_some(payload)
}
