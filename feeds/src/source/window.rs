//! A window over a stream: one buffer, filled as far as a piece needs and bounded.

use std::io::{ErrorKind, Read};
use std::ops::Range;

use super::error::{SourceCause, SourceError};

/// Bytes of a stream, from the first that was not taken.
pub(super) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    /// First byte not taken, and first byte not filled.
    start: usize,
    end: usize,
    /// Position of `start` in the stream.
    offset: u64,
    /// Longest the buffer may become.
    max: usize,
    ended: bool,
    cut: bool,
}

impl<R: Read> Window<R> {
    /// A buffer of `size` bytes that may grow to `max`.
    pub fn new(reader: R, size: usize, max: usize) -> Window<R> {
        let buffer = vec![0; size];
        Window { reader, buffer, start: 0, end: 0, offset: 0, max, ended: false, cut: false }
    }

    /// What is there.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Position of the first byte of [`Window::bytes`] in the stream.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the compressed stream ended before its end: what a recorder that was killed leaves behind.
    pub fn cut(&self) -> bool {
        self.cut
    }

    /// Takes `count` of the bytes that are there. They stay readable by [`Window::slice`] until the next
    /// [`Window::fill`].
    pub fn take(&mut self, count: usize) -> Range<usize> {
        let from = self.start;
        self.start = (from + count).min(self.end);
        self.offset += (self.start - from) as u64;
        from..self.start
    }

    /// Bytes that were taken.
    pub fn slice(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// Reads until `need` bytes are there, at most the `max` of the window; whether they are: the stream may
    /// end before.
    ///
    /// # Errors
    ///
    /// [`SourceCause::Read`] with the offset of the first byte that could not be read.
    pub fn fill(&mut self, need: usize) -> Result<bool, SourceError> {
        if self.end - self.start >= need {
            return Ok(true);
        }
        self.make_room(need.min(self.max));
        while self.end - self.start < need && !self.ended {
            let Some(room @ [_, ..]) = self.buffer.get_mut(self.end..) else { return Ok(false) };
            match self.reader.read(room) {
                Ok(0) => self.ended = true,
                Ok(got) => self.end += got.min(room.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    (self.ended, self.cut) = (true, true);
                }
                Err(error) => {
                    let offset = self.offset + (self.end - self.start) as u64;
                    return Err(SourceError { offset, cause: SourceCause::Read(error.kind()) });
                }
            }
        }
        Ok(self.end - self.start >= need)
    }

    fn make_room(&mut self, need: usize) {
        if self.start + need <= self.buffer.len() {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if need > self.buffer.len() {
            let size = (2 * self.buffer.len()).max(need).min(self.max);
            self.buffer.resize(size, 0);
        }
    }

    /// Takes `count` bytes that nobody wants to see; whether the stream had them.
    ///
    /// # Errors
    ///
    /// As [`Window::fill`].
    pub fn skip(&mut self, count: u64) -> Result<bool, SourceError> {
        let mut left = count;
        while left > 0 {
            if !self.fill(1)? {
                return Ok(false);
            }
            let here = self.bytes().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.take(here);
            left -= here as u64;
        }
        Ok(true)
    }
}
