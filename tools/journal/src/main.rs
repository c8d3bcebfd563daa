//! `tickgate-journal`: what an engine's journal says, whether it still comes to the same state, and what to do if not.
//!
//! To add a command: a file of its own with its arguments and a `run`, a variant of `Command`, its arm in `main`. The
//! smallest one to copy is `replay.rs`.

#![forbid(unsafe_code)]

mod export;
mod hash;
mod print;
mod repair;
mod replay;
mod retain;
mod row;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use journal::failure::end;

/// Prints, verifies, replays, exports, repairs and retires journals. Only `repair --yes` and `retain --yes` change
/// anything.
#[derive(Parser)]
#[command(
    name = "tickgate-journal",
    version,
    after_help = "Examples:\n  \
    tickgate journal print journal | tail\n  \
    tickgate journal verify journal --deep\n  \
    tickgate journal replay journal --until 100000 --json\n  \
    tickgate journal export journal --to orders.csv --kind verdict --kind fill\n  \
    tickgate journal repair journal\n  \
    tickgate journal retain journals --keep-days 30\n\n\
    Exit codes: 0 done; 1 a hash differs; 2 usage; 3 a bad record, or a file that is foreign or of another version;\n\
    5 in use by an engine; 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Print(print::Print),
    Verify(verify::Verify),
    Replay(replay::Replay),
    Export(export::Export),
    Repair(repair::Repair),
    Retain(retain::Retain),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Print(print) => print.run(),
        Command::Verify(verify) => verify.run(),
        Command::Replay(replay) => replay.run(),
        Command::Export(export) => export.run(),
        Command::Repair(repair) => repair.run(),
        Command::Retain(retain) => retain.run(),
    };
    end("tickgate-journal", outcome)
}
