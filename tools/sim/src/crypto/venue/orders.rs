//! Books that are told order by order.

use super::{CryptoVenue, Tag};
use crate::crypto::dialect::Topic;
use crate::crypto::orders::{Order, OrderSaid};

impl CryptoVenue {
    /// The orders of a book at a version, oldest first; `None`: it lies ahead, is forgotten, or the venue tells no orders.
    pub fn orders(&self, symbol: usize, version: u64) -> Option<Vec<Order>> {
        self.orders.get(symbol)?.at(version)
    }

    /// Somebody does something; every part of it is told.
    pub(super) fn evolve_orders(&mut self, symbol: usize) {
        for said in self.orders[symbol].act(&mut self.market) {
            self.stamp();
            let trade =
                if let OrderSaid::Match { print, .. } = said { Some(print.id) } else { None };
            self.orders[symbol].apply(&said);
            self.truths[symbol].follow(self.orders[symbol].levels(), trade);
            self.counters.versions += 1;
            let place = self.channel(symbol, usize::MAX);
            let (version, oldest) = (self.truths[symbol].version(), self.truths[symbol].oldest());
            let channel = &mut self.channels[place];
            channel.last += 1;
            channel.log.push_back((channel.last, version));
            while channel.log.front().is_some_and(|(_, version)| *version < oldest) {
                channel.log.pop_front();
            }
            let listing = &self.config.listings[symbol];
            let text = self.dialect.order(listing, channel.last, &said, self.stamped);
            let tag = Tag { symbol, version, whole: false };
            for id in self.hearers(Topic::Book(usize::MAX), symbol) {
                self.say(id, text.clone(), Some(tag));
            }
        }
    }
}
