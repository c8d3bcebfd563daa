use model::page::Permission;
use model::{Order, OrderType, Px, Qty, Reject, Side, Ts, Verdict};

use super::{BOTH, account_floor, money, pair_floor};
use crate::fixture::{ACCOUNT, ACCOUNT_LIMITS, Floor, INSTRUMENT, PAIR_LIMITS};
use crate::{AccountLimits, OrderToTrade, Reference, Restriction, VolumeLimit};

/// Goal: an account that may only close passes what reduces, no flip, nothing from flat. Method: −1 / 0 / +1
/// of what is held less what works already, from both sides.
#[test]
fn reduce_only() {
    for side in BOTH {
        let mut floor = Floor::new();
        floor.hold(side, 10);
        floor.pass(side.opposite(), 3, 1_000_000);
        floor.risk.accounts[0].limits.permission = Permission::CloseOnly;
        for (qty, refused) in [(6, false), (7, false), (8, true), (i64::MAX, true)] {
            let close = floor.order(side.opposite(), qty, 1_000_000);
            assert_eq!(floor.fails(&close, Reject::ReduceOnly), refused, "{side} {qty}");
            assert!(!floor.fails(&close, Reject::NotPermitted));
        }
        let add = floor.order(side, 1, 1_000_000);
        assert!(floor.fails(&add, Reject::ReduceOnly));
    }
}

/// Goal: the list stops what it names and nothing else. Method: every entry, both sides, opening and
/// reducing.
#[test]
fn restricted() {
    let stops = |restricted, side: Side, held: Option<Side>| {
        let mut floor = Floor::new();
        if let Some(held) = held {
            floor.hold(held, 1);
        }
        let mut limits = crate::fixture::PAIR_LIMITS;
        limits.restricted = restricted;
        floor.risk.set_pair_limits(ACCOUNT, INSTRUMENT, limits).unwrap();
        let order = floor.order(side, 1, 1_000_000);
        floor.fails(&order, Reject::Restricted)
    };
    for side in BOTH {
        let other = Some(side.opposite());
        assert!(!stops(Restriction::None, side, None) && stops(Restriction::All, side, other));
        assert_eq!(stops(Restriction::Buy, side, other), side == Side::Buy);
        assert_eq!(stops(Restriction::Sell, side, other), side == Side::Sell);
        assert!(
            stops(Restriction::Increase, side, None) && !stops(Restriction::Increase, side, other)
        );
    }
}

/// Goal: a spread of exactly the limit passes, one price unit more does not, and a side must be there.
/// Method: around two basis points of the mid; each side gone, locked, crossed.
#[test]
fn spread() {
    let mut floor = pair_floor(|limits| limits.spread_max_bps = Some(2));
    let order = floor.order(Side::Buy, 1, 1_000_000);
    for (bid, ask, refused) in [
        (999_901, 1_000_100, false),
        (999_900, 1_000_100, false),
        (999_899, 1_000_100, true),
        (1_000_000, 1_000_000, true),
        (1_000_100, 999_900, true),
        (1, i64::MAX, true),
    ] {
        (floor.market.bid, floor.market.ask) = (Some(Px(bid)), Some(Px(ask)));
        assert_eq!(floor.fails(&order, Reject::Spread), refused, "{bid} {ask}");
    }
    (floor.market.bid, floor.market.ask) = (Some(Px(999_899)), Some(Px(1_000_100)));
    assert_eq!(floor.finds(&order, Reject::Spread).used, 3, "2.01, rounded up");
    (floor.market.bid, floor.market.ask) = (Some(Px(999_900)), Some(Px(1_000_100)));
    assert_eq!(floor.finds(&order, Reject::Spread).used, 2, "exactly");
    for (bid, ask) in [(None, Some(Px(1_000_100))), (Some(Px(999_900)), None)] {
        (floor.market.bid, floor.market.ask) = (bid, ask);
        assert!(floor.fails(&order, Reject::Spread));
    }
    assert!(!Floor::new().fails(&order, Reject::Spread));
    let mut wide = pair_floor(|limits| limits.spread_max_bps = Some(u32::MAX));
    for (bid, refused) in [(0, true), (1, false)] {
        wide.market.bid = Some(Px(bid));
        assert_eq!(wide.fails(&order, Reject::Spread), refused, "zero is no price");
    }
}

/// Goal: an order is measured against an average day; without a figure, or with an old one, nothing passes.
/// Method: one percent of a thousand at −1 / 0 / +1; no figure, zero, on its last day and after it.
#[test]
fn adv() {
    let mut floor = pair_floor(|limits| limits.adv_max_bps = Some(100));
    let refused = |floor: &mut Floor, adv, qty| {
        floor.risk.set_reference(INSTRUMENT, Reference { adv, band: None }).unwrap();
        let order = floor.order(Side::Sell, qty, 1_000_000);
        floor.fails(&order, Reject::Adv)
    };
    let fresh = Some((Qty(1_000), Ts(10_000)));
    for (qty, expected) in [(9, false), (10, false), (11, true), (i64::MAX, true)] {
        assert_eq!(refused(&mut floor, fresh, qty), expected, "{qty}");
    }
    // Ten of 999 are a little more than a hundredth; the figure is rounded up.
    assert!(refused(&mut floor, Some((Qty(999), Ts(10_000))), 10));
    let order = floor.order(Side::Sell, 10, 1_000_000);
    assert_eq!(floor.finds(&order, Reject::Adv).used, 101);
    assert!(!refused(&mut floor, fresh, 10));
    assert_eq!(floor.finds(&order, Reject::Adv).used, 100);
    assert!(refused(&mut floor, None, 1) && refused(&mut floor, Some((Qty(0), Ts(10_000))), 1));
    assert!(refused(&mut floor, Some((Qty(1_000), Ts(9_999))), 1));
    assert!(floor.risk.set_reference(model::InstrumentId(9), Reference::default()).is_err());
}

/// Goal: the band is kept on the side that would break it, its edges pass, and one that must be known is.
/// Method: −1 / 0 / +1 of both edges; no band.
#[test]
fn venue_band() {
    let mut floor = pair_floor(|limits| limits.venue_band = true);
    let order = floor.order(Side::Buy, 1, 1_000_000);
    assert!(floor.fails(&order, Reject::VenueBand), "not known");
    let band = Some((Px(990_000), Px(1_005_000)));
    floor.risk.set_reference(INSTRUMENT, Reference { adv: None, band }).unwrap();
    let mut refused = |side, px| {
        let order = floor.order(side, 1, px);
        floor.fails(&order, Reject::VenueBand)
    };
    assert!(!refused(Side::Buy, 1_004_999) && !refused(Side::Buy, 1_005_000));
    assert!(refused(Side::Buy, 1_005_001) && !refused(Side::Sell, 1_005_001));
    assert!(!refused(Side::Sell, 990_001) && !refused(Side::Sell, 990_000));
    assert!(refused(Side::Sell, 989_999) && !refused(Side::Buy, 989_999));
    assert!(!Floor::new().fails(&order, Reject::VenueBand));
    let found = floor.finds(&order, Reject::VenueBand);
    assert_eq!((found.limit, found.used), (1_005_000, 1_000_000));
}

/// Goal: no sale leaves the account short of more than is located, working sales counted; buys are free.
/// Method: from a long and from a short position, −1 / 0 / +1.
#[test]
fn short_sale() {
    for (held, side, most) in [(4, Side::Buy, 7), (2, Side::Sell, 1)] {
        let mut floor = Floor::new();
        floor.hold(side, held);
        floor.pass(Side::Sell, 2, 1_000_100);
        let mut limits = crate::fixture::PAIR_LIMITS;
        limits.located = Some(Qty(5));
        floor.risk.set_pair_limits(ACCOUNT, INSTRUMENT, limits).unwrap();
        for (qty, refused) in [(most - 1, false), (most, false), (most + 1, true), (i64::MAX, true)]
        {
            let sell = floor.order(Side::Sell, qty, 1_000_000);
            assert_eq!(floor.fails(&sell, Reject::ShortSale), refused, "{side} {qty}");
            let buy = floor.order(Side::Buy, qty, 1_000_000);
            assert!(!floor.fails(&buy, Reject::ShortSale));
        }
    }
}

/// Goal: money of passed orders counts within the window, that of refused ones does not. Method: fill a part,
/// refuse one, −1 / 0 / +1 of the rest; after the window all of it again.
#[test]
fn volume() {
    let mut floor = account_floor(|limits| {
        limits.volume = Some(VolumeLimit { max: money(10 * 1_000_000), window_ns: 80 });
    });
    floor.pass(Side::Buy, 4, 1_000_000);
    let refused = floor.order(Side::Buy, 1_001, 1_000_000);
    assert!(floor.clear(refused).is_err());
    let fails = |floor: &mut Floor, qty| {
        let order = floor.order(Side::Sell, qty, 1_000_000);
        floor.fails(&order, Reject::Volume)
    };
    floor.moment.now = Ts(10_079);
    assert!(!fails(&mut floor, 5) && !fails(&mut floor, 6) && fails(&mut floor, 7));
    floor.moment.now = Ts(10_090);
    assert!(!fails(&mut floor, 10) && fails(&mut floor, 11) && fails(&mut floor, i64::MAX));
}

/// Goal: orders are free up to a number, then bound to trades; a replace counts twice, a session begins anew.
/// Method: refused orders count up; a trade allows more.
#[test]
fn order_to_trade() {
    let mut floor = account_floor(|limits| {
        limits.order_to_trade = Some(OrderToTrade { ratio_max: 1, free: 3 });
    });
    let mut held = floor.pass(Side::Buy, 2, 1_000_000);
    let change = floor.order(Side::Buy, 1, 1_000_000);
    let _asked = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment).unwrap();
    let next = floor.order(Side::Buy, 1, 1_000_000);
    assert!(floor.fails(&next, Reject::OrderToTrade), "three were free");
    floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
    assert!(floor.fails(&next, Reject::OrderToTrade), "one trade allows two");
    floor.risk.fill(&mut held, Px(1_000_000), Qty(1)).unwrap();
    assert!(!floor.fails(&next, Reject::OrderToTrade), "two allow four");
    let bad = floor.order(Side::Buy, -1, 1_000_000);
    assert!(floor.clear(bad).is_err());
    assert!(floor.fails(&next, Reject::OrderToTrade));
    assert_eq!(floor.finds(&next, Reject::OrderToTrade).limit, 4);
    let mut wide = account_floor(|limits| {
        limits.order_to_trade = Some(OrderToTrade { ratio_max: 4, free: 0 });
    });
    (0..3).for_each(|_| wide.hold(Side::Buy, 1));
    assert_eq!(wide.finds(&next, Reject::OrderToTrade).limit, 15, "five for each of three");
    floor.risk.begin_session();
    assert!(!floor.fails(&next, Reject::OrderToTrade));
}

/// Goal: after so many fills nothing passes, not in the next session either, until an operator says so.
/// Method: fill twice; a session; the operator.
#[test]
fn executions() {
    let mut floor = account_floor(|limits| limits.executions_max = Some(2));
    let next = floor.order(Side::Sell, 1, 1_000_000);
    floor.hold(Side::Buy, 1);
    assert!(!floor.fails(&next, Reject::Executions));
    floor.hold(Side::Buy, 1);
    floor.risk.begin_session();
    assert!(floor.fails(&next, Reject::Executions));
    assert!(floor.risk.allow_executions(ACCOUNT) && !floor.fails(&next, Reject::Executions));
    assert!(!floor.risk.allow_executions(model::AccountId(9)));
}

/// Goal: new terms count twice among orders. Method: an order, and room for one more or two.
#[test]
fn a_replace_is_two_orders() {
    for (free, passes) in [(2, false), (3, true)] {
        let mut floor = account_floor(|limits| {
            limits.order_to_trade = Some(OrderToTrade { ratio_max: 0, free });
        });
        let mut held = floor.pass(Side::Buy, 2, 1_000_000);
        let change = floor.order(Side::Buy, 1, 1_000_000);
        let ruling = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment);
        let refused = ruling.err().map(|verdict| verdict.bits);
        assert_eq!(refused, (!passes).then_some(Verdict::bit(Reject::OrderToTrade)));
    }
}

/// Goal: a triggered stop does not meet again what counts requests, nor itself. Method: rate, volume, ratio and open orders that
/// the stop used up as it was asked for.
#[test]
fn a_trigger_is_no_request() {
    let mut floor = Floor::with(
        AccountLimits {
            open_orders_max: 1,
            rate_max: 1,
            volume: Some(VolumeLimit { max: money(1_000_500), window_ns: 80 }),
            order_to_trade: Some(OrderToTrade { ratio_max: 0, free: 1 }),
            ..ACCOUNT_LIMITS()
        },
        PAIR_LIMITS,
    );
    let mut stop = floor.order(Side::Buy, 1, 1_000_500);
    (stop.order_type, stop.conditions.stop_px) = (OrderType::StopLimit, Px(1_000_200));
    let mut held = floor.risk.clear_held(&stop, None, &floor.market, floor.moment).unwrap();
    let fired = Order { order_type: OrderType::Limit, ..stop };
    let again = floor.order(Side::Buy, 1, 1_000_500);
    for code in [Reject::Rate, Reject::Volume, Reject::OrderToTrade, Reject::OpenOrders] {
        assert!(floor.fails(&again, code), "{code:?}");
    }
    let ruling = floor.risk.clear_triggered(fired, &mut held, &floor.market, floor.moment);
    assert_eq!(ruling.err().map(|verdict| verdict.failed().collect::<Vec<_>>()), None);
}

/// Goal: an order whose price no table has room for is refused. Method: as many as there is room for, one more; again when one
/// has ended.
#[test]
fn prices_have_an_end() {
    let mut floor =
        account_floor(|limits| (limits.open_orders_max, limits.rate_max) = (2_000, 2_000));
    let mut last = None;
    for _ in 0..floor.risk_capacity().orders {
        last = Some(floor.pass(Side::Buy, 1, 1_000_000));
    }
    let beyond = floor.order(Side::Buy, 1, 1_000_000);
    let refused = floor.clear(beyond).unwrap_err();
    assert_eq!(refused.failed().collect::<Vec<_>>(), [Reject::Capacity]);
    floor.risk.release(&mut last.unwrap());
    floor.pass(Side::Buy, 1, 1_000_000);
}

/// Goal: what is never sent is no money within the window. Method: a parent of the whole volume, then an order of as much.
#[test]
fn a_parent_takes_no_volume() {
    let mut floor = account_floor(|limits| {
        limits.volume = Some(VolumeLimit { max: money(10 * 1_000_000), window_ns: 80 });
    });
    let mut parent = floor.order(Side::Buy, 10, 1_000_000);
    parent.conditions.parent_only = true;
    assert!(floor.risk.clear_held(&parent, None, &floor.market, floor.moment).is_ok());
    floor.pass(Side::Buy, 10, 1_000_000);
}
