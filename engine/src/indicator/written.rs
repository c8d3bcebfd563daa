//! How indicators are written down, in snapshots and for the full hash: with their values, whether somebody looked or not.

use super::ofi::Ofi;
use super::volatility::Volatility;
use super::vwap::Vwap;
use super::{Ema, LIST, Moved, Rsi};
use model::page::Quote;

/// Everything of [`super::Indicators`], and the values that follow from it.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Indicators {
    ema20: Ema<20>,
    rsi14: Rsi<14>,
    vwap: Vwap,
    rvol64: Volatility<64>,
    ofi: Ofi,
    quotes: [Option<Quote>; 2],
    values: [Option<i64>; LIST.len()],
}

impl From<super::Indicators> for Indicators {
    fn from(indicators: super::Indicators) -> Self {
        let super::Indicators { ema20, rsi14, vwap, rvol64, ofi, quotes, values, moved: _ } =
            indicators.measured();
        Indicators { ema20, rsi14, vwap, rvol64, ofi, quotes, values }
    }
}

impl From<Indicators> for super::Indicators {
    fn from(written: Indicators) -> Self {
        let Indicators { ema20, rsi14, vwap, rvol64, ofi, quotes, values } = written;
        let moved = Moved::default();
        super::Indicators { ema20, rsi14, vwap, rvol64, ofi, quotes, values, moved }
    }
}

impl PartialEq for super::Indicators {
    fn eq(&self, other: &Self) -> bool {
        Indicators::from(*self) == Indicators::from(*other)
    }
}

impl core::fmt::Debug for super::Indicators {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(&Indicators::from(*self), f)
    }
}
