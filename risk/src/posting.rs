//! What changes in the books when an order holds something else than before, and how it is changed.

use model::{Currency, Side};

use crate::account::Account;
use crate::ledger::Risk;
use crate::line::{Exposure, Line};
use crate::own_quotes::NIL;
use crate::path::AccountChain;
use crate::rates::Sums;
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
    /// What it takes to hold `next` instead of `held` on the accounts of a chain, in money of `currency`; `None` on
    /// overflow of any sum, or if an account does not count in that currency.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn new(
        chain: &AccountChain<'_>,
        currency: Currency,
        held: &Reservation,
        next: Reservation,
    ) -> Option<Posting> {
        let posting = Posting::of(held, next)?;
        for entry in chain.iter() {
            let sums = entry.account.sums_in(currency)?;
            posting.fits(held.side, entry.pair.line.exposure, sums)?;
        }
        Some(posting)
    }

    /// The differences alone; `None` if one overflows.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn of(held: &Reservation, next: Reservation) -> Option<Posting> {
        Some(Posting {
            next,
            qty: next.held_qty.0.checked_sub(held.held_qty.0)?,
            cash: next.held.cash.minus(held.held.cash)?.0,
            working: next.held.notional.minus(held.held.notional)?.0,
        })
    }

    /// Whether one account and its line can take the differences of an order of `side`; `None`: a sum would overflow.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn fits(&self, side: Side, mut exposure: Exposure, sums: &Sums) -> Option<()> {
        exposure.working(side).0.checked_add(self.qty)?;
        sums.reserved.0.checked_add(self.cash)?;
        sums.working.0.checked_add(self.working)?;
        Some(())
    }

    /// Makes the differences to one account and its line. Cannot fail, for they fit.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn add_to(
        &self,
        held: &Reservation,
        line: &mut Line,
        account: &mut Account,
        currency: Currency,
    ) {
        line.exposure.working(held.side).0 += self.qty;
        if let Some(sums) = account.sums_in_mut(currency) {
            sums.reserved.0 += self.cash;
            sums.working.0 += self.working;
        }
        let (opens, closes) = (u32::from(self.next.is_open), u32::from(held.is_open));
        account.open_orders = (account.open_orders + opens).saturating_sub(closes);
    }
}

impl Risk {
    /// What it takes to hold `next` instead of `held`; `None` as of [`Posting::new`].
    pub(crate) fn posting(&self, held: &Reservation, next: Reservation) -> Option<Posting> {
        let chain = AccountChain::new(self, held.account, held.instrument);
        Posting::new(&chain, self.money_of(held.instrument), held, next)
    }

    /// Lets the order hold what it will hold. Cannot fail.
    pub(crate) fn post(&mut self, held: &mut Reservation, posting: Posting) {
        *held = self.hold(held, posting);
    }

    /// The same; what it holds then.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn hold(&mut self, held: &Reservation, posting: Posting) -> Reservation {
        let currency = self.money_of(held.instrument);
        for id in self.path(held.account).iter() {
            self.change(id, held.instrument, |line, account| {
                posting.add_to(held, line, account, currency);
            });
        }
        let quote = self.requote(held, &posting.next);
        Reservation { quote, ..posting.next }
    }

    /// Moves the order to its new price among those of its owner; its place there.
    pub(crate) fn requote(&mut self, held: &Reservation, next: &Reservation) -> u32 {
        let rule = self.account(held.account).unwrap_or(&self.nobody).limits.change_rule;
        let (old, new) = (held.quoted_px(rule), next.quoted_px(rule));
        let is_quoted = next.is_open && !next.is_held;
        if held.quote != NIL && is_quoted && old == new {
            return held.quote;
        }
        let owner = self.path(held.account).owner();
        let place = self.place(owner, held.instrument);
        let Some(pair) = self.pairs.get_mut(place) else { return NIL };
        let [buys, sells] = &mut pair.quotes;
        let top = if held.side == Side::Buy { buys } else { sells };
        if held.quote != NIL {
            self.quotes.remove(top, held.quote);
        }
        if is_quoted { self.quotes.insert(top, held.side, new) } else { NIL }
    }
}
