use model::page::{AsOf, Permission};
use model::{Order, Px, Qty, Reject, Side, Verdict};
use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::fixture::{ACCOUNT_LIMITS, FACTOR, Floor, INSTRUMENT, PAIR_LIMITS, USD, instrument};
use crate::{AccountLimits, Capacity, PairLimits, VolumeLimit};

const EUR: Currency = *b"EUR\0\0\0\0\0";
const FIRM: AccountId = AccountId(0);
const DESK: AccountId = AccountId(1);

const fn rate(num: u64, den: u64, at: u64) -> Rate {
    Rate { num, den, at: Ts(at) }
}

fn money(units: i128) -> Money {
    Money(units * FACTOR)
}

/// A firm in dollars above a desk in `currency`, which trades an instrument of that.
fn floor(currency: Currency, firm: AccountLimits) -> Floor {
    let mut floor = Floor::new();
    floor.risk = Risk::new(Capacity { accounts: 2, ..floor.risk_capacity() });
    floor.risk.add_account(AccountLimits { permission: Permission::Read, ..firm }).unwrap();
    let below = AccountLimits { parent: Some(FIRM), currency, ..ACCOUNT_LIMITS() };
    floor.risk.add_account(below).unwrap();
    floor.risk.list(&model::Instrument { currency, ..instrument(INSTRUMENT) }).unwrap();
    for account in [FIRM, DESK] {
        floor.risk.set_pair_limits(account, INSTRUMENT, PAIR_LIMITS).unwrap();
    }
    floor
}

fn order(floor: &mut Floor, side: Side, qty: i64) -> Order {
    Order { account: DESK, ..floor.order(side, qty, 1_000_000) }
}

fn page(floor: &Floor, id: AccountId) -> model::page::Account {
    floor.risk.account_page(id, AsOf::default(), floor.moment.now).unwrap()
}

/// Goal: without a rate, and with one that is too old, nothing passes; the order's own account is not asked for one. Method: no
/// rate, no word on its age, ages at −1 / 0 / +1; another pair of currencies.
#[test]
fn absent_or_stale_refuses() {
    let mut floor = floor(EUR, ACCOUNT_LIMITS());
    let order = order(&mut floor, Side::Buy, 1);
    assert!(floor.fails(&order, Reject::NoReference));
    floor.risk.set_rate(EUR, USD, rate(1, 1, 9_999), Ts(10_000)).unwrap();
    assert!(floor.fails(&order, Reject::NoReference), "nobody said how old it may be");
    floor.risk.allow_rate(EUR, USD, 50).unwrap();
    for (now, refused) in
        [(9_998, true), (9_999, false), (10_048, false), (10_049, false), (10_050, true)]
    {
        floor.moment.now = Ts(now);
        (floor.market.updated, floor.market.channel_updated) = (Ts(now), Ts(now));
        assert_eq!(floor.fails(&order, Reject::NoReference), refused, "{now}");
    }
    assert_eq!(floor.risk.allow_rate(USD, EUR, 1), Err(LimitError::UnknownPair));
    let mut set = |from, to, of, now| floor.risk.set_rate(from, to, of, Ts(now));
    assert_eq!(set(USD, EUR, rate(1, 1, 1), 1), Err(BooksRefusal::UnknownPair));
    assert_eq!(set(EUR, USD, rate(0, 1, 10_050), 10_050), Err(BooksRefusal::BadNumber));
    assert_eq!(set(EUR, USD, rate(1, 1 << 63, 10_050), 10_050), Err(BooksRefusal::BadNumber));
    assert_eq!(set(EUR, USD, rate(1, 1, 9_998), 10_050), Err(BooksRefusal::NotLater));
    assert_eq!(set(EUR, USD, rate(1, 1, 10_051), 10_050), Err(BooksRefusal::NotLater));
    assert_eq!(set(EUR, USD, rate(2, 1, 9_999), 10_050), Ok(()), "of the same time");
    assert_eq!(set(EUR, USD, rate(2, 1, 10_050), 10_050), Ok(()));
    assert!(!floor.fails(&order, Reject::NoReference));
}

/// Goal: the firm's limits are in its own currency, the desk's in its own, and what is changed is rounded against the firm.
/// Method: 1.0842; each limit at exactly ten of the desk's, then a unit of money less.
#[test]
fn limits_are_in_own_currency() {
    let ten = 10_842_000_i128; // 10 · 1,000,000 · 1.0842
    type Set = fn(&mut AccountLimits, Money);
    let each: [(Reject, Set); 4] = [
        (Reject::Gross, |limits, max| limits.gross_max = max),
        (Reject::Net, |limits, max| limits.net_max = Some(max)),
        (Reject::DayGross, |limits, max| limits.day_gross_max = Some(max)),
        (Reject::Volume, |limits, max| limits.volume = Some(VolumeLimit { max, window_ns: 1_000 })),
    ];
    for (code, set) in each {
        for (max, refused) in [(money(ten), false), (Money(money(ten).0 - 1), true)] {
            let mut limits = ACCOUNT_LIMITS();
            set(&mut limits, max);
            let mut floor = floor(EUR, limits);
            floor.risk.allow_rate(EUR, USD, 1_000).unwrap();
            floor.risk.set_rate(EUR, USD, rate(10_842, 10_000, 10_000), Ts(10_000)).unwrap();
            let first = order(&mut floor, Side::Buy, 4);
            let mut held = floor.clear(first).unwrap().1;
            floor.risk.fill(&mut held, Px(1_000_000), Qty(2)).unwrap();
            let last = order(&mut floor, Side::Buy, 6);
            assert_eq!(floor.fails(&last, code), refused, "{code}");
            assert!(!floor.fails(&Order { qty: Qty(5), ..last }, code), "{code}");
        }
    }
    let mut floor = floor(EUR, ACCOUNT_LIMITS());
    floor.risk.allow_rate(EUR, USD, 1_000).unwrap();
    floor.risk.set_rate(EUR, USD, rate(1, 3, 10_000), Ts(10_000)).unwrap();
    let first = order(&mut floor, Side::Buy, 1);
    let mut held = floor.clear(first).unwrap().1;
    let third = 1_000_000 * FACTOR / 3;
    assert_eq!(
        (page(&floor, FIRM).gross, page(&floor, FIRM).reserved),
        (Money(third + 1), Money(third + 1))
    );
    assert_eq!(page(&floor, DESK).gross, money(1_000_000));
    floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
    let (cash, start) = (page(&floor, FIRM).cash, ACCOUNT_LIMITS().cash);
    assert_eq!((cash, page(&floor, FIRM).reserved), (Money(start.0 - third - 1), Money(0)));
    assert_eq!(
        page(&floor, FIRM).unrealised,
        Money(-((100 * FACTOR + 2) / 3)),
        "the loss, rounded up"
    );
}

/// Goal: what is too large when it is changed stops, on its side of zero. Method: the ends of the type at the largest rate.
#[test]
fn changes_stop() {
    let largest = rate(i64::MAX as u64, 1, 0);
    for up in [false, true] {
        assert_eq!(largest.change(i128::MAX, up), CHANGED_MAX);
        assert_eq!(largest.change(i128::MIN, up), -CHANGED_MAX);
    }
}

/// Goal: of several currencies each counts what is of it, the firm's own among them, and the rate of one matters while something
/// is counted in it. Method: three desks; orders of each at 0 / +1 of what one of them left; a rate that is missing, then old.
#[test]
fn each_currency_for_itself() {
    const GBP: Currency = *b"GBP\0\0\0\0\0";
    let max = money(10_000_000);
    let firm = AccountLimits {
        day_gross_max: Some(max),
        volume: Some(VolumeLimit { max, window_ns: 10_000 }),
        ..ACCOUNT_LIMITS()
    };
    let mut floor = Floor::new();
    let capacity = Capacity { accounts: 4, lines: 6, ..floor.risk_capacity() };
    floor.risk = Risk::new(capacity);
    floor.risk.add_account(firm).unwrap();
    for (number, currency) in (0..).zip([USD, EUR, GBP]) {
        let below = AccountLimits { parent: Some(FIRM), currency, ..ACCOUNT_LIMITS() };
        let (desk, id) = (floor.risk.add_account(below).unwrap(), model::InstrumentId(number));
        floor.risk.list(&model::Instrument { currency, ..instrument(id) }).unwrap();
        for account in [FIRM, desk] {
            floor.risk.set_pair_limits(account, id, PAIR_LIMITS).unwrap();
        }
    }
    let order = |floor: &mut Floor, number: u32, qty| {
        let (account, instrument) = (AccountId(number as u16 + 1), model::InstrumentId(number));
        Order { account, instrument, ..floor.order(Side::Buy, qty, 1_000_000) }
    };
    for (from, worth, age_max_ns) in [(EUR, 2, 1_000), (GBP, 3, 50)] {
        let pounds = order(&mut floor, 2, 1);
        assert!(floor.fails(&pounds, Reject::NoReference));
        floor.risk.allow_rate(from, USD, age_max_ns).unwrap();
        floor.risk.set_rate(from, USD, rate(worth, 1, 10_000), Ts(10_000)).unwrap();
        if from == EUR {
            let euros = order(&mut floor, 1, 2); // Four of the firm's ten.
            let _passed = floor.clear(euros).unwrap();
        }
    }
    for (number, rest) in [(0, 6), (1, 3), (2, 2)] {
        for code in [Reject::DayGross, Reject::Volume] {
            for (qty, refused) in [(rest, false), (rest + 1, true)] {
                let order = order(&mut floor, number, qty);
                assert_eq!(floor.fails(&order, code), refused, "{code} {number} {qty}");
            }
        }
    }
    let pounds = order(&mut floor, 2, 1);
    let euros = order(&mut floor, 1, 1);
    let refused_later = |floor: &Floor| {
        let later = Ts(10_051);
        let market = crate::Market { updated: later, channel_updated: later, ..floor.market };
        let (verdict, _) = floor.risk.check(&euros, &market, crate::Moment::at(later));
        verdict.failed().any(|code| code == Reject::NoReference)
    };
    assert!(!refused_later(&floor), "nothing is counted in pounds");
    let _passed = floor.clear(pounds).unwrap();
    assert!(refused_later(&floor), "their rate is too old");
}

/// Goal: a rate that moves makes a loss, which is told, and moves what is held at once. Method: a loss of a hundred in euros
/// that becomes more dollars than allowed.
#[test]
fn a_rate_makes_a_loss() {
    let mut floor = floor(EUR, AccountLimits { loss_max: Some(money(150)), ..ACCOUNT_LIMITS() });
    floor.risk.allow_rate(EUR, USD, 1_000).unwrap();
    floor.risk.set_rate(EUR, USD, rate(1, 1, 1), Ts(10_000)).unwrap();
    floor.risk.set_rate(EUR, USD, rate(3, 2, 9_990), Ts(10_000)).unwrap();
    let first = order(&mut floor, Side::Buy, 1);
    let mut held = floor.clear(first).unwrap().1;
    floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
    assert_eq!(floor.risk.take_loss(), None);
    let next = order(&mut floor, Side::Buy, 1);
    assert!(!floor.fails(&next, Reject::Loss));
    floor.risk.set_rate(EUR, USD, rate(301, 200, 9_991), Ts(10_000)).unwrap();
    assert!(floor.fails(&next, Reject::Loss));
    assert_eq!(floor.risk.take_loss().unwrap().0, FIRM);
}

/// Goal: a currency that no account above counts in, and too many, are refused; an instrument does not change its own.
/// Method: each.
#[test]
fn currencies_are_bounded() {
    let mut floor = Floor::new();
    floor.risk = Risk::new(Capacity { accounts: 20, ..floor.risk_capacity() });
    floor.risk.add_account(ACCOUNT_LIMITS()).unwrap();
    let below = |currency| AccountLimits { parent: Some(FIRM), currency, ..ACCOUNT_LIMITS() };
    for code in b'A'..b'A' + POCKETS_MAX as u8 {
        for _ in 0..2 {
            floor.risk.add_account(below([code; 8])).unwrap();
        }
    }
    let more = floor.risk.add_account(below(*b"ZZZ\0\0\0\0\0"));
    assert_eq!(more, Err(LimitError::TooManyCurrencies));
    assert!(floor.risk.add_account(below(USD)).is_ok());
    floor.risk.list(&instrument(INSTRUMENT)).unwrap();
    let other = model::Instrument { currency: EUR, ..instrument(INSTRUMENT) };
    assert_eq!(floor.risk.list(&other), Err(LimitError::BadScale));
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Order { side: Side, qty: i64, fills: i64 },
    End { pick: usize },
    Mark { px: i64 },
    Session,
}

fn ops() -> impl Strategy<Value = Op> {
    let side = prop::sample::select(&[Side::Buy, Side::Sell][..]);
    prop_oneof![
        8 => (side, 1_i64..6, 0_i64..6).prop_map(|(side, qty, fills)| Op::Order { side, qty, fills }),
        3 => any::<usize>().prop_map(|pick| Op::End { pick }),
        3 => (990_i64..1_010).prop_map(|px| Op::Mark { px: px * 1_000 }),
        1 => Just(Op::Session),
    ]
}

proptest! {
    /// Goal: a changed sum is the exact one, rounded down or up, or stops beyond every limit. Method: against big integers.
    #[test]
    fn changes_exactly(sum: i128, shift in 0_u32..120, num in 1..=i64::MAX as u64, den in 1..=i64::MAX as u64, small: bool) {
        let (num, den) = if small { (num % 100_000 + 1, den % 100_000 + 1) } else { (num, den) };
        let sum = sum >> shift;
        let exact = BigInt::from(sum) * num;
        for up in [false, true] {
            let changed = rate(num, den, 0).change(sum, up);
            if changed.abs() == CHANGED_MAX {
                prop_assert!(exact.magnitude() + den * 2 >= BigInt::from(CHANGED_MAX).magnitude() * den);
                prop_assert_eq!(changed < 0, sum < 0);
                continue;
            }
            let over = BigInt::from(changed) * den - &exact;
            let below = BigInt::from(den);
            let in_range =
                if up { BigInt::ZERO <= over && over < below } else { -below < over && over <= BigInt::ZERO };
            prop_assert!(in_range);
        }
    }

    /// Goal: a firm that counts in another currency at k to one, with k times the limits, judges as one in the same currency
    /// does; its sums are k times as much. Method: the same random orders, fills, ends and marks on both.
    #[test]
    fn scaled_limits_judge_alike(
        k in 1_u64..7,
        limit in 1_i128..30,
        ops in prop::collection::vec(ops(), 1..60),
    ) {
        let firm = |k: i128| AccountLimits {
            gross_max: money(k * limit * 1_000_000),
            net_max: Some(money(k * limit * 900_000)),
            day_gross_max: Some(money(k * limit * 5_000_000)),
            loss_max: Some(money(k * limit * 1_000)),
            drawdown_max_bps: Some(10),
            cash: money(k * limit * 1_000_000),
            volume: Some(VolumeLimit { max: money(k * 100_000_000), window_ns: 1_000 }),
            rate_max: 1_000,
            ..ACCOUNT_LIMITS()
        };
        let mut floors = [floor(USD, firm(1)), floor(EUR, firm(k.into()))];
        floors[1].risk.allow_rate(EUR, USD, 1_000).unwrap();
        floors[1].risk.set_rate(EUR, USD, rate(k * 5, 5, 10_000), Ts(10_000)).unwrap();
        let margin = Some(crate::Margin { long_bps: 9_000, short_bps: 12_000 });
        let mut open: Vec<[crate::Reservation; 2]> = Vec::new();
        for floor in &mut floors {
            let row = PairLimits { margin, ..PAIR_LIMITS };
            floor.risk.set_pair_limits(FIRM, INSTRUMENT, row).unwrap();
        }
        for op in ops {
            match op {
                Op::Order { side, qty, fills } => {
                    let rulings = floors.each_mut().map(|floor| {
                        let order = order(floor, side, qty);
                        floor.clear(order).map(|(_, held)| held)
                    });
                    let bits = |ruling: &Result<_, Verdict>| ruling.as_ref().err().map_or(0, |v| v.bits);
                    prop_assert_eq!(bits(&rulings[0]), bits(&rulings[1]));
                    if let [Ok(first), Ok(second)] = rulings {
                        let mut held = [first, second];
                        for (floor, held) in floors.iter_mut().zip(&mut held).filter(|_| fills > 0) {
                            floor.risk.fill(held, Px(1_000_000), Qty(fills.min(qty))).unwrap();
                        }
                        open.push(held);
                    }
                }
                Op::End { pick } if !open.is_empty() => {
                    let mut held = open.swap_remove(pick % open.len());
                    floors.iter_mut().zip(&mut held).for_each(|(floor, held)| floor.risk.release(held));
                }
                Op::End { .. } => {}
                Op::Mark { px } => for floor in &mut floors {
                    (floor.market.bid, floor.market.ask) = (Some(Px(px - 100)), Some(Px(px + 100)));
                    floor.risk.mark(INSTRUMENT, &floor.market);
                },
                Op::Session => floors.iter_mut().for_each(|floor| floor.risk.begin_session()),
            }
            let told = floors.each_mut().map(|floor| floor.risk.take_loss());
            prop_assert_eq!(told[0], told[1]);
            let [own, other] = floors.each_ref().map(|floor| page(floor, FIRM));
            let k = i128::from(k);
            for (own, other) in [
                (own.gross, other.gross), (own.margin, other.margin), (own.cash, other.cash),
                (own.realised, other.realised), (own.traded, other.traded), (own.reserved, other.reserved),
            ] {
                prop_assert!((own.0 * k - other.0).abs() <= k, "{} {}", own.0, other.0);
            }
            prop_assert!((own.session_profit.0 * k - other.session_profit.0).abs() <= k);
        }
    }
}
