//! Every instrument that the venue listed: its facts, its state, its trades today.

use std::hash::{DefaultHasher, Hash, Hasher};

use hashbrown::HashTable;
use model::page::{Last, Quote};
use model::snapshot::reserved;
use model::{
    Cause, FeedId, Instrument, InstrumentId, Integrity, Px, Qty, Symbol, TradingState, Ts,
    VenueNumber,
};

/// Venue numbers of a feed are below this (ITCH: stock locate, 16 bits; where a venue has no such numbers, its feed gives them).
const NUMBERS: usize = 1 << 16;
/// Bytes that an instrument takes of the table of symbols, nearly: five a place, and at most 16/7 as many places.
const PLACE_BYTES: usize = 12;

/// One instrument.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
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
    /// How far its feed says that the book may be believed.
    pub believed: (Integrity, Cause),
    /// Best bid and ask as the indicators were told last.
    pub quotes: [Option<Quote>; 2],
    /// Whether its book is in the middle of what the venue marks as one event.
    pub mid_event: bool,
    /// Whether the opening, and the closing cross of the day were.
    pub crossed: [bool; 2],
    /// What traded in that event, which strategies see when it is complete: the last price, and the quantity at all.
    pub unseen: Option<(Px, Qty)>,
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
            believed: (Integrity::Live, Cause::None),
            quotes: [None; 2],
            mid_event: false,
            crossed: [false; 2],
            unseen: None,
        }
    }

    /// The last printable trade, as the gate is told of it.
    pub fn last_trade(&self) -> Option<risk::LastTrade> {
        self.last.map(|last| risk::LastTrade { px: last.px, at: self.last_at })
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

    /// Whether it is what this feed calls so.
    fn is(&self, feed: FeedId, symbol: Symbol) -> bool {
        (self.instrument.feed, self.instrument.symbol) == (feed, symbol)
    }

    /// Forgets the day that ended; nothing is said of the new one.
    fn new_day(&mut self, now: Ts) {
        *self = Listed {
            integrity: self.integrity,
            since: self.since,
            believed: self.believed,
            ..Listed::new(self.instrument, now)
        };
    }
}

/// The instruments of an engine, numbered in the order of their first directory event.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Instruments {
    #[serde(with = "reserved")]
    list: List,
    /// By feed and venue number: 1 + our number; 0: not listed today.
    #[serde(with = "model::snapshot::tables")]
    by_number: Vec<Vec<u32>>,
}

/// All that were ever listed, each found by feed and symbol: looking through all for each listing would take the square of their
/// number.
#[derive(Debug)]
struct List {
    listed: Vec<Listed>,
    /// Our numbers. No state: it follows from the list, and is made again when that is read.
    by_symbol: HashTable<u32>,
}

impl List {
    fn find(&self, feed: FeedId, symbol: Symbol) -> Option<u32> {
        let is_it = |id: &u32| self.listed.get(*id as usize).is_some_and(|l| l.is(feed, symbol));
        self.by_symbol.find(place_of(feed, symbol), is_it).copied()
    }

    /// Appends an instrument that is not there; its number. `None`: there is no room.
    fn push(&mut self, listed: Listed) -> Option<u32> {
        if self.listed.len() == self.listed.capacity() {
            return None;
        }
        self.listed.push(listed); // Within its capacity, as the table's.
        let id = self.listed.len() as u32 - 1;
        self.note(id);
        Some(id)
    }

    /// Makes an instrument be found.
    fn note(&mut self, id: u32) {
        let place = |id: &u32| {
            let of = self.listed.get(*id as usize).map(|listed| listed.instrument);
            of.map_or(0, |of| place_of(of.feed, of.symbol))
        };
        self.by_symbol.insert_unique(place(&id), id, place);
    }
}

/// An empty table whose memory is there from the start.
fn touched_table(room: u32) -> HashTable<u32> {
    let mut table = HashTable::with_capacity(room as usize);
    for id in 0..room {
        table.insert_unique(id.into(), id, |id| (*id).into());
    }
    table.clear();
    table
}

/// Where in the table an instrument is looked for.
fn place_of(feed: FeedId, symbol: Symbol) -> u64 {
    let mut hasher = DefaultHasher::new();
    (feed, symbol).hash(&mut hasher);
    hasher.finish()
}

impl From<Vec<Listed>> for List {
    fn from(listed: Vec<Listed>) -> List {
        let by_symbol = touched_table(listed.capacity() as u32);
        let mut list = List { listed, by_symbol };
        (0..list.listed.len() as u32).for_each(|id| list.note(id));
        list
    }
}

impl reserved::List for List {
    type Item = Listed;

    fn room(&self) -> usize {
        self.listed.capacity()
    }

    fn held(&self) -> impl ExactSizeIterator<Item = &Listed> {
        self.listed.iter()
    }
}

impl Instruments {
    /// Room for `capacity` instruments of `feeds` feeds.
    pub fn new(capacity: u32, feeds: usize) -> Instruments {
        let by_number = vec![vec![0; NUMBERS]; feeds];
        Instruments { list: Vec::with_capacity(capacity as usize).into(), by_number }
    }

    /// Bytes that [`Instruments::new`] takes.
    pub(crate) fn bytes(capacity: u32, feeds: usize) -> u64 {
        (capacity as usize * (size_of::<Listed>() + PLACE_BYTES)
            + feeds * NUMBERS * size_of::<u32>()) as u64
    }

    /// Lists an instrument under the venue's number of today; the same symbol keeps our number from day to day, and the
    /// number that it had is nobody's.
    /// `None` if there is no room or the number is out of range.
    pub fn list(
        &mut self,
        feed: FeedId,
        symbol: Symbol,
        number: VenueNumber,
        [px_decimals, qty_decimals]: [u8; 2],
        now: Ts,
    ) -> Option<u32> {
        let numbers = self.by_number.get_mut(usize::from(feed.0))?;
        numbers.get(number.0 as usize)?;
        let at = match self.list.find(feed, symbol) {
            Some(at) => at,
            None => {
                let id = InstrumentId(self.list.listed.len() as u32);
                let scale = Instrument { px_decimals, qty_decimals, ..Instrument::default() };
                let instrument = Instrument { id, symbol, feed, number, ..scale };
                self.list.push(Listed::new(instrument, now))?
            }
        };
        let listed = self.list.listed.get_mut(at as usize)?;
        let before = std::mem::replace(&mut listed.instrument.number, number);
        // What is still said of the number that it had is not of its book.
        if let Some(place) = numbers.get_mut(before.0 as usize)
            && *place == at + 1
        {
            *place = 0;
        }
        *numbers.get_mut(number.0 as usize)? = at + 1;
        Some(at)
    }

    /// Our number of a feed's number.
    #[inline]
    pub fn find(&self, feed: FeedId, number: VenueNumber) -> Option<u32> {
        self.by_number.get(usize::from(feed.0))?.get(number.0 as usize)?.checked_sub(1)
    }

    /// Hints the cache at all that is known of an instrument.
    pub fn prefetch(&self, id: u32) {
        if let Some(listed) = self.get(id) {
            host::prefetch_whole(listed);
        }
    }

    /// An instrument.
    #[inline]
    pub fn get(&self, id: u32) -> Option<&Listed> {
        self.list.listed.get(id as usize)
    }

    /// An instrument, to change it.
    #[inline]
    pub fn get_mut(&mut self, id: u32) -> Option<&mut Listed> {
        self.list.listed.get_mut(id as usize)
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, Listed> {
        self.list.listed.iter()
    }

    /// Feed, its number of today and our number of each instrument that is listed today.
    pub fn numbers(&self) -> impl Iterator<Item = [u64; 3]> + '_ {
        self.by_number.iter().zip(0..).flat_map(|(numbers, feed)| {
            let listed = numbers.iter().zip(0..).filter(|(ours, _)| **ours != 0);
            listed.map(move |(ours, number)| [feed, number, u64::from(*ours) - 1])
        })
    }

    /// How many are listed.
    pub fn len(&self) -> usize {
        self.list.listed.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.list.listed.is_empty()
    }

    /// A new day of a feed: the venue's numbers are void, and the day of each of its instruments is empty.
    pub fn new_day(&mut self, feed: FeedId, now: Ts) {
        if let Some(numbers) = self.by_number.get_mut(usize::from(feed.0)) {
            numbers.fill(0);
        }
        let of_feed = self.list.listed.iter_mut().filter(|listed| listed.instrument.feed == feed);
        of_feed.for_each(|listed| listed.new_day(now));
    }
}

#[cfg(test)]
mod tests;
