//! Shows that one record stands in a log, to somebody who has no more than a signed checkpoint and the public key.

use std::path::Path;

use crate::chain::{BODY_BYTES, Hash};
use crate::checkpoint::Checkpoint;
use crate::error::AuditError;
use crate::key::PublicKey;
use crate::merkle::{self, PathFinder};
use crate::record::AuditRecord;
use crate::verify::{Finding, Options, Report, Seen, verify};

/// One record and its way to the head of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its number in the log, from 1.
    pub number: u64,
    /// Its bytes.
    pub record: [u8; BODY_BYTES],
    /// The hashes beside its way, from the bottom.
    pub path: Vec<Hash>,
}

/// Why a proof shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The checkpoint is not signed with the key.
    #[error("the checkpoint is not signed with this key")]
    Unsigned,
    /// The record is not at this place of the log that the checkpoint speaks of.
    #[error("the record is not in the log that the checkpoint speaks of")]
    NotIn,
    /// The bytes are no record.
    #[error("word {0} of the record holds no legal value")]
    BadRecord(u8),
}

impl Proof {
    /// The record that is proved.
    ///
    /// # Errors
    ///
    /// [`ProofError`]: nothing is.
    pub fn check(
        &self,
        checkpoint: &Checkpoint,
        key: &PublicKey,
    ) -> Result<AuditRecord, ProofError> {
        if !checkpoint.is_signed_by(key) {
            return Err(ProofError::Unsigned);
        }
        let leaf = merkle::leaf(&self.record);
        let index = self.number.checked_sub(1).ok_or(ProofError::NotIn)?;
        if !merkle::is_in(&leaf, index, checkpoint.count, &self.path, &checkpoint.root) {
            return Err(ProofError::NotIn);
        }
        AuditRecord::from_bytes(&self.record).map_err(|bad| ProofError::BadRecord(bad.0))
    }
}

/// What [`prove`] has to say of a good log.
pub type Proved = (Report, Vec<Proof>);

/// Verifies the log in `folder` and proves the first `most` records that `wanted` chooses, against its last
/// checkpoint. Those
/// behind that checkpoint cannot be proved yet. Reads the log twice and holds O(log² n) hashes for each proof.
///
/// # Errors
///
/// [`AuditError`]; the log's first fault is told inside.
pub fn prove(
    folder: &Path,
    options: &Options,
    wanted: impl Fn(&AuditRecord) -> bool,
    most: usize,
) -> Result<Result<Proved, Finding>, AuditError> {
    let mut numbers = Vec::new();
    let report = verify(folder, options, |seen| {
        if let Seen::Record(number, record, _) = seen
            && numbers.len() < most
            && wanted(record)
        {
            numbers.push(number);
        }
    })?;
    let report = match report {
        Ok(report) => report,
        Err(finding) => return Ok(Err(finding)),
    };
    let signed = report.last.map_or(0, |last| last.count);
    let find = |number: &u64| Some((PathFinder::new(number.checked_sub(1)?, signed)?, None));
    let mut finders: Vec<(PathFinder, Option<[u8; BODY_BYTES]>)> =
        numbers.iter().filter_map(find).collect();
    let again = verify(folder, options, |seen| {
        let Seen::Record(number, _, bytes) = seen else { return };
        let leaf = merkle::leaf(bytes);
        for (finder, record) in &mut finders {
            if finder.index() + 1 == number {
                *record = Some(*bytes);
            }
            finder.push(leaf);
        }
    })?;
    if let Err(finding) = again {
        return Ok(Err(finding)); // It was changed meanwhile.
    }
    let proof = |(finder, record): (PathFinder, Option<[u8; BODY_BYTES]>)| {
        let number = finder.index() + 1;
        Some(Proof { number, record: record?, path: finder.finish()? })
    };
    Ok(Ok((report, finders.into_iter().filter_map(proof).collect())))
}
