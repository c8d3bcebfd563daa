//! Segment files: preallocated, numbered, each with a header of its own.

use std::io;
use std::path::{Path, PathBuf};

/// Size of a segment file.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// Bytes of a segment's header: magic, format version, number.
pub(super) const HEADER_BYTES: u64 = 16;
const MAGIC: [u8; 8] = *b"TGJRNL6\n";
/// Bytes before each payload: length, CRC32C.
pub(super) const FRAME_BYTES: usize = 8;
/// No record is longer.
pub(super) const PAYLOAD_MAX: usize = FILE_MAX + (64 << 10);
/// No configuration file may be longer: with its name it is one record.
pub const FILE_MAX: usize = 8 << 20;

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
    #[error(
        "{folder}: another engine{} is writing this journal; stop it, or choose another folder",
        holder.map_or_else(String::new, |pid| format!(" (process {pid})"))
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process that holds it, as far as its lock tells.
        holder: Option<u32>,
    },
    /// Another engine took the journal over.
    #[error(
        "{path}: a later epoch than {epoch} was taken: another engine goes on with this journal"
    )]
    Fenced {
        /// The file of the epoch.
        path: PathBuf,
        /// Ours.
        epoch: u32,
    },
    /// The file of the epoch holds none.
    #[error(
        "{0}: holds no epoch: restore it, or write the last one that `tickgate journal print` shows"
    )]
    BadEpoch(PathBuf),
    /// Every epoch was taken.
    #[error("{0}: this journal was opened too often; begin another one")]
    NoMoreEpochs(PathBuf),
    /// A record that was whole once is not, and whole ones follow: no crash leaves that behind.
    #[error(
        "{path}: damaged at byte {offset} (record {record}), and there are records behind it; \
         look with `tickgate journal verify`, cut with `tickgate journal repair`"
    )]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where the valid part ends.
        offset: u64,
        /// Number of the record there, from zero.
        record: u64,
    },
    /// A whole record that this version does not know.
    #[error("{path}: byte {offset}: {bad}: another version wrote it, which must go on with it")]
    Unknown {
        /// The segment.
        path: PathBuf,
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        bad: super::BadRecord,
    },
    /// The segment and its reserve are used up.
    #[error("{0}: no room is left on the disk, and the reserve is used up")]
    Full(PathBuf),
    /// A file of the folder is no segment of a journal.
    #[error("{0}: not a segment of a journal of this version")]
    NotASegment(PathBuf),
    /// What a follower has read is not what stands there now.
    #[error(
        "{path}: what was read before byte {offset} has changed: the journal was cut or replaced"
    )]
    Rewritten {
        /// The segment.
        path: PathBuf,
        /// How far it was read.
        offset: u64,
    },
    /// There is no journal, or none whose beginning is whole, and there are snapshots of one.
    #[error(
        "{0}: holds snapshots of an engine, but its journal cannot be read from the beginning: look with \
         `tickgate journal verify`, restore its segments, or choose another folder"
    )]
    Gone(PathBuf),
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
pub fn path_of(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}.tgj"))
}

/// Numbers of the segments in a folder, ascending. An absent folder has none.
///
/// # Errors
///
/// [`JournalError::Io`].
pub fn numbers(folder: &Path) -> Result<Vec<u32>, JournalError> {
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

/// A segment's header.
pub(super) fn header(number: u32) -> [u8; HEADER_BYTES as usize] {
    let mut header = [0; HEADER_BYTES as usize];
    let (magic, rest) = header.split_at_mut(MAGIC.len());
    magic.copy_from_slice(&MAGIC);
    if let Some(place) = rest.first_chunk_mut() {
        *place = number.to_le_bytes();
    }
    header
}

/// Whether nothing was written to a segment but, at most, the beginning of its header.
pub(super) fn is_unwritten(bytes: &[u8], number: u32) -> bool {
    let header = header(number);
    let head = bytes.get(..header.len()).unwrap_or(bytes);
    let same = head.iter().zip(&header).take_while(|(byte, whole)| byte == whole).count();
    same < header.len() && head.iter().skip(same).all(|byte| *byte == 0)
}

/// Whether a segment is there and has its whole header.
pub(super) fn is_begun(folder: &Path, number: u32) -> Result<bool, JournalError> {
    let path = path_of(folder, number);
    let read = || {
        let mut bytes = [0; HEADER_BYTES as usize];
        let file = std::fs::File::open(&path)?;
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, 0).map(|()| bytes)
    };
    match read() {
        Ok(bytes) => Ok(bytes == header(number)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => Ok(false),
            _ => Err(JournalError::io(&path)(error)),
        },
    }
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

/// Why the bytes at a place are no whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// A length of zero: where the valid part of a segment ends, if nothing but zeros follows.
    #[error("its length is zero, and there are bytes behind it")]
    Zero,
    /// More bytes than any record has, or than are left.
    #[error("its length says {0} bytes, more than any record has or than are left")]
    Length(u32),
    /// The payload is not what was written.
    #[error("its checksum comes to {computed:08x}, written is {stored:08x}")]
    Checksum {
        /// What the frame says.
        stored: u32,
        /// What the payload comes to.
        computed: u32,
    },
}

/// Splits the first framed payload off.
pub(super) fn unframe(bytes: &[u8]) -> Result<&[u8], BadFrame> {
    let (len, rest) = bytes.split_first_chunk::<4>().ok_or(BadFrame::Zero)?;
    let len = u32::from_le_bytes(*len);
    if len == 0 {
        return Err(BadFrame::Zero);
    }
    let (stored, rest) = rest.split_first_chunk::<4>().ok_or(BadFrame::Length(len))?;
    let payload = rest.get(..len as usize).filter(|payload| payload.len() <= PAYLOAD_MAX);
    let payload = payload.ok_or(BadFrame::Length(len))?;
    let (stored, computed) = (u32::from_le_bytes(*stored), crc32c::crc32c(payload));
    if stored == computed { Ok(payload) } else { Err(BadFrame::Checksum { stored, computed }) }
}
