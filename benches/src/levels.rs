//! Streams of price levels, and the books of sorted maps that they are held against.

use std::collections::BTreeMap;

use model::{Event, Px, Qty, Side, VenueNumber};

/// The book that a stream speaks of.
const BOOK: u16 = 1;
/// The touch at the start: 60,000.00 in cents.
const TOUCH: i64 = 6_000_000;
/// How many in a thousand levels of a wide stream lie at less than 2^0, 2^1, … steps from the touch: as in Binance's
/// depth updates of BTCUSDT on a day of 2024, whose step is a cent.
const WIDE: [u64; 24] = [
    67, 72, 74, 76, 79, 84, 93, 111, 154, 218, 304, 439, 586, 739, 901, 931, 943, 953, 985, 989,
    996, 998, 999, 1_000,
];

/// A book kept in two sorted maps.
#[derive(Clone, Default)]
pub struct MapBook {
    sides: [BTreeMap<i64, i64>; 2],
}

impl MapBook {
    /// Sets or removes a level.
    #[inline]
    pub fn apply(&mut self, event: &Event) {
        let [bids, asks] = &mut self.sides;
        let levels = if event.side == Some(Side::Buy) { bids } else { asks };
        if event.qty.0 == 0 {
            levels.remove(&event.px.0);
        } else {
            levels.insert(event.px.0, event.qty.0);
        }
    }

    /// Best price of a side and what is there.
    #[inline]
    pub fn best(&self, side: Side) -> Option<(Px, Qty)> {
        let [bids, asks] = &self.sides;
        let best = if side == Side::Buy { bids.last_key_value() } else { asks.first_key_value() };
        best.map(|(px, qty)| (Px(*px), Qty(*qty)))
    }

    /// Levels of both sides.
    pub fn len(&self) -> usize {
        self.sides.iter().map(BTreeMap::len).sum()
    }

    /// Whether there is no level.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The price of the first level at least so far behind a price.
    fn behind(&self, side: Side, px: i64) -> Option<i64> {
        let [bids, asks] = &self.sides;
        match side {
            Side::Buy => bids.range(..=px).next_back(),
            Side::Sell => asks.range(px..).next(),
        }
        .map(|(px, _)| *px)
    }
}

/// A book's snapshot, and the updates behind it.
pub struct LevelStream {
    /// The levels of the snapshot, best first.
    pub snapshot: Vec<Event>,
    /// What follows.
    pub updates: Vec<Event>,
}

impl LevelStream {
    /// Levels at a geometric distance from a touch that wanders, 8 steps on average; two in five are removed.
    pub fn near(updates: usize) -> LevelStream {
        let mut maker = Maker { state: 1, touch: TOUCH, book: MapBook::default() };
        let mut away = |maker: &mut Maker| {
            i64::from((maker.random() | 1 << 63).trailing_zeros()) * 8 + (maker.random() % 8) as i64
        };
        let updates = (0..updates).map(|_| maker.update(&mut away, 40)).collect();
        LevelStream { snapshot: Vec::new(), updates }
    }

    /// A snapshot of 5,000 levels a side, ten steps apart on average, and updates as far from the touch as [`WIDE`] says.
    pub fn wide(updates: usize) -> LevelStream {
        let mut maker = Maker { state: 2, touch: TOUCH, book: MapBook::default() };
        let mut snapshot = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            let mut away = 0;
            for _ in 0..5_000 {
                away += 1 + (maker.random() % 19) as i64;
                snapshot.push(maker.set(side, maker.behind(side, away), 1));
            }
        }
        let mut away = |maker: &mut Maker| {
            let (dice, fine) = (maker.random() % 1_000, maker.random());
            let bits = WIDE.iter().position(|below| dice < *below).unwrap_or(0);
            (fine % (1 << bits)).max((1 << bits) / 2) as i64
        };
        let updates = (0..updates).map(|_| maker.update(&mut away, 50)).collect();
        LevelStream { snapshot, updates }
    }
}

struct Maker {
    state: u64,
    touch: i64,
    book: MapBook,
}

impl Maker {
    /// splitmix64 (Steele, Lea and Flood 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn behind(&self, side: Side, away: i64) -> i64 {
        if side == Side::Buy { self.touch - 1 - away } else { self.touch + away }
    }

    fn set(&mut self, side: Side, px: i64, qty: i64) -> Event {
        let event = Event::level(VenueNumber(u32::from(BOOK)), side, Px(px), Qty(qty));
        self.book.apply(&event);
        event
    }

    /// The removal of a level that the touch has passed; else a level at the distance of `away`, removed with a chance of
    /// `removed` in a hundred.
    fn update(&mut self, away: &mut impl FnMut(&mut Maker) -> i64, removed: u64) -> Event {
        if self.random().is_multiple_of(16) {
            self.touch += (self.random() % 9) as i64 - 4;
        }
        for side in [Side::Buy, Side::Sell] {
            if let Some((px, _)) = self.book.best(side)
                && (px.0 >= self.touch) == (side == Side::Buy)
            {
                return self.set(side, px.0, 0);
            }
        }
        let side = if self.random().is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let away = away(self);
        let px = self.behind(side, away);
        if self.random() % 100 < removed {
            let there = self.book.behind(side, px).unwrap_or(px);
            return self.set(side, there, 0);
        }
        let qty = 1 + (self.random() % 1_000) as i64;
        self.set(side, px, qty)
    }
}
