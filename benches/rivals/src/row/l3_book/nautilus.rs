//! Books of nautilus-model, order by order.

use std::hint::black_box;

use benches::{AHEAD_BYTES, SYMBOLS, digest};
use model::{Px, Qty, Side};
use nautilus_core::UnixNanos;
use nautilus_model::data::{BookOrder, OrderBookDelta};
use nautilus_model::enums::{BookAction, BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::OrderBook;
use nautilus_model::types::{Price, Quantity};

use crate::contest::{Round, timed};
use crate::day::{Op, OpKind};

/// A delta, the book that it is for, and whether it is the last of its message.
pub struct Delta(OrderBookDelta, u16, bool);

fn instrument(book: u16) -> InstrumentId {
    InstrumentId::from(format!("SYN{book:03}.SIM").as_str())
}

/// What happens, as this library wants it.
pub fn deltas(ops: &[Op]) -> Vec<Delta> {
    let instruments: Vec<InstrumentId> = (0..=SYMBOLS).map(instrument).collect();
    let delta = |(sequence, op): (u64, &Op)| {
        let action = match op.kind {
            OpKind::Add => BookAction::Add,
            OpKind::Reduce => BookAction::Update,
            OpKind::Delete => BookAction::Delete,
        };
        let side = if op.side == Side::Buy { OrderSide::Buy } else { OrderSide::Sell };
        let (px, qty) = (Price::new(op.px as f64 / 1e4, 4), Quantity::new(op.qty as f64, 0));
        let order = BookOrder::new(side, px, qty, op.order);
        let (instrument, now) = (instruments[usize::from(op.book)], UnixNanos::default());
        Delta(
            OrderBookDelta::new(instrument, action, order, 0, sequence, now, now),
            op.book,
            op.is_last,
        )
    };
    (1..).zip(ops).map(delta).collect()
}

/// Applies all to new books and reads both best prices after each message.
pub fn play(deltas: &[Delta], messages: usize) -> Round {
    let new = |book| OrderBook::new(instrument(book), BookType::L3_MBO);
    let mut books: Vec<OrderBook> = (0..=SYMBOLS).map(new).collect();
    let (each, ()) = timed(messages, || {
        for (number, Delta(delta, book, is_last)) in black_box(deltas).iter().enumerate() {
            host::prefetch(deltas, number + AHEAD_BYTES / size_of::<Delta>());
            let book = &mut books[usize::from(*book)];
            black_box(book.apply_delta(delta).is_ok());
            if *is_last {
                black_box((book.best_bid_price(), book.best_ask_price()));
            }
        }
    });
    Round { each, sum: Some(digest(|book, side| best(&books[usize::from(book)], side))) }
}

/// Its own best size is that of the first order, so the level's is asked for.
fn best(book: &OrderBook, side: Side) -> Option<(Px, Qty)> {
    let level =
        if side == Side::Buy { book.bids(Some(1)).next() } else { book.asks(Some(1)).next() }?;
    let px = (level.price.value.as_f64() * 1e4).round() as i64;
    Some((Px(px), Qty(level.size().round() as i64)))
}
