//! What an order asks of the venue on its arrival: to fill whole or not at all, or only to rest; and how one that shows a part
//! of itself shows the next.

use model::{Order, OrderId, Qty, ReportKind};

use super::taken::Shown;
use super::{Paper, SWEEP_LEVELS, SWEEP_ORDERS, crosses, next_arrival, shown_at};
use crate::feed_books::FeedBooks;

impl Paper {
    /// Whether an order that may only rest would trade: against whatever is displayed, taken or not.
    pub(super) fn would_trade(order: &Order, books: &FeedBooks) -> bool {
        let best = books.best(order.instrument.0 as usize, order.side.opposite());
        order.conditions.post_only
            && best.is_some_and(|best| crosses(order.side, order.px, best.px))
    }

    /// Whether a sweep would fill all of `open`. It looks at no more than the sweep does, and so never promises more.
    pub(super) fn fills_whole(&self, order: &Order, open: Qty, books: &FeedBooks) -> bool {
        let (instrument, against) = (order.instrument.0, order.side.opposite());
        let (mut found, mut looked_at) = (0_i64, 0);
        if !self.taken.has_room(SWEEP_ORDERS) {
            return false;
        }
        let levels = books.levels(instrument as usize, against).take(SWEEP_LEVELS - 1);
        for level in levels.take_while(|level| crosses(order.side, order.px, level.px)) {
            match books {
                FeedBooks::Levels(_) => {
                    let shown = Shown::level(instrument, against, level.px);
                    found = found.saturating_add(self.taken.left_of(shown, level.qty).0);
                }
                FeedBooks::Orders(books) => {
                    for resting in books.queue(instrument as usize, against, level.px) {
                        looked_at += 1;
                        let shown = Shown::order(instrument, resting.order);
                        found = found.saturating_add(self.taken.left_of(shown, resting.qty).0);
                        if found >= open.0 || looked_at >= SWEEP_ORDERS {
                            break;
                        }
                    }
                }
            }
            if found >= open.0 || looked_at >= SWEEP_ORDERS {
                break;
            }
        }
        found >= open.0
    }

    /// The next order whose displayed part is gone.
    pub fn take_spent(&mut self) -> Option<(OrderId, u32)> {
        loop {
            let order = self.spent.pop_front()?;
            if let Some(resting) = self.queues.get(order).filter(|resting| resting.shown.0 == 0) {
                return Some((order, resting.instrument));
            }
        }
    }

    /// Shows the next part of such an order, behind everything at its price.
    pub fn show_again(&mut self, order: OrderId, books: &FeedBooks) {
        let Some(mut resting) = self.queues.remove(order) else { return };
        resting.shown = resting.part();
        resting.ahead = shown_at(books, resting.instrument, resting.side, resting.px);
        resting.untold = Qty(0);
        resting.arrival = next_arrival(books);
        if !self.queues.insert(resting) {
            self.report(ReportKind::Cancelled, order);
        }
    }
}
