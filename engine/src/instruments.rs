//! Every instrument that the venue listed: its facts, its state, its trades today.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

use model::page::Last;
use model::{
    FeedId, Instrument, InstrumentId, Integrity, Px, Qty, Symbol, TradingState, Ts, VenueNumber,
};

/// Venue numbers are below this (ITCH: stock locate, 16 bits).
const NUMBERS: usize = 1 << 16;

/// One instrument.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Its fixed facts.
    pub instrument: Instrument,
    /// Trading state over all markets, as the venue said last.
    pub state: TradingState,
    /// Whether this venue alone halted it.
    pub venue_halted: bool,
    /// Last printable trade today.
    pub last: Option<Last>,
    /// Engine time of that trade.
    pub last_at: Ts,
    /// First, highest and lowest printable trade price today.
    pub open_high_low: [Px; 3],
    /// Quantity of all printable trades today.
    pub volume: Qty,
    /// Number of printable trades today.
    pub trades: u64,
    /// Venue time of its last event.
    pub ts_venue: Ts,
    /// Engine time of its last event.
    pub updated: Ts,
    /// The integrity that readers were told last.
    pub integrity: Integrity,
    /// Engine time since which it is that.
    pub since: Ts,
}

impl Listed {
    fn new(instrument: Instrument, now: Ts) -> Listed {
        Listed {
            instrument,
            state: TradingState::Unknown,
            venue_halted: false,
            last: None,
            last_at: Ts(0),
            open_high_low: [Px(0); 3],
            volume: Qty(0),
            trades: 0,
            ts_venue: Ts(0),
            updated: Ts(0),
            integrity: Integrity::Incomplete,
            since: now,
        }
    }

    /// Adds a printable trade to the day.
    pub fn trade(&mut self, px: Px, qty: Qty, ts_venue: Ts, now: Ts) {
        let [open, high, low] = self.open_high_low;
        self.open_high_low = match self.last {
            None => [px; 3],
            Some(_) => [open, high.max(px), low.min(px)],
        };
        self.last = Some(Last { px, qty, ts: ts_venue });
        self.last_at = now;
        self.volume = Qty(self.volume.0.saturating_add(qty.0));
        self.trades += 1;
    }

    /// Forgets the day that ended; nothing is said of the new one.
    fn new_day(&mut self, now: Ts) {
        *self = Listed {
            integrity: self.integrity,
            since: self.since,
            ..Listed::new(self.instrument, now)
        };
    }
}

/// The instruments of an engine, numbered in the order of their first directory event.
#[derive(Debug)]
pub struct Instruments {
    list: Vec<Listed>,
    /// By venue number: 1 + our number; 0: not listed today.
    by_number: Vec<u32>,
}

impl Instruments {
    /// Room for `capacity` instruments.
    pub fn new(capacity: u32) -> Instruments {
        Instruments { list: Vec::with_capacity(capacity as usize), by_number: vec![0; NUMBERS] }
    }

    /// Lists an instrument under the venue's number of today; the same symbol keeps our number from day to day.
    /// `None` if there is no room or the number is out of range.
    pub fn list(
        &mut self,
        feed: FeedId,
        symbol: Symbol,
        number: VenueNumber,
        px_decimals: u8,
        now: Ts,
    ) -> Option<u32> {
        let known = self
            .list
            .iter()
            .position(|l| l.instrument.symbol == symbol && l.instrument.feed == feed);
        let place = self.by_number.get_mut(number.0 as usize)?;
        let at = match known {
            Some(at) => at,
            None if self.list.len() < self.list.capacity() => self.list.len(),
            None => return None,
        };
        if known.is_none() {
            let id = InstrumentId(at as u32);
            let instrument =
                Instrument { id, symbol, feed, number, px_decimals, ..Instrument::default() };
            self.list.push(Listed::new(instrument, now)); // Within its capacity.
        }
        *place = at as u32 + 1;
        self.list.get_mut(at)?.instrument.number = number;
        Some(at as u32)
    }

    /// Our number of a venue's number.
    #[inline]
    pub fn find(&self, number: VenueNumber) -> Option<u32> {
        self.by_number.get(number.0 as usize)?.checked_sub(1)
    }

    /// An instrument.
    #[inline]
    pub fn get(&self, id: u32) -> Option<&Listed> {
        self.list.get(id as usize)
    }

    /// An instrument, to change it.
    #[inline]
    pub fn get_mut(&mut self, id: u32) -> Option<&mut Listed> {
        self.list.get_mut(id as usize)
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, Listed> {
        self.list.iter()
    }

    /// How many are listed.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A new day: the venue's numbers are void, and every instrument's day is empty.
    pub fn new_day(&mut self, now: Ts) {
        self.by_number.fill(0);
        self.list.iter_mut().for_each(|listed| listed.new_day(now));
    }
}
