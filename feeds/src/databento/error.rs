//! Why a DBN stream was given up.

use std::io::ErrorKind;

use dbn::{RType, Schema};

/// Why a DBN stream was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbnCause {
    /// The operating system or the decompressor refused.
    #[error("cannot read: {0}")]
    Read(ErrorKind),
    /// Not a single byte.
    #[error("empty stream")]
    Empty,
    /// The first bytes are not those of DBN, and nobody said that it is a fragment.
    #[error("no DBN: begins with {magic:08x}")]
    NotDbn {
        /// The first four bytes, big-endian; what is missing is zero.
        magic: u32,
    },
    /// The format before DBN, which hides its metadata in a zstd frame.
    #[error("a DBZ file: convert it to DBN")]
    Legacy,
    /// A version of DBN that is not read.
    #[error("DBN version {version}, must be 1 to 3")]
    Version {
        /// What it says.
        version: u8,
    },
    /// The metadata are shorter than their fixed part, or longer than the options allow.
    #[error("metadata of {length} bytes")]
    MetadataLength {
        /// What it says, bytes.
        length: u32,
    },
    /// The crate refused the metadata.
    #[error("malformed metadata")]
    Metadata,
    /// The stream ends inside the metadata.
    #[error("ends inside the metadata")]
    InsideMetadata,
    /// A file of a schema that is not read.
    #[error("unsupported schema {}", .0.as_str())]
    Schema(Schema),
    /// A fragment whose first record is of a type that is not read.
    #[error("unsupported record {}", rtype_name(*.rtype))]
    Record {
        /// Type of the record.
        rtype: u8,
    },
    /// A record whose length cannot be one: shorter than its header or than its type, or not whole words of 8 bytes.
    #[error("record {rtype:#04x} of {length} bytes")]
    RecordLength {
        /// Type of the record; zero if the record is too short to say.
        rtype: u8,
        /// Its length, bytes.
        length: u16,
    },
    /// The stream ends inside a record.
    #[error("ends inside a record, after {got} bytes of it")]
    InsideRecord {
        /// Bytes of it that are there.
        got: u16,
    },
}

/// A stream's last word: where and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {record}, offset {offset}: {cause}")]
pub struct DbnError {
    /// Number of the record in the feed, from 1; zero: before the first.
    pub record: u64,
    /// Byte of the uncompressed stream.
    pub offset: u64,
    /// What is wrong there.
    pub cause: DbnCause,
}

fn rtype_name(rtype: u8) -> &'static str {
    RType::try_from(rtype).map_or("of no known type", |rtype| rtype.as_str())
}
