//! Fixed-point numbers: what the indicators share.

/// Bits behind the point in a state that must round. A price takes 63 bits above them, which leaves 16 to multiply with.
pub(super) const FRACTION_BITS: u32 = 48;

/// A whole number as fixed point.
pub(super) const fn from_units(units: i64) -> i128 {
    (units as i128) << FRACTION_BITS
}

/// Six decimals are found in one round of a long division.
const ROUND: i128 = 1_000_000;

/// The greatest denominator that leaves room for the rest of a division times [`ROUND`]: about 2^107.
const DENOMINATOR_MAX: i128 = i128::MAX / ROUND;

/// `numerator / denominator` in units of 10^-`decimals`, a multiple of six, rounded down. `None`: the denominator is not
/// positive or beyond [`DENOMINATOR_MAX`], or the result out of range.
pub(super) fn ratio(numerator: i128, denominator: i128, decimals: u8) -> Option<i64> {
    if !(1..=DENOMINATOR_MAX).contains(&denominator) {
        return None;
    }
    let mut quotient = numerator.div_euclid(denominator);
    let mut rest = numerator.rem_euclid(denominator);
    for _ in 0..decimals / 6 {
        let scaled = rest * ROUND;
        quotient = quotient.checked_mul(ROUND)?.checked_add(scaled / denominator)?;
        rest = scaled % denominator;
    }
    i64::try_from(quotient).ok()
}

/// A wide number as two words, low one first.
pub(super) fn fold(number: i128, word: &mut impl FnMut(u64)) {
    word(number as u64);
    word((number >> 64) as u64);
}
