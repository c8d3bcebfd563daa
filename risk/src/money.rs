//! Exact products of price, quantity and money factor.

use model::{Money, Px, Qty};

/// Where the exposure of one pair stops being counted exactly. A limit is below it, so a pair that reaches it
/// is refused; and the pairs of all 2^32 instruments together do not overflow.
pub(crate) const EXPOSURE_MAX: i128 = i128::MAX >> 32;

/// `a · b`; `None` on overflow. Where `a` fits 64 bits, one multiplication does.
fn product(a: i128, b: i64) -> Option<i128> {
    match i64::try_from(a) {
        Ok(a) => Some(i128::from(a) * i128::from(b)),
        Err(_) => a.checked_mul(b.into()),
    }
}

/// `px · qty · factor`; `None` on overflow.
pub(crate) fn notional(px: Px, qty: Qty, factor: i64) -> Option<Money> {
    product(i128::from(px.0) * i128::from(qty.0), factor).map(Money)
}

/// `quantity · mark · factor`, rounded up, where `mark2` is twice the mark. Neither above [`EXPOSURE_MAX`] nor
/// below its negative.
pub(crate) fn exposure(quantity: i128, mark2: i64, factor: i64) -> Money {
    let end = if quantity < 0 { -EXPOSURE_MAX } else { EXPOSURE_MAX };
    let twice = match i64::try_from(quantity) {
        Ok(quantity) => product(i128::from(quantity) * i128::from(mark2), factor),
        Err(_) => None,
    };
    Money(twice.map_or(end, |twice| ((twice + 1) >> 1).clamp(-EXPOSURE_MAX, EXPOSURE_MAX)))
}

/// `quantity · mark · factor − cost`, rounded down: what closing at the mark would add to the profit. Bounded
/// as [`exposure`] is.
pub(crate) fn unrealised(quantity: Qty, mark2: i64, factor: i64, cost: Money) -> Money {
    let value = product(i128::from(quantity.0) * i128::from(mark2), factor).map(|twice| twice >> 1);
    let end = if quantity.0 < 0 { EXPOSURE_MAX } else { -EXPOSURE_MAX };
    let gain = value.and_then(|value| value.checked_sub(cost.0)).unwrap_or(end);
    Money(gain.clamp(-EXPOSURE_MAX, EXPOSURE_MAX))
}

#[cfg(test)]
mod tests {
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

    /// Goal: exposure rounds half a money unit up and stops at its ceiling. Method: odd product; huge
    /// quantity and mark.
    #[test]
    fn exposure_rounds_up_and_stops() {
        assert_eq!(exposure(3, 5, 1), Money(8));
        assert_eq!(exposure(4, 5, 1), Money(10));
        assert_eq!(exposure(0, i64::MAX, i64::MAX), Money(0));
        assert_eq!(exposure(i128::from(u64::MAX), 1, 1), Money(EXPOSURE_MAX));
        assert_eq!(exposure(i64::MAX.into(), i64::MAX, 1 << 40), Money(EXPOSURE_MAX));
        assert_eq!(exposure(-3, 5, 1), Money(-7));
        assert_eq!(exposure(i64::MIN.into(), i64::MAX, 1 << 40), Money(-EXPOSURE_MAX));
    }

    /// Goal: profit rounds down, and what cannot be counted is the worst. Method: odd product of either sign;
    /// huge positions.
    #[test]
    fn unrealised_rounds_down() {
        assert_eq!(unrealised(Qty(3), 5, 1, Money(1)), Money(6));
        assert_eq!(unrealised(Qty(-3), 5, 1, Money(-9)), Money(1));
        for quantity in [i64::MAX, i64::MIN] {
            assert_eq!(unrealised(Qty(quantity), i64::MAX, 1 << 40, Money(0)).0.abs(), EXPOSURE_MAX);
        }
    }
}
