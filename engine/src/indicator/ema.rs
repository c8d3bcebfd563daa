//! Exponential moving average of trade prices, as TA-Lib defines it.

use super::fixed::{self, FRACTION_BITS, Part, ShortPart, floor, from_units, to_millionths};
use model::Px;

/// The first value is the mean of the first `N` prices; then each price x moves the average e by
/// (x − e)·2/(N + 1). Both divisions round down at 2^-48 of a price unit, so the state is never
/// more than (N + 3)/2 · 2^-48 below the exact one.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
#[serde(from = "Wide", into = "Wide")]
pub struct Ema<const N: u32>(State);

/// One of the two, by what is quick. The same average may stand above one base or another, so that whatever is compared or
/// written down is [`Wide`].
#[derive(Clone, Copy)]
enum State {
    /// Nearly always: `N` prices are there, and none since the base was chosen was a thousand units away from it or more (less
    /// where `N` is large). All is done in words then, in half of the time.
    Near {
        /// A price that the average is not below.
        base: i64,
        /// The average above the base, fixed point.
        above: u64,
    },
    Wide(Wide),
}

/// Any state, as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Wide {
    /// Prices so far, up to `N`.
    seen: u32,
    /// Sum of the prices, then their average; fixed point. Cannot overflow: a price is below 2^63,
    /// `N` below 2^15.
    state: i128,
}

/// Bits of a base whose millionths, with those of what is above it, surely fit.
const BASE_BITS: u32 = 42;

/// The high word of a product with it has the millionths of a fixed-point number.
const MILLION: u64 = 1_000_000 << (u64::BITS - FRACTION_BITS);

impl<const N: u32> Default for Ema<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: u32> PartialEq for Ema<N> {
    fn eq(&self, other: &Self) -> bool {
        Wide::from(*self) == Wide::from(*other)
    }
}

/// As every state is told, for the full hash is of this text.
impl<const N: u32> core::fmt::Debug for Ema<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Wide { seen, state } = Wide::from(*self);
        f.debug_struct("Ema").field("seen", &seen).field("state", &state).finish()
    }
}

impl<const N: u32> From<Ema<N>> for Wide {
    fn from(Ema(state): Ema<N>) -> Wide {
        match state {
            State::Near { base, above } => {
                Wide { seen: N, state: from_units(base) + i128::from(above) }
            }
            State::Wide(wide) => wide,
        }
    }
}

impl<const N: u32> From<Wide> for Ema<N> {
    fn from(wide: Wide) -> Ema<N> {
        // As many prices above the base as below the average.
        let whole = wide.state >> FRACTION_BITS;
        let base = whole - (1 << (Ema::<N>::NEAR - 1));
        Ema(match i64::try_from(base) {
            Ok(base) if wide.seen == N && base.unsigned_abs() >> BASE_BITS == 0 => {
                State::Near { base, above: (wide.state - from_units(base)) as u64 }
            }
            _ => State::Wide(wide),
        })
    }
}

impl<const N: u32> Ema<N> {
    const STEP: Part = Part::new(2, N + 1);
    const SHORT: ShortPart = ShortPart::new(2, N + 1);

    /// Bits of a price above the base that is near.
    const NEAR: u32 = {
        assert!(N < 1 << 15 && Self::SHORT.bits > FRACTION_BITS);
        Self::SHORT.bits - FRACTION_BITS
    };

    /// Before the first trade.
    pub const fn new() -> Self {
        Ema(State::Wide(Wide { seen: 0, state: 0 }))
    }

    /// Folds in one trade price; the average afterwards.
    #[inline]
    pub fn update(&mut self, px: Px) -> Option<i64> {
        self.add(px);
        self.value()
    }

    /// Folds in one trade price.
    #[inline]
    pub fn add(&mut self, px: Px) {
        if let State::Near { base, above } = &mut self.0 {
            let px = px.0.wrapping_sub(*base).cast_unsigned();
            if px >> Self::NEAR == 0 {
                *above = Self::SHORT.of_way(*above, px << FRACTION_BITS);
                return;
            }
        }
        *self = self.after(px);
    }

    /// [`Ema::add`] for every state and price.
    #[cold]
    fn after(&self, px: Px) -> Self {
        let mut wide = Wide::from(*self);
        wide.add::<N>(px);
        wide.into()
    }

    /// The average, in units of price with six more decimals. `None`: fewer than `N` trades, or out of range.
    #[inline]
    pub fn value(&self) -> Option<i64> {
        match &self.0 {
            State::Near { base, above } => {
                let above = (u128::from(*above) * u128::from(MILLION)) >> 64;
                Some(base * 1_000_000 + above as i64)
            }
            State::Wide(wide) => wide.value::<N>(),
        }
    }

    /// The state, in 2^-48 of a price unit.
    #[cfg(test)]
    pub fn scaled(&self) -> i128 {
        Wide::from(*self).state
    }

    /// Hands out the state as words, for a digest.
    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        let Wide { seen, state } = Wide::from(*self);
        word(seen.into());
        fixed::fold(state, word);
    }
}

impl Wide {
    fn add<const N: u32>(&mut self, px: Px) {
        let px = from_units(px.0);
        if self.seen == N {
            self.state = Ema::<N>::STEP.of_way(self.state, px);
            return;
        }
        self.seen += 1;
        self.state += px;
        if self.seen == N {
            self.state = floor(self.state, N);
        }
    }

    #[cold]
    fn value<const N: u32>(&self) -> Option<i64> {
        if self.seen < N { None } else { to_millionths(self.state) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NEAR: i64 = 1 << Ema::<20>::NEAR;

    /// Goal: the two shapes step alike and have the same value, words and bytes. Method: of the wide one, worked out beside.
    fn same(state: i128, base: i64, px: i64) {
        let before = Wide { seen: 20, state };
        let near = Ema::<20>::from(before);
        let whole = state >> FRACTION_BITS;
        assert_eq!(
            matches!(near.0, State::Near { .. }),
            (whole - i128::from(NEAR / 2)).unsigned_abs() < 1 << BASE_BITS
        );
        // The same average above any base from which it is near.
        let above = u64::try_from(state - from_units(base))
            .ok()
            .filter(|above| above >> FRACTION_BITS < NEAR as u64);
        let other = above.map(|above| Ema(State::Near { base, above }));
        for ema in [Some(near), other].into_iter().flatten() {
            assert_eq!(Wide::from(ema), before);
            assert_eq!(format!("{ema:?}"), format!("Ema {{ seen: 20, state: {state} }}"));
            assert_eq!(ema.value(), before.value::<20>(), "{before:?}");
            let (mut stepped, mut right) = (ema, before);
            stepped.add(Px(px));
            right.add::<20>(Px(px));
            assert_eq!(Wide::from(stepped), right, "{ema:?} {px}");
            assert_eq!(stepped, Ema::from(right));
            assert_eq!(stepped.value(), right.value::<20>());
            assert_eq!(postcard::to_stdvec(&stepped), postcard::to_stdvec(&right));
        }
    }

    proptest! {
        /// Goal: near states are wide ones. Method: averages of every size and sign, bases and prices around both ends of what
        /// is near.
        #[test]
        fn near_is_wide(
            whole in prop_oneof![-5_000_i64..5_000, any::<i64>(), (1_i64 << BASE_BITS) - 3_000..(1 << BASE_BITS) + 3_000],
            bits in 0..(1_i128 << FRACTION_BITS),
            below in prop_oneof![0..NEAR, Just(0), Just(NEAR - 1)],
            px in prop_oneof![any::<i64>(), -3_000_i64..3_000, Just(0), Just(-1), Just(NEAR - 1), Just(NEAR)],
            of_base: bool,
        ) {
            let base = whole.saturating_sub(below).clamp(-1 << BASE_BITS, 1 << BASE_BITS);
            let from = if of_base { base } else { whole };
            same(from_units(whole) + bits, base, from.saturating_add(px));
        }
    }

    /// Goal: the same at the ends. Method: averages at, just above and just below each end of what is near, prices at both ends.
    #[test]
    fn ends_are_wide() {
        for base in [-1 << BASE_BITS, -NEAR, 0, 7, 1 << BASE_BITS] {
            let low = from_units(base);
            let high = from_units(base + NEAR);
            for state in [low, low + 1, low + 20, low + 21, high - 21, high - 2, high - 1] {
                for px in
                    [base - 1, base, base + 1, base + NEAR - 1, base + NEAR, i64::MIN, i64::MAX]
                {
                    same(state, base, px);
                }
            }
        }
    }
}
