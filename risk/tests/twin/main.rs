//! The gate and its books against a slow twin, over random sequences of orders, fills, cancels, replaces and
//! quotes. `TICKGATE_LONG=1` runs a thousand times more.

mod slow;

use std::collections::BTreeSet;

use model::page::{AsOf, Permission};
use model::{
    AccountId, ClientOrderId, Instrument, InstrumentId, Integrity, Money, Order, OrderId,
    OrderType, Origin, Px, Qty, Reject, Side, Symbol, Tif, TradingState, Ts,
};
use num_bigint::BigInt;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use risk::{
    AccountLimits, Capacity, Duplicates, Fee, LastTrade, Margin, Market, Moment, PairLimits,
    Reservation, Risk,
};
use slow::{Passed, Slow, Trade};

/// The second is beneath the first, and both trade.
const ACCOUNTS: u16 = 2;
/// A fee of so many times what trades, so that nothing is rounded.
const FEE_TIMES: i64 = 1;
/// Decimals of price and of quantity; the first makes the money factor odd, so that half a mark does not
/// divide.
const SCALES: [(u8, u8); 3] = [(6, 6), (4, 0), (2, 4)];

/// One thing that happens; numbers choose among what is there.
#[derive(Clone, Copy, Debug)]
enum Op {
    New { account: u16, instrument: u32, side: Side, qty: i64, px: i64, old_id: bool },
    Replace { pick: usize, qty: i64, px: i64 },
    Fill { pick: usize, qty: i64, better: i64, late: bool },
    Cancel { pick: usize },
    Answer { pick: usize, takes: bool },
    Quote { instrument: u32, mid: i64, spread: i64, integrity: Integrity },
    Print { instrument: u32, px: i64 },
    Session,
    Wait { ns: u64 },
}

fn ops() -> impl Strategy<Value = Op> {
    let side = || prop::sample::select(&[Side::Buy, Side::Sell][..]);
    let px = || prop_oneof![30 => 92_i64..107, 1 => Just(0)];
    let instrument = 0..SCALES.len() as u32;
    let integrity = prop_oneof![9 => Just(Integrity::Live), 1 => Just(Integrity::Incomplete)];
    prop_oneof![
        8 => (0..ACCOUNTS, instrument.clone(), side(), -1_i64..25, px(), prop::bool::weighted(0.03))
            .prop_map(|(account, instrument, side, qty, px, old_id)| {
                Op::New { account, instrument, side, qty, px, old_id }
            }),
        4 => (any::<usize>(), -1_i64..25, px()).prop_map(|(pick, qty, px)| Op::Replace { pick, qty, px }),
        6 => (any::<usize>(), 1_i64..20, 0_i64..3, prop::bool::weighted(0.05))
            .prop_map(|(pick, qty, better, late)| Op::Fill { pick, qty, better, late }),
        2 => any::<usize>().prop_map(|pick| Op::Cancel { pick }),
        4 => (any::<usize>(), prop::bool::weighted(0.7)).prop_map(|(pick, takes)| Op::Answer { pick, takes }),
        3 => (instrument.clone(), 95_i64..106, 0_i64..4, integrity)
            .prop_map(|(instrument, mid, spread, integrity)| {
                Op::Quote { instrument, mid, spread, integrity }
            }),
        1 => (instrument, 95_i64..106).prop_map(|(instrument, px)| Op::Print { instrument, px }),
        1 => Just(Op::Session),
        3 => (0_u64..40).prop_map(|ns| Op::Wait { ns }),
    ]
}

/// Both books, side by side.
struct Twins {
    risk: Risk,
    slow: Slow,
    /// What each order of the twin holds, and in what.
    held: Vec<Reservation>,
    markets: Vec<Market>,
    /// The last trade that was known when the mid counted last.
    seen: Vec<Option<LastTrade>>,
    now: Ts,
    next_id: u64,
    /// How often each check refused, to see that the sequences reach it.
    refused: BTreeSet<Reject>,
}

impl Twins {
    fn new() -> Twins {
        let limits = AccountLimits {
            name: Symbol::new("agent").unwrap(),
            permission: Permission::Trade,
            clients: true,
            currency: *b"USD\0\0\0\0\0",
            cash: Money(4_000 * 100_000_000),
            gross_max: Money(5_000 * 100_000_000),
            open_orders_max: 4,
            rate_max: 12,
            rate_window_ns: 100,
            net_max: Some(Money(4_500 * 100_000_000)),
            day_gross_max: Some(Money(6_000 * 100_000_000)),
            loss_max: Some(Money(300 * 100_000_000)),
            drawdown_max_bps: Some(1_000),
            duplicates: Some(Duplicates { max: 1, window_ns: 60 }),
            no_self_trade: true,
            ..AccountLimits::BLOCKED
        };
        let pair = PairLimits {
            clip_max: Qty(20),
            notional_max: Money(1_900 * 100_000_000),
            band_bps: 500,
            long_max: Qty(40),
            short_max: Qty(30),
            age_max_ns: 200,
            reference_age_max_ns: 200,
            margin: Some(Margin { long_bps: 9_000, short_bps: 11_000 }),
            ..PairLimits::BLOCKED
        };
        let pair = PairLimits { symbol_age_alone: false, ..pair };
        let instruments = SCALES.len() as u32;
        let mut risk = Risk::new(Capacity {
            accounts: ACCOUNTS,
            instruments,
            lines: 16,
            ids_per_account: 1_000,
            orders: 100,
            lots: 1_000,
            rows: SCALES.len() as u32,
        });
        let mut factors = Vec::new();
        for (number, (px_decimals, qty_decimals)) in SCALES.into_iter().enumerate() {
            let instrument = Instrument {
                id: InstrumentId(number as u32),
                px_decimals,
                qty_decimals,
                px_step: Px(1),
                lot: Qty(1),
                currency: limits.currency,
                ..Default::default()
            };
            risk.list(&instrument).unwrap();
            factors.push(instrument.money_factor().unwrap());
        }
        for number in 0..ACCOUNTS {
            let parent = (number > 0).then_some(AccountId(0));
            let account = risk.add_account(AccountLimits { parent, ..limits }).unwrap();
            for (number, factor) in (0..).zip(&factors) {
                let fee = Fee::new(FEE_TIMES * 1_000_000, Money::ZERO, Money(1), *factor);
                let row = PairLimits { fee: fee.unwrap(), ..pair };
                risk.set_pair_limits(account, InstrumentId(number), row).unwrap();
            }
        }
        let market = Market {
            state: TradingState::Trading,
            integrity: Integrity::Live,
            bid: Some(Px(99)),
            ask: Some(Px(100)),
            last: Some(LastTrade { px: Px(100), at: Ts(1_000) }),
            updated: Ts(1_000),
            channel_updated: Ts(1_000),
            ..Market::UNKNOWN
        };
        let slow = Slow {
            fee_times: FEE_TIMES,
            limits,
            pair,
            session: 0,
            bases: vec![BigInt::ZERO; ACCOUNTS.into()],
            peaks: vec![BigInt::ZERO; ACCOUNTS.into()],
            seen: Vec::new(),
            marks: vec![0; factors.len()],
            exits: vec![[0; 2]; factors.len()],
            factors,
            orders: Vec::new(),
            trades: Vec::new(),
            requests: Vec::new(),
            ids: BTreeSet::new(),
        };
        let markets = vec![market; SCALES.len()];
        let (refused, seen) = (BTreeSet::new(), vec![None; SCALES.len()]);
        Twins { risk, slow, held: Vec::new(), markets, seen, now: Ts(1_000), next_id: 1, refused }
    }

    /// An order that can be picked; `None` if there is none of the kind.
    fn pick(&self, pick: usize, of: impl Fn(&Passed) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.held.len()).filter(|n| of(&self.slow.orders[*n])).collect();
        all.get(pick % all.len().max(1)).copied()
    }

    fn moment(&self) -> Moment {
        Moment::at(self.now)
    }

    fn mark(&mut self, instrument: InstrumentId) {
        let market = &self.markets[instrument.0 as usize];
        let seen = &mut self.seen[instrument.0 as usize];
        let closes = match (market.bid, market.ask) {
            (Some(bid), Some(ask)) if market.integrity == Integrity::Live => {
                *seen = market.last;
                Some([bid.0, ask.0])
            }
            _ => market.last.filter(|last| Some(last.at) > seen.map(|s| s.at)).map(|l| [l.px.0; 2]),
        };
        if let Some([bid, ask]) = closes {
            self.slow.marks[instrument.0 as usize] = bid + ask;
            self.slow.exits[instrument.0 as usize] = [2 * bid, 2 * ask];
        }
        self.risk.mark(instrument, market);
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::New { account, instrument, side, qty, px, old_id } => {
                let (account, instrument) = (AccountId(account), InstrumentId(instrument));
                let order = self.order(account, instrument, side, qty, px, old_id);
                self.send(order, None);
            }
            Op::Replace { pick, qty, px } => {
                if let Some(number) = self.pick(pick, |o| o.is_open || o.filled % 5 == 4) {
                    let old = self.slow.orders[number].order;
                    let fresh = self.order(old.account, old.instrument, old.side, qty, px, false);
                    self.send(Order { id: old.id, ..fresh }, Some(number));
                }
            }
            Op::Fill { pick, qty, better, late } => {
                // Late: after the end, or more than is left.
                if let Some(number) = self.pick(pick, |o| late || o.is_open) {
                    let order = &self.slow.orders[number];
                    let left = order.terms.1 - order.filled;
                    let qty = if late { qty } else { qty.min(left) };
                    let step = if order.order.side == Side::Buy { -better } else { better };
                    let px = order.terms.0 + step;
                    if qty > 0 {
                        self.fill(number, px, qty);
                    }
                }
            }
            Op::Cancel { pick } => {
                if let Some(number) = self.pick(pick, |o| o.is_open) {
                    self.risk.release(&mut self.held[number]);
                    self.slow.orders[number].end_if(true);
                }
            }
            Op::Answer { pick, takes } => {
                if let Some(number) = self.pick(pick, |o| o.is_open && o.change.is_some()) {
                    self.answer(number, takes);
                }
            }
            Op::Quote { instrument, mid, spread, integrity } => {
                let market = &mut self.markets[instrument as usize];
                market.bid = Some(Px(mid));
                market.ask = (spread > 0).then_some(Px(mid + spread));
                market.integrity = integrity;
                (market.updated, market.channel_updated) = (self.now, self.now);
                self.mark(InstrumentId(instrument));
            }
            Op::Print { instrument, px } => {
                self.markets[instrument as usize].last =
                    Some(LastTrade { px: Px(px), at: self.now });
                self.mark(InstrumentId(instrument));
            }
            Op::Session => {
                self.risk.begin_session();
                self.slow.begin_session();
            }
            Op::Wait { ns } => self.now.0 += ns,
        }
        self.slow.note_peaks();
    }

    fn order(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        qty: i64,
        px: i64,
        old_id: bool,
    ) -> Order {
        self.next_id += u64::from(!old_id);
        Order {
            id: OrderId(self.next_id),
            client_id: ClientOrderId::new(&format!("c{}", self.next_id)).unwrap(),
            account,
            instrument,
            side,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(px),
            qty: Qty(qty),
            conditions: model::Conditions::NONE,
            origin: Origin::File,
            note: Default::default(),
        }
    }

    /// Sends a new order or a replace through both gates; their verdicts must be the same, bit by bit.
    fn send(&mut self, order: Order, replaces: Option<usize>) {
        self.mark(order.instrument);
        let (market, moment) = (self.markets[order.instrument.0 as usize], self.moment());
        self.slow.note_peaks();
        let expected = self.slow.refusals(&order, replaces, &market, self.now);
        let terms = (order.px.0, order.qty.0);
        let ruling = match replaces {
            None => {
                let preview = self.risk.check(&order, &market, moment).0;
                let ruling = self.risk.clear(order, &market, moment);
                assert_eq!(ruling.as_ref().err().copied(), Some(preview).filter(|v| !v.passed()));
                ruling.map(|(cleared, held)| {
                    assert_eq!(*cleared.order(), order);
                    self.held.push(held);
                    let (change, filled, is_open) = (None, 0, true);
                    let fee_times = FEE_TIMES;
                    self.slow.orders.push(Passed {
                        fee_times,
                        order,
                        terms,
                        change,
                        filled,
                        is_open,
                    });
                })
            }
            Some(number) => {
                let ruling =
                    self.risk.clear_replace(order, &mut self.held[number], &market, moment);
                ruling.map(|cleared| {
                    assert_eq!(*cleared.order(), order);
                    self.slow.orders[number].change = Some(terms);
                })
            }
        };
        let failed: BTreeSet<Reject> =
            ruling.err().map_or(BTreeSet::new(), |v| v.failed().collect());
        assert_eq!(failed, expected, "{order:?} against {market:?}");
        self.refused.extend(failed);
        self.slow.requests.push((order.account, self.now));
        self.slow.ids.insert((order.account, order.client_id));
        if replaces.is_none() {
            let terms = (order.account, order.instrument, order.side, terms.0, terms.1);
            self.slow.seen.push((terms, self.now));
        }
    }

    fn fill(&mut self, number: usize, px: i64, qty: i64) {
        let order = &mut self.slow.orders[number];
        let &Order { account, instrument, side, .. } = &order.order;
        let before = self.slow.pair(account, instrument);
        let order = &mut self.slow.orders[number];
        let open = order.open();
        let filled = self.risk.fill(&mut self.held[number], Px(px), Qty(qty)).unwrap();
        order.filled += qty;
        order.end_if(order.open() == 0);
        assert_eq!((filled.open.0, filled.excess.0), (order.open(), (qty - open).max(0)));
        let settled = order.change.is_none();
        self.slow.trades.push(Trade { account, instrument, side, px, qty });
        // Fill invariance: the worst case counted the fill already.
        let after = self.slow.pair(account, instrument);
        if settled && filled.excess.0 == 0 {
            let place = side.index();
            let signed = if side == Side::Buy { 1 } else { -1 };
            let worst = |pair: &slow::Pair| pair.position * signed + pair.working[place];
            assert_eq!(worst(&before), worst(&after));
        }
    }

    fn answer(&mut self, number: usize, takes: bool) {
        let (order, held) = (&mut self.slow.orders[number], &mut self.held[number]);
        let change = order.change.take().unwrap();
        if takes {
            order.terms = change;
            self.risk.replaced(held, Px(change.0), Qty(change.1)).unwrap();
        } else {
            self.risk.replace_rejected(held).unwrap();
        }
        order.end_if(order.open() == 0);
    }

    /// Every published number equals the twin's, and the books balance.
    fn compare(&self) {
        let as_of = AsOf::default();
        for number in 0..ACCOUNTS {
            let id = AccountId(number);
            let page = self.risk.account_page(id, as_of, self.now).unwrap();
            assert_eq!(BigInt::from(page.cash.0), self.slow.cash(id), "cash");
            assert_eq!(BigInt::from(page.reserved.0), self.slow.reserved(id), "reserved");
            assert_eq!(BigInt::from(page.gross.0), self.slow.gross(id), "gross");
            assert_eq!(BigInt::from(page.margin.0), self.slow.margin(id), "margin");
            assert_eq!(page.open_orders, self.slow.open_orders(id), "open orders");
            let used = self.slow.requests_in_window(id, self.now);
            assert_eq!(page.rate_used, used.min(page.rate_max), "rate");
            assert_eq!(BigInt::from(page.fees.0), self.slow.fees(id), "fees");
            assert_eq!(BigInt::from(page.traded.0), self.slow.traded(id), "traded");
            let unrealised = self.slow.unrealised2(id) >> 1;
            assert_eq!(BigInt::from(page.unrealised.0), unrealised, "unrealised");
        }
        let mut balance = vec![BigInt::ZERO; ACCOUNTS.into()];
        for slot in 0..self.risk.lines() as u32 {
            let page = self.risk.line_page(slot, as_of).unwrap();
            let pair = self.slow.pair(page.account, page.instrument);
            assert_eq!(page.position.0, pair.position, "position");
            assert_eq!([page.working_buy.0, page.working_sell.0], pair.working, "working");
            assert_eq!(BigInt::from(page.cost.0), pair.cost, "cost");
            assert_eq!(BigInt::from(page.realised.0), pair.realised, "realised");
            let fifo = self.slow.realised_fifo(page.account, page.instrument);
            assert_eq!(BigInt::from(page.realised_fifo.unwrap().0), fifo, "first in, first out");
            let worst = self.slow.worst(page.account, page.instrument);
            let long = page.position.0 + page.working_buy.0;
            assert_eq!(long.max(page.working_sell.0 - page.position.0), worst, "worst case");
            balance[usize::from(page.account.0)] += pair.realised - pair.cost;
        }
        for (number, balance) in balance.into_iter().enumerate() {
            let cash = self.slow.cash(AccountId(number as u16));
            let paid = cash + self.slow.fees(AccountId(number as u16));
            assert_eq!(balance, paid - self.slow.limits.cash.0, "realised − cost = cash flows");
        }
    }

    /// Ends every order and closes every position; nothing may be left reserved.
    fn wind_up(&mut self) {
        for (number, held) in self.held.iter_mut().enumerate() {
            self.risk.release(held);
            self.slow.orders[number].end_if(true);
        }
        for number in 0..self.held.len() {
            let order = self.slow.orders[number].order;
            let position = self.slow.pair(order.account, order.instrument).position;
            let closes = if position > 0 { Side::Sell } else { Side::Buy };
            if position != 0 && order.side == closes {
                self.fill(number, 100, position.abs());
            }
        }
        self.compare();
        for number in 0..ACCOUNTS {
            let page =
                self.risk.account_page(AccountId(number), AsOf::default(), self.now).unwrap();
            assert_eq!((page.reserved, page.open_orders), (Money(0), 0));
        }
        for slot in 0..self.risk.lines() as u32 {
            let page = self.risk.line_page(slot, AsOf::default()).unwrap();
            assert_eq!((page.working_buy, page.working_sell), (Qty(0), Qty(0)));
            assert!(page.position != Qty(0) || page.cost == Money(0));
        }
    }
}

/// Goal: verdicts, positions, reservations, cash, profit and exposure are those of the twin after every
/// event; the worst case is that of all subsets of fills; the books balance; nothing stays reserved. Method:
/// random sequences, shrunk on failure.
#[test]
fn equals_the_slow_twin() {
    let long = std::env::var_os("TICKGATE_LONG").is_some();
    let cases = if long { 200_000 } else { 1_500 };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let reached = std::cell::RefCell::new(BTreeSet::new());
    let events = std::cell::Cell::new(0_u64);
    let sequences = prop::collection::vec(ops(), 1..80);
    let result = runner.run(&sequences, |ops| {
        let mut twins = Twins::new();
        for op in ops {
            twins.apply(op);
            twins.compare();
            events.set(events.get() + 1);
        }
        twins.wind_up();
        reached.borrow_mut().append(&mut twins.refused);
        Ok(())
    });
    result.unwrap();
    println!("{} events, every one equal; refusals reached: {:?}", events.get(), reached.borrow());
    use Reject::*;
    for code in [
        BookNotLive,
        Stale,
        PxStep,
        Lot,
        Clip,
        Notional,
        NoReference,
        Collar,
        Position,
        Gross,
        OpenOrders,
        Rate,
        DuplicateId,
        Cash,
        NotOpen,
        ChangePending,
        BelowFilled,
        DayGross,
        Net,
        DuplicateTerms,
        SelfTrade,
        Loss,
        Drawdown,
        Reject::Margin,
    ] {
        assert!(reached.borrow().contains(&code), "no sequence reached {code}");
    }
}
