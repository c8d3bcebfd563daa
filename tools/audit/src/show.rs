//! Records as text and as JSON.

use std::io::{self, Write};
use std::path::Path;

use audit::AuditKind;
use audit::{AuditRecord, Checkpoint, Options, Seen};
use model::{BooksRefusal, HaltLevel, Reject, Symbol};
use program::eprintln;
use serde_json::{Value, json};

use crate::{Failure, bad, unreadable};

/// Prints a log.
pub fn show(folder: &Path, as_json: bool) -> Result<(), Failure> {
    let mut lines = io::BufWriter::new(io::stdout().lock());
    let options = Options { torn_is_good: true, ..Options::default() };
    let found = audit::verify(folder, &options, |seen| {
        let line = match (seen, as_json) {
            (Seen::Record(number, record, _), true) => json(number, record).to_string(),
            (Seen::Record(number, record, _), false) => text(number, record),
            (Seen::Checkpoint(made), true) => checkpoint(made).to_string(),
            (Seen::Checkpoint(made), false) => {
                format!("-- checkpoint of {} records, {}", made.count, made.occasion.name())
            }
        };
        writeln!(lines, "{line}").unwrap_or_else(|error| program::end(&error));
    });
    lines.flush().unwrap_or_else(|error| program::end(&error));
    match found.map_err(unreadable)? {
        Err(finding) => Err(bad(&finding)),
        Ok(report) => {
            if report.torn > 0 {
                eprintln!("tickgate-audit: {} bytes at the end are no whole frame", report.torn);
            }
            Ok(())
        }
    }
}

/// A record as one JSON object. What is zero and means nothing is left out.
pub fn json(number: u64, record: &AuditRecord) -> Value {
    let mut line = json!({
        "record": number,
        "kind": record.kind.name(),
        "engine_seq": record.engine_seq,
        "now_ns": record.now.0,
        "mono_ns": record.mono_ns,
        "actor": record.actor.to_string(),
        "limits_version": format!("{:016x}", record.limits_version),
        "aux": record.aux,
    });
    let Some(fields) = line.as_object_mut() else { return line };
    let mut say = |key: &str, value: Value| _ = fields.insert(key.into(), value);
    if !record.name.as_str().is_empty() {
        say("name", record.name.as_str().into());
    }
    if record.side.is_some() || record.order.0 > 0 {
        say("account", record.account.0.into());
        say("instrument", record.instrument.0.into());
        say("order", record.order.0.into());
        say("client_id", record.client_id.as_str().into());
        say("side", record.side.map(|side| side.name()).into());
        say("px", record.px.0.into());
        say("qty", record.qty.0.into());
        say("md_seq", record.md_seq.into());
    }
    if let Some(reason) = record.reason() {
        say("reason", reason.name().into());
        let names: Vec<&str> = Reject::in_bits(record.bits).map(Reject::name).collect();
        say("failed", names.into());
        // Beyond 2^53, as text: they are wider than what JSON numbers hold.
        say("limit", record.reached.limit.to_string().into());
        say("used", record.reached.used.to_string().into());
    } else if let Some(said) = books(record) {
        say("of", said.of.into());
        say("num", said.num.to_string().into());
        say("den", said.den.to_string().into());
        say("at_ns", said.at_ns.into());
        say("refused", said.refusal.map(BooksRefusal::name).into());
    } else {
        if record.code > 0 {
            say("code", record.code.into());
        }
        if record.bits > 0 {
            say("bits", record.bits.into());
        }
    }
    if !record.note.as_str().is_empty() {
        say("note", record.note.as_str().into());
    }
    line
}

/// What a rate or a split says.
struct Books {
    /// Two currencies, or a symbol.
    of: String,
    num: i128,
    den: i128,
    /// The time of a rate.
    at_ns: Option<u64>,
    refusal: Option<BooksRefusal>,
}

fn books(record: &AuditRecord) -> Option<Books> {
    let (of, at_ns) = match record.kind {
        AuditKind::Rate => {
            let code = |word: u64| {
                String::from_utf8_lossy(&word.to_le_bytes()).trim_end_matches('\0').to_owned()
            };
            (format!("{} {}", code(record.bits), code(record.aux)), Some(record.md_seq))
        }
        AuditKind::Split => {
            (Symbol::from_words([record.bits, record.aux]).unwrap_or_default().to_string(), None)
        }
        _ => return None,
    };
    let (num, den) = (record.reached.limit, record.reached.used);
    Some(Books { of, num, den, at_ns, refusal: BooksRefusal::from_code(record.code) })
}

/// A record as one line of text.
pub fn text(number: u64, record: &AuditRecord) -> String {
    let AuditRecord { kind, engine_seq, now, actor, account, instrument, order, .. } = record;
    let mut line = format!("{number} seq {engine_seq} now {} {} by {actor}", now.0, kind.name());
    if !record.name.as_str().is_empty() {
        line += &format!(" {}", record.name);
    }
    if let Some(side) = record.side {
        line += &format!(
            " account {} instrument {} order {} {side} {} at {}",
            account.0, instrument.0, order.0, record.qty.0, record.px.0
        );
    }
    if !record.client_id.as_str().is_empty() {
        line += &format!(" client id {:?}", record.client_id.as_str());
    }
    if let Some(reason) = record.reason() {
        let names: Vec<&str> = Reject::in_bits(record.bits).map(Reject::name).collect();
        line += &format!(
            ": {reason}, limit {}, used {}; failed: {}",
            record.reached.limit,
            record.reached.used,
            names.join(" ")
        );
    } else if let Some(said) = books(record) {
        let at = said.at_ns.map_or(String::new(), |at| format!(" at {at}"));
        let refusal = said.refusal.map_or(String::new(), |why| format!(": refused, {why}"));
        line += &format!(" {} {}/{}{at}{refusal}", said.of, said.num, said.den);
    } else if record.code > 0 {
        let level = HaltLevel::from_code(record.code).map_or("", HaltLevel::name);
        line += &format!(" code {} {level}", record.code);
    }
    if !record.note.as_str().is_empty() {
        line += &format!(" note {:?}", record.note.as_str());
    }
    line
}

/// A checkpoint as JSON.
pub fn checkpoint(made: &Checkpoint) -> Value {
    json!({
        "kind": "checkpoint",
        "records": made.count,
        "wall_ns": made.wall.0,
        "occasion": made.occasion.name(),
        "key": format!("{:016x}", made.key_id),
        "root": audit::hex::encode(&made.root),
    })
}
