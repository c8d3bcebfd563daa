use model::{AccountId, Currency, Money, Order, Px, Qty, Side};
use proptest::prelude::*;

use super::*;
use crate::fixture::{ACCOUNT_LIMITS, Floor, INSTRUMENT, MARKET, PAIR_LIMITS, USD, instrument};
use crate::path::AccountChain;
use crate::view::{View, Way};
use crate::{AccountLimits, Capacity, Deal, Margin, PairLimits, Reservation, Risk};

const INSTRUMENTS: u32 = 3;
const EUR: Currency = *b"EUR\0\0\0\0\0";

/// A firm and so many accounts beneath it, all of whom may trade; those beyond 21 in euros, and with them the last instrument.
fn floor(accounts: u16, limits: AccountLimits) -> Floor {
    let mut floor = Floor::new();
    floor.risk = Risk::new(Capacity {
        accounts,
        instruments: INSTRUMENTS,
        lines: u32::from(accounts) * INSTRUMENTS,
        rows: 1,
        ..floor.risk_capacity()
    });
    for number in 0..accounts {
        let parent = (number > 0).then_some(AccountId(0));
        let currency = if number > 21 { EUR } else { USD };
        floor.risk.add_account(AccountLimits { parent, currency, ..limits }).unwrap();
    }
    if accounts > 22 {
        let rate = crate::Rate { num: 3, den: 2, at: floor.moment.now };
        floor.risk.allow_rate(EUR, USD, 1).unwrap();
        floor.risk.set_rate(EUR, USD, rate, floor.moment.now).unwrap();
    }
    let margin = Some(Margin { long_bps: 10, short_bps: 20 });
    for id in (0..INSTRUMENTS).map(InstrumentId) {
        let currency = if id.0 == 2 && accounts > 22 { EUR } else { USD };
        floor.risk.list(&model::Instrument { currency, ..instrument(id) }).unwrap();
        for account in (0..accounts).map(AccountId) {
            let row = PairLimits { margin, ..PAIR_LIMITS };
            floor.risk.set_pair_limits(account, id, row).unwrap();
        }
    }
    floor
}

fn market(px: i64) -> Market {
    Market { bid: Some(Px(px - 100)), ask: Some(Px(px + 100)), ..MARKET }
}

/// Worth of an account's lines of a currency, counted again from all of them.
fn naive(risk: &Risk, id: AccountId, currency: Currency) -> Worth {
    let account = risk.account(id).unwrap();
    let listing = |instrument: &InstrumentId| risk.listing(*instrument).unwrap();
    let of = (0..INSTRUMENTS).map(InstrumentId).filter(|i| listing(i).money == currency);
    of.fold(Worth::default(), |sum, instrument| {
        let pair = risk.pair(id, instrument).unwrap();
        let margin = risk.limits(pair).and_then(|row| row.margin);
        let (marks, line) = (listing(&instrument).marks(), &pair.line);
        let worth = marks.worth(line.exposure, line.cost, account, margin);
        sum.with(Worth::default(), worth)
    })
}

fn is_exact(risk: &Risk, number: u16) -> bool {
    let id = AccountId(number);
    [USD, EUR].into_iter().all(|currency| {
        let sums = risk.account(id).unwrap().sums_in(currency);
        sums.map_or(Worth::default(), |sums| sums.worth) == naive(risk, id, currency)
    })
}

/// Everything that the ring and its counts promise.
fn assert_sound(risk: &Risk, accounts: u16) {
    for instrument in (0..INSTRUMENTS).map(InstrumentId) {
        let holders = risk.listing(instrument).unwrap().holders;
        let exposed: Vec<u16> = (0..accounts)
            .filter(|n| risk.pair(AccountId(*n), instrument).unwrap().line.exposure.worst() > 0)
            .collect();
        let late = exposed.iter().filter(|n| risk.late(AccountId(**n), instrument).is_some());
        assert_eq!(
            (usize::from(holders.count), usize::from(holders.late)),
            (exposed.len(), late.count())
        );
        let turn = |number: u16| risk.turn(risk.place(AccountId(number), instrument)).unwrap();
        let mut ring = Vec::new();
        let mut at = holders.turn;
        while at != NOBODY && !ring.contains(&at) {
            ring.push(at);
            assert_eq!(turn(turn(at).next).prev, at);
            at = turn(at).next;
        }
        ring.sort_unstable();
        assert_eq!(ring, exposed);
        let listed = risk.waiting.iter().filter(|waits| **waits == instrument).count();
        assert_eq!(usize::from(holders.waits), listed);
        assert!(holders.late == 0 || holders.waits);
    }
}

/// Goal: a mark re-marks eight of those who hold the instrument, the next one goes on with the others, and a timer ends it;
/// an order's own account and the firm are marked before it is judged, by whatever instrument they are late in. Method:
/// twenty accounts, each long one.
#[test]
fn eight_at_once() {
    let mut floor = floor(21, ACCOUNT_LIMITS());
    for number in 1..21 {
        let order = Order { account: AccountId(number), ..floor.order(Side::Buy, 1, 1_000_000) };
        let (_, mut held) = floor.clear(order).unwrap();
        floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
    }
    let late = |risk: &Risk| (0..21).filter(|number| !is_exact(risk, *number)).count();
    assert_eq!(late(&floor.risk), 0);
    floor.risk.mark(INSTRUMENT, &market(1_001_000));
    assert_eq!(late(&floor.risk), 21 - 8 - 1, "eight, and one of who waits longest");
    floor.risk.mark(InstrumentId(1), &market(1_001_000));
    assert_eq!(late(&floor.risk), 12 - 8, "nobody holds that one: all eight go to who waits");
    floor.risk.mark(INSTRUMENT, &market(1_002_000));
    let last = (1..21).rev().find(|number| !is_exact(&floor.risk, *number)).unwrap();
    floor.market = market(1_000_000);
    let elsewhere = Order { instrument: InstrumentId(2), ..floor.order(Side::Buy, 1, 1_000_000) };
    let elsewhere = Order { account: AccountId(last), ..elsewhere };
    assert!(floor.clear(elsewhere).is_ok());
    assert!(is_exact(&floor.risk, last) && is_exact(&floor.risk, 0));
    assert!(late(&floor.risk) > 0, "the others wait");
    floor.risk.catch_up();
    assert_eq!(late(&floor.risk), 0);
    assert_sound(&floor.risk, 21);
}

/// Goal: what nobody settled counts at the present marks in what an order would come to, and turns that one instrument leaves are
/// another's. Method: twenty accounts, each long two instruments; one that is late in both, before and after the timer.
#[test]
fn late_marks_count() {
    let (mut floor, other) = (floor(21, ACCOUNT_LIMITS()), InstrumentId(1));
    for number in 1..21 {
        for instrument in [INSTRUMENT, other] {
            let order = floor.order(Side::Buy, 1, 1_000_000);
            let order = Order { account: AccountId(number), instrument, ..order };
            let (_, mut held) = floor.clear(order).unwrap();
            floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
        }
    }
    floor.market = market(1_001_000);
    let late =
        |floor: &Floor| [INSTRUMENT, other].map(|id| floor.risk.listing(id).unwrap().holders.late);
    // It falls, so that no profit is the highest and nobody is marked out of turn.
    for (instrument, px, left) in [
        (INSTRUMENT, 999_500, [12, 0]),
        (InstrumentId(2), 1_001_000, [4, 0]),
        (other, 999_000, [3, 13]),
        (InstrumentId(2), 1_002_000, [0, 8]),
        (INSTRUMENT, 1_000_500, [13, 7]),
    ] {
        floor.risk.mark(instrument, &market(px));
        assert_eq!(late(&floor), left);
    }
    let of_both = |n: &u16| {
        [INSTRUMENT, other].into_iter().all(|id| floor.risk.late(AccountId(*n), id).is_some())
    };
    let account = AccountId((1..21).find(of_both).unwrap());
    let orders = [(INSTRUMENT, 1_000_500), (other, 999_000), (InstrumentId(2), 1_002_000)].map(
        |(instrument, px)| {
            let order = floor.order(Side::Buy, 1, 1_000_000);
            (Order { account, instrument, ..order }, market(px))
        },
    );
    let worths = |floor: &Floor| {
        orders.map(|(order, market)| {
            let held = Reservation::closed(&order);
            let chain = AccountChain::new(&floor.risk, order.account, order.instrument);
            let view = View::new(&chain, &order, &held, Way::New, &market, &floor.moment);
            view.nodes(&order).map(|node| node.worth).collect::<Vec<_>>()
        })
    };
    let before = worths(&floor);
    floor.risk.catch_up();
    assert_eq!(worths(&floor), before);
}

/// Goal: a loss of an account that waits is told at the timer, if not before. Method: twenty hold, the price falls.
#[test]
fn losses_are_told_at_the_timer() {
    let mut floor = floor(21, AccountLimits { loss_max: Some(Money(0)), ..ACCOUNT_LIMITS() });
    floor.market.bid = Some(Px(1_000_000));
    for number in 1..21 {
        let order = Order { account: AccountId(number), ..floor.order(Side::Buy, 1, 1_000_000) };
        let (_, mut held) = floor.clear(order).unwrap();
        floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
    }
    floor.risk.mark(INSTRUMENT, &market(999_000));
    let told = |floor: &mut Floor| std::iter::from_fn(|| floor.risk.take_loss()).count();
    assert_eq!(told(&mut floor), 9);
    floor.risk.catch_up();
    assert_eq!(told(&mut floor), 12);
}

/// Goal: no loss and no highest profit is of marks that never were at one time. Method: twenty accounts, long one instrument and
/// short another as much, then the other way round; first the one rises and then the other, so that nobody ever loses, or wins.
/// Whoever missed the first rise and sees the second would do the contrary: turns in the second go from the last to the first.
#[test]
fn hedged_accounts_see_both_of_two_rises() {
    for side in [Side::Buy, Side::Sell] {
        let loss_max = (side == Side::Buy).then_some(Money(5_000 * crate::fixture::FACTOR));
        let mut floor = floor(21, AccountLimits { loss_max, ..ACCOUNT_LIMITS() });
        let (mut mark, other) = (1_000_000, InstrumentId(1));
        for instrument in [INSTRUMENT, other] {
            floor.risk.set_mark(instrument, 2 * mark, [2 * mark; 2]);
        }
        for number in 1..21 {
            for (instrument, side, number) in
                [(INSTRUMENT, side, number), (other, side.opposite(), 21 - number)]
            {
                let order = floor.order(side, 1, 1_000_000);
                let order = Order { account: AccountId(number), instrument, ..order };
                let (_, mut held) = floor.clear(order).unwrap();
                floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
            }
        }
        let peaks = |risk: &Risk| (0..21).map(|n| risk.account(AccountId(n)).unwrap().peak2).max();
        for _ in 0..3 {
            mark += 20_000;
            for instrument in [INSTRUMENT, other] {
                floor.risk.set_mark(instrument, 2 * mark, [2 * mark; 2]);
            }
            floor.risk.catch_up();
            assert_eq!(floor.risk.take_loss(), None, "{side:?}, at {mark}");
            let wins = peaks(&floor.risk) > Some(0);
            assert_eq!(wins, side == Side::Buy, "at {mark}");
        }
    }
}

/// Goal: a loss of an account that waits is told by whatever trades, though nothing is left of it then. Method: twenty hold, the
/// price falls by more than they may lose; of those who wait one sells above it, one by an order that nobody remembers, and of
/// one the venue takes its trade back.
#[test]
fn losses_are_told_at_a_fill() {
    let loss_max = Some(Money(500 * crate::fixture::FACTOR));
    let mut floor = floor(21, AccountLimits { loss_max, ..ACCOUNT_LIMITS() });
    floor.market.bid = Some(Px(1_000_000));
    let mut held = Vec::new();
    for number in 1..21 {
        let order = |floor: &mut Floor, side, px| {
            let order = Order { account: AccountId(number), ..floor.order(side, 1, px) };
            floor.clear(order).unwrap().1
        };
        let mut bought = order(&mut floor, Side::Buy, 1_000_000);
        floor.risk.fill(&mut bought, Px(1_000_000), Qty(1)).unwrap();
        held.push(order(&mut floor, Side::Sell, 1_000_500));
    }
    floor.risk.mark(INSTRUMENT, &market(999_000));
    let told = |floor: &mut Floor| -> Vec<AccountId> {
        std::iter::from_fn(|| floor.risk.take_loss()).map(|(id, ..)| id).collect()
    };
    let first = told(&mut floor);
    let mut late = (1..21).map(AccountId).filter(|id| !first.contains(id));
    let [filled, unknown, busted] = [(); 3].map(|()| late.next().unwrap());
    let is_late = |floor: &Floor, id| floor.risk.late(id, INSTRUMENT).is_some();
    let deal =
        |account, side, px| Deal { account, instrument: INSTRUMENT, side, px: Px(px), qty: Qty(1) };

    assert!(is_late(&floor, filled));
    floor.risk.fill(&mut held[usize::from(filled.0) - 1], Px(1_000_500), Qty(1)).unwrap();
    assert!(told(&mut floor).contains(&filled));
    assert!(is_late(&floor, unknown));
    floor.risk.fill_unknown(&deal(unknown, Side::Sell, 1_000_500)).unwrap();
    assert!(told(&mut floor).contains(&unknown));
    assert!(is_late(&floor, busted));
    floor.risk.bust(&deal(busted, Side::Buy, 1_000_000), Money::ZERO).unwrap();
    assert!(told(&mut floor).contains(&busted));
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Mark { instrument: u32, px: i64 },
    Order { account: u16, instrument: u32, side: Side, qty: i64, fills: i64 },
    End { pick: usize },
    Timer,
    Session,
}

fn ops() -> impl Strategy<Value = Op> {
    let side = prop::sample::select(&[Side::Buy, Side::Sell][..]);
    prop_oneof![
        4 => (0..INSTRUMENTS, 995_i64..1_005).prop_map(|(instrument, px)| Op::Mark { instrument, px: px * 1_000 }),
        8 => (0_u16..40, 0..INSTRUMENTS, side, 1_i64..6, 0_i64..6)
            .prop_map(|(account, instrument, side, qty, fills)| Op::Order { account, instrument, side, qty, fills }),
        3 => any::<usize>().prop_map(|pick| Op::End { pick }),
        1 => Just(Op::Timer),
        1 => Just(Op::Session),
    ]
}

proptest! {
    /// Goal: at every verdict the sums of the order's path equal those counted again from all lines; the same order is
    /// judged alike before anything is settled; after a timer all sums do; what a mark shows as the highest profit or a loss is
    /// one at the present marks; the ring has everybody who is exposed. Method:
    /// random sequences over 40 accounts in two currencies and three instruments.
    #[test]
    fn equals_counting_again(
        tight in 0_i128..400,
        ops in prop::collection::vec(ops(), 1..150),
    ) {
        let money = |units: i128| Money(units * 1_000_000 * crate::fixture::FACTOR);
        let limits = AccountLimits {
            gross_max: money(20 + tight),
            net_max: Some(money(15 + tight)),
            loss_max: Some(Money(tight * crate::fixture::FACTOR * 100)),
            drawdown_max_bps: Some(500),
            cash: money(tight),
            cash_binds: false,
            ..ACCOUNT_LIMITS()
        };
        let mut floor = floor(40, limits);
        let mut markets = [MARKET; INSTRUMENTS as usize];
        let mut open: Vec<Reservation> = Vec::new();
        let peaks = |risk: &Risk| {
            (0..40).map(|n| risk.account(AccountId(n)).unwrap().peak2).collect::<Vec<_>>()
        };
        // Many hold two instruments, whose turns go against each other.
        for number in 1..21 {
            for (instrument, side, number) in [(0, Side::Buy, number), (1, Side::Sell, 21 - number)] {
                let (account, instrument) = (AccountId(number), InstrumentId(instrument));
                let order = Order { account, instrument, ..floor.order(side, 1, 1_000_000) };
                if let Ok((_, mut held)) = floor.clear(order) {
                    floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
                }
            }
        }
        while floor.risk.take_loss().is_some() {}
        for op in ops {
            let before = peaks(&floor.risk);
            match op {
                Op::Mark { instrument, px } => {
                    markets[instrument as usize] = market(px);
                    floor.risk.mark(InstrumentId(instrument), &markets[instrument as usize]);
                }
                Op::Order { account, instrument, side, qty, fills } => {
                    let (account, instrument) = (AccountId(account), InstrumentId(instrument));
                    floor.market = markets[instrument.0 as usize];
                    let order = Order { account, instrument, ..floor.order(side, qty, 1_000_000) };
                    let before = floor.risk.check(&order, &floor.market, floor.moment).0;
                    let ruling = floor.clear(order);
                    prop_assert_eq!(ruling.as_ref().err().copied(), (!before.passed()).then_some(before));
                    for id in floor.risk.path(account).iter() {
                        prop_assert!(is_exact(&floor.risk, id.0));
                    }
                    if let Ok((_, mut held)) = ruling {
                        if fills > 0 {
                            floor.risk.fill(&mut held, Px(1_000_000), Qty(fills.min(qty))).unwrap();
                        }
                        open.push(held);
                    }
                }
                Op::End { pick } if !open.is_empty() => {
                    let mut held = open.swap_remove(pick % open.len());
                    floor.risk.release(&mut held);
                }
                Op::End { .. } => {}
                Op::Timer => floor.risk.catch_up(),
                Op::Session => floor.risk.begin_session(),
            }
            assert_sound(&floor.risk, 40);
            let told: Vec<_> = std::iter::from_fn(|| floor.risk.take_loss()).collect();
            if matches!(op, Op::Mark { .. } | Op::Timer) {
                for number in 0..40_u16 {
                    let account = floor.risk.account(AccountId(number)).unwrap();
                    let is_told = told.iter().any(|(id, ..)| id.0 == number);
                    let rose = account.peak2 != before[usize::from(number)];
                    prop_assert!(!rose || account.peak2 == account.present_profit2());
                    prop_assert!(!is_told || account.lost(account.present_profit2()).is_some());
                    prop_assert!(!(rose || is_told) || is_exact(&floor.risk, number));
                }
            }
            if matches!(op, Op::Timer | Op::Session) {
                prop_assert!((0..40).all(|number| is_exact(&floor.risk, number)));
            }
        }
        floor.risk.catch_up();
        prop_assert!((0..40).all(|number| is_exact(&floor.risk, number)));
        assert_sound(&floor.risk, 40);
    }
}
