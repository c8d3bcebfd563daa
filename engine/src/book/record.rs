//! What the book keeps of an order and of a level: half a cache line each.

use super::pool::Record;
use model::{OrderRef, Side};

/// A resting order. Its level holds price, side and book.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[repr(C, align(32))]
pub(super) struct Order {
    pub reference: OrderRef,
    /// Open quantity, in quantity units.
    pub qty: i64,
    /// The order in front of it at its level; 0: it is the first.
    pub prev: u32,
    /// The order behind it; 0: it is the last.
    pub next: u32,
    pub level: u32,
    /// See [`super::Arrival`].
    pub arrival: u32,
}

/// All orders of one book, side and price, oldest first.
#[derive(Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[repr(C, align(32))]
pub(super) struct Level {
    /// Price, in price units.
    pub px: i64,
    /// Sum of the open quantities, in quantity units.
    pub qty: i64,
    pub orders: u32,
    /// The oldest order.
    pub head: u32,
    /// The youngest order.
    pub tail: u32,
    /// Four times the number of the book, plus [`ASK`], plus [`LISTED`].
    home: u32,
}

const ASK: u32 = 1;
/// The level was on a list of its price step together with others.
const LISTED: u32 = 2;

const _: () = assert!(size_of::<Order>() == 32 && size_of::<Level>() == 32);

impl Record for Order {
    /// Taking an order from either end of its queue writes to the links of this one, so they mean
    /// nothing.
    const NIL: Order =
        Order { reference: OrderRef(0), qty: 0, prev: 0, next: 0, level: 0, arrival: 0 };
}

impl Record for Level {
    const NIL: Level = Level { px: 0, qty: 0, orders: 0, head: 0, tail: 0, home: 0 };
}

impl Level {
    pub const fn new(book: u32, side: Side, px: i64) -> Level {
        Level { px, home: book << 2 | side.index() as u32, ..Level::NIL }
    }

    #[inline]
    pub const fn book(&self) -> usize {
        (self.home >> 2) as usize
    }

    #[inline]
    pub const fn is_listed(&self) -> bool {
        self.home & LISTED != 0
    }

    /// From now on, others may be on the list of its price step.
    pub const fn list(&mut self) {
        self.home |= LISTED;
    }

    #[inline]
    pub const fn side(&self) -> Side {
        if self.home & ASK == 0 { Side::Buy } else { Side::Sell }
    }
}
