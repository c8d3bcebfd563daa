//! The one file in a zip file. The directory is read by the `zip` crate; the content is streamed from where
//! the directory says, because the crate's own reader borrows its archive.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{ZSTD_WINDOW_LOG_MAX, refuse};
use crate::source::error::{SourceCause, SourceError};

/// Content of the one file; its length and CRC-32 are checked at its end.
pub struct ZipReader {
    content: Content,
    crc: Crc,
    crc_told: u32,
    /// Bytes still to come, as the directory says.
    left: u64,
}

enum Content {
    Stored(Take<File>),
    Deflated(DeflateDecoder<Take<File>>),
    Zstd(zstd::Decoder<'static, BufReader<Take<File>>>),
}

impl ZipReader {
    /// Looks for the one file in `file`.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if `file` cannot be sought, or does not hold exactly one file that can be read.
    pub fn open(mut file: File) -> Result<ZipReader, SourceError> {
        file.rewind().map_err(refuse)?;
        let mut archive = ZipArchive::new(file).map_err(damaged)?;
        let only = only_file(&mut archive)?;
        let entry = archive.by_index_raw(only).map_err(damaged)?;
        if entry.encrypted() {
            return Err(SourceError { offset: 0, cause: SourceCause::ZipEncrypted });
        }
        let from =
            entry.data_start().ok_or(SourceError { offset: 0, cause: SourceCause::ZipDamaged })?;
        let (method, packed) = (entry.compression(), entry.compressed_size());
        let (crc_told, left) = (entry.crc32(), entry.size());
        drop(entry);
        let mut file = archive.into_inner();
        file.seek(SeekFrom::Start(from)).map_err(refuse)?;
        let packed = file.take(packed);
        let content = match method {
            CompressionMethod::Stored => Content::Stored(packed),
            CompressionMethod::Deflated => Content::Deflated(DeflateDecoder::new(packed)),
            method if method == CompressionMethod::ZSTD => {
                let mut zstd = zstd::Decoder::new(packed).map_err(refuse)?;
                zstd.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(refuse)?;
                Content::Zstd(zstd)
            }
            _ => return Err(SourceError { offset: 0, cause: SourceCause::ZipMethod }),
        };
        Ok(ZipReader { content, crc: Crc::new(), crc_told, left })
    }
}

/// Place of the only entry that is not a folder.
fn only_file(archive: &mut ZipArchive<File>) -> Result<usize, SourceError> {
    let (mut files, mut only) = (0, 0);
    for place in 0..archive.len() {
        if !archive.by_index_raw(place).map_err(damaged)?.is_dir() {
            (files, only) = (files + 1, place);
        }
    }
    if files != 1 {
        return Err(SourceError { offset: 0, cause: SourceCause::ZipFiles { files } });
    }
    Ok(only)
}

fn damaged(error: ZipError) -> SourceError {
    match error {
        ZipError::Io(error) if error.kind() != ErrorKind::UnexpectedEof => refuse(error),
        ZipError::UnsupportedArchive(_) => SourceError { offset: 0, cause: SourceCause::ZipMethod },
        _ => SourceError { offset: 0, cause: SourceCause::ZipDamaged },
    }
}

impl Read for ZipReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let got = match &mut self.content {
            Content::Stored(reader) => reader.read(buffer)?,
            Content::Deflated(reader) => reader.read(buffer)?,
            Content::Zstd(reader) => reader.read(buffer)?,
        };
        self.crc.update(buffer.get(..got).unwrap_or_default());
        self.left = self
            .left
            .checked_sub(got as u64)
            .ok_or(Error::new(ErrorKind::InvalidData, "more than the directory of the zip says"))?;
        let ended = got == 0 && !buffer.is_empty();
        if ended && self.left > 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if ended && self.crc.sum() != self.crc_told {
            return Err(Error::new(ErrorKind::InvalidData, "wrong CRC-32 in a zip file"));
        }
        Ok(got)
    }
}
