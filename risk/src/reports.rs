//! How the venue's reports move the books: a fill becomes position and cash, an end frees what is held.

use model::{AccountId, HaltLevel, HaltScope, Money, OutOfRange, Px, Qty, Side};

use crate::ledger::Risk;
use crate::limits::DEPTH_MAX;
use crate::line::Line;
use crate::market::twice;
use crate::money;
use crate::posting::Posting;
use crate::reservation::{Needs, Reservation, Terms};

/// What a fill did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Quantity of the order that can still fill; zero: the order is done.
    pub open: Qty,
    /// Quantity filled beyond what the order could fill. It counts in the position, for the venue is the
    /// truth, but whoever sees it should stop and compare books.
    pub excess: Qty,
}

/// What a trade does to one account of the order's path.
#[derive(Clone, Copy, Debug)]
struct Trade {
    line: Line,
    cash: Money,
    realised: Money,
    fees: Money,
    traded: Money,
}

impl Risk {
    /// Books a fill: working quantity becomes position, reserved cash becomes spent cash. The worst-case
    /// position does not move, for it counted the fill already. Valid also after the order ended: a late fill
    /// is still a fill.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if the quantity is not positive or a sum does not fit its type. Nothing is booked, and
    /// the account is halted: its books are no longer the venue's.
    pub fn fill(&mut self, held: &mut Reservation, px: Px, qty: Qty) -> Result<Filled, OutOfRange> {
        // A position without a mark would not count as exposure.
        let unmarked = self.listing(held.instrument).is_some_and(|listing| listing.mark2 == 0);
        if let Some(px2) = twice(px).filter(|_| unmarked) {
            self.set_mark(held.instrument, px2, [px2; 2]);
        }
        let excess = Qty((qty.0.saturating_sub(held.held_qty.0)).max(0));
        let Some((posting, trades)) = self.trades(held, px, qty) else {
            return self.disown(held.account);
        };
        self.post(held, posting);
        let currency = self.money_of(held.instrument);
        for (id, trade) in self.path(held.account).iter().zip(trades.into_iter().flatten()) {
            self.trade_lots(id, held.instrument, held.side, px, qty);
            self.change(id, held.instrument, |line, account| {
                line.exposure.position = trade.line.exposure.position;
                (line.cost, line.realised) = (trade.line.cost, trade.line.realised);
                if let Some(sums) = account.sums_in_mut(currency) {
                    (sums.cash, sums.realised) = (trade.cash, trade.realised);
                    (sums.fees, sums.traded) = (trade.fees, trade.traded);
                }
                account.trades += 1;
                account.executions += 1;
            });
        }
        Ok(Filled { open: held.open(), excess })
    }

    /// The order ended without filling more: cancelled, rejected, expired. Frees all that it still holds.
    pub fn release(&mut self, held: &mut Reservation) {
        let next = Reservation {
            is_open: false,
            change: None,
            held_qty: Qty(0),
            held: Needs::default(),
            ..*held
        };
        if let Some(posting) = Posting::new(self, held, next) {
            self.post(held, posting);
        }
    }

    /// The venue took new terms, which are the truth even if they are not those that were asked for. The
    /// order is done if they leave nothing open. Does nothing to an order that is not open.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a sum does not fit its type; nothing is booked, and the account is halted.
    pub fn replaced(&mut self, held: &mut Reservation, px: Px, qty: Qty) -> Result<(), OutOfRange> {
        self.retermed(held, Terms { px, qty })
    }

    /// The venue refused the replace: the old terms stand alone again. Does nothing to an order that is not
    /// open.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a sum does not fit its type; nothing is booked, and the account is halted.
    pub fn replace_rejected(&mut self, held: &mut Reservation) -> Result<(), OutOfRange> {
        self.retermed(held, held.terms)
    }

    /// What a fill does: first to what the order holds, then to position, cash and fees of each account.
    /// `None` on overflow.
    fn trades(
        &self,
        held: &Reservation,
        px: Px,
        qty: Qty,
    ) -> Option<(Posting, [Option<Trade>; DEPTH_MAX])> {
        if qty.0 <= 0 {
            return None;
        }
        let pricing = self.pricing(held.account, held.instrument);
        let mut next = Reservation { filled: Qty(held.filled.0.checked_add(qty.0)?), ..*held };
        if held.is_open {
            next = next.holding(&pricing)?;
        }
        let posting = Posting::new(self, held, next)?;
        let amount = money::notional(px, qty, pricing.factor)?;
        let fee = pricing.fee.of(px, qty)?;
        let currency = self.money_of(held.instrument);
        let mut trades = [None; DEPTH_MAX];
        for (trade, id) in trades.iter_mut().zip(self.path(held.account).iter()) {
            let sums = self.account(id)?.sums_in(currency)?;
            let before = self.pair(id, held.instrument)?.line;
            let line = before.traded(held.side, px, qty, pricing.factor)?;
            let cash = match held.side {
                Side::Buy => sums.cash.minus(amount)?,
                Side::Sell => sums.cash.plus(amount)?,
            };
            *trade = Some(Trade {
                line,
                cash: cash.minus(fee)?,
                realised: sums.realised.plus(line.realised.minus(before.realised)?)?,
                fees: sums.fees.plus(fee)?,
                traded: sums.traded.plus(amount)?,
            });
        }
        Some((posting, trades))
    }

    fn retermed(&mut self, held: &mut Reservation, terms: Terms) -> Result<(), OutOfRange> {
        if !held.is_open {
            return Ok(());
        }
        let next = Reservation { terms, change: None, ..*held };
        let pricing = self.pricing(held.account, held.instrument);
        let posting = next.holding(&pricing).and_then(|next| Posting::new(self, held, next));
        let Some(posting) = posting else { return self.disown(held.account) };
        self.post(held, posting);
        Ok(())
    }

    /// The venue reported what does not fit the books: they are not the venue's any more, so the account
    /// stops.
    fn disown<T>(&mut self, account: AccountId) -> Result<T, OutOfRange> {
        self.raise_halt(HaltScope::Account(account), HaltLevel::Halted);
        Err(OutOfRange)
    }
}

#[cfg(test)]
mod tests;
