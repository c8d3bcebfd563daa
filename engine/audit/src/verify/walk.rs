//! Goes along the chain, frame by frame.

use std::path::Path;

use super::{Fault, Finding, Report, Seen, finding};
use crate::chain::{self, BODY_BYTES, FRAME_BYTES, FrameKind, Hash};
use crate::checkpoint::{Checkpoint, Occasion};
use crate::key::PublicKey;
use crate::merkle::{self, Frontier};
use crate::record::AuditRecord;
use crate::segment::{CHECKPOINT_RECORDS_MAX, Header, Segment};

/// A frame that was found good.
pub(crate) enum Good {
    Record(u64, AuditRecord, [u8; BODY_BYTES]),
    Checkpoint(Checkpoint),
}

impl Good {
    pub fn seen(&self) -> Seen<'_> {
        match self {
            Good::Record(number, record, bytes) => Seen::Record(*number, record, bytes),
            Good::Checkpoint(checkpoint) => Seen::Checkpoint(checkpoint),
        }
    }
}

/// What is known of a log up to some frame.
pub(crate) struct Walk {
    pub header: Header,
    /// The chain's hash behind the last good frame.
    pub chain: Hash,
    pub tree: Frontier,
    /// The last record.
    pub last_seq: u64,
    key: Option<PublicKey>,
    checkpoints: u64,
    last: Option<Checkpoint>,
    /// Records when the last checkpoint was made.
    signed: u64,
    /// Whether this segment had its first checkpoint.
    opened: bool,
}

impl Walk {
    /// Begins a segment behind the one that `before` went through; `None`: it is the first that is looked at.
    pub fn begin(
        before: Option<Walk>,
        segment: &Segment,
        key: Option<PublicKey>,
    ) -> Result<Walk, Fault> {
        let header = segment.header.clone();
        if header.checkpoint_records > CHECKPOINT_RECORDS_MAX {
            return Err(Fault::Header);
        }
        if key.is_some_and(|key| key.id() != header.key_id) {
            return Err(Fault::Unsigned);
        }
        let goes_on = match &before {
            None => header.number != 0 || (header.tree.count() == 0 && header.before == [0; 32]),
            Some(before) => {
                let Header { number, identity, key_id, .. } = before.header;
                header.number == number + 1
                    && (header.identity, header.key_id) == (identity, key_id)
                    && header.before == before.chain
                    && header.tree == before.tree
                    && before.opened
            }
        };
        if !goes_on {
            return Err(Fault::NotContinued);
        }
        let (tree, chain) = (header.tree.clone(), segment.chain);
        let signed = tree.count();
        let mut walk = Walk {
            header,
            chain,
            tree,
            last_seq: 0,
            key,
            checkpoints: 0,
            last: None,
            signed,
            opened: false,
        };
        if let Some(before) = before {
            walk.signed = before.signed;
            (walk.last_seq, walk.checkpoints, walk.last) =
                (before.last_seq, before.checkpoints, before.last);
        }
        Ok(walk)
    }

    /// Takes the next frame.
    pub fn frame(&mut self, bytes: &[u8; FRAME_BYTES]) -> Result<Good, Fault> {
        let frame = chain::read(&self.chain, bytes).ok_or(Fault::NoFrame)?;
        if frame.due != *frame.hash {
            return Err(Fault::BrokenChain);
        }
        let good = match frame.kind {
            FrameKind::Record => self.record(frame.body)?,
            FrameKind::Checkpoint => self.checkpoint(frame.body)?,
        };
        self.chain = frame.due;
        Ok(good)
    }

    fn record(&mut self, bytes: &[u8; BODY_BYTES]) -> Result<Good, Fault> {
        if self.tree.count() - self.signed >= self.header.checkpoint_records || !self.opened {
            return Err(Fault::Overdue);
        }
        let record = AuditRecord::from_bytes(bytes).map_err(|bad| Fault::BadRecord(bad.0))?;
        self.tree.push(merkle::leaf(bytes));
        self.last_seq = record.engine_seq;
        Ok(Good::Record(self.tree.count(), record, *bytes))
    }

    fn checkpoint(&mut self, bytes: &[u8; BODY_BYTES]) -> Result<Good, Fault> {
        let said = Checkpoint::from_bytes(bytes).ok_or(Fault::NoFrame)?;
        if self.key.is_some_and(|key| !said.is_signed_by(&key)) {
            return Err(Fault::Unsigned);
        }
        let holds = (self.header.identity, self.tree.count(), self.chain, self.tree.root());
        if (said.identity, said.count, said.chain, said.root) != holds {
            return Err(Fault::Rewritten);
        }
        self.checkpoints += 1;
        self.signed = said.count;
        self.opened = true;
        self.last = Some(said);
        Ok(Good::Checkpoint(said))
    }

    /// Whether this segment has a checkpoint.
    pub const fn is_opened(&self) -> bool {
        self.opened
    }

    /// The finding about the frame at `offset`, which was not taken.
    pub fn finding(&self, path: &Path, offset: u64, fault: Fault) -> Finding {
        match fault {
            // Some record since the last good checkpoint is not what it was; which one, the chain cannot tell any more.
            Fault::Rewritten => {
                let mut found = finding(path, offset, self.signed, fault);
                found.until = self.tree.count().max(found.record);
                found
            }
            _ => finding(path, offset, self.tree.count(), fault),
        }
    }

    /// Tells what the log held.
    pub fn fill(&self, report: &mut Report) {
        report.records = self.tree.count();
        report.checkpoints = self.checkpoints;
        report.unsigned = self.tree.count() - self.signed;
        report.last = self.last;
        let is_close = |last: Checkpoint| last.occasion == Occasion::Close;
        report.closed = report.unsigned == 0 && report.torn == 0 && self.last.is_some_and(is_close);
    }
}
