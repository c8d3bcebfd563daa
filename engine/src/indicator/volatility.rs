//! Realised volatility of trade prices.

use super::fixed;
use model::Px;

/// One, in units of a return: 10^-12.
const ONE: i64 = 1_000_000_000_000;

/// √(Σ r²) over the last `N` returns, r = (p − p′)/p′ from one trade price p′ to the next p: the
/// realised volatility of that window (Andersen and Bollerslev 1998), with simple returns, not
/// annualised. Returns round down at 10^-12 and are summed exactly; the root is taken last.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Volatility<const N: usize> {
    last: Option<Px>,
    /// The latest returns, in units of 10^-12, the oldest at `oldest`; those not there yet are
    /// zero.
    #[serde(with = "model::snapshot::array")]
    returns: [i64; N],
    oldest: usize,
    seen: usize,
    /// Sum of the squares of `returns`.
    squares: u128,
    /// A return or the sum exceeded its type: no value until the next day.
    is_spoilt: bool,
}

impl<const N: usize> Volatility<N> {
    pub const fn new() -> Self {
        Volatility { last: None, returns: [0; N], oldest: 0, seen: 0, squares: 0, is_spoilt: false }
    }

    /// Folds in one trade price.
    pub fn add(&mut self, px: Px) {
        let Some(last) = self.last.replace(px) else { return };
        match self.slide(last, px) {
            Some(squares) => self.squares = squares,
            None => self.is_spoilt = true,
        }
    }

    /// The volatility, a ratio with twelve decimals. `None`: fewer than `N` returns, or out of range.
    pub fn value(&self) -> Option<i64> {
        if self.seen < N || self.is_spoilt {
            return None;
        }
        match u64::try_from(self.squares) {
            Ok(squares) => i64::try_from(squares.isqrt()).ok(),
            Err(_) => i64::try_from(self.squares.isqrt()).ok(),
        }
    }

    /// Puts the newest return in the place of the oldest; the new sum of squares, `None` if
    /// something exceeds its type.
    fn slide(&mut self, last: Px, px: Px) -> Option<u128> {
        let newest = change(last.0, px.0)?;
        let place = self.returns.get_mut(self.oldest)?;
        let oldest = core::mem::replace(place, newest);
        self.oldest = (self.oldest + 1) % N;
        self.seen = (self.seen + 1).min(N);
        self.squares.checked_sub(square(oldest))?.checked_add(square(newest))
    }

    /// The returns of the window are in the words of the calls before.
    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        word(self.last.unwrap_or_default().0.cast_unsigned());
        word(self.seen as u64);
        fixed::fold(self.squares.cast_signed(), word);
        word(self.is_spoilt.into());
    }
}

/// (to − from)/from in units of 10^-12, rounded down; `None`: out of range, or from zero.
fn change(from: i64, to: i64) -> Option<i64> {
    match to.checked_sub(from).and_then(|by| by.checked_mul(ONE)) {
        Some(scaled) => scaled.checked_div_euclid(from),
        None => {
            let scaled = (i128::from(to) - i128::from(from)) * i128::from(ONE);
            i64::try_from(scaled.checked_div_euclid(from.into())?).ok()
        }
    }
}

const fn square(r: i64) -> u128 {
    let size = r.unsigned_abs() as u128;
    size * size
}
