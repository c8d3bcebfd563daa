//! Exponential moving average of trade prices, as TA-Lib defines it.

use super::PX_DECIMALS;
use super::fixed::{self, FRACTION_BITS, from_units, ratio};
use model::Px;

/// The first value is the mean of the first `N` prices; then each price x moves the average e to e + (x − e)·2/(N + 1).
/// Both divisions round down at 2^-48 of a price unit, so the state is never more than (N + 3)/2 · 2^-48 below the exact one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ema<const N: u32> {
    /// Prices so far, up to `N`.
    seen: u32,
    /// Sum of the prices, then their average; fixed point. Cannot overflow: a price is below 2^63, `N` below 2^15.
    state: i128,
}

impl<const N: u32> Ema<N> {
    pub const fn new() -> Self {
        Ema { seen: 0, state: 0 }
    }

    /// Folds in one trade price.
    pub fn update(&mut self, px: Px) {
        let px = from_units(px.0);
        if self.seen == N {
            self.state += ((px - self.state) * 2).div_euclid(i128::from(N) + 1);
            return;
        }
        self.seen += 1;
        self.state += px;
        if self.seen == N {
            self.state = self.state.div_euclid(i128::from(N));
        }
    }

    /// In units of price with six more decimals; `None`: fewer than `N` trades.
    pub fn value(&self) -> Option<i64> {
        let average = (self.seen == N).then_some(self.state)?;
        ratio(average, 1 << FRACTION_BITS, PX_DECIMALS)
    }

    /// The state, in 2^-48 of a price unit.
    #[cfg(test)]
    pub const fn scaled(&self) -> i128 {
        self.state
    }

    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        word(self.seen.into());
        fixed::fold(self.state, word);
    }
}
