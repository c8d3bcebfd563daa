//! Orders for a cross: they wait apart from the book, fill at the price of the cross that the feed prints and up to its
//! quantity, best limits first, and end with it. Ours did not take part in finding that price.

use model::{Order, Px, Qty, ReportKind, Side, Tif, Ts};

use super::{Paper, Resting, crosses};
use crate::book::Arrival;

/// Which cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cross {
    /// Of the opening.
    Open,
    /// Of the close.
    Close,
}

impl Cross {
    /// What the venue's code names (ITCH `Q`, cross type); `None`: neither.
    pub const fn of_code(code: u64) -> Option<Cross> {
        match code as u8 {
            _ if code > 255 => None,
            b'O' => Some(Cross::Open),
            b'C' => Some(Cross::Close),
            _ => None,
        }
    }

    /// The one that an order is for; `None`: for none.
    pub const fn of(tif: Tif) -> Option<Cross> {
        match tif {
            Tif::AtOpen => Some(Cross::Open),
            Tif::AtClose => Some(Cross::Close),
            Tif::Day | Tif::Ioc | Tif::Fok | Tif::Gtc | Tif::Gtd => None,
        }
    }

    /// Its place in a list of both.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl Paper {
    /// Lets an order wait for its cross.
    pub(super) fn await_cross(&mut self, order: &Order, cross: Cross) {
        let queue = self.crosses.get_mut(cross.index());
        let waits = queue.is_some_and(|queue| queue.insert(waiting(order)));
        if !waits {
            self.report(ReportKind::Cancelled, order.id);
        }
    }

    /// New terms of an order that waits for its cross.
    pub(super) fn replace_awaiting(&mut self, order: &Order) {
        if let Some(queue) = self.crosses.iter_mut().find(|queue| queue.get(order.id).is_some()) {
            queue.remove(order.id);
            queue.insert(waiting(order));
        }
    }

    /// The venue printed a cross; of no quantity: none happened.
    pub fn on_cross(&mut self, instrument: u32, cross: Cross, px: Px, qty: Qty) {
        for side in [Side::Buy, Side::Sell] {
            let mut left = qty.0.max(0);
            while let Some(queue) = self.crosses.get_mut(cross.index())
                && let Some(waiting) = queue.first(instrument, side)
                && queue.remove(waiting.order).is_some()
            {
                let takes =
                    if crosses(side, waiting.px, px) { left.min(waiting.leaves.0) } else { 0 };
                if takes > 0 {
                    left -= takes;
                    self.execution(waiting.order, px, Qty(takes));
                }
                if takes < waiting.leaves.0 {
                    self.report(ReportKind::Expired, waiting.order);
                }
            }
        }
    }
}

fn waiting(order: &Order) -> Resting {
    Resting {
        order: order.id,
        instrument: order.instrument.0,
        side: order.side,
        px: order.px,
        total: order.qty,
        leaves: order.qty,
        shown: Qty(0),
        display: Qty(0),
        keeps: false,
        ahead: Qty(0),
        untold: Qty(0),
        untold_at: Ts(0),
        arrival: Arrival(0),
    }
}
