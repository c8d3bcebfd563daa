//! The journal that is asked about.

use std::path::Path;

use engine::journal::Record;
use engine::journal::reader::Reader;
use engine::replay::Replay;
use program::eprintln;

use crate::exit::Failure;

/// Opens a journal at its beginning; with it the number of its last input.
///
/// # Errors
///
/// There is none, or it cannot be replayed.
pub fn open(folder: &Path) -> Result<(Replay, u64), Failure> {
    let last = last_input(folder)?;
    let replay = Replay::open(folder)?.ok_or_else(|| Failure::no_journal(folder))?;
    Ok((replay, last))
}

fn last_input(folder: &Path) -> Result<u64, Failure> {
    let mut reader = Reader::open(folder)?;
    let mut last = 0;
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Input(input) => last = input.seq,
            Record::Run { first_seq, count, .. } => {
                last = first_seq.saturating_add(count).saturating_sub(1);
            }
            _ => {}
        }
    }
    Ok(last)
}

/// Says on standard error what stopped the reading before the last record, if something did.
pub fn warn(program: &str, replay: &Replay) {
    if let Some(fault) = replay.fault() {
        let (path, offset, why) = (fault.path.display(), fault.offset, fault.why);
        eprintln!("{program}: {path}: byte {offset}: {why}; what is behind it was not read");
    }
}
