//! The processor's division of 128 bits by 64.

/// `number / by`, rounded down; `None`: by zero, or the quotient takes more than 64 bits.
///
/// Processors of this family divide so in one instruction, which no operator of the language becomes: `/` of 128 bits is a
/// call that looks for shorter cases before it gets there. An indicator that divides for each price takes a third less time.
#[inline(always)]
pub fn quotient(number: u128, by: u64) -> Option<u64> {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let (high, low) = ((number >> 64) as u64, number as u64);
        if high >= by {
            return None;
        }
        let quotient;
        // SAFETY: the divisor is above the high word, so that it is not zero and the quotient fits: the instruction cannot
        // fault. It touches only the named registers and flags.
        unsafe {
            core::arch::asm!(
                "div {by}",
                by = in(reg) by,
                inout("rax") low => quotient,
                inout("rdx") high => _,
                options(pure, nomem, nostack),
            );
        }
        Some(quotient)
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    plain(number, by)
}

/// [`quotient`] by the operator.
#[cfg(any(test, miri, not(target_arch = "x86_64")))]
fn plain(number: u128, by: u64) -> Option<u64> {
    u64::try_from(number.checked_div(by.into())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a quotient is the operator's, and absent where that one does not fit; nothing faults. Method: each pair of words
    /// at the ends, around each power of two and of many bits, as high word, low word and divisor, and every number around
    /// the least whose quotient does not fit.
    #[test]
    fn quotient_is_the_operators() {
        let powers = (0..64).map(|bit| 1_u64 << bit);
        let mut words: Vec<u64> =
            powers.flat_map(|power| [power - 1, power, power.wrapping_neg()]).collect();
        let scattered = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (n % 64);
        words.extend((1..32).map(scattered));
        let (mut present, mut absent) = (0, 0);
        let mut same = |number: u128, by: u64| {
            let right = plain(number, by);
            assert_eq!(quotient(number, by), right, "{number} / {by}");
            *(if right.is_some() { &mut present } else { &mut absent }) += 1;
        };
        for by in &words {
            for low in &words {
                let edge = u128::from(*by) << 64;
                for number in [edge, edge.saturating_sub(1), edge + 1] {
                    same(number, *by);
                }
                for high in &words {
                    same(u128::from(*high) << 64 | u128::from(*low), *by);
                }
            }
        }
        assert!(present > 1_000_000 && absent > 1_000_000);
    }
}
