//! Every internal link of the books, followed.

use super::*;

/// Panics unless levels, queues, ladders and references agree with each other and with what the
/// pools have handed out.
pub fn audit(books: &Books) {
    let (mut orders, mut levels, mut nodes) = (0, 0, 0);
    for book in 0..books.books.len() {
        for side in [Side::Buy, Side::Sell] {
            let ladder = books.books[book].side(side);
            nodes += ladder.audit(&books.levels);
            let mut px_before = None;
            for level in ladder.walk(&books.levels) {
                let record = books.levels.records.at(level);
                let is_worse = px_before.is_none_or(|before| match side {
                    Side::Buy => record.px < before,
                    Side::Sell => record.px > before,
                });
                assert!(is_worse, "levels stand best first");
                px_before = Some(record.px);
                assert_eq!((record.book(), record.side()), (book, side));
                assert_eq!(ladder.find(&books.levels, record.px), level);
                orders += audit_queue(books, level, record);
                levels += 1;
            }
        }
    }
    assert_eq!(orders, books.orders.used());
    assert_eq!(orders, books.refs.len());
    assert_eq!(levels, books.levels.records.used());
    assert_eq!(nodes, books.levels.nodes_used());
}

/// Follows the queue of a level both ways; the number of its orders.
fn audit_queue(books: &Books, level: u32, record: &Level) -> usize {
    let (mut qty, mut count, mut arrival, mut before) = (0, 0, 0, 0);
    let mut number = record.head;
    while number != 0 {
        let order = books.orders.at(number);
        assert_eq!((order.level, order.prev), (level, before));
        assert!(order.qty > 0 && order.arrival > arrival, "open, and behind the one before");
        assert_eq!(books.refs.find(order.reference, &books.orders), number);
        (qty, count, arrival, before) = (qty + order.qty, count + 1, order.arrival, number);
        number = order.next;
    }
    assert_eq!((qty, count, before), (record.qty, record.orders as usize, record.tail));
    count
}
