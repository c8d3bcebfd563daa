//! Fixed-point numbers: what the indicators share.

/// Bits behind the point in a state that must round. A price takes 63 bits above them, which leaves
/// 16 to multiply with.
pub(super) const FRACTION_BITS: u32 = 48;

/// A whole number as fixed point.
pub(super) const fn from_units(units: i64) -> i128 {
    // As two halves: a shift of 128 bits is slow on many processors.
    let (high, low) = (units >> (64 - FRACTION_BITS), (units.cast_unsigned()) << FRACTION_BITS);
    (high as i128) << 64 | low as i128
}

/// Fixed point in units of 10^-6, rounded down; `None`: out of range.
pub(super) fn to_millionths(number: i128) -> Option<i64> {
    let (high, low) = ((number >> 64) as i64, number as u64);
    let whole = high << (64 - FRACTION_BITS) | (low >> FRACTION_BITS).cast_signed();
    if whole >> (64 - FRACTION_BITS) != high {
        return None;
    }
    let fraction = ((u128::from(low << (64 - FRACTION_BITS)) * 1_000_000) >> 64).cast_signed();
    i64::try_from(i128::from(whole) * 1_000_000 + fraction).ok()
}

/// A part `times / by` of a way.
#[derive(Clone, Copy)]
pub(super) struct Part {
    times: u32,
    by: u32,
    /// `times / by` in units of 2^-(64 + `shift`), rounded up; its highest bit is set, or nearly.
    factor: u64,
    shift: u32,
    /// A multiple of `by`, about 2^61, and that part of it: makes a short way of either sign positive, and is taken off again.
    lift: i128,
    lifted: i128,
}

impl Part {
    /// `times` is 1 or 2, and less than `by`.
    pub const fn new(times: u32, by: u32) -> Part {
        assert!(times <= 2 && times < by);
        let shift = ((by - 1) / times).ilog2();
        let factor = ((times as u128) << (64 + shift)) / by as u128 + 1;
        let units = (1 << 61) / by as i128;
        let (lift, lifted) = (units * by as i128, units * times as i128);
        Part { times, by, factor: factor as u64, shift, lift, lifted }
    }

    /// `from` and this part of the way from there to `to`, rounded down.
    ///
    /// A way shorter than 2^61 takes one multiplication: what is added to the factor by rounding it up is at most `by`, and
    /// `by` times 2^62 is at most 2^(64 + `shift`), so that no quotient is raised to the next whole number (Granlund and
    /// Montgomery 1994). A third of the time of the division of 128 bits.
    #[inline(always)]
    pub const fn of_way(&self, from: i128, to: i128) -> i128 {
        let lifted = to + self.lift;
        if (lifted - from) >> 62 != 0 {
            return self.of_long_way(from, to);
        }
        // Of the low words: out of the difference above the compiler makes a multiplication of 128 bits, which the next price
        // waits for. With it a price takes a fifth more time.
        let way = (lifted as u64).wrapping_sub(from as u64);
        from - self.lifted + self.of(way) as i128
    }

    /// This part of a number, rounded down; of one below 2^62, and below 2^63 where `times` is 1.
    #[inline(always)]
    pub const fn of(&self, number: u64) -> u64 {
        ((number as u128 * self.factor as u128) >> 64) as u64 >> self.shift
    }

    #[cold]
    const fn of_long_way(&self, from: i128, to: i128) -> i128 {
        from + floor((to - from) * self.times as i128, self.by)
    }
}

/// A part `times / by` of ways that are short: of one word, and their part the high word of one product.
#[derive(Clone, Copy)]
pub(super) struct ShortPart {
    /// Bits of a place: both ends of a way are below 2^`bits`.
    pub bits: u32,
    /// `times / by` in units of 2^-64, rounded up.
    factor: u64,
    /// As [`Part`]'s, above 2^`bits`.
    lift: u64,
    lifted: u64,
}

impl ShortPart {
    /// For the longest ways of which no quotient is raised to the next whole number: what is added to the factor by rounding it
    /// up, in units of 2^-64 / `by`, times a lifted way stays below 2^64 (Granlund and Montgomery 1994). `times` is less
    /// than `by`.
    pub const fn new(times: u32, by: u32) -> ShortPart {
        assert!(times < by);
        let whole = (times as u128) << 64;
        let factor = whole / by as u128 + 1;
        let raised = factor * by as u128 - whole;
        let mut bits = u64::BITS - 2;
        while ((2 << bits) + by as u128) * raised > 1 << 64 {
            bits -= 1;
        }
        let units = (1_u64 << bits) / by as u64 + 1;
        let (lift, lifted) = (units * by as u64, units * times as u64);
        ShortPart { bits, factor: factor as u64, lift, lifted }
    }

    /// [`Part::of_way`] between places below 2^`bits`.
    #[inline(always)]
    pub const fn of_way(&self, from: u64, to: u64) -> u64 {
        let part = (((to + self.lift - from) as u128 * self.factor as u128) >> 64) as u64;
        // Below zero for a moment, where the sum is not.
        from.wrapping_sub(self.lifted).wrapping_add(part)
    }
}

/// `number / by`, rounded down; `by` is not zero.
///
/// Divides 32 bits at a time, much faster than a division of 128 bits.
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
    let scale = 10_i128.pow(decimals.into());
    // Nearly always: one division by 64 bits. Cannot overflow: the scale is below 2^63. Below zero, −n − 1 is divided, so that
    // rounding down its quotient rounds up its size.
    if let (Ok(numerator), Ok(denominator @ 1..)) =
        (i64::try_from(numerator), u64::try_from(denominator))
    {
        let sign = numerator >> 63;
        let scaled = ((i128::from(numerator) * scale) ^ i128::from(sign)).cast_unsigned();
        let quotient = host::quotient(scaled, denominator)?;
        return Some(i64::try_from(quotient).ok()? ^ sign);
    }
    if !(1..=DENOMINATOR_MAX).contains(&denominator) {
        return None;
    }
    let at_once = numerator.checked_mul(scale);
    let quotient = match at_once {
        Some(scaled) => scaled.div_euclid(denominator),
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

/// A wide number as two words, low one first.
pub(super) fn fold(number: i128, word: &mut impl FnMut(u64)) {
    word(number as u64);
    word((number >> 64) as u64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    proptest! {
        /// Goal: the fast division is the plain one, rounded down, for either sign. Method: any
        /// number, some divisors.
        #[test]
        fn floor_is_floor(number: i128, by in prop_oneof![Just(1), 14..22_u32, 1..=u32::MAX]) {
            prop_assert_eq!(floor(number, by), number.div_euclid(by.into()));
        }

        /// Goal: a part of a way is the definition's, short ways and long, for every part that is quick. Method: ways around
        /// those that are whole multiples, and around the longest that is quick.
        #[test]
        fn of_way_is_exact(
            from in -(1_i128 << 110)..1 << 110,
            units in prop_oneof![-9_i128..9, any::<i64>().prop_map(i128::from), Just(1_i128 << 61), Just(-1_i128 << 61)],
            off in -3_i128..=3,
            (times, by) in prop_oneof![(Just(1), 2_u32..40), (Just(2), 3_u32..40), (1..=2_u32, (1_u32 << 15)..1 << 16)],
        ) {
            let to = from + (units / i128::from(by) * i128::from(by)) + off;
            let right = from + ((to - from) * i128::from(times)).div_euclid(by.into());
            prop_assert_eq!(Part::new(times, by).of_way(from, to), right);
        }

        /// Goal: a part of a short way is the definition's, for every part. Method: ways around those that are whole
        /// multiples, from and to the lowest and the highest place, and any others.
        #[test]
        fn short_part_is_exact(
            (times, by) in prop_oneof![(Just(1), 2_u32..40), (Just(2), 3_u32..40), (1..=2_u32, 3_u32..1 << 16)],
            raw: [u64; 2],
            ends in (0..3_usize, 0..3_usize),
            off in -3_i64..=3,
        ) {
            let part = ShortPart::new(times, by);
            let last = (1_u64 << part.bits) - 1;
            let end = |raw: u64, which: usize| [raw & last, 0, last][which].cast_signed();
            let (from, to) = (end(raw[0], ends.0), end(raw[1], ends.1));
            let whole = (to - from) / i64::from(by) * i64::from(by);
            let to = (from + whole + off).clamp(0, last.cast_signed());
            let right = i128::from(from) + (i128::from(to - from) * i128::from(times)).div_euclid(by.into());
            prop_assert_eq!(i128::from(part.of_way(from.cast_unsigned(), to.cast_unsigned())), right);
        }

        /// Goal: a quotient is the definition's for either sign, at the ends of the quick division and beyond. Method: sizes
        /// of every number of bits.
        #[test]
        fn ratio_is_exact(
            bits in (0_u32..127, 0_u32..127),
            raw: (i128, i128),
            negative: bool,
            decimals in prop_oneof![Just(6_u8), Just(12)],
        ) {
            let numerator = (raw.0.max(0) >> bits.0) * if negative { -1 } else { 1 };
            let denominator = raw.1.max(0) >> bits.1;
            let scaled = BigInt::from(numerator) * BigInt::from(10).pow(decimals.into());
            let right = (1..=DENOMINATOR_MAX).contains(&denominator).then(|| {
                let (quotient, rest) = (&scaled / denominator, &scaled % denominator);
                if rest < BigInt::ZERO { quotient - 1 } else { quotient }
            });
            let right = right.and_then(|quotient| i64::try_from(quotient).ok());
            prop_assert_eq!(ratio(numerator, denominator, decimals), right);
        }

        /// Goal: decimals are the definition's or absent. Method: numbers of every size and sign, half of them about the longest
        /// that fits.
        #[test]
        fn millionths_are_exact(number: i128, bits in prop_oneof![0_u32..127, 33_u32..39]) {
            let number = number >> bits;
            let right = (BigInt::from(number) * 1_000_000) >> FRACTION_BITS;
            prop_assert_eq!(to_millionths(number), i64::try_from(right).ok());
            prop_assert_eq!(from_units(number as i64), i128::from(number as i64) << FRACTION_BITS);
        }
    }
}
