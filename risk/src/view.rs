//! Everything that a check may look at, worked out once for each order.

use model::{AccountId, HaltLevel, Money, Order, Px, Qty, Ts};

use crate::account::{Account, Path, Worth};
use crate::ids::Place;
use crate::ledger::{Pair, Risk};
use crate::limits::{DEPTH_MAX, LossStops, PairLimits};
use crate::line::{Exposure, NO_SLOT};
use crate::listing::Listing;
use crate::market::{Market, Moment};
use crate::money;
use crate::own_quotes::NIL;
use crate::posting::Posting;
use crate::reservation::{Needs, Pricing, Reservation, Terms, open_qty};
use crate::same_terms::Seen;

/// How an order comes to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Asked for now.
    New,
    /// New terms of one that is open.
    Replace,
    /// A stop that passed as it was asked for, and is triggered.
    Trigger,
    /// A stop that takes the place of another order at its trigger.
    Linked,
    /// Never to be sent.
    Parent,
}

/// One order before the gate. For a replace, everything counts as if the order to replace held nothing; for a triggered stop
/// as if it held nothing itself, and for one that takes another's place as if that one held nothing.
pub(crate) struct View<'a> {
    risk: &'a Risk,
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
    /// The highest of our halts that applies.
    pub(crate) halt: HaltLevel,
    /// What the order to replace holds; `None`: the order is new.
    pub(crate) replaces: Option<&'a Reservation>,
    /// How it came here.
    pub(crate) way: Way,
    /// Whether it is one more that is open.
    pub(crate) adds_order: bool,
    /// Position and working orders of the pair, this order not among them.
    pub(crate) exposure: Exposure,
    /// Quantity that the order adds to the working ones.
    pub(crate) open: Qty,
    /// Price · total quantity; `None`: overflow.
    pub(crate) notional: Option<Money>,
    /// What the order must find free; `None`: overflow.
    pub(crate) needs: Option<Needs>,
    /// Best price of the other side among the orders of the same owner.
    pub(crate) own_opposite: Option<Px>,
    /// Where the client order id stands.
    pub(crate) id: Place,
    /// Where the terms stand among those that came before; of a new order.
    pub(crate) same_terms: Seen,
    /// Whether every table of the books that the order needs has room.
    pub(crate) has_room: bool,
    /// What the books do if the order passes; `None`: overflow.
    pub(crate) posting: Option<Posting>,
    held: &'a Reservation,
    path: Path,
}

/// One account of the order's path: its own or one above it.
pub(crate) struct Node<'a> {
    pub(crate) id: AccountId,
    pub(crate) account: &'a Account,
    /// Whether the operator set limits for account and instrument.
    pub(crate) has_limits: bool,
    /// Those limits; all zero if there are none.
    pub(crate) limits: &'a PairLimits,
    /// Position and working orders, this order not among them.
    pub(crate) exposure: Exposure,
    /// Sums of the account if the order passes.
    pub(crate) worth: Worth,
    /// Twice the profit since the start at the present marks.
    pub(crate) profit2: i128,
    /// Whether the order takes more margin than its pair does now; `None`: nobody can say without a mark.
    pub(crate) margin_rises: Option<bool>,
    /// Whether every sum could be changed into the account's currency.
    pub(crate) has_rates: bool,
    /// Money that the order holds already.
    held: Money,
    /// New orders and replaces within the window, this one not among them.
    pub(crate) rate_used: u32,
    /// Twice the price that the collar measures from; `None`: no fresh one.
    pub(crate) reference2: Option<i64>,
}

impl<'a> View<'a> {
    /// Looks at an order. `held` is what it holds, or of [`Way::Linked`] the order in whose place it comes.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn new(
        risk: &'a Risk,
        order: &Order,
        held: &'a Reservation,
        way: Way,
        market: &'a Market,
        moment: Moment,
    ) -> View<'a> {
        let is_replace = way == Way::Replace;
        let known = risk.account(order.account);
        let account = known.unwrap_or(&risk.nobody);
        let path = known.map_or(Path::of(order.account), |account| account.path);
        let listing = risk.listing(order.instrument).unwrap_or(&Listing::UNLISTED);
        let pair = risk.pair(order.account, order.instrument).unwrap_or(&Pair::EMPTY);
        let pricing = risk.pricing(order.account, order.instrument);
        let next = next(order, held, way, &pricing);
        let (same_terms, id) = match way {
            Way::Replace => (Seen::Off, account.ids.find(order.client_id)),
            Way::Trigger => (Seen::Off, Place::Free(usize::MAX)),
            _ => (account.same_terms.find(order, moment.now), account.ids.find(order.client_id)),
        };
        View {
            risk,
            now: moment.now,
            market,
            moment,
            knows_account: known.is_some(),
            account,
            listing,
            halt: risk.halts.of(order.origin).max(listing.halt).max(risk.halt_on(path)),
            replaces: is_replace.then_some(held),
            way,
            adds_order: !(is_replace || way == Way::Trigger && held.is_open),
            exposure: without(&pair.line.exposure, held),
            open: open_qty(order.qty, if is_replace { held.filled } else { Qty(0) }),
            notional: money::notional(order.px, order.qty, pricing.factor),
            needs: match way {
                Way::Replace => held.needs_to_change(terms_of(order), &pricing),
                Way::Linked => Reservation::closed(order).holding(&pricing).map(|alone| alone.held),
                _ => next.map(|next| next.held),
            },
            own_opposite: own_opposite(risk, order, path),
            id,
            same_terms,
            has_room: has_room(risk, order, held, path),
            posting: next.and_then(|next| match way {
                Way::Linked => Posting::new(risk, &Reservation::closed(order), next),
                _ => Posting::new(risk, held, next),
            }),
            held,
            path,
        }
    }

    /// The accounts whose limits the order must pass.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn nodes(&self, order: &Order) -> impl Iterator<Item = Node<'a>> {
        let (risk, market, now, open) = (self.risk, self.market, self.now, self.open);
        let (listing, held) = (self.listing, self.held);
        let (instrument, side) = (order.instrument, order.side);
        self.path.iter().take(DEPTH_MAX).map(move |id| {
            let account = risk.account(id).unwrap_or(&risk.nobody);
            let pair = risk.pair(id, instrument).unwrap_or(&Pair::EMPTY);
            let known = risk.limits(pair);
            let limits = known.unwrap_or(&PairLimits::BLOCKED);
            let line = &pair.line;
            let exposure = without(&line.exposure, held);
            let marked = marked(listing, market);
            let worth_of = |exposure: Exposure| {
                exposure.worth(line.cost, &marked, account.marks_at_exit(), limits.margin)
            };
            let passed = worth_of(exposure.with(side, open));
            let worth = if risk.waiting.is_empty() {
                account.worth_with(listing.money, line.worth, passed)
            } else {
                risk.worth_late(id, listing.money, instrument, passed)
            };
            Node {
                id,
                account,
                has_limits: known.is_some(),
                limits,
                exposure,
                worth,
                profit2: account.profit2(&worth),
                margin_rises: match limits.margin {
                    None => Some(false),
                    Some(_) => {
                        (marked.mark2 > 0).then(|| passed.margin > worth_of(line.exposure).margin)
                    }
                },
                held: held.held.notional,
                has_rates: account.pockets.is_empty() || account.has_rates(listing.money, now),
                rate_used: account.rate.used(now),
                reference2: market.reference2(limits, now),
            }
        })
    }

    /// Reserved cash of the account if the order passes; `None`: overflow.
    pub(crate) fn reserved(&self) -> Option<Money> {
        self.account.sums.reserved.minus(self.held.held.cash)?.plus(self.needs?.cash)
    }

    /// Whether an order that only reduces what is held passes in spite of a loss.
    pub(crate) fn loss_stops(&self, account: &Account, order: &Order) -> bool {
        match account.limits.loss_stops {
            LossStops::All => true,
            LossStops::Increase => i128::from(self.open.0) > self.exposure.reducible(order.side),
        }
    }
}

impl Node<'_> {
    /// What traded in this session and what is open if the order passes.
    pub(crate) fn day(&self, view: &View<'_>) -> i128 {
        let more = view.needs.map(|needs| needs.notional.0.saturating_sub(self.held.0));
        more.map_or(i128::MAX, |more| self.account.day(view.listing.money, more))
    }
}

/// The listing as the market marks it now.
fn marked(listing: &Listing, market: &Market) -> Listing {
    let mark2 = market.mark2().unwrap_or(listing.mark2);
    Listing { mark2, exit2: market.exit2().unwrap_or(listing.exit2), ..*listing }
}

fn without(exposure: &Exposure, held: &Reservation) -> Exposure {
    let mut exposure = *exposure;
    exposure.working(held.side).0 -= held.held_qty.0;
    exposure
}

/// What the order holds if it passes; `None` on overflow.
#[inline(always)] // As gate::each_check.
fn next(order: &Order, held: &Reservation, way: Way, pricing: &Pricing) -> Option<Reservation> {
    match way {
        Way::New => held.holding(pricing),
        Way::Replace => held.changing(terms_of(order), pricing),
        Way::Trigger => {
            Reservation { quote: held.quote, ..Reservation::closed(order) }.holding(pricing)
        }
        Way::Linked | Way::Parent => Some(Reservation::empty(order)),
    }
}

fn terms_of(order: &Order) -> Terms {
    Terms { px: order.px, qty: order.qty }
}

fn own_opposite(risk: &Risk, order: &Order, path: Path) -> Option<Px> {
    let against = order.side.opposite();
    let [buys, sells] = risk.pair(path.owner(), order.instrument)?.quotes;
    risk.quotes.best(if against == model::Side::Buy { buys } else { sells }, against)
}

fn has_room(risk: &Risk, order: &Order, held: &Reservation, path: Path) -> bool {
    let slots = risk.free_slots();
    let lines = path.iter().filter_map(|id| risk.pair(id, order.instrument));
    let missing = lines.filter(|pair| pair.line.slot == NO_SLOT).count();
    missing <= slots && (held.quote != NIL || risk.quotes.has_room())
}
