//! `tickgate-follow`: replays a journal while an engine writes it, keeps snapshots of where it stands, and becomes the engine
//! when there is none any more.
//!
//! Flow: `follow.rs` reads and replays, `lag.rs` says how far it is behind, `promote.rs` takes over.

#![forbid(unsafe_code)]

mod every;
mod follow;
mod lag;
mod promote;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgGroup, Parser};
use journal::failure::end;

use every::Every;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Follows the journal of a running engine: replays every input as it is written, compares each recorded state hash, and
/// writes snapshots that a restart goes on from.
///
/// It only reads the journal, and takes nothing that the engine has. As a standby it becomes the engine when that is gone:
/// in a later epoch, with the state that it already has.
#[derive(Parser)]
#[command(
    name = "tickgate-follow",
    version,
    group(ArgGroup::new("what").required(true).args(["folder", "config"])),
    after_help = "Examples:\n  \
    tickgate follow journal --every 60s\n  \
    tickgate follow journal --once\n  \
    tickgate follow --config deploy/engine.toml --every 100000 --promote-on-loss\n  \
    kill -USR1 PID                              # take over as soon as no engine has the journal\n\n\
    Exit codes: 0 done; 1 a hash differs, or `--once` could write no snapshot; 2 usage or configuration; 3 a bad record, or\n\
    of another version; 5 in use; 130 interrupted; 141 nobody read the reports."
)]
pub struct Follow {
    /// Folder of the journal.
    folder: Option<PathBuf>,
    /// engine.toml of the engine, whose journal is followed: needed to take over.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How often a snapshot is written: a time such as 60s or 500ms, or a number of inputs.
    #[arg(long, value_name = "EVERY", default_value = "60s")]
    every: Every,
    /// Becomes the engine when one that was seen to run ends without a clean stop.
    #[arg(long, requires = "config")]
    promote_on_loss: bool,
    /// Becomes the engine as soon as no engine has the journal, whatever its end; SIGUSR1 asks for the same later.
    #[arg(long, requires = "config")]
    takeover: bool,
    /// Ends when all that is written now is replayed, with a snapshot of it.
    #[arg(long, conflicts_with_all = ["promote_on_loss", "takeover"])]
    once: bool,
    /// Seconds between two reports.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    report: Duration,
    /// Prints each report as one JSON object in a line, and every snapshot.
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
    seconds.filter(|s| !s.is_zero()).ok_or_else(|| "must be a number of seconds".into())
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .with_target(false)
        .init();
    end("tickgate-follow", Follow::parse().run())
}
