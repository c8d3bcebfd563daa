//! A file, plain, gzip, zstd or zip: told apart by magic, never by name.
//!
//! Everything is streamed: a file that decompresses to a thousand times its size costs time in proportion to
//! what is read from it, and no memory beyond the decompressor's window.

mod zip;

use std::fs::File;
use std::io::{BufReader, Chain, Cursor, Read, Take};
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use self::zip::ZipReader;
use super::binary_file::BinaryFile;
use super::error::{SourceCause, SourceError};

/// Bytes that are looked at.
const LOOK: usize = 4;
/// A gzip member (RFC 1952). As a length prefix it would announce 8,075 bytes.
const GZIP: [u8; 2] = [0x1F, 0x8B];
/// A zstd frame (RFC 8878). As a length prefix it would announce 10,421 bytes.
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// A zip file: a local header, or the end of the directory if nothing is in it.
const ZIP: [[u8; 4]; 2] = [*b"PK\x03\x04", *b"PK\x05\x06"];
/// Largest window of a zstd frame, as a power of two: 128 MiB, what the format's own tool allows.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// The bytes that were read to know the format, then the rest: works on a pipe too.
type Looked<R> = Chain<Take<Cursor<[u8; LOOK]>>, R>;

/// Uncompressed bytes of a file.
pub enum FileReader {
    /// A plain file.
    Plain(Looked<File>),
    /// A gzip file, of one member or several.
    Gzip(Box<MultiGzDecoder<Looked<File>>>),
    /// A zstd file, of one frame or several.
    Zstd(Box<zstd::Decoder<'static, BufReader<Looked<File>>>>),
    /// The one file in a zip file.
    Zip(Box<ZipReader>),
    /// Bytes in memory, not compressed.
    Bytes(Cursor<Arc<[u8]>>),
}

/// Frames of a capture.
pub type FileSource = BinaryFile<FileReader>;

impl FileReader {
    /// Opens a file. Pipes can be read too, except zip, whose directory stands at its end.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if it cannot be opened, its first bytes cannot be read, or it is a zip file that does
    /// not hold exactly one readable file.
    pub fn open(path: &Path) -> Result<FileReader, SourceError> {
        let mut file = File::open(path).map_err(refuse)?;
        let mut magic = Vec::with_capacity(LOOK);
        file.by_ref().take(LOOK as u64).read_to_end(&mut magic).map_err(refuse)?;
        if ZIP.iter().any(|zip| magic == zip) {
            return Ok(FileReader::Zip(Box::new(ZipReader::open(file)?)));
        }
        let mut head = [0; LOOK];
        head.iter_mut().zip(&magic).for_each(|(to, from)| *to = *from);
        let looked = Cursor::new(head).take(magic.len() as u64).chain(file);
        Ok(if magic.starts_with(&GZIP) {
            FileReader::Gzip(Box::new(MultiGzDecoder::new(looked)))
        } else if magic == ZSTD || is_skippable(&magic) {
            let mut zstd = zstd::Decoder::new(looked).map_err(refuse)?;
            zstd.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(refuse)?;
            FileReader::Zstd(Box::new(zstd))
        } else {
            FileReader::Plain(looked)
        })
    }

    /// Bytes in memory, taken as they are.
    pub fn from_bytes(bytes: Arc<[u8]>) -> FileReader {
        FileReader::Bytes(Cursor::new(bytes))
    }
}

/// A zstd frame that holds no content: parallel compressors begin with one.
fn is_skippable(magic: &[u8]) -> bool {
    matches!(magic, [0x50..=0x5F, 0x2A, 0x4D, 0x18])
}

fn refuse(error: std::io::Error) -> SourceError {
    SourceError { offset: 0, cause: SourceCause::Read(error.kind()) }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            FileReader::Plain(reader) => reader.read(buffer),
            FileReader::Gzip(reader) => reader.read(buffer),
            FileReader::Zstd(reader) => reader.read(buffer),
            FileReader::Zip(reader) => reader.read(buffer),
            FileReader::Bytes(reader) => reader.read(buffer),
        }
    }
}

impl BinaryFile<FileReader> {
    /// Opens a file, compressed or not.
    ///
    /// # Errors
    ///
    /// As [`FileReader::open`].
    pub fn open(path: &Path) -> Result<FileSource, SourceError> {
        Ok(FileSource::from_reader(FileReader::open(path)?))
    }

    /// Takes an uncompressed capture in memory.
    pub fn from_bytes(bytes: Arc<[u8]>) -> FileSource {
        FileSource::from_reader(FileReader::from_bytes(bytes))
    }
}

#[cfg(test)]
mod tests;
