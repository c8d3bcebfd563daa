//! Rates and splits, on the operator's word: always a named operator's, with reason and passphrase, for both
//! move sums that limits are held against. Whether one is taken decides the step (`engine/src/step/books.rs`);
//! a dry run asks it the same question without an input.

use std::time::Instant;

use model::{BooksRefusal, Control, Currency, Note, OperatorName, Symbol, Ts};
use switch::{Answer, Books, Entry, RateBefore, Scope, Ticket, clean_reason};

use super::{Act, OperatorDesk, Outbox, Waiting, stands_still};
use crate::step::Booked;

/// A rate or a split on its way to the engine thread.
#[derive(Debug)]
pub(super) struct Booking {
    entry: Entry,
    /// Whether it is only asked what would become of it.
    pub is_trial: bool,
    /// What became of it, once that is known.
    outcome: Option<Result<Booked, BooksRefusal>>,
}

impl OperatorDesk {
    /// Who may say what the books are, in the order of cost.
    pub(super) fn books(
        &mut self,
        (ticket, uid): (Ticket, u32),
        asks: Books,
        now: Instant,
        outbox: &mut Outbox,
        stalled: bool,
    ) -> Result<(), Answer> {
        let Books { entry, dry_run, operator, reason, passphrase } = asks;
        let reason = clean_reason(&reason);
        let (mut name, note) = (OperatorName::default(), Note::lossy(&reason));
        if !dry_run {
            name = self.person(uid, &operator, &reason)?;
        }
        let control = control(&entry, name, note)?;
        if stalled {
            return Err(stands_still());
        }
        let what = entry.to_string();
        let booking = Booking { entry, is_trial: dry_run, outcome: None };
        let act = Act::Books(Box::new(booking));
        if dry_run {
            let waiting = Waiting { ticket: Some(ticket), since: now, scope: Scope::All, act };
            outbox.unsent.push_back((control, Some(waiting)));
            return Ok(());
        }
        let passphrase = passphrase.ok_or_else(|| {
            let text = "rates and splits need the passphrase of the operator who says so";
            Answer::refused("no_passphrase", text)
        })?;
        let who = (operator, name, reason);
        self.begin_check(ticket, (control, Scope::All, act), what, who, passphrase, now)
    }

    /// The engine thread took a rate or a split as input `seq`, refused it, or was only asked.
    pub fn booked(
        &mut self,
        mut waiting: Waiting,
        seq: u64,
        outcome: Result<Booked, BooksRefusal>,
        now: Instant,
    ) {
        let Act::Books(booking) = &mut waiting.act else { return };
        booking.outcome = Some(outcome);
        if booking.is_trial {
            let answer = booking.answer(None, false);
            return self.tell(&waiting, answer, now);
        }
        match outcome {
            Ok(_) => tracing::warn!("{} in the books, by input {seq}", booking.entry),
            Err(refusal) => tracing::warn!("{} refused: {refusal}", booking.entry),
        }
        self.done.push((Waiting { since: now, ..waiting }, seq, None));
    }
}

impl Booking {
    /// What is told of it; `engine_seq` is the input that did it.
    pub fn answer(&self, engine_seq: Option<u64>, recorded: bool) -> Answer {
        let entry = self.entry.clone();
        match self.outcome {
            None => Answer::refused("unknown_outcome", "the engine thread did not say"),
            Some(Err(refusal)) => Answer::refused(refusal.name(), explain(refusal)),
            Some(Ok(Booked { before, accounts, instruments, positions })) => {
                let before = before.map(|rate| RateBefore {
                    num: rate.num,
                    den: rate.den,
                    at_ns: rate.at.0,
                });
                Answer::Booked(Box::new(switch::Booked {
                    entry,
                    before,
                    accounts,
                    instruments,
                    positions,
                    engine_seq,
                    recorded,
                }))
            }
        }
    }
}

fn control(entry: &Entry, operator: OperatorName, note: Note) -> Result<Control, Answer> {
    match entry {
        Entry::Rate { from, to, num, den, at_ns } => {
            let (from, to) = (currency(from)?, currency(to)?);
            let (num, den, at) = (*num, *den, Ts(*at_ns));
            Ok(Control::Rate { from, to, num, den, at, operator, note })
        }
        Entry::Split { symbol, num, den } => {
            let known = Symbol::new(symbol).ok().filter(|symbol| !symbol.as_str().is_empty());
            let unknown = || refuse(BooksRefusal::UnknownSymbol);
            let (symbol, num, den) = (known.ok_or_else(unknown)?, *num, *den);
            Ok(Control::Split { symbol, num, den, operator, note })
        }
    }
}

/// A currency by its code, written as in limits.toml.
fn currency(code: &str) -> Result<Currency, Answer> {
    let is_code = code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut currency = [0; 8];
    let place = currency.get_mut(..code.len()).filter(|place| is_code && !place.is_empty());
    place.ok_or_else(|| refuse(BooksRefusal::UnknownPair))?.copy_from_slice(code.as_bytes());
    Ok(currency)
}

fn refuse(refusal: BooksRefusal) -> Answer {
    Answer::refused(refusal.name(), explain(refusal))
}

fn explain(refusal: BooksRefusal) -> &'static str {
    match refusal {
        BooksRefusal::UnknownSymbol => "no instrument of this symbol is listed",
        BooksRefusal::BadNumber => "both numbers are above zero, and at most 2^63 - 1",
        BooksRefusal::Trading => "the venue trades it; a split waits until it does not",
        BooksRefusal::Working => "orders work in it; cancel them first",
        BooksRefusal::Fraction => "a position would be no whole number of units",
        BooksRefusal::Overflow => "a position or a price would be too large",
        BooksRefusal::UnknownPair => "no account counts the one currency in the other",
        BooksRefusal::NotLater => {
            "its time is not reached yet, or before that of the rate in force"
        }
        BooksRefusal::JournalFull => "the journal takes nothing; restart the engine",
        BooksRefusal::AuditFull => "the audit log takes nothing; restart the engine",
    }
}

#[cfg(test)]
mod tests;
