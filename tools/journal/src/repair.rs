//! `repair`: cuts a damaged journal where its valid part ends, and keeps what is cut off.

use std::path::PathBuf;

use clap::Args;
use engine::journal::lease::Lease;
use engine::journal::reader::Why;
use engine::journal::{numbers, repair};
use journal::failure::Failure;
use journal::scan::Scan;
use program::println;
use serde_json::json;

/// Cuts a damaged journal after its last valid record. What is cut off is copied to `.bad` files first.
///
/// Without `--yes` it only says what it would do. The torn end that a crash leaves needs no repair: the engine cuts it off
/// when it starts. What stands behind a bad record is lost to the engine: look at the copies, and reconcile with the venue.
#[derive(Args)]
#[command(after_help = "Examples:\n  tickgate journal repair journal\n  \
                        tickgate journal repair journal --yes --json\n\n\
                        Exit codes: 0 done, or nothing to do; 3 not a journal, or of another version; 5 in use by an engine.")]
pub struct Repair {
    /// The journal's folder.
    folder: PathBuf,
    /// Does it.
    #[arg(long)]
    yes: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl Repair {
    pub fn run(self) -> Result<(), Failure> {
        if numbers(&self.folder)?.is_empty() {
            Scan::of(&self.folder)?;
            return Err(Failure::no_journal(&self.folder)); // Where none is, not even a lease is left.
        }
        let lease = Lease::take(&self.folder)?;
        let Some(scan) = Scan::of(&self.folder)? else {
            return Err(Failure::no_journal(&self.folder));
        };
        let Some(fault) = &scan.fault else {
            self.say(json!({ "damaged": false }), "every record is whole: nothing to do".into());
            return Ok(());
        };
        if matches!(fault.why, Why::Record(_)) {
            let what = Failure::fault(fault).message;
            let message = format!("{what}. It is whole: another version wrote it. Nothing is cut");
            return Err(Failure { code: 3, message });
        }
        let plan = repair::plan(&self.folder, scan.tail)?;
        let kept = if self.yes { repair::cut(&lease, scan.tail)? } else { Vec::new() };
        if self.yes
            && let Some(left) = Scan::of(&self.folder)?.and_then(|scan| scan.fault)
        {
            return Err(Failure::fault(&left));
        }
        let segments: Vec<_> =
            plan.segments.iter().map(|(path, _)| path.display().to_string()).collect();
        let bytes = plan.bytes + plan.segments.iter().map(|(_, bytes)| bytes).sum::<u64>();
        let kept: Vec<_> = kept.iter().map(|path| path.display().to_string()).collect();
        let object = json!({
            "damaged": true,
            "done": self.yes,
            "segment": fault.path.display().to_string(),
            "offset": fault.offset,
            "record": fault.record,
            "why": fault.why.to_string(),
            "cut_bytes": bytes,
            "cut_segments": segments,
            "kept": kept,
            "last_input": scan.inputs,
        });
        let did = if self.yes { "cut" } else { "would cut" };
        let hint = if self.yes { "kept in" } else { "run again with --yes to do it" };
        let text = format!(
            "{} at byte {} (record {}: {}): {did} {bytes} bytes and {} later segments; the last input is {} now; {hint}{}",
            fault.path.display(),
            fault.offset,
            fault.record,
            fault.why,
            segments.len(),
            scan.inputs,
            kept.iter().map(|path| format!(" {path}")).collect::<String>(),
        );
        self.say(object, text);
        Ok(())
    }

    fn say(&self, object: serde_json::Value, text: String) {
        if self.json {
            println!("{object}");
        } else {
            println!("{text}");
        }
    }
}
