//! `replay`: the state at any input.

use std::path::PathBuf;

use clap::Args;
use journal::failure::Failure;
use journal::progress::Progress;
use journal::scan;
use program::{eprintln, println};
use serde_json::json;

use crate::hash::hex;

/// Makes the state again and says where it stands.
#[derive(Args)]
#[command(after_help = "Example:\n  tickgate journal replay journal --until 100000 --json")]
pub struct Replay {
    /// The journal's folder.
    folder: PathBuf,
    /// Stops after this input.
    #[arg(long, value_name = "SEQ")]
    until: Option<u64>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub fn run(self) -> Result<(), Failure> {
        let (mut replay, scan) = scan::open(&self.folder)?;
        let total = self.until.unwrap_or(u64::MAX).min(scan.inputs);
        let mut progress = Progress::new(total, "replaying");
        replay.run(self.until, |seq| _ = progress.show(seq))?;
        progress.finish();
        let (seq, hash) = (replay.engine.seq(), hex(replay.engine.state_hash()));
        let full = hex(replay.engine.full_hash());
        if self.json {
            let object = json!({
                "inputs": seq,
                "state_hash": hash,
                "full_hash": full,
                "checkpoints": replay.checkpoints,
                "closed": replay.closed,
                "opened": replay.opened,
                "torn": replay.tail().torn,
            });
            println!("{object}");
        } else {
            println!("{seq} inputs; state hash {hash}, full hash {full}");
        }
        if self.until.is_none()
            && let Some(fault) = replay.fault()
        {
            eprintln!("tickgate-journal: {}", Failure::fault(&fault).message);
        }
        Ok(())
    }
}
