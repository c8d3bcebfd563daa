//! Books of limitbook, which numbers orders itself.

use std::hint::black_box;

use ::limitbook::{OrderBook, OrderSide};
use benches::SYMBOLS;
use model::{Px, Qty, Side};
use rust_decimal::Decimal;

use super::OpBook;
use crate::day::{Op, OpKind};

/// A book for each symbol, and its numbers of our orders.
pub struct Books {
    books: Vec<OrderBook>,
    ids: Vec<u64>,
}

impl Books {
    /// Empty books for these orders.
    pub fn new(ops: &[Op]) -> Books {
        let places = ops.iter().map(|op| op.place as usize + 1).max().unwrap_or(0);
        let book = |_| OrderBook::new(Decimal::new(1, 4)).expect("a tick");
        Books { books: (0..=SYMBOLS).map(book).collect(), ids: vec![0; places] }
    }
}

impl OpBook for Books {
    #[inline]
    fn apply(&mut self, op: &Op) {
        let book = &mut self.books[usize::from(op.book)];
        let id = &mut self.ids[op.place as usize];
        if op.kind == OpKind::Delete {
            black_box(book.cancel_limit_order(*id).is_ok());
            return;
        }
        let side = if op.side == Side::Buy { OrderSide::Buy } else { OrderSide::Sell };
        let added = book.add_limit_order(side, Decimal::new(op.px, 4), Decimal::new(op.qty, 0));
        *id = added.map_or(0, |(id, _)| id);
    }

    #[inline]
    fn read(&self, book: u16) {
        black_box(self.books[usize::from(book)].best_prices());
    }

    fn best(&self, book: u16, side: Side) -> Option<(Px, Qty)> {
        let book = &self.books[usize::from(book)];
        let (px, qty) = match side {
            Side::Buy => (book.best_bid()?, book.best_bid_volume()?),
            Side::Sell => (book.best_ask()?, book.best_ask_volume()?),
        };
        let px = i64::try_from(px * Decimal::from(10_000)).ok()?;
        Some((Px(px), Qty(i64::try_from(qty).ok()?)))
    }
}
