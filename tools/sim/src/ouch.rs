//! A venue that takes orders, on virtual time: Nasdaq OUCH 5.0 over SoupBinTCP 3.00. It trades what rests
//! with it at random, and does what venues do to those who trust them: refuses, cancels unasked, takes
//! trades back, answers late, hangs up.
//!
//! It has no market but a queue at each price: what trades is the first in it, as far as it is displayed. What shows a part of
//! itself shows the next at the end of the queue. Orders for a cross wait for it, trade at its price and end with it.
//!
//! Times are nanoseconds since the UNIX epoch, or on any clock of the caller's that does not go back.

mod connection;
mod faults;
mod net;
mod requests;
mod trades;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use crate::mold::Credentials;
use crate::rng::Rng;
use wire::Extras;

pub use connection::Connection;
pub use faults::{BadFaults, Faults};
pub use net::Server;

/// How often something may happen.
const STEP_NS: u64 = 1_000_000;
/// Most steps of one look.
const STEPS_MAX: u64 = 10_000;

/// What a venue is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the session.
    pub session: [u8; 10],
    /// Who may trade.
    pub credentials: Credentials,
    /// The midnight that its times count from, nanoseconds.
    pub midnight: u64,
    /// What goes wrong, and what trades.
    pub faults: Faults,
}

impl Default for Config {
    /// User `sim` with password `sim`, nothing goes wrong, nothing trades.
    fn default() -> Config {
        let (credentials, faults) = (Credentials::default(), Faults::NONE);
        Config { session: *b"SIM0000001", credentials, midnight: 0, faults }
    }
}

/// An order at the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The UserRefNum that it works under.
    pub refnum: u32,
    /// ClOrdID of the order when it was entered.
    pub name: [u8; 14],
    /// `B`, `S`, `T`, `E`.
    pub side: u8,
    /// Symbol.
    pub symbol: [u8; 8],
    /// Limit, four decimals.
    pub px: u64,
    /// Open shares.
    pub open: u32,
    /// Open shares that are displayed.
    pub shown: u32,
    /// Shares that traded, broken trades included.
    pub cum: u32,
    /// `N`: none; `O`, `C`: waits for the opening, the closing cross.
    pub cross: u8,
    /// Shares that had to trade at once, or none.
    pub min_qty: u32,
    number: u64,
    /// Its place in the queue at its price: lower ones go first.
    place: u64,
    tif: u8,
    capacity: u8,
    extras: Extras,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The UserRefNum at the time.
    pub refnum: u32,
    /// ClOrdID of the order when it was entered.
    pub name: [u8; 14],
    /// As the order's.
    pub side: u8,
    /// Shares.
    pub qty: u32,
    /// Four decimals.
    pub px: u64,
    /// The cross that it was in; `N`: none.
    pub cross: u8,
    /// The venue's number of it.
    pub number: u64,
    /// Whether it was taken back.
    pub broken: bool,
}

/// What a venue has seen and done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections.
    pub connections: u64,
    /// Logins that were accepted.
    pub logins: u64,
    /// Logins that were rejected.
    pub rejected_logins: u64,
    /// Clients that broke the protocol or fell silent.
    pub broken_clients: u64,
    /// Connections that were dropped.
    pub dropped: u64,
    /// Orders entered.
    pub orders: u64,
    /// Orders entered under a name that was entered before: sent twice.
    pub twice: u64,
    /// Replacements asked for.
    pub replaces: u64,
    /// Cancels asked for.
    pub cancels: u64,
    /// Queries.
    pub queries: u64,
    /// Requests that were ignored, as the specification has it.
    pub ignored: u64,
    /// Requests that mean nothing, or ask for what does not go together.
    pub bad: u64,
    /// Orders and replacements that were refused.
    pub refused: u64,
    /// Orders that were dead on arrival.
    pub dead: u64,
    /// Post-only orders that were given a price at which they take nothing.
    pub slid: u64,
    /// Orders that ended without being asked to.
    pub unasked: u64,
    /// Next parts that were displayed.
    pub refreshed: u64,
    /// Crosses in which orders waited.
    pub crosses: u64,
    /// Trades.
    pub trades: u64,
    /// Trades that were taken back.
    pub broken: u64,
    /// When the last order or replacement came; zero: none did.
    pub last_order_at: u64,
    /// When the last cancel came.
    pub last_cancel_at: u64,
}

/// A venue.
#[derive(Debug)]
pub struct Venue {
    config: Config,
    rng: Rng,
    /// Where time stands.
    now: u64,
    /// All that was said, with when it may be heard.
    said: Vec<(u64, Vec<u8>)>,
    /// By the venue's number.
    orders: BTreeMap<u64, Order>,
    /// Numbers of open orders by UserRefNum.
    live: BTreeMap<u32, u64>,
    names: BTreeSet<[u8; 14]>,
    trades: Vec<Trade>,
    last_ref: u32,
    numbers: u64,
    /// Connections that were hung up on, or gave way to a later one.
    turn: u64,
    counters: Counters,
}

impl Venue {
    /// A venue whose day begins at `now`.
    pub fn new(config: Config, now: u64) -> Venue {
        let mut venue = Venue {
            rng: Rng::new(config.faults.seed),
            config,
            now,
            said: Vec::new(),
            orders: BTreeMap::new(),
            live: BTreeMap::new(),
            names: BTreeSet::new(),
            trades: Vec::new(),
            last_ref: 0,
            numbers: 0,
            turn: 0,
            counters: Counters::default(),
        };
        let time = venue.time();
        venue.say(wire::system(time, b'S'));
        venue
    }

    /// Lets time pass.
    pub fn poll(&mut self, now: u64) {
        let steps = now.saturating_sub(self.now) / STEP_NS;
        self.now += steps.saturating_sub(STEPS_MAX) * STEP_NS;
        for _ in 0..steps.min(STEPS_MAX) {
            self.now += STEP_NS;
            self.step();
        }
    }

    /// Everything that is open.
    pub fn open(&self) -> impl Iterator<Item = &Order> {
        self.live.values().filter_map(|number| self.orders.get(number))
    }

    /// Every order that was taken.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// Every trade.
    pub fn trades(&self) -> &[Trade] {
        &self.trades
    }

    /// What was seen and done.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What goes wrong from here on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.config.faults = faults;
    }

    /// Hangs up on everybody.
    pub fn drop_connections(&mut self) {
        self.turn += 1;
        self.counters.dropped += 1;
    }

    fn step(&mut self) {
        let faults = self.config.faults;
        if faults.drop_ms > 0 && self.rng.below(faults.drop_ms) == 0 {
            self.drop_connections();
        }
        if self.rng.per_mille(faults.trade_per_mille) {
            self.with_any(Venue::trade);
        }
        if self.rng.per_mille(faults.cancel_per_mille) {
            self.with_any(|venue, number| {
                venue.counters.unasked += 1;
                let part = venue.rng.below(3) == 0;
                let open = venue.orders.get(&number).map_or(0, |order| order.open);
                let qty = if part { 1 + venue.rng.below(open.into()) as u32 } else { open };
                venue.reduce(number, qty, b'S');
            });
        }
        if self.rng.per_mille(faults.update_per_mille) {
            self.with_any(Venue::update);
        }
        if faults.cross_ms > 0 && self.rng.below(faults.cross_ms) == 0 {
            let kind = if self.rng.below(2) == 0 { b'O' } else { b'C' };
            self.cross(kind);
        }
        if self.rng.per_mille(faults.break_per_mille) && !self.trades.is_empty() {
            let at = self.rng.below(self.trades.len() as u64) as usize;
            self.break_trade(at);
        }
    }

    fn with_any(&mut self, act: impl FnOnce(&mut Venue, u64)) {
        if self.live.is_empty() {
            return;
        }
        let place = self.rng.below(self.live.len() as u64) as usize;
        if let Some(number) = self.live.values().nth(place).copied() {
            act(self, number);
        }
    }

    fn say(&mut self, message: Vec<u8>) {
        let late = self.rng.below(self.config.faults.delay_ns.saturating_add(1));
        let before = self.said.last().map_or(0, |(at, _)| *at);
        self.said.push((before.max(self.now.saturating_add(late)), message));
    }

    /// A number that was never given: of an order, of a displayed part of one, of a place in a queue.
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn time(&self) -> u64 {
        self.now.saturating_sub(self.config.midnight)
    }
}

#[cfg(test)]
mod tests;
