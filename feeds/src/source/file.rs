//! A BinaryFILE capture on disk or in memory, plain or gzip: told apart by magic, never by name.

use std::fs::File;
use std::io::{Chain, Cursor, Read, Take};
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::binary_file::{BinaryFile, SourceCause, SourceError};

/// The first two bytes of a gzip member (RFC 1952). As a length prefix they would announce 8,075 bytes.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// The bytes that were read to know the format, then the rest: works on a pipe too.
type Looked<R> = Chain<Take<Cursor<[u8; 2]>>, R>;

/// Uncompressed bytes of a capture.
pub enum FileReader {
    /// A plain file.
    Plain(Looked<File>),
    /// A compressed file, of one member or several.
    Gzip(Box<MultiGzDecoder<Looked<File>>>),
    /// A capture in memory.
    Bytes(Cursor<Arc<[u8]>>),
}

/// Frames of a capture.
pub type FileSource = BinaryFile<FileReader>;

impl FileReader {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if it cannot be opened or its first bytes cannot be read.
    pub fn open(path: &Path) -> Result<FileReader, SourceError> {
        let refuse = |error: std::io::Error| SourceError {
            offset: 0,
            cause: SourceCause::Read(error.kind()),
        };
        let mut file = File::open(path).map_err(refuse)?;
        let mut magic = Vec::with_capacity(GZIP.len());
        file.by_ref().take(GZIP.len() as u64).read_to_end(&mut magic).map_err(refuse)?;
        let mut head = [0; 2];
        head.iter_mut().zip(&magic).for_each(|(to, from)| *to = *from);
        let looked = Cursor::new(head).take(magic.len() as u64).chain(file);
        Ok(if magic == GZIP {
            FileReader::Gzip(Box::new(MultiGzDecoder::new(looked)))
        } else {
            FileReader::Plain(looked)
        })
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            FileReader::Plain(reader) => reader.read(buffer),
            FileReader::Gzip(reader) => reader.read(buffer),
            FileReader::Bytes(reader) => reader.read(buffer),
        }
    }
}

impl BinaryFile<FileReader> {
    /// Opens a file, plain or gzip.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if it cannot be opened or its first bytes cannot be read.
    pub fn open(path: &Path) -> Result<FileSource, SourceError> {
        Ok(FileSource::from_reader(FileReader::open(path)?))
    }

    /// Takes an uncompressed capture in memory.
    pub fn from_bytes(bytes: Arc<[u8]>) -> FileSource {
        FileSource::from_reader(FileReader::Bytes(Cursor::new(bytes)))
    }
}
