//! The slow twin: no sums kept, everything counted again from the log of what happened, with big integers.

use std::collections::{BTreeSet, VecDeque};

use model::{AccountId, ClientOrderId, InstrumentId, Integrity, Order, Px, Qty, Reject, Side, Ts};
use num_bigint::BigInt;
use risk::{AccountLimits, Market, PairLimits};

/// Account, instrument, side, price, quantity.
pub type Economics = (AccountId, InstrumentId, Side, i64, i64);
/// Price and total quantity.
pub type Terms = (i64, i64);

/// One order that passed, and all that is known of it.
#[derive(Clone, Copy)]
pub struct Passed {
    /// What the fee is of what trades: nothing is rounded.
    pub fee_times: i64,
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

/// Whether what `account` does counts on `node`: its own and, on the first account, that of all.
fn counts_on(node: AccountId, account: AccountId) -> bool {
    node == account || node == AccountId(0)
}

/// The twin.
pub struct Slow {
    pub fee_times: i64,
    /// Trades before the session began.
    pub session: usize,
    /// Twice the profit of each account when it began, and its highest.
    pub bases: Vec<BigInt>,
    pub peaks: Vec<BigInt>,
    /// Every new order, and when it came.
    pub seen: Vec<(Economics, Ts)>,
    /// Twice the prices at which a long and a short position could be closed.
    pub exits: Vec<[i64; 2]>,
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

    /// Cash of the dearest way in which it can fill.
    fn cash(&self) -> i64 {
        if self.order.side == Side::Sell { 0 } else { self.notional() * (1 + self.fee_times) }
    }

    /// Price nearest to the other side.
    fn quoted(&self) -> i64 {
        let change = self.change.map_or(self.terms.0, |change| change.0);
        if self.order.side == Side::Buy {
            self.terms.0.max(change)
        } else {
            self.terms.0.min(change)
        }
    }

    /// Price · quantity of the dearest way in which it can fill, found by trying each number of fills before a
    /// pending change arrives.
    fn notional(&self) -> i64 {
        if !self.is_open {
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
        self.orders.iter().filter(move |o| {
            counts_on(account, o.order.account) && o.order.instrument == instrument
        })
    }

    fn orders_of(&self, account: AccountId) -> impl Iterator<Item = &Passed> {
        self.orders.iter().filter(move |o| counts_on(account, o.order.account))
    }

    fn trades_of(&self, account: AccountId) -> impl Iterator<Item = &Trade> {
        self.trades.iter().filter(move |trade| counts_on(account, trade.account))
    }

    fn amount(&self, trade: &Trade) -> BigInt {
        self.factor(trade.instrument) * trade.px * trade.qty
    }

    pub fn fees(&self, account: AccountId) -> BigInt {
        self.trades_of(account).map(|trade| self.amount(trade) * self.fee_times).sum()
    }

    /// What traded in this session.
    pub fn traded(&self, account: AccountId) -> BigInt {
        let late = self.trades.iter().skip(self.session);
        late.filter(|t| counts_on(account, t.account)).map(|trade| self.amount(trade)).sum()
    }

    /// Twice what the positions would gain if they were closed.
    pub fn unrealised2(&self, account: AccountId) -> BigInt {
        let numbers = 0..self.factors.len() as u32;
        let of = |instrument: InstrumentId| {
            let pair = self.pair(account, instrument);
            let exit2 = self.exits[instrument.0 as usize][usize::from(pair.position < 0)];
            self.factor(instrument) * pair.position * exit2 - pair.cost * 2
        };
        numbers.map(InstrumentId).map(of).sum()
    }

    /// Twice the profit since the start.
    pub fn profit2(&self, account: AccountId) -> BigInt {
        let numbers = 0..self.factors.len() as u32;
        let realised =
            numbers.map(|n| self.pair(account, InstrumentId(n)).realised).sum::<BigInt>();
        (realised - self.fees(account)) * 2 + self.unrealised2(account)
    }

    pub fn begin_session(&mut self) {
        self.session = self.trades.len();
        self.bases = (0..self.bases.len() as u16).map(|n| self.profit2(AccountId(n))).collect();
    }

    pub fn note_peaks(&mut self) {
        for number in 0..self.peaks.len() {
            let profit2 = self.profit2(AccountId(number as u16));
            self.peaks[number] = profit2.max(self.peaks[number].clone());
        }
    }

    fn factor(&self, instrument: InstrumentId) -> BigInt {
        BigInt::from(self.factors[instrument.0 as usize])
    }

    /// Replays every trade of the pair.
    pub fn pair(&self, account: AccountId, instrument: InstrumentId) -> Pair {
        let (mut position, mut cost, mut realised) = (0_i64, BigInt::ZERO, BigInt::ZERO);
        for trade in self.trades_of(account).filter(|trade| trade.instrument == instrument) {
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
        let spent = |trade: &Trade| self.amount(trade) * sign(trade.side);
        let flow = self.trades_of(account).map(spent).sum::<BigInt>();
        BigInt::from(self.limits.cash.0) - flow - self.fees(account)
    }

    pub fn reserved(&self, account: AccountId) -> BigInt {
        self.orders_of(account).map(|o| self.factor(o.order.instrument) * o.cash()).sum()
    }

    pub fn open_orders(&self, account: AccountId) -> u32 {
        self.orders_of(account).filter(|o| o.is_open).count() as u32
    }

    pub fn requests_in_window(&self, account: AccountId, now: Ts) -> u32 {
        let window = self.limits.rate_window_ns;
        let within = |(of, at): &&(AccountId, Ts)| counts_on(account, *of) && now.0 - at.0 < window;
        self.requests.iter().filter(within).count() as u32
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
            let same = counts_on(account, order.order.account);
            if same && order.order.instrument == instrument && without != Some(number) {
                steps.push(sign(order.order.side) * order.open());
            }
        }
        for step in steps {
            ends = ends.iter().flat_map(|end| [*end, end + step]).collect();
        }
        ends
    }

    fn exposure2(&self, position: i64, instrument: InstrumentId) -> BigInt {
        self.factor(instrument) * position * self.marks[instrument.0 as usize]
    }

    /// Twice the gross and the net exposure over every subset of fills, one order left out and one more
    /// quantity put in.
    fn worst2(
        &self,
        account: AccountId,
        without: Option<usize>,
        with: Option<(InstrumentId, i64)>,
    ) -> (BigInt, BigInt) {
        let (mut gross2, mut long2, mut short2) = (BigInt::ZERO, BigInt::ZERO, BigInt::ZERO);
        for instrument in (0..self.factors.len() as u32).map(InstrumentId) {
            let with = with.filter(|with| with.0 == instrument).map(|with| with.1);
            let ends = self.ends(account, instrument, without, with);
            let worth2: Vec<BigInt> =
                ends.iter().map(|end| self.exposure2(*end, instrument)).collect();
            gross2 += worth2
                .iter()
                .map(|w| if *w < BigInt::ZERO { -w } else { w.clone() })
                .max()
                .unwrap();
            long2 += worth2.iter().max().unwrap();
            short2 -= worth2.iter().min().unwrap();
        }
        (gross2, long2.max(short2))
    }

    /// What the worst cases of an instrument take, in basis points and doubled, one order left out and one more quantity put
    /// in.
    fn takes(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        without: Option<usize>,
        with: Option<i64>,
    ) -> BigInt {
        let margin = self.pair.margin.unwrap();
        let ends = self.ends(account, instrument, without, with);
        let takes = |end: &i64| {
            let bps = if *end > 0 { margin.long_bps } else { margin.short_bps };
            self.exposure2(end.abs(), instrument) * bps
        };
        ends.iter().map(takes).max().unwrap()
    }

    pub fn margin(&self, account: AccountId) -> BigInt {
        let all = (0..self.factors.len() as u32).map(InstrumentId);
        let sum: BigInt = all.map(|instrument| self.takes(account, instrument, None, None)).sum();
        (sum + 19_999_u32) / 20_000_u32
    }

    /// Realised profit of a pair if the oldest unit is always closed first, unit by unit.
    pub fn realised_fifo(&self, account: AccountId, instrument: InstrumentId) -> BigInt {
        let (mut open, mut realised) = (VecDeque::new(), BigInt::ZERO);
        for trade in self.trades_of(account).filter(|trade| trade.instrument == instrument) {
            for _ in 0..trade.qty {
                match open.front() {
                    Some((side, px)) if *side != trade.side => {
                        realised += self.factor(instrument) * (trade.px - px) * sign(*side);
                        open.pop_front();
                    }
                    _ => open.push_back((trade.side, trade.px)),
                }
            }
        }
        realised
    }

    pub fn gross(&self, account: AccountId) -> BigInt {
        (self.worst2(account, None, None).0 + 1_u32) >> 1
    }

    /// Every check that must refuse the order; `replaces` is the number of the order that it is to replace.
    pub fn refusals(
        &self,
        order: &Order,
        replaces: Option<usize>,
        market: &Market,
        now: Ts,
    ) -> BTreeSet<Reject> {
        let mut failed = self.of_the_order(order, replaces, market, now);
        let own = order.account;
        let path = [own, AccountId(0)].into_iter().take(if own == AccountId(0) { 1 } else { 2 });
        path.for_each(|node| self.of_account(node, order, replaces, now, &mut failed));
        failed
    }

    fn of_the_order(
        &self,
        order: &Order,
        replaces: Option<usize>,
        market: &Market,
        now: Ts,
    ) -> BTreeSet<Reject> {
        use Reject::*;
        let &Order { account, instrument, side, px: Px(px), qty: Qty(qty), .. } = order;
        let pair = &self.pair;
        let old = replaces.map(|number| &self.orders[number]);
        let live = market.integrity == Integrity::Live;
        let age = now.since(market.updated).min(now.since(market.channel_updated));
        let notional = self.factor(instrument) * px * qty;
        let mut failed = BTreeSet::new();
        let mut fails = |code, condition: bool| {
            if condition {
                failed.insert(code);
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
        fails(DuplicateId, self.ids.contains(&(account, order.client_id)));
        let terms = (account, instrument, side, px, qty);
        let duplicates = self.limits.duplicates.unwrap();
        let within =
            |(same, at): &&(Economics, Ts)| *same == terms && now.since(*at) < duplicates.window_ns;
        let times = self.seen.iter().filter(within).count();
        fails(DuplicateTerms, replaces.is_none() && times >= usize::from(duplicates.max));
        let meets = |o: &Passed| {
            let against = o.is_open && o.order.instrument == instrument && o.order.side != side;
            against && sign(side) * (px - o.quoted()) >= 0
        };
        fails(SelfTrade, self.orders.iter().any(meets));
        let needed = self.needed(order, replaces, Passed::cash);
        let reserved = self.reserved(account) + self.factor(instrument) * needed;
        let sells_to_reduce = side == Side::Sell && order.conditions.reduce_only;
        fails(Cash, !sells_to_reduce && reserved > self.cash(account));
        fails(NotOpen, old.is_some_and(|old| !old.is_open));
        fails(ChangePending, old.is_some_and(|old| old.change.is_some()));
        fails(BelowFilled, old.is_some_and(|old| qty <= old.filled));
        failed
    }

    /// What `held` of the order grows by.
    fn needed(&self, order: &Order, replaces: Option<usize>, held: fn(&Passed) -> i64) -> i64 {
        let old = replaces.map(|number| &self.orders[number]);
        let terms = (order.px.0, order.qty.0);
        let (filled, fee_times) = (old.map_or(0, |old| old.filled), self.fee_times);
        let new = Passed { fee_times, order: *order, terms, change: None, filled, is_open: true };
        let Some(old) = old else { return held(&new) };
        let both = Passed { change: Some(terms), is_open: true, ..*old };
        let grows = old.left(terms) > old.left(old.terms);
        held(if grows { &both } else { &new }) - held(old)
    }

    fn of_account(
        &self,
        account: AccountId,
        order: &Order,
        replaces: Option<usize>,
        now: Ts,
        failed: &mut BTreeSet<Reject>,
    ) {
        use Reject::*;
        let &Order { instrument, side, qty: Qty(qty), .. } = order;
        let (limits, pair) = (&self.limits, &self.pair);
        let old = replaces.map(|number| &self.orders[number]);
        let open = (qty - old.map_or(0, |old| old.filled)).max(0);
        let mut fails = |code, condition: bool| {
            if condition {
                failed.insert(code);
            }
        };
        let ends = self.ends(account, instrument, replaces, Some(sign(side) * open));
        let (long, short) = (*ends.last().unwrap(), -*ends.first().unwrap());
        fails(
            Position,
            if side == Side::Buy { long > pair.long_max.0 } else { short > pair.short_max.0 },
        );
        let twice = |money: model::Money| BigInt::from(money.0) * 2;
        let with = Some((instrument, sign(side) * open));
        let (gross2, net2) = self.worst2(account, replaces, with);
        fails(Gross, gross2 > twice(limits.gross_max));
        fails(Net, net2 > twice(limits.net_max.unwrap()));
        let added = u32::from(replaces.is_none());
        fails(OpenOrders, self.open_orders(account) + added > limits.open_orders_max);
        fails(Rate, self.requests_in_window(account, now) >= limits.rate_max);
        let working = |o: &Passed| self.factor(o.order.instrument) * o.notional();
        let day = self.traded(account)
            + self.orders_of(account).map(working).sum::<BigInt>()
            + self.factor(instrument) * self.needed(order, replaces, Passed::notional);
        fails(DayGross, day > BigInt::from(limits.day_gross_max.unwrap().0));
        let own = self.ends(order.account, instrument, replaces, None);
        let signed = sign(side);
        let held = -signed * self.pair(order.account, instrument).position;
        let working = if side == Side::Buy {
            own.last().unwrap() + held
        } else {
            held - own.first().unwrap()
        };
        let adds = open > held.max(0) - working;
        let (place, profit2) = (usize::from(account.0), self.profit2(account));
        let signed = Some(sign(side) * open);
        let before = self.takes(account, instrument, None, None);
        let after = self.takes(account, instrument, replaces, signed);
        let all = (0..self.factors.len() as u32).map(InstrumentId);
        let required: BigInt = all
            .filter(|other| *other != instrument)
            .map(|other| self.takes(account, other, replaces, None))
            .sum();
        let equity2 = twice(limits.cash) + &profit2;
        fails(Margin, after > before && required + &after > equity2 * 10_000);
        fails(Loss, adds && &self.bases[place] - &profit2 > twice(limits.loss_max.unwrap()));
        let peak2 = self.peaks[place].clone().max(profit2.clone());
        let highest2 = twice(limits.cash) + &peak2;
        let below = (peak2 - profit2) * 10_000;
        let exceeded = below > &highest2 * limits.drawdown_max_bps.unwrap();
        fails(Drawdown, adds && (highest2 <= BigInt::ZERO || exceeded));
    }
}

fn floor_div(total: BigInt, by: i64) -> BigInt {
    let (quotient, rest) = (&total / by, &total % by);
    if rest < BigInt::ZERO { quotient - 1 } else { quotient }
}
