//! How the venue's reports move the books: a fill becomes position and cash, an end frees what is held.

use model::page::NoFifo;
use model::{AccountId, HaltLevel, HaltScope, InstrumentId, Money, OutOfRange, Px, Qty, Side};

use crate::ledger::Risk;
use crate::limits::DEPTH_MAX;
use crate::line::{Line, NO_SLOT};
use crate::market::twice;
use crate::money;
use crate::posting::Posting;
use crate::reservation::{Needs, Pricing, Reservation, Terms};

/// What a fill did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Quantity of the order that can still fill; zero: the order is done.
    pub open: Qty,
    /// Quantity filled beyond what the order could fill. It counts in the position, for the venue is the
    /// truth, but whoever sees it should stop and compare books.
    pub excess: Qty,
    /// What was paid for it; a rebate is negative. To be given back if the venue takes the trade back.
    pub fee: Money,
    /// What was traded, price · quantity, the excess included.
    pub amount: Money,
}

/// A trade to book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deal {
    /// Who pays.
    pub account: AccountId,
    /// What was traded.
    pub instrument: InstrumentId,
    /// Bought or sold.
    pub side: Side,
    /// At what price, in price units.
    pub px: Px,
    /// How much, in quantity units.
    pub qty: Qty,
}

/// What there is on one account of the order's path after a trade.
#[derive(Clone, Copy, Debug)]
struct Trade {
    position: Qty,
    cost: Money,
    line_realised: Money,
    cash: Money,
    realised: Money,
    fees: Money,
    traded: Money,
}

/// The same of each. Filled and read in place: handed from one to the next it was copied three times, 330 instructions a fill.
type Trades = [Option<Trade>; DEPTH_MAX];

/// The order of a trade as it is, and the differences that the trade makes of it.
type Frees<'a> = (&'a Reservation, &'a Posting);

impl Risk {
    /// Books a fill: working quantity becomes position, reserved cash becomes spent cash. The worst-case position does not move,
    /// for it counted the fill already; but by what fills beyond the order or after its end, which is still a fill.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if the quantity is not positive or a sum does not fit its type. Nothing is booked, and
    /// the account is halted: its books are no longer the venue's.
    pub fn fill(&mut self, held: &mut Reservation, px: Px, qty: Qty) -> Result<Filled, OutOfRange> {
        let Reservation { account, instrument, side, held_qty, .. } = *held;
        let deal = Deal { account, instrument, side, px, qty };
        let excess = Qty((qty.0.saturating_sub(held_qty.0)).max(0));
        self.mark_if_unmarked(&deal);
        // A loss or a highest profit at the present mark counts although the trade makes another one of it.
        self.settle_marks(account);
        let pricing = self.pricing(account, instrument);
        let (fee, posting) = (pricing.fee.of(px, qty), filling(held, qty, &pricing));
        let mut trades = [None; DEPTH_MAX];
        let booked = fee.zip(posting).and_then(|(fee, posting)| {
            let frees = Some((&*held, &posting));
            let amount = self.booked(&deal, pricing.factor, fee, frees, &mut trades)?;
            Some((fee, posting, amount))
        });
        let Some((fee, posting, amount)) = booked else { return self.disown(account) };
        self.book(&deal, pricing.factor, &trades, 1, Some((held, &posting)));
        let quote = self.requote(held, &posting.next);
        *held = Reservation { quote, ..posting.next };
        Ok(Filled { open: held.open(), excess, fee, amount })
    }

    /// Books a trade of an order that nobody remembers: the venue is the truth. All of it is in excess.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] as for [`Risk::fill`], and where there is no such account or instrument, or no line left
    /// for them.
    pub fn fill_unknown(&mut self, deal: &Deal) -> Result<Filled, OutOfRange> {
        self.open_lines(deal.account, deal.instrument);
        self.mark_if_unmarked(deal);
        self.settle_marks(deal.account); // As in `fill`.
        let slot = self.pair(deal.account, deal.instrument).map_or(NO_SLOT, |pair| pair.line.slot);
        let Pricing { factor, fee, .. } = self.pricing(deal.account, deal.instrument);
        let mut trades = [None; DEPTH_MAX];
        let fee = fee.of(deal.px, deal.qty).filter(|_| slot != NO_SLOT);
        let amount = fee.and_then(|fee| self.booked(deal, factor, fee, None, &mut trades));
        let Some((fee, amount)) = fee.zip(amount) else { return self.disown(deal.account) };
        self.book(deal, factor, &trades, 1, None);
        Ok(Filled { open: Qty(0), excess: deal.qty, fee, amount })
    }

    /// Takes a booked trade back: position, cash and fee are exactly as if it had never been, and so is profit,
    /// realised and open together. What it took of its order stays taken, and what it counted as traded and
    /// executed stays counted, for it may not make room for more. The money that was traded and is taken back, price · quantity.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a sum does not fit its type; nothing is booked, and the account is halted.
    pub fn bust(&mut self, deal: &Deal, fee: Money) -> Result<Money, OutOfRange> {
        self.settle_marks(deal.account); // As in `fill`.
        let reverse = Deal { side: deal.side.opposite(), ..*deal };
        let Pricing { factor, .. } = self.pricing(deal.account, deal.instrument);
        let (back, mut trades) = (Money::ZERO.minus(fee), [None; DEPTH_MAX]);
        let booked = back.and_then(|back| self.booked(&reverse, factor, back, None, &mut trades));
        let Some(amount) = booked else { return self.disown(deal.account) };
        self.book(&reverse, factor, &trades, 0, None);
        Ok(amount)
    }

    /// What an account holds of an instrument.
    pub fn position(&self, account: AccountId, instrument: InstrumentId) -> Qty {
        self.pair(account, instrument).map_or(Qty(0), |pair| pair.line.exposure.position)
    }

    /// What an account holds of an instrument, and how much of it open orders may sell.
    pub fn sellable(&self, account: AccountId, instrument: InstrumentId) -> (Qty, Qty) {
        let exposure = self.pair(account, instrument).map(|pair| &pair.line.exposure);
        exposure.map_or((Qty(0), Qty(0)), |exposure| (exposure.position, exposure.working_sell))
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
        if let Some(posting) = self.posting(held, next) {
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
        self.retermed(held, Terms { px, qty }, None)
    }

    /// The venue refused the replace: the old terms stand alone again. Does nothing to an order that is not
    /// open.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a sum does not fit its type; nothing is booked, and the account is halted.
    pub fn replace_rejected(&mut self, held: &mut Reservation) -> Result<(), OutOfRange> {
        self.retermed(held, held.terms, None)
    }

    /// The order ended at the venue, which counted fills up to `total` that have not all come: what may still come stays
    /// reserved, at the dearer terms if a replace was on its way, for the venue may have taken it before; the rest is free.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a sum does not fit its type; nothing is booked, and the account is halted.
    pub fn ending(&mut self, held: &mut Reservation, total: Qty) -> Result<(), OutOfRange> {
        self.retermed(held, Terms { px: held.held_px(), qty: total }, None)
    }

    /// The venue said which terms are in force while a replace to `change` may still be on its way: both are held. The order is
    /// done if neither leaves anything open. Does nothing to an order that is not open.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a sum does not fit its type; nothing is booked, and the account is halted.
    pub fn restated(
        &mut self,
        held: &mut Reservation,
        (px, qty): (Px, Qty),
        change: Option<(Px, Qty)>,
    ) -> Result<(), OutOfRange> {
        let change = change.map(|(px, qty)| Terms { px, qty });
        self.retermed(held, Terms { px, qty }, change)
    }

    /// Fees may be others than when it was reserved: an open order holds what it needs at those in force. One that holds nothing
    /// goes on so.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] as of [`Risk::restated`].
    pub fn reprice(&mut self, held: &mut Reservation) -> Result<(), OutOfRange> {
        let (terms, change) = (held.terms, held.change);
        if held.held_qty.0 > 0 { self.retermed(held, terms, change) } else { Ok(()) }
    }

    /// A position without a mark would not count as exposure.
    fn mark_if_unmarked(&mut self, deal: &Deal) {
        let unmarked = self.listing(deal.instrument).is_some_and(|listing| listing.mark2 == 0);
        if let Some(px2) = twice(deal.px).filter(|_| unmarked) {
            self.set_mark(deal.instrument, px2, [px2; 2]);
        }
    }

    /// What a trade does to position, cash and fees of each account that it counts on, together with what its order frees by
    /// it; its money. `None` on overflow, and if its quantity is not positive: `trades` say nothing then.
    fn booked(
        &self,
        deal: &Deal,
        factor: i64,
        fee: Money,
        frees: Option<Frees<'_>>,
        trades: &mut Trades,
    ) -> Option<Money> {
        let Deal { account, instrument, side, px, qty } = *deal;
        if qty.0 <= 0 {
            return None;
        }
        let amount = money::notional(px, qty, factor)?;
        let currency = self.money_of(instrument);
        for (trade, id) in trades.iter_mut().zip(self.path(account).iter()) {
            let sums = self.account(id)?.sums_in(currency)?;
            let before = &self.pair(id, instrument)?.line;
            if let Some((held, posting)) = frees {
                posting.fits(held.side, before.exposure, sums)?;
            }
            let line = before.traded(side, px, qty, factor)?;
            let cash = match side {
                Side::Buy => sums.cash.minus(amount)?,
                Side::Sell => sums.cash.plus(amount)?,
            };
            *trade = Some(Trade {
                position: line.exposure.position,
                cost: line.cost,
                line_realised: line.realised,
                cash: cash.minus(fee)?,
                realised: sums.realised.plus(line.realised.minus(before.realised)?)?,
                fees: sums.fees.plus(fee)?,
                traded: sums.traded.plus(amount)?,
            });
        }
        Some(amount)
    }

    /// Makes a trade that counts as so many executions, none if it takes another one back, and with it the differences of its
    /// order. Cannot fail.
    fn book(
        &mut self,
        deal: &Deal,
        factor: i64,
        trades: &Trades,
        executions: u64,
        frees: Option<Frees<'_>>,
    ) {
        let Deal { account, instrument, side, px, qty } = *deal;
        let currency = self.money_of(instrument);
        let by = match side {
            Side::Buy => i128::from(qty.0),
            Side::Sell => -i128::from(qty.0),
        };
        for (id, trade) in self.path(account).iter().zip(trades.iter().flatten()) {
            if let Some(&Line { slot, exposure, .. }) = self.pair(id, instrument).map(|p| &p.line) {
                self.lots.trade(slot, exposure.position.0, by, px, factor);
                if executions == 0 {
                    self.lots.forget(slot, NoFifo::Bust);
                }
            }
            let moved = self.recount(id, instrument, |line, account| {
                if let Some((held, posting)) = frees {
                    posting.add_to(held, line, account, currency);
                }
                line.exposure.position = trade.position;
                (line.cost, line.realised) = (trade.cost, trade.line_realised);
                if let Some(sums) = account.sums_in_mut(currency) {
                    (sums.cash, sums.realised, sums.fees) =
                        (trade.cash, trade.realised, trade.fees);
                    if executions > 0 {
                        sums.traded = trade.traded;
                    }
                }
                account.trades += executions;
                account.executions += executions;
            });
            if moved {
                self.note_loss(id); // It is marked in every instrument.
            }
        }
    }

    fn retermed(
        &mut self,
        held: &mut Reservation,
        terms: Terms,
        change: Option<Terms>,
    ) -> Result<(), OutOfRange> {
        if !held.is_open {
            return Ok(());
        }
        let next = Reservation { terms, change, ..*held };
        let pricing = self.pricing(held.account, held.instrument);
        let posting = next.holding(&pricing).and_then(|next| self.posting(held, next));
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

/// What an order holds after a fill; `None` on overflow.
fn filling(held: &Reservation, qty: Qty, pricing: &Pricing) -> Option<Posting> {
    let next = Reservation { filled: Qty(held.filled.0.checked_add(qty.0)?), ..*held };
    Posting::of(held, if held.is_open { next.holding(pricing)? } else { next })
}

#[cfg(test)]
mod tests;
