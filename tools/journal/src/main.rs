//! `tickgate-journal`: what an engine's journal says, and whether it still comes to the same state.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use engine::journal::Record;
use engine::journal::reader::{Reader, Tail};
use engine::replay::{Replay, ReplayError};
use serde_json::{Value, json};

/// Prints, verifies and replays journals. Nothing is ever changed.
#[derive(Parser)]
#[command(
    name = "tickgate-journal",
    version,
    after_help = "Examples:\n  \
    tickgate journal print journal | tail\n  tickgate journal verify journal\n  \
    tickgate journal replay journal --until 100000 --json"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints every record of the valid part, one a line.
    Print {
        /// The journal's folder.
        folder: PathBuf,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Makes the state again and compares it with every recorded hash.
    Verify {
        /// The journal's folder.
        folder: PathBuf,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Makes the state again and says where it stands.
    Replay {
        /// The journal's folder.
        folder: PathBuf,
        /// Stops after this input.
        #[arg(long, value_name = "SEQ")]
        until: Option<u64>,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Exit code and what is said.
type Failure = (u8, String);

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Print { folder, json } => print(&folder, json),
        Command::Verify { folder, json } => replay(&folder, None, json, true),
        Command::Replay { folder, until, json } => replay(&folder, until, json, false),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("tickgate-journal: {message}");
            ExitCode::from(code)
        }
    }
}

fn print(folder: &Path, as_json: bool) -> Result<(), Failure> {
    let bad = |error: engine::journal::JournalError| (3, error.to_string());
    let mut reader = Reader::open(folder).map_err(bad)?;
    let line = |record: &Record| {
        use std::io::Write;
        let mut out = std::io::stdout().lock();
        if as_json {
            writeln!(out, "{}", describe(record))
        } else {
            writeln!(out, "{}", text(record))
        }
    };
    while let Some(record) = reader.next_record().map_err(bad)? {
        if line(&record).is_err() {
            return Ok(()); // Whoever read has seen enough.
        }
    }
    report_tail(reader.tail());
    Ok(())
}

fn text(record: &Record) -> String {
    match record {
        Record::Config { name, bytes } => format!("config {name}, {} bytes", bytes.len()),
        Record::Input(input) => format!("input {} at {}: {:?}", input.seq, input.now.0, input.body),
        Record::Source { path, .. } => format!("source {path}"),
        other => format!("{other:?}"),
    }
}

fn describe(record: &Record) -> Value {
    match record {
        Record::Config { name, bytes } => {
            json!({ "kind": "config", "name": name, "bytes": bytes.len() })
        }
        Record::Source { feed, place, path, .. } => {
            json!({ "kind": "source", "feed": feed, "place": place, "path": path })
        }
        Record::Run { feed, first_seq, first_event, count, .. } => json!({
            "kind": "run", "feed": feed, "first_seq": first_seq, "first_event": first_event, "count": count
        }),
        Record::Input(input) => json!({
            "kind": "input", "seq": input.seq, "now_ns": input.now.0.to_string(), "body": format!("{:?}", input.body)
        }),
        Record::Checkpoint { seq, state_hash } => {
            json!({ "kind": "checkpoint", "seq": seq, "state_hash": format!("{state_hash:016x}") })
        }
        Record::Closed { seq, state_hash } => {
            json!({ "kind": "closed", "seq": seq, "state_hash": format!("{state_hash:016x}") })
        }
        Record::Opened { epoch, seq } => {
            json!({ "kind": "opened", "epoch": epoch.to_string(), "seq": seq })
        }
    }
}

fn replay(folder: &Path, until: Option<u64>, as_json: bool, verify: bool) -> Result<(), Failure> {
    let replay = Replay::open(folder).map_err(failure)?;
    let mut replay =
        replay.ok_or_else(|| (3, format!("{}: holds no journal", folder.display())))?;
    let mut next = Instant::now() + Duration::from_secs(2);
    let outcome = replay.run(until, |seq| {
        if Instant::now() >= next {
            next = Instant::now() + Duration::from_secs(1);
            eprint!("\rinput {seq} ");
        }
    });
    outcome.map_err(failure)?;
    let (seq, hash) = (replay.engine.seq(), replay.engine.state_hash());
    if as_json {
        println!(
            "{}",
            json!({
                "inputs": seq,
                "state_hash": format!("{hash:016x}"),
                "checkpoints": replay.checkpoints,
                "closed": replay.closed,
                "opened": replay.opened,
                "torn": replay.tail().torn,
            })
        );
    } else {
        let end = if replay.closed { "a clean stop" } else { "no clean stop" };
        println!(
            "{seq} inputs, {} recorded hashes equal, {end}; state hash {hash:016x}",
            replay.checkpoints
        );
    }
    if verify || until.is_none() {
        report_tail(replay.tail());
    }
    Ok(())
}

fn failure(error: ReplayError) -> Failure {
    let code = match error {
        ReplayError::Diverged { .. }
        | ReplayError::RunChanged { .. }
        | ReplayError::Hole { .. } => 1,
        _ => 3,
    };
    (code, error.to_string())
}

fn report_tail(tail: Tail) {
    if tail.torn {
        eprintln!(
            "tickgate-journal: segment {} is valid up to byte {}; what follows is torn",
            tail.segment, tail.offset
        );
    }
}
