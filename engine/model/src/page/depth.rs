//! The book of one instrument, best levels first.

use super::AsOf;
use crate::num::{Px, Qty};
use crate::state::{Cause, Integrity};
use crate::words::{BadWord, WordReader, WordWriter};

/// Levels a side that are published.
pub const DEPTH_LEVELS: usize = 64;

/// One price of a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Level {
    /// Price, in price units.
    pub px: Px,
    /// Sum of the open quantities, in quantity units.
    pub qty: Qty,
    /// Number of orders.
    pub orders: u32,
}

/// The page of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// When.
    pub as_of: AsOf,
    /// How far the book may be believed.
    pub integrity: Integrity,
    /// Why not, if not.
    pub cause: Cause,
    /// Levels in use in `bids` and `asks`.
    pub used: [u32; 2],
    /// Levels that the book holds, published or not.
    pub total: [u32; 2],
    /// Bids, best first.
    pub bids: [Level; DEPTH_LEVELS],
    /// Asks, best first.
    pub asks: [Level; DEPTH_LEVELS],
}

impl Depth {
    /// Words of a page.
    pub const WORDS: usize = 6 + 2 * 3 * DEPTH_LEVELS;

    /// An empty page.
    pub const fn empty(as_of: AsOf, integrity: Integrity, cause: Cause) -> Depth {
        let none = [Level { px: Px(0), qty: Qty(0), orders: 0 }; DEPTH_LEVELS];
        Depth { as_of, integrity, cause, used: [0; 2], total: [0; 2], bids: none, asks: none }
    }

    /// The published bids, best first.
    pub fn bids(&self) -> &[Level] {
        let [used, _] = self.used;
        self.bids.get(..used as usize).unwrap_or(&self.bids)
    }

    /// The published asks, best first.
    pub fn asks(&self) -> &[Level] {
        let [_, used] = self.used;
        self.asks.get(..used as usize).unwrap_or(&self.asks)
    }

    /// The page as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        self.as_of.write(&mut to);
        to.bytes([self.integrity.code(), self.cause.code(), 0, 0, 0, 0, 0, 0]);
        for [low, high] in [self.used, self.total] {
            to.pair(low, high);
        }
        for level in self.bids.iter().chain(&self.asks) {
            to.i64(level.px.0);
            to.i64(level.qty.0);
            to.u64(level.orders.into());
        }
        words
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value; a page never written is one.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Depth, BadWord> {
        let mut from = WordReader::new(words);
        let as_of = AsOf::read(&mut from);
        let [integrity, cause, ..] = from.bytes();
        let integrity = from.legal(Integrity::from_code(integrity))?;
        let cause = from.legal(Cause::from_code(cause))?;
        let mut page = Depth::empty(as_of, integrity, cause);
        let (bids, asks) = from.pair();
        let fits = bids.max(asks) as usize <= DEPTH_LEVELS;
        from.legal(fits.then_some(()))?;
        page.used = [bids, asks];
        page.total = from.pair().into();
        for level in page.bids.iter_mut().chain(&mut page.asks) {
            *level = Level { px: Px(from.i64()), qty: Qty(from.i64()), orders: from.u64() as u32 };
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::Ts;

    /// Goal: the page survives its words; counts beyond the page are refused. Method: fill both ends.
    #[test]
    fn words_read_back() {
        let as_of = AsOf { engine_seq: 1, ts_venue: Ts(2), ts_recv: Ts(3) };
        let mut page = Depth::empty(as_of, Integrity::Live, Cause::None);
        page.used = [64, 1];
        page.total = [900, 1];
        page.bids[63] = Level { px: Px(4), qty: Qty(5), orders: 6 };
        page.asks[0] = Level { px: Px(7), qty: Qty(8), orders: 9 };
        let mut words = page.to_words();
        assert_eq!(Depth::from_words(&words), Ok(page));
        assert_eq!(page.asks().len(), 1);
        words[4] = 65;
        assert_eq!(Depth::from_words(&words), Err(BadWord(4)));
    }
}
