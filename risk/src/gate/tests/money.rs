use model::{Money, Order, Px, Qty, Reject, Side};

use super::{BOTH, account_floor, money, pair_floor};
use crate::fixture::{ACCOUNT_LIMITS, FACTOR, Floor, PAIR_LIMITS};
use crate::gate::collar::edge;
use crate::{AccountLimits, Fee, LossStops, MarkAt, PairLimits};

/// Three basis points, rounded up to a cent.
fn fee() -> Fee {
    Fee::new(300, Money::ZERO, Money(10_000_000_000), FACTOR as i64).unwrap()
}

/// Goal: purchases and sales both count, at the price traded and while open at the limit; a cancel gives
/// back, a fill does not, a session does. Method: fill and leave open on both sides, then −1 / 0 / +1 of what
/// is left.
#[test]
fn day_gross() {
    for side in BOTH {
        let mut floor = account_floor(|limits| limits.day_gross_max = Some(money(20 * 1_000_000)));
        floor.hold(side, 4);
        floor.hold(side.opposite(), 4);
        let mut open = floor.pass(side, 2, 1_000_000);
        let refused = |floor: &mut Floor, qty| {
            let order = floor.order(side.opposite(), qty, 1_000_000);
            floor.fails(&order, Reject::DayGross)
        };
        for (qty, expected) in [(9, false), (10, false), (11, true), (i64::MAX, true)] {
            assert_eq!(refused(&mut floor, qty), expected, "{side} {qty}");
        }
        floor.risk.release(&mut open);
        assert!(!refused(&mut floor, 12) && refused(&mut floor, 13));
        floor.risk.begin_session();
        assert!(!refused(&mut floor, 20) && refused(&mut floor, 21));
    }
}

/// Goal: an order that outlives its session counts in the next one, and nothing of what traded does. Method: a part filled, a
/// session, −1 / 0 / +1 of what the open rest leaves; then its end.
#[test]
fn open_orders_outlive_a_session() {
    let mut floor = account_floor(|limits| limits.day_gross_max = Some(money(20 * 1_000_000)));
    let mut open = floor.pass(Side::Buy, 8, 1_000_000);
    floor.risk.fill(&mut open, Px(1_000_000), model::Qty(3)).unwrap();
    floor.risk.begin_session();
    let refused = |floor: &mut Floor, qty| {
        let order = floor.order(Side::Sell, qty, 1_000_000);
        floor.fails(&order, Reject::DayGross)
    };
    let verdicts = [14, 15, 16].map(|qty| refused(&mut floor, qty));
    assert_eq!(verdicts, [false, false, true]);
    floor.risk.fill(&mut open, Px(1_000_000), model::Qty(5)).unwrap();
    assert_eq!([15, 16].map(|qty| refused(&mut floor, qty)), [false, true], "traded in this one");
    let page = floor.risk.line_page(0, Default::default()).unwrap();
    assert_eq!((page.position.0, page.working_buy.0), (8, 0));
}

/// Goal: net exposure is the worst of all buys or all sells filling, netted over instruments. Method: a
/// position one way and working orders the other, −1 / 0 / +1 of what is left; off passes anything.
#[test]
fn net() {
    for side in BOTH {
        let mut floor = account_floor(|limits| limits.net_max = Some(money(15 * 1_000_000)));
        floor.hold(side, 5);
        floor.pass(side.opposite(), 8, 1_000_000);
        for (qty, refused) in [(9, false), (10, false), (11, true), (i64::MAX, true)] {
            let more = floor.order(side, qty, 1_000_000);
            assert_eq!(floor.fails(&more, Reject::Net), refused, "{side} {qty}");
        }
        for (qty, refused) in [(11, false), (12, false), (13, true)] {
            let other = floor.order(side.opposite(), qty, 1_000_000);
            assert_eq!(floor.fails(&other, Reject::Net), refused, "{side} {qty}");
        }
    }
    let mut off = Floor::new();
    let order = off.order(Side::Buy, i64::MAX, 1_000_000);
    assert!(!off.fails(&order, Reject::Net));
}

/// Goal: a loss counts realised and unrealised at the exit side; the limit itself passes, half a money unit
/// more does not; an order that only reduces passes unless all are stopped; a session begins anew. Method: a
/// long and a short position whose exit moves by one unit at a time.
#[test]
fn loss() {
    for (side, stops) in [(Side::Buy, LossStops::Increase), (Side::Sell, LossStops::All)] {
        // Held at 100.00: closing ten at the exit side costs ten times one cent.
        let mut floor = account_floor(|limits| {
            limits.loss_max = Some(money(10 * 200));
            limits.loss_stops = stops;
        });
        floor.hold(side, 10);
        let order = floor.order(side, 1, 1_000_000);
        let close = floor.order(side.opposite(), 10, 1_000_000);
        let flip = floor.order(side.opposite(), 11, 1_000_000);
        for (worse, refused) in [(99, false), (100, false), (101, true)] {
            floor.market = crate::fixture::MARKET;
            let exit =
                if side == Side::Buy { &mut floor.market.bid } else { &mut floor.market.ask };
            let away = if side == Side::Buy { -worse } else { worse };
            *exit = exit.map(|px| Px(px.0 + away));
            assert_eq!(floor.fails(&order, Reject::Loss), refused, "{side} {worse}");
            assert_eq!(floor.fails(&flip, Reject::Loss), refused, "{side} {worse}");
            let stopped = refused && stops == LossStops::All;
            assert_eq!(floor.fails(&close, Reject::Loss), stopped, "{side} {worse}");
        }
        floor.risk.mark(crate::fixture::INSTRUMENT, &floor.market);
        floor.risk.begin_session();
        assert!(!floor.fails(&order, Reject::Loss));
    }
}

/// Goal: at the mid nothing is lost that the exit side loses. Method: the same position under both kinds of
/// mark, a limit of nothing.
#[test]
fn marks_differ() {
    for (mark_at, refused) in [(MarkAt::Mid, false), (MarkAt::Exit, true)] {
        let mut floor = account_floor(|limits| {
            limits.loss_max = Some(Money::ZERO);
            limits.mark_at = mark_at;
        });
        floor.hold(Side::Buy, 1);
        let order = floor.order(Side::Buy, 1, 1_000_000);
        assert_eq!(floor.fails(&order, Reject::Loss), refused);
    }
}

/// Goal: a drawdown is measured from the highest equity, which never falls; without capital there is nothing
/// to measure from. Method: gain, then lose at −1 / 0 / +1 of one percent; a session changes nothing; no
/// cash.
#[test]
fn drawdown() {
    let with = |cash| {
        account_floor(|limits| {
            (limits.cash, limits.drawdown_max_bps) = (cash, Some(100));
            limits.mark_at = MarkAt::Mid;
        })
    };
    let mut floor = with(money(99 * 1_000_000));
    floor.hold(Side::Sell, 1);
    let at_mid = |floor: &mut Floor, mid: i64| {
        (floor.market.bid, floor.market.ask) = (Some(Px(mid - 100)), Some(Px(mid + 100)));
        floor.market.last = None;
        floor.risk.mark(crate::fixture::INSTRUMENT, &floor.market);
    };
    at_mid(&mut floor, 900_000); // Equity is 99.1 million units, the highest.
    let order = floor.order(Side::Sell, 1, 900_000);
    floor.risk.begin_session();
    for (rise, refused) in [(990_999, false), (991_000, false), (991_001, true), (0, false)] {
        at_mid(&mut floor, 900_000 + rise);
        assert_eq!(floor.fails(&order, Reject::Drawdown), refused, "{rise}");
    }
    at_mid(&mut floor, 900_000 + 991_001);
    assert_eq!(floor.finds(&order, Reject::Drawdown).used, 100, "rounded down: it is more");
    at_mid(&mut floor, 900_000 + 4_955_000);
    assert_eq!(floor.finds(&order, Reject::Drawdown).used, 500);
    let mut broke = with(Money::ZERO);
    let order = broke.order(Side::Sell, 1, 1_000_000);
    assert!(broke.fails(&order, Reject::Drawdown));
}

/// Goal: a buy holds its fee and a fill pays it, rounded up; a sell holds none and pays too. Method: cash for
/// exactly four with the fee, then one unit of money less.
#[test]
fn fees_are_held_and_paid() {
    let cost = 4_000_000 + 1_200;
    for (cash, refused) in [(money(cost), false), (Money(money(cost).0 - 1), true)] {
        let limits = AccountLimits { cash, ..ACCOUNT_LIMITS() };
        let mut floor = Floor::with(limits, PairLimits { fee: fee(), ..PAIR_LIMITS });
        let order = floor.order(Side::Buy, 4, 1_000_000);
        assert_eq!(floor.fails(&order, Reject::Cash), refused);
    }
    let mut floor = pair_floor(|limits| limits.fee = fee());
    floor.hold(Side::Buy, 4);
    let mut sell = floor.pass(Side::Sell, 3, 1_000_000);
    floor.risk.fill(&mut sell, Px(1_000_100), Qty(1)).unwrap();
    let page = floor.risk.account_page(
        crate::fixture::ACCOUNT,
        model::page::AsOf::default(),
        floor.moment.now,
    );
    let page = page.unwrap();
    let fees = money(1_200 + 400); // The second is 3.0003 cents.
    assert_eq!((page.fees, page.reserved), (fees, Money::ZERO));
    let traded = -4 * 1_000_000 + 1_000_100;
    assert_eq!(page.cash, Money(ACCOUNT_LIMITS().cash.0 + money(traded).0 - fees.0));
    assert_eq!(page.session_profit, Money(money(100 - 3 * 100).0 - fees.0));
}

/// Goal: the band is the wider of its two widths, on the edge it passes, and both sides count if they shall.
/// Method: around both edges of each.
#[test]
fn collar_widths() {
    for (bps, px, edge) in [(100, 0, 10_000), (100, 5_000, 10_000), (100, 20_000, 20_000)] {
        for both in [false, true] {
            let mut floor = pair_floor(|limits| {
                (limits.band_bps, limits.band_px) = (bps, px);
                limits.band_both_sides = both;
            });
            for side in BOTH {
                let sign = if side == Side::Buy { 1 } else { -1 };
                for (away, refused) in [(edge - 1, false), (edge, false), (edge + 1, true)] {
                    let through = floor.order(side, 1, 1_000_000 + sign * away);
                    assert_eq!(floor.fails(&through, Reject::Collar), refused, "{side} {away}");
                    let passive = Order { px: Px(1_000_000 - sign * away), ..through };
                    assert_eq!(floor.fails(&passive, Reject::Collar), refused && both);
                    let used = (away * 10_000 + 999_999) / 1_000_000;
                    assert_eq!(floor.finds(&through, Reject::Collar).used, used.into());
                }
            }
        }
    }
}

/// Goal: the edge of the collar is the last price that passes, also where the mid lies between two prices. Method: mids and
/// widths that are whole and half prices, both sides.
#[test]
fn edge_is_the_last_that_passes() {
    for mid2 in 1_999_999..2_000_003 {
        for (band_bps, band_px) in [(0, 0), (0, 1), (1, 0), (33, 7)] {
            let limits = PairLimits { band_bps, band_px, ..PAIR_LIMITS };
            for side in BOTH {
                let mut floor = Floor::with(ACCOUNT_LIMITS(), limits);
                let bid = (mid2 - 1) / 2;
                (floor.market.bid, floor.market.ask) = (Some(Px(bid)), Some(Px(mid2 - bid)));
                let edge = edge(side, &limits, mid2) as i64;
                let beyond = if side == Side::Buy { 1 } else { -1 };
                let mut passes = |px| {
                    let order = floor.order(side, 1, px);
                    !floor.fails(&order, Reject::Collar)
                };
                assert!(
                    passes(edge) && !passes(edge + beyond),
                    "{side} {mid2} {band_bps} {band_px}"
                );
            }
        }
    }
}

/// Goal: what stops at a drawdown is what the account says: all, or what does not reduce. Method: short of two with a drawdown
/// beyond its limit; −1 / 0 / +1 of what reduces.
#[test]
fn a_drawdown_stops_what_it_should() {
    for (loss_stops, passing) in [(LossStops::Increase, 2), (LossStops::All, 0)] {
        let mut floor = account_floor(|limits| {
            (limits.cash, limits.drawdown_max_bps) = (money(99 * 1_000_000), Some(100));
            limits.loss_stops = loss_stops;
        });
        floor.hold(Side::Sell, 2);
        (floor.market.bid, floor.market.ask) = (Some(Px(1_999_900)), Some(Px(2_000_100)));
        floor.risk.mark(crate::fixture::INSTRUMENT, &floor.market);
        for (side, qty) in [(Side::Buy, 1), (Side::Buy, 2), (Side::Buy, 3), (Side::Sell, 1)] {
            let order = floor.order(side, qty, 2_000_000);
            let passes = side == Side::Buy && qty <= passing;
            assert_eq!(
                floor.fails(&order, Reject::Drawdown),
                !passes,
                "{loss_stops:?} {side} {qty}"
            );
        }
    }
}

/// Goal: what alone can be counted, and with what works cannot, is refused. Method: sales at the highest price, whose money
/// together is beyond its type, and at the lowest, whose quantity is.
#[test]
fn sums_that_do_not_fit() {
    let open = PairLimits {
        clip_max: Qty(i64::MAX),
        notional_max: Money(i128::MAX),
        short_max: Qty(i64::MAX),
        ..PAIR_LIMITS
    };
    let mut limits = ACCOUNT_LIMITS();
    limits.gross_max = Money(crate::money::WORTH_MAX / 2 - 1);
    for (qty, px, next) in
        [(100_000_000_000, 9_000_000_000_000_000_000, 100_000_000_000), (i64::MAX, 100, 1)]
    {
        let mut floor = Floor::with(limits, open);
        (floor.market.bid, floor.market.ask) = (Some(Px(1)), Some(Px(3)));
        let first = floor.order(Side::Sell, qty, px);
        assert!(!floor.fails(&first, Reject::Overflow));
        floor.pass(Side::Sell, qty, px);
        let second = floor.order(Side::Sell, next, px);
        assert!(floor.fails(&second, Reject::Overflow), "{qty} at {px}");
        assert!(floor.clear(second).is_err());
    }
}

/// Goal: new terms take the place of the old ones in what the session may trade. Method: an order that fills the limit, new terms
/// at −1 / 0 / +1 of it.
#[test]
fn day_gross_of_new_terms() {
    for (qty, refused) in [(19, false), (20, false), (21, true)] {
        let mut floor = account_floor(|limits| limits.day_gross_max = Some(money(20 * 1_000_000)));
        let mut held = floor.pass(Side::Sell, 20, 1_000_000);
        let change = floor.order(Side::Sell, qty, 1_000_000);
        let ruling = floor.risk.clear_replace(change, &mut held, &floor.market, floor.moment);
        let codes = ruling.err().map(|verdict| verdict.failed().collect::<Vec<_>>());
        assert_eq!(codes, refused.then(|| vec![Reject::DayGross]), "{qty}");
    }
}
