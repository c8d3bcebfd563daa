//! Messages of a book that wait for its snapshot, bounded.

use std::collections::VecDeque;

use model::{Px, Qty};

use crate::stream::message::{BookHead, OrderChange, Parsed};

/// Levels in all of them together.
const LEVELS_MAX: usize = 200_000;
/// Orders in all of them together.
const ORDERS_MAX: usize = 200_000;

/// There was no room: what waited before is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// The messages, oldest first, and what they hold.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// With their numbers of bids, asks and orders.
    messages: VecDeque<(BookHead, [u32; 3])>,
    levels: VecDeque<(Px, Qty)>,
    orders: VecDeque<OrderChange>,
}

impl Waiting {
    /// Messages, at most.
    pub const MESSAGES_MAX: usize = 50_000;

    /// Forgets all.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.levels.clear();
        self.orders.clear();
    }

    /// Last update of the newest message.
    pub fn last(&self) -> Option<u64> {
        self.messages.back().map(|(head, _)| head.last)
    }

    /// The heads, oldest first.
    pub fn heads(&self) -> impl Iterator<Item = &BookHead> {
        self.messages.iter().map(|(head, _)| head)
    }

    /// Keeps a message.
    ///
    /// # Errors
    ///
    /// [`Overflow`]; this message is kept nevertheless.
    pub fn push(&mut self, head: &BookHead, parsed: &Parsed) -> Result<(), Overflow> {
        let (bids, asks) = (parsed.bids.as_slice(), parsed.asks.as_slice());
        let levels = self.levels.len() + bids.len() + asks.len();
        let orders = self.orders.len() + parsed.orders.len();
        let is_full = self.messages.len() >= Waiting::MESSAGES_MAX
            || levels > LEVELS_MAX
            || orders > ORDERS_MAX;
        if is_full {
            self.clear();
        }
        let counts = [bids.len(), asks.len(), parsed.orders.len()].map(|count| count as u32);
        self.messages.push_back((*head, counts));
        self.levels.extend(bids.iter().chain(asks));
        self.orders.extend(&parsed.orders);
        if is_full { Err(Overflow) } else { Ok(()) }
    }

    /// Takes the oldest message out, into `parsed`, which is emptied.
    pub fn pop(&mut self, parsed: &mut Parsed) -> Option<BookHead> {
        let (head, [bids, asks, orders]) = self.messages.pop_front()?;
        parsed.clear();
        for (side, count) in [(&mut parsed.bids, bids), (&mut parsed.asks, asks)] {
            for (px, qty) in self.levels.drain(..(count as usize).min(self.levels.len())) {
                let _ = side.push(px, qty); // As many as one text held.
            }
        }
        let orders = (orders as usize).min(self.orders.len());
        parsed.orders.extend(self.orders.drain(..orders));
        Some(head)
    }
}
