//! Relative strength index of trade prices, as Wilder and TA-Lib define it.

use super::RATIO_DECIMALS;
use super::fixed::{self, Part, floor, from_units, ratio};
use model::Px;

/// 100·g/(g + l), where g and l are the smoothed rises and falls: first the mean of the first `N`
/// of them, then (g·(N − 1) + rise)/N. A flat series is 0. Divisions round down at 2^-48 of a price
/// unit.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rsi<const N: u32> {
    last: Option<Px>,
    /// Changes of price so far, up to `N`.
    seen: u32,
    /// Sums, then smoothed means; fixed point. Cannot overflow: a change is below 2^63, `N` below
    /// 2^15.
    rises: i128,
    falls: i128,
}

impl<const N: u32> Default for Rsi<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: u32> Rsi<N> {
    /// (g·(N − 1) + rise)/N is g and the N-th part of the way to the rise.
    const STEP: Part = Part::new(1, N);

    /// Before the first trade.
    pub const fn new() -> Self {
        Rsi { last: None, seen: 0, rises: 0, falls: 0 }
    }

    /// Folds in one trade price; the index afterwards.
    pub fn update(&mut self, px: Px) -> Option<i64> {
        self.add(px);
        self.value()
    }

    /// Folds in one trade price.
    #[inline]
    pub fn add(&mut self, px: Px) {
        let Some(last) = self.last.replace(px) else { return };
        let rise = from_units(px.0.saturating_sub(last.0).max(0));
        let fall = from_units(last.0.saturating_sub(px.0).max(0));
        if self.seen == N {
            self.rises = Self::STEP.of_way(self.rises, rise);
            self.falls = Self::STEP.of_way(self.falls, fall);
            return;
        }
        self.seen += 1;
        self.rises += rise;
        self.falls += fall;
        if self.seen == N {
            self.rises = floor(self.rises, N);
            self.falls = floor(self.falls, N);
        }
    }

    /// The index, 0 to 100 with twelve decimals. `None`: fewer than `N` changes of price, or beyond 2^58 price units.
    #[inline]
    pub fn value(&self) -> Option<i64> {
        if self.seen < N {
            return None;
        }
        if self.rises + self.falls == 0 {
            return Some(0);
        }
        ratio(self.rises * 100, self.rises + self.falls, RATIO_DECIMALS)
    }

    /// Hands out the state as words, for a digest.
    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        word(self.last.unwrap_or_default().0.cast_unsigned());
        word(self.seen.into());
        fixed::fold(self.rises, word);
        fixed::fold(self.falls, word);
    }
}
