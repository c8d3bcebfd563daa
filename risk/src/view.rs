//! Everything that a check may look at, worked out once for each order.

use model::{HaltLevel, Money, Order, Qty, Side, Ts};

use crate::account::Account;
use crate::ids::Place;
use crate::ledger::{Posting, Risk};
use crate::limits::{BLOCKED, PairLimits};
use crate::line::{Line, NO_SLOT};
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
    /// Who pays; `None`: not configured.
    pub(crate) account: Option<&'a Account>,
    /// What is traded; `None`: beyond the capacity.
    pub(crate) listing: Option<&'a Listing>,
    /// Whether the operator set limits for the pair.
    pub(crate) has_limits: bool,
    /// Those limits; all zero if there are none.
    pub(crate) limits: &'a PairLimits,
    /// The highest of our halts that applies.
    pub(crate) halt: HaltLevel,
    /// What the order to replace holds; `None`: the order is new.
    pub(crate) replaces: Option<&'a Reservation>,
    /// Position and working orders of the pair, this order not among them.
    pub(crate) line: Line,
    /// Quantity that the order adds to the working ones.
    pub(crate) open: Qty,
    /// Price · total quantity; `None`: overflow.
    pub(crate) notional: Option<Money>,
    /// Reserved cash of the account if the order passes; `None`: overflow.
    pub(crate) reserved: Option<Money>,
    /// Gross exposure of the account if the order passes.
    pub(crate) gross: Money,
    /// Twice the price that the collar measures from; `None`: no fresh one.
    pub(crate) reference2: Option<u64>,
    /// Where the client order id stands.
    pub(crate) id: Place,
    /// Whether the pair has a place in the list of lines, or there is one left.
    pub(crate) has_slot: bool,
    /// What the books do if the order passes; `None`: overflow.
    pub(crate) posting: Option<Posting>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        risk: &'a Risk,
        order: &Order,
        replaces: Option<&'a Reservation>,
        market: &'a Market,
        moment: Moment,
    ) -> View<'a> {
        let account = risk.account(order.account);
        let listing = risk.listing(order.instrument);
        let limits = risk.pair_limits(order.account, order.instrument);
        let (has_limits, limits) = (limits.is_some(), limits.unwrap_or(&BLOCKED));
        let mut line = risk.line(order.account, order.instrument).copied().unwrap_or(Line::EMPTY);
        let has_slot = line.slot != NO_SLOT || risk.slots.len() < risk.capacity.lines as usize;
        if let Some(held) = replaces {
            line.working(held.side).0 -= held.held_qty.0;
        }
        let factor = listing.map_or(0, |listing| listing.factor);
        let candidate = Candidate::new(risk, order, replaces, factor);
        let filled = replaces.map_or(Qty(0), |held| held.filled);
        let open = open_qty(order.qty, filled);
        View {
            now: moment.now,
            market,
            moment,
            account,
            listing,
            has_limits,
            limits,
            halt: risk.effective_halt(order.account, order.instrument),
            replaces,
            line,
            open,
            notional: candidate.notional,
            reserved: candidate.reserved,
            gross: gross_after(account, listing, &line, order, open, market),
            reference2: market.reference2(limits, moment.now),
            id: account.map_or(Place::Full, |account| account.ids.find(order.client_id)),
            has_slot,
            posting: candidate.posting,
        }
    }
}

/// What the order would do to the books; each part `None` on overflow.
struct Candidate {
    notional: Option<Money>,
    reserved: Option<Money>,
    posting: Option<Posting>,
}

impl Candidate {
    fn new(risk: &Risk, order: &Order, replaces: Option<&Reservation>, factor: i64) -> Candidate {
        let terms = Terms { px: order.px, qty: order.qty };
        let closed = Reservation::closed(order);
        let (held, next) = match replaces {
            None => (&closed, closed),
            Some(held) => (held, Reservation { change: Some(terms), ..*held }),
        };
        let next = next.held(factor);
        let needed = match replaces {
            None => next.map(|next| next.held_cash),
            Some(held) => held.cash_to_change(terms, factor),
        };
        let reserved = risk.account(order.account).map_or(Some(Money::ZERO), |account| {
            account.reserved.minus(held.held_cash)?.plus(needed?)
        });
        Candidate {
            notional: money::notional(order.px, order.qty, factor),
            reserved,
            posting: next.and_then(|next| risk.posting(held, next)),
        }
    }
}

/// The account's gross exposure with this pair's part counted anew: `open` more working, at the present mark.
fn gross_after(
    account: Option<&Account>,
    listing: Option<&Listing>,
    line: &Line,
    order: &Order,
    open: Qty,
    market: &Market,
) -> Money {
    let (Some(account), Some(listing)) = (account, listing) else { return Money::ZERO };
    let mark2 = market.mark2().unwrap_or(listing.mark2);
    let worst = match order.side {
        Side::Buy => (line.worst_long() + i128::from(open.0)).max(line.worst_short()),
        Side::Sell => (line.worst_short() + i128::from(open.0)).max(line.worst_long()),
    };
    Money(account.gross.0 - line.gross.0 + money::exposure(worst, mark2, listing.factor).0)
}
