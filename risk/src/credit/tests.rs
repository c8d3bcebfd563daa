use model::{Money, Px, Reject, Side};

use super::*;
use crate::fixture::{ACCOUNT, ACCOUNT_LIMITS, FACTOR, Floor, PAIR_LIMITS};
use crate::{NewLimits, OrderToTrade, PairLimits, VolumeLimit};

/// Money of one share at 100.00.
const SHARE: i128 = 1_000_000 * FACTOR;
const SECOND: Share = Share { number: 1, count: 2 };

/// Every limit that is shared is on; an equal part of two is half of it.
fn limits() -> AccountLimits {
    AccountLimits {
        gross_max: Money(401 * SHARE),
        net_max: Some(Money(400 * SHARE)),
        day_gross_max: Some(Money(800 * SHARE)),
        loss_max: Some(Money(200 * SHARE)),
        open_orders_max: 21,
        rate_max: 40,
        rate_window_ns: 1_000,
        volume: Some(VolumeLimit { max: Money(600 * SHARE), window_ns: 1_000 }),
        executions_max: Some(30),
        ..ACCOUNT_LIMITS()
    }
}

fn floor() -> Floor {
    Floor::sharing(SECOND, limits(), PAIR_LIMITS)
}

fn credit(floor: &Floor, limit: CreditKind) -> Credit {
    floor.risk.credit(ACCOUNT, limit, floor.moment.now).unwrap()
}

fn set(floor: &mut Floor, limit: CreditKind, to: i128) -> Option<i128> {
    floor.risk.set_credit(ACCOUNT, limit, to, floor.moment.now)
}

/// The check that a slice is one of.
fn check_of(limit: CreditKind) -> Reject {
    match limit {
        CreditKind::Gross => Reject::Gross,
        CreditKind::Net => Reject::Net,
        CreditKind::DayGross => Reject::DayGross,
        CreditKind::Loss => Reject::Loss,
        CreditKind::OpenOrders => Reject::OpenOrders,
        CreditKind::Rate => Reject::Rate,
        CreditKind::Volume => Reject::Volume,
        CreditKind::Executions => Reject::Executions,
    }
}

/// Goal: the parts of a total sum up to it, and those of all limits and of the cash. Method: every count of engines up to
/// nine, numbers that do not divide.
#[test]
fn parts_sum_up() {
    for count in 1..=9 {
        let parts: Vec<AccountLimits> =
            (0..count).map(|number| limits().part(Share::new(number, count).unwrap())).collect();
        for limit in CreditKind::ALL {
            let sum: i128 = parts.iter().map(|part| part.credit(*limit).unwrap()).sum();
            assert_eq!(Some(sum), limits().credit(*limit), "{limit} of {count}");
        }
        assert_eq!(parts.iter().map(|part| part.cash.0).sum::<i128>(), limits().cash.0);
    }
    assert_eq!(limits().part(Share::WHOLE), limits());
    assert_eq!((Share::new(2, 2), Share::new(0, 0)), (None, None));
}

/// Goal: the gate judges by the slice, whatever the check counts, to the unit. Method: a position, a working order and a loss;
/// then of each limit the slice that an order needs, and one less.
#[test]
fn the_slice_is_the_limit() {
    let mut floor = floor();
    floor.hold(Side::Buy, 50);
    let _working = floor.pass(Side::Buy, 50, 1_000_000);
    // 50 shares that can be sold 1 lower: the exit is the bid.
    floor.market.bid = Some(Px(990_000));
    floor.market.ask = Some(Px(990_100));
    let order = floor.order(Side::Buy, 10, 990_000);
    floor.risk.mark(order.instrument, &floor.market);
    for limit in CreditKind::ALL {
        let code = check_of(*limit);
        let finding = floor.finds(&order, code);
        assert!(!finding.failed && finding.used > 0, "{limit}");
        assert_eq!(finding.limit, limits().part(SECOND).credit(*limit).unwrap(), "{limit}");
        let (used, slice) = (finding.used, finding.limit);
        // What is used already may be more than one below what the order needs.
        floor.risk.accounts[0].limits.set_credit(*limit, used - 1).unwrap();
        assert!(floor.fails(&order, code), "{limit}");
        assert_eq!(set(&mut floor, *limit, used), Some(used));
        assert!(!floor.fails(&order, code), "{limit}");
        assert_eq!(set(&mut floor, *limit, slice), Some(slice));
    }
}

/// Goal: a slice falls to what is used and no further, as the check counts it; what is beyond it leaves it where it is; it rises
/// as asked. Method: something of every limit used; less than that, nothing, and more asked for; then a slice below what is used.
#[test]
fn falls_to_what_is_used() {
    let mut floor = floor();
    floor.hold(Side::Buy, 50);
    let _working = floor.pass(Side::Buy, 50, 1_000_000);
    floor.market.bid = Some(Px(990_000));
    let instrument = crate::fixture::INSTRUMENT;
    floor.risk.mark(instrument, &floor.market);
    let used = [
        (CreditKind::OpenOrders, 1),
        (CreditKind::Rate, 2),
        (CreditKind::Executions, 1),
        (CreditKind::Volume, 100 * SHARE),
        (CreditKind::DayGross, 100 * SHARE),
        (CreditKind::Loss, 50 * SHARE / 100),
        // At the mid of 99.00 and 100.01.
        (CreditKind::Gross, 100 * 995_050 * FACTOR),
        (CreditKind::Net, 100 * 995_050 * FACTOR),
    ];
    assert_eq!(used.len(), CreditKind::ALL.len());
    for (limit, used) in used {
        let slice = credit(&floor, limit).slice;
        assert_eq!(credit(&floor, limit), Credit { slice, used }, "{limit}");
        assert_eq!(set(&mut floor, limit, used + 1), Some(used + 1), "{limit}");
        for to in [used - 1, 0] {
            assert_eq!(set(&mut floor, limit, to), Some(used), "{limit} to {to}");
        }
        floor.risk.accounts[0].limits.set_credit(limit, used / 2).unwrap();
        assert_eq!(set(&mut floor, limit, 0), Some(used / 2), "{limit} is exceeded already");
        assert_eq!(set(&mut floor, limit, slice), Some(slice), "{limit}");
    }
}

/// Goal: a rate and a volume give back what left their window, and nothing before. Method: use all of both, and ask for it at
/// both sides of the end of the window.
#[test]
fn windows_give_back_what_left_them() {
    let mut floor = floor();
    for _ in 0..20 {
        let mut held = floor.pass(Side::Buy, 5, 1_000_000);
        floor.risk.release(&mut held);
    }
    let (rate, volume) = (CreditKind::Rate, CreditKind::Volume);
    let begun = floor.moment.now.0;
    assert_eq!(set(&mut floor, volume, 0), Some(100 * SHARE));
    for (later, left) in [(0, 20), (999, 20), (1_000, 0)] {
        floor.moment = crate::Moment::at(Ts(begun + later));
        assert_eq!(set(&mut floor, rate, 0), Some(left), "{later}");
    }
    // In eighths: what is in the ninth is gone for certain.
    floor.moment = crate::Moment::at(Ts(begun + 1_250));
    assert_eq!(set(&mut floor, volume, 0), Some(0));
    assert_eq!(set(&mut floor, rate, 41), None, "the window has room for 40");
    assert_eq!(set(&mut floor, rate, 40), Some(40));
}

/// Goal: nothing moves where nothing is shared, of a limit that is off, of nobody, and by no number. Method: each of them.
#[test]
fn what_is_none_is_refused() {
    let mut whole = Floor::with(limits(), PAIR_LIMITS);
    assert_eq!(set(&mut whole, CreditKind::Gross, 7), None);
    let off = AccountLimits { net_max: None, volume: None, ..limits() };
    let mut floor = Floor::sharing(SECOND, off, PAIR_LIMITS);
    for limit in [CreditKind::Net, CreditKind::Volume] {
        assert_eq!(set(&mut floor, limit, 7), None);
        assert_eq!(floor.risk.credit(ACCOUNT, limit, Ts(0)), None);
    }
    assert_eq!(set(&mut floor, CreditKind::Gross, i128::MAX), None);
    assert_eq!(set(&mut floor, CreditKind::OpenOrders, 1 << 32), None);
    let nobody = floor.risk.set_credit(AccountId(9), CreditKind::Gross, 7, Ts(0));
    assert_eq!(nobody, None);
    assert_eq!(floor.risk.accounts[0].limits, off.part(SECOND));
}

/// Goal: other limits leave a slice of what did not become tighter, cut one of what did to its equal part, and give one of what
/// was off its equal part; so the slices of all are within the new limits, wherever they were. Method: both engines of two,
/// slices that moved, limits that go up, down, on and off.
#[test]
fn other_limits() {
    let (first, kind) = (Share { number: 0, count: 2 }, CreditKind::OpenOrders);
    let mut floors = [first, SECOND].map(|share| {
        let off = AccountLimits { executions_max: None, ..limits() };
        Floor::sharing(share, off, PAIR_LIMITS)
    });
    let slices = |floors: &[Floor; 2], kind| {
        floors
            .each_ref()
            .map(|floor| floor.risk.credit(ACCOUNT, kind, Ts(0)).map(|credit| credit.slice))
    };
    let mut old = AccountLimits { executions_max: None, ..limits() };
    for (floor, to) in floors.iter_mut().zip([4, 17]) {
        assert_eq!(set(floor, kind, to), Some(to));
    }
    let mut relimit = |floors: &mut [Floor; 2], new: AccountLimits| {
        for floor in floors {
            let mut next = NewLimits::new(&[old], &[new], 4).unwrap();
            let row = |rows: &mut crate::Rows, _, _| rows.push(PAIR_LIMITS);
            floor.risk.relimit(&mut next, floor.moment.now, row).unwrap();
        }
        old = new;
    };
    let most = |open_orders_max| AccountLimits { open_orders_max, ..limits() };
    relimit(&mut floors, most(30));
    assert_eq!(slices(&floors, kind), [Some(4), Some(17)]);
    assert_eq!(slices(&floors, CreditKind::Executions), [Some(15); 2], "it was off");
    relimit(&mut floors, AccountLimits { executions_max: None, ..most(11) });
    assert_eq!(slices(&floors, kind), [Some(4), Some(5)]);
    assert_eq!(slices(&floors, CreditKind::Executions), [None; 2]);
    // The window of a rate has room for the whole limit, also for one that grew.
    relimit(&mut floors, AccountLimits { rate_max: 100, ..most(11) });
    assert_eq!(slices(&floors, CreditKind::Rate), [Some(20); 2]);
    assert_eq!(set(&mut floors[0], CreditKind::Rate, 100), Some(100));
    assert_eq!(set(&mut floors[0], CreditKind::Rate, 101), None);
}

/// Goal: what a part of a margin's cash covers is judged by that part. Method: twice the cash that one of two needs, and a unit
/// less.
#[test]
fn a_margin_takes_of_its_part_of_the_cash() {
    let margin = Some(crate::Margin { long_bps: 10_000, short_bps: 10_000 });
    let pair = PairLimits { margin, ..PAIR_LIMITS };
    for (less, failed) in [(0, false), (2, true)] {
        let cash = Money(20 * SHARE - less);
        let account = AccountLimits { cash, cash_binds: false, ..limits() };
        let mut floor = Floor::sharing(SECOND, account, pair);
        let order = floor.order(Side::Buy, 10, 1_000_000);
        assert_eq!(floor.fails(&order, Reject::Margin), failed);
    }
}

/// Goal: that what cannot be shared is not shared unseen: a part has the ratio and the drawdown of the whole, which the
/// configuration refuses. Method: look.
#[test]
fn ratios_are_no_sums() {
    let order_to_trade = Some(OrderToTrade { ratio_max: 3, free: 5 });
    let account = AccountLimits { order_to_trade, drawdown_max_bps: Some(7), ..limits() };
    let part = account.part(SECOND);
    assert_eq!((part.order_to_trade, part.drawdown_max_bps), (order_to_trade, Some(7)));
}
