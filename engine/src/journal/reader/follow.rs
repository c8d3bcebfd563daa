//! Going to a place in a journal, and reading on in one that is being written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{Reader, Tail};
use crate::journal::Record;
use crate::journal::segment::{self, FRAME_BYTES, HEADER_BYTES, JournalError, PAYLOAD_MAX};

/// Bytes read at a time from a segment that is being written: most of what follows is zeros.
const CHUNK: usize = 256 << 10;
/// Bytes before the place that are looked at again: whether the journal is still the one that was read.
const LOOK_BACK: u64 = 64;

impl Reader {
    /// Goes to a place that [`Reader::tail`] told.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`]; [`JournalError::NotASegment`] if its segment is not there or ends before it.
    pub fn seek(&mut self, tail: Tail) -> Result<(), JournalError> {
        let mut numbers = segment::numbers(&self.folder)?;
        numbers.retain(|number| *number >= tail.segment);
        let path = segment::path_of(&self.folder, tail.segment);
        self.numbers = numbers.into_iter();
        (self.why, self.is_followed, self.ended) = (None, false, false);
        self.in_head &= tail.records == 0;
        self.tail = Tail { records: tail.records, ..Tail::default() };
        let is_there = self.next_segment()? && self.tail.segment == tail.segment;
        let is_within = (HEADER_BYTES..=self.bytes.len() as u64).contains(&tail.offset);
        if !is_there || !is_within {
            return Err(JournalError::NotASegment(path));
        }
        self.tail.offset = tail.offset;
        Ok(())
    }

    /// Looks again, from where reading stands: whoever writes the journal may have written more. A record that is not
    /// whole yet is waited for; whole ones behind it are damage, as [`Reader::fault`] tells.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`]; [`JournalError::Rewritten`] if what was read last is not there any more.
    pub fn refresh(&mut self) -> Result<(), JournalError> {
        // First the next segment, then this one: once that one is begun, nothing more comes into this one.
        let next = self.tail.segment + 1;
        let is_begun = segment::is_begun(&self.folder, next)?;
        let numbers = if is_begun { vec![next] } else { Vec::new() };
        self.numbers = numbers.into_iter();
        self.read_on()?;
        self.is_whole = is_begun;
        (self.why, self.is_followed, self.ended) = (None, false, false);
        self.tail.torn = false;
        Ok(())
    }

    /// Reads what is written behind the place, and a little before it.
    pub(super) fn read_on(&mut self) -> Result<(), JournalError> {
        let path = segment::path_of(&self.folder, self.tail.segment);
        let io = JournalError::io(&path);
        let back = LOOK_BACK.min(self.tail.offset - HEADER_BYTES.min(self.tail.offset));
        let before = (self.tail.offset - back).max(self.base);
        let known = self.bytes.get((before - self.base) as usize..).unwrap_or_default();
        let known = known.get(..(self.tail.offset - before) as usize).map(<[u8]>::to_vec);
        let mut bytes = Vec::new();
        let mut read = || -> io::Result<()> {
            let file = File::open(&path)?;
            loop {
                let from = bytes.len();
                bytes.resize(from + CHUNK, 0);
                let room = bytes.get_mut(from..).unwrap_or_default();
                let count = read_at(&file, room, before + from as u64)?;
                let is_zero = room.iter().all(|byte| *byte == 0);
                bytes.truncate(from + count);
                let missing = bytes.len() < wanted(&bytes, self.tail.offset - before);
                if count < CHUNK || is_zero && !missing {
                    return Ok(());
                }
            }
        };
        read().map_err(io)?;
        if let Some(known) = known
            && !bytes.starts_with(&known)
        {
            return Err(JournalError::Rewritten { path, offset: self.tail.offset });
        }
        (self.bytes, self.base) = (bytes, before);
        Ok(())
    }
}

/// Bytes that the record at a place takes with everything before it, as far as its length can be read.
fn wanted(bytes: &[u8], at: u64) -> usize {
    let len = bytes.get(at as usize..).and_then(|rest| rest.first_chunk::<4>());
    let len = len.map_or(0, |len| u32::from_le_bytes(*len) as usize);
    at as usize + FRAME_BYTES + if len <= PAYLOAD_MAX { len } else { 0 }
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while let Some(room) = buffer.get_mut(read..).filter(|room| !room.is_empty()) {
        match file.read_at(room, offset + read as u64)? {
            0 => break,
            count => read += count,
        }
    }
    Ok(read)
}

/// The newest input that a journal holds, as far as the lengths of its records lead: for saying how far somebody is behind.
/// Zero if it holds none.
///
/// # Errors
///
/// [`JournalError::Io`].
pub fn newest_input(folder: &Path) -> Result<u64, JournalError> {
    for number in segment::numbers(folder)?.into_iter().rev() {
        let path = segment::path_of(folder, number);
        let bytes = std::fs::read(&path).map_err(JournalError::io(&path))?;
        let mut rest = bytes.get(HEADER_BYTES as usize..).unwrap_or_default();
        let mut newest = None;
        while let Ok(payload) = segment::unframe(rest) {
            newest = Record::last_input_of(payload).or(newest);
            rest = rest.get(FRAME_BYTES + payload.len()..).unwrap_or_default();
        }
        if let Some(newest) = newest {
            return Ok(newest);
        }
    }
    Ok(0)
}
