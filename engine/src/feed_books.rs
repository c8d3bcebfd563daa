//! The books of a feed, whichever way its venue tells them: order by order, or level by level. The same questions to both.

use model::page::{Level, Quote};
use model::{Cause, Event, Integrity, Px, Side};

use crate::book::{Applied, BookCapacity, Books};
use crate::config::Capacity;
use crate::level_book::{LevelBooks, LevelCapacity, LevelChange};

/// Levels of a book that a window is kept for, both sides.
const LEVELS_OF_A_BUSY_BOOK: u32 = 10_000;

/// How a venue tells its book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookKind {
    /// Every order: the exact place in the queue is known.
    Orders,
    /// Totals by price.
    Levels,
}

impl BookKind {
    /// Room for books of orders.
    pub(crate) const fn orders(capacity: &Capacity) -> BookCapacity {
        BookCapacity {
            levels: capacity.levels,
            ref_pages: capacity.ref_pages,
            ..BookCapacity::new(capacity.instruments, capacity.book_orders)
        }
    }

    /// Room for books of levels: of 5,000 a side, as far as the levels go; the others are small.
    pub(crate) fn levels(capacity: &Capacity) -> LevelCapacity {
        let busy = (capacity.levels / LEVELS_OF_A_BUSY_BOOK).clamp(1, capacity.instruments);
        LevelCapacity::new(capacity.instruments, busy)
    }
}

/// The books of one feed, by our instrument numbers.
#[derive(serde::Serialize, serde::Deserialize)]
#[expect(clippy::large_enum_variant, reason = "one for each feed, never moved")]
pub enum FeedBooks {
    /// Order by order.
    Orders(Books),
    /// Level by level.
    Levels(LevelBooks),
}

/// What an event did to a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// To a book of orders.
    Orders(Applied),
    /// To a book of levels.
    Level(LevelChange),
}

impl Change {
    /// Why the event could not be applied.
    pub fn fault(&self) -> Option<Cause> {
        match self {
            Change::Orders(applied) => applied.fault,
            Change::Level(applied) => applied.fault,
        }
    }
}

impl FeedBooks {
    /// Takes all memory.
    pub fn new(kind: BookKind, capacity: &Capacity) -> FeedBooks {
        match kind {
            BookKind::Orders => FeedBooks::Orders(Books::new(BookKind::orders(capacity))),
            BookKind::Levels => FeedBooks::Levels(LevelBooks::new(BookKind::levels(capacity))),
        }
    }

    /// Applies an event of the feed to the book of an instrument.
    #[inline]
    pub fn apply(&mut self, book: usize, event: &Event) -> Change {
        match self {
            FeedBooks::Orders(books) => Change::Orders(books.apply(book, event)),
            FeedBooks::Levels(books) => Change::Level(books.apply(book, event)),
        }
    }

    /// Best price of a side; `None`: the side is empty.
    #[inline]
    pub fn best(&self, book: usize, side: Side) -> Option<Quote> {
        match self {
            FeedBooks::Orders(books) => books.best(book, side),
            FeedBooks::Levels(books) => books.best(book, side),
        }
    }

    /// The level of a price; `None`: nothing rests there.
    pub fn level(&self, book: usize, side: Side, px: Px) -> Option<Level> {
        match self {
            FeedBooks::Orders(books) => books.level(book, side, px),
            FeedBooks::Levels(books) => books.level(book, side, px),
        }
    }

    /// Number of levels of a side.
    pub fn level_count(&self, book: usize, side: Side) -> u32 {
        match self {
            FeedBooks::Orders(books) => books.level_count(book, side),
            FeedBooks::Levels(books) => books.level_count(book, side),
        }
    }

    /// The levels of a side, best first.
    pub fn levels(&self, book: usize, side: Side) -> impl Iterator<Item = Level> + '_ {
        let (orders, levels) = match self {
            FeedBooks::Orders(books) => (Some(books.levels(book, side)), None),
            FeedBooks::Levels(books) => (None, Some(books.levels(book, side))),
        };
        orders.into_iter().flatten().chain(levels.into_iter().flatten())
    }

    /// How far a book may be believed by what was applied to it, and why not.
    #[inline]
    pub fn integrity(&self, book: usize) -> (Integrity, Cause) {
        match self {
            FeedBooks::Orders(books) => books.integrity(book),
            FeedBooks::Levels(books) => books.integrity(book),
        }
    }

    /// Sets how far a book may be believed.
    pub fn set_integrity(&mut self, book: usize, integrity: Integrity, cause: Cause) {
        match self {
            FeedBooks::Orders(books) => books.set_integrity(book, integrity, cause),
            FeedBooks::Levels(books) => books.set_integrity(book, integrity, cause),
        }
    }

    /// Empties a book and makes it [`Cause::NotStarted`].
    pub fn clear(&mut self, book: usize) {
        match self {
            FeedBooks::Orders(books) => books.clear(book),
            FeedBooks::Levels(books) => books.clear(book),
        }
    }

    /// Empties every book and makes them all [`Cause::NotStarted`].
    pub fn clear_all(&mut self) {
        match self {
            FeedBooks::Orders(books) => books.clear_all(),
            FeedBooks::Levels(books) => books.clear_all(),
        }
    }

    /// Resting orders of all books; zero where orders are not told.
    pub fn live_orders(&self) -> usize {
        match self {
            FeedBooks::Orders(books) => books.live_orders(),
            FeedBooks::Levels(_) => 0,
        }
    }
}
