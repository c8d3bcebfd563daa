//! Everything that a check may look at, worked out once for each order.

use model::{AccountId, HaltLevel, Money, Order, Px, Qty, Side, Ts};

use crate::account::{Account, Worth};
use crate::ids::Place;
use crate::ledger::{Pair, Risk};
use crate::limits::{LossStops, PairLimits};
use crate::line::Exposure;
use crate::listing::{Listing, Marks};
use crate::market::{Market, Moment};
use crate::money;
use crate::own_quotes::NIL;
use crate::path::{Ladder, Rung};
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
    /// Whether an account of the path never traded the instrument.
    pub(crate) opens_lines: bool,
    /// Whether every table of the books that the order needs has room.
    pub(crate) has_room: bool,
    /// What the books do if the order passes; `None`: overflow.
    pub(crate) posting: Option<Posting>,
    held: &'a Reservation,
    ladder: Ladder<'a>,
    /// What the market marks the instrument at now.
    marks: Marks,
    /// Whether lines were counted at these marks, and what the order holds already works on its own side.
    is_marked: bool,
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
        let ladder = Ladder::new(risk, order.account, order.instrument);
        let &Rung { account, pair, limits, .. } = ladder.own();
        let listing = risk.listing(order.instrument).unwrap_or(&Listing::UNLISTED);
        let marks = listing.marks_in(market);
        let fee = limits.unwrap_or(&PairLimits::BLOCKED).fee;
        let pricing = Pricing { factor: listing.factor, fee, rule: account.limits.change_rule };
        let next = next(order, held, way, &pricing);
        let posting = |held: &Reservation| Posting::new(&ladder, listing.money, held, next?);
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
            knows_account: risk.account(order.account).is_some(),
            account,
            listing,
            halt: if moment.stopping {
                HaltLevel::Halted
            } else {
                risk.halts.of(order.origin).max(listing.halt).max(ladder.halt)
            },
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
            own_opposite: own_opposite(risk, order.side, ladder.quotes),
            id,
            same_terms,
            opens_lines: ladder.missing > 0,
            has_room: usize::from(ladder.missing) <= risk.free_slots()
                && (held.quote != NIL || risk.quotes.has_room()),
            posting: match way {
                Way::Linked => posting(&Reservation::closed(order)),
                _ => posting(held),
            },
            held,
            ladder,
            is_marked: marks == listing.marks() && held.side == order.side,
            marks,
        }
    }

    /// The accounts whose limits the order must pass.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn nodes(&self, order: &Order) -> impl Iterator<Item = Node<'a>> {
        let (now, money) = (self.now, self.listing.money);
        self.ladder.iter().map(move |&Rung { id, account, pair, limits: known }| {
            let limits = known.unwrap_or(&PairLimits::BLOCKED);
            let exposure = without(&pair.line.exposure, self.held);
            let passed = self.passed(order, account, pair, limits);
            let worth = if self.risk.waiting.is_empty() {
                account.worth_with(money, pair.line.worth, passed)
            } else {
                self.risk.worth_late(id, money, order.instrument, passed)
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
                    Some(margin) => (self.marks.mark2 > 0).then(|| {
                        let now = pair.line.exposure;
                        let now = self.marks.worth(&now, pair.line.cost, account, Some(margin));
                        passed.margin > now.margin
                    }),
                },
                held: self.held.held.notional,
                has_rates: account.pockets.is_empty() || account.has_rates(money, now),
                rate_used: account.rate.used(now),
                reference2: self.market.reference2(limits, now),
            }
        })
    }

    /// What the pair would be worth if the order passed.
    #[inline(always)] // As gate::each_check.
    fn passed(&self, order: &Order, account: &Account, pair: &Pair, limits: &PairLimits) -> Worth {
        let line = &pair.line;
        let exposure = without(&line.exposure, self.held).with(order.side, self.open);
        if !(self.is_marked && pair.turn.seen == self.listing.holders.mark) {
            return self.marks.worth(&exposure, line.cost, account, limits.margin);
        }
        // The line was counted at these marks: only the order's side changes.
        let mut worth = match order.side {
            Side::Buy => self.marks.with_long(line.worth, &exposure),
            Side::Sell => self.marks.with_short(line.worth, &exposure),
        };
        let margin = limits.margin;
        worth.margin = margin.map_or(0, |margin| margin.required(worth.long2, worth.short2));
        debug_assert_eq!(worth, self.marks.worth(&exposure, line.cost, account, margin));
        worth
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
        Way::Trigger => Reservation::closed(order).holding(pricing),
        Way::Linked | Way::Parent => Some(Reservation::empty(order)),
    }
}

fn terms_of(order: &Order) -> Terms {
    Terms { px: order.px, qty: order.qty }
}

fn own_opposite(risk: &Risk, side: Side, quotes: [u32; 2]) -> Option<Px> {
    let ([buys, sells], against) = (quotes, side.opposite());
    risk.quotes.best(if against == Side::Buy { buys } else { sells }, against)
}
