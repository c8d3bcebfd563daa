//! Relative strength index of trade prices, as Wilder and TA-Lib define it.

use super::RATIO_DECIMALS;
use super::fixed::{self, FRACTION_BITS, Part, floor, from_units, ratio};
use model::Px;

/// A hundred, in units of 10^-[`RATIO_DECIMALS`].
const HUNDRED: u128 = 10_u128.pow(2 + RATIO_DECIMALS as u32);

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

    /// Bits of a mean or a change that can be multiplied by `N` in 64 bits: 2^12 price units where `N` is 14.
    const SHORT: u32 = {
        assert!(N < 1 << 15);
        N.leading_zeros() + u64::BITS - u32::BITS
    };

    /// Before the first trade.
    pub const fn new() -> Self {
        Rsi { last: None, seen: 0, rises: 0, falls: 0 }
    }

    /// Folds in one trade price; the index afterwards.
    #[inline]
    pub fn update(&mut self, px: Px) -> Option<i64> {
        self.add(px);
        self.value()
    }

    /// Folds in one trade price.
    #[inline]
    pub fn add(&mut self, px: Px) {
        let Some(last) = self.last.replace(px) else { return };
        if self.seen == N
            && let Some([rises, falls]) = self.short()
            && let Some(change) = px.0.checked_sub(last.0)
            && change.unsigned_abs() >> (Self::SHORT - FRACTION_BITS) == 0
        {
            let [rise, fall] =
                [change.max(0), -change.min(0)].map(|by| by.cast_unsigned() << FRACTION_BITS);
            let smooth = |mean, by| (mean * u64::from(N - 1) + by) / u64::from(N);
            self.rises = smooth(rises, rise).into();
            self.falls = smooth(falls, fall).into();
        } else {
            *self = self.after(last, px);
        }
    }

    /// [`Rsi::add`] for every state and price. By value: a state that is lent out does not stay in registers.
    #[cold]
    fn after(mut self, last: Px, px: Px) -> Self {
        let rise = from_units(px.0.saturating_sub(last.0).max(0));
        let fall = from_units(last.0.saturating_sub(px.0).max(0));
        if self.seen == N {
            self.rises = Self::STEP.of_way(self.rises, rise);
            self.falls = Self::STEP.of_way(self.falls, fall);
            return self;
        }
        self.seen += 1;
        self.rises += rise;
        self.falls += fall;
        if self.seen == N {
            self.rises = floor(self.rises, N);
            self.falls = floor(self.falls, N);
        }
        self
    }

    /// The index, 0 to 100 with twelve decimals. `None`: fewer than `N` changes of price, or beyond 2^58 price units.
    #[inline]
    pub fn value(&self) -> Option<i64> {
        if self.seen < N {
            return None;
        }
        let sum = self.rises + self.falls;
        if sum == 0 {
            return Some(0);
        }
        match self.short() {
            // Less than 2^47: no part is more than its whole.
            Some([rises, falls]) => {
                Some((u128::from(rises) * HUNDRED / u128::from(rises + falls)) as i64)
            }
            None => ratio(self.rises * 100, sum, RATIO_DECIMALS),
        }
    }

    /// Both means, where both are short: all is done in 64 bits then, but the last division. Less than half of the time of
    /// the same in 128 bits.
    #[inline(always)]
    fn short(&self) -> Option<[u64; 2]> {
        let is_short = (self.rises | self.falls) >> Self::SHORT == 0;
        is_short.then_some([self.rises as u64, self.falls as u64])
    }

    /// Hands out the state as words, for a digest.
    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        word(self.last.unwrap_or_default().0.cast_unsigned());
        word(self.seen.into());
        fixed::fold(self.rises, word);
        fixed::fold(self.falls, word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: short states and long ones step alike and have the value of the definition. Method: means and changes of every
        /// size, most around the ends of the short ones, beside the long way.
        #[test]
        fn short_is_long(
            bits in [(); 2].map(|()| prop_oneof![0_u32..100, 57_u32..63]),
            raw: [u128; 2],
            last in prop_oneof![-5_000_i64..5_000, any::<i64>()],
            change in prop_oneof![-4_100_i64..4_100, -3_i64..3, any::<i64>()],
            off in -2_i128..=2,
        ) {
            let size = |raw: u128, bits: u32| ((raw >> (127 - bits)).cast_signed() + off).max(0);
            let (rises, falls) = (size(raw[0] >> 1, bits[0]), size(raw[1] >> 1, bits[1]));
            let px = Px(last.saturating_add(change));
            let before = Rsi::<14> { last: Some(Px(last)), seen: 14, rises, falls };
            let mut stepped = before;
            stepped.add(px);
            prop_assert_eq!(stepped, Rsi { last: Some(px), ..before.after(Px(last), px) });
            let sum = before.rises + before.falls;
            let right = if sum == 0 { Some(0) } else { ratio(before.rises * 100, sum, RATIO_DECIMALS) };
            prop_assert_eq!(before.value(), right);
        }
    }
}
