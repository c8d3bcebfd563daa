//! What the operator says of the books of account: rates and splits.

use model::{BooksRefusal, Cause, Control, InstrumentId, Integrity, Symbol, Ts};
use risk::{Rate, Ratio, Risk};

use super::{Engine, StartError};
use crate::output::Output;
use crate::rules::{RateRule, Rules};

/// Tells risk what currencies are worth at the start; how old that is counts from the first input on.
pub(super) fn give_rates(risk: &mut Risk, rules: &Rules) -> Result<(), StartError> {
    for row in &rules.rates {
        let RateRule { from, to, age_max_ns, rate } = *row;
        risk.allow_rate(from, to, age_max_ns).map_err(|_| StartError::Rate)?;
        if let Some(rate) = rate {
            risk.set_rate(from, to, rate, rate.at).map_err(|_| StartError::Rate)?;
        }
    }
    Ok(())
}

/// What a rate or a split comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// The rate in force before; `None`: there was none, or it is a split.
    pub before: Option<Rate>,
    /// Accounts that count in a rate.
    pub accounts: u32,
    /// Instruments that are split.
    pub instruments: u32,
    /// Positions in them, over all accounts.
    pub positions: u32,
}

impl Engine {
    /// What would become of a rate or a split at engine time `now`.
    ///
    /// # Errors
    ///
    /// [`BooksRefusal`] says what is in the way.
    pub fn may_book(&self, control: &Control, now: Ts) -> Result<Booked, BooksRefusal> {
        if self.journal_full {
            return Err(BooksRefusal::JournalFull);
        }
        if self.audit_full {
            return Err(BooksRefusal::AuditFull);
        }
        match *control {
            Control::Rate { from, to, num, den, at, .. } => {
                let (before, accounts) =
                    self.risk.may_set_rate(from, to, Rate { num, den, at }, now)?;
                Ok(Booked { before, accounts, ..Booked::default() })
            }
            Control::Split { symbol, num, den, .. } => self.may_split(symbol, Ratio { num, den }),
            _ => Ok(Booked::default()),
        }
    }

    /// Takes a rate or a split into the books, and leaves what became of it in `out`.
    pub(super) fn on_books(&mut self, control: &Control, out: &mut Output) {
        let outcome = self.may_book(control, self.now).and_then(|booked| {
            match *control {
                Control::Rate { from, to, num, den, at, .. } => {
                    self.risk.set_rate(from, to, Rate { num, den, at }, self.now)?;
                }
                Control::Split { symbol, num, den, .. } => {
                    self.split(symbol, Ratio { num, den }, out)?;
                }
                _ => {}
            }
            Ok(booked)
        });
        self.hash.fold(outcome.err().map_or(0, |refusal| refusal.code().into()));
        out.booked = Some(outcome);
    }

    fn may_split(&self, symbol: Symbol, ratio: Ratio) -> Result<Booked, BooksRefusal> {
        let mut booked = Booked::default();
        for number in 0..self.instruments.len() as u32 {
            if self.has_symbol(number, symbol) {
                if self.trading_state(number).is_tradable() {
                    return Err(BooksRefusal::Trading);
                }
                // A parent holds nothing of the books, and its quantity would stay in units from before.
                if self.orders.open().any(|record| record.order.instrument.0 == number) {
                    return Err(BooksRefusal::Working);
                }
                booked.instruments += 1;
                booked.positions += self.risk.may_split(InstrumentId(number), ratio)?;
            }
        }
        if booked.instruments > 0 { Ok(booked) } else { Err(BooksRefusal::UnknownSymbol) }
    }

    /// Splits every instrument of a symbol; that they can be was looked at. Prices from before it are worth nothing after it:
    /// the last trade is forgotten, the indicators start anew, and the book is empty and not believed until its feed builds
    /// it again.
    fn split(
        &mut self,
        symbol: Symbol,
        ratio: Ratio,
        out: &mut Output,
    ) -> Result<(), BooksRefusal> {
        for number in 0..self.instruments.len() as u32 {
            if self.has_symbol(number, symbol) {
                self.risk.split(InstrumentId(number), ratio)?;
                if let Some(outside) = &mut self.outside {
                    outside.executions.split(InstrumentId(number));
                }
                self.forget_prices(number, out);
            }
        }
        self.approvals.clear(&mut out.approvals);
        Ok(())
    }

    fn forget_prices(&mut self, number: u32, out: &mut Output) {
        let Some(listed) = self.instruments.get_mut(number) else { return };
        listed.last = None;
        (listed.mid_event, listed.unseen) = (false, None);
        let feed = listed.instrument.feed;
        if let Some(books) = self.feed_books_mut(feed) {
            books.clear(number as usize);
            books.set_integrity(number as usize, Integrity::Incomplete, Cause::NotStarted);
        }
        if let Some(indicators) = self.indicators.get_mut(number as usize) {
            indicators.new_day();
        }
        self.tell_quotes(number, [None, None], true);
        out.touch_book(number);
        self.show_integrity(number, out);
    }
}
