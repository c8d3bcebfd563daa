//! From a price to the number of its step, and back.
//!
//! Prices are compared as ranks: the lower, the better, on either side, so that nothing below the
//! books asks which side it is. A grid is a step and where it starts; a rank that lies on it has a
//! number, found without a division: dividing exactly by an odd number is multiplying by its
//! inverse modulo 2^64, and a rank off the grid then gets a number far beyond any on it.

use model::{Px, Side};

/// The longest step; a window of the longest ones spans a quarter of all prices.
const STEP_MAX: u64 = 1 << 48;
const SIGN: u64 = 1 << 63;

/// How good a price is on a side: the lower, the better.
#[inline]
pub(super) const fn rank(side: Side, px: Px) -> u64 {
    let rising = px.0.cast_unsigned() ^ SIGN;
    if matches!(side, Side::Buy) { !rising } else { rising }
}

/// The price of a rank.
#[inline]
pub(super) const fn px(side: Side, rank: u64) -> Px {
    let rising = if matches!(side, Side::Buy) { !rank } else { rank };
    Px((rising ^ SIGN).cast_signed())
}

/// Ranks that are a whole number of steps apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Grid {
    /// The lowest rank on it, less than a step.
    origin: u64,
    step: u64,
    /// Inverse of the odd part of the step, modulo 2^64.
    inverse: u64,
    /// The even part of the step is 2 to this.
    shift: u32,
}

impl Grid {
    /// Every rank.
    pub const UNIT: Grid = Grid { origin: 0, step: 1, inverse: 1, shift: 0 };

    /// The grid through a rank.
    pub fn through(rank: u64, step: u64) -> Grid {
        let step = step.clamp(1, STEP_MAX);
        let shift = step.trailing_zeros();
        let odd = step >> shift;
        // Newton's iteration doubles the right bits, of which any odd number has three to start.
        let inverse = (0..5).fold(odd, |inverse, _| {
            inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)))
        });
        Grid { origin: rank % step, step, inverse, shift }
    }

    /// The number of a rank. If it is at most [`Grid::last`], the rank is on the grid.
    #[inline]
    pub const fn number(&self, rank: u64) -> u64 {
        rank.wrapping_sub(self.origin).wrapping_mul(self.inverse).rotate_right(self.shift)
    }

    /// The rank of a number of at most [`Grid::last`].
    #[inline]
    pub const fn rank(&self, number: u64) -> u64 {
        self.origin.wrapping_add(number.wrapping_mul(self.step))
    }

    /// The last number.
    pub const fn last(&self) -> u64 {
        (u64::MAX - self.origin) / self.step
    }

    /// Price units of a step.
    pub const fn step(&self) -> u64 {
        self.step
    }
}

/// Greatest common divisor (Euclid); of zero and a number, that number.
pub(super) const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: a number says whether a rank is on the grid, and which it is. Method: any ranks,
        /// divided the plain way; ends included.
        #[test]
        fn numbers_are_quotients(
            through in any::<u64>(),
            step in prop_oneof![1..2_000_u64, Just(250_000_000), 1..=STEP_MAX],
            at in any::<u64>(),
            off in 0..3_u64,
        ) {
            let grid = Grid::through(through, step);
            prop_assert!(grid.number(through) <= grid.last());
            prop_assert_eq!(grid.rank(grid.number(through)), through);
            prop_assert_eq!(grid.number(grid.rank(grid.last())), grid.last());
            // With a step of one the last number is the largest there is.
            let near = at.checked_rem(grid.last().wrapping_add(1)).unwrap_or(at);
            let near = grid.rank(near).wrapping_add(off);
            for rank in [at, near, 0, u64::MAX] {
                let origin = through % step;
                let is_on = rank >= origin && (rank - origin).is_multiple_of(step);
                let number = grid.number(rank);
                prop_assert_eq!(number <= grid.last(), is_on);
                prop_assert!(!is_on || number == (rank - origin) / step);
            }
        }

        /// Goal: ranks sort as a side does and read back. Method: any two prices.
        #[test]
        fn ranks_sort_best_first(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(rank(Side::Sell, Px(a)) < rank(Side::Sell, Px(b)), a < b);
            prop_assert_eq!(rank(Side::Buy, Px(a)) < rank(Side::Buy, Px(b)), a > b);
            for side in [Side::Buy, Side::Sell] {
                prop_assert_eq!(px(side, rank(side, Px(a))), Px(a));
            }
        }
    }
}
