//! The frame of a snapshot: a header of fixed length, the body, a checksum of both.

use super::SnapshotError;
use crate::journal::reader::Tail;

/// First bytes of the file; the number is the format's.
const MAGIC: [u8; 8] = *b"TGSNAP4\n";
/// The package that wrote it.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const VERSION_BYTES: usize = 16;
/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = MAGIC.len() + VERSION_BYTES + 4 * 32 + 8 * 8;
/// Bytes of the checksum.
pub(super) const SUM_BYTES: usize = 32;

/// What is known of a snapshot before its body is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub config: [u8; 32],
    pub blank: [u8; 32],
    pub journal: [u8; 32],
    pub limits: [u8; 32],
    pub limits_version: u32,
    pub tail: Tail,
    pub seq: u64,
    pub state_hash: u64,
    pub full_hash: u64,
}

impl Header {
    /// The whole file.
    pub fn seal(&self, body: &[u8]) -> Vec<u8> {
        let Header { config, blank, journal, limits, limits_version, tail, .. } = self;
        let Header { seq, state_hash, full_hash, .. } = self;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len() + SUM_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&version());
        [config, blank, journal, limits].iter().for_each(|digest| bytes.extend_from_slice(*digest));
        let place = [(*limits_version).into(), tail.segment.into(), tail.offset, tail.records];
        let words = place.into_iter().chain([*seq, *state_hash, *full_hash, body.len() as u64]);
        words.for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        bytes.extend_from_slice(body);
        let sum = blake3::hash(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        bytes
    }

    /// Header and body of a file.
    pub fn open(bytes: &[u8]) -> Result<(Header, &[u8]), SnapshotError> {
        let whole = bytes.split_last_chunk::<SUM_BYTES>().ok_or(SnapshotError::NotWhole)?;
        let (content, sum) = whole;
        let (magic, rest) = content.split_first_chunk().ok_or(SnapshotError::NotWhole)?;
        let (written_by, rest) = rest.split_first_chunk().ok_or(SnapshotError::NotWhole)?;
        if *magic != MAGIC {
            return Err(SnapshotError::NotWhole);
        }
        let mut from = rest;
        let (config, blank, journal) = (digest(&mut from)?, digest(&mut from)?, digest(&mut from)?);
        let (limits, limits_version) = (digest(&mut from)?, number(&mut from)?);
        let segment = number(&mut from)?;
        let (offset, records) = (word(&mut from)?, word(&mut from)?);
        let (seq, state_hash, full_hash) = (word(&mut from)?, word(&mut from)?, word(&mut from)?);
        if word(&mut from)? != from.len() as u64 {
            return Err(SnapshotError::NotWhole);
        }
        if blake3::hash(content).as_bytes() != sum {
            return Err(SnapshotError::Damaged);
        }
        if *written_by != version() {
            return Err(SnapshotError::OtherVersion);
        }
        let tail = Tail { segment, offset, records, torn: false };
        let header = Header {
            config,
            blank,
            journal,
            limits,
            limits_version,
            tail,
            seq,
            state_hash,
            full_hash,
        };
        Ok((header, from))
    }
}

fn version() -> [u8; VERSION_BYTES] {
    let mut bytes = [0; VERSION_BYTES];
    bytes.iter_mut().zip(VERSION.bytes()).for_each(|(place, byte)| *place = byte);
    bytes
}

fn digest(from: &mut &[u8]) -> Result<[u8; 32], SnapshotError> {
    let (digest, rest) = from.split_first_chunk().ok_or(SnapshotError::NotWhole)?;
    *from = rest;
    Ok(*digest)
}

fn number(from: &mut &[u8]) -> Result<u32, SnapshotError> {
    u32::try_from(word(from)?).map_err(|_| SnapshotError::NotWhole)
}

fn word(from: &mut &[u8]) -> Result<u64, SnapshotError> {
    let (word, rest) = from.split_first_chunk().ok_or(SnapshotError::NotWhole)?;
    *from = rest;
    Ok(u64::from_le_bytes(*word))
}
