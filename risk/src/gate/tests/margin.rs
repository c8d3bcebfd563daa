use model::{InstrumentId, Money, Order, Px, Qty, Reject, Side};

use super::{BOTH, money};
use crate::fixture::{ACCOUNT, ACCOUNT_LIMITS, Floor, INSTRUMENT, MARKET, PAIR_LIMITS, instrument};
use crate::{AccountLimits, LimitError, Margin, MarkAt, PairLimits};

const HALF: Margin = Margin { long_bps: 5_000, short_bps: 5_000 };
const OTHER: InstrumentId = InstrumentId(1);

/// An account with so much equity, and a second instrument at the same market.
fn floor(equity: Money, margin: Margin) -> Floor {
    let limits = AccountLimits { cash: equity, cash_binds: false, ..ACCOUNT_LIMITS() };
    let row = PairLimits { margin: Some(margin), ..PAIR_LIMITS };
    let mut floor = Floor::with(limits, row);
    floor.risk.list(&instrument(OTHER)).unwrap();
    floor.risk.set_pair_limits(ACCOUNT, OTHER, row).unwrap();
    floor
}

fn refused(floor: &mut Floor, side: Side, qty: i64) -> bool {
    let order = floor.order(side, qty, 1_000_000);
    floor.fails(&order, Reject::Margin)
}

/// Goal: each side takes its own basis points of the worst case at the mark, working orders counted; the equity itself
/// passes. Method: working orders, then −1 / 0 / +1 of what is left; then half a unit of mark more.
#[test]
fn worst_case_at_the_limit() {
    for side in BOTH {
        let other = if side == Side::Buy { [5_000, 20_000] } else { [20_000, 5_000] };
        let margin = Margin { long_bps: other[0], short_bps: other[1] };
        let mut floor = floor(money(10 * 500_000), margin);
        floor.pass(side, 4, 1_000_000);
        for (qty, fails) in [(5, false), (6, false), (7, true), (i64::MAX, true)] {
            assert_eq!(refused(&mut floor, side, qty), fails, "{side} {qty}");
        }
        // The other side takes four times as much: 2 are as dear as 8.
        for (qty, fails) in [(1, false), (2, false), (3, true), (i64::MAX, true)] {
            assert_eq!(refused(&mut floor, side.opposite(), qty), fails, "{side} {qty}");
        }
        floor.market.bid = Some(Px(999_901));
        assert!(refused(&mut floor, side, 6), "half a unit of mark is too much");
    }
}

/// Goal: the sum is over all instruments, the order's own once, whatever its number (a known gate replaced the sum when it
/// came to the order's own); what is gained at the exit side counts as equity. Method: a position in each, an order in
/// either.
#[test]
fn sums_over_instruments() {
    let mut floor = floor(money(10 * 500_000), HALF);
    floor.pass(Side::Buy, 3, 1_000_000);
    let order = Order { instrument: OTHER, ..floor.order(Side::Sell, 4, 1_000_000) };
    let _held = floor.clear(order).unwrap();
    for own in [INSTRUMENT, OTHER] {
        for (qty, fails) in [(2, false), (3, false), (4, true)] {
            let side = if own == INSTRUMENT { Side::Buy } else { Side::Sell };
            let order = Order { instrument: own, ..floor.order(side, qty, 1_000_000) };
            assert_eq!(floor.fails(&order, Reject::Margin), fails, "{own:?} {qty}");
        }
    }
    let mut gains = self::floor(money(10 * 500_000), HALF);
    gains.hold(Side::Buy, 10);
    gains.market.bid = Some(Px(1_199_900));
    gains.market.ask = Some(Px(1_200_100));
    // Gained 1,999,000; ten take 6,000,000 of now 6,999,000: one more takes 600,000, two more too much.
    for (qty, fails) in [(1, false), (2, true)] {
        let order = gains.order(Side::Buy, qty, 1_000_000);
        assert_eq!(gains.fails(&order, Reject::Margin), fails, "{qty}");
    }
}

/// Goal: what does not take more always passes. Method: a position that takes too much after a loss; orders that reduce it,
/// to the other side as far and further; a replace that asks for less.
#[test]
fn reducing_passes() {
    for side in BOTH {
        let mut floor = floor(money(10 * 500_000 + 1_000), HALF);
        floor.hold(side, 9);
        let mut working = floor.pass(side, 1, 1_000_000);
        let worse = if side == Side::Buy { 800_000 } else { 1_200_000 };
        (floor.market.bid, floor.market.ask) = (Some(Px(worse - 100)), Some(Px(worse + 100)));
        for (qty, fails) in [(1, false), (9, false), (19, false), (20, true)] {
            assert_eq!(refused(&mut floor, side.opposite(), qty), fails, "{side} {qty}");
        }
        assert!(refused(&mut floor, side, 1));
        floor.market = crate::fixture::MARKET;
        floor.risk.mark(INSTRUMENT, &MARKET);
        floor.risk.accounts[0].limits.cash = Money::ZERO;
        let change = floor.order(side, 2, 1_000_000);
        let less = Order { qty: Qty(1), px: Px(999_900), ..change };
        let more = floor.risk.clear_replace(change, &mut working, &floor.market, floor.moment);
        assert!(more.unwrap_err().failed().any(|code| code == Reject::Margin));
        let less = Order { client_id: floor.order(side, 1, 1).client_id, ..less };
        let less = floor.risk.clear_replace(less, &mut working, &floor.market, floor.moment);
        assert!(less.map_or_else(|v| v.failed().all(|code| code != Reject::Margin), |_| true));
    }
}

/// Goal: off takes nothing and looks at nothing; on, an instrument without a mark is refused rather than free, and sums at
/// the end of the type are. Method: each.
#[test]
fn off_unmarked_and_huge() {
    let mut off = Floor::with(AccountLimits { cash: Money(0), ..ACCOUNT_LIMITS() }, PAIR_LIMITS);
    assert!(!refused(&mut off, Side::Sell, i64::MAX));
    assert_eq!(
        off.risk.account_page(ACCOUNT, Default::default(), off.moment.now).unwrap().margin,
        Money(0)
    );

    let mut unmarked = floor(money(1 << 60), HALF);
    (unmarked.market.bid, unmarked.market.last) = (None, None);
    assert!(refused(&mut unmarked, Side::Buy, 1) && refused(&mut unmarked, Side::Sell, 1));

    let whole = Margin { long_bps: u32::MAX, short_bps: u32::MAX };
    let mut huge = floor(Money(crate::money::WORTH_MAX / 4), whole);
    for side in BOTH {
        assert!(refused(&mut huge, side, i64::MAX) && !refused(&mut huge, side, 1));
    }
}

/// Goal: a margin follows its row, and is not taken where profit is not counted at the exit side. Method: change the row of
/// a pair that holds; an account at the mid.
#[test]
fn follows_its_row() {
    let mut floor = floor(money(10 * 500_000), HALF);
    floor.hold(Side::Sell, 8);
    let margin = |floor: &Floor| {
        floor.risk.account_page(ACCOUNT, Default::default(), floor.moment.now).unwrap().margin
    };
    assert_eq!(margin(&floor), money(4_000_000));
    let row = PairLimits { margin: Some(Margin { short_bps: 1, ..HALF }), ..PAIR_LIMITS };
    floor.risk.set_pair_limits(ACCOUNT, INSTRUMENT, row).unwrap();
    assert_eq!(margin(&floor), money(800));
    floor.risk.set_pair_limits(ACCOUNT, INSTRUMENT, PAIR_LIMITS).unwrap();
    assert_eq!(margin(&floor), Money(0));
    floor.risk.accounts[0].limits.mark_at = MarkAt::Mid;
    let taken = floor.risk.set_pair_limits(ACCOUNT, INSTRUMENT, row);
    assert_eq!(taken, Err(LimitError::MarginAtMid));
}
