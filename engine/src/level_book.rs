//! The order books of venues that tell totals by price (L2), in memory taken at start: the same questions and answers as
//! [`crate::book`], without orders.
//!
//! Flow: an event says what a price has now → the level → the best price. Levels are found through the same ladder as those
//! of order books (`book/ladder.rs`): leaves of 64 neighbouring price steps with an occupancy bit each, the leaf of the best
//! price remembered, far prices in the nodes above it.
//!
//! Must never: allocate, panic or loop without a bound after [`LevelBooks::new`]. What does not fit or makes no sense is not
//! applied; its book is [`Integrity::Incomplete`] from then on, with the first [`Cause`].
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

use model::page::{Level, Quote};
use model::{Cause, Event, Integrity, Kind, Px, Qty, Side};

use crate::book::ladder::{Ladder, Levels};

/// How much memory to take at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelCapacity {
    /// Books.
    pub instruments: u32,
    /// Price levels of all books together (36 bytes each).
    pub levels: u32,
    /// Nodes of the ladders (264 bytes each).
    pub nodes: u32,
    /// Levels that a side keeps: beyond, the worst is dropped.
    pub depth_max: u32,
}

impl LevelCapacity {
    /// Levels of one side that are kept, unless said otherwise: twice what the deepest snapshots of venues hold.
    pub const DEPTH_MAX: u32 = 10_000;

    /// Room for `levels` price levels, on average two of them on a node.
    pub const fn new(instruments: u32, levels: u32) -> LevelCapacity {
        let nodes = levels / 2 + 12 * instruments + 64;
        LevelCapacity { instruments, levels, nodes, depth_max: Self::DEPTH_MAX }
    }
}

/// All books of a feed.
pub struct LevelBooks {
    books: Vec<Book>,
    levels: Levels,
    depth_max: u32,
}

#[derive(Clone, Copy)]
struct Book {
    sides: [Ladder; 2],
    integrity: Integrity,
    cause: Cause,
}

impl Book {
    const EMPTY: Book = Book {
        sides: [Ladder::new(Side::Buy), Ladder::new(Side::Sell)],
        integrity: Integrity::Incomplete,
        cause: Cause::NotStarted,
    };

    const fn side(&self, side: Side) -> &Ladder {
        let [bids, asks] = &self.sides;
        if matches!(side, Side::Buy) { bids } else { asks }
    }

    const fn side_mut(&mut self, side: Side) -> &mut Ladder {
        let [bids, asks] = &mut self.sides;
        if matches!(side, Side::Buy) { bids } else { asks }
    }
}

/// What one event did to a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelApplied {
    /// The level that changed.
    pub touch: Option<LevelTouch>,
    /// Why the event could not be applied.
    pub fault: Option<Cause>,
}

/// One level and how it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelTouch {
    /// Its side.
    pub side: Side,
    /// Its price, in price units.
    pub px: Px,
    /// Its total before, in quantity units; zero: it was not there.
    pub before: Qty,
    /// Its total afterwards, in quantity units; zero: it is gone.
    pub after: Qty,
}

impl LevelBooks {
    /// Takes all memory. Every book is empty and [`Cause::NotStarted`].
    pub fn new(capacity: LevelCapacity) -> LevelBooks {
        LevelBooks {
            books: vec![Book::EMPTY; capacity.instruments as usize],
            levels: Levels::new(capacity.levels, capacity.nodes),
            depth_max: capacity.depth_max,
        }
    }

    /// Applies an event of the feed to the book of an instrument. That a level which is to be removed is not there is
    /// normal: venues tell removals of levels that they never showed. Other kinds than [`Kind::Level`] do nothing.
    #[inline]
    pub fn apply(&mut self, book: usize, event: &Event) -> LevelApplied {
        let nothing = LevelApplied { touch: None, fault: None };
        if event.kind != Kind::Level {
            return nothing;
        }
        let (px, after) = (event.px, event.qty);
        let Some(side) = event.side else { return self.refuse(book, Cause::BadEvent) };
        if px.0 <= 0 || after.0 < 0 {
            return self.refuse(book, Cause::BadEvent);
        }
        let Some(record) = self.books.get_mut(book) else {
            return self.refuse(book, Cause::Capacity);
        };
        let ladder = record.side_mut(side);
        let level = if after.0 > 0 {
            ladder.find_or_open(&mut self.levels, book as u32, px.0)
        } else {
            ladder.find(&self.levels, px.0)
        };
        if level == 0 {
            return if after.0 > 0 { self.refuse(book, Cause::Capacity) } else { nothing };
        }
        let before = std::mem::replace(&mut self.levels.records.at_mut(level).qty, after.0);
        if after.0 == 0 {
            ladder.close(&mut self.levels, level);
        } else if ladder.count > self.depth_max {
            let worst = ladder.worst(&self.levels);
            ladder.close(&mut self.levels, worst);
        }
        let touch = LevelTouch { side, px, before: Qty(before), after };
        LevelApplied { touch: Some(touch), fault: None }
    }

    /// Best price of a side; `None`: the side is empty. Orders are not told: zero.
    #[inline]
    pub fn best(&self, book: usize, side: Side) -> Option<Quote> {
        let level = self.levels.records.at(self.books.get(book)?.side(side).best);
        (level.qty > 0).then_some(Quote { px: Px(level.px), qty: Qty(level.qty), orders: 0 })
    }

    /// The level of a price; `None`: nothing rests there.
    pub fn level(&self, book: usize, side: Side, px: Px) -> Option<Level> {
        let level = self.books.get(book)?.side(side).find(&self.levels, px.0);
        (level != 0).then(|| self.show(level))
    }

    /// Number of levels of a side.
    pub fn level_count(&self, book: usize, side: Side) -> u32 {
        self.books.get(book).map_or(0, |book| book.side(side).count)
    }

    /// The levels of a side, best first.
    pub fn levels(&self, book: usize, side: Side) -> impl Iterator<Item = Level> + '_ {
        let ladder = self.books.get(book).map(|book| book.side(side));
        ladder
            .into_iter()
            .flat_map(|ladder| ladder.walk(&self.levels))
            .map(|level| self.show(level))
    }

    /// How far a book may be believed, and why not. A book nobody has room for is [`Cause::Capacity`].
    pub fn integrity(&self, book: usize) -> (Integrity, Cause) {
        let unknown = (Integrity::Incomplete, Cause::Capacity);
        self.books.get(book).map_or(unknown, |book| (book.integrity, book.cause))
    }

    /// Sets how far a book may be believed.
    pub fn set_integrity(&mut self, book: usize, integrity: Integrity, cause: Cause) {
        if let Some(book) = self.books.get_mut(book) {
            (book.integrity, book.cause) = (integrity, cause);
        }
    }

    /// Removes every level of a book and makes it [`Cause::NotStarted`].
    pub fn clear(&mut self, book: usize) {
        let Some(record) = self.books.get_mut(book) else { return };
        for ladder in &mut record.sides {
            for _ in 0..ladder.count {
                ladder.close(&mut self.levels, ladder.best);
            }
        }
        (record.integrity, record.cause) = (Integrity::Incomplete, Cause::NotStarted);
    }

    /// Removes every level of every book and makes them all [`Cause::NotStarted`].
    pub fn clear_all(&mut self) {
        self.books.fill(Book::EMPTY);
        self.levels.release_all();
    }

    fn show(&self, level: u32) -> Level {
        let level = self.levels.records.at(level);
        Level { px: Px(level.px), qty: Qty(level.qty), orders: 0 }
    }

    #[cold]
    fn refuse(&mut self, book: usize, cause: Cause) -> LevelApplied {
        if let Some(book) = self.books.get_mut(book)
            && book.integrity != Integrity::Incomplete
        {
            (book.integrity, book.cause) = (Integrity::Incomplete, cause);
        }
        LevelApplied { touch: None, fault: Some(cause) }
    }
}

#[cfg(test)]
mod tests;
