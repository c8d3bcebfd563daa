//! What an open order holds of its account's limits until it fills or ends.

use model::{AccountId, InstrumentId, Money, Order, Px, Qty, Side};

use crate::money;

/// Price and total quantity of an order, filled part included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) px: Px,
    pub(crate) qty: Qty,
}

/// What an order holds. The engine keeps it beside the order and hands it back with every report on that
/// order.
///
/// While a replace is on its way the order lives at the venue under its old terms or its new ones, nobody
/// knows which. It holds the larger open quantity of the two, and the cash of the dearest way in which both
/// can fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    /// Whether the order can still fill.
    pub(crate) is_open: bool,
    /// Terms in force at the venue.
    pub(crate) terms: Terms,
    /// Terms of a replace on its way.
    pub(crate) change: Option<Terms>,
    /// Quantity filled so far.
    pub(crate) filled: Qty,
    /// Held in the working quantity of the line.
    pub(crate) held_qty: Qty,
    /// Held in the reserved cash of the account.
    pub(crate) held_cash: Money,
}

impl Reservation {
    /// The reservation of an order that holds nothing yet.
    pub(crate) fn closed(order: &Order) -> Reservation {
        Reservation {
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            is_open: false,
            terms: Terms { px: order.px, qty: order.qty },
            change: None,
            filled: Qty(0),
            held_qty: Qty(0),
            held_cash: Money::ZERO,
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

    /// The reservation that holds what its terms need, open iff something is left to fill. `None` on
    /// overflow.
    pub(crate) fn held(mut self, factor: i64) -> Option<Reservation> {
        let now = open_qty(self.terms.qty, self.filled);
        let then = self.change.map_or(Qty(0), |change| open_qty(change.qty, self.filled));
        self.held_qty = now.max(then);
        self.is_open = self.held_qty.0 > 0;
        self.held_cash = match (self.side, self.change) {
            (Side::Sell, _) => Money::ZERO,
            (Side::Buy, None) => money::notional(self.terms.px, now, factor)?,
            (Side::Buy, Some(change)) => {
                let dearest = cash_at_worst(self.terms.px, now, change.px, then, factor)?;
                dearest.max(money::notional(change.px, then, factor)?)
            }
        };
        self.change = self.change.filter(|_| self.is_open);
        Some(self)
    }

    /// The reservation that the order asks for: its own if it is new, that of old and new terms if it is a
    /// replace. `None` on overflow.
    pub(crate) fn asked(
        &self,
        order: &Order,
        is_replace: bool,
        factor: i64,
    ) -> Option<Reservation> {
        let terms = Terms { px: order.px, qty: order.qty };
        Reservation { change: is_replace.then_some(terms), ..*self }.held(factor)
    }

    /// Cash that `change` must find free for the order to hold it: all that it holds until the venue has
    /// answered if the quantity grows; else that of the new terms alone, so that a limit already exceeded
    /// never forbids asking for less.
    pub(crate) fn cash_to_change(&self, change: Terms, factor: i64) -> Option<Money> {
        if self.side == Side::Sell {
            return Some(Money::ZERO);
        }
        let now = open_qty(self.terms.qty, self.filled);
        let then = open_qty(change.qty, self.filled);
        let alone = money::notional(change.px, then, factor)?;
        if then <= now {
            return Some(alone);
        }
        Some(alone.max(cash_at_worst(self.terms.px, now, change.px, then, factor)?))
    }
}

/// Cash when the old terms fill before the replace arrives, and what the new ones add to them fills
/// afterwards.
fn cash_at_worst(px: Px, now: Qty, new_px: Px, then: Qty, factor: i64) -> Option<Money> {
    let first = money::notional(px, now, factor)?;
    first.plus(money::notional(new_px, open_qty(then, now), factor)?)
}

/// What is left of `total` after `filled`; never negative.
pub(crate) fn open_qty(total: Qty, filled: Qty) -> Qty {
    Qty(total.0.saturating_sub(filled.0).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what a pending replace holds covers every order of events. Method: all splits of fills before
    /// and after the venue takes the new terms, for small terms, against the cash held.
    #[test]
    fn pending_replace_covers_every_path() {
        for (now, px, then, new_px) in (0..6_u32.pow(4)).map(digits) {
            let closed = Reservation {
                account: AccountId(0),
                instrument: InstrumentId(0),
                side: Side::Buy,
                is_open: false,
                terms: Terms { px: Px(px), qty: Qty(now) },
                change: Some(Terms { px: Px(new_px), qty: Qty(then) }),
                filled: Qty(0),
                held_qty: Qty(0),
                held_cash: Money::ZERO,
            };
            let held = closed.held(1).unwrap();
            let paths = (0..=now).map(|first| first * px + (then - first).max(0) * new_px);
            assert_eq!(held.held_cash, Money(paths.max().unwrap().into()), "{closed:?}");
            assert_eq!(held.held_qty, Qty(now.max(then)));
        }
    }

    fn digits(number: u32) -> (i64, i64, i64, i64) {
        let digit = |place: u32| i64::from(number / 6_u32.pow(place) % 6);
        (digit(0), digit(1), digit(2), digit(3))
    }
}
