//! `export`: what was asked, judged, reported and filled, as lines for other programs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use engine::replay::{Replay, Seen, Witness};
use journal::failure::{Failure, stop_on_signal};
use journal::progress::Progress;
use journal::scan;
use program::println;
use serde_json::json;

use crate::row::{COLUMNS, Kind, Row, rows};

/// Writes requests, verdicts, reports, fills and controls, one a line, with the number and time of their input.
///
/// Replays the journal: verdicts and paper fills are not recorded, they are made again. The name's end says the format:
/// `.jsonl` (an object a line, every value text or null) or `.csv` (RFC 4180, with a head line).
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tickgate journal export journal --to all.jsonl\n  \
    tickgate journal export journal --to fills.csv --kind fill --from 1000 --until 2000")]
pub struct Export {
    /// The journal's folder.
    folder: PathBuf,
    /// The file to write, `.jsonl` or `.csv`; it must not exist.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Only inputs from this one on.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    from: u64,
    /// Only inputs up to this one.
    #[arg(long, value_name = "SEQ")]
    until: Option<u64>,
    /// Only rows of this kind; several may be named. Without: all.
    #[arg(long, value_enum)]
    kind: Vec<Kind>,
    /// Prints one JSON object on standard output when done.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy)]
enum Format {
    Jsonl,
    Csv,
}

impl Export {
    pub fn run(self) -> Result<(), Failure> {
        let format = match self.to.extension().and_then(|end| end.to_str()) {
            Some("jsonl") => Format::Jsonl,
            Some("csv") => Format::Csv,
            _ => {
                let to = self.to.display();
                return Err(Failure::usage(format!("{to}: the name must end in .jsonl or .csv")));
            }
        };
        if self.until.is_some_and(|until| until < self.from) {
            return Err(Failure::usage("`--until` is before `--from`"));
        }
        let (replay, scan) = scan::open(&self.folder)?;
        let total = self.until.unwrap_or(u64::MAX).min(scan.inputs);
        let progress = Progress::new(total, "exporting").until(stop_on_signal()?);
        let file = File::create_new(&self.to).map_err(|error| Failure::io(&self.to, &error))?;
        let written = self.write(replay, progress, format, file);
        let written = written.inspect_err(|_| drop(std::fs::remove_file(&self.to)))?;
        if self.json {
            let to = self.to.display().to_string();
            println!("{}", json!({ "rows": written, "to": to, "last_input": scan.inputs }));
        } else {
            println!("{written} rows in {}", self.to.display());
        }
        match (self.until, scan.fault) {
            (None, Some(fault)) => Err(Failure::fault(&fault)),
            _ => Ok(()),
        }
    }

    fn write(
        &self,
        mut replay: Replay,
        progress: Progress,
        format: Format,
        file: File,
    ) -> Result<u64, Failure> {
        let mut sheet = Sheet { to: BufWriter::new(file), format, rows: 0, failed: None };
        if matches!(format, Format::Csv) {
            sheet.line(&COLUMNS.join(","));
        }
        let mut exporter = Exporter { export: self, sheet, progress };
        let run = replay.attend(self.until, &mut exporter);
        exporter.progress.finish();
        run?;
        if exporter.progress.is_stopped() {
            return Err(Failure::interrupted());
        }
        exporter.sheet.finish(&self.to)
    }
}

/// Writes what a replay shows.
struct Exporter<'a> {
    export: &'a Export,
    sheet: Sheet,
    progress: Progress,
}

impl Witness for Exporter<'_> {
    fn after(&mut self, seen: &Seen<'_>) -> ControlFlow<()> {
        let Exporter { export: Export { from, kind, .. }, sheet, progress } = self;
        if seen.input.seq >= *from {
            rows(seen, |row| {
                if kind.is_empty() || kind.contains(&row.kind) {
                    sheet.row(&row);
                }
            });
        }
        // What cannot be written ends it as somebody does who wants it to stop.
        if sheet.failed.is_some() { ControlFlow::Break(()) } else { progress.show(seen.input.seq) }
    }
}

/// The file that is written.
struct Sheet {
    to: BufWriter<File>,
    format: Format,
    rows: u64,
    failed: Option<io::Error>,
}

impl Sheet {
    fn row(&mut self, row: &Row) {
        self.rows += 1;
        match self.format {
            Format::Jsonl => self.line(&row.json().to_string()),
            Format::Csv => self.line(&row.csv()),
        }
    }

    fn line(&mut self, line: &str) {
        if let Err(error) = writeln!(self.to, "{line}") {
            self.failed.get_or_insert(error);
        }
    }

    fn finish(mut self, path: &Path) -> Result<u64, Failure> {
        let flushed = self.to.flush();
        match self.failed.or(flushed.err()) {
            None => Ok(self.rows),
            Some(error) => Err(Failure::io(path, &error)),
        }
    }
}
