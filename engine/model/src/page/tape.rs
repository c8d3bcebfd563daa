//! What happened, in order: the last records of a broadcast ring.

use crate::num::{Px, Qty, Ts};
use crate::order::Side;
use crate::request::HaltScope;
use crate::state::{HaltCause, codes};
use crate::words::BadWord;
use crate::{AccountId, InstrumentId, OrderId};

codes!(
    /// What a record says. `code` and `aux` of [`TapeRecord`] depend on it.
    TapeKind {
        /// A printable trade of the venue; `aux` is the match number.
        Trade = 1 => "trade",
        /// An order passed the gate.
        Passed = 2 => "passed",
        /// An order or a change was refused; `code` is the primary [`crate::Reject`], `aux` all bits.
        Refused = 3 => "refused",
        /// The venue works the order.
        Working = 4 => "working",
        /// An order filled; `aux` is the execution id.
        Fill = 5 => "fill",
        /// An order is cancelled.
        Cancelled = 6 => "cancelled",
        /// An order has new terms.
        Replaced = 7 => "replaced",
        /// A halt was raised; `code` is the [`crate::HaltLevel`], `aux` as [`halt_aux`] puts it together.
        Halt = 8 => "halt",
        /// A trading state changed; `code` is the [`crate::TradingState`].
        State = 9 => "state",
        /// A book's integrity changed; `code` is the [`crate::Integrity`], `aux` the [`crate::Cause`].
        Integrity = 10 => "integrity",
        /// The venue refused an order or a change.
        VenueRefused = 11 => "venue_refused",
        /// An operator lowered a halt; `code` is the new [`crate::HaltLevel`], `aux` as for a halt.
        Resumed = 12 => "resumed",
        /// A halt was not lowered; `code` is the [`crate::ResumeRefusal`], `aux` as for a halt.
        ResumeRefused = 13 => "resume_refused",
        /// The time of an order was over.
        Expired = 14 => "expired",
        /// What became of an order is not known: an answer is overdue, or its session is gone.
        Unknown = 15 => "unknown",
        /// An order or a change was never sent.
        NotSent = 16 => "not_sent",
        /// The venue took an execution back; `aux` is its id.
        Bust = 17 => "bust",
        /// An order filled after its end was told; `aux` is the execution id.
        LateFill = 18 => "late_fill",
        /// More filled than an order could, or an order that is not known; `aux` is the execution id.
        OverFill = 19 => "over_fill",
        /// The venue said where an order stands.
        Restated = 20 => "restated",
        /// The venue's books are not ours: `qty` is its position, `aux` ours; or, with an order, it speaks of one that
        /// cannot be.
        Mismatch = 21 => "mismatch",
        /// Something that may halt began or ended; `code` is the [`crate::HaltCause`], `aux` is 1 where it began.
        Alert = 22 => "alert",
        /// A stop was triggered; `px` is its trigger.
        Triggered = 23 => "triggered",
        /// A basket is over; `code` is the [`crate::BasketEnd`], `qty` how many legs came, `aux` its asker's number of it.
        Basket = 24 => "basket",
    }
);

/// Scope and cause of a halt in one word: kind of the scope in bits 0 to 7, cause in bits 8 to 15 (zero: none), number of
/// the account, instrument, strategy or desk in bits 32 to 63.
pub const fn halt_aux(scope: HaltScope, cause: Option<HaltCause>) -> u64 {
    let (kind, number) = scope.to_parts();
    let cause = match cause {
        Some(cause) => cause.code(),
        None => 0,
    };
    kind as u64 | (cause as u64) << 8 | (number as u64) << 32
}

/// Takes [`halt_aux`] apart; `None` if it holds no scope.
pub fn read_halt_aux(aux: u64) -> Option<(HaltScope, Option<HaltCause>)> {
    let [kind, cause, ..] = aux.to_le_bytes();
    Some((HaltScope::from_parts(kind, (aux >> 32) as u32)?, HaltCause::from_code(cause)))
}

/// One record of the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapeRecord {
    /// Number of the input that caused it.
    pub engine_seq: u64,
    /// Engine time.
    pub now: Ts,
    /// What.
    pub kind: TapeKind,
    /// Side of the order, or of the resting order of a trade, if known.
    pub side: Option<Side>,
    /// See [`TapeKind`]; zero where unused.
    pub code: u8,
    /// Whose order; zero where unused.
    pub account: AccountId,
    /// Which instrument; zero where unused.
    pub instrument: InstrumentId,
    /// Which order; zero where unused.
    pub order: OrderId,
    /// Price, in price units.
    pub px: Px,
    /// Quantity, in quantity units.
    pub qty: Qty,
    /// See [`TapeKind`]; zero where unused.
    pub aux: u64,
}

impl TapeRecord {
    /// Words of a record.
    pub const WORDS: usize = 8;

    /// The record as words.
    pub const fn to_words(&self) -> [u64; Self::WORDS] {
        let side = match self.side {
            None => 0,
            Some(side) => side as u8,
        };
        let head = u32::from_le_bytes([self.kind as u8, side, self.code, 0]);
        let account = self.account.0 as u64;
        [
            self.engine_seq,
            self.now.0,
            head as u64 | account << 32,
            self.instrument.0 as u64,
            self.order.0,
            self.px.0.cast_unsigned(),
            self.qty.0.cast_unsigned(),
            self.aux,
        ]
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<TapeRecord, BadWord> {
        let [engine_seq, now, head, instrument, order, px, qty, aux] = *words;
        let [kind, side, code, _, low, high, ..] = head.to_le_bytes();
        let side = match side {
            0 => None,
            code => Some(Side::from_code(code).ok_or(BadWord(2))?),
        };
        Ok(TapeRecord {
            engine_seq,
            now: Ts(now),
            kind: TapeKind::from_code(kind).ok_or(BadWord(2))?,
            side,
            code,
            account: AccountId(u16::from_le_bytes([low, high])),
            instrument: InstrumentId(u32::try_from(instrument).map_err(|_| BadWord(3))?),
            order: OrderId(order),
            px: Px(px.cast_signed()),
            qty: Qty(qty.cast_signed()),
            aux,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: each record survives its words. Method: every kind.
    #[test]
    fn words_read_back() {
        for kind in TapeKind::ALL {
            let record = TapeRecord {
                engine_seq: 1,
                now: Ts(2),
                kind: *kind,
                side: Some(Side::Sell),
                code: 3,
                account: AccountId(4),
                instrument: InstrumentId(5),
                order: OrderId(6),
                px: Px(-7),
                qty: Qty(8),
                aux: 9,
            };
            assert_eq!(TapeRecord::from_words(&record.to_words()), Ok(record));
        }
        assert!(TapeRecord::from_words(&[0; 8]).is_err());
    }

    /// Goal: scope and cause of a halt survive their word. Method: every kind of scope, with and without a cause.
    #[test]
    fn halts_read_back() {
        let scopes = [
            HaltScope::All,
            HaltScope::Account(AccountId(u16::MAX)),
            HaltScope::Instrument(InstrumentId(u32::MAX)),
            HaltScope::Strategy(7),
            HaltScope::Desk(crate::DeskId(15)),
        ];
        for scope in scopes {
            for cause in [None, Some(HaltCause::Invariant)] {
                assert_eq!(read_halt_aux(halt_aux(scope, cause)), Some((scope, cause)));
            }
        }
        assert_eq!(read_halt_aux(0), None);
    }
}
