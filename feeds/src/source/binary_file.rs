//! BinaryFILE framing: `length: u16 big-endian, message`, repeated; a length of zero ends the session.

use std::io::{ErrorKind, Read};

use super::error::{SourceCause, SourceError};

/// Holds the largest frame (65,537 bytes) and enough more that a read is rare.
const BUFFER_BYTES: usize = 256 * 1024;

/// Bytes of a length prefix.
const PREFIX: usize = 2;

/// One message, borrowed from the source's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The message, without its length prefix; never empty.
    pub bytes: &'a [u8],
    /// Where its length prefix begins, in bytes of the uncompressed stream.
    pub offset: u64,
}

/// Frames of any reader. One buffer, allocated at the start.
pub struct BinaryFile<R> {
    reader: R,
    buffer: Box<[u8]>,
    /// First byte not handed out, and first byte not filled.
    start: usize,
    end: usize,
    /// Position of `start` in the stream.
    offset: u64,
    /// Set once there is nothing more to come.
    outcome: Option<Result<(), SourceError>>,
    missing_end: bool,
}

impl<R: Read> BinaryFile<R> {
    /// Frames of `reader`.
    pub fn from_reader(reader: R) -> BinaryFile<R> {
        BinaryFile {
            reader,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            offset: 0,
            outcome: None,
            missing_end: false,
        }
    }

    /// Begins again with another reader, in the same buffer.
    pub fn restart(&mut self, reader: R) {
        self.reader = reader;
        (self.start, self.end, self.offset) = (0, 0, 0);
        self.outcome = None;
        self.missing_end = false;
    }

    /// Bytes handed out so far, length prefixes included.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream ended without the end-of-session marker. Day files may lack it: no error.
    pub fn missing_end(&self) -> bool {
        self.missing_end
    }

    /// The next frame; `None` at the end of the session or of the stream.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if the stream cannot be read or breaks the framing; every later call says the same.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, SourceError> {
        match self.outcome {
            None => {}
            Some(Ok(())) => return Ok(None),
            Some(Err(error)) => return Err(error),
        }
        let Some(length) = self.length().or_else(|| self.fill(PREFIX).and_then(|()| self.length()))
        else {
            return self.end_of_stream();
        };
        if length == 0 {
            return self.end_of_session();
        }
        let size = PREFIX + usize::from(length);
        if self.end - self.start < size && self.fill(size).is_none() {
            return Err(self.inside_frame(size));
        }
        let (offset, from) = (self.offset, self.start + PREFIX);
        self.start += size;
        self.offset += size as u64;
        let bytes = self.buffer.get(from..self.start).unwrap_or_default();
        Ok(Some(Frame { bytes, offset }))
    }

    /// The length prefix at `start`; `None` if it is not in the buffer.
    fn length(&self) -> Option<u16> {
        let prefix = self.buffer.get(self.start..self.end)?.first_chunk::<PREFIX>()?;
        Some(u16::from_be_bytes(*prefix))
    }

    /// Reads until `need` bytes are in the buffer. `None` if the stream ends or fails before; a failure is
    /// the outcome.
    #[cold]
    fn fill(&mut self, need: usize) -> Option<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < need {
            match self.reader.read(self.buffer.get_mut(self.end..)?) {
                Ok(0) => return None,
                Ok(got) => self.end += got,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let offset = self.offset + self.end as u64;
                    let error = SourceError { offset, cause: SourceCause::Read(error.kind()) };
                    self.outcome = Some(Err(error));
                    return None;
                }
            }
        }
        Some(())
    }

    fn fail(&mut self, cause: SourceCause) -> SourceError {
        let error = SourceError { offset: self.offset, cause };
        self.outcome = Some(Err(error));
        error
    }

    fn inside_frame(&mut self, need: usize) -> SourceError {
        if let Some(Err(error)) = self.outcome {
            return error;
        }
        let got = self.end - self.start;
        self.fail(SourceCause::InsideFrame { need: need as u32, got: got as u32 })
    }

    #[cold]
    fn end_of_stream(&mut self) -> Result<Option<Frame<'_>>, SourceError> {
        if self.end > self.start || self.outcome.is_some() {
            return Err(self.inside_frame(PREFIX));
        }
        if self.offset == 0 {
            return Err(self.fail(SourceCause::Empty));
        }
        self.missing_end = true;
        self.outcome = Some(Ok(()));
        Ok(None)
    }

    #[cold]
    fn end_of_session(&mut self) -> Result<Option<Frame<'_>>, SourceError> {
        if self.offset == 0 {
            return Err(self.fail(SourceCause::ZeroAtStart));
        }
        self.start += PREFIX;
        self.offset += PREFIX as u64;
        if self.end > self.start || self.fill(1).is_some() {
            return Err(self.fail(SourceCause::AfterEnd));
        }
        match self.outcome {
            Some(Err(error)) => Err(error),
            _ => {
                self.outcome = Some(Ok(()));
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests;
