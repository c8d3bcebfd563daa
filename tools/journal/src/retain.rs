//! `retain`: which old journals may go.
//!
//! A journal goes as a whole or not at all: a restart that finds no snapshot to go on with, `verify`, and whoever asks about
//! the past replay it from its first segment on. Its snapshots go with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{ArgGroup, Args};
use engine::journal::lease::Lease;
use engine::journal::numbers;
use journal::failure::Failure;
use journal::scan::Scan;
use program::println;
use serde_json::{Value, json};
use switch::latch_file;

/// Lists the journals in a folder, and deletes those that are old enough and that no restart needs.
///
/// A journal goes only as a whole, only after a clean stop, never while an engine has it or something in it is halted, never
/// the newest one, and never if a record of it is bad. Without `--yes` nothing is deleted.
#[derive(Args)]
#[command(
    group(ArgGroup::new("rule").required(true).args(["keep_days", "keep_bytes"])),
    after_help = "Examples:\n  tickgate journal retain journals --keep-days 30\n  \
                  tickgate journal retain journals --keep-bytes 50000000000 --yes --json")]
pub struct Retain {
    /// The folder whose subfolders are journals.
    folder: PathBuf,
    /// Keeps journals that were written to within so many days.
    #[arg(long, value_name = "N")]
    keep_days: Option<u64>,
    /// Keeps the newest journals up to so many bytes together.
    #[arg(long, value_name = "N")]
    keep_bytes: Option<u64>,
    /// Deletes them.
    #[arg(long)]
    yes: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// A journal, and what becomes of it.
struct Kept {
    folder: PathBuf,
    bytes: u64,
    written: SystemTime,
    /// Segments that a restart needs: all of them, from the first on.
    segments: usize,
    /// Why it stays; `None`: it goes.
    stays: Option<String>,
    lease: Option<Lease>,
}

impl Retain {
    pub fn run(self) -> Result<(), Failure> {
        if !numbers(&self.folder)?.is_empty() {
            let folder = self.folder.display();
            let what = "is a journal itself, and a restart needs all of it; name the folder above";
            return Err(Failure::usage(format!("{folder}: {what}")));
        }
        let mut journals = journals(&self.folder)?;
        if are_shards(&journals) {
            let folder = self.folder.display();
            let what = "holds the shards of one engine, and a restart needs all of them; name the folder above";
            return Err(Failure::usage(format!("{folder}: {what}")));
        }
        // The newest first.
        journals.sort_by(|a, b| b.written.cmp(&a.written).then(a.folder.cmp(&b.folder)));
        let mut total = 0_u64;
        for (place, journal) in journals.iter_mut().enumerate() {
            total = total.saturating_add(journal.bytes);
            let wanted = self.wants(journal, total);
            if place == 0 {
                journal.stays = Some("the newest".into());
            } else if wanted {
                journal.stays = Some("within what is to be kept".into());
            } else {
                journal.judge()?;
            }
        }
        if self.yes {
            for journal in journals.iter_mut().filter(|journal| journal.stays.is_none()) {
                journal.delete()?;
            }
        }
        self.say(&journals);
        Ok(())
    }

    /// Whether the rule keeps a journal; `total`: bytes of it and all newer ones.
    fn wants(&self, journal: &Kept, total: u64) -> bool {
        let by_age = self.keep_days.is_some_and(|days| journal.age() < days * Kept::DAY.as_secs());
        by_age || self.keep_bytes.is_some_and(|bytes| total <= bytes)
    }

    fn say(&self, journals: &[Kept]) {
        let gone: u64 = journals.iter().filter(|j| j.stays.is_none()).map(|j| j.bytes).sum();
        if self.json {
            let list: Vec<Value> = journals.iter().map(Kept::json).collect();
            println!("{}", json!({ "done": self.yes, "bytes": gone, "journals": list }));
            return;
        }
        let goes = if self.yes { "deleted" } else { "would go" };
        for journal in journals {
            let (path, bytes, days) = (journal.folder.display(), journal.bytes, journal.days());
            let what = journal.stays.as_deref().map_or(goes.into(), |why| format!("stays: {why}"));
            println!("{path}: {bytes} bytes, {days} days old: {what}");
        }
        let hint = if self.yes || gone == 0 { "" } else { "; run again with --yes to delete them" };
        println!("{gone} bytes in all{hint}");
    }
}

impl Kept {
    const DAY: Duration = Duration::from_secs(86_400);

    /// Seconds since it was written to.
    fn age(&self) -> u64 {
        SystemTime::now().duration_since(self.written).unwrap_or_default().as_secs()
    }

    fn days(&self) -> u64 {
        self.age() / Self::DAY.as_secs()
    }

    /// Looks into a journal that the rule would let go, and holds it if it may.
    fn judge(&mut self) -> Result<(), Failure> {
        match Lease::take(&self.folder) {
            Ok(lease) => self.lease = Some(lease),
            Err(error) => {
                self.stays = Some(error.to_string());
                return Ok(());
            }
        }
        self.stays = match Scan::of(&self.folder) {
            Err(error) => Some(error.to_string()),
            Ok(None) => Some("holds no journal".into()),
            Ok(Some(Scan { fault: Some(fault), .. })) => {
                Some(format!("record {} is bad: {}", fault.record, fault.why))
            }
            Ok(Some(scan)) if !scan.closed => {
                Some("no clean stop: an engine may have to go on with it".into())
            }
            Ok(Some(_)) => self.halted(),
        };
        if self.stays.is_some() {
            self.lease = None;
        }
        Ok(())
    }

    /// What its engine must find halted when it starts again, if anything is.
    fn halted(&self) -> Option<String> {
        match latch_file::read(&self.folder.join(latch_file::FILE)) {
            Ok(halts) if halts.is_empty() => None,
            Ok(_) => Some("something is halted, and must be when its engine starts again".into()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Deletes it. Renamed first: a journal that is half deleted must not look like a whole one.
    fn delete(&mut self) -> Result<(), Failure> {
        let going = PathBuf::from(format!("{}.going", self.folder.display()));
        let removed = fs::rename(&self.folder, &going).and_then(|()| fs::remove_dir_all(&going));
        self.lease = None;
        removed.map_err(|error| Failure::io(&self.folder, &error))
    }

    fn json(&self) -> Value {
        json!({
            "folder": self.folder.display().to_string(),
            "bytes": self.bytes,
            "segments_needed": if self.stays.is_some() { self.segments } else { 0 },
            "age_days": self.days(),
            "goes": self.stays.is_none(),
            "why": self.stays,
        })
    }
}

/// Whether journals are what a sharded engine leaves: one for each of its numbers, from 0.
fn are_shards(journals: &[Kept]) -> bool {
    let is_there = |name: &str| journals.iter().any(|kept| kept.folder.ends_with(name));
    is_there("0") && is_there("1")
}

/// The journals in a folder; what a link leads to is not in it.
fn journals(folder: &Path) -> Result<Vec<Kept>, Failure> {
    let io = |error: std::io::Error| Failure::io(folder, &error);
    let mut journals = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(io)?);
        let segments = if kind.is_dir() { numbers(&path)?.len() } else { 0 };
        if segments == 0 {
            continue;
        }
        let (mut bytes, mut written) = (0, SystemTime::UNIX_EPOCH);
        for file in fs::read_dir(&path).map_err(io)? {
            let file = file.map_err(io)?;
            let data = file.metadata().map_err(io)?;
            bytes += data.len();
            if file.path().extension().is_some_and(|end| end == "tgj") {
                written = written.max(data.modified().map_err(io)?);
            }
        }
        journals.push(Kept { folder: path, bytes, written, segments, stays: None, lease: None });
    }
    Ok(journals)
}
