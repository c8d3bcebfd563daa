//! Volume-weighted average price of the day.

use super::PX_DECIMALS;
use super::fixed::{self, ratio};
use model::{Px, Qty};

/// Σ price·quantity / Σ quantity over all printable trades since the day began, exact.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Vwap {
    notional: i128,
    volume: i128,
    /// A sum exceeded its type: no value until the next day.
    is_spoilt: bool,
}

impl Vwap {
    pub const fn new() -> Self {
        Vwap { notional: 0, volume: 0, is_spoilt: false }
    }

    /// Folds in one trade.
    pub fn add(&mut self, px: Px, qty: Qty) {
        let (px, qty) = (i128::from(px.0), i128::from(qty.0));
        self.volume = self.volume.saturating_add(qty);
        match self.notional.checked_add(px * qty) {
            Some(notional) => self.notional = notional,
            None => self.is_spoilt = true,
        }
    }

    /// The average, in units of price with six more decimals. `None`: no trade, or out of range.
    pub fn value(&self) -> Option<i64> {
        if self.is_spoilt { None } else { ratio(self.notional, self.volume, PX_DECIMALS) }
    }

    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        fixed::fold(self.notional, word);
        fixed::fold(self.volume, word);
        word(self.is_spoilt.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a sum that overflows has no value, however small later trades are. Method: stand just
    /// below the end of the type.
    #[test]
    fn overflow_stays() {
        let (notional, volume) = (i128::MAX - 10, i128::MAX >> 32);
        let mut vwap = Vwap { notional, volume, is_spoilt: false };
        let mut after = |px| {
            vwap.add(Px(px), Qty(1));
            vwap.value()
        };
        assert!(after(10).is_some());
        assert_eq!([after(1), after(1)], [None; 2]);
    }
}
