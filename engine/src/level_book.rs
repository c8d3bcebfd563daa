//! The books of price-level feeds: a total quantity for each price, no orders.
//!
//! Flow: [`Kind::Level`] → the rank of its price (`level_book/grid.rs`) → the window around the
//! touch (`level_book/window.rs`) or the far levels (`level_book/far.rs`) → the best price. A window
//! is a quantity for each of 16,384 price steps and two levels of bits for those that are not zero;
//! how it is laid is said in `level_book/side.rs`. What falls off the depth that a venue keeps is
//! told by the feed, level by level, once a message is through: a book that cut its own depth inside
//! of one would lose levels that the venue has. The far levels are sorted leaves and no ladder of
//! price steps as `book/ladder.rs` is: they take any price, 16 bytes each, and a deep snapshot goes
//! in at half the time.
//!
//! Must never: allocate, panic or loop without a bound after [`LevelBooks::new`]. What does not fit
//! or makes no sense is not applied; the book it was meant for is [`Integrity::Incomplete`] from
//! then on, with the first [`Cause`]. Whether a book is crossed is not judged here.

mod change;
mod far;
mod grid;
mod side;
#[cfg(test)]
mod tests;
mod window;

pub use crate::book::Sweep;
pub use change::{LevelChange, LevelTouch};

use far::Shelves;
use grid::{px, rank};
use model::page::{Level as PageLevel, Quote};
use model::{Cause, Event, Integrity, Kind, Px, Qty, Side};
use side::Memory;
use window::Windows;

/// How much memory to take at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelCapacity {
    /// Books.
    pub instruments: u32,
    /// Windows (133 KiB each). A side takes one once it has seen some hundreds of events; one that
    /// finds none left is as right, only slower.
    pub windows: u32,
    /// Leaves for levels outside of windows (1 KiB each): 16 to 64 levels share one, and each side
    /// that is not empty may need one more.
    pub leaves: u32,
    /// Directories (12 KiB each): a side with more than one leaf needs one.
    pub directories: u32,
}

impl LevelCapacity {
    /// Room for `busy` books of 5,000 levels a side among `instruments` whose others have up to 64.
    pub const fn new(instruments: u32, busy: u32) -> LevelCapacity {
        let leaves = 2 * instruments + busy * 2 * 320;
        LevelCapacity { instruments, windows: 2 * busy, leaves, directories: 2 * busy }
    }

    /// Bytes of books, of windows, and of everything outside of them.
    pub(crate) fn bytes(&self) -> [u64; 3] {
        let &LevelCapacity { instruments, windows, leaves, directories } = self;
        let [books, windows, leaves, directories] =
            [instruments, windows, leaves, directories].map(u64::from);
        let size = |bytes: usize| bytes as u64;
        let far = leaves * size(Shelves::LEAF_BYTES) + directories * size(Shelves::DIRECTORY_BYTES);
        [books * size(size_of::<Book>()), windows * size(Windows::EACH), far]
    }
}

/// All price-level books of an engine.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct LevelBooks {
    #[serde(with = "model::snapshot::table")]
    books: Vec<Book>,
    memory: Memory,
}

#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
struct Book {
    sides: [side::Side; 2],
    integrity: Integrity,
    cause: Cause,
}

impl Book {
    const EMPTY: Book = Book {
        sides: [side::Side::EMPTY; 2],
        integrity: Integrity::Incomplete,
        cause: Cause::NotStarted,
    };

    #[inline]
    const fn side(&self, side: Side) -> &side::Side {
        let [bids, asks] = &self.sides;
        if matches!(side, Side::Buy) { bids } else { asks }
    }

    #[inline]
    const fn side_mut(&mut self, side: Side) -> &mut side::Side {
        let [bids, asks] = &mut self.sides;
        if matches!(side, Side::Buy) { bids } else { asks }
    }
}

impl LevelBooks {
    /// Takes all memory. Every book is empty and [`Cause::NotStarted`].
    pub fn new(capacity: LevelCapacity) -> LevelBooks {
        let mut books = vec![Book::EMPTY; capacity.instruments as usize];
        host::prefault(&mut books);
        let shelves = Shelves::new(capacity.leaves, capacity.directories);
        let windows = Windows::new(capacity.windows);
        LevelBooks { books, memory: Memory { windows, shelves } }
    }

    /// Applies an event of the feed to the book of an instrument.
    ///
    /// A [`Kind::Level`] sets what is at its price, on any price; that there is nothing to remove is
    /// no fault. Other kinds do nothing; nor does [`Kind::Clear`]: see [`LevelBooks::clear`] and
    /// [`LevelBooks::clear_all`].
    #[inline]
    pub fn apply(&mut self, book: usize, event: &Event) -> LevelChange {
        if event.kind != Kind::Level {
            return LevelChange { level: None, fault: None };
        }
        let Some(side) = event.side.filter(|_| event.qty.0 >= 0) else {
            return self.refuse(book, Cause::BadEvent);
        };
        let Some(record) = self.books.get_mut(book) else {
            return self.refuse(book, Cause::Capacity);
        };
        let levels = record.side_mut(side);
        let Some(before) = levels.put(&mut self.memory, rank(side, event.px), event.qty.0) else {
            return self.refuse(book, Cause::Capacity);
        };
        LevelChange {
            level: Some(LevelTouch { side, px: event.px, before: Qty(before), qty: event.qty }),
            fault: None,
        }
    }

    /// Best price of a side; `None`: the side is empty.
    #[inline]
    pub fn best(&self, book: usize, side: Side) -> Option<Quote> {
        let (rank, qty) = self.books.get(book)?.side(side).best();
        (qty > 0).then_some(Quote { px: px(side, rank), qty: Qty(qty), orders: 0 })
    }

    /// The level of a price; `None`: nothing is there.
    pub fn level(&self, book: usize, side: Side, px: Px) -> Option<PageLevel> {
        let qty = self.books.get(book)?.side(side).get(&self.memory, rank(side, px));
        (qty > 0).then_some(PageLevel { px, qty: Qty(qty), orders: 0 })
    }

    /// Number of levels of a side.
    pub fn level_count(&self, book: usize, side: Side) -> u32 {
        self.books.get(book).map_or(0, |book| book.side(side).count())
    }

    /// The levels of a side, best first.
    pub fn levels(&self, book: usize, side: Side) -> impl Iterator<Item = PageLevel> + '_ {
        let levels = self.books.get(book).map(|book| book.side(side).walk(&self.memory));
        levels.into_iter().flatten().map(move |level| page_level(side, level))
    }

    /// What an order from the other side of this quantity would meet.
    pub fn sweep_cost(&self, book: usize, side: Side, qty: Qty) -> Sweep {
        Sweep::of(self.levels(book, side), qty)
    }

    /// How far a book may be believed, and why not. A book nobody has room for is
    /// [`Cause::Capacity`].
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

    /// Removes every level of a book, gives its memory back and makes it [`Cause::NotStarted`].
    pub fn clear(&mut self, book: usize) {
        if let Some(record) = self.books.get_mut(book) {
            record.sides.iter_mut().for_each(|side| side.clear(&mut self.memory));
        }
        self.set_integrity(book, Integrity::Incomplete, Cause::NotStarted);
    }

    /// [`LevelBooks::clear`] of every book.
    pub fn clear_all(&mut self) {
        (0..self.books.len()).for_each(|book| self.clear(book));
    }

    /// Marks a book incomplete. The first cause stays: later ones may only follow from it.
    #[cold]
    fn refuse(&mut self, book: usize, cause: Cause) -> LevelChange {
        let (integrity, earlier) = self.integrity(book);
        if integrity != Integrity::Incomplete || earlier == Cause::NotStarted {
            self.set_integrity(book, Integrity::Incomplete, cause);
        }
        LevelChange { level: None, fault: Some(cause) }
    }
}

fn page_level(side: Side, (rank, qty): (u64, i64)) -> PageLevel {
    PageLevel { px: px(side, rank), qty: Qty(qty), orders: 0 }
}
