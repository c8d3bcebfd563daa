//! Fixed-point numbers: what the indicators share.

/// Bits behind the point in a state that must round. A price takes 63 bits above them, which leaves 16 to multiply with.
pub(super) const FRACTION_BITS: u32 = 48;

/// A whole number as fixed point.
pub(super) const fn from_units(units: i64) -> i128 {
    (units as i128) << FRACTION_BITS
}

/// `numerator / denominator` in units of 10^-`decimals`, rounded down; `None`: the denominator is not positive, or the
/// result out of range. `decimals` is a multiple of six: the division is a long one, six digits a round, so that only
/// denominators above 2^107 are out of reach.
pub(super) fn ratio(numerator: i128, denominator: i128, decimals: u8) -> Option<i64> {
    if denominator <= 0 {
        return None;
    }
    let mut quotient = numerator.div_euclid(denominator);
    let mut rest = numerator.rem_euclid(denominator);
    for _ in 0..decimals / 6 {
        let scaled = rest.checked_mul(1_000_000)?;
        quotient = quotient.checked_mul(1_000_000)?.checked_add(scaled / denominator)?;
        rest = scaled % denominator;
    }
    i64::try_from(quotient).ok()
}

/// A wide number as two words, low one first.
pub(super) fn fold(number: i128, word: &mut impl FnMut(u64)) {
    word(number as u64);
    word((number >> 64) as u64);
}
