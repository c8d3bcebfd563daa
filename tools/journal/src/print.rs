//! `print`: every record, one a line.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use engine::journal::reader::Reader;
use engine::journal::{Record, numbers};
use journal::failure::Failure;
use serde_json::{Value, json};

use crate::hash::hex;

/// Prints every record of the valid part, one a line.
#[derive(Args)]
#[command(after_help = "Example:\n  tickgate journal print journal --json | tail -n 3")]
pub struct Print {
    /// The journal's folder.
    folder: PathBuf,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Print {
    pub fn run(self) -> Result<(), Failure> {
        if numbers(&self.folder)?.is_empty() {
            return Err(Failure::no_journal(&self.folder));
        }
        let mut reader = Reader::open(&self.folder)?;
        let mut lines = BufWriter::new(std::io::stdout().lock());
        while let Some(record) = reader.next_record()? {
            let written = match self.json {
                true => writeln!(lines, "{}", describe(&record)),
                false => writeln!(lines, "{}", text(&record)),
            };
            written.unwrap_or_else(|error| program::end(&error));
        }
        lines.flush().unwrap_or_else(|error| program::end(&error));
        reader.fault().map_or(Ok(()), |fault| Err(Failure::fault(&fault)))
    }
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
            "kind": "run", "feed": feed, "first_seq": first_seq, "first_event": first_event,
            "count": count,
        }),
        Record::Input(input) => json!({
            "kind": "input", "seq": input.seq, "now_ns": input.now.0.to_string(),
            "body": format!("{:?}", input.body),
        }),
        Record::Checkpoint { seq, state_hash } => {
            json!({ "kind": "checkpoint", "seq": seq, "state_hash": hex(*state_hash) })
        }
        Record::Stages { seq, ns: [book, indicators, gate] } => {
            json!({ "kind": "stages", "seq": seq, "book_ns": book, "indicators_ns": indicators, "gate_ns": gate })
        }
        Record::Deep { seq, full_hash } => {
            json!({ "kind": "deep", "seq": seq, "full_hash": hex(*full_hash) })
        }
        Record::Closed { seq, state_hash } => {
            json!({ "kind": "closed", "seq": seq, "state_hash": hex(*state_hash) })
        }
        Record::Opened { epoch, seq } => {
            json!({ "kind": "opened", "epoch": epoch.to_string(), "seq": seq })
        }
    }
}
