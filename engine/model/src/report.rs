//! What a venue says of an order of ours.
//!
//! A gateway makes a [`Report`] of each message of its venue, and the engine takes them in any order, late, and more than
//! once: an execution is known by its number, an answer to a change by the number of the change, and what ends an order
//! says how much of it filled, so that fills that are still on their way stay reserved.

use crate::id::{AccountId, InstrumentId, OrderId};
use crate::num::{Px, Qty};
use crate::order::Side;
use crate::state::codes;
use crate::words::{BadWord, WordReader, WordWriter};

codes!(
    /// What happened to the order (FIX tag 150 ExecType).
    ReportKind {
        /// It rests, or will be matched, at the venue.
        Ack = 1 => "ack",
        /// A part or all of it traded.
        Fill = 2 => "fill",
        /// What was open is gone.
        Cancelled = 3 => "cancelled",
        /// The venue refused it; it never lived.
        Rejected = 4 => "rejected",
        /// It has new terms.
        Replaced = 5 => "replaced",
        /// The replace was refused; the old terms stand.
        ReplaceRejected = 6 => "replace_rejected",
        /// The cancel was refused.
        CancelRejected = 7 => "cancel_rejected",
        /// Its time was over; what was open is gone.
        Expired = 8 => "expired",
        /// A trade did not happen after all: its execution number is that of the fill.
        Bust = 9 => "bust",
        /// The gateway still held it and has not sent it, nor ever will.
        NotSent = 10 => "not_sent",
        /// Where it stands, asked for or not: it works with these terms.
        Restated = 11 => "restated",
        /// The venue does not know it: it never arrived.
        NotFound = 12 => "not_found",
        /// What the venue holds for account and instrument: the position is `qty`.
        Position = 13 => "position",
    }
);

impl ReportKind {
    /// Whether it tells of an execution, which has a number.
    pub const fn is_execution(self) -> bool {
        matches!(self, ReportKind::Fill | ReportKind::Bust)
    }
}

/// Whose an order or a position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    /// Who pays.
    pub account: AccountId,
    /// What is traded.
    pub instrument: InstrumentId,
    /// Buy or sell; without meaning for a position.
    pub side: Side,
}

/// One report of a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// What happened.
    pub kind: ReportKind,
    /// Our order; zero in a [`ReportKind::Position`].
    pub order: OrderId,
    /// Whose it is, as the gateway knows it; what it takes to book a fill of an order that nobody remembers. `None`: it
    /// does not say.
    pub holder: Option<Holder>,
    /// What the report answers: zero the order itself, `n` the `n`-th change that was asked of it.
    pub change: u16,
    /// The number of this execution: never used twice for an instrument as long as the journal lives, so where a venue
    /// counts anew each day the gateway puts the day in. Restated: the number of the reconciliation that it belongs to, zero if
    /// to none. Zero where nothing traded.
    pub exec_id: u64,
    /// Fill, bust: trade price. Replaced, restated: limit. In price units.
    pub px: Px,
    /// Fill, bust: quantity traded. Replaced, restated: total quantity. In quantity units.
    pub qty: Qty,
    /// Quantity of the order that ever filled, trades that were taken back included, as far as the venue says: all that ends
    /// an order should. `None`: it does not say, which is as if it were what we know. A gateway whose venue takes them out
    /// puts them back in, here and in `qty`, so that what is open is the difference.
    pub cum: Option<Qty>,
}

impl Report {
    /// Words of a report.
    pub const WORDS: usize = 7;

    /// A report of an order that says no more than what happened.
    pub const fn of(kind: ReportKind, order: OrderId) -> Report {
        let (exec_id, px, qty) = (0, Px(0), Qty(0));
        Report { kind, order, holder: None, change: 0, exec_id, px, qty, cum: None }
    }

    /// The report as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        let (account, instrument, side) = match self.holder {
            None => (0, 0, 0),
            Some(Holder { account, instrument, side }) => (account.0, instrument.0, side.code()),
        };
        let ([low, high], change) = (account.to_le_bytes(), self.change.to_le_bytes());
        let says_cum = self.cum.is_some().into();
        to.bytes([self.kind.code(), side, low, high, change[0], change[1], says_cum, 0]);
        to.u64(self.order.0);
        to.u64(self.exec_id);
        to.i64(self.px.0);
        to.i64(self.qty.0);
        to.i64(self.cum.map_or(0, |cum| cum.0));
        to.u64(instrument.into());
        words
    }

    /// Reads words back. Prices and quantities are taken as they are: judging them is the books'.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Report, BadWord> {
        let mut from = WordReader::new(words);
        let [kind, side, low, high, change_low, change_high, says_cum, rest] = from.bytes();
        let kind = from.legal(ReportKind::from_code(kind))?;
        let account = u16::from_le_bytes([low, high]);
        from.legal((says_cum <= 1 && rest == 0).then_some(()))?;
        let (order, exec_id) = (OrderId(from.u64()), from.u64());
        let (px, qty) = (Px(from.i64()), Qty(from.i64()));
        let cum = from.i64();
        from.legal((says_cum == 1 || cum == 0).then_some(()))?;
        let instrument = from.u64();
        let instrument = from.legal(u32::try_from(instrument).ok())?;
        let holder = match (side, account, instrument) {
            (0, 0, 0) => None,
            (side, account, instrument) => Some(Holder {
                account: AccountId(account),
                instrument: InstrumentId(instrument),
                side: Side::from_code(side).ok_or(BadWord(0))?,
            }),
        };
        let change = u16::from_le_bytes([change_low, change_high]);
        let cum = (says_cum == 1).then_some(Qty(cum));
        Ok(Report { kind, order, holder, change, exec_id, px, qty, cum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let (account, instrument) = (AccountId(258), InstrumentId(u32::MAX));
        Report {
            holder: Some(Holder { account, instrument, side: Side::Sell }),
            change: 0xFFFE,
            exec_id: u64::MAX,
            px: Px(-1),
            qty: Qty(i64::MAX),
            cum: Some(Qty(i64::MIN)),
            ..Report::of(ReportKind::Restated, OrderId::new(5, 6))
        }
    }

    /// Goal: every kind survives its words. Method: each, with fields at their edges, saying and not saying the sum.
    #[test]
    fn words_read_back() {
        for kind in ReportKind::ALL.iter().copied() {
            for cum in [None, Some(Qty(0)), Some(Qty(i64::MIN))] {
                for report in [report(), Report { holder: None, ..report() }] {
                    let report = Report { kind, cum, ..report };
                    assert_eq!(Report::from_words(&report.to_words()), Ok(report));
                }
            }
        }
    }

    /// Goal: no illegal value passes, and the word is named. Method: spoil one field at a time.
    #[test]
    fn bad_words_are_named() {
        let good = report().to_words();
        for byte in [0, 1, 6, 7] {
            let mut bad = good;
            bad[0] |= 0xF0 << (8 * byte);
            assert_eq!(Report::from_words(&bad), Err(BadWord(0)), "byte {byte}");
        }
        let mut bad = good;
        bad[6] = 1 << 32;
        assert_eq!(Report::from_words(&bad), Err(BadWord(6)));
        let mut bad = Report { cum: None, ..report() }.to_words();
        bad[5] = 1;
        assert_eq!(Report::from_words(&bad), Err(BadWord(5)), "a sum that is not said");
    }
}
