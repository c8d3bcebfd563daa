//! Books of orderbook-rs, which several threads may change at once.

use std::hint::black_box;

use ::orderbook_rs::{DefaultOrderBook, Id, TimeInForce};
use benches::SYMBOLS;
use model::{Px, Qty, Side};
use pricelevel::{OrderUpdate, Quantity};

use super::OpBook;
use crate::day::{Op, OpKind};

/// A book for each symbol.
pub struct Books(Vec<DefaultOrderBook>);

impl Books {
    /// Empty books.
    pub fn new() -> Books {
        Books(
            (0..=SYMBOLS).map(|number| DefaultOrderBook::new(&format!("SYN{number:03}"))).collect(),
        )
    }
}

fn side_of(side: Side) -> ::orderbook_rs::Side {
    if side == Side::Buy { ::orderbook_rs::Side::Buy } else { ::orderbook_rs::Side::Sell }
}

impl OpBook for Books {
    fn apply(&mut self, op: &Op) {
        let book = &self.0[usize::from(op.book)];
        let (id, qty) = (Id::from_u64(op.order), op.qty.unsigned_abs());
        match op.kind {
            OpKind::Add => {
                let px = u128::from(op.px.unsigned_abs());
                black_box(
                    book.add_limit_order(id, px, qty, side_of(op.side), TimeInForce::Gtc, None)
                        .is_ok(),
                );
            }
            OpKind::Reduce => {
                let update =
                    OrderUpdate::UpdateQuantity { order_id: id, new_quantity: Quantity::new(qty) };
                black_box(book.update_order(update).is_ok());
            }
            OpKind::Delete => _ = black_box(book.cancel_order(id).is_ok()),
        }
    }

    fn read(&self, book: u16) {
        let book = &self.0[usize::from(book)];
        black_box((book.best_bid(), book.best_ask()));
    }

    fn best(&self, book: u16, side: Side) -> Option<(Px, Qty)> {
        let book = &self.0[usize::from(book)];
        let px = if side == Side::Buy { book.best_bid() } else { book.best_ask() }?;
        let qty = book.total_depth_at_levels(1, side_of(side)).ok()?;
        Some((Px(i64::try_from(px).ok()?), Qty(qty.cast_signed())))
    }
}
