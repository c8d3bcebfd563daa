//! Fixed-point numbers: what the indicators share.

/// Bits behind the point in a state that must round. A price takes 63 bits above them, which leaves
/// 16 to multiply with.
pub(super) const FRACTION_BITS: u32 = 48;

/// A whole number as fixed point.
pub(super) const fn from_units(units: i64) -> i128 {
    (units as i128) << FRACTION_BITS
}

/// `number / by`, rounded down; `by` is not zero.
///
/// Divides 32 bits at a time. Where `by` is a constant, and it always is, that is four
/// multiplications, much faster than a division of 128 bits.
#[inline(always)]
pub(super) const fn floor(number: i128, by: u32) -> i128 {
    let sign = number >> 127;
    // −n − 1 for a negative n, so that rounding down its quotient rounds up its size.
    let size = (number ^ sign).cast_unsigned();
    let (mut quotient, mut rest) = (0, 0);
    let mut shift = 128;
    while shift > 0 {
        shift -= 32;
        let part = rest << 32 | (size >> shift) as u64 & 0xFFFF_FFFF;
        quotient = quotient << 32 | (part / by as u64) as u128;
        rest = part % by as u64;
    }
    quotient.cast_signed() ^ sign
}

/// Six decimals are found in one round of a long division.
const ROUND: i128 = 1_000_000;

/// The greatest denominator that leaves room for the rest of a division times [`ROUND`]: about
/// 2^107.
const DENOMINATOR_MAX: i128 = i128::MAX / ROUND;

/// `numerator / denominator` in units of 10^-`decimals`, a multiple of six, rounded down. `None`:
/// the denominator is not positive or beyond [`DENOMINATOR_MAX`], or the result out of range.
#[inline]
pub(super) fn ratio(numerator: i128, denominator: i128, decimals: u8) -> Option<i64> {
    if !(1..=DENOMINATOR_MAX).contains(&denominator) {
        return None;
    }
    let at_once = numerator.checked_mul(10_i128.pow(decimals.into()));
    let quotient = match at_once {
        Some(scaled) => floor_wide(scaled, denominator),
        None => long_ratio(numerator, denominator, decimals)?,
    };
    i64::try_from(quotient).ok()
}

#[cold]
fn long_ratio(numerator: i128, denominator: i128, decimals: u8) -> Option<i128> {
    let mut quotient = numerator.div_euclid(denominator);
    let mut rest = numerator.rem_euclid(denominator);
    for _ in 0..decimals / 6 {
        let scaled = rest * ROUND;
        quotient = quotient.checked_mul(ROUND)?.checked_add(scaled / denominator)?;
        rest = scaled % denominator;
    }
    Some(quotient)
}

/// `number / by`, rounded down, by one division of numbers without a sign; `by` is positive.
fn floor_wide(number: i128, by: i128) -> i128 {
    let sign = number >> 127;
    let size = (number ^ sign).cast_unsigned(); // As in [`floor`].
    (size / by.cast_unsigned()).cast_signed() ^ sign
}

/// A wide number as two words, low one first.
pub(super) fn fold(number: i128, word: &mut impl FnMut(u64)) {
    word(number as u64);
    word((number >> 64) as u64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: the fast division is the plain one, rounded down, for either sign. Method: any
        /// number, some divisors.
        #[test]
        fn floor_is_floor(number: i128, by in prop_oneof![Just(1), 14..22_u32, 1..=u32::MAX]) {
            prop_assert_eq!(floor(number, by), number.div_euclid(by.into()));
        }

        /// Goal: the same of any divisor. Method: numbers and divisors of all sizes, and the ends of the type.
        #[test]
        fn floor_wide_is_floor(
            number in prop_oneof![any::<i128>(), -1_000..1_000_i128, Just(i128::MIN), Just(i128::MAX)],
            by in prop_oneof![1..1_000_i128, 1..=DENOMINATOR_MAX],
        ) {
            prop_assert_eq!(floor_wide(number, by), number.div_euclid(by));
        }
    }
}
