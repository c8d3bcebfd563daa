//! What a log ends with, for whoever goes on with it: what stands there is not recorded a second time.

use std::path::Path;

use crate::chain::{self, FrameKind};
use crate::error::AuditError;
use crate::record::AuditRecord;
use crate::segment::{self, Piece, Segment};

/// The records at the end of the log in `folder` that share their `engine_seq`, in order; empty if there is no log, or none
/// in it. Changes nothing; what [`crate::Writer::open`] would cut off is passed over.
///
/// # Errors
///
/// [`AuditError::Io`].
pub fn tail(folder: &Path) -> Result<Vec<AuditRecord>, AuditError> {
    let mut tail: Vec<AuditRecord> = Vec::new();
    for number in segment::numbers(folder)?.into_iter().rev() {
        let Ok(segment) = Segment::open(segment::path_of(folder, number))? else { continue };
        let (mut here, is_all) = last_group(segment)?;
        if here.last().zip(tail.first()).is_some_and(|(a, b)| a.engine_seq != b.engine_seq) {
            break;
        }
        here.append(&mut tail);
        tail = here;
        if is_all {
            break;
        }
    }
    Ok(tail)
}

/// The group at the end of one segment, and whether another stands before it there.
fn last_group(mut segment: Segment) -> Result<(Vec<AuditRecord>, bool), AuditError> {
    let (mut group, mut is_all) = (Vec::<AuditRecord>::new(), false);
    let mut before = segment.chain;
    while let Piece::Frame(bytes) = segment.next_piece()? {
        let Some(frame) = chain::read(&before, &bytes).filter(|frame| frame.due == *frame.hash)
        else {
            break;
        };
        before = frame.due;
        if frame.kind == FrameKind::Checkpoint {
            continue;
        }
        let Ok(record) = AuditRecord::from_bytes(frame.body) else { break };
        if group.last().is_some_and(|last| last.engine_seq != record.engine_seq) {
            group.clear();
            is_all = true;
        }
        group.push(record);
    }
    Ok((group, is_all))
}
