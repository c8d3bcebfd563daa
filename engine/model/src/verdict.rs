//! What the gate says of an order.

use crate::num::Qty;
use crate::state::codes;

codes!(
    /// Why the gate refused. A code is never reused: 51 to 53 were of checks that are gone.
    /// FIX: the value of tag 103 (OrdRejReason), or of 380 (BusinessRejectReason) where marked `b`.
    Reject {
        /// The account is not configured (FIX 15).
        UnknownAccount = 1 => "unknown_account",
        /// The instrument is not listed or not configured (FIX 1).
        UnknownInstrument = 2 => "unknown_instrument",
        /// The account may not trade, or not by this way (FIX 6 b).
        NotPermitted = 3 => "not_permitted",
        /// No limit row for this account and instrument: absent means blocked (FIX 0).
        NoLimits = 4 => "no_limits",
        /// A halt of ours is in force (FIX 0).
        Halted = 5 => "halted",
        /// The venue does not trade the instrument now (FIX 2).
        VenueHalted = 6 => "venue_halted",
        /// The book is not live (FIX 0).
        BookNotLive = 7 => "book_not_live",
        /// Instrument and channel have been silent too long (FIX 0).
        Stale = 8 => "stale",
        /// Price not positive or not a multiple of the price step (FIX 18).
        PxStep = 9 => "px_step",
        /// Quantity not positive or not a multiple of the lot (FIX 13).
        Lot = 10 => "lot",
        /// More than the limit of one order, in quantity units (FIX 26).
        Clip = 11 => "clip",
        /// More money than the limit of one order (FIX 27).
        Notional = 12 => "notional",
        /// No fresh reference price, so the collar has nothing to measure from (FIX 19).
        NoReference = 13 => "no_reference",
        /// Through the reference by more than the band (FIX 16).
        Collar = 14 => "collar",
        /// Worst case of position and working orders beyond the limit (FIX 3).
        Position = 15 => "position",
        /// Gross exposure of the account beyond the limit (FIX 25).
        Gross = 16 => "gross",
        /// Too many open orders (FIX 3).
        OpenOrders = 17 => "open_orders",
        /// Too many orders in the window (FIX 8 b).
        Rate = 18 => "rate",
        /// The client order id was used before, with other terms (FIX 6).
        DuplicateId = 19 => "duplicate_id",
        /// Not enough cash for the worst case (FIX 25).
        Cash = 20 => "cash",
        /// A product or a sum exceeds its type (FIX 99).
        Overflow = 21 => "overflow",
        /// The order to cancel or replace is not known to this account (FIX 5).
        UnknownOrder = 22 => "unknown_order",
        /// The order to cancel or replace is not open any more (FIX 4).
        NotOpen = 23 => "not_open",
        /// A change of the order is on its way already (FIX 0).
        ChangePending = 24 => "change_pending",
        /// The journal cannot take more: nothing may be sent that is not recorded (FIX 0).
        JournalFull = 25 => "journal_full",
        /// A table of the engine is full (FIX 0).
        Capacity = 26 => "capacity",
        /// New total quantity not above what is filled already (FIX 13).
        BelowFilled = 27 => "below_filled",
        /// What the day traded, with what is open, beyond the limit (FIX 25).
        DayGross = 28 => "day_gross",
        /// Net exposure beyond the limit (FIX 25).
        Net = 29 => "net",
        /// The same terms too often within the window (FIX 6).
        DuplicateTerms = 30 => "duplicate_terms",
        /// Would meet an order of the same owner (FIX 0).
        SelfTrade = 31 => "self_trade",
        /// Lost too much since the session began (FIX 25).
        Loss = 32 => "loss",
        /// Too far below the highest equity (FIX 25).
        Drawdown = 33 => "drawdown",
        /// More than what reduces the position, where nothing else may pass (FIX 0).
        ReduceOnly = 34 => "reduce_only",
        /// On the restricted list (FIX 0).
        Restricted = 35 => "restricted",
        /// The spread is too wide to be believed, or a side is missing (FIX 19).
        Spread = 36 => "spread",
        /// Too large for what trades on an average day, or that is not known (FIX 26).
        Adv = 37 => "adv",
        /// Outside the band that the venue publishes, or that is not known (FIX 16).
        VenueBand = 38 => "venue_band",
        /// A short sale without stock located for it (FIX 22).
        ShortSale = 39 => "short_sale",
        /// Too much money in orders within the window (FIX 3).
        Volume = 40 => "volume",
        /// Too many orders for what trades (FIX 8 b).
        OrderToTrade = 41 => "order_to_trade",
        /// Executed as often as allowed without a human's word (FIX 21).
        Executions = 42 => "executions",
        /// The audit log cannot take more: nothing may be sent of which no record is kept (FIX 0).
        AuditFull = 43 => "audit_full",
        /// Where orders stand at the venue is not known since its session was lost or the engine started (FIX 0).
        Reconciling = 44 => "reconciling",
        /// Type, time in force and conditions that do not go together, or not at this venue (FIX 11).
        Unsupported = 45 => "unsupported",
        /// Its time, or its auction, was over before it came (FIX 4).
        TooLate = 46 => "too_late",
        /// The trigger is on the wrong side of the market, or there is nothing to compare it with (FIX 99).
        Trigger = 47 => "trigger",
        /// The children of its parent would sum up to more than the parent (FIX 13).
        Overslice = 48 => "overslice",
        /// A leg of a basket that is not open, or with which it comes to more than was announced or is allowed (FIX 3).
        Basket = 49 => "basket",
        /// Time cannot be trusted, and the order hangs on it (FIX 0).
        ClockUnsafe = 50 => "clock_unsafe",
        /// Beyond a soft limit, and no operator approved it (FIX 99).
        NeedsApproval = 54 => "needs_approval",
        /// Not enough equity for the margin of the worst case (FIX 25).
        Margin = 55 => "margin",
    }
);

/// What one check measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// Which check.
    pub code: Reject,
    /// Whether it refuses.
    pub failed: bool,
    /// The limit, in the check's own unit.
    pub limit: i128,
    /// What would be used of it if the order passed, in the same unit.
    pub used: i128,
}

impl Finding {
    /// A check of a quantity against a limit: fails iff `used > limit`.
    pub const fn at_most(code: Reject, used: i128, limit: i128) -> Finding {
        Finding { code, failed: used > limit, limit, used }
    }

    /// The same against a limit that may be off; off, it passes.
    pub const fn at_most_if_set(code: Reject, used: i128, limit: Option<i128>) -> Finding {
        match limit {
            Some(limit) => Finding::at_most(code, used, limit),
            None => Finding { code, failed: false, limit: i128::MAX, used },
        }
    }

    /// A check of a condition, without numbers.
    pub const fn holds(code: Reject, condition: bool) -> Finding {
        Finding { code, failed: !condition, limit: 0, used: 0 }
    }

    /// What is left of the limit; negative when it is exceeded.
    pub const fn headroom(&self) -> i128 {
        self.limit.saturating_sub(self.used)
    }
}

/// The sum of all checks on one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// One bit for each failed check: bit `code - 1`.
    pub bits: u64,
    /// The failed check with the lowest code; `None`: passed.
    pub primary: Option<Finding>,
}

impl Verdict {
    /// Nothing failed so far.
    pub const fn pass() -> Verdict {
        Verdict { bits: 0, primary: None }
    }

    /// A refusal for one reason alone.
    pub const fn refuse(code: Reject) -> Verdict {
        let mut verdict = Verdict::pass();
        verdict.fold(Finding::holds(code, false));
        verdict
    }

    /// Adds what a check found. Whoever folds in the order of the codes keeps the failed check with the lowest code as primary.
    pub const fn fold(&mut self, finding: Finding) {
        if finding.failed {
            self.bits |= Self::bit(finding.code);
            if self.primary.is_none() {
                self.primary = Some(finding);
            }
        }
    }

    /// Whether no check failed.
    pub const fn passed(&self) -> bool {
        self.bits == 0
    }

    /// The bit of a code.
    pub const fn bit(code: Reject) -> u64 {
        1 << (code as u64 - 1)
    }

    /// Every failed check, in the order of the codes.
    pub fn failed(&self) -> impl Iterator<Item = Reject> + use<> {
        Reject::in_bits(self.bits)
    }
}

impl Reject {
    /// Its place in a table by code. Not that in [`Reject::ALL`], for codes that are no longer used keep theirs.
    pub const fn slot(self) -> usize {
        self as usize - 1
    }

    /// What occurred of counts by [`Reject::slot`], and how often.
    pub fn counts(counts: &[u64]) -> impl Iterator<Item = (Reject, u64)> + '_ {
        let count = |code: Reject| counts.get(code.slot()).copied().unwrap_or(0);
        Reject::ALL.iter().map(move |code| (*code, count(*code))).filter(|(_, count)| *count > 0)
    }

    /// The codes of a [`Verdict`]'s bits.
    pub fn in_bits(bits: u64) -> impl Iterator<Item = Reject> {
        Reject::ALL.iter().copied().filter(move |code| bits & Verdict::bit(*code) != 0)
    }
}

/// How much of an order would pass now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// Largest quantity that passes, in quantity units; zero: none does.
    pub qty: Qty,
    /// What refuses one lot more.
    pub binds: Reject,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: all failures are kept, the first is primary. Method: fold a pass and two failures.
    #[test]
    fn first_failure_is_primary() {
        let mut verdict = Verdict::pass();
        verdict.fold(Finding::at_most(Reject::Clip, 5, 5));
        assert!(verdict.passed(), "equality passes");
        verdict.fold(Finding::at_most(Reject::Collar, 6, 5));
        verdict.fold(Finding::holds(Reject::Cash, false));
        assert_eq!(verdict.failed().collect::<Vec<_>>(), [Reject::Collar, Reject::Cash]);
        let primary = verdict.primary.unwrap();
        assert_eq!((primary.code, primary.headroom()), (Reject::Collar, -1));
    }

    /// Goal: every code has its own bit. Method: all of them.
    #[test]
    fn bits_are_distinct() {
        let all = Reject::ALL.iter().fold(0, |bits, code| bits | Verdict::bit(*code));
        assert_eq!(all.count_ones() as usize, Reject::ALL.len());
    }

    /// Goal: a count is that of its code, behind codes that are gone too. Method: each code alone.
    #[test]
    fn counts_are_of_their_code() {
        for code in Reject::ALL {
            let mut counts = [0; 64];
            counts[code.slot()] = 7;
            assert_eq!(Reject::counts(&counts).collect::<Vec<_>>(), [(*code, 7)]);
        }
    }
}
