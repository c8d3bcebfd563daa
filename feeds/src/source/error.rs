//! Why a source gave up.

use std::io::ErrorKind;

/// Why a source gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceCause {
    /// The operating system or the decompressor refused.
    #[error("cannot read: {}", refused(*.0))]
    Read(ErrorKind),
    /// A pipe, a terminal or a socket: what a capture is, is seen by its begin, and then it is read from there again.
    #[error("no regular file: it is read twice, so that it must be one")]
    NotAFile,
    /// Not a single byte.
    #[error("empty file")]
    Empty,
    /// The first length prefix is zero: an end of session before any message, or a file without lengths.
    #[error("zero length prefix at the start")]
    ZeroAtStart,
    /// The stream ends inside a frame.
    #[error("ends inside a frame: {got} of {need} bytes")]
    InsideFrame {
        /// Bytes of the whole frame, prefix included; 2 if the stream ends inside the prefix.
        need: u32,
        /// Bytes that are there.
        got: u32,
    },
    /// Something follows the end of the session.
    #[error("bytes after the end of the session")]
    AfterEnd,
    /// A zip file must hold exactly one file; folders do not count.
    #[error("a zip file of {files} files: exactly one is read")]
    ZipFiles {
        /// How many there are.
        files: u32,
    },
    /// The file in the zip file is encrypted.
    #[error("an encrypted zip file")]
    ZipEncrypted,
    /// The file in the zip file is compressed in a way that is not read.
    #[error("a zip file compressed by a method other than store, deflate and zstd")]
    ZipMethod,
    /// The directory of the zip file is damaged.
    #[error("a damaged zip file")]
    ZipDamaged,
    /// The first four bytes are those of neither pcap nor pcapng.
    #[error("neither pcap nor pcapng: begins with {magic:08x}")]
    NotPackets {
        /// The first four bytes, big-endian; what is missing is zero.
        magic: u32,
    },
    /// The stream ends inside the header of the file, before any packet.
    #[error("ends inside the header of the file")]
    InsideHeader,
    /// A version of the format that is not read.
    #[error("version {major} of the format")]
    Version {
        /// Its major number.
        major: u16,
    },
    /// A block whose lengths or byte order contradict each other.
    #[error("malformed block of type {kind:#x}")]
    BadBlock {
        /// Type of the block.
        kind: u32,
    },
    /// A packet, or a block that holds one, longer than any capture has them.
    #[error("a packet of {length} bytes")]
    PacketTooLong {
        /// Its length in the file, bytes.
        length: u32,
    },
    /// A packet of an interface that was not described.
    #[error("no interface {id}")]
    NoInterface {
        /// Number of the interface in its section.
        id: u32,
    },
    /// More interfaces in a section than are kept.
    #[error("too many interfaces")]
    TooManyInterfaces,
    /// A line without end.
    #[error("a line longer than {max} bytes")]
    LineTooLong {
        /// Longest that is read, bytes.
        max: u32,
    },
}

/// A source's last word: where and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset}: {cause}")]
pub struct SourceError {
    /// Byte of the uncompressed stream.
    pub offset: u64,
    /// What is wrong there.
    pub cause: SourceCause,
}

/// What a decompressor calls invalid is what it reads, not how it was asked.
fn refused(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::InvalidInput | ErrorKind::InvalidData => "what is compressed is damaged".into(),
        other => other.to_string(),
    }
}

impl SourceError {
    /// What the operating system or the decompressor said.
    pub fn read(offset: u64, error: &std::io::Error) -> SourceError {
        SourceError { offset, cause: SourceCause::Read(error.kind()) }
    }
}
