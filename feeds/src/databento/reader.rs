//! Records of one or several DBN files as one feed.

use std::io::{ErrorKind, Read};

use dbn::decode::{DbnMetadata, DecodeRecordRef};
use dbn::{Schema, VersionUpgradePolicy};
use model::{Event, FeedId};

use super::instruments::Instruments;
use super::record::{Teller, tell};

/// Why a file gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbnCause {
    /// The operating system or the decompressor refused.
    #[error("cannot read: {0}")]
    Read(ErrorKind),
    /// The file does not begin as DBN files of versions 1 to 3 do.
    #[error("no DBN of version 1 to 3")]
    NotDbn,
    /// A schema without orders, levels or trades.
    #[error("schema `{0}` tells no orders, levels or trades")]
    Schema(&'static str),
    /// A record that is none.
    #[error("malformed record")]
    Record,
}

/// A file's last word: which record and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {record}: {cause}")]
pub struct DbnError {
    /// Number of the record in the file, from 1; 0: before the first.
    pub record: u64,
    /// What is wrong.
    pub cause: DbnCause,
}

/// What a feed has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DbnCounters {
    /// Records.
    pub records: u64,
    /// Records of types that tell no orders, levels or trades.
    pub unknown: u64,
    /// Records with values that cannot be: an undefined price where one must be, a side that is none.
    pub bad: u64,
    /// Records of instruments beyond the table.
    pub unlisted: u64,
    /// Venue's sequence of the last record.
    pub last_sequence: u32,
}

/// A DBN stream, uncompressed, and what is remembered across files.
pub struct DbnReader<R> {
    decoder: dbn::decode::dbn::Decoder<R>,
    instruments: Instruments,
    feed: FeedId,
    /// Records of the file.
    records: u64,
    counters: DbnCounters,
}

impl<R: Read> DbnReader<R> {
    /// Reads the head of a stream.
    ///
    /// # Errors
    ///
    /// [`DbnError`] if it is no DBN, or of a schema that tells nothing of a book.
    pub fn open(reader: R, feed: FeedId) -> Result<DbnReader<R>, DbnError> {
        let decoder = decoder(reader)?;
        let mut instruments = Instruments::new();
        instruments.learn(decoder.metadata());
        Ok(DbnReader { decoder, instruments, feed, records: 0, counters: DbnCounters::default() })
    }

    /// Goes on with another stream; numbers go on too.
    ///
    /// # Errors
    ///
    /// As [`DbnReader::open`].
    pub fn restart(&mut self, reader: R) -> Result<(), DbnError> {
        self.decoder = decoder(reader)?;
        self.instruments.end_file();
        self.instruments.learn(self.decoder.metadata());
        self.records = 0;
        Ok(())
    }

    /// Takes one record; `false`: there is none left.
    ///
    /// # Errors
    ///
    /// [`DbnError`], if the stream cannot be read or breaks.
    #[inline]
    pub fn next(&mut self, emit: &mut impl FnMut(Event)) -> Result<bool, DbnError> {
        self.records += 1;
        let record = self.records;
        match self.decoder.decode_record_ref() {
            Ok(None) => Ok(false),
            Ok(Some(read)) => {
                self.counters.records += 1;
                let teller = Teller {
                    instruments: &mut self.instruments,
                    feed: self.feed,
                    seq: self.counters.records,
                };
                tell(&read, teller, &mut self.counters, emit);
                Ok(true)
            }
            Err(error) => Err(DbnError { record, cause: cause(&error, DbnCause::Record) }),
        }
    }

    /// What the feed has seen.
    pub fn counters(&self) -> DbnCounters {
        self.counters
    }

    /// Whether the stream tells orders one by one; `None`: it does not say.
    pub fn tells_orders(&self) -> Option<bool> {
        self.decoder.metadata().schema.map(|schema| schema == Schema::Mbo)
    }
}

fn decoder<R: Read>(reader: R) -> Result<dbn::decode::dbn::Decoder<R>, DbnError> {
    let policy = VersionUpgradePolicy::UpgradeToV3;
    let decoder = dbn::decode::dbn::Decoder::with_upgrade_policy(reader, policy);
    let refuse = |cause| DbnError { record: 0, cause };
    let decoder = decoder.map_err(|error| refuse(cause(&error, DbnCause::NotDbn)))?;
    let told = [Schema::Mbo, Schema::Mbp1, Schema::Mbp10, Schema::Tbbo, Schema::Trades];
    match decoder.metadata().schema {
        Some(schema) if !told.contains(&schema) => Err(refuse(DbnCause::Schema(schema.as_str()))),
        _ => Ok(decoder),
    }
}

fn cause(error: &dbn::Error, otherwise: DbnCause) -> DbnCause {
    match error {
        dbn::Error::Io { source, .. } if source.kind() != ErrorKind::UnexpectedEof => {
            DbnCause::Read(source.kind())
        }
        _ => otherwise,
    }
}
