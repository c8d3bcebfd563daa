//! A venue that takes orders, on virtual time: Nasdaq OUCH 5.0 over SoupBinTCP 3.00. It trades what rests
//! with it at random, and does what venues do to those who trust them: refuses, cancels unasked, takes
//! trades back, answers late, hangs up.
//!
//! Times are nanoseconds since the UNIX epoch, or on any clock of the caller's that does not go back.

mod connection;
mod faults;
mod net;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use crate::mold::Credentials;
use crate::rng::Rng;
use wire::{Enter, Replace, Request};

pub use connection::Connection;
pub use faults::{BadFaults, Faults};
pub use net::Server;

/// How often something may happen.
const STEP_NS: u64 = 1_000_000;
/// Most steps of one look.
const STEPS_MAX: u64 = 10_000;
const QTY_MAX: u32 = 999_999;
const PX_MAX: u64 = 1_999_999_900;

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
    /// Shares that traded, broken trades included.
    pub cum: u32,
    number: u64,
    tif: u8,
    capacity: u8,
    firm: Option<[u8; 4]>,
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
    /// Requests that mean nothing.
    pub bad: u64,
    /// Orders and replacements that were refused.
    pub refused: u64,
    /// Orders that ended without being asked to.
    pub unasked: u64,
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

    /// Takes a message of a client.
    fn on_request(&mut self, bytes: &[u8], now: u64) {
        self.poll(now);
        match wire::request(bytes) {
            None => self.counters.bad += 1,
            Some(Request::Enter(enter)) => {
                self.counters.last_order_at = now;
                self.enter(enter);
            }
            Some(Request::Replace(replace)) => {
                self.counters.last_order_at = now;
                self.replace(replace);
            }
            Some(Request::Cancel { refnum, wanted }) => {
                self.counters.last_cancel_at = now;
                self.counters.cancels += 1;
                self.cancel(refnum, wanted);
            }
            Some(Request::Query) => {
                self.counters.queries += 1;
                let message = wire::account(self.time(), self.last_ref + 1);
                self.say(message);
            }
        }
    }

    fn enter(&mut self, enter: Enter) {
        self.counters.orders += 1;
        self.counters.twice += u64::from(!self.names.insert(enter.name));
        if enter.refnum <= self.last_ref {
            self.counters.ignored += 1;
            return;
        }
        self.last_ref = enter.refnum;
        let legal = (1..=QTY_MAX).contains(&enter.qty) && (1..=PX_MAX).contains(&enter.px);
        if !legal || self.rng.per_mille(self.config.faults.refuse_per_mille) {
            self.counters.refused += 1;
            let message = wire::rejected(self.time(), enter.refnum, 1, &enter.name);
            return self.say(message);
        }
        self.numbers += 1;
        let number = self.numbers;
        let Enter { refnum, side, qty, symbol, px, tif, capacity, name, firm } = enter;
        let order = Order {
            refnum,
            name,
            side,
            symbol,
            px,
            open: qty,
            cum: 0,
            number,
            tif,
            capacity,
            firm,
        };
        self.orders.insert(number, order);
        self.live.insert(refnum, number);
        let message = wire::accepted(self.time(), &order);
        self.say(message);
        if tif == b'3' {
            if self.rng.below(2) == 0 {
                self.trade(number);
            }
            let open = self.orders.get(&number).map_or(0, |order| order.open);
            self.reduce(number, open, b'I');
        }
    }

    fn replace(&mut self, replace: Replace) {
        self.counters.replaces += 1;
        let number = self.live.get(&replace.old).copied();
        let (Some(number), false) = (number, replace.refnum <= self.last_ref) else {
            self.counters.ignored += 1;
            return;
        };
        let Some(mut order) = self.orders.get(&number).copied() else { return };
        let legal = (1..=QTY_MAX).contains(&replace.qty)
            && (1..=PX_MAX).contains(&replace.px)
            && replace.qty > order.cum;
        if !legal {
            return self.reduce(number, order.open, b'Z');
        }
        self.last_ref = replace.refnum;
        if self.rng.per_mille(self.config.faults.refuse_per_mille) {
            self.counters.refused += 1;
            let message = wire::rejected(self.time(), replace.refnum, 2, &replace.name);
            return self.say(message);
        }
        self.live.remove(&replace.old);
        self.live.insert(replace.refnum, number);
        order.open = replace.qty - order.cum;
        (order.px, order.refnum) = (replace.px, replace.refnum);
        let message = wire::replaced(self.time(), replace.old, &order, &replace.name);
        self.orders.insert(number, order);
        self.say(message);
    }

    fn cancel(&mut self, refnum: u32, wanted: u32) {
        let number = self.live.get(&refnum).copied();
        let order = number.and_then(|number| self.orders.get(&number)).copied();
        match order.filter(|order| order.open > wanted) {
            None => self.counters.ignored += 1,
            Some(order) if self.rng.per_mille(self.config.faults.keep_per_mille) => {
                let message = wire::cancel_reject(self.time(), order.refnum);
                self.say(message);
            }
            Some(order) => self.reduce(order.number, order.open - wanted, b'U'),
        }
    }

    /// Takes shares off an order.
    fn reduce(&mut self, number: u64, qty: u32, reason: u8) {
        let time = self.time();
        let Some(order) = self.orders.get_mut(&number).filter(|_| qty > 0) else { return };
        order.open = order.open.saturating_sub(qty);
        let (refnum, open) = (order.refnum, order.open);
        if open == 0 {
            self.live.remove(&refnum);
        }
        self.say(wire::canceled(time, refnum, qty, reason));
    }

    fn trade(&mut self, number: u64) {
        let time = self.time();
        let Some(order) = self.orders.get_mut(&number).filter(|order| order.open > 0) else {
            return;
        };
        let qty = 1 + self.rng.below(order.open.into()) as u32;
        order.open -= qty;
        order.cum += qty;
        let Order { refnum, name, side, px, open, .. } = *order;
        if open == 0 {
            self.live.remove(&refnum);
        }
        self.counters.trades += 1;
        let number = self.trades.len() as u64 + 1;
        self.trades.push(Trade { refnum, name, side, qty, px, number, broken: false });
        self.say(wire::executed(time, refnum, qty, px, number));
    }

    fn break_trade(&mut self, at: usize) {
        let time = self.time();
        let Some(trade) = self.trades.get_mut(at).filter(|trade| !trade.broken) else { return };
        trade.broken = true;
        let message = wire::broken(time, trade.refnum, trade.number, &trade.name);
        self.counters.broken += 1;
        self.say(message);
    }

    fn say(&mut self, message: Vec<u8>) {
        let late = self.rng.below(self.config.faults.delay_ns.saturating_add(1));
        let before = self.said.last().map_or(0, |(at, _)| *at);
        self.said.push((before.max(self.now.saturating_add(late)), message));
    }

    fn time(&self) -> u64 {
        self.now.saturating_sub(self.config.midnight)
    }
}

#[cfg(test)]
mod tests;
