//! Indicators of one instrument: integers from the first trade to the published value.
//!
//! To add one: write `indicator/<name>.rs` after `ema.rs`; give it a line at the end of [`LIST`], a
//! field in [`Indicators`], its `add` in `on_trade` or `on_quote` and its `value` in `measure`: the
//! compiler leads onwards.
//! Give it a recomputation from the whole history in big integers in `indicator/tests.rs`.
//! Nothing else changes: shared memory has 16 named slots, readers show what they find there.
//!
//! Flow: printable trades and changes of the best quotes in; one fixed-point value for each
//! indicator out, when somebody looks. State is exact, or rounds down at 2^-48 where a recursion must round; the
//! division to decimals comes last and rounds down. Nothing here wraps: what exceeds its type is
//! `None`, a sum until the next day.
//!
//! Must never: use a float, allocate, panic, or depend on anything but the calls in their order.
#![cfg_attr(test, allow(clippy::float_arithmetic))]

mod ema;
mod fixed;
mod imbalance;
mod microprice;
mod ofi;
mod rsi;
#[cfg(test)]
mod tests;
mod volatility;
mod vwap;
mod written;

pub use ema::Ema;
use model::page::{INDICATOR_SLOTS, IndicatorSlot, Quote};
use model::{Px, Qty, Symbol};
use ofi::Ofi;
pub use rsi::Rsi;
use volatility::Volatility;
use vwap::Vwap;

/// Decimals of an indicator in units of price, on top of the instrument's own.
const PX_DECIMALS: u8 = 6;
/// Decimals of a ratio.
const RATIO_DECIMALS: u8 = 12;

/// Every indicator: name, decimals, whether it is in units of price. Its place is its slot on the
/// board page.
const LIST: [(&str, u8, bool); 7] = [
    ("ema20", PX_DECIMALS, true),
    ("rsi14", RATIO_DECIMALS, false),
    ("vwap", PX_DECIMALS, true),
    ("rvol64", RATIO_DECIMALS, false),
    ("ofi", 0, false),
    ("imbalance", RATIO_DECIMALS, false),
    ("microprice", PX_DECIMALS, true),
];

/// The indicators of one instrument.
///
/// A value is worked out when somebody looks ([`Indicators::measure`]) and kept until its state moves: readers look at the end
/// of a round of events, and an order that a trade sets off does not wait for divisions that nobody asked for.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
#[serde(from = "written::Indicators", into = "written::Indicators")]
pub struct Indicators {
    ema20: Ema<20>,
    rsi14: Rsi<14>,
    vwap: Vwap,
    rvol64: Volatility<64>,
    ofi: Ofi,
    /// The best bid and ask.
    quotes: [Option<Quote>; 2],
    values: [Option<i64>; LIST.len()],
    /// Whether trades, and whether quotes came since their values were worked out.
    moved: Moved,
}

/// What of the values is of an earlier state.
#[derive(Clone, Copy, Default)]
struct Moved {
    trades: bool,
    quotes: bool,
}

impl Default for Indicators {
    fn default() -> Self {
        Indicators::new()
    }
}

impl Indicators {
    /// Before the first trade and the first quote.
    pub const fn new() -> Indicators {
        Indicators {
            ema20: Ema::new(),
            rsi14: Rsi::new(),
            vwap: Vwap::new(),
            rvol64: Volatility::new(),
            ofi: Ofi::new(),
            quotes: [None; 2],
            values: [None; LIST.len()],
            moved: Moved { trades: false, quotes: false },
        }
    }

    /// What the slots of a board page mean.
    pub fn slots() -> [IndicatorSlot; INDICATOR_SLOTS] {
        let mut slots = [IndicatorSlot::default(); INDICATOR_SLOTS];
        for (slot, (name, decimals, is_price)) in slots.iter_mut().zip(LIST) {
            let name = Symbol::new(name).unwrap_or_default();
            *slot = IndicatorSlot { name, decimals, is_price };
        }
        slots
    }

    /// Takes a printable trade, auction crosses included. One without a positive price and quantity
    /// is no trade.
    pub fn on_trade(&mut self, px: Px, qty: Qty) {
        if px.0 <= 0 || qty.0 <= 0 {
            return;
        }
        self.ema20.add(px);
        self.rsi14.add(px);
        self.vwap.add(px, qty);
        self.rvol64.add(px);
        self.moved.trades = true;
    }

    /// Takes the best quotes. Unchanged ones change nothing, except that the first call is where
    /// order flow starts.
    pub fn on_quote(&mut self, bid: Option<Quote>, ask: Option<Quote>) {
        let before = core::mem::replace(&mut self.quotes, [bid, ask]);
        let [_, _, _, _, ofi, ..] = &mut self.values;
        *ofi = self.ofi.update(before, [bid, ask]);
        self.moved.quotes = true;
    }

    /// New best quotes of a book that was emptied or is built again: no flow of orders made them.
    pub fn on_rebuilt(&mut self, bid: Option<Quote>, ask: Option<Quote>) {
        self.quotes = [bid, ask];
        self.ofi.start();
        self.moved.quotes = true;
    }

    /// Works out the values whose state moved, and keeps them.
    pub fn measure(&mut self) {
        let Moved { trades, quotes } = std::mem::take(&mut self.moved);
        let [ema20, rsi14, vwap, rvol64, _, imbalance, microprice] = &mut self.values;
        if trades {
            *ema20 = self.ema20.value();
            *rsi14 = self.rsi14.value();
            *vwap = self.vwap.value();
            *rvol64 = self.rvol64.value();
        }
        if quotes {
            let [bid, ask] = self.quotes;
            *imbalance = imbalance::value(bid, ask);
            *microprice = microprice::value(bid, ask);
        }
    }

    /// Hints the cache at what [`Indicators::measure`] and [`Indicators::values`] look at.
    pub fn prefetch(&self) {
        host::prefetch_whole(self);
    }

    /// Forgets everything: each day stands for itself.
    pub fn new_day(&mut self) {
        *self = Indicators::new();
    }

    /// The value of each slot, in units of 10^-decimals; `None`: warming up, undefined, out of
    /// range, or a free slot.
    #[inline]
    pub fn values(&self) -> [Option<i64>; INDICATOR_SLOTS] {
        let mut values = [None; INDICATOR_SLOTS];
        let mut show = |known: &[Option<i64>]| {
            values.iter_mut().zip(known).for_each(|(slot, value)| *slot = *value);
        };
        if self.moved.trades || self.moved.quotes {
            show(&self.measured().values);
        } else {
            // One by one where they lie: copied as a whole they waited for the stores of their halves.
            show(&self.values);
        }
        values
    }

    /// Itself with every value worked out.
    #[cold]
    fn measured(mut self) -> Indicators {
        self.measure();
        self
    }

    /// Hands out the state as words, for a digest. The words after every call together say
    /// everything; those after one call leave out what earlier ones said and no sum depends on.
    pub fn fold(&self, mut word: impl FnMut(u64)) {
        let Indicators { ema20, rsi14, vwap, rvol64, ofi, quotes, values: _, moved: _ } = self;
        ema20.fold(&mut word);
        rsi14.fold(&mut word);
        vwap.fold(&mut word);
        rvol64.fold(&mut word);
        ofi.fold(&mut word);
        for quote in quotes {
            let quote = quote.unwrap_or_default();
            word(quote.px.0.cast_unsigned());
            word(quote.qty.0.cast_unsigned());
        }
    }
}
