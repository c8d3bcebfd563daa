//! `tickgate-risk`: the gate held against verdicts that somebody else worked out.

#![forbid(unsafe_code)]

mod books;
mod events;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use program::{eprintln, print, println};

/// Drives the product's only gate by events with known verdicts.
#[derive(Parser)]
#[command(
    name = "tickgate-risk",
    version,
    after_help = "Examples:\n  \
    tickgate risk verify --limits risk_limits.json --events risk_events.jsonl\n  \
    make_events | tickgate risk verify --limits risk_limits.json --events - --json"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judges every order of the events and compares verdict and books after each; stops at the first
    /// difference.
    Verify(Verify),
}

#[derive(Args)]
struct Verify {
    /// JSON object of the limits, and of the bit of each reason.
    #[arg(long)]
    limits: PathBuf,
    /// One JSON event a line with its `verdict` and the `digest` of the books after it; `-`: standard input.
    #[arg(long)]
    events: PathBuf,
    /// Twice the mid of each symbol at time zero.
    #[arg(long, value_delimiter = ',', default_values_t = [20_000, 40_000, 8_000])]
    mids: Vec<i64>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let Command::Verify(verify) = Cli::parse().command;
    let outcome = verify::run(&verify.limits, &verify.events, &verify.mids);
    let done = match outcome {
        Ok(done) => done,
        Err(error) => {
            eprintln!("tickgate-risk: {error}");
            return ExitCode::from(3);
        }
    };
    if verify.json {
        println!("{}", done.to_json());
    } else {
        print!("{done}");
    }
    ExitCode::from(u8::from(done.difference.is_some()))
}
