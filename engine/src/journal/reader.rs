//! Reads a journal back: the longest valid prefix, record by record.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::record::{BadRecord, Record};
use super::segment::{self, FRAME_BYTES, HEADER_BYTES, JournalError};

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

/// Reads the records of a folder in order and stops at the first that is not whole.
pub struct Reader {
    folder: PathBuf,
    numbers: std::vec::IntoIter<u32>,
    bytes: Vec<u8>,
    tail: Tail,
    bad: Option<BadRecord>,
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
        let mut reader = Reader {
            folder: folder.to_path_buf(),
            numbers,
            bytes: Vec::new(),
            tail: Tail::default(),
            bad: None,
            ended: false,
        };
        reader.ended = !reader.next_segment()?;
        Ok(reader)
    }

    /// The next whole record; `None` at the end of the valid part.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if a segment cannot be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, JournalError> {
        while !self.ended {
            let rest = self.bytes.get(self.tail.offset as usize..).unwrap_or(&[]);
            if let Some(payload) = segment::unframe(rest) {
                match Record::read(payload) {
                    Ok(record) => {
                        self.tail.offset += (FRAME_BYTES + payload.len()) as u64;
                        self.tail.records += 1;
                        return Ok(Some(record));
                    }
                    Err(bad) => self.bad = Some(bad),
                }
            }
            let torn = rest.iter().any(|byte| *byte != 0);
            if torn || self.bad.is_some() || !self.next_segment()? {
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

    /// A record that is whole by its checksum but of no known kind: written by another version.
    pub fn bad(&self) -> Option<BadRecord> {
        self.bad
    }

    /// Goes on to the next segment if its number follows; a hole in the numbers ends the journal.
    fn next_segment(&mut self) -> Result<bool, JournalError> {
        let Some(number) = self.numbers.next() else { return Ok(false) };
        if self.tail.offset != 0 && number != self.tail.segment + 1 {
            return Ok(false);
        }
        let path = segment::path_of(&self.folder, number);
        self.bytes.clear();
        let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut self.bytes));
        read.map_err(JournalError::io(&path))?;
        if self.bytes.iter().take(HEADER_BYTES as usize).all(|byte| *byte == 0) {
            return Ok(false); // Made, but its header did not survive the crash: nothing is in it.
        }
        segment::check_header(&self.bytes, number, &path)?;
        self.tail = Tail { segment: number, offset: HEADER_BYTES, ..self.tail };
        Ok(true)
    }
}
