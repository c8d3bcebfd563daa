//! The paper venue: fills orders inside the step, by the real book, at the exact place in the queue.
//!
//! - An order that crosses takes displayed quantity, level by level, order by order, and remembers what it took from each
//!   resting order until that order leaves the book: no quantity is taken twice.
//! - An order that rests stands behind everything displayed at its price then. What is in front of it shrinks as those very
//!   orders trade or leave; when it is gone, what trades at the price, behind it or through it fills ours.
//! - What an opposing order shows at or through our price fills ours.
//! - An order that shows a part of itself fills by that part, and shows the next behind everything at its price.
//! - An order for an auction waits for the cross: `paper/auction.rs`. What else an order asks of its arrival: `paper/entry.rs`.
//! - Where a venue tells levels and not orders, the place in the queue is not known: `paper/levels.rs` takes the worst.
//!
//! The market does not react to us: a size that is large against what is displayed or traded fills better here than it
//! would outside.

mod auction;
mod entry;
mod full;
mod levels;
mod queue;
mod taken;

use model::{Order, OrderId, Px, Qty, Report, ReportKind, Side, Tif, Ts};
use risk::{Cleared, ClearedReplace};

use crate::book::{Applied, Arrival, Books, Touch};
use crate::feed_books::FeedBooks;
use queue::{Queues, Resting};
use taken::{Shown, Taken};

pub use auction::Cross;

/// Levels that one order takes at most; what is left of it then is cancelled.
const SWEEP_LEVELS: usize = 256;
/// Resting orders that one order takes from at most; what is left of it then is cancelled.
const SWEEP_ORDERS: usize = 4096;

/// The paper venue. Its reports wait in [`Paper::take_report`] until the step takes them.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Paper {
    queues: Queues,
    /// Orders that wait for the opening, and for the closing cross.
    crosses: [Queues; 2],
    /// Orders whose displayed part is gone.
    #[serde(with = "model::snapshot::reserved")]
    spent: std::collections::VecDeque<OrderId>,
    taken: Taken,
    #[serde(with = "model::snapshot::reserved")]
    reports: std::collections::VecDeque<Report>,
    executions: u64,
}

impl Paper {
    /// For `own_orders` orders of ours in `instruments` instruments.
    pub fn new(instruments: usize, own_orders: usize) -> Paper {
        Paper {
            queues: Queues::new(instruments, own_orders),
            crosses: [(); 2].map(|()| Queues::new(instruments, own_orders)),
            spent: std::collections::VecDeque::with_capacity(own_orders),
            taken: Taken::new(SWEEP_ORDERS * 4),
            // Each order of ours at most fills and ends by one event; a sweep adds a fill a level.
            reports: std::collections::VecDeque::with_capacity(2 * own_orders + SWEEP_LEVELS + 8),
            executions: 0,
        }
    }

    /// Bytes that [`Paper::new`] takes.
    pub(crate) fn bytes(instruments: u32, own_orders: u32) -> u64 {
        let (instruments, orders) = (u64::from(instruments), u64::from(own_orders));
        3 * Queues::bytes(instruments, orders)
            + orders * size_of::<OrderId>() as u64
            + Taken::bytes(SWEEP_ORDERS as u64 * 4)
            + (2 * orders + SWEEP_LEVELS as u64 + 8) * size_of::<Report>() as u64
    }

    /// The next report.
    pub fn take_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    /// Takes an order in: fills what crosses; what is left rests, or is cancelled if it may not.
    pub fn submit(&mut self, cleared: Cleared, books: &FeedBooks) {
        let order = cleared.order();
        if Paper::would_trade(order, books) {
            return self.report(ReportKind::Rejected, order.id);
        }
        self.report(ReportKind::Ack, order.id);
        match Cross::of(order.tif) {
            Some(cross) => self.await_cross(order, cross),
            None => self.enter(order, order.qty, books),
        }
    }

    /// Cancels what is open of an order, as its change of this number.
    pub fn cancel(&mut self, order: OrderId, change: u16) {
        let mut queues = [&mut self.queues].into_iter().chain(&mut self.crosses);
        let found = queues.any(|queue| queue.remove(order).is_some());
        let kind = if found { ReportKind::Cancelled } else { ReportKind::CancelRejected };
        self.reports.push_back(Report { change, ..Report::of(kind, order) });
    }

    /// Gives an order new terms, as its change of this number: less quantity at the same price keeps its place, anything else
    /// goes to the tail.
    pub fn replace(&mut self, cleared: ClearedReplace, change: u16, books: &FeedBooks) {
        let order = *cleared.order();
        let resting = {
            let mut queues = [&self.queues].into_iter().chain(&self.crosses);
            queues.find_map(|queue| queue.get(order.id))
        };
        let Some(resting) = resting.filter(|_| !Paper::would_trade(&order, books)) else {
            let refused = Report::of(ReportKind::ReplaceRejected, order.id);
            self.reports.push_back(Report { change, ..refused });
            return;
        };
        let filled = Qty(resting.total.0 - resting.leaves.0);
        let leaves = Qty(order.qty.0 - filled.0);
        let replaced = Report::of(ReportKind::Replaced, order.id);
        let (px, qty) = (order.px, order.qty);
        self.reports.push_back(Report { change, px, qty, ..replaced });
        if order.tif.is_auction() {
            self.replace_awaiting(&order);
        } else if order.px == resting.px && leaves.0 <= resting.leaves.0 {
            self.queues.shrink(order.id, order.qty, leaves);
        } else {
            self.queues.remove(order.id);
            self.enter(&order, leaves, books);
        }
    }

    /// Ends every order in the instruments meant that is of the day alone: their venue's day is over. What was taken
    /// from orders is forgotten with them, and what of other venues is forgotten with it comes back as displayed.
    pub fn end_day(&mut self, of: impl Fn(u32) -> bool) {
        while let Some(order) = self.queues.pop_any(&of) {
            self.report(ReportKind::Expired, order);
        }
        for cross in 0..self.crosses.len() {
            while let Some(order) = self.crosses.get_mut(cross).and_then(|queue| queue.pop_any(&of))
            {
                self.report(ReportKind::Expired, order);
            }
        }
        self.taken.clear();
    }

    /// A book was emptied or made again: every order of ours in it stands behind what is at its price now.
    pub fn rejoin(&mut self, instrument: u32, books: &FeedBooks) {
        if !self.queues.any(instrument) {
            return;
        }
        let arrival = next_arrival(books);
        for side in [Side::Buy, Side::Sell] {
            let mut next = self.queues.first(instrument, side);
            while let Some(resting) = next {
                let ahead = shown_at(books, instrument, side, resting.px);
                self.queues.rejoin(resting.order, ahead, arrival);
                next = self.queues.after(&resting);
            }
        }
    }

    /// The quantity in front of an order that rests.
    pub fn ahead(&self, order: OrderId) -> Option<Qty> {
        self.queues.get(order).map(|resting| resting.ahead)
    }

    /// Whether there is a report, or an order whose displayed part is gone.
    #[inline]
    pub fn has_news(&self) -> bool {
        !(self.reports.is_empty() && self.spent.is_empty())
    }

    /// Whether what happens to a book has to do with anything of ours: mostly not.
    #[inline]
    pub fn watches(&self, instrument: u32) -> bool {
        !self.taken.is_empty() || self.queues.any(instrument)
    }

    /// Sees what an event did to a book that it watches. `traded`: it was a trade outside an auction; `trading`: the venue
    /// trades.
    #[inline(never)]
    pub fn on_book(&mut self, instrument: u32, applied: &Applied, traded: bool, trading: bool) {
        if let Some(gone) = &applied.removed {
            // A modified order leaves its place, and not the book: what was taken of it stays taken.
            let stays = applied.added.is_some_and(|shown| shown.order == gone.order);
            if gone.open.0 == 0 && !stays {
                self.taken.forget(Shown::order(instrument, gone.order));
            }
            if self.queues.any(instrument) {
                self.on_removed(instrument, gone, traded);
            }
        }
        if let Some(shown) = &applied.added
            && trading
            && self.queues.any(instrument)
        {
            self.on_shown(instrument, shown);
        }
    }

    /// Sees a printable trade that the book does not tell of. `side`: of the order that rested, where it was told; then it was
    /// displayed, and those before ours had their part of it first. Else it was not displayed: displayed orders of the same
    /// price go first, so what is at the front of its queue would have had it.
    pub fn on_print(&mut self, instrument: u32, side: Option<Side>, px: Px, qty: Qty) {
        if !self.queues.any(instrument) {
            return;
        }
        for ours in
            [Side::Buy, Side::Sell].into_iter().filter(|ours| side.is_none_or(|s| s == *ours))
        {
            let mut left = qty.0;
            let mut next = self.queues.first(instrument, ours);
            while let Some(resting) = next {
                next = self.queues.after(&resting);
                if is_better(ours, px, resting.px) || left == 0 {
                    break;
                }
                let ahead = if resting.px == px { resting.ahead.0 } else { 0 };
                let part = match side {
                    Some(_) => left - ahead,
                    None if resting.ahead.0 == 0 => left,
                    None => 0,
                };
                left -= self.fill(&resting, Qty(part.max(0))).0;
            }
        }
    }

    /// Quantity traded at, or removed from, a place in the book: fills those of ours that stood before it, and shortens the
    /// queue of those behind it.
    fn on_removed(&mut self, instrument: u32, gone: &Touch, traded: bool) {
        let mut left = if traded { gone.qty } else { Qty(0) };
        let mut next = self.queues.first(instrument, gone.side);
        while let Some(resting) = next {
            next = self.queues.after(&resting);
            if is_better(gone.side, gone.px, resting.px) {
                break;
            }
            if resting.px == gone.px && gone.arrival < resting.arrival {
                let ahead = Qty((resting.ahead.0 - gone.qty.0).max(0));
                self.queues.set_ahead(resting.order, ahead);
            } else if left.0 > 0 {
                left.0 -= self.fill(&resting, left).0;
            }
        }
    }

    /// An order of the other side appeared: what of it crosses orders of ours fills them at their price.
    fn on_shown(&mut self, instrument: u32, shown: &Touch) {
        let ours = shown.side.opposite();
        let order = Shown::order(instrument, shown.order);
        let mut left = self.taken.left_of(order, shown.qty);
        let mut next = self.queues.first(instrument, ours);
        while let Some(resting) = next {
            next = self.queues.after(&resting);
            if left.0 == 0 || !crosses(ours, resting.px, shown.px) {
                break;
            }
            let want = Qty(left.0.min(resting.shown.0));
            if resting.ahead.0 == 0 && want.0 > 0 && self.taken.take(order, want) {
                left.0 -= self.fill(&resting, want).0;
            }
        }
    }

    /// Fills an order that rests, at its price, with at most `qty` of what it shows; how much it took.
    fn fill(&mut self, resting: &Resting, qty: Qty) -> Qty {
        let qty = Qty(qty.0.min(resting.shown.0));
        if qty.0 <= 0 {
            return Qty(0);
        }
        if self.queues.fill(resting.order, qty) {
            self.spent.push_back(resting.order); // Once at most until it shows the next part.
        }
        self.execution(resting.order, resting.px, qty);
        qty
    }

    /// Takes what crosses, then rests or ends.
    fn enter(&mut self, order: &Order, open: Qty, books: &FeedBooks) {
        if order.tif == Tif::Fok && !self.fills_whole(order, open, books) {
            return self.report(ReportKind::Cancelled, order.id);
        }
        let (left, complete) = match books {
            FeedBooks::Orders(books) => self.sweep(order, open, books),
            FeedBooks::Levels(books) => self.sweep_levels(order, open, books),
        };
        if left.0 == 0 {
            return;
        }
        let rests = order.tif.rests() && complete;
        let arrival = next_arrival(books);
        let ahead = shown_at(books, order.instrument.0, order.side, order.px);
        let mut resting = Resting {
            order: order.id,
            instrument: order.instrument.0,
            side: order.side,
            px: order.px,
            total: order.qty,
            leaves: left,
            shown: Qty(0),
            display: order.conditions.display,
            keeps: order.tif != Tif::Day,
            ahead,
            untold: Qty(0),
            untold_at: Ts(0),
            arrival,
        };
        resting.shown = resting.part();
        if !rests || !self.queues.insert(resting) {
            self.report(ReportKind::Cancelled, order.id);
        }
    }

    /// Takes displayed quantity that `order` crosses: what is left of it, and whether all that crosses was looked at.
    fn sweep(&mut self, order: &Order, open: Qty, books: &Books) -> (Qty, bool) {
        let book = order.instrument.0 as usize;
        let against = order.side.opposite();
        let mut left = open;
        let mut looked_at = 0;
        for (depth, level) in books.levels(book, against).enumerate() {
            if left.0 == 0 || !crosses(order.side, order.px, level.px) {
                break;
            }
            let mut got = 0;
            for resting in books.queue(book, against, level.px) {
                looked_at += 1;
                let shown = Shown::order(order.instrument.0, resting.order);
                let want = Qty(self.taken.left_of(shown, resting.qty).0.min(left.0 - got));
                if want.0 > 0 && self.taken.take(shown, want) {
                    got += want.0;
                }
                if got == left.0 || looked_at > SWEEP_ORDERS {
                    break;
                }
            }
            if got > 0 {
                left.0 -= got;
                self.execution(order.id, level.px, Qty(got));
            }
            if depth + 1 >= SWEEP_LEVELS || looked_at > SWEEP_ORDERS || self.taken.is_full() {
                return (left, false);
            }
        }
        (left, true)
    }

    fn execution(&mut self, order: OrderId, px: Px, qty: Qty) {
        self.executions += 1;
        let exec_id = self.executions;
        let fill = Report::of(ReportKind::Fill, order);
        self.reports.push_back(Report { exec_id, px, qty, ..fill });
    }

    fn report(&mut self, kind: ReportKind, order: OrderId) {
        self.reports.push_back(Report::of(kind, order));
    }
}

/// The stamp of whoever joins a queue now; where orders are not told there is none.
fn next_arrival(books: &FeedBooks) -> Arrival {
    match books {
        FeedBooks::Orders(books) => books.next_arrival(),
        FeedBooks::Levels(_) => Arrival(0),
    }
}

/// What is displayed at a price.
fn shown_at(books: &FeedBooks, instrument: u32, side: Side, px: Px) -> Qty {
    books.level(instrument as usize, side, px).map_or(Qty(0), |level| level.qty)
}

/// Whether an order of `side` at `px` trades against one of the other side at `other`.
const fn crosses(side: Side, px: Px, other: Px) -> bool {
    match side {
        Side::Buy => other.0 <= px.0,
        Side::Sell => other.0 >= px.0,
    }
}

/// Whether `px` has priority over `other` on `side`.
const fn is_better(side: Side, px: Px, other: Px) -> bool {
    match side {
        Side::Buy => px.0 > other.0,
        Side::Sell => px.0 < other.0,
    }
}

#[cfg(test)]
mod tests;
