//! Exact products of price, quantity and money factor.

use model::{Finding, Money, Px, Qty, Reject};

/// Where the worth of one pair stops being counted exactly. Every limit is below half of it, so a pair that
/// reaches it is refused; and the pairs of all 2^32 instruments together do not overflow.
pub(crate) const WORTH_MAX: i128 = i128::MAX >> 32;

/// `a · b`; `None` on overflow. Where `a` fits 64 bits, one multiplication does.
#[inline]
pub(crate) fn product(a: i128, b: i64) -> Option<i128> {
    match i64::try_from(a) {
        Ok(a) => Some(i128::from(a) * i128::from(b)),
        Err(_) => wide_product(a, b),
    }
}

#[cold]
fn wide_product(a: i128, b: i64) -> Option<i128> {
    a.checked_mul(b.into())
}

/// `a + b`; stops at the ends of the type. A branch that nobody takes costs a third of choosing each time.
#[inline(always)]
pub(crate) fn plus(a: i128, b: i128) -> i128 {
    match a.checked_add(b) {
        Some(sum) => sum,
        None => end(a),
    }
}

/// `a − b`; as [`plus`].
#[inline(always)]
pub(crate) fn minus(a: i128, b: i128) -> i128 {
    match a.checked_sub(b) {
        Some(difference) => difference,
        None => end(a),
    }
}

/// The end of the type that a sum or difference with this first operand is beyond.
#[cold]
#[inline(never)] // Or it is worked out beforehand.
fn end(a: i128) -> i128 {
    if a < 0 { i128::MIN } else { i128::MAX }
}

/// Whether a sum is far below [`WORTH_MAX`], and far above its negative: its upper half says so.
#[inline(always)]
fn is_small(sum: i128) -> bool {
    matches!((sum >> 94) as i64, 0 | -1)
}

/// `sum · times`; stops at the ends of the type. Of a small sum it does not overflow.
#[inline]
pub(crate) fn times(sum: i128, times: u32) -> i128 {
    if is_small(sum) { sum * i128::from(times) } else { wide_times(sum, times) }
}

#[cold]
fn wide_times(sum: i128, times: u32) -> i128 {
    sum.saturating_mul(times.into())
}

/// `px · qty · factor`; `None` on overflow.
pub(crate) fn notional(px: Px, qty: Qty, factor: i64) -> Option<Money> {
    product(i128::from(px.0) * i128::from(qty.0), factor).map(Money)
}

/// Twice `quantity · mark · factor`, where `mark2` is twice the mark: half a mark stays exact. Neither above
/// [`WORTH_MAX`] nor below its negative.
#[cold]
pub(crate) fn exposure2(quantity: i128, mark2: i64, factor: i64) -> i128 {
    let end = if quantity < 0 { -WORTH_MAX } else { WORTH_MAX };
    let twice = match i64::try_from(quantity) {
        Ok(quantity) => product(i128::from(quantity) * i128::from(mark2), factor),
        Err(_) => None,
    };
    twice.map_or(end, |twice| twice.clamp(-WORTH_MAX, WORTH_MAX))
}

/// The same if quantity, worth of one unit and worth are small, as mostly: one multiplication. Else `None`.
#[inline(always)]
pub(crate) fn small_exposure2(quantity: Option<i64>, mark2: i64, factor: i64) -> Option<i128> {
    let twice = i128::from(quantity?) * i128::from(mark2.checked_mul(factor)?);
    is_small(twice).then_some(twice)
}

/// Twice `quantity · mark · factor − cost`: what closing at the mark would add to the profit. Bounded as
/// [`exposure2`] is; what cannot be counted is a loss.
pub(crate) fn unrealised2(quantity: Qty, mark2: i64, factor: i64, cost: Money) -> i128 {
    let value2 = product(i128::from(quantity.0) * i128::from(mark2), factor);
    let gain2 = value2.and_then(|value2| value2.checked_sub(cost.0.checked_mul(2)?));
    gain2.map_or(-WORTH_MAX, |gain2| gain2.clamp(-WORTH_MAX, WORTH_MAX))
}

/// Half of twice a sum, rounded up.
pub(crate) fn half_up(twice: i128) -> Money {
    Money((twice >> 1) + (twice & 1))
}

/// Half of twice a sum, rounded down.
pub(crate) fn half_down(twice: i128) -> Money {
    Money(twice >> 1)
}

/// A check of twice a sum against a limit: nothing is rounded before it is compared.
#[inline(always)]
pub(crate) fn at_most2(code: Reject, used2: i128, limit: Money) -> Finding {
    let failed = used2 > plus(limit.0, limit.0);
    Finding { code, failed, limit: limit.0, used: half_up(used2).0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Goal: products are exact or `None`. Method: both sides of the 64-bit shortcut, and the largest
    /// operands.
    #[test]
    fn notional_is_exact_or_none() {
        assert_eq!(notional(Px(3), Qty(-5), 7), Some(Money(-105)));
        let wide = i128::from(i64::MAX) * i128::from(i64::MAX);
        assert_eq!(notional(Px(i64::MAX), Qty(i64::MAX), 2), Some(Money(wide * 2)));
        assert_eq!(notional(Px(i64::MAX), Qty(i64::MAX), 3), None);
        assert_eq!(notional(Px(i64::MIN), Qty(i64::MIN), 2), None);
    }

    /// Goal: exposure is exact up to its ceiling, and so is profit; what cannot be counted is the worst.
    /// Method: odd products of either sign; huge quantity and mark.
    #[test]
    fn worth_is_exact_and_stops() {
        assert_eq!(
            (exposure2(3, 5, 1), exposure2(-3, 5, 1), exposure2(0, i64::MAX, 9)),
            (15, -15, 0)
        );
        assert_eq!(exposure2(i128::from(u64::MAX), 1, 1), WORTH_MAX);
        assert_eq!(exposure2(i64::MAX.into(), i64::MAX, 1 << 40), WORTH_MAX);
        assert_eq!(exposure2(i64::MIN.into(), i64::MAX, 1 << 40), -WORTH_MAX);
        assert_eq!(unrealised2(Qty(3), 5, 1, Money(1)), 13);
        assert_eq!(unrealised2(Qty(-3), 5, 1, Money(-9)), 3);
        assert_eq!(unrealised2(Qty(i64::MIN), i64::MAX, 1 << 40, Money(0)), -WORTH_MAX);
        assert_eq!((half_up(-3), half_up(3), half_down(-3)), (Money(-1), Money(2), Money(-2)));
    }

    /// Goal: half a unit beyond the limit is beyond it. Method: −1 / 0 / +1 half units.
    #[test]
    fn limits_compare_half_units() {
        let failed = [9, 10, 11].map(|used2| at_most2(Reject::Gross, used2, Money(5)).failed);
        assert_eq!(failed, [false, false, true]);
    }

    /// Goal: the short ways stop at the ends as the long ones do. Method: one beyond each end of the type, and products at the
    /// ends of what is small.
    #[test]
    fn short_ways_at_the_ends() {
        for (a, b) in
            [(i128::MIN, -1), (i128::MIN, 1), (i128::MAX, 1), (i128::MAX, -1), (0, i128::MIN)]
        {
            assert_eq!((plus(a, b), minus(a, b)), (a.saturating_add(b), a.saturating_sub(b)));
        }
        for bits in 93..98 {
            for sum in
                [-1, 0, 1].into_iter().flat_map(|by| [(1_i128 << bits) + by, by - (1_i128 << bits)])
            {
                assert_eq!(times(sum, u32::MAX), sum.saturating_mul(u32::MAX.into()), "{sum:x}");
            }
            for quantity in [1_i64 << (bits - 62), -(1_i64 << (bits - 62))] {
                let short = small_exposure2(Some(quantity), 1 << 31, 1 << 31);
                let long = exposure2(quantity.into(), 1 << 31, 1 << 31);
                assert!(short.is_none_or(|short| short == long), "{quantity:x}");
            }
        }
    }

    proptest! {
        /// Goal: the short ways stop where the long ones do, and nowhere else. Method: operands of every size against saturating
        /// arithmetic and the product in full.
        #[test]
        fn short_ways_equal_the_long_ones(
            (a, b) in any::<(i128, i128)>(),
            (quantity, mark2, factor) in any::<(i64, i64, i64)>(),
            times in any::<u32>(),
            (less, few, fine) in (0_u32..128, 0_u32..64, 0_u32..64),
        ) {
            let (a, b) = (a >> less, b >> less);
            prop_assert_eq!((plus(a, b), minus(a, b)), (a.saturating_add(b), a.saturating_sub(b)));
            prop_assert_eq!(super::times(a, times), a.saturating_mul(times.into()));
            let (quantity, mark2, factor) = (quantity >> few, mark2 >> fine, factor >> fine);
            if let Some(twice) = small_exposure2(Some(quantity), mark2, factor) {
                prop_assert_eq!(twice, exposure2(quantity.into(), mark2, factor));
            }
        }
    }
}
