//! Drives the books by a file of events and compares.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::{Reject, Ts};
use risk::LimitError;
use serde_json::{Value, json};

use crate::books::{BadEvent, Books, Said};
use crate::events::{LimitsFile, Line};

/// Longest line taken.
const LINE_MAX: usize = 64 * 1024;
/// Events between two looks at the clock.
const PROGRESS: u64 = 4_096;

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("{path}: {error}")]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{path}: {error}")]
    Limits { path: PathBuf, error: serde_json::Error },
    #[error("{path}: the limits cannot be taken: {error}")]
    Refused { path: PathBuf, error: LimitError },
    #[error("{path}, line {line}: {error}")]
    Line { path: PathBuf, line: u64, error: serde_json::Error },
    #[error("{path}, line {line} is longer than {LINE_MAX} bytes")]
    TooLong { path: PathBuf, line: u64 },
    #[error("{path}, line {line}: {error}")]
    Event { path: PathBuf, line: u64, error: BadEvent },
    #[error("{path} holds no event")]
    Empty { path: PathBuf },
}

/// The first event after which gate and file differ.
#[derive(Debug)]
pub struct Difference {
    pub line: u64,
    pub text: String,
    /// What was said, if it is an order.
    pub said: Option<Said>,
    pub digest: String,
    pub expected_digest: String,
    /// What the digest is of.
    pub books: String,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Done {
    pub events: u64,
    pub orders: u64,
    pub passed: u64,
    /// How often each check refused.
    pub refusals: BTreeMap<&'static str, u64>,
    pub difference: Option<Difference>,
}

/// Compares until the end or the first difference.
///
/// # Errors
///
/// [`VerifyError`] names file and line that cannot be read or applied.
pub fn run(limits: &Path, events: &Path, mids: &[i64]) -> Result<Done, VerifyError> {
    let path = || limits.to_owned();
    let text = std::fs::read(limits).map_err(|error| VerifyError::Read { path: path(), error })?;
    let file: LimitsFile = serde_json::from_slice(&text)
        .map_err(|error| VerifyError::Limits { path: path(), error })?;
    let books = Books::new(file.limits, file.bits, mids)
        .map_err(|error| VerifyError::Refused { path: path(), error })?;
    let lines: Box<dyn BufRead> = if events == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = File::open(events)
            .map_err(|error| VerifyError::Read { path: events.to_owned(), error })?;
        Box::new(BufReader::with_capacity(1 << 20, file))
    };
    compare(books, lines, events)
}

fn compare(
    mut books: Books,
    mut lines: Box<dyn BufRead>,
    path: &Path,
) -> Result<Done, VerifyError> {
    let (mut done, mut text, bar) = (Done::default(), Vec::new(), progress());
    let path = || path.to_owned();
    for line in 1.. {
        text.clear();
        let mut limited = std::io::Read::take(&mut lines, LINE_MAX as u64);
        let read = limited.read_until(b'\n', &mut text);
        if read.map_err(|error| VerifyError::Read { path: path(), error })? == 0 {
            break;
        }
        if text.len() == LINE_MAX {
            return Err(VerifyError::TooLong { path: path(), line });
        }
        let parsed: Line = serde_json::from_slice(&text).map_err(|error| VerifyError::Line {
            path: path(),
            line,
            error,
        })?;
        let said = books
            .apply(Ts(parsed.ts), &parsed.event)
            .map_err(|error| VerifyError::Event { path: path(), line, error })?;
        done.count(said.as_ref());
        let digest = books.digest();
        let same_verdict = said.is_none_or(|said| said.bits == said.expected && !said.beyond);
        if !same_verdict || digest != parsed.digest {
            let text = String::from_utf8_lossy(&text).trim_end().to_owned();
            let (expected_digest, books) = (parsed.digest, books.describe());
            done.difference = Some(Difference { line, text, said, digest, expected_digest, books });
            break;
        }
        if line % PROGRESS == 0 {
            bar.set_position(line);
        }
    }
    bar.finish_and_clear();
    if done.events == 0 { Err(VerifyError::Empty { path: path() }) } else { Ok(done) }
}

fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} events, {per_sec}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

impl Done {
    fn count(&mut self, said: Option<&Said>) {
        self.events += 1;
        let Some(said) = said else { return };
        self.orders += 1;
        self.passed += u64::from(said.verdict.passed());
        for code in said.verdict.failed() {
            *self.refusals.entry(code.name()).or_default() += 1;
        }
    }

    /// One object.
    pub fn to_json(&self) -> Value {
        let difference = self.difference.as_ref().map(|found| {
            json!({
                "line": found.line,
                "event": found.text,
                "verdict": found.said.map(|said| said.bits),
                "verdict_expected": found.said.map(|said| said.expected),
                "failed": found.said.map(failed),
                "digest": found.digest,
                "digest_expected": found.expected_digest,
                "books": found.books,
            })
        });
        json!({
            "events": self.events,
            "orders": self.orders,
            "passed": self.passed,
            "refusals": self.refusals,
            "differences": u8::from(self.difference.is_some()),
            "first_difference": difference,
        })
    }
}

fn failed(said: Said) -> Vec<&'static str> {
    said.verdict.failed().map(Reject::name).collect()
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, times) in &self.refusals {
            writeln!(f, "{times:>12}  {name}")?;
        }
        let (events, orders, passed) = (self.events, self.orders, self.passed);
        let Some(found) = &self.difference else {
            return writeln!(f, "{events} events, {orders} orders, {passed} passed: no difference");
        };
        writeln!(f, "{events} events, then a difference at line {}:", found.line)?;
        writeln!(f, "  event     {}", found.text)?;
        if let Some(said) = found.said {
            writeln!(f, "  verdict   {:#x}, expected {:#x}", said.bits, said.expected)?;
            writeln!(f, "  failed    {}", failed(said).join(", "))?;
        }
        writeln!(f, "  digest    {}, expected {}", found.digest, found.expected_digest)?;
        writeln!(f, "  books     {}", found.books)
    }
}
