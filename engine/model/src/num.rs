//! Exact numbers: price, quantity, money, time. Integers from end to end.

/// Nanoseconds in a day.
pub const DAY_NS: u64 = 86_400_000_000_000;

/// A value that is not a whole number of units, or does not fit its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

impl core::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a whole number of units, or out of range")
    }
}

impl core::error::Error for OutOfRange {}

/// A price, in the instrument's price unit, 10^-`px_decimals` (1e-4 for ITCH). "Tick" is the price step, not this unit.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(transparent)]
pub struct Px(pub i64);

/// A quantity, in the instrument's quantity unit, 10^-`qty_decimals` (whole shares for ITCH).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(transparent)]
pub struct Qty(pub i64);

/// Money of one currency, in units of 10^-12. Sums of different currencies are never mixed.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(transparent)]
pub struct Money(pub i128);

/// Nanoseconds since the UNIX epoch.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(transparent)]
pub struct Ts(pub u64);

impl Px {
    /// Converts a venue price with `venue_decimals` into the instrument's price unit, 10^-`px_decimals`.
    /// Exact: never rounds.
    ///
    /// | venue  | field    | d | source                           |
    /// |--------|----------|---|----------------------------------|
    /// | Nasdaq | Price(4) | 4 | TotalView-ITCH 5.0, "Data Types" |
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if the value is not a whole number of units or does not fit an `i64`.
    ///
    /// ```
    /// use model::{OutOfRange, Px};
    /// assert_eq!(Px::from_venue(1_234_500, 4, 4), Ok(Px(1_234_500)));
    /// assert_eq!(Px::from_venue(1_234_501, 4, 2), Err(OutOfRange));
    /// ```
    pub const fn from_venue(
        raw: i64,
        venue_decimals: u32,
        px_decimals: u32,
    ) -> Result<Px, OutOfRange> {
        match rescale(raw, venue_decimals, px_decimals) {
            Ok(units) => Ok(Px(units)),
            Err(error) => Err(error),
        }
    }
}

impl Qty {
    /// Converts a venue quantity with `venue_decimals` into the instrument's unit, 10^-`qty_decimals`. Never rounds.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if the value is not a whole number of units or does not fit an `i64`.
    pub const fn from_venue(
        raw: i64,
        venue_decimals: u32,
        qty_decimals: u32,
    ) -> Result<Qty, OutOfRange> {
        match rescale(raw, venue_decimals, qty_decimals) {
            Ok(units) => Ok(Qty(units)),
            Err(error) => Err(error),
        }
    }
}

const fn rescale(raw: i64, from: u32, to: u32) -> Result<i64, OutOfRange> {
    let Some(factor) = 10_i64.checked_pow(from.abs_diff(to)) else {
        return if raw == 0 { Ok(0) } else { Err(OutOfRange) };
    };
    if from <= to {
        return match raw.checked_mul(factor) {
            Some(units) => Ok(units),
            None => Err(OutOfRange),
        };
    }
    if raw % factor == 0 { Ok(raw / factor) } else { Err(OutOfRange) }
}

impl Money {
    /// Decimal places of the unit.
    pub const DECIMALS: u32 = 12;
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// `px · qty · factor`, where `factor` is [`crate::Instrument::money_factor`]. `None` on overflow.
    pub fn of(px: Px, qty: Qty, factor: i64) -> Option<Money> {
        let product = i128::from(px.0).checked_mul(i128::from(qty.0))?;
        product.checked_mul(i128::from(factor)).map(Money)
    }

    /// Sum, or `None` on overflow.
    pub fn plus(self, other: Money) -> Option<Money> {
        self.0.checked_add(other.0).map(Money)
    }

    /// Difference, or `None` on overflow.
    pub fn minus(self, other: Money) -> Option<Money> {
        self.0.checked_sub(other.0).map(Money)
    }
}

impl Ts {
    /// Nanoseconds since midnight UTC of its day. Independent of the date given to a file without one.
    pub const fn time_of_day(self) -> u64 {
        self.0 % DAY_NS
    }

    /// Nanoseconds from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Ts) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: conversion between decimal scales is exact or refused. Method: widen, narrow, overflow, zero.
    #[test]
    fn rescale_is_exact_or_refused() {
        assert_eq!(Px::from_venue(5, 2, 4), Ok(Px(500)));
        assert_eq!(Px::from_venue(-500, 4, 2), Ok(Px(-5)));
        assert_eq!(Px::from_venue(i64::MAX, 0, 1), Err(OutOfRange));
        assert_eq!(Px::from_venue(1, 30, 0), Err(OutOfRange));
        assert_eq!(Px::from_venue(0, 30, 0), Ok(Px(0)));
    }

    /// Goal: money never wraps. Method: the largest operands.
    #[test]
    fn money_overflow_is_none() {
        assert_eq!(Money::of(Px(2), Qty(3), 10), Some(Money(60)));
        assert_eq!(Money::of(Px(i64::MAX), Qty(i64::MAX), i64::MAX), None);
        assert_eq!(Money(i128::MAX).plus(Money(1)), None);
        assert_eq!(Money(i128::MIN).minus(Money(1)), None);
    }
}
