//! A DBN stream, record by record.

use std::io::{ErrorKind, Read};

use dbn::decode::dbn::fsm::{DbnFsm, ProcessResult};
use dbn::{Metadata, Record, VersionUpgradePolicy};
use model::{Event, FeedId};

use super::counters::DbnCounters;
use super::decoder::{Decoder, is_told, received};
use super::error::{DbnCause, DbnError};
use crate::arrival::Arrival;

/// Bytes before the metadata: magic, version and their length.
const PRELUDE: usize = 8;
/// Bytes of the metadata's fixed part.
const METADATA_MIN: u32 = 100;
/// Versions that are read. Their records of orders, levels and trades are the same.
const VERSIONS: std::ops::RangeInclusive<u8> = 1..=3;
/// A zstd skippable frame, which a DBZ file begins with; the low half of the first byte is free.
const SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];

/// What a reader is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DbnOptions {
    /// The feed's number in the engine.
    pub feed: FeedId,
    /// Instruments that are told of, at most; the ids are numbered from 1 in the order of their first record.
    pub instruments_max: u16,
    /// The one publisher that is told of; `None`: for each instrument the one of its first record.
    pub publisher: Option<u16>,
    /// The version of a stream without metadata; `None`: such a stream is refused.
    pub fragment: Option<u8>,
    /// Longest metadata that are read, bytes.
    pub metadata_max: u32,
}

impl Default for DbnOptions {
    fn default() -> DbnOptions {
        DbnOptions {
            feed: FeedId(0),
            instruments_max: 16_384,
            publisher: None,
            fragment: None,
            metadata_max: 16 << 20,
        }
    }
}

/// One DBN stream after another, as one feed.
pub struct DbnReader<R> {
    reader: R,
    machine: DbnFsm,
    decoder: Decoder,
    options: DbnOptions,
    /// Of the next record, in the stream.
    offset: u64,
    /// Bytes of the streams before.
    bytes_before: u64,
    is_fragment: bool,
    failed: Option<DbnError>,
}

impl<R: Read> DbnReader<R> {
    /// Reads the metadata. The bytes must not be compressed: see [`FileReader`](crate::source::FileReader).
    ///
    /// # Errors
    ///
    /// [`DbnError`] if they cannot be read, are not DBN of a version and schema that is read, or are too long.
    pub fn open(reader: R, options: DbnOptions) -> Result<DbnReader<R>, DbnError> {
        let mut opened = DbnReader {
            reader,
            machine: machine(None)?,
            decoder: Decoder::new(&options),
            options,
            offset: 0,
            bytes_before: 0,
            is_fragment: false,
            failed: None,
        };
        opened.begin()?;
        Ok(opened)
    }

    /// Goes on with another stream, the next day of the same data: numbers of instruments and records go on.
    ///
    /// # Errors
    ///
    /// As [`DbnReader::open`]; every later call says the same.
    pub fn restart(&mut self, reader: R) -> Result<(), DbnError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.bytes_before += self.offset;
        (self.reader, self.offset) = (reader, 0);
        self.begin().inspect_err(|error| self.failed = Some(*error))
    }

    /// Takes the next record; `false`: there is none.
    ///
    /// # Errors
    ///
    /// [`DbnError`] if the stream cannot be read or breaks its format; every later call says the same.
    #[inline]
    pub fn next(&mut self, emit: &mut impl FnMut(Event)) -> Result<bool, DbnError> {
        self.next_at(&mut (), emit)
    }

    /// As [`DbnReader::next`], with the record's time told before it is decoded.
    ///
    /// # Errors
    ///
    /// The same.
    #[inline]
    pub fn next_at(
        &mut self,
        arrival: &mut impl Arrival,
        emit: &mut impl FnMut(Event),
    ) -> Result<bool, DbnError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.record(arrival, emit).map_err(|cause| self.fail(cause))
    }

    fn record<A: Arrival>(
        &mut self,
        arrival: &mut A,
        emit: &mut impl FnMut(Event),
    ) -> Result<bool, DbnCause> {
        loop {
            match self.machine.process() {
                ProcessResult::Record(()) => break,
                ProcessResult::ReadMore(_) if self.fill()? => {}
                ProcessResult::ReadMore(_) => {
                    let got = self.machine.data().len();
                    return match got {
                        0 => Ok(false),
                        _ => Err(DbnCause::InsideRecord { got: got.min(0xFFFF) as u16 }),
                    };
                }
                ProcessResult::Metadata(_) => return Err(DbnCause::Metadata),
                ProcessResult::Err(_) => {
                    let words = self.machine.data().first().copied().unwrap_or(0);
                    return Err(DbnCause::RecordLength { rtype: 0, length: u16::from(words) * 4 });
                }
            }
        }
        let Some(record) = self.machine.last_record() else { return Ok(false) };
        let (length, rtype) = (record.record_size(), record.header().rtype);
        // The crate takes references to records in its buffer: one of half a word would put the next one out of line.
        if length % 8 != 0 {
            return Err(DbnCause::RecordLength { rtype, length: length.min(0xFFFF) as u16 });
        }
        if self.is_fragment && self.offset == 0 && !is_told(rtype) {
            return Err(DbnCause::Record { rtype });
        }
        if A::HEARS {
            arrival.arrives(received(record));
        }
        self.decoder.on_record(record, emit)?;
        self.offset += length as u64;
        Ok(true)
    }

    /// Reads on; `false`: the stream is at its end.
    fn fill(&mut self) -> Result<bool, DbnCause> {
        loop {
            match self.reader.read(self.machine.space()) {
                Ok(0) => return Ok(false),
                Ok(got) => {
                    self.machine.fill(got);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(DbnCause::Read(error.kind())),
            }
        }
    }

    fn begin(&mut self) -> Result<(), DbnError> {
        let metadata = self.metadata().map_err(|cause| self.fail(cause))?;
        self.decoder.begin_stream(metadata.as_ref()).map_err(|cause| self.fail(cause))
    }

    /// The metadata; `None` for a fragment.
    fn metadata(&mut self) -> Result<Option<Metadata>, DbnCause> {
        let mut prelude = [0; PRELUDE];
        let got = self.prelude(&mut prelude)?;
        let [a, b, c, version, length @ ..] = prelude;
        if got == 0 {
            return Err(DbnCause::Empty);
        }
        let is_dbn = [a, b, c] == *b"DBN";
        self.is_fragment = !is_dbn;
        if !is_dbn {
            let is_legacy = [b, c, version] == SKIPPABLE && a & 0xF0 == 0x50;
            let magic = u32::from_be_bytes([a, b, c, version]);
            let version = match self.options.fragment {
                _ if is_legacy => return Err(DbnCause::Legacy),
                None => return Err(DbnCause::NotDbn { magic }),
                Some(version) if VERSIONS.contains(&version) => version,
                Some(version) => return Err(DbnCause::Version { version }),
            };
            self.machine = machine(Some(version)).map_err(|error| error.cause)?;
            self.machine.write_all(prelude.get(..got).unwrap_or_default());
            return Ok(None);
        }
        let length = u32::from_le_bytes(length);
        if got < PRELUDE {
            return Err(DbnCause::InsideMetadata);
        }
        if !VERSIONS.contains(&version) {
            return Err(DbnCause::Version { version });
        }
        // The crate takes as much memory as the length says.
        if !(METADATA_MIN..=self.options.metadata_max).contains(&length) {
            return Err(DbnCause::MetadataLength { length });
        }
        self.machine = machine(None).map_err(|error| error.cause)?;
        self.machine.write_all(&prelude);
        loop {
            match self.machine.process() {
                ProcessResult::Metadata(metadata) => {
                    self.offset = PRELUDE as u64 + u64::from(length);
                    return Ok(Some(metadata));
                }
                ProcessResult::ReadMore(_) if self.fill()? => {}
                ProcessResult::ReadMore(_) => return Err(DbnCause::InsideMetadata),
                ProcessResult::Record(()) | ProcessResult::Err(_) => {
                    return Err(DbnCause::Metadata);
                }
            }
        }
    }

    /// Reads the first bytes, as many as there are.
    fn prelude(&mut self, prelude: &mut [u8; PRELUDE]) -> Result<usize, DbnCause> {
        let mut got = 0;
        while let Some(space) = prelude.get_mut(got..).filter(|space| !space.is_empty()) {
            match self.reader.read(space) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(DbnCause::Read(error.kind())),
            }
        }
        Ok(got)
    }

    #[cold]
    fn fail(&mut self, cause: DbnCause) -> DbnError {
        let record = self.decoder.counters.records;
        let error = DbnError { record, offset: self.offset, cause };
        self.failed = Some(error);
        error
    }

    /// What it has seen.
    pub fn counters(&self) -> DbnCounters {
        let bytes = self.bytes_before + self.offset;
        DbnCounters { bytes, ..self.decoder.counters }
    }

    /// Whether the stream tells orders (MBO) or levels and trades; `None`: it does not say, and no record has come yet.
    pub fn tells_orders(&self) -> Option<bool> {
        self.decoder.tells_orders()
    }
}

/// The crate's state machine for a stream with metadata, or for a fragment of a version.
fn machine(fragment: Option<u8>) -> Result<DbnFsm, DbnError> {
    let builder = DbnFsm::builder().upgrade_policy(VersionUpgradePolicy::AsIs);
    let builder = builder.skip_metadata(fragment.is_some()).input_dbn_version(fragment);
    let refused = DbnError { record: 0, offset: 0, cause: DbnCause::Metadata };
    builder.and_then(|builder| builder.build()).map_err(|_| refused)
}
