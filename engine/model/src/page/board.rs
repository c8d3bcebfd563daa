//! One instrument at a glance.

use super::AsOf;
use crate::instrument::Instrument;
use crate::num::{Px, Qty, Ts};
use crate::state::{Cause, HaltCause, HaltLevel, Integrity, TradingState};
use crate::words::{BadWord, WordReader, WordWriter};
use crate::{FeedId, InstrumentId, Symbol, VenueNumber};

/// Named indicator values on a board page; [`super::Control`] holds their names.
pub const INDICATOR_SLOTS: usize = 16;

/// Best price of a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Quote {
    /// Price, in price units.
    pub px: Px,
    /// Sum of the open quantities at that price; never zero.
    pub qty: Qty,
    /// Orders at that price.
    pub orders: u32,
}

/// The last printable trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Last {
    /// Price, in price units.
    pub px: Px,
    /// Quantity, in quantity units.
    pub qty: Qty,
    /// Venue time.
    pub ts: Ts,
}

/// The page of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// When.
    pub as_of: AsOf,
    /// Of what.
    pub instrument: Instrument,
    /// Whether the venue trades it.
    pub state: TradingState,
    /// The halt of the instrument itself; those of everything and of accounts are on their pages.
    pub halt: HaltLevel,
    /// Why; `None`: nothing halts it.
    pub halt_cause: Option<HaltCause>,
    /// How far the book may be believed.
    pub integrity: Integrity,
    /// Why not, if not.
    pub cause: Cause,
    /// Engine time since which the integrity is what it is.
    pub since: Ts,
    /// Best bid; `None`: no bid.
    pub bid: Option<Quote>,
    /// Best ask; `None`: no ask.
    pub ask: Option<Quote>,
    /// Bid levels and ask levels in the book.
    pub levels: [u32; 2],
    /// Last printable trade today; `None`: none yet.
    pub last: Option<Last>,
    /// First, highest and lowest printable trade price today; meaningless while `last` is `None`.
    pub open_high_low: [Px; 3],
    /// Quantity of all printable trades today, crosses included.
    pub volume: Qty,
    /// Number of printable trades today.
    pub trades: u64,
    /// Indicator values by slot, each at its slot's decimals; `None`: warming up, or the slot is free.
    pub indicators: [Option<i64>; INDICATOR_SLOTS],
}

impl Board {
    /// Words of a page.
    pub const WORDS: usize = 48;

    /// The page as words.
    pub fn to_words(&self) -> [u64; Self::WORDS] {
        let mut words = [0; Self::WORDS];
        let mut to = WordWriter::new(&mut words);
        self.as_of.write(&mut to);
        let instrument = &self.instrument;
        instrument.symbol.to_words().into_iter().for_each(|word| to.u64(word));
        to.pair(instrument.id.0, instrument.number.0);
        let (feed, state) = (instrument.feed.0, self.state.code());
        let (integrity, cause) = (self.integrity.code(), self.cause.code());
        let (halt, halt_cause) = (self.halt.code(), self.halt_cause.map_or(0, HaltCause::code));
        to.bytes([
            feed,
            instrument.px_decimals,
            instrument.qty_decimals,
            state,
            integrity,
            cause,
            halt,
            halt_cause,
        ]);
        to.i64(instrument.px_step.0);
        to.i64(instrument.lot.0);
        to.bytes(instrument.currency);
        to.u64(self.since.0);
        for quote in [self.bid, self.ask] {
            let quote = quote.unwrap_or_default();
            to.i64(quote.px.0);
            to.i64(quote.qty.0);
            to.u64(quote.orders.into());
        }
        let [bids, asks] = self.levels;
        to.pair(bids, asks);
        let last = self.last.unwrap_or_default();
        to.i64(last.px.0);
        to.i64(last.qty.0);
        to.u64(last.ts.0);
        self.open_high_low.iter().for_each(|px| to.i64(px.0));
        to.i64(self.volume.0);
        to.u64(self.trades);
        let mut present = 0_u32;
        for (slot, value) in self.indicators.iter().enumerate() {
            present |= u32::from(value.is_some()) << slot;
        }
        to.u64(present.into());
        self.indicators.iter().for_each(|value| to.i64(value.unwrap_or(0)));
        words
    }

    /// Reads words back.
    ///
    /// # Errors
    ///
    /// [`BadWord`] names the first word that holds no legal value; a page never written is one.
    pub fn from_words(words: &[u64; Self::WORDS]) -> Result<Board, BadWord> {
        let mut from = WordReader::new(words);
        let as_of = AsOf::read(&mut from);
        let symbol = Symbol::from_words([from.u64(), from.u64()]);
        let symbol = from.legal(symbol)?;
        let (id, number) = from.pair();
        let [feed, px_decimals, qty_decimals, state, integrity, cause, halt, halt_cause] =
            from.bytes();
        let halt = from.legal(HaltLevel::from_code(halt))?;
        let halt_cause = from.legal(HaltCause::from_optional(halt_cause))?;
        let state = from.legal(TradingState::from_code(state))?;
        let integrity = from.legal(Integrity::from_code(integrity))?;
        let cause = from.legal(Cause::from_code(cause))?;
        let instrument = Instrument {
            id: InstrumentId(id),
            symbol,
            feed: FeedId(feed),
            number: VenueNumber(number),
            px_decimals,
            qty_decimals,
            px_step: Px(from.i64()),
            lot: Qty(from.i64()),
            currency: from.bytes(),
        };
        from.legal(instrument.money_factor())?;
        let since = Ts(from.u64());
        let mut quote = || -> Option<Quote> {
            let (px, qty, orders) = (Px(from.i64()), Qty(from.i64()), from.u64() as u32);
            (qty.0 > 0).then_some(Quote { px, qty, orders })
        };
        let (bid, ask) = (quote(), quote());
        let (bids, asks) = from.pair();
        let last = Last { px: Px(from.i64()), qty: Qty(from.i64()), ts: Ts(from.u64()) };
        let open_high_low = [Px(from.i64()), Px(from.i64()), Px(from.i64())];
        let (volume, trades) = (Qty(from.i64()), from.u64());
        let present = from.u64();
        let mut indicators = [None; INDICATOR_SLOTS];
        for (slot, indicator) in indicators.iter_mut().enumerate() {
            let value = from.i64();
            *indicator = (present >> slot & 1 == 1).then_some(value);
        }
        let levels = [bids, asks];
        let last = (trades > 0).then_some(last);
        Ok(Board {
            as_of,
            instrument,
            state,
            halt,
            halt_cause,
            integrity,
            cause,
            since,
            bid,
            ask,
            levels,
            last,
            open_high_low,
            volume,
            trades,
            indicators,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the page survives its words and fits them; a page never written is refused. Method: odd values everywhere.
    #[test]
    fn words_read_back() {
        let mut indicators = [None; INDICATOR_SLOTS];
        indicators[0] = Some(-1);
        indicators[15] = Some(i64::MAX);
        let page = Board {
            as_of: AsOf { engine_seq: 1, ts_venue: Ts(2), ts_recv: Ts(3) },
            instrument: Instrument {
                id: InstrumentId(4),
                symbol: Symbol::new("AAPL").unwrap(),
                feed: FeedId(5),
                number: VenueNumber(6),
                px_decimals: 4,
                qty_decimals: 0,
                px_step: Px(100),
                lot: Qty(1),
                currency: *b"USD\0\0\0\0\0",
            },
            state: TradingState::Trading,
            halt: HaltLevel::CancelOnly,
            halt_cause: Some(HaltCause::FeedGap),
            integrity: Integrity::Incomplete,
            cause: Cause::Gap,
            since: Ts(7),
            bid: Some(Quote { px: Px(8), qty: Qty(9), orders: 10 }),
            ask: None,
            levels: [11, 12],
            last: Some(Last { px: Px(13), qty: Qty(14), ts: Ts(15) }),
            open_high_low: [Px(16), Px(17), Px(18)],
            volume: Qty(19),
            trades: 20,
            indicators,
        };
        assert_eq!(Board::from_words(&page.to_words()), Ok(page));
        assert!(Board::from_words(&[0; Board::WORDS]).is_err());
    }
}
