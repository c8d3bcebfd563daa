//! Books of lob. They keep their best prices but do not hand them out, so the digest asks for the quantity at every
//! price of the day.

use std::collections::BTreeSet;
use std::hint::black_box;

use ::lob::{Oid, Order, OrderBook, OrderSide, Price, Timestamp, Volume};
use benches::SYMBOLS;
use model::{Px, Qty, Side};

use super::OpBook;
use crate::day::{Op, OpKind};

/// A book for each symbol, and all prices.
pub struct Books {
    books: Vec<OrderBook>,
    prices: BTreeSet<(u16, i64)>,
}

impl Books {
    /// Empty books for these orders.
    pub fn new(ops: &[Op]) -> Books {
        let books = (0..=SYMBOLS).map(|_| OrderBook::default()).collect();
        Books { books, prices: ops.iter().map(|op| (op.book, op.px)).collect() }
    }
}

fn side_of(side: Side) -> OrderSide {
    if side == Side::Buy { OrderSide::Buy } else { OrderSide::Sell }
}

impl OpBook for Books {
    #[inline]
    fn apply(&mut self, op: &Op) {
        let book = &mut self.books[usize::from(op.book)];
        let id = Oid::new(op.order);
        if op.kind == OpKind::Delete {
            black_box(book.cancel_order(id).is_ok());
            return;
        }
        let (px, qty) = (Price::from(op.px as f64), Volume::from(op.qty.unsigned_abs()));
        let order = Order::new_limit(id, side_of(op.side), Timestamp::new(0), px, qty);
        black_box(book.execute(&order).is_ok());
    }

    fn read(&self, _book: u16) {}

    fn best(&self, book: u16, side: Side) -> Option<(Px, Qty)> {
        let at = |(_, px): &(u16, i64)| {
            let volume = self.books[usize::from(book)]
                .get_volume_at_limit(Price::from(*px as f64), side_of(side));
            let qty = volume.map_or(0, |volume| u64::from(volume) as i64);
            (qty > 0).then_some((Px(*px), Qty(qty)))
        };
        let mut prices = self.prices.range((book, 0)..=(book, i64::MAX));
        if side == Side::Buy { prices.rev().find_map(at) } else { prices.find_map(at) }
    }
}
