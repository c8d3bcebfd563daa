//! The open orders of a day, kept plainly: what a snapshot is made of.
//!
//! Offsets are those of TotalView-ITCH 5.0 (type byte at 0, stock locate at 1, time at 5, fields
//! from 11).

use std::collections::BTreeMap;

/// An open order, as the message that would add it now.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Order {
    /// Place among all orders: of two at a price, the lower is served first.
    place: u64,
    /// `A` or `F`, with the shares still open.
    message: Vec<u8>,
}

/// The last system event, directory, states and open orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    system: Option<Vec<u8>>,
    /// The last circuit breaker.
    breaker: Option<Vec<u8>>,
    directory: BTreeMap<u16, Vec<u8>>,
    /// The last state of each kind (`H` trading, `Y` short sale, `h` one market's) and stock; of `h`, of each market too.
    states: BTreeMap<(u8, u16, u8), Vec<u8>>,
    orders: BTreeMap<u64, Order>,
    queue: BTreeMap<u64, u64>,
    places: u64,
}

const REFERENCE: usize = 11;
const SHARES: usize = 20;
const PRICE: usize = 32;

impl Book {
    /// Takes a message. One of a length that its type does not have, and an order that is unknown,
    /// change nothing.
    pub fn apply(&mut self, message: &[u8]) {
        let locate = || u16_at(message, 1);
        match (message.first(), message.len()) {
            (Some(b'S'), 12) => {
                // Start of messages: another day.
                if message[11] == b'O' {
                    *self = Book::default();
                }
                self.system = Some(message.to_vec());
            }
            (Some(b'W'), 12) => self.breaker = Some(message.to_vec()),
            (Some(b'R'), 39) => _ = self.directory.insert(locate(), message.to_vec()),
            (Some(kind @ b'H'), 25) | (Some(kind @ b'Y'), 20) => {
                self.states.insert((*kind, locate(), 0), message.to_vec());
            }
            (Some(kind @ b'h'), 21) => {
                self.states.insert((*kind, locate(), message[19]), message.to_vec());
            }
            (Some(b'A'), 36) | (Some(b'F'), 40) => self.add(message.to_vec()),
            (Some(b'E'), 31) | (Some(b'C'), 36) | (Some(b'X'), 23) => {
                self.reduce(u64_at(message, REFERENCE), u32_at(message, 19));
            }
            (Some(b'D'), 19) => _ = self.remove(u64_at(message, REFERENCE)),
            (Some(b'U'), 35) => self.replace(message),
            _ => {}
        }
    }

    fn add(&mut self, message: Vec<u8>) {
        let reference = u64_at(&message, REFERENCE);
        self.remove(reference);
        self.places += 1;
        self.queue.insert(self.places, reference);
        self.orders.insert(reference, Order { place: self.places, message });
    }

    fn remove(&mut self, reference: u64) -> Option<Order> {
        let order = self.orders.remove(&reference)?;
        self.queue.remove(&order.place);
        Some(order)
    }

    fn reduce(&mut self, reference: u64, by: u32) {
        let Some(order) = self.orders.get_mut(&reference) else { return };
        let left = u32_at(&order.message, SHARES).saturating_sub(by);
        order.message[SHARES..SHARES + 4].copy_from_slice(&left.to_be_bytes());
        if left == 0 {
            self.remove(reference);
        }
    }

    /// The new order keeps side, stock and attribution, and goes to the tail.
    fn replace(&mut self, message: &[u8]) {
        let Some(Order { message: mut order, .. }) = self.remove(u64_at(message, REFERENCE)) else {
            return;
        };
        order[3..REFERENCE].copy_from_slice(&message[3..REFERENCE]);
        order[REFERENCE..REFERENCE + 8].copy_from_slice(&message[19..27]);
        order[SHARES..SHARES + 4].copy_from_slice(&message[27..31]);
        order[PRICE..PRICE + 4].copy_from_slice(&message[31..35]);
        self.add(order);
    }

    /// System event, circuit breaker, directory, states, then an Add for every open order in the order of their priority.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let market = self.system.iter().chain(&self.breaker);
        let orders = self.queue.values().filter_map(|reference| self.orders.get(reference));
        let orders = orders.map(|order| &order.message);
        let stocks = self.directory.values().chain(self.states.values());
        market.chain(stocks).chain(orders).map(Vec::as_slice)
    }

    /// Open orders.
    pub fn orders(&self) -> usize {
        self.orders.len()
    }
}

/// Fields of a message whose length was checked.
fn u16_at(message: &[u8], at: usize) -> u16 {
    message[at..at + 2].iter().fold(0, |value, byte| value << 8 | u16::from(*byte))
}

fn u32_at(message: &[u8], at: usize) -> u32 {
    message[at..at + 4].iter().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

fn u64_at(message: &[u8], at: usize) -> u64 {
    message[at..at + 8].iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
