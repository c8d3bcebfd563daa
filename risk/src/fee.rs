//! What a fill costs.

use model::{Money, Px, Qty};

use crate::money;

/// Parts of one that a rate is given in.
const RATE_PARTS: i128 = 1_000_000;

/// A fee on one fill: `⌈px · qty · by_notional + qty · by_qty / per⌉ · unit`. Worked out once for each
/// instrument, so that a fill takes one division.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Fee {
    by_notional: i64,
    by_qty: i64,
    per: i64,
    unit: Money,
}

impl Fee {
    /// Nothing is charged.
    pub const NONE: Fee = Fee { by_notional: 0, by_qty: 0, per: 1, unit: Money(1) };

    /// `rate` millionths of the money traded and `each` for every quantity unit, together rounded up to a
    /// multiple of `unit`: what is charged is never less than exact, what is paid back never more. Negative
    /// is a rebate. `factor` is the instrument's [`model::Instrument::money_factor`]. `None` if the numbers
    /// do not fit or the unit is not positive.
    pub fn new(rate: i64, each: Money, unit: Money, factor: i64) -> Option<Fee> {
        let per = RATE_PARTS.checked_mul(unit.0).filter(|per| *per > 0)?;
        let by_notional = i128::from(rate) * i128::from(factor);
        let by_qty = RATE_PARTS.checked_mul(each.0)?;
        let shared =
            gcd(gcd(by_notional.unsigned_abs(), by_qty.unsigned_abs()), per.unsigned_abs());
        let shared = i128::try_from(shared).ok()?;
        let reduced = |number: i128| i64::try_from(number / shared).ok();
        Some(Fee {
            by_notional: reduced(by_notional)?,
            by_qty: reduced(by_qty)?,
            per: reduced(per)?,
            unit,
        })
    }

    /// The fee of a fill; `None` on overflow.
    #[inline(always)]
    pub(crate) fn of(&self, px: Px, qty: Qty) -> Option<Money> {
        if self.by_notional == 0 && self.by_qty == 0 {
            return Some(Money::ZERO);
        }
        let by_notional = money::product(i128::from(px.0) * i128::from(qty.0), self.by_notional)?;
        let by_qty = i128::from(qty.0) * i128::from(self.by_qty);
        let units = div_ceil(by_notional.checked_add(by_qty)?, self.per);
        let fee = match i64::try_from(units) {
            Ok(units) => money::product(self.unit.0, units),
            Err(_) => units.checked_mul(self.unit.0),
        };
        fee.map(Money)
    }

    /// The same, but a rebate is worth nothing: what must be held for a fill.
    #[inline(always)]
    pub(crate) fn at_worst(&self, px: Px, qty: Qty) -> Option<Money> {
        self.of(px, qty).map(|fee| fee.max(Money::ZERO))
    }
}

/// `⌈total / per⌉`. A division of 64 bits where it suffices costs a fifth of one of 128.
#[inline]
fn div_ceil(total: i128, per: i64) -> i128 {
    match i64::try_from(total) {
        Ok(total) => (total.div_euclid(per) + i64::from(total.rem_euclid(per) > 0)).into(),
        Err(_) => wide_div_ceil(total, per.into()),
    }
}

#[cold]
fn wide_div_ceil(total: i128, per: i128) -> i128 {
    total.div_euclid(per) + i128::from(total.rem_euclid(per) > 0)
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    const CENT: Money = Money(10_000_000_000);

    /// Goal: three basis points of 100.01 are 3.0003 cents and cost four; a rebate of as much pays three.
    /// Method: figures worked out by hand; a fee for each share; nothing.
    #[test]
    fn rounds_against_us() {
        let (px, factor) = (Px(1_000_100), 100_000_000);
        let taker = Fee::new(300, Money::ZERO, CENT, factor).unwrap();
        assert_eq!(taker.of(px, Qty(1)), Some(Money(4 * CENT.0)));
        let rebate = Fee::new(-300, Money::ZERO, CENT, factor).unwrap();
        assert_eq!(rebate.of(px, Qty(1)), Some(Money(-3 * CENT.0)));
        assert_eq!(rebate.at_worst(px, Qty(1)), Some(Money::ZERO));
        let each = Fee::new(0, Money(CENT.0 * 3 / 10), CENT, factor).unwrap();
        assert_eq!(each.of(px, Qty(100)), Some(Money(30 * CENT.0)));
        assert_eq!(each.of(px, Qty(101)), Some(Money(31 * CENT.0)));
        assert_eq!(Fee::NONE.of(Px(i64::MAX), Qty(i64::MAX)), Some(Money::ZERO));
        assert_eq!(Fee::new(1, Money::ZERO, Money::ZERO, 1), None);
        // Numbers that only fit once what they share is taken out.
        let coarse = Fee::new(1_000_000, Money::ZERO, Money(10_i128.pow(13)), 10_i64.pow(12));
        assert_eq!(coarse.unwrap().of(Px(11), Qty(1)), Some(Money(2 * 10_i128.pow(13))));
    }

    proptest! {
        /// Goal: the fee is the exact one, rounded up to its unit, or refused. Method: against big integers.
        #[test]
        fn equals_the_exact_fee(
            rate in -20_000_i64..20_000,
            each in -1_000_000_000_000_i128..1_000_000_000_000,
            unit in prop::sample::select(&[1_i128, 10_000_000_000, 100_000_000][..]),
            factor in prop::sample::select(&[1_i64, 100_000_000, 1_000_000_000_000][..]),
            px in any::<i64>(),
            qty in any::<i64>(),
            shift in 0_u32..60,
        ) {
            let (px, qty) = (px >> shift, qty >> shift);
            let Some(fee) = Fee::new(rate, Money(each), Money(unit), factor) else { return Ok(()) };
            let exact = BigInt::from(px) * qty * factor * rate + BigInt::from(qty) * each * RATE_PARTS;
            if let Some(Money(charged)) = fee.of(Px(px), Qty(qty)) {
                let over = BigInt::from(charged) * RATE_PARTS - exact;
                prop_assert!(over >= BigInt::ZERO && over < BigInt::from(unit * RATE_PARTS));
                prop_assert_eq!(charged % unit, 0);
            } else {
                prop_assert!(exact.magnitude() > BigInt::from(1_u128 << 90).magnitude());
            }
        }
    }
}
