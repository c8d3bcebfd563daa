use model::page::Permission;
use model::{
    AccountId, HaltLevel, HaltScope, InstrumentId, Integrity, Money, Order, OrderId, Px, Qty,
    Reject, Side, TradingState, Ts, Verdict,
};

mod basket;
mod lists;
mod margin;
mod money;
mod repeats;
mod replace;
mod soft;
mod tightening;
mod tree;
mod types;

use super::{CONTINUE, each_check};
use crate::fixture::{
    ACCOUNT, ACCOUNT_LIMITS, FACTOR, Floor, INSTRUMENT, PAIR_LIMITS, USD, instrument,
};
use crate::path::AccountChain;
use crate::view::{View, Way};
use crate::{AccountLimits, LastTrade, PairLimits, Recorded};

const BOTH: [Side; 2] = [Side::Buy, Side::Sell];

fn money(units: i128) -> Money {
    Money(units * FACTOR)
}

/// A floor whose account or pair has one limit changed.
fn account_floor(change: impl Fn(&mut AccountLimits)) -> Floor {
    let mut limits = ACCOUNT_LIMITS();
    change(&mut limits);
    Floor::with(limits, PAIR_LIMITS)
}

fn pair_floor(change: impl Fn(&mut PairLimits)) -> Floor {
    let mut limits = PAIR_LIMITS;
    change(&mut limits);
    Floor::with(ACCOUNT_LIMITS(), limits)
}

/// Goal: the list runs every check once, and what they find stands in the order of the codes. Method: collect what it finds on an
/// account without others.
#[test]
fn list_is_complete() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 1, 1_000_000);
    let held = crate::Reservation::closed(&order);
    let chain = AccountChain::new(&floor.risk, order.account, order.instrument);
    let view = View::new(&chain, &order, &held, Way::New, &floor.market, &floor.moment);
    let mut codes = Vec::new();
    let _ = each_check(&order, &view, |_, finding| {
        codes.push(finding.code);
        CONTINUE
    });
    codes.sort();
    assert_eq!(codes, Reject::ALL);
    let findings = super::findings(&order, &view);
    let places = findings.iter().enumerate().filter_map(|(at, found)| Some((at, found.as_ref()?)));
    assert!(places.into_iter().all(|(at, found)| at + 1 == usize::from(found.code.code())));
}

/// Goal: the fixture's order passes both sides, so that a refusal below is the tested check's. Method: check and clear.
#[test]
fn plain_order_passes() {
    let mut floor = Floor::new();
    for side in BOTH {
        let order = floor.order(side, 1, 1_000_000);
        let (verdict, findings) = floor.risk.check(&order, &floor.market, floor.moment);
        assert_eq!((verdict, findings.iter().flatten().count()), (Verdict::pass(), 48));
        let (cleared, held) = floor.clear(order).unwrap();
        assert_eq!((*cleared.order(), held.open(), held.is_open()), (order, Qty(1), true));
    }
}

/// Goal: what is not configured is refused, and says nothing of sums. Method: unknown numbers, unconfigured
/// facts, no rows.
#[test]
fn unknown_is_refused() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 1, 1_000_000);
    let stranger = Order { account: AccountId(1), ..order };
    assert!(
        floor.fails(&stranger, Reject::UnknownAccount)
            && !floor.fails(&order, Reject::UnknownAccount)
    );
    assert!(!floor.fails(&stranger, Reject::Overflow));
    assert_eq!(floor.clear(stranger).unwrap_err().primary.unwrap().code, Reject::UnknownAccount);
    for number in [1, 3, u32::MAX] {
        let unlisted = Order { instrument: InstrumentId(number), ..order };
        assert!(floor.fails(&unlisted, Reject::UnknownInstrument));
        assert!(
            floor.fails(&unlisted, Reject::NoLimits) && !floor.fails(&unlisted, Reject::Overflow)
        );
    }
    let listed = Order { instrument: InstrumentId(1), ..order };
    let facts = instrument(InstrumentId(1));
    for (step, lot, currency) in [(0, 1, USD), (1, 0, USD), (1, 1, [0; 8])] {
        let px_step = Px(step);
        floor.risk.list(&model::Instrument { px_step, lot: Qty(lot), currency, ..facts }).unwrap();
        assert!(floor.fails(&listed, Reject::UnknownInstrument));
    }
    floor.risk.list(&facts).unwrap();
    assert!(
        !floor.fails(&listed, Reject::UnknownInstrument) && floor.fails(&listed, Reject::NoLimits)
    );
}

/// Goal: looking is not trading, money of another currency is not ours, clients keep to their accounts.
/// Method: each, with the rest in order.
#[test]
fn not_permitted() {
    let mut reader = account_floor(|limits| limits.permission = Permission::Read);
    let order = reader.order(Side::Sell, 1, 1_000_000);
    assert!(reader.fails(&order, Reject::NotPermitted));
    assert!(!Floor::new().fails(&order, Reject::NotPermitted));
    let euro = account_floor(|limits| limits.currency = *b"EUR\0\0\0\0\0");
    assert!(euro.fails(&order, Reject::NotPermitted));
    let mut ours = account_floor(|limits| limits.clients = false);
    let own = Order { origin: model::Origin::Strategy(0), ..ours.order(Side::Sell, 1, 1_000_000) };
    assert!(!ours.fails(&own, Reject::NotPermitted));
    let client = Order { origin: model::Origin::Desk(model::DeskId(0)), ..own };
    assert!(ours.fails(&client, Reject::NotPermitted));
}

/// Goal: each level stops what it says, whatever its scope. Method: all scopes and levels; reduce-only at −1
/// / 0 / +1 of what can be reduced, with a working order that reduces already.
#[test]
fn halted() {
    for scope in [HaltScope::All, HaltScope::Account(ACCOUNT), HaltScope::Instrument(INSTRUMENT)] {
        for level in HaltLevel::ALL {
            let mut floor = Floor::new();
            let order = floor.order(Side::Buy, 1, 1_000_000);
            floor.risk.set_halt(scope, *level);
            assert_eq!(floor.fails(&order, Reject::Halted), *level != HaltLevel::Active);
        }
    }
    for side in BOTH {
        let mut floor = Floor::new();
        floor.hold(side, 10);
        floor.pass(side.opposite(), 3, 1_000_000);
        floor.risk.raise_halt(HaltScope::All, HaltLevel::ReduceOnly);
        for (qty, refused) in [(6, false), (7, false), (8, true), (11, true)] {
            let reduce = floor.order(side.opposite(), qty, 1_000_000);
            assert_eq!(floor.fails(&reduce, Reject::Halted), refused, "{side} {qty}");
        }
        let add = floor.order(side, 1, 1_000_000);
        assert!(floor.fails(&add, Reject::Halted));
    }
}

/// Goal: only trading is trading. Method: every state; the market-wide breaker on top.
#[test]
fn venue_halted() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 1, 1_000_000);
    for state in TradingState::ALL {
        floor.market.state = *state;
        assert_eq!(floor.fails(&order, Reject::VenueHalted), *state != TradingState::Trading);
    }
    floor.market.state = TradingState::Trading;
    floor.market.market_halted = true;
    assert!(floor.fails(&order, Reject::VenueHalted));
}

/// Goal: only a live book may be believed, and that not at once. Method: every integrity; one that settles.
#[test]
fn book_not_live() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 1, 1_000_000);
    for integrity in Integrity::ALL {
        floor.market.integrity = *integrity;
        assert_eq!(floor.fails(&order, Reject::BookNotLive), *integrity != Integrity::Live);
    }
    (floor.market.integrity, floor.market.settling) = (Integrity::Live, true);
    assert!(floor.fails(&order, Reject::BookNotLive));
}

/// Goal: stale means old while the channel is silent, or old alone where the limits say so. Method: ages at
/// −1 / 0 / +1.
#[test]
fn stale() {
    for (alone, quiet_is_stale) in [(false, false), (true, true)] {
        let mut floor = pair_floor(|limits| limits.symbol_age_alone = alone);
        let order = floor.order(Side::Buy, 1, 1_000_000);
        for (age, refused) in [(49, false), (50, false), (51, true), (u64::MAX - 10_000, true)] {
            floor.moment.now = Ts(10_000 + age);
            floor.market.channel_updated = Ts(10_000);
            assert_eq!(floor.fails(&order, Reject::Stale), refused, "{age}");
            floor.market.channel_updated = floor.moment.now;
            assert_eq!(floor.fails(&order, Reject::Stale), refused && quiet_is_stale, "{age}");
        }
    }
}

/// Goal: price and quantity are positive multiples, trigger and shown part none or multiples. Method: around a multiple, zero,
/// negative, both ends of the type.
#[test]
fn px_step_and_lot() {
    let mut floor = Floor::new();
    floor.risk.list(&model::Instrument { lot: Qty(10), ..instrument(INSTRUMENT) }).unwrap();
    for side in BOTH {
        for px in [999_999, 1_000_001, 0, -100, i64::MIN, i64::MAX] {
            let order = floor.order(side, 10, px);
            assert!(floor.fails(&order, Reject::PxStep), "{px}");
        }
        for qty in [9, 11, 0, -10, i64::MIN, i64::MAX] {
            let order = floor.order(side, qty, 1_000_000);
            assert!(floor.fails(&order, Reject::Lot), "{qty}");
        }
        let order = floor.order(side, 20, 1_000_000);
        assert!(!floor.fails(&order, Reject::PxStep) && !floor.fails(&order, Reject::Lot));
        let with = |stop_px: i64, display: i64| {
            let (stop_px, display) = (Px(stop_px), Qty(display));
            let conditions = model::Conditions { stop_px, display, ..order.conditions };
            Order { conditions, ..order }
        };
        for (number, stops, shows) in [
            (0, false, false),
            (1_000_000, false, false),
            (1_000_010, true, false),
            (1_000_001, true, true),
            (-1_000_000, true, false),
            (i64::MIN, true, true),
        ] {
            assert_eq!(floor.fails(&with(number, 0), Reject::PxStep), stops, "{number}");
            assert_eq!(floor.fails(&with(0, number), Reject::Lot), shows, "{number}");
        }
    }
}

/// Goal: one order's quantity and money are bounded, the bound included. Method: −1 / 0 / +1 and the ends of
/// the type.
#[test]
fn clip_and_notional() {
    let mut floor = pair_floor(|limits| limits.notional_max = money(500 * 1_000_000));
    for side in BOTH {
        for (qty, refused) in [(999, false), (1_000, false), (1_001, true), (i64::MAX, true)] {
            let order = floor.order(side, qty, 1_000_000);
            assert_eq!(floor.fails(&order, Reject::Clip), refused, "{qty}");
        }
        for (px, refused) in
            [(999_999, false), (1_000_000, false), (1_000_001, true), (i64::MAX, true)]
        {
            let order = floor.order(side, 500, px);
            assert_eq!(floor.fails(&order, Reject::Notional), refused, "{px}");
        }
        let huge = floor.order(side, i64::MAX, i64::MAX);
        assert!(floor.fails(&huge, Reject::Notional) && floor.fails(&huge, Reject::Overflow));
    }
}

/// Goal: the reference is the fresh mid, then the fresh last, then nothing. Method: take one after the other
/// away.
#[test]
fn reference_chain() {
    let mut floor = Floor::new();
    floor.market.last = Some(LastTrade { px: Px(2_000_000), at: Ts(10_000) });
    let order = floor.order(Side::Buy, 1, 2_000_000);
    assert!(floor.fails(&order, Reject::Collar), "measured from the mid");
    for spoil in [
        |floor: &mut Floor| floor.market.ask = None,
        |floor: &mut Floor| floor.market.bid = Some(Px(0)),
        |floor: &mut Floor| floor.market.bid = floor.market.ask,
        |floor: &mut Floor| floor.market.integrity = Integrity::Incomplete,
        |floor: &mut Floor| {
            floor.market.updated = Ts(9_949);
            floor.market.channel_updated = Ts(9_949);
        },
    ] {
        floor.market = crate::fixture::MARKET;
        floor.market.last = Some(LastTrade { px: Px(2_000_000), at: Ts(9_950) });
        spoil(&mut floor);
        assert!(!floor.fails(&order, Reject::Collar), "measured from the last trade");
        assert!(!floor.fails(&order, Reject::NoReference));
        floor.market.last = Some(LastTrade { px: Px(2_000_000), at: Ts(9_949) });
        assert!(floor.fails(&order, Reject::NoReference), "too old");
        floor.market.last = Some(LastTrade { px: Px(0), at: Ts(10_000) });
        assert!(floor.fails(&order, Reject::NoReference), "not a price");
        floor.market.last = None;
        assert!(floor.fails(&order, Reject::NoReference));
        assert!(floor.clear(order).is_err());
    }
}

/// Goal: the band's edge passes, one unit beyond is refused, the passive side is free. Method: one percent
/// around 100.00.
#[test]
fn collar() {
    let mut floor = Floor::new();
    let mut refused = |side, px| {
        let order = floor.order(side, 1, px);
        floor.fails(&order, Reject::Collar)
    };
    assert!(!refused(Side::Buy, 1_009_999) && !refused(Side::Buy, 1_010_000));
    assert!(refused(Side::Buy, 1_010_001) && refused(Side::Buy, i64::MAX));
    assert!(!refused(Side::Sell, 990_001) && !refused(Side::Sell, 990_000));
    assert!(
        refused(Side::Sell, 989_999) && refused(Side::Sell, 0) && refused(Side::Sell, i64::MIN)
    );
    assert!(!refused(Side::Buy, 1) && !refused(Side::Sell, i64::MAX), "passive prices are free");
}

/// Goal: the worst case counts every working order of the side and nets nothing. Method: a position and
/// working orders on both sides, then −1 / 0 / +1 of what is left.
#[test]
fn position() {
    for side in BOTH {
        let mut floor = Floor::new();
        floor.hold(side, 900);
        floor.pass(side, 600, 1_000_000);
        floor.pass(side.opposite(), 800, 1_000_000);
        for (qty, refused) in [(499, false), (500, false), (501, true), (i64::MAX, true)] {
            let order = floor.order(side, qty, 1_000_000);
            assert_eq!(floor.fails(&order, Reject::Position), refused, "{side} {qty}");
        }
        for (qty, refused) in [(2_099, false), (2_100, false), (2_101, true)] {
            let order = floor.order(side.opposite(), qty, 1_000_000);
            assert_eq!(floor.fails(&order, Reject::Position), refused, "{side} {qty}");
        }
    }
}

/// Goal: gross exposure counts the larger side of the pair at the mark. Method: a limit of exactly 15 shares
/// at the mid; a working order of either side; then the mark moves by one unit.
#[test]
fn gross() {
    for side in BOTH {
        let mut floor = account_floor(|limits| limits.gross_max = money(15 * 1_000_000));
        floor.pass(side, 5, 1_000_000);
        for (qty, refused) in [(9, false), (10, false), (11, true), (i64::MAX, true)] {
            let order = floor.order(side, qty, 1_000_000);
            assert_eq!(floor.fails(&order, Reject::Gross), refused, "{side} {qty}");
            let other = floor.order(side.opposite(), qty.saturating_add(5), 1_000_000);
            assert_eq!(floor.fails(&other, Reject::Gross), refused, "the larger side alone");
        }
        let last = floor.order(side, 10, 1_000_000);
        floor.market.bid = Some(Px(999_901));
        assert!(floor.fails(&last, Reject::Gross), "half a unit of mark is too much");
    }
}

/// Goal: open orders are bounded, and an ended one makes room. Method: fill the bound, release one.
#[test]
fn open_orders() {
    let mut floor = account_floor(|limits| limits.open_orders_max = 2);
    let mut first = floor.pass(Side::Buy, 1, 1_000_000);
    let next = floor.order(Side::Sell, 1, 1_000_000);
    assert!(!floor.fails(&next, Reject::OpenOrders));
    floor.pass(Side::Sell, 1, 1_000_000);
    assert!(floor.fails(&next, Reject::OpenOrders));
    floor.risk.release(&mut first);
    floor.risk.release(&mut first);
    assert!(!floor.fails(&next, Reject::OpenOrders));
}

/// Goal: the window is exact, and refused orders count. Method: fill it with refusals; step over its edge.
#[test]
fn rate() {
    let mut floor = account_floor(|limits| limits.rate_max = 2);
    let order = floor.order(Side::Buy, 1, 1_000_000);
    for at in [10_000, 10_001] {
        floor.moment.now = Ts(at);
        assert!(!floor.fails(&order, Reject::Rate));
        let bad = floor.order(Side::Buy, -1, 1_000_000);
        assert!(floor.clear(bad).is_err());
    }
    for (now, refused) in [(10_999, true), (11_000, false), (11_001, false)] {
        floor.moment.now = Ts(now);
        assert_eq!(floor.fails(&order, Reject::Rate), refused, "{now}");
    }
    let mut never = account_floor(|limits| limits.rate_max = 0);
    let order = never.order(Side::Buy, 1, 1_000_000);
    assert!(never.fails(&order, Reject::Rate));
}

/// Goal: an id is used once, by refused orders too; the same words get the same answer. Method: repeat with
/// the same and with other words, as new order and as replace; another account has ids of its own.
#[test]
fn duplicate_id() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 1, 1_000_000);
    assert_eq!(floor.risk.recorded(&order), None);
    let _sent = floor.clear(order).unwrap();
    let answer = Recorded { order: order.id, verdict: Verdict::pass() };
    assert_eq!(floor.risk.recorded(&Order { id: OrderId(77), ..order }), Some(answer));
    assert_eq!(floor.risk.recorded_replace(&order), None);
    assert_eq!(floor.risk.recorded(&Order { qty: Qty(2), ..order }), None);
    assert!(floor.fails(&Order { qty: Qty(2), ..order }, Reject::DuplicateId));
    let refused = floor.order(Side::Buy, -1, 1_000_000);
    let verdict = floor.clear(refused).unwrap_err();
    assert_eq!(floor.risk.recorded(&refused), Some(Recorded { order: refused.id, verdict }));
    assert!(floor.fails(&Order { qty: Qty(1), ..refused }, Reject::DuplicateId));
    floor.risk.add_account(ACCOUNT_LIMITS()).unwrap();
    let elsewhere = Order { account: AccountId(1), ..order };
    assert!(!floor.fails(&elsewhere, Reject::DuplicateId));
}

/// Goal: a buy reserves its limit, a sell is free, proceeds are usable at once; who is overdrawn sells only to reduce. Method:
/// −1 / 0 / +1 of the cash left; a sale; then a fill far above the limit that overdraws the account.
#[test]
fn cash() {
    let mut floor = account_floor(|limits| limits.cash = money(10 * 1_000_000));
    floor.pass(Side::Buy, 4, 1_000_000);
    for (qty, refused) in [(5, false), (6, false), (7, true), (i64::MAX, true)] {
        let buy = floor.order(Side::Buy, qty, 1_000_000);
        assert_eq!(floor.fails(&buy, Reject::Cash), refused, "{qty}");
        let sell = floor.order(Side::Sell, qty, 1_000_000);
        assert!(!floor.fails(&sell, Reject::Cash));
    }
    let one_more = floor.order(Side::Buy, 7, 1_000_000);
    floor.hold(Side::Sell, 1);
    assert!(!floor.fails(&one_more, Reject::Cash));
    let mut dear = floor.pass(Side::Buy, 1, 1_000_000);
    floor.risk.fill(&mut dear, Px(100_000_000), Qty(1)).unwrap();
    let (buy, sell) = (floor.order(Side::Buy, 1, 100), floor.order(Side::Sell, 1, 1_000_000));
    assert!(floor.fails(&buy, Reject::Cash) && floor.fails(&sell, Reject::Cash));
    let [buy_back, sell_off] = [buy, sell].map(|mut order| {
        order.conditions.reduce_only = true;
        order
    });
    assert!(floor.fails(&buy_back, Reject::Cash) && !floor.fails(&sell_off, Reject::Cash));
    floor.risk.accounts[0].limits.cash_binds = false;
    assert!(!floor.fails(&buy, Reject::Cash), "off");
}

/// Goal: what cannot be counted is refused, whatever the limits. Method: limits wide open, products at the
/// ends of the types.
#[test]
fn overflow() {
    let open = PairLimits {
        clip_max: Qty(i64::MAX),
        notional_max: Money(i128::MAX),
        band_bps: u32::MAX,
        long_max: Qty(i64::MAX),
        short_max: Qty(i64::MAX),
        age_max_ns: u64::MAX,
        reference_age_max_ns: u64::MAX,
        symbol_age_alone: false,
        ..PairLimits::BLOCKED
    };
    let mut floor = Floor::with(ACCOUNT_LIMITS(), open);
    for side in BOTH {
        for (qty, px) in [(i64::MAX, i64::MAX), (i64::MAX, 1_000_000_000_000), (i64::MIN, i64::MAX)]
        {
            let order = floor.order(side, qty, px);
            assert!(floor.fails(&order, Reject::Overflow), "{qty} at {px}");
            assert!(floor.clear(order).is_err());
        }
    }
    let fits = floor.order(Side::Sell, i64::MAX, 1);
    assert!(!floor.fails(&fits, Reject::Overflow));
}

/// Goal: a full table, journal or audit log refuses. Method: each of the engine's flags, all lines in use, all ids used.
#[test]
fn journal_full_and_capacity() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 1, 1_000_000);
    assert!(!floor.fails(&order, Reject::JournalFull) && !floor.fails(&order, Reject::Capacity));
    floor.moment.journal_full = true;
    assert!(floor.fails(&order, Reject::JournalFull) && !floor.fails(&order, Reject::Capacity));
    floor.moment.journal_full = false;
    assert!(!floor.fails(&order, Reject::AuditFull));
    floor.moment.audit_full = true;
    assert!(floor.fails(&order, Reject::AuditFull) && !floor.fails(&order, Reject::JournalFull));
    floor.moment.audit_full = false;
    floor.moment.reconciling = true;
    assert!(floor.fails(&order, Reject::Reconciling) && !floor.fails(&order, Reject::AuditFull));
    floor.moment.reconciling = false;
    floor.moment.tables_full = true;
    assert!(floor.fails(&order, Reject::Capacity));

    let capacity = crate::Capacity {
        accounts: 1,
        instruments: 2,
        lines: 1,
        ids_per_account: 2,
        orders: 9,
        lots: 1_000,
        rows: 1,
    };
    floor = Floor::new();
    floor.risk = crate::Risk::new(capacity);
    floor.risk.add_account(ACCOUNT_LIMITS()).unwrap();
    for number in [0, 1] {
        floor.risk.list(&instrument(InstrumentId(number))).unwrap();
        floor.risk.set_pair_limits(ACCOUNT, InstrumentId(number), PAIR_LIMITS).unwrap();
    }
    floor.pass(Side::Buy, 1, 1_000_000);
    let second = Order { instrument: InstrumentId(1), ..floor.order(Side::Buy, 1, 1_000_000) };
    assert!(floor.fails(&second, Reject::Capacity), "no line left");
    floor.pass(Side::Buy, 1, 1_000_000);
    let third = floor.order(Side::Buy, 1, 1_000_000);
    assert!(floor.fails(&third, Reject::Capacity), "no id left");
}
