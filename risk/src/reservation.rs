//! What an open order holds of its account's limits until it fills or ends.

use model::{AccountId, InstrumentId, Money, Order, Px, Qty, Side};

use crate::fee::Fee;
use crate::limits::ChangeRule;
use crate::money;
use crate::own_quotes::NIL;

/// Price and total quantity of an order, filled part included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Terms {
    pub(crate) px: Px,
    pub(crate) qty: Qty,
}

/// How the orders of a pair turn into money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pricing {
    pub(crate) factor: i64,
    pub(crate) fee: Fee,
    pub(crate) rule: ChangeRule,
}

/// Money that an order needs at worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Needs {
    /// Price · quantity, whatever the side.
    pub(crate) notional: Money,
    /// Cash: of a buy that, with its fee; of a sell nothing.
    pub(crate) cash: Money,
}

/// What an order holds. The engine keeps it beside the order and hands it back with every report on that
/// order.
///
/// While a replace is on its way the order lives at the venue under its old terms or its new ones, nobody
/// knows which. It holds the larger open quantity of the two, and the money that [`ChangeRule`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reservation {
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    /// Whether the order can still fill.
    pub(crate) is_open: bool,
    /// Whether it waits in the engine, so that it meets nobody.
    pub(crate) is_held: bool,
    /// Terms in force at the venue.
    pub(crate) terms: Terms,
    /// Terms of a replace on its way.
    pub(crate) change: Option<Terms>,
    /// Quantity filled so far.
    pub(crate) filled: Qty,
    /// Held in the working quantity of the line.
    pub(crate) held_qty: Qty,
    /// Held in the sums of the account.
    pub(crate) held: Needs,
    /// Its place among the prices of its owner.
    pub(crate) quote: u32,
}

impl Reservation {
    /// The reservation of an order that holds nothing yet.
    pub(crate) fn closed(order: &Order) -> Reservation {
        Reservation {
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            is_open: false,
            is_held: order.is_held(),
            terms: Terms { px: order.px, qty: order.qty },
            change: None,
            filled: Qty(0),
            held_qty: Qty(0),
            held: Needs::default(),
            quote: NIL,
        }
    }

    /// Quantity filled so far, in quantity units.
    pub fn filled(&self) -> Qty {
        self.filled
    }

    /// Quantity that can still fill, in quantity units: the larger one of old and new terms while a replace
    /// is on its way.
    pub fn open(&self) -> Qty {
        self.held_qty
    }

    /// Whether the order can still fill.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Limit price and total quantity in force at the venue, as far as it has said.
    pub fn terms(&self) -> (Px, Qty) {
        (self.terms.px, self.terms.qty)
    }

    /// The price that it holds money at: the dearer one while a replace is on its way.
    pub fn held_px(&self) -> Px {
        self.change.map_or(self.terms.px, |change| self.terms.px.max(change.px))
    }

    /// Cash that it holds, in its account's currency.
    pub fn held_cash(&self) -> Money {
        self.held.cash
    }

    /// The reservation that holds what its terms need, open iff something is left to fill. `None` on
    /// overflow.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn holding(self, pricing: &Pricing) -> Option<Reservation> {
        if let Some(change) = self.change {
            return self.holding_both(change, pricing);
        }
        let held_qty = open_qty(self.terms.qty, self.filled);
        let held = self.needs(self.terms.px, held_qty, pricing)?;
        Some(Reservation { is_open: held_qty.0 > 0, held_qty, held, ..self })
    }

    fn holding_both(mut self, change: Terms, pricing: &Pricing) -> Option<Reservation> {
        let now = open_qty(self.terms.qty, self.filled);
        let then = open_qty(change.qty, self.filled);
        self.held_qty = now.max(then);
        self.is_open = self.held_qty.0 > 0;
        self.held = match pricing.rule {
            ChangeRule::Worst => {
                let dearest = self.one_after_the_other(change, pricing)?;
                dearest.max(self.needs(change.px, then, pricing)?)
            }
            ChangeRule::Plain => self.needs(self.held_px(), self.held_qty, pricing)?,
        };
        self.change = self.change.filter(|_| self.is_open);
        Some(self)
    }

    /// The reservation of an order that is open and holds nothing: another one holds for it, or it is never sent.
    pub(crate) fn empty(order: &Order) -> Reservation {
        Reservation { is_open: true, ..Reservation::closed(order) }
    }

    /// What it holds once `change` is on its way as well. `None` on overflow.
    pub(crate) fn changing(&self, change: Terms, pricing: &Pricing) -> Option<Reservation> {
        Reservation { change: Some(change), ..*self }.holding(pricing)
    }

    /// What `change` must find free for the order to hold it. Under [`ChangeRule::Worst`] all that it holds
    /// until the venue has answered if the quantity grows; else that of the new terms alone, so that a limit
    /// already exceeded never forbids asking for less.
    pub(crate) fn needs_to_change(&self, change: Terms, pricing: &Pricing) -> Option<Needs> {
        let now = open_qty(self.terms.qty, self.filled);
        let then = open_qty(change.qty, self.filled);
        let alone = self.needs(change.px, then, pricing)?;
        if then <= now || pricing.rule == ChangeRule::Plain {
            return Some(alone);
        }
        Some(alone.max(self.one_after_the_other(change, pricing)?))
    }

    /// The price at which it can meet orders of its own side's opposite: what counts against self-trades.
    pub(crate) fn quoted_px(&self, rule: ChangeRule) -> Px {
        match (self.change, rule, self.side) {
            (Some(change), ChangeRule::Worst, Side::Buy) => self.terms.px.max(change.px),
            (Some(change), ChangeRule::Worst, Side::Sell) => self.terms.px.min(change.px),
            _ => self.terms.px,
        }
    }

    /// The old terms fill before the replace arrives, and what the new ones add to them fills afterwards.
    fn one_after_the_other(&self, change: Terms, pricing: &Pricing) -> Option<Needs> {
        let now = open_qty(self.terms.qty, self.filled);
        let then = open_qty(change.qty, self.filled);
        let first = self.needs(self.terms.px, now, pricing)?;
        first.plus(self.needs(change.px, open_qty(then, now), pricing)?)
    }

    #[inline(always)]
    fn needs(&self, px: Px, qty: Qty, pricing: &Pricing) -> Option<Needs> {
        let notional = money::notional(px, qty, pricing.factor)?;
        let cash = match self.side {
            Side::Sell => Money::ZERO,
            Side::Buy => notional.plus(pricing.fee.at_worst(px, qty)?)?,
        };
        Some(Needs { notional, cash })
    }
}

impl Needs {
    fn max(self, other: Needs) -> Needs {
        Needs { notional: self.notional.max(other.notional), cash: self.cash.max(other.cash) }
    }

    fn plus(self, other: Needs) -> Option<Needs> {
        let notional = self.notional.plus(other.notional)?;
        Some(Needs { notional, cash: self.cash.plus(other.cash)? })
    }
}

/// What is left of `total` after `filled`; never negative.
pub(crate) fn open_qty(total: Qty, filled: Qty) -> Qty {
    Qty(total.0.saturating_sub(filled.0).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what a pending replace holds covers every order of events, and it needs that if it grows, else what the new terms
    /// alone do. Method: all splits of fills before and after the venue takes the new terms, for small terms, against the cash.
    #[test]
    fn pending_replace_covers_every_path() {
        for (now, px, then, new_px) in (0..6_u32.pow(4)).map(digits) {
            let closed = Reservation {
                account: AccountId(0),
                instrument: InstrumentId(0),
                side: Side::Buy,
                is_open: false,
                is_held: false,
                terms: Terms { px: Px(px), qty: Qty(now) },
                change: Some(Terms { px: Px(new_px), qty: Qty(then) }),
                filled: Qty(0),
                held_qty: Qty(0),
                held: Needs::default(),
                quote: NIL,
            };
            let pricing = |rule| Pricing { factor: 1, fee: Fee::NONE, rule };
            let held = closed.holding(&pricing(ChangeRule::Worst)).unwrap();
            let paths = (0..=now).map(|first| first * px + (then - first).max(0) * new_px);
            assert_eq!(held.held.cash, Money(paths.max().unwrap().into()), "{closed:?}");
            assert_eq!(held.held_qty, Qty(now.max(then)));
            let plain = closed.holding(&pricing(ChangeRule::Plain)).unwrap();
            assert!(plain.held.cash >= held.held.cash && plain.held_qty == held.held_qty);
            let change = Terms { px: Px(new_px), qty: Qty(then) };
            let needs = |rule| closed.needs_to_change(change, &pricing(rule)).unwrap().cash;
            let alone = Money((then * new_px).into());
            assert_eq!(needs(ChangeRule::Plain), alone);
            let worst = if then > now { held.held.cash } else { alone };
            assert_eq!(needs(ChangeRule::Worst), worst);
        }
    }

    fn digits(number: u32) -> (i64, i64, i64, i64) {
        let digit = |place: u32| i64::from(number / 6_u32.pow(place) % 6);
        (digit(0), digit(1), digit(2), digit(3))
    }
}
