//! What changes in the books when an order holds something else than before.

use model::{Currency, Qty};

use crate::path::Ladder;
use crate::reservation::Reservation;

/// Differences to every account of the order's path, worked out beforehand so that making them cannot fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting {
    pub(crate) next: Reservation,
    /// To the working quantity of the order's side.
    pub(crate) qty: i64,
    /// To the reserved cash.
    pub(crate) cash: i128,
    /// To the money of open orders.
    pub(crate) working: i128,
}

impl Posting {
    /// What it takes to hold `next` instead of `held` on the accounts of a ladder, in money of `currency`; `None` on
    /// overflow of any sum, or if an account does not count in that currency.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn new(
        ladder: &Ladder<'_>,
        currency: Currency,
        held: &Reservation,
        next: Reservation,
    ) -> Option<Posting> {
        let posting = Posting {
            next,
            qty: next.held_qty.0.checked_sub(held.held_qty.0)?,
            cash: next.held.cash.minus(held.held.cash)?.0,
            working: next.held.notional.minus(held.held.notional)?.0,
        };
        for rung in ladder.iter() {
            let mut exposure = rung.pair.line.exposure;
            let &mut Qty(working) = exposure.working(held.side);
            working.checked_add(posting.qty)?;
            let sums = rung.account.sums_in(currency)?;
            sums.reserved.0.checked_add(posting.cash)?;
            sums.working.0.checked_add(posting.working)?;
        }
        Some(posting)
    }
}
