//! Everything that a check may look at, worked out once for each order.

use model::{AccountId, HaltLevel, Money, Order, Px, Qty, Side, Ts};

use crate::account::{Account, Worth};
use crate::ids::Place;
use crate::ledger::Risk;
use crate::limits::{LossStops, PairLimits};
use crate::line::Exposure;
use crate::listing::{Listing, Marks};
use crate::market::{Market, Moment};
use crate::money;
use crate::own_quotes::NIL;
use crate::path::{AccountChain, ChainEntry};
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
    pub(crate) moment: &'a Moment,
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
    /// Whether the books can count it.
    pub(crate) fits: bool,
    held: &'a Reservation,
    chain: &'a AccountChain<'a>,
    /// What the market marks the instrument at now.
    marks: Marks,
    /// Twice the mid of its book.
    mid2: Option<i64>,
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
    /// Margin that the pair takes if the order passes.
    margin: i128,
    entry: &'a ChainEntry<'a>,
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
    /// Looks at an order from the accounts of its path, a table of their own: what is asked by its place keeps all that it is
    /// part of in memory. `held` is what it holds, or of [`Way::Linked`] the order in whose place it comes.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn new(
        chain: &'a AccountChain<'a>,
        order: &Order,
        held: &'a Reservation,
        way: Way,
        market: &'a Market,
        moment: &'a Moment,
    ) -> View<'a> {
        let is_replace = way == Way::Replace;
        let risk = chain.risk;
        let &ChainEntry { account, pair, limits, .. } = chain.own();
        let listing = risk.listing(order.instrument).unwrap_or(&Listing::UNLISTED);
        let marks = listing.marks_in(market);
        let fee = limits.unwrap_or(&PairLimits::BLOCKED).fee;
        let pricing = Pricing { factor: listing.factor, fee, rule: account.limits.change_rule };
        let next = next(order, held, way, &pricing);
        let fits = |held: &Reservation| {
            next.is_some_and(|next| Posting::new(chain, listing.money, held, next).is_some())
        };
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
                risk.halts.of(order.origin).max(listing.halt).max(chain.halt).max(moment.halt)
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
            own_opposite: own_opposite(risk, order.side, chain.quotes),
            id,
            same_terms,
            opens_lines: chain.missing > 0,
            has_room: usize::from(chain.missing) <= risk.free_slots()
                && (held.quote != NIL || risk.quotes.has_room()),
            fits: match way {
                Way::Linked => fits(&Reservation::closed(order)),
                _ => fits(held),
            },
            held,
            chain,
            is_marked: marks == listing.marks() && held.side == order.side,
            marks,
            mid2: market.mid2(),
        }
    }

    /// The accounts whose limits the order must pass.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn nodes(&self, order: &Order) -> impl Iterator<Item = Node<'a>> {
        self.entries().map(move |entry| self.node(order, entry))
    }

    /// The same, not looked at yet.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &'a ChainEntry<'a>> + use<'a> {
        self.chain.iter()
    }

    /// Looks at one of them.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn node(&self, order: &Order, entry: &'a ChainEntry<'a>) -> Node<'a> {
        let now = self.now;
        let &ChainEntry { id, account, pair, limits: known } = entry;
        let limits = known.unwrap_or(&PairLimits::BLOCKED);
        let exposure = without(&pair.line.exposure, self.held);
        let [passed, worth] = self.worth(order, entry, limits);
        Node {
            id,
            account,
            has_limits: known.is_some(),
            limits,
            exposure,
            worth,
            profit2: account.profit2(&worth),
            margin: passed.margin,
            entry,
            held: self.held.held.notional,
            has_rates: account.pockets.is_empty() || account.has_rates(self.listing.money, now),
            rate_used: account.rate.used(now),
            reference2: self.market.reference2_beside(self.mid2, limits, now),
        }
    }

    /// Whether the pair has no mark.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn lacks_mark(&self) -> bool {
        self.marks.mark2 <= 0
    }

    /// Whether an order takes more margin than its pair does now.
    #[inline(always)] // As gate::each_check: seldom asked, and handed nothing that lies in a register else.
    pub(crate) fn margin_rises(&self, order: &Order, node: &Node<'_>) -> bool {
        let exposure = node.entry.pair.line.exposure;
        let [now, _] = self.risk.worth_anew(node.entry, order.instrument, self.market, exposure);
        node.margin > now.margin
    }

    /// Whether an account of the path has no fresh price to measure from.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn lacks_reference(&self) -> bool {
        for entry in self.entries() {
            let limits = entry.limits.unwrap_or(&PairLimits::BLOCKED);
            if self.market.reference2(limits, self.now).is_none() {
                return true;
            }
        }
        false
    }

    /// What the pair would be worth if the order passed, and with it the account.
    #[inline(always)] // As gate::each_check.
    fn worth(&self, order: &Order, entry: &ChainEntry<'a>, limits: &PairLimits) -> [Worth; 2] {
        let &ChainEntry { account, pair, .. } = entry;
        // A line of nothing is worth nothing at any mark.
        let is_counted =
            pair.turn.seen == self.listing.holders.mark || !pair.line.exposure.is_any();
        let is_own = self.risk.waiting.is_empty() && account.pockets.is_empty();
        if !(self.is_marked && is_counted && is_own) {
            let exposure = self.exposed(order, entry);
            let [line, sums] = self.risk.worth_anew(entry, order.instrument, self.market, exposure);
            return [line, sums];
        }
        // The line is counted at these marks: only the order's side changes.
        let (mut line, mut sums) = (pair.line.worth, account.sums.worth);
        let exposure = self.exposed(order, entry);
        self.marks.rework(order.side, &exposure, limits.margin, &mut line, &mut sums);
        debug_assert_eq!(
            [line, sums],
            self.risk.worth_anew(entry, order.instrument, self.market, exposure)
        );
        [line, sums]
    }

    /// What the pair would have if the order passed.
    #[inline(always)] // As gate::each_check.
    fn exposed(&self, order: &Order, entry: &ChainEntry<'a>) -> Exposure {
        without(&entry.pair.line.exposure, self.held).with(order.side, self.open)
    }

    /// What the books do if the order passes; `None`: overflow. Put together when it did, for what is as large lies in memory
    /// meanwhile.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn posting(&self, order: &Order) -> Option<Posting> {
        let nothing = Reservation::closed(order);
        let next = match self.way {
            Way::New | Way::Trigger => {
                let (is_open, held_qty) = (self.open.0 > 0, self.open);
                Reservation { is_open, held_qty, held: self.needs?, ..nothing }
            }
            Way::Replace => {
                let pricing = self.risk.pricing(order.account, order.instrument);
                self.held.changing(terms_of(order), &pricing)?
            }
            Way::Linked | Way::Parent => Reservation::empty(order),
        };
        Posting::of(if self.way == Way::Linked { &nothing } else { self.held }, next)
    }

    /// Reserved cash of the account if the order passes; `None`: overflow.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn reserved(&self) -> Option<Money> {
        self.account.sums.reserved.minus(self.held.held.cash)?.plus(self.needs?.cash)
    }

    /// Whether an order that only reduces what is held passes in spite of a loss.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn loss_stops(&self, account: &Account, order: &Order) -> bool {
        match account.limits.loss_stops {
            LossStops::All => true,
            LossStops::Increase => i128::from(self.open.0) > self.exposure.reducible(order.side),
        }
    }
}

impl Node<'_> {
    /// What traded in this session and what is open if the order passes.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn day(&self, view: &View<'_>) -> i128 {
        let Some(needs) = view.needs else { return i128::MAX };
        self.account.day(view.listing.money, money::minus(needs.notional.0, self.held.0))
    }
}

#[inline(always)]
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
