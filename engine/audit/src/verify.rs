//! Reads a whole log again and names the first thing that is not as it was written. Holds one frame and a few hashes.

mod walk;

use std::path::{Path, PathBuf};

use crate::chain::BODY_BYTES;
use crate::checkpoint::{Checkpoint, Occasion};
use crate::error::AuditError;
use crate::key::PublicKey;
use crate::record::AuditRecord;
use crate::segment::{self, NoHeader, Piece, Segment};
use crate::witness::{Line, WitnessReader};
use walk::Good;
pub(crate) use walk::Walk;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A segment is not there.
    #[error("segment {0} is missing")]
    Missing(u64),
    /// The file is no segment of a log of this version.
    #[error("this is no segment of an audit log of this version")]
    Foreign,
    /// A header's hash is not that of its bytes.
    #[error("the header was changed")]
    Header,
    /// The segment is not the next one of this log.
    #[error("the segment does not go on where the one before ended")]
    NotContinued,
    /// Length or kind of a frame are none.
    #[error("no frame begins here")]
    NoFrame,
    /// A frame's hash does not follow from the frame and all before it.
    #[error(
        "its hash does not follow: it was changed, or something before it was taken out, put in or moved"
    )]
    BrokenChain,
    /// The words of a record hold an illegal value.
    #[error("word {0} holds no legal value")]
    BadRecord(u8),
    /// A checkpoint speaks of other records than those before it.
    #[error("the signed checkpoint speaks of other records: these were rewritten")]
    Rewritten,
    /// A checkpoint is not signed with the key.
    #[error("the checkpoint is not signed with this key")]
    Unsigned,
    /// A checkpoint should have come.
    #[error("no checkpoint where one must be")]
    Overdue,
    /// The file ends inside of a frame.
    #[error("torn: {0} bytes that are no whole frame")]
    Torn(u64),
    /// A line of the second file is none.
    #[error("line {0} of the second file is no checkpoint signed with this key")]
    BadWitness(u64),
    /// The second file holds a checkpoint that the log does not.
    #[error(
        "the second file holds a checkpoint of {0} records that this log lacks: it was rewritten"
    )]
    NotWitnessed(u64),
    /// The second file speaks of records that the log does not have.
    #[error("cut off: the second file speaks of {0} records")]
    CutOff(u64),
}

impl Fault {
    /// Whether half a frame can look like this.
    pub(crate) const fn is_of_torn_frame(self) -> bool {
        matches!(self, Fault::NoFrame | Fault::BrokenChain)
    }
}

/// The first thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In which file.
    pub path: PathBuf,
    /// Where in it the frame begins.
    pub offset: u64,
    /// Number of the record, from 1; of a checkpoint or a header, that of the record behind it.
    pub record: u64,
    /// The same, or the last of several among which the first bad one is.
    pub until: u64,
    /// What.
    pub fault: Fault,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, byte {}: record {}", self.path.display(), self.offset, self.record)?;
        if self.until > self.record {
            write!(f, " to {}", self.until)?;
        }
        write!(f, ": {}", self.fault)
    }
}

/// What to verify with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The key that checkpoints must be signed with; `None`: signatures are not looked at.
    pub key: Option<PublicKey>,
    /// The second file of checkpoints.
    pub witness: Option<PathBuf>,
    /// Whether the last file may end inside of a frame: the log is being written, or its writer was killed.
    pub torn_is_good: bool,
}

/// What a good log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Records.
    pub records: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Segments.
    pub segments: u64,
    /// Records behind the last checkpoint: their order and content are chained, and signed by nobody yet.
    pub unsigned: u64,
    /// Whether it ends with a good stop.
    pub closed: bool,
    /// Bytes at the end that are no whole frame.
    pub torn: u64,
    /// Checkpoints that the second file holds too; `None`: it was not looked at.
    pub witnessed: Option<u64>,
    /// The last checkpoint.
    pub last: Option<Checkpoint>,
}

/// What was read and found good.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// A record: its number from 1, itself, its bytes.
    Record(u64, &'a AuditRecord, &'a [u8; BODY_BYTES]),
    /// A checkpoint.
    Checkpoint(&'a Checkpoint),
}

/// Reads the log in `folder` from its first byte to its last, and shows each good frame to `seen`.
///
/// # Errors
///
/// [`AuditError`] if it cannot be read at all. What is wrong with it is told inside.
pub fn verify(
    folder: &Path,
    options: &Options,
    mut seen: impl FnMut(Seen<'_>),
) -> Result<Result<Report, Finding>, AuditError> {
    let numbers = segment::numbers(folder)?;
    let Some(last) = numbers.last().copied() else {
        return Err(AuditError::NoLog(folder.to_path_buf()));
    };
    let mut report = Report::default();
    let mut walk: Option<Walk> = None;
    let mut witness = match &options.witness {
        None => None,
        Some(path) => Some(Witness::open(path, options.key)?),
    };
    for (due, number) in numbers.iter().enumerate() {
        let path = segment::path_of(folder, *number);
        let records = walk.as_ref().map_or(0, |walk| walk.tree.count());
        let found = |offset, fault| finding(&path, offset, records, fault);
        let due = due as u64;
        if *number != due {
            let path = segment::path_of(folder, due);
            return Ok(Err(finding(&path, 0, records, Fault::Missing(due))));
        }
        let mut segment = match Segment::open(path.clone())? {
            Ok(segment) => segment,
            Err(NoHeader::Short) if *number == last => {
                let bytes = path.metadata().map_err(AuditError::io(&path))?.len();
                if !options.torn_is_good {
                    return Ok(Err(found(0, Fault::Torn(bytes))));
                }
                report.torn = bytes;
                break;
            }
            Err(NoHeader::Short | NoHeader::Foreign) => return Ok(Err(found(0, Fault::Foreign))),
            Err(NoHeader::Hash) => return Ok(Err(found(0, Fault::Header))),
        };
        let next = Walk::begin(walk.take(), &segment, options.key);
        let mut at = match next {
            Ok(walk) => walk,
            Err(fault) => return Ok(Err(found(0, fault))),
        };
        report.segments += 1;
        loop {
            let offset = segment.offset;
            let found = |at: &Walk, fault| at.finding(&path, offset, fault);
            let torn = match segment.next_piece()? {
                Piece::End if at.is_opened() || *number != last => break,
                Piece::End => offset, // Its first checkpoint came with its header: it was cut off.
                Piece::Torn(bytes) => bytes,
                Piece::Frame(frame) => match at.frame(&frame) {
                    Ok(good) => {
                        seen(good.seen());
                        let heard = witness.as_mut().map(|witness| witness.hear(&good));
                        if let Some(found) = heard.transpose()?.flatten() {
                            return Ok(Err(found));
                        }
                        continue;
                    }
                    Err(fault) => match segment.torn_at(&frame)? {
                        Some(bytes) if fault.is_of_torn_frame() => bytes,
                        _ => return Ok(Err(found(&at, fault))),
                    },
                },
            };
            if !options.torn_is_good || *number != last {
                return Ok(Err(found(&at, Fault::Torn(torn))));
            }
            report.torn = torn;
            break;
        }
        walk = Some(at);
    }
    if let Some(walk) = &walk {
        walk.fill(&mut report);
    }
    if let Some(mut witness) = witness {
        if let Some(found) = witness.left(report.records)? {
            return Ok(Err(found));
        }
        report.witnessed = Some(witness.matched);
    }
    Ok(Ok(report))
}

fn finding(path: &Path, offset: u64, records: u64, fault: Fault) -> Finding {
    let record = records + 1;
    Finding { path: path.to_path_buf(), offset, record, until: record, fault }
}

/// The second file, beside the log.
struct Witness {
    path: PathBuf,
    reader: WitnessReader,
    key: Option<PublicKey>,
    /// The next checkpoint that the log must hold.
    next: Option<Box<Checkpoint>>,
    matched: u64,
    /// Records up to which both agree.
    agreed: u64,
    bad: Option<u64>,
}

impl Witness {
    fn open(path: &Path, key: Option<PublicKey>) -> Result<Witness, AuditError> {
        let reader = WitnessReader::open(path)?;
        let path = path.to_path_buf();
        let mut witness =
            Witness { path, reader, key, next: None, matched: 0, agreed: 0, bad: None };
        witness.advance()?;
        Ok(witness)
    }

    fn advance(&mut self) -> Result<(), AuditError> {
        self.next = None;
        let key = self.key;
        match self.reader.next_line()? {
            None => {}
            Some(Line::Checkpoint(said)) if key.is_none_or(|key| said.is_signed_by(&key)) => {
                self.next = Some(said)
            }
            Some(Line::Checkpoint(_)) => self.bad = Some(self.reader.line()),
            Some(Line::Bad(line)) => self.bad = Some(line),
        }
        Ok(())
    }

    /// Looks for a checkpoint of the log in the second file. One of the log alone is good: its writer died before the
    /// second copy.
    /// One of the second file alone is not.
    fn hear(&mut self, good: &Good) -> Result<Option<Finding>, AuditError> {
        let Good::Checkpoint(of_log) = good else { return Ok(None) };
        if let Some(line) = self.bad {
            return Ok(Some(self.finding(of_log.count, Fault::BadWitness(line))));
        }
        match &self.next {
            Some(said) if **said == *of_log => {
                self.matched += 1;
                self.agreed = of_log.count;
                self.advance()?;
            }
            Some(said) if said.count < of_log.count => {
                let fault = Fault::NotWitnessed(said.count);
                return Ok(Some(self.finding(of_log.count, fault)));
            }
            _ => {}
        }
        Ok(None)
    }

    /// What the second file holds beyond the log, which has `records`.
    fn left(&mut self, records: u64) -> Result<Option<Finding>, AuditError> {
        if let Some(line) = self.bad {
            return Ok(Some(self.finding(records, Fault::BadWitness(line))));
        }
        let Some(said) = &self.next else { return Ok(None) };
        let (count, closes) = (said.count, said.occasion == Occasion::Close);
        if count > records || count == records && (closes || self.agreed == records) {
            let mut most = count;
            while let Some(said) = &self.next {
                most = most.max(said.count);
                self.advance()?;
            }
            self.agreed = records;
            return Ok(Some(self.finding(most, Fault::CutOff(most))));
        }
        Ok(Some(self.finding(records, Fault::NotWitnessed(count))))
    }

    /// A finding about the records behind those that both agree on, up to `until`.
    fn finding(&self, until: u64, fault: Fault) -> Finding {
        let found = finding(&self.path, 0, self.agreed, fault);
        Finding { until: until.max(found.record), ..found }
    }
}

#[cfg(test)]
mod tests;
