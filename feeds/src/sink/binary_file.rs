//! BinaryFILE framing: `length: u16 big-endian, message`, repeated; a length of zero ends the session.

use std::io::{Error, ErrorKind, Result, Write};

/// Writes messages.
pub struct BinaryFileWriter<W> {
    out: W,
}

impl<W: Write> BinaryFileWriter<W> {
    /// Messages to `out`.
    pub fn new(out: W) -> BinaryFileWriter<W> {
        BinaryFileWriter { out }
    }

    /// Writes a message.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it is empty, which would end the session, or longer than 65,535 bytes;
    /// nothing is written. Otherwise that of `out`.
    pub fn message(&mut self, message: &[u8]) -> Result<()> {
        let length = u16::try_from(message.len()).unwrap_or(0);
        if length == 0 {
            return Err(Error::new(ErrorKind::InvalidInput, "a message of 1 to 65,535 bytes"));
        }
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(message)
    }

    /// Gives `out` back without an end of the session: there is more of it elsewhere, or it is not known.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Ends the session, flushes, and gives `out` back.
    ///
    /// # Errors
    ///
    /// That of `out`.
    pub fn end(mut self) -> Result<W> {
        self.out.write_all(&[0, 0])?;
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use crate::source::BinaryFile;

    use super::*;

    /// Goal: what is written is read back, and what cannot be written is refused.
    /// Method: the shortest, the longest, and one beyond either.
    #[test]
    fn round_trip() {
        let mut writer = BinaryFileWriter::new(Vec::new());
        let longest = vec![7; 65_535];
        writer.message(b"A").unwrap();
        writer.message(&longest).unwrap();
        for wrong in [&[][..], &[0; 65_536]] {
            assert_eq!(writer.message(wrong).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        let bytes = writer.end().unwrap();
        let mut source = BinaryFile::from_reader(&bytes[..]);
        assert_eq!(source.next_frame().unwrap().unwrap().bytes, b"A");
        assert_eq!(source.next_frame().unwrap().unwrap().bytes, longest);
        assert_eq!(source.next_frame(), Ok(None));
        assert!(!source.missing_end());
    }
}
