//! Everything that a check may look at, worked out once for each order.

use model::{HaltLevel, Money, Order, Qty, Ts};

use crate::account::Account;
use crate::ids::Place;
use crate::ledger::{Pair, Posting, Risk};
use crate::limits::{BLOCKED, PairLimits};
use crate::line::{Exposure, NO_SLOT};
use crate::listing::Listing;
use crate::market::{Market, Moment};
use crate::money;
use crate::reservation::{Reservation, Terms, open_qty};

/// One order before the gate. For a replace, everything counts as if the order to replace held nothing.
pub(crate) struct View<'a> {
    /// Engine time.
    pub(crate) now: Ts,
    /// What is known of the instrument's market.
    pub(crate) market: &'a Market,
    /// What is known of the engine.
    pub(crate) moment: Moment,
    /// Whether the account is configured.
    pub(crate) knows_account: bool,
    /// Who pays; if it is not configured, one without rights and with every limit zero.
    pub(crate) account: &'a Account,
    /// What is traded; nothing of it is configured if it is not listed.
    pub(crate) listing: &'a Listing,
    /// Whether the operator set limits for the pair.
    pub(crate) has_limits: bool,
    /// Those limits; all zero if there are none.
    pub(crate) limits: &'a PairLimits,
    /// The highest of our halts that applies.
    pub(crate) halt: HaltLevel,
    /// What the order to replace holds; `None`: the order is new.
    pub(crate) replaces: Option<&'a Reservation>,
    /// Position and working orders of the pair, this order not among them.
    pub(crate) exposure: Exposure,
    /// Quantity that the order adds to the working ones.
    pub(crate) open: Qty,
    /// Price · total quantity; `None`: overflow.
    pub(crate) notional: Option<Money>,
    /// Reserved cash of the account if the order passes; `None`: overflow.
    pub(crate) reserved: Option<Money>,
    /// Gross exposure of the account if the order passes.
    pub(crate) gross: Money,
    /// New orders and replaces of the account in its window, this one not among them.
    pub(crate) rate_used: u32,
    /// Twice the price that the collar measures from; `None`: no fresh one.
    pub(crate) reference2: Option<i64>,
    /// Where the client order id stands.
    pub(crate) id: Place,
    /// Whether the pair has a place in the list of lines, or there is one left.
    pub(crate) has_slot: bool,
    /// What the books do if the order passes; `None`: overflow.
    pub(crate) posting: Option<Posting>,
}

impl<'a> View<'a> {
    /// Looks at an order that holds `held`: nothing yet, unless it `is_replace`.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn new(
        risk: &'a Risk,
        order: &Order,
        held: &'a Reservation,
        is_replace: bool,
        market: &'a Market,
        moment: Moment,
    ) -> View<'a> {
        let known = risk.account(order.account);
        let account = known.unwrap_or(&risk.nobody);
        let listing = risk.listing(order.instrument).unwrap_or(&Listing::UNLISTED);
        let factor = listing.factor;
        let pair = risk.pair(order.account, order.instrument).unwrap_or(&Pair::EMPTY);
        let line = &pair.line;
        let mut exposure = line.exposure;
        exposure.working(held.side).0 -= held.held_qty.0;
        let open = open_qty(order.qty, held.filled);
        let next = held.asked(order, is_replace, factor);
        let limits = pair.limits.as_ref().unwrap_or(&BLOCKED);
        View {
            now: moment.now,
            market,
            moment,
            knows_account: known.is_some(),
            account,
            listing,
            has_limits: pair.limits.is_some(),
            limits,
            halt: risk.halts.of(order.origin).max(account.halt).max(listing.halt),
            replaces: is_replace.then_some(held),
            exposure,
            open,
            notional: money::notional(order.px, order.qty, factor),
            reserved: reserved(account, order, held, is_replace, next.as_ref(), factor),
            gross: gross(account, listing, line.gross, exposure.with(order.side, open), market),
            rate_used: account.rate.used(moment.now),
            reference2: market.reference2(limits, moment.now),
            id: account.ids.find(order.client_id),
            has_slot: line.slot != NO_SLOT || risk.has_free_slot(),
            posting: next.and_then(|next| Posting::new(account, line.exposure, held, next)),
        }
    }
}

/// Reserved cash of the account if the order passes; `None` on overflow.
fn reserved(
    account: &Account,
    order: &Order,
    held: &Reservation,
    is_replace: bool,
    next: Option<&Reservation>,
    factor: i64,
) -> Option<Money> {
    let needed = if is_replace {
        held.cash_to_change(Terms { px: order.px, qty: order.qty }, factor)?
    } else {
        next?.held_cash
    };
    account.reserved.minus(held.held_cash)?.plus(needed)
}

/// Gross exposure of the account, with `pair_gross` of the pair replaced by `exposure` at the present mark.
fn gross(
    account: &Account,
    listing: &Listing,
    pair_gross: Money,
    exposure: Exposure,
    market: &Market,
) -> Money {
    let mark2 = market.mark2().unwrap_or(listing.mark2);
    let pair = money::exposure(exposure.worst(), mark2, listing.factor);
    Money(account.gross.0 - pair_gross.0 + pair.0)
}
