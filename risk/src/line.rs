//! One account in one instrument: position, cost, working quantity.

use model::{Money, Px, Qty, Side};

use crate::account::Worth;
use crate::money;

/// Place in the list of lines that a pair has before its first order.
pub(crate) const NO_SLOT: u32 = u32::MAX;

/// What a pair has and may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Exposure {
    /// Net position; negative is short.
    pub(crate) position: Qty,
    /// Open quantity of working buys.
    pub(crate) working_buy: Qty,
    /// Open quantity of working sells.
    pub(crate) working_sell: Qty,
}

/// The line of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Line {
    pub(crate) exposure: Exposure,
    /// Place in the list of lines; [`NO_SLOT`] before the first order.
    pub(crate) slot: u32,
    /// Whether it is on the list of changed lines.
    pub(crate) is_changed: bool,
    /// What it adds to the account's sums.
    pub(crate) worth: Worth,
    /// Σ signed price · quantity of what is still held, at average cost.
    pub(crate) cost: Money,
    /// Realised profit since the start.
    pub(crate) realised: Money,
}

impl Exposure {
    const NONE: Exposure = Exposure { position: Qty(0), working_buy: Qty(0), working_sell: Qty(0) };

    /// Position if every working buy filled and no sell did.
    pub(crate) fn worst_long(&self) -> i128 {
        i128::from(self.position.0) + i128::from(self.working_buy.0)
    }

    /// Short position, as a positive number, if every working sell filled and no buy did.
    pub(crate) fn worst_short(&self) -> i128 {
        i128::from(self.working_sell.0) - i128::from(self.position.0)
    }

    /// Twice the worth of [`Exposure::worst_long`] at half of `mark2`, as [`money::exposure2`].
    #[inline(always)]
    pub(crate) fn long2(&self, mark2: i64, factor: i64) -> i128 {
        let worst = self.position.0.checked_add(self.working_buy.0);
        match money::small_exposure2(worst, mark2, factor) {
            Some(long2) => long2,
            None => money::exposure2(self.worst_long(), mark2, factor),
        }
    }

    /// The same of [`Exposure::worst_short`].
    #[inline(always)]
    pub(crate) fn short2(&self, mark2: i64, factor: i64) -> i128 {
        let worst = self.working_sell.0.checked_sub(self.position.0);
        match money::small_exposure2(worst, mark2, factor) {
            Some(short2) => short2,
            None => money::exposure2(self.worst_short(), mark2, factor),
        }
    }

    /// The largest absolute position over every subset of fills of working orders. Never negative.
    pub(crate) fn worst(&self) -> i128 {
        self.worst_long().max(self.worst_short())
    }

    /// Whether something is held, or may come to be.
    pub(crate) fn is_any(&self) -> bool {
        debug_assert!(self.working_buy.0 >= 0 && self.working_sell.0 >= 0);
        (self.position.0 | self.working_buy.0 | self.working_sell.0) != 0
    }

    /// What an order of `side` may at most be so that it can only reduce the position: what is held on the
    /// other side, less what is already working to reduce it.
    pub(crate) fn reducible(&self, side: Side) -> i128 {
        let (held, working) = match side {
            Side::Buy => (self.position.0.min(0).unsigned_abs(), self.working_buy),
            Side::Sell => (self.position.0.max(0).unsigned_abs(), self.working_sell),
        };
        i128::from(held) - i128::from(working.0)
    }

    /// Working quantity of a side.
    pub(crate) fn working(&mut self, side: Side) -> &mut Qty {
        match side {
            Side::Buy => &mut self.working_buy,
            Side::Sell => &mut self.working_sell,
        }
    }

    /// With `open` ≥ 0 more working. Saturates: far beyond every limit, a little more or less makes no
    /// difference.
    pub(crate) fn with(mut self, side: Side, open: Qty) -> Exposure {
        let working = self.working(side);
        working.0 = working.0.saturating_add(open.0);
        self
    }
}

impl Line {
    /// A pair never traded.
    pub(crate) const EMPTY: Line = Line {
        exposure: Exposure::NONE,
        slot: NO_SLOT,
        is_changed: false,
        worth: Worth { gross2: 0, long2: 0, short2: 0, unrealised2: 0, margin: 0 },
        cost: Money(0),
        realised: Money(0),
    };

    /// The line after a trade of `qty` > 0: first what it closes, then what it opens. Average cost is never
    /// kept rounded: the cost released by closing is floored and the rest stays in `cost`, so that realised −
    /// cost = Σ cash flows after every trade. `None` on overflow.
    pub(crate) fn traded(&self, side: Side, px: Px, qty: Qty, factor: i64) -> Option<Line> {
        let position = i128::from(self.exposure.position.0);
        let sign = match side {
            Side::Buy => 1,
            Side::Sell => -1,
        };
        let opposed = position.signum() == -sign;
        let closed = if opposed { i128::from(qty.0).min(position.abs()) } else { 0 };
        let closed = Qty(i64::try_from(closed).ok()?);
        let released =
            if opposed { share(self.cost.0, closed.0.into(), position.abs()) } else { 0 };
        let paid = sign * money::notional(px, closed, factor)?.0;
        let opened = sign * money::notional(px, Qty(qty.0 - closed.0), factor)?.0;
        let gain = (-paid).checked_sub(released)?;
        let position = Qty(i64::try_from(position + sign * i128::from(qty.0)).ok()?);
        Some(Line {
            exposure: Exposure { position, ..self.exposure },
            cost: Money(self.cost.0.checked_sub(released)?.checked_add(opened)?),
            realised: Money(self.realised.0.checked_add(gain)?),
            ..*self
        })
    }
}

/// `⌊total · part / whole⌋` for 0 ≤ `part` ≤ `whole` ≤ 2^63, without a product that could overflow.
pub(crate) fn share(total: i128, part: i128, whole: i128) -> i128 {
    if part == whole {
        return total;
    }
    total.div_euclid(whole) * part + total.rem_euclid(whole) * part / whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    fn trade(line: Line, side: Side, qty: i64, px: i64) -> Line {
        line.traded(side, Px(px), Qty(qty), 1).unwrap()
    }

    /// Goal: average cost through open, partial close, flip and flat. Method: figures worked out by hand.
    #[test]
    fn flip_closes_then_opens() {
        let long = trade(trade(Line::EMPTY, Side::Buy, 3, 10), Side::Buy, 4, 11);
        assert_eq!((long.exposure.position, long.cost), (Qty(7), Money(74)));
        let less = trade(long, Side::Sell, 2, 12);
        assert_eq!((less.cost, less.realised), (Money(74 - 21), Money(24 - 21)));
        let short = trade(less, Side::Sell, 9, 12);
        assert_eq!((short.exposure.position, short.cost), (Qty(-4), Money(-48)));
        assert_eq!(short.realised, Money(3 + 60 - 53));
        let flat = trade(short, Side::Buy, 4, 13);
        assert_eq!(
            (flat.exposure.position, flat.cost, flat.realised),
            (Qty(0), Money(0), Money(6))
        );
    }

    /// Goal: a reduce-only order never counts what already works to reduce. Method: both sides, flat and
    /// oversold.
    #[test]
    fn reducible_subtracts_working() {
        let long = Exposure { position: Qty(5), working_sell: Qty(2), ..Exposure::NONE };
        assert_eq!((long.reducible(Side::Sell), long.reducible(Side::Buy)), (3, 0));
        let short = Exposure { position: Qty(-5), working_buy: Qty(6), ..Exposure::NONE };
        assert_eq!((short.reducible(Side::Buy), short.reducible(Side::Sell)), (-1, 0));
    }

    /// Goal: worst cases at the ends of their type are those of wide sums, and a pair is exposed where its worst case is above
    /// nothing. Method: each combination of ends and small numbers, at a small mark and one whose product does not fit.
    #[test]
    fn worst_cases_equal_wide_sums() {
        let positions = [i64::MIN, -7, 0, 7, i64::MAX];
        let works = [0, 3, i64::MAX].map(Qty);
        for position in positions.map(Qty) {
            for (working_buy, working_sell) in works.into_iter().flat_map(|b| works.map(|s| (b, s)))
            {
                let exposure = Exposure { position, working_buy, working_sell };
                for (mark2, factor) in [(5, 1), (i64::MAX, 9)] {
                    let wide = |worst| money::exposure2(worst, mark2, factor);
                    assert_eq!(exposure.long2(mark2, factor), wide(exposure.worst_long()));
                    assert_eq!(exposure.short2(mark2, factor), wide(exposure.worst_short()));
                }
                assert_eq!(exposure.is_any(), exposure.worst() > 0, "{exposure:?}");
            }
        }
    }

    /// Goal: a position that does not fit is an overflow. Method: one unit beyond both ends.
    #[test]
    fn overflow_is_none() {
        let exposure = Exposure { position: Qty(i64::MAX), ..Exposure::NONE };
        let full = Line { exposure, ..Line::EMPTY };
        assert_eq!(full.traded(Side::Buy, Px(1), Qty(1), 1), None);
        let exposure = Exposure { position: Qty(1), ..Exposure::NONE };
        let dear = Line { exposure, cost: Money(i128::MAX), ..Line::EMPTY };
        assert_eq!(dear.traded(Side::Buy, Px(1), Qty(1), 1), None);
    }

    proptest! {
        /// Goal: `share` floors exactly and never overflows. Method: against big integers over the whole
        /// domain.
        #[test]
        fn share_floors(total: i128, whole in 1_u64..=1 << 63, seed: u64) {
            let part = seed % whole;
            let (big, floor) = (BigInt::from(total) * part, share(total, part.into(), whole.into()));
            let rest = big - BigInt::from(floor) * whole;
            prop_assert!(rest >= BigInt::ZERO && rest < BigInt::from(whole));
        }
    }
}
