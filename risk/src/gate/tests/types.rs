//! Types, times in force, triggers and links.

use model::{Conditions, Link, Order, OrderType, Px, Qty, Reject, Side, Tif, Ts};
use proptest::prelude::*;

use super::BOTH;
use crate::fixture::{ACCOUNT_LIMITS, Floor, INSTRUMENT, PAIR_LIMITS, instrument};
use crate::{LinkFit, PairLimits, Slice};

const STEP: i64 = 100;

fn order(floor: &mut Floor, side: Side, order_type: OrderType, tif: Tif) -> Order {
    Order { order_type, tif, ..floor.order(side, 1, 1_000_000) }
}

/// A stop a step beyond the last trade of 100.00, priced as the engine does.
fn stop(floor: &mut Floor, side: Side, stop_px: i64) -> Order {
    let conditions = Conditions { stop_px: Px(stop_px), ..Conditions::NONE };
    let order = Order { conditions, ..order(floor, side, OrderType::Stop, Tif::Gtc) };
    let px = floor.risk.collar_px(&order, &floor.market, floor.moment.now);
    Order { px: px.unwrap_or_default(), ..order }
}

/// Goal: what goes together passes and nothing else. Method: every type with every time in force, each alone and with each
/// condition, against a list written down by hand.
#[test]
fn unsupported() {
    let mut floor = Floor::new();
    let (stops, plain) = (Px(1_000_100), Conditions::NONE);
    for order_type in OrderType::ALL.iter().copied() {
        for tif in Tif::ALL.iter().copied() {
            let is_stop = matches!(order_type, OrderType::Stop | OrderType::StopLimit);
            let expires = if tif == Tif::Gtd { Ts(20_000) } else { Ts(0) };
            let base =
                Conditions { stop_px: if is_stop { stops } else { Px(0) }, expires, ..plain };
            let rests = matches!(tif, Tif::Day | Tif::Gtc | Tif::Gtd);
            let limit = matches!(order_type, OrderType::Limit | OrderType::StopLimit);
            let fits = match order_type {
                OrderType::Limit => true,
                OrderType::Market => !rests,
                OrderType::Stop | OrderType::StopLimit => rests,
            };
            let link = |link| Conditions { link: Some(link), ..base };
            let one_cancels = Link::OneCancels(model::OrderId(1));
            for (conditions, passes) in [
                (base, fits),
                (Conditions { stop_px: Px(stops.0 - base.stop_px.0), ..base }, false),
                (Conditions { stop_px: Px(-STEP), ..base }, fits && is_stop),
                (Conditions { expires: Ts(20_000 - expires.0), ..base }, false),
                (Conditions { display: Qty(1), ..base }, fits && limit && rests),
                (Conditions { display: Qty(2), ..base }, false),
                (Conditions { display: Qty(-1), ..base }, false),
                (Conditions { post_only: true, ..base }, fits && limit && rests),
                (Conditions { reduce_only: true, ..base }, fits),
                (Conditions { parent_only: true, ..base }, rests && order_type == OrderType::Limit),
                (Conditions { parent_only: true, reduce_only: true, ..base }, false),
                (link(one_cancels), fits && is_stop),
                (link(Link::Parent(model::OrderId(1))), fits),
            ] {
                let order = Order { conditions, ..order(&mut floor, Side::Buy, order_type, tif) };
                let refused = floor.fails(&order, Reject::Unsupported);
                assert_eq!(refused, !passes, "{order_type} {tif} {conditions:?}");
            }
        }
    }
    let order = floor.order(Side::Buy, 1, 1_000_000);
    for (fit, code) in [
        (LinkFit::Misfit, Reject::Unsupported),
        (LinkFit::Unknown, Reject::UnknownOrder),
        (LinkFit::Ended, Reject::NotOpen),
    ] {
        floor.moment.link = fit;
        assert!(floor.fails(&order, code));
    }
}

/// Goal: an order in the engine takes no new terms. Method: a replace of one that works and of one that waits.
#[test]
fn held_orders_take_no_new_terms() {
    let mut floor = Floor::new();
    let order = floor.order(Side::Buy, 2, 1_000_000);
    let (_, mut held) = floor.clear(order).unwrap();
    let change = Order { id: order.id, ..floor.order(Side::Buy, 1, 1_000_000) };
    floor.moment.held = true;
    let refused = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment);
    assert_eq!(refused.unwrap_err().primary.unwrap().code, Reject::Unsupported);
    floor.moment.held = false;
    let change = Order { id: order.id, ..floor.order(Side::Buy, 1, 1_000_000) };
    assert!(floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment).is_ok());
}

/// Goal: an end at or before now is too late, and so is an auction that is over. Method: a nanosecond on both sides.
#[test]
fn too_late() {
    let mut floor = Floor::new();
    let now = floor.moment.now.0;
    for (expires, late) in [(now - 1, true), (now, true), (now + 1, false), (u64::MAX, false)] {
        let conditions = Conditions { expires: Ts(expires), ..Conditions::NONE };
        let order = order(&mut floor, Side::Buy, OrderType::Limit, Tif::Gtd);
        assert_eq!(floor.fails(&Order { conditions, ..order }, Reject::TooLate), late, "{expires}");
    }
    for tif in [Tif::AtOpen, Tif::AtClose] {
        let order = order(&mut floor, Side::Sell, OrderType::Limit, tif);
        for over in [false, true] {
            floor.moment.cross_over = over;
            assert_eq!(floor.fails(&order, Reject::TooLate), over);
        }
    }
}

/// Goal: what hangs on the clock is refused while it cannot be trusted, and nothing else. Method: every time in force.
#[test]
fn clock_unsafe() {
    let mut floor = Floor::new();
    for tif in Tif::ALL.iter().copied() {
        let order = order(&mut floor, Side::Buy, OrderType::Limit, tif);
        for is_unsafe in [false, true] {
            floor.moment.clock_unsafe = is_unsafe;
            let timed = matches!(tif, Tif::Gtd | Tif::AtOpen | Tif::AtClose);
            assert_eq!(floor.fails(&order, Reject::ClockUnsafe), is_unsafe && timed, "{tif}");
        }
    }
}

/// Goal: a stop on the wrong side of the market is refused. Method: a step on both sides of what triggers it, and nothing that
/// would.
#[test]
fn trigger() {
    let mut floor = Floor::new();
    floor.market.triggers = [Some(Px(1_000_000)), Some(Px(999_000))];
    for (side, px, sign) in [(Side::Buy, 1_000_000, 1), (Side::Sell, 999_000, -1)] {
        for (steps, refused) in [(-1, true), (0, true), (1, false)] {
            let order = stop(&mut floor, side, px + sign * steps * STEP);
            assert_eq!(floor.fails(&order, Reject::Trigger), refused, "{side} {steps}");
            let found = floor.finds(&order, Reject::Trigger);
            let stop_px = order.conditions.stop_px.0;
            assert_eq!((found.limit, found.used), (px.into(), stop_px.into()));
        }
        let extreme = if side == Side::Buy { i64::MAX } else { 1 };
        let far = stop(&mut floor, side, extreme);
        assert!(!floor.fails(&far, Reject::Trigger));
    }
    floor.market.triggers = [None; 2];
    for side in BOTH {
        let order = stop(&mut floor, side, 1_000_000);
        assert!(floor.fails(&order, Reject::Trigger));
    }
}

/// Goal: trigger and limit are both within the collar, which is 1 % of 100.00. Method: each a step inside, at and outside.
#[test]
fn stops_are_collared() {
    let mut floor = Floor::new();
    for (side, edge, sign) in [(Side::Buy, 1_010_000, 1), (Side::Sell, 990_000, -1)] {
        for (steps, refused) in [(-1, false), (0, false), (1, true)] {
            let px = edge + sign * steps * STEP;
            let alone = stop(&mut floor, side, px);
            assert_eq!(floor.fails(&alone, Reject::Collar), refused, "{side} trigger");
            let near = Conditions { stop_px: Px(1_000_000 + sign * STEP), ..alone.conditions };
            let order_type = OrderType::StopLimit;
            let limit = Order { order_type, px: Px(px), conditions: near, ..alone };
            assert_eq!(floor.fails(&limit, Reject::Collar), refused, "{side} limit");
            let far = Order { px: near.stop_px, conditions: alone.conditions, ..limit };
            assert_eq!(floor.fails(&far, Reject::Collar), refused, "{side} trigger of a limit");
        }
        let odd = stop(&mut floor, side, 1_000_000 + sign * 150);
        assert!(floor.fails(&odd, Reject::PxStep), "a trigger off the price step");
    }
}

/// Goal: what has no limit is priced at the edge of the collar, of a stop around its trigger, or at the venue's band where
/// that is nearer; not at all where the edge is no price. Method: each, on both sides.
#[test]
fn priced_at_the_edge() {
    let mut floor = Floor::new();
    let px = |floor: &mut Floor, side, stop_px| {
        let order_type = if stop_px == 0 { OrderType::Market } else { OrderType::Stop };
        let conditions = Conditions { stop_px: Px(stop_px), ..Conditions::NONE };
        let order = Order { conditions, ..order(floor, side, order_type, Tif::Ioc) };
        floor.risk.collar_px(&order, &floor.market, floor.moment.now).map(|px| px.0)
    };
    for (band_px, band, stop_px, edges) in [
        (0, (1, 2_000_000), 0, [1_010_000, 990_000]),
        (20_000, (1, 2_000_000), 0, [1_020_000, 980_000]),
        (0, (1, 2_000_000), 980_000, [989_800, 970_200]),
        (0, (995_000, 1_005_000), 0, [1_005_000, 995_000]),
    ] {
        let limits = PairLimits { venue_band: true, band_px, ..PAIR_LIMITS };
        floor.risk.set_pair_limits(crate::fixture::ACCOUNT, INSTRUMENT, limits).unwrap();
        let band = Some((Px(band.0), Px(band.1)));
        floor.risk.set_reference(INSTRUMENT, crate::Reference { adv: None, band }).unwrap();
        assert_eq!(BOTH.map(|side| px(&mut floor, side, stop_px)), edges.map(Some));
    }
    let mut floor = Floor::new();
    (floor.market.bid, floor.market.ask) = (Some(Px(40)), Some(Px(60)));
    assert_eq!(BOTH.map(|side| px(&mut floor, side, 0)), [None, Some(STEP)]);
}

/// Goal: the children of a parent never sum up to more. Method: one below, at and above, from where they are, and at the end of
/// the type.
#[test]
fn overslice() {
    let mut floor = Floor::new();
    floor.moment.slice = Some(Slice { used: Qty(7), total: Qty(10) });
    for (qty, refused) in [(2, false), (3, false), (4, true), (i64::MAX, true)] {
        let order = floor.order(Side::Sell, qty, 1_000_000);
        assert_eq!(floor.fails(&order, Reject::Overslice), refused, "{qty}");
    }
}

/// Goal: an order that may only reduce does, whatever the account may. Method: one below, at and above what is held less what
/// works.
#[test]
fn reduce_only() {
    let mut floor = Floor::new();
    floor.hold(Side::Buy, 5);
    floor.pass(Side::Sell, 2, 1_000_000);
    let conditions = Conditions { reduce_only: true, ..Conditions::NONE };
    for (side, qty, refused) in [
        (Side::Sell, 2, false),
        (Side::Sell, 3, false),
        (Side::Sell, 4, true),
        (Side::Buy, 1, true),
    ] {
        let order = Order { conditions, ..floor.order(side, qty, 1_000_000) };
        assert_eq!(floor.fails(&order, Reject::ReduceOnly), refused, "{side} {qty}");
    }
}

/// Goal: a stop counts as if it worked, meets none of its owner before its trigger, and at its trigger is judged as if it held
/// nothing; a second of it has no room. Method: a position limit that one of them fills; rate and repetition used up.
#[test]
fn a_stop_is_judged_twice() {
    let mut limits = ACCOUNT_LIMITS();
    limits.no_self_trade = true;
    limits.rate_max = 3;
    let mut floor = Floor::with(limits, PairLimits { long_max: Qty(1), ..PAIR_LIMITS });
    let own = floor.pass(Side::Sell, 1, 1_000_200);
    let order = stop(&mut floor, Side::Buy, 1_000_100);
    let held = floor.risk.clear_held(&order, None, &floor.market, floor.moment);
    let mut held = held.unwrap();
    let second = stop(&mut floor, Side::Buy, 1_000_100);
    let refused = floor.risk.clear_held(&second, None, &floor.market, floor.moment).unwrap_err();
    assert_eq!(refused.failed().collect::<Vec<_>>(), [Reject::Position]);
    assert!(!floor.fails(&floor.risk_order(Side::Sell, 1_000_000), Reject::SelfTrade), "unseen");

    let now = Order { order_type: OrderType::Market, tif: Tif::Ioc, ..order };
    let px = floor.risk.collar_px(&now, &floor.market, floor.moment.now).unwrap();
    let now = Order { px, ..now };
    let refused = floor.risk.clear_triggered(now, &mut held, &floor.market, floor.moment);
    let codes = refused.unwrap_err().failed().collect::<Vec<_>>();
    assert_eq!(codes, [Reject::SelfTrade], "neither its own quantity nor the rate");
    let mut own = own;
    floor.risk.release(&mut own);
    let cleared = floor.risk.clear_triggered(now, &mut held, &floor.market, floor.moment).unwrap();
    assert_eq!(cleared.order().px, px);
    assert!(floor.fails(&floor.risk_order(Side::Sell, 1_000_000), Reject::SelfTrade), "seen now");
    floor.risk.release(&mut held);
}

/// Goal: a stop in another's place holds nothing, and is judged as if that one held nothing. Method: a position limit that the
/// other one fills.
#[test]
fn one_in_the_place_of_another() {
    let limits = PairLimits { short_max: Qty(5), ..PAIR_LIMITS };
    let mut floor = Floor::with(ACCOUNT_LIMITS(), limits);
    let mut other = floor.pass(Side::Sell, 5, 1_000_000);
    let own = Order { qty: Qty(5), ..stop(&mut floor, Side::Sell, 999_900) };
    assert!(floor.risk.clear_held(&own, None, &floor.market, floor.moment).is_err());
    let own = Order { client_id: model::ClientOrderId::new("again").unwrap(), ..own };
    let held = floor.risk.clear_held(&own, Some(&other), &floor.market, floor.moment);
    let mut held = held.unwrap();
    assert_eq!((held.open(), held.held_cash().0), (Qty(0), 0));
    let now = Order { order_type: OrderType::Market, tif: Tif::Ioc, ..own };
    let early = floor.risk.clear_triggered(now, &mut held, &floor.market, floor.moment);
    assert_eq!(early.unwrap_err().primary.unwrap().code, Reject::Position, "both at once");
    floor.risk.release(&mut other);
    assert!(floor.risk.clear_triggered(now, &mut held, &floor.market, floor.moment).is_ok());
    assert_eq!(held.open(), Qty(5));
}

/// Goal: what outlives its session counts in the next one. Method: an order works, another filled; the session ends.
#[test]
fn what_works_counts_in_the_next_session() {
    let mut limits = ACCOUNT_LIMITS();
    limits.day_gross_max = Some(limits.gross_max);
    let mut floor = Floor::with(limits, PAIR_LIMITS);
    floor.hold(Side::Buy, 3);
    floor.pass(Side::Buy, 5, 1_000_000);
    let one = floor.order(Side::Buy, 1, 1_000_000);
    let unit = 1_000_000 * crate::fixture::FACTOR;
    assert_eq!(floor.finds(&one, Reject::DayGross).used, 9 * unit);
    floor.risk.begin_session();
    assert_eq!(floor.finds(&one, Reject::DayGross).used, 6 * unit, "traded no more, open still");
}

/// Goal: without a reference the reason is that, and a market order is not priced; any other price is judged all the same.
/// Method: a market that is old, and one that is not.
#[test]
fn market_without_reference() {
    let mut floor = Floor::new();
    floor.moment.now.0 += 1_000;
    floor.market.channel_updated = floor.moment.now;
    floor.market.updated = Ts(0);
    floor.market.integrity = model::Integrity::Recovering;
    for side in BOTH {
        let order = Order { px: Px(0), ..order(&mut floor, side, OrderType::Market, Tif::Ioc) };
        assert_eq!(floor.risk.collar_px(&order, &floor.market, floor.moment.now), None);
        let (verdict, _) = floor.risk.check(&order, &floor.market, floor.moment);
        assert!(!verdict.failed().any(|code| code == Reject::PxStep));
        assert!(verdict.failed().any(|code| code == Reject::NoReference));
        let odd = floor.order(side, 1, 1_000_001);
        assert!(floor.fails(&odd, Reject::PxStep) && floor.fails(&odd, Reject::NoReference));
        assert!(Floor::new().fails(&order, Reject::PxStep), "it could have been priced");
    }
}

/// Goal: a sale without a limit counts as what it may bring, not as what it is sent at; a stop from its trigger on. Method: a
/// limit between the two; a trigger below the market.
#[test]
fn market_sales_count_at_the_upper_edge() {
    let limit = model::Money(1_000_000 * crate::fixture::FACTOR);
    let mut floor =
        Floor::with(ACCOUNT_LIMITS(), PairLimits { notional_max: limit, ..PAIR_LIMITS });
    let order = order(&mut floor, Side::Sell, OrderType::Market, Tif::Ioc);
    let px = floor.risk.collar_px(&order, &floor.market, floor.moment.now).unwrap();
    assert_eq!(px, Px(990_000));
    let found = floor.finds(&Order { px, ..order }, Reject::Notional);
    assert_eq!((found.failed, found.used), (true, 1_010_000 * crate::fixture::FACTOR));
    assert!(!floor.fails(&floor.risk_order(Side::Sell, 990_000), Reject::Notional));
    let stop = stop(&mut floor, Side::Sell, 980_000);
    assert_eq!(floor.finds(&stop, Reject::Notional).used, 989_800 * crate::fixture::FACTOR);
}

/// Goal: an order that is never sent meets the limits of what may be asked for, and none of what is sent; it holds nothing.
/// Method: a parent beyond every limit of size; then each of those that it must pass, in its way.
#[test]
fn parents() {
    let conditions = Conditions { parent_only: true, ..Conditions::NONE };
    let parent = |floor: &mut Floor| {
        let order = floor.order(Side::Buy, 1_000_000, 2_000_000);
        Order { conditions, ..order }
    };
    let mut floor = Floor::new();
    let order = parent(&mut floor);
    let before = floor.risk.account(order.account).unwrap().sums;
    let (verdict, _) = floor.risk.check(&order, &floor.market, floor.moment);
    assert!(verdict.passed());
    let held = floor.risk.clear_held(&order, None, &floor.market, floor.moment).unwrap();
    assert!(held.is_open() && held.open() == Qty(0));
    assert_eq!(floor.risk.account(order.account).unwrap().sums, before);

    let none = crate::AccountLimits { open_orders_max: 0, ..ACCOUNT_LIMITS() };
    let slow = crate::AccountLimits { rate_max: 0, ..ACCOUNT_LIMITS() };
    let listed = PairLimits { restricted: crate::Restriction::Buy, ..PAIR_LIMITS };
    for (mut floor, code) in [
        (Floor::with(none, PAIR_LIMITS), Reject::OpenOrders),
        (Floor::with(slow, PAIR_LIMITS), Reject::Rate),
        (Floor::with(ACCOUNT_LIMITS(), listed), Reject::Restricted),
    ] {
        let order = parent(&mut floor);
        let refused = floor.risk.clear_held(&order, None, &floor.market, floor.moment);
        assert_eq!(refused.unwrap_err().failed().collect::<Vec<_>>(), [code]);
    }
    let order = parent(&mut floor);
    floor.risk.set_row(order.account, INSTRUMENT, crate::ledger::NO_ROW);
    let refused = floor.risk.clear_held(&order, None, &floor.market, floor.moment);
    assert_eq!(refused.unwrap_err().failed().collect::<Vec<_>>(), [Reject::NoLimits]);
}

impl Floor {
    /// A plain order whose name nobody uses.
    fn risk_order(&self, side: Side, px: i64) -> Order {
        let client_id = model::ClientOrderId::new("nobody").unwrap();
        let base = Floor::new().order(side, 1, px);
        Order { client_id, ..base }
    }
}

proptest! {
    /// Goal: a market order is priced at the worst price that the collar passes. Method: random bands, markets and steps; the
    /// price passes, and one step further does not.
    #[test]
    fn collar_px_is_the_worst_that_passes(
        band_bps in 0_u32..12_000, band_px in 0_i64..900, both in any::<bool>(),
        step in 1_i64..300, mid2 in 2_i64..4_000_000, side in prop::sample::select(&BOTH[..]),
        band in prop::option::of((1_i64..2_000_000, 0_i64..2_000_000)),
    ) {
        let mut floor = Floor::with(ACCOUNT_LIMITS(), PairLimits {
            band_bps, band_px, band_both_sides: both, venue_band: band.is_some(), ..PAIR_LIMITS
        });
        floor.risk.list(&model::Instrument { px_step: Px(step), ..instrument(INSTRUMENT) }).unwrap();
        let band = band.map(|(low, width)| (Px(low), Px(low + width)));
        let reference = crate::Reference { band, ..Default::default() };
        floor.risk.set_reference(INSTRUMENT, reference).unwrap();
        floor.market.bid = Some(Px((mid2 - 1) / 2));
        floor.market.ask = Some(Px(mid2 - (mid2 - 1) / 2));
        prop_assume!(floor.market.bid > Some(Px(0)) && floor.market.bid < floor.market.ask);
        let order = order(&mut floor, side, OrderType::Market, Tif::Ioc);
        let passes = |px: i64| {
            let order = Order { px: Px(px), ..order };
            px > 0 && !floor.fails(&order, Reject::Collar) && !floor.fails(&order, Reject::VenueBand)
        };
        let sign = if side == Side::Buy { 1 } else { -1 };
        match floor.risk.collar_px(&order, &floor.market, floor.moment.now) {
            Some(px) => {
                // Where collar and band do not meet, nothing passes, and the gate says so.
                prop_assert_eq!(px.0 % step, 0);
                prop_assert!(!passes(px.0 + sign * step), "{:?}", px);
                let better = px.0 - sign * step;
                prop_assert!(passes(px.0) || !passes(better) || both);
            }
            None => prop_assert!(side == Side::Buy && !passes(step)),
        }
    }
}
