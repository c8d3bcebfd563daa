//! Exponential moving average of trade prices, as TA-Lib defines it.

use super::fixed::{self, Part, floor, from_units, to_millionths};
use model::Px;

/// The first value is the mean of the first `N` prices; then each price x moves the average e by
/// (x − e)·2/(N + 1). Both divisions round down at 2^-48 of a price unit, so the state is never
/// more than (N + 3)/2 · 2^-48 below the exact one.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ema<const N: u32> {
    /// Prices so far, up to `N`.
    seen: u32,
    /// Sum of the prices, then their average; fixed point. Cannot overflow: a price is below 2^63,
    /// `N` below 2^15.
    state: i128,
}

impl<const N: u32> Default for Ema<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: u32> Ema<N> {
    const STEP: Part = Part::new(2, N + 1);

    /// Before the first trade.
    pub const fn new() -> Self {
        Ema { seen: 0, state: 0 }
    }

    /// Folds in one trade price; the average afterwards.
    pub fn update(&mut self, px: Px) -> Option<i64> {
        self.add(px);
        self.value()
    }

    /// Folds in one trade price.
    #[inline]
    pub fn add(&mut self, px: Px) {
        let px = from_units(px.0);
        if self.seen == N {
            self.state = Self::STEP.of_way(self.state, px);
            return;
        }
        self.seen += 1;
        self.state += px;
        if self.seen == N {
            self.state = floor(self.state, N);
        }
    }

    /// The average, in units of price with six more decimals. `None`: fewer than `N` trades, or out of range.
    #[inline]
    pub fn value(&self) -> Option<i64> {
        if self.seen < N { None } else { to_millionths(self.state) }
    }

    /// The state, in 2^-48 of a price unit.
    #[cfg(test)]
    pub const fn scaled(&self) -> i128 {
        self.state
    }

    /// Hands out the state as words, for a digest.
    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        word(self.seen.into());
        fixed::fold(self.state, word);
    }
}
