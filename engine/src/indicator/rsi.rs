//! Relative strength index of trade prices, as Wilder and TA-Lib define it.

use super::RATIO_DECIMALS;
use super::fixed::{self, FRACTION_BITS, Part, floor, from_units, ratio};
use model::Px;

/// A hundred, in units of 10^-[`RATIO_DECIMALS`].
const HUNDRED: u64 = 10_u64.pow(2 + RATIO_DECIMALS as u32);

/// 100·g/(g + l), where g and l are the smoothed rises and falls: first the mean of the first `N`
/// of them, then (g·(N − 1) + rise)/N. A flat series is 0. Divisions round down at 2^-48 of a price
/// unit.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Wide", into = "Wide")]
pub struct Rsi<const N: u32>(State);

/// One of the two, by its value alone: equal states are of one shape.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Nearly always: `N` changes are there and both means are below 2^[`Rsi::SHORT`]. One look says so, and everything is done
    /// in 64 bits but the last division: a fifth less time a price than asking each number.
    Short {
        last: Px,
        rises: u64,
        falls: u64,
    },
    Wide(Wide),
}

/// Any state, as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Wide {
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

impl<const N: u32> From<Rsi<N>> for Wide {
    fn from(Rsi(state): Rsi<N>) -> Wide {
        match state {
            State::Short { last, rises, falls } => {
                Wide { last: Some(last), seen: N, rises: rises.into(), falls: falls.into() }
            }
            State::Wide(wide) => wide,
        }
    }
}

impl<const N: u32> From<Wide> for Rsi<N> {
    fn from(wide: Wide) -> Rsi<N> {
        let Wide { last, seen, rises, falls } = wide;
        let is_short = seen == N && (rises | falls) >> Rsi::<N>::SHORT == 0;
        Rsi(match last {
            Some(last) if is_short => {
                State::Short { last, rises: rises as u64, falls: falls as u64 }
            }
            _ => State::Wide(wide),
        })
    }
}

impl<const N: u32> Rsi<N> {
    /// (g·(N − 1) + rise)/N is g and the N-th part of the way to the rise.
    const STEP: Part = Part::new(1, N);

    /// Bits of a mean or a change of which `N` times as much is below 2^63: 2^11 price units where `N` is 14.
    const SHORT: u32 = {
        assert!(N < 1 << 15);
        N.leading_zeros() + u64::BITS - u32::BITS - 1
    };

    /// Before the first trade.
    pub const fn new() -> Self {
        Rsi(State::Wide(Wide { last: None, seen: 0, rises: 0, falls: 0 }))
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
        if let State::Short { last, rises, falls } = &mut self.0 {
            let change = px.0.abs_diff(last.0);
            if change >> (Self::SHORT - FRACTION_BITS) == 0 {
                // A mask, for a branch on which way a price goes would be guessed wrong half of the time.
                let fallen = u64::from(px < *last).wrapping_neg();
                let change = change << FRACTION_BITS;
                let smooth = |mean: u64, by| Self::STEP.of(mean * u64::from(N - 1) + by);
                *rises = smooth(*rises, change & !fallen);
                *falls = smooth(*falls, change & fallen);
                *last = px;
                return;
            }
        }
        *self = self.after(px);
    }

    /// [`Rsi::add`] for every state and price.
    #[cold]
    fn after(&self, px: Px) -> Self {
        let mut wide = Wide::from(*self);
        wide.add::<N>(px);
        wide.into()
    }

    /// The index, 0 to 100 with twelve decimals. `None`: fewer than `N` changes of price, or beyond 2^58 price units.
    #[inline]
    pub fn value(&self) -> Option<i64> {
        match &self.0 {
            State::Short { last: _, rises, falls } => {
                let scaled = u128::from(*rises) * u128::from(HUNDRED);
                // Less than 2^47, for no part is more than its whole; absent where that is zero.
                Some(host::quotient(scaled, rises + falls).map_or(0, u64::cast_signed))
            }
            State::Wide(wide) => wide.value::<N>(),
        }
    }

    /// Hands out the state as words, for a digest.
    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        let Wide { last, seen, rises, falls } = Wide::from(*self);
        word(last.unwrap_or_default().0.cast_unsigned());
        word(seen.into());
        fixed::fold(rises, word);
        fixed::fold(falls, word);
    }
}

impl Wide {
    /// Folds in one trade price.
    fn add<const N: u32>(&mut self, px: Px) {
        let Some(last) = self.last.replace(px) else { return };
        let rise = from_units(px.0.saturating_sub(last.0).max(0));
        let fall = from_units(last.0.saturating_sub(px.0).max(0));
        if self.seen == N {
            self.rises = Rsi::<N>::STEP.of_way(self.rises, rise);
            self.falls = Rsi::<N>::STEP.of_way(self.falls, fall);
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

    /// The index.
    #[cold]
    fn value<const N: u32>(&self) -> Option<i64> {
        if self.seen < N {
            return None;
        }
        let sum = self.rises + self.falls;
        if sum == 0 { Some(0) } else { ratio(self.rises * 100, sum, RATIO_DECIMALS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHORT: u32 = Rsi::<14>::SHORT;

    /// Goal: the two shapes step alike, have the same value and the same words, which are the definition's. Method: of the wide
    /// one, worked out beside.
    fn same(last: i64, px: i64, rises: i128, falls: i128) {
        let before = Wide { last: Some(Px(last)), seen: 14, rises, falls };
        let rsi = Rsi::<14>::from(before);
        let is_short = rises < 1 << SHORT && falls < 1 << SHORT;
        assert_eq!(matches!(rsi.0, State::Short { .. }), is_short);
        assert_eq!(Wide::from(rsi), before);
        assert_eq!(rsi.value(), before.value::<14>());

        let (mut stepped, mut right) = (rsi, before);
        stepped.add(Px(px));
        right.add::<14>(Px(px));
        assert_eq!(Wide::from(stepped), right, "{before:?} {px}");
        assert_eq!(stepped, Rsi::from(right));
        assert_eq!(stepped.value(), right.value::<14>());
        assert_eq!(postcard::to_stdvec(&stepped), postcard::to_stdvec(&right));
    }

    proptest! {
        /// Goal: short states are wide ones. Method: means and changes of every size, most around the ends of the short ones.
        #[test]
        fn short_is_wide(
            bits in [(); 2].map(|()| prop_oneof![0_u32..100, SHORT - 2..SHORT + 3]),
            raw: [u128; 2],
            last in prop_oneof![-5_000_i64..5_000, any::<i64>()],
            change in prop_oneof![-4_100_i64..4_100, 2_046_i64..2_050, -3_i64..3, any::<i64>()],
            off in -2_i128..=2,
        ) {
            let size = |raw: u128, bits: u32| ((raw >> (127 - bits)).cast_signed() + off).max(0);
            let (rises, falls) = (size(raw[0] >> 1, bits[0]), size(raw[1] >> 1, bits[1]));
            same(last, last.saturating_add(change), rises, falls);
        }
    }

    /// Goal: the same at the ends. Method: means of no bit, of one, of all, and around the N-th parts of the greatest; changes
    /// at both ends of the short ones and of the type.
    #[test]
    fn ends_are_wide() {
        let powers = (0..SHORT + 2).map(|bit| 1_i128 << bit);
        let mut means: Vec<i128> = powers.flat_map(|power| [power - 1, power, power + 1]).collect();
        means.extend((0..30).map(|off| (1 << SHORT) - off));
        for rises in &means {
            for falls in &means {
                for change in [0, 1, 2, 2_046, 2_047, 2_048, 2_049, 4_095, 8_191] {
                    same(0, change, *rises, *falls);
                    same(change, 0, *rises, *falls);
                }
                same(i64::MIN, i64::MAX, *rises, *falls);
                same(i64::MAX, i64::MIN, *rises, *falls);
            }
        }
    }
}
