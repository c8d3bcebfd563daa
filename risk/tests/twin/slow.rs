//! The slow twin: no sums kept, everything counted again from the log of what happened, with big integers.

use std::collections::BTreeSet;

use model::{AccountId, ClientOrderId, InstrumentId, Integrity, Order, Px, Qty, Reject, Side, Ts};
use num_bigint::BigInt;
use risk::{AccountLimits, Market, PairLimits};

/// Price and total quantity.
pub type Terms = (i64, i64);

/// One order that passed, and all that is known of it.
#[derive(Clone, Copy)]
pub struct Passed {
    pub order: Order,
    pub terms: Terms,
    pub change: Option<Terms>,
    pub filled: i64,
    pub is_open: bool,
}

/// One trade.
pub struct Trade {
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub side: Side,
    pub px: i64,
    pub qty: i64,
}

/// The twin.
pub struct Slow {
    pub limits: AccountLimits,
    pub pair: PairLimits,
    pub factors: Vec<i64>,
    pub orders: Vec<Passed>,
    pub trades: Vec<Trade>,
    pub requests: Vec<(AccountId, Ts)>,
    pub ids: BTreeSet<(AccountId, ClientOrderId)>,
    /// Twice the last mark of each instrument.
    pub marks: Vec<i64>,
}

/// What a pair's line must show.
pub struct Pair {
    pub position: i64,
    pub working: [i64; 2],
    pub cost: BigInt,
    pub realised: BigInt,
}

fn sign(side: Side) -> i64 {
    if side == Side::Buy { 1 } else { -1 }
}

impl Passed {
    fn left(&self, terms: Terms) -> i64 {
        (terms.1 - self.filled).max(0)
    }

    /// Quantity that can still fill.
    pub fn open(&self) -> i64 {
        let change = self.change.map_or(0, |change| self.left(change));
        if self.is_open { self.left(self.terms).max(change) } else { 0 }
    }

    /// The order cannot fill any more.
    pub fn end_if(&mut self, ends: bool) {
        if ends {
            (self.is_open, self.change) = (false, None);
        }
    }

    /// Cash of the dearest way in which it can fill, found by trying each number of fills before a pending
    /// change arrives.
    fn cash(&self) -> i64 {
        if !self.is_open || self.order.side == Side::Sell {
            return 0;
        }
        let old = self.left(self.terms);
        let Some(change) = self.change else { return old * self.terms.0 };
        let new = self.left(change);
        let path = |first: i64| first * self.terms.0 + (new - first).max(0) * change.0;
        (0..=old).map(path).max().unwrap()
    }
}

impl Slow {
    fn of(&self, account: AccountId, instrument: InstrumentId) -> impl Iterator<Item = &Passed> {
        self.orders
            .iter()
            .filter(move |o| (o.order.account, o.order.instrument) == (account, instrument))
    }

    fn factor(&self, instrument: InstrumentId) -> BigInt {
        BigInt::from(self.factors[instrument.0 as usize])
    }

    /// Replays every trade of the pair.
    pub fn pair(&self, account: AccountId, instrument: InstrumentId) -> Pair {
        let (mut position, mut cost, mut realised) = (0_i64, BigInt::ZERO, BigInt::ZERO);
        for trade in &self.trades {
            if (trade.account, trade.instrument) != (account, instrument) {
                continue;
            }
            // One unit at a time would floor differently: a trade closes in one go, then opens with the rest.
            let sign = sign(trade.side);
            let closed = if position * sign < 0 { trade.qty.min(position.abs()) } else { 0 };
            let amount = |qty: i64| self.factor(instrument) * trade.px * qty * sign;
            if closed > 0 {
                let released = floor_div(&cost * closed, position.abs());
                cost -= &released;
                realised -= amount(closed) + released;
            }
            cost += amount(trade.qty - closed);
            position += sign * trade.qty;
        }
        let working = [Side::Buy, Side::Sell].map(|side| {
            self.of(account, instrument).filter(|o| o.order.side == side).map(Passed::open).sum()
        });
        Pair { position, working, cost, realised }
    }

    pub fn cash(&self, account: AccountId) -> BigInt {
        let trades = self.trades.iter().filter(|trade| trade.account == account);
        let spent = |t: &Trade| self.factor(t.instrument) * t.px * t.qty * sign(t.side);
        BigInt::from(self.limits.cash.0) - trades.map(spent).sum::<BigInt>()
    }

    pub fn reserved(&self, account: AccountId) -> BigInt {
        let orders = self.orders.iter().filter(|o| o.order.account == account);
        orders.map(|o| self.factor(o.order.instrument) * o.cash()).sum()
    }

    pub fn open_orders(&self, account: AccountId) -> u32 {
        self.orders.iter().filter(|o| o.order.account == account && o.is_open).count() as u32
    }

    pub fn requests_in_window(&self, account: AccountId, now: Ts) -> u32 {
        let window = self.limits.rate_window_ns;
        self.requests.iter().filter(|(a, at)| *a == account && now.0 - at.0 < window).count() as u32
    }

    /// The largest absolute position over all subsets of fills, each subset looked at.
    pub fn worst(&self, account: AccountId, instrument: InstrumentId) -> i64 {
        let ends = self.ends(account, instrument, None, None);
        ends.iter().map(|end| end.abs()).max().unwrap()
    }

    /// Every position that a subset of fills leads to, one order left out and one more quantity put in.
    fn ends(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        without: Option<usize>,
        with: Option<i64>,
    ) -> BTreeSet<i64> {
        let mut ends = BTreeSet::from([self.pair(account, instrument).position]);
        let mut steps: Vec<i64> = with.into_iter().collect();
        for (number, order) in self.orders.iter().enumerate() {
            let same = (order.order.account, order.order.instrument) == (account, instrument);
            if same && without != Some(number) {
                steps.push(sign(order.order.side) * order.open());
            }
        }
        for step in steps {
            ends = ends.iter().flat_map(|end| [*end, end + step]).collect();
        }
        ends
    }

    fn exposure(&self, worst: i64, instrument: InstrumentId) -> BigInt {
        let twice = self.factor(instrument) * worst * self.marks[instrument.0 as usize];
        (twice + 1_u32) >> 1
    }

    pub fn gross(&self, account: AccountId) -> BigInt {
        let numbers = 0..self.factors.len() as u32;
        numbers.map(InstrumentId).map(|i| self.exposure(self.worst(account, i), i)).sum()
    }

    /// Every check that must refuse the order; `replaces` is the number of the order that it is to replace.
    pub fn refusals(
        &self,
        order: &Order,
        replaces: Option<usize>,
        market: &Market,
        now: Ts,
    ) -> Vec<Reject> {
        use Reject::*;
        let &Order { account, instrument, side, px: Px(px), qty: Qty(qty), .. } = order;
        let (limits, pair) = (&self.limits, &self.pair);
        let old = replaces.map(|number| &self.orders[number]);
        let open = (qty - old.map_or(0, |old| old.filled)).max(0);
        let live = market.integrity == Integrity::Live;
        let age = now.since(market.updated).min(now.since(market.channel_updated));
        let notional = self.factor(instrument) * px * qty;
        let mut failed = Vec::new();
        let mut fails = |code, condition: bool| {
            if condition {
                failed.push(code);
            }
        };
        fails(BookNotLive, !live);
        fails(Stale, age > pair.age_max_ns);
        fails(PxStep, px <= 0);
        fails(Lot, qty <= 0);
        fails(Clip, qty > pair.clip_max.0);
        fails(Notional, notional > BigInt::from(pair.notional_max.0));
        let last = market.last.filter(|last| now.since(last.at) <= pair.age_max_ns);
        let reference2 = match (market.bid, market.ask) {
            (Some(bid), Some(ask)) if live && age <= pair.age_max_ns => Some(bid.0 + ask.0),
            _ => last.map(|last| last.px.0 * 2),
        };
        fails(NoReference, reference2.is_none());
        let through =
            reference2.map_or(0, |reference2| sign(side) * (2 * px - reference2) * 10_000);
        fails(Collar, through > reference2.unwrap_or(0) * i64::from(pair.band_bps));
        let ends = self.ends(account, instrument, replaces, Some(sign(side) * open));
        let (long, short) = (*ends.last().unwrap(), -*ends.first().unwrap());
        fails(
            Position,
            if side == Side::Buy { long > pair.long_max.0 } else { short > pair.short_max.0 },
        );
        let gross = self.gross(account)
            - self.exposure(self.worst(account, instrument), instrument)
            + self.exposure(long.max(short), instrument);
        fails(Gross, gross > BigInt::from(limits.gross_max.0));
        let added = u32::from(replaces.is_none());
        fails(OpenOrders, self.open_orders(account) + added > limits.open_orders_max);
        fails(Rate, self.requests_in_window(account, now) >= limits.rate_max);
        fails(DuplicateId, self.ids.contains(&(account, order.client_id)));
        let held = old.map_or(0, Passed::cash);
        let changed = |old: &Passed| {
            let both = Passed { change: Some((px, qty)), is_open: true, ..*old };
            if open > old.left(old.terms) { both.cash() } else { open * px }
        };
        let needed = old.map_or(open * px, changed) - held;
        let reserved = self.reserved(account) + self.factor(instrument) * needed;
        fails(Cash, side == Side::Buy && reserved > self.cash(account));
        fails(NotOpen, old.is_some_and(|old| !old.is_open));
        fails(ChangePending, old.is_some_and(|old| old.change.is_some()));
        fails(BelowFilled, old.is_some_and(|old| qty <= old.filled));
        failed
    }
}

fn floor_div(total: BigInt, by: i64) -> BigInt {
    let (quotient, rest) = (&total / by, &total % by);
    if rest < BigInt::ZERO { quotient - 1 } else { quotient }
}
