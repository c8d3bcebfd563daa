//! `verify`: is every record whole, and does a replay come to what was recorded?

use std::path::{Path, PathBuf};

use clap::Args;
use engine::journal::reader::Fault;
use engine::replay::Replay;
use journal::failure::Failure;
use journal::progress::Progress;
use journal::scan::Scan;
use program::println;
use serde_json::{Value, json};

use crate::hash::hex;

/// Reads every record, makes the state again and compares it with every recorded hash.
///
/// The first bad record is named by file, byte, number and cause. `--deep` replays twice, independently, and compares the
/// hash of everything that the engine holds with each other and with every one that was recorded.
#[derive(Args)]
#[command(after_help = "Examples:\n  tickgate journal verify journal\n  \
                        tickgate journal verify journal --deep --json\n\n\
                        Exit codes: 0 all equal; 1 a hash differs; 3 a bad record.")]
pub struct Verify {
    /// The journal's folder.
    folder: PathBuf,
    /// Compares the full state too.
    #[arg(long)]
    deep: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// What a replay came to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    inputs: u64,
    state_hash: u64,
    full_hash: Option<u64>,
    checkpoints: u64,
    full_checkpoints: u64,
}

impl Verify {
    pub fn run(self) -> Result<(), Failure> {
        let Some(scan) = Scan::of(&self.folder)? else {
            return Err(Failure::no_journal(&self.folder));
        };
        let outcome = self.replay(scan.inputs, "replaying");
        let outcome = match (outcome, self.deep) {
            (Ok(Some(first)), true) => {
                self.replay(scan.inputs, "replaying again").and_then(|second| match second {
                    Some(second) if second == first => Ok(Some(first)),
                    second => {
                        let text = format!("two replays differ: {first:x?} and {second:x?}");
                        Err(Failure::check(text))
                    }
                })
            }
            (outcome, _) => outcome,
        };
        let failure = match (&outcome, &scan.fault) {
            (Err(failure), _) => Some((failure.code, failure.message.clone())),
            (_, Some(fault)) => Some((3, Failure::fault(fault).message)),
            _ => None,
        };
        let outcome = outcome.ok().flatten();
        if self.json {
            println!("{}", object(&scan, outcome.as_ref(), failure.as_ref()));
        } else {
            println!("{}", line(&scan, outcome.as_ref()));
        }
        failure.map_or(Ok(()), |(code, message)| Err(Failure { code, message }))
    }

    /// Replays from the beginning to the end of the valid part; `None`: no engine had opened the journal yet.
    fn replay(&self, total: u64, label: &'static str) -> Result<Option<Outcome>, Failure> {
        let Some(mut replay) = Replay::open(&self.folder)? else { return Ok(None) };
        replay.deep = self.deep;
        let mut progress = Progress::new(total, label);
        let run = replay.run(None, |seq| _ = progress.show(seq));
        progress.finish();
        run?;
        Ok(Some(Outcome {
            inputs: replay.engine.seq(),
            state_hash: replay.engine.state_hash(),
            full_hash: self.deep.then(|| replay.engine.full_hash()),
            checkpoints: replay.checkpoints,
            full_checkpoints: replay.full_checkpoints,
        }))
    }
}

fn object(scan: &Scan, outcome: Option<&Outcome>, failure: Option<&(u8, String)>) -> Value {
    json!({
        "ok": failure.is_none(),
        "error": failure.map(|(_, message)| message),
        "records": scan.tail.records,
        "segments": scan.segments.len(),
        "by_value": scan.by_value,
        "opened": scan.opened,
        "closed": scan.closed,
        "torn": scan.tail.torn,
        "bad_record": scan.fault.as_ref().map(bad),
        "inputs": outcome.map(|outcome| outcome.inputs),
        "state_hash": outcome.map(|outcome| hex(outcome.state_hash)),
        "checkpoints": outcome.map(|outcome| outcome.checkpoints),
        "full_hash": outcome.and_then(|outcome| outcome.full_hash).map(hex),
        "full_checkpoints": outcome.map(|outcome| outcome.full_checkpoints),
    })
}

fn bad(fault: &Fault) -> Value {
    json!({
        "segment": fault.path.file_name().map_or("".as_ref(), Path::new).display().to_string(),
        "offset": fault.offset,
        "record": fault.record,
        "why": fault.why.to_string(),
        "is_followed": fault.is_followed,
    })
}

fn line(scan: &Scan, outcome: Option<&Outcome>) -> String {
    let records = scan.tail.records;
    let mut line = format!("{records} records in {} segments", scan.segments.len());
    if let Some(outcome) = outcome {
        let Outcome { inputs, state_hash, full_hash, checkpoints, full_checkpoints } = outcome;
        line += &format!(
            ", {inputs} inputs, {checkpoints} recorded hashes equal, state hash {}",
            hex(*state_hash)
        );
        if let Some(full_hash) = full_hash {
            let full = hex(*full_hash);
            line += &format!(", {full_checkpoints} recorded full hashes equal, full hash {full}");
        }
    }
    line + if scan.closed { ", a clean stop" } else { ", no clean stop" }
}
