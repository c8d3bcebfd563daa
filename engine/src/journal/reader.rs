//! Reads a journal back: the longest valid prefix, record by record.

mod follow;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use follow::newest_input;

use super::record::{BadRecord, ENTRY_BYTES_MAX, OPENED_BYTES, Record};
use super::segment::{self, BadFrame, FRAME_BYTES, HEADER_BYTES, JournalError};

/// Where the valid part of a journal ends: everything before is whole, the rest is to be overwritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The segment in which it ends.
    pub segment: u32,
    /// Bytes of that segment that are valid, its header included.
    pub offset: u64,
    /// Valid records before it.
    pub records: u64,
    /// Bytes behind it that are not zero: the torn end of a record that a crash cut off, or damage.
    pub torn: bool,
}

/// Why reading stopped where it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The bytes are no whole record.
    #[error(transparent)]
    Frame(#[from] BadFrame),
    /// A whole record of no known kind: another version wrote it.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// The next segment is not there, and a later one is.
    #[error("segment {0} is missing")]
    Missing(u32),
}

/// The first bad record of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The segment's file.
    pub path: PathBuf,
    /// Its place there.
    pub offset: u64,
    /// Its number, from zero.
    pub record: u64,
    /// What is wrong with it.
    pub why: Why,
    /// Whether a later segment holds something, a later start of an engine stands behind it, or, of a record of the head, an
    /// input. A crash leaves torn only what came after all three: each segment is synced before the next begins and the head
    /// before the first input, and an engine goes on behind what is whole alone.
    pub is_followed: bool,
}

impl Fault {
    /// Why no engine may go on with the journal as it is; `None`: it is what a crash leaves behind.
    pub fn refusal(self) -> Option<JournalError> {
        let Fault { path, offset, record, why, is_followed } = self;
        match why {
            Why::Record(bad) => Some(JournalError::Unknown { path, offset, bad }),
            _ if is_followed => Some(JournalError::Damaged { path, offset, record }),
            _ => None,
        }
    }
}

/// Reads the records of a folder in order and stops at the first that is not whole.
pub struct Reader {
    folder: PathBuf,
    numbers: std::vec::IntoIter<u32>,
    /// Of the segment, from `base` on.
    bytes: Vec<u8>,
    base: u64,
    tail: Tail,
    /// Whether the bytes were read after the next segment was begun: nothing more comes then.
    is_whole: bool,
    /// Whether all that was read is the beginning of a journal, up to its first start of an engine.
    in_head: bool,
    why: Option<Why>,
    /// See [`Fault::is_followed`].
    is_followed: bool,
    ended: bool,
}

impl Reader {
    /// Opens a folder; one that is absent or holds no segment reads as an empty journal.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], or [`JournalError::NotASegment`] for a foreign file under a segment's name.
    pub fn open(folder: &Path) -> Result<Reader, JournalError> {
        let numbers = segment::numbers(folder)?.into_iter();
        let in_head = numbers.as_slice().first() == Some(&0); // Else its beginning was deleted.
        let mut reader = Reader {
            folder: folder.to_path_buf(),
            numbers,
            bytes: Vec::new(),
            base: 0,
            tail: Tail::default(),
            is_whole: false,
            in_head,
            why: None,
            is_followed: false,
            ended: false,
        };
        reader.ended = !reader.next_segment()?;
        Ok(reader)
    }

    /// Whether nothing happened in a journal: there is none, no engine had opened it yet, or one did and stands whole without an
    /// input and a run of events. Behind a bad record there may have been some.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if it cannot be read, or is damaged rather than torn.
    pub fn is_of_nothing(folder: &Path) -> Result<bool, JournalError> {
        let (mut reader, mut opened) = (Reader::open(folder)?, false);
        while let Some(record) = reader.next_record()? {
            match record {
                Record::Input(_) | Record::Run { .. } => return Ok(false),
                Record::Opened { .. } => opened = true,
                _ => {}
            }
        }
        match reader.fault() {
            None => Ok(true),
            Some(fault) => fault.refusal().map_or(Ok(!opened), Err),
        }
    }

    /// The next whole record; `None` at the end of the valid part.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if a segment cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, JournalError> {
        while !self.ended {
            let rest = self.bytes.get((self.tail.offset - self.base) as usize..).unwrap_or(&[]);
            let (why, torn) = match segment::unframe(rest).map(|p| (p.len(), Record::read(p))) {
                Ok((len, Ok(record))) => {
                    self.tail.offset += (FRAME_BYTES + len) as u64;
                    self.tail.records += 1;
                    self.in_head &= matches!(record, Record::Config { .. } | Record::Source { .. });
                    return Ok(Some(record));
                }
                Ok((_, Err(bad))) => (Why::Record(bad), true),
                Err(bad) => (Why::Frame(bad), rest.iter().any(|byte| *byte != 0)),
            };
            if !self.is_whole && segment::is_begun(&self.folder, self.tail.segment + 1)? {
                self.read_on()?; // More may have come since it was read.
                self.is_whole = true;
                continue;
            }
            if torn {
                self.why = Some(why);
                self.is_followed = is_used(rest, self.in_head) || self.any_left()?;
            }
            if torn || !self.next_segment()? {
                self.tail.torn = torn;
                self.ended = true;
            }
        }
        Ok(None)
    }

    /// Where reading stands; after the last record, where the valid part ends.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// What ended the reading before the last record; `None`: nothing did so far.
    pub fn fault(&self) -> Option<Fault> {
        let Tail { segment, offset, records, .. } = self.tail;
        let path = segment::path_of(&self.folder, segment);
        let is_followed = self.is_followed;
        self.why.map(|why| Fault { path, offset, record: records, why, is_followed })
    }

    /// Whether a later segment holds something.
    fn any_left(&self) -> Result<bool, JournalError> {
        for number in self.numbers.as_slice() {
            let path = segment::path_of(&self.folder, *number);
            let mut header = [0; HEADER_BYTES as usize];
            let read = File::open(&path).and_then(|mut file| read_up_to(&mut file, &mut header));
            read.map_err(JournalError::io(&path))?;
            if header.iter().any(|byte| *byte != 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes on to the next segment if its number follows; a hole in the numbers ends the journal.
    fn next_segment(&mut self) -> Result<bool, JournalError> {
        let Some(number) = self.numbers.as_slice().first().copied() else { return Ok(false) };
        if self.tail.offset != 0 && number != self.tail.segment + 1 {
            if self.any_left()? {
                self.why = Some(Why::Missing(self.tail.segment + 1));
                self.is_followed = true;
            }
            return Ok(false);
        }
        self.numbers.next();
        let path = segment::path_of(&self.folder, number);
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
        read.map_err(JournalError::io(&path))?;
        if segment::is_unwritten(&bytes, number) {
            // Made in advance, or its header did not survive a crash: nothing is in it, and nothing behind it.
            let content = bytes.get(HEADER_BYTES as usize..).unwrap_or_default();
            if self.in_head && content.iter().any(|byte| *byte != 0) {
                self.why = Some(Why::Frame(BadFrame::Zero));
                self.is_followed = is_used(content, true);
            }
            if self.any_left()? {
                self.why = Some(Why::Missing(number));
                self.is_followed = true;
            }
            return Ok(false);
        }
        segment::check_header(&bytes, number, &path)?;
        (self.bytes, self.base, self.is_whole) = (bytes, 0, false);
        self.tail = Tail { segment: number, offset: HEADER_BYTES, ..self.tail };
        Ok(true)
    }
}

/// Whether bytes of a segment that begin with no record hold somewhere what no crash leaves behind: the start of an engine that
/// had inputs before, and behind a bad head any input.
fn is_used(bytes: &[u8], in_head: bool) -> bool {
    let lengths = if in_head { 1..=ENTRY_BYTES_MAX } else { OPENED_BYTES..=OPENED_BYTES };
    let is_long = |len: &[u8; 4]| lengths.contains(&(u32::from_le_bytes(*len) as usize));
    let frames = (0..bytes.len()).filter_map(|at| bytes.get(at..));
    let mut likely = frames.filter(|frame| frame.first_chunk().is_some_and(is_long));
    likely.any(|frame| {
        let record = segment::unframe(frame).ok().and_then(|payload| Record::read(payload).ok());
        match record {
            Some(Record::Opened { seq, .. }) => seq > 0,
            Some(Record::Input(_) | Record::Run { .. }) => in_head,
            _ => false,
        }
    })
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<()> {
    let mut read = 0;
    while let Some(room) = buffer.get_mut(read..).filter(|room| !room.is_empty()) {
        match file.read(room)? {
            0 => break,
            count => read += count,
        }
    }
    Ok(())
}
