//! What trades at a venue, and what is told of orders that rest.

use super::requests::shown;
use super::{Order, Trade, Venue, wire};

impl Venue {
    /// What is first in the queue that this order is in trades, as far as it is displayed.
    pub(super) fn trade(&mut self, number: u64) {
        let Some(order) = self.orders.get(&number).copied() else { return };
        let queue = |other: &&Order| {
            let same = (other.symbol, other.side == b'B', other.px);
            same == (order.symbol, order.side == b'B', order.px) && other.cross == b'N'
        };
        let Some(first) = self.open().filter(queue).min_by_key(|order| order.place).copied() else {
            return; // It waits for a cross.
        };
        let qty = 1 + self.rng.below(first.shown.into()) as u32;
        self.execute(first.number, qty, first.px, b'A');
    }

    /// Shares of an order trade.
    pub(super) fn execute(&mut self, number: u64, qty: u32, px: u64, liquidity: u8) {
        let Some(order) = self.orders.get_mut(&number).filter(|_| qty > 0) else { return };
        order.open -= qty;
        order.shown = order.shown.saturating_sub(qty).min(order.open);
        order.cum += qty;
        let order = *order;
        let Order { refnum, name, side, .. } = order;
        let cross = if liquidity == order.cross { order.cross } else { b'N' };
        let trade_number = self.trades.len() as u64 + 1;
        let trade =
            Trade { refnum, name, side, qty, px, cross, number: trade_number, broken: false };
        self.counters.trades += 1;
        self.trades.push(trade);
        let message = wire::executed(self.time(), &trade, liquidity);
        self.say(message);
        if order.open == 0 {
            self.live.remove(&refnum);
        } else if order.shown == 0 {
            self.refresh(number);
        }
    }

    /// The displayed part of an order is gone: the next goes to the end of the queue.
    fn refresh(&mut self, number: u64) {
        let (time, place) = (self.time(), self.number());
        let Some(order) = self.orders.get_mut(&number) else { return };
        (order.shown, order.place) = (shown(order.open, &order.extras), place);
        let message = wire::refreshed(time, order, place);
        self.counters.refreshed += 1;
        self.say(message);
    }

    /// An order is told of another place in the queue, or of another displayed price; neither changes what it may trade.
    pub(super) fn update(&mut self, number: u64) {
        let (time, place) = (self.time(), self.number());
        let moves = self.rng.below(2) == 0;
        let Some(order) = self.orders.get_mut(&number) else { return };
        let message = if moves {
            order.place = place;
            wire::priority(time, order, place)
        } else {
            wire::repriced(time, order.refnum, order.px)
        };
        self.say(message);
    }

    /// A cross: what waits for it trades at one price for each symbol, as far as it does; what is left ends.
    pub(super) fn cross(&mut self, kind: u8) {
        let mut waits: Vec<Order> =
            self.open().filter(|order| order.cross == kind).copied().collect();
        waits.sort_by_key(|order| (order.symbol, order.place));
        for orders in waits.chunk_by(|a, b| a.symbol == b.symbol) {
            self.counters.crosses += 1;
            let px = orders[self.rng.below(orders.len() as u64) as usize].px;
            for order in orders {
                let Order { side, open, number, .. } = *order;
                let may = if side == b'B' { order.px >= px } else { order.px <= px };
                let takes = if may { self.rng.below(u64::from(open) + 1) as u32 } else { 0 };
                self.execute(number, takes, px, kind);
                // One edition has a reason of its own for it.
                let reason = if self.rng.below(2) == 0 { b'C' } else { b'I' };
                self.reduce(number, open - takes, reason);
            }
        }
    }

    pub(super) fn break_trade(&mut self, at: usize) {
        let time = self.time();
        let Some(trade) = self.trades.get_mut(at).filter(|trade| !trade.broken) else { return };
        trade.broken = true;
        let message = wire::broken(time, trade.refnum, trade.number, &trade.name);
        self.counters.broken += 1;
        self.say(message);
    }
}
