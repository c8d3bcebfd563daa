//! The venue on virtual time.

mod orders;
mod tell;
mod wire;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{Hash, Hasher};

use super::answer::Answer;
use super::dialect::{Dialect, Protocol, Topic};
use super::faults::{CryptoFaults, Fault};
use super::orders::Orders;
use super::session::{Frame, Session, SessionId, Tag};
use super::truth::{Levels, Truth};
use crate::rng::Rng;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
/// Texts whose tags are remembered.
const TAGS_MAX: usize = 1 << 17;

/// A symbol and its units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// As the venue writes it.
    pub name: String,
    /// Prices are whole numbers of 10^-this.
    pub px_decimals: u8,
    /// Quantities are whole numbers of 10^-this.
    pub qty_decimals: u8,
}

/// What a venue is told at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoConfig {
    /// What it speaks.
    pub protocol: Protocol,
    /// What it lists.
    pub listings: Vec<Listing>,
    /// Levels a side of its books, about.
    pub levels: usize,
    /// The same seed makes the same venue.
    pub seed: u64,
    /// What goes wrong.
    pub faults: CryptoFaults,
    /// From one moment at which books may change to the next, nanoseconds.
    pub tick_ns: u64,
    /// Whether OKX has checksums, or zeros.
    pub checksums: bool,
    /// Versions of a book that are remembered, or a few more.
    pub history_max: u64,
    /// When it begins, nanoseconds since the epoch.
    pub start: u64,
}

impl CryptoConfig {
    /// Two symbols of 60 levels a side that change each tenth of a second or two, and nothing goes wrong.
    pub fn new(protocol: Protocol, seed: u64) -> CryptoConfig {
        let listing =
            |name: &str| Listing { name: name.to_owned(), px_decimals: 2, qty_decimals: 4 };
        CryptoConfig {
            protocol,
            listings: protocol.symbols().map(listing).to_vec(),
            levels: 60,
            seed,
            faults: CryptoFaults::NONE,
            tick_ns: SECOND / 10,
            checksums: true,
            history_max: 65_536,
            start: 1_700_000_000 * SECOND,
        }
    }
}

/// What a venue did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CryptoCounters {
    /// Connections.
    pub opened: u64,
    /// Connections that it broke or ended.
    pub cut: u64,
    /// Frames that went out.
    pub frames: u64,
    /// Texts that were lost, spoilt, repeated or put in the wrong place.
    pub spoilt: u64,
    /// Bodies that were asked for.
    pub gets: u64,
    /// Versions of books.
    pub versions: u64,
}

/// One book at one depth, with numbers of its own.
struct Channel {
    symbol: usize,
    depth: usize,
    last: u64,
    /// Number and version of each message, oldest first.
    log: VecDeque<(u64, u64)>,
}

/// A simulated venue.
pub struct CryptoVenue {
    config: CryptoConfig,
    dialect: Box<dyn Dialect>,
    rng: Rng,
    /// Of its own, so that faults do not change what happens in the books.
    market: Rng,
    truths: Vec<Truth>,
    /// By symbol, where every order is told; then each truth follows them.
    orders: Vec<Orders>,
    channels: Vec<Channel>,
    sessions: BTreeMap<u64, Session>,
    next_session: u64,
    now: u64,
    next_tick: u64,
    /// Time of the last change: no two are the same.
    stamped: u64,
    rubbish: u64,
    held: bool,
    tags: HashMap<u64, Tag>,
    tagged: VecDeque<u64>,
    counters: CryptoCounters,
}

impl CryptoVenue {
    /// A venue that nobody is connected to.
    pub fn new(config: CryptoConfig) -> CryptoVenue {
        let mut market = Rng::new(config.seed);
        let truth = |_| Truth::new(config.levels, config.history_max, &mut market);
        let mut truths: Vec<Truth> = (0..config.listings.len()).map(truth).collect();
        let mut orders = Vec::new();
        if config.protocol.tells_orders() {
            for truth in &mut truths {
                let past = config.history_max;
                let book = Orders::new(config.levels, truth.last_trade(), past, &mut market);
                *truth = Truth::of(book.levels(), truth.last_trade(), past);
                orders.push(book);
            }
        }
        let dialect = config.protocol.dialect(config.checksums);
        let (start, seed) = (config.start, config.seed);
        let mut venue = CryptoVenue {
            dialect,
            rng: Rng::new(seed ^ 0x5EED_FA17),
            market,
            truths,
            orders,
            channels: Vec::new(),
            sessions: BTreeMap::new(),
            next_session: 0,
            now: start,
            next_tick: start.saturating_add(config.tick_ns),
            stamped: start,
            rubbish: 0,
            held: false,
            tags: HashMap::new(),
            tagged: VecDeque::new(),
            counters: CryptoCounters::default(),
            config,
        };
        if !venue.dialect.begins_whole() {
            // Their whole books are asked for at any time, so that numbers run before anyone subscribes.
            (0..venue.truths.len()).for_each(|symbol| _ = venue.channel(symbol, usize::MAX));
        }
        venue
    }

    /// What it was told.
    pub const fn config(&self) -> &CryptoConfig {
        &self.config
    }

    /// What it did.
    pub const fn counters(&self) -> CryptoCounters {
        self.counters
    }

    /// Ends all faults, stalls too.
    pub fn calm(&mut self) {
        self.config.faults = CryptoFaults::NONE;
        self.sessions.values_mut().for_each(|session| session.stalled_until = 0);
    }

    /// Holds the books as they are, or lets them change again.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Version of a book that holds now.
    pub fn version(&self, symbol: usize) -> u64 {
        self.truths.get(symbol).map_or(0, Truth::version)
    }

    /// The best `depth` levels of a book at a version; `None`: it lies ahead, or is forgotten.
    pub fn levels(&self, symbol: usize, version: u64, depth: usize) -> Option<Levels> {
        self.truths.get(symbol)?.at(version).map(|levels| levels.top(depth))
    }

    /// A book as whoever has applied the message numbered `id` must have it, to the depth `depth` of the subscription
    /// (`usize::MAX`: the whole book); `None`: no such message is remembered.
    pub fn truth(&self, symbol: usize, id: u64, depth: usize) -> Option<Levels> {
        let channel = self.channels.iter().find(|c| (c.symbol, c.depth) == (symbol, depth))?;
        let (_, version) = channel.log.iter().rev().find(|(last, _)| *last == id)?;
        self.levels(symbol, *version, depth)
    }

    /// Where a text or a body of this venue leads; `None`: it is none about a book, or long forgotten.
    pub fn tag_of(&self, text: &[u8]) -> Option<Tag> {
        self.tags.get(&hash(text)).copied()
    }

    /// A client connects; `None`: it is refused.
    pub fn open(&mut self, now: u64) -> Option<SessionId> {
        self.advance(now);
        if self.config.faults.strikes(Fault::RefuseOpen, &mut self.rng) {
            return None;
        }
        let id = self.next_session;
        self.next_session += 1;
        self.counters.opened += 1;
        self.sessions.insert(id, Session::default());
        if let Some(text) = self.dialect.greeting(now) {
            self.say(id, text, None);
        }
        Some(SessionId(id))
    }

    /// A client is gone.
    pub fn close(&mut self, session: SessionId) {
        self.sessions.remove(&session.0);
    }

    /// The next frame that reaches a client at `now` or before, and where it leads if it is about a book.
    pub fn poll(&mut self, session: SessionId, now: u64) -> Option<(Frame, Option<Tag>)> {
        self.advance(now);
        let out = self.sessions.get_mut(&session.0)?.poll(now)?;
        self.counters.frames += 1;
        Some((out.frame, out.tag))
    }

    /// When something happens next.
    pub fn next_at(&self) -> u64 {
        let frames = self.sessions.values().filter_map(Session::next_at);
        frames.fold(self.next_tick, u64::min)
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: u64) {
        while self.next_tick <= now {
            self.now = self.next_tick;
            self.next_tick = self.next_tick.saturating_add(self.config.tick_ns.max(1));
            self.tick();
        }
        self.now = self.now.max(now);
    }

    fn tick(&mut self) {
        for symbol in 0..if self.held { 0 } else { self.truths.len() } {
            let flood = self.config.faults.strikes(Fault::Flood, &mut self.rng);
            let changes = if flood { 300 } else { u64::from(self.market.per_mille(500)) };
            (0..changes).for_each(|_| self.evolve(symbol));
        }
        let ids: Vec<u64> = self.sessions.keys().copied().collect();
        let tick = self.config.tick_ns.max(1);
        let passes = |every: u64| self.now / every != (self.now - tick) / every;
        let (second, pings) = (passes(SECOND), passes(20 * SECOND));
        for id in ids {
            if second {
                self.every_second(id);
            }
            if pings {
                self.push(id, Frame::Ping, None);
            }
            self.disturb(id);
        }
    }

    fn remember(&mut self, text: &str, tag: Tag) {
        if self.tagged.len() >= TAGS_MAX
            && let Some(oldest) = self.tagged.pop_front()
        {
            self.tags.remove(&oldest);
        }
        let hash = hash(text.as_bytes());
        self.tags.insert(hash, tag);
        self.tagged.push_back(hash);
    }

    /// Place of a channel, which is made if need be.
    fn channel(&mut self, symbol: usize, depth: usize) -> usize {
        let is_it = |channel: &Channel| (channel.symbol, channel.depth) == (symbol, depth);
        self.channels.iter().position(is_it).unwrap_or_else(|| {
            let last = 10_000 + self.market.below(1_000_000);
            let version = self.truths[symbol].version();
            self.channels.push(Channel { symbol, depth, last, log: [(last, version)].into() });
            self.channels.len() - 1
        })
    }

    /// Who hears a topic.
    fn hearers(&self, topic: Topic, symbol: usize) -> Vec<u64> {
        let hears = self.sessions.iter().filter(|(_, session)| session.hears(topic, symbol));
        hears.map(|(id, _)| *id).collect()
    }

    /// The version that a body shows, if `newest` is the latest.
    fn stale(&mut self, newest: u64) -> u64 {
        match self.config.faults.strikes(Fault::RestStale, &mut self.rng) {
            true => newest.saturating_sub(1 + self.rng.below(40)),
            false => newest,
        }
    }

    /// Asks for a body by the path of an address.
    pub fn get(&mut self, path: &str, now: u64) -> Answer {
        self.advance(now);
        self.counters.gets += 1;
        let (faults, rng) = (self.config.faults, &mut self.rng);
        let mut at = now + rng.below(SECOND / 5);
        if faults.strikes(Fault::RestLate, rng) {
            at += rng.below(12 * SECOND);
        }
        if faults.strikes(Fault::RestNever, rng) {
            at = u64::MAX;
        }
        if faults.strikes(Fault::RestFail, rng) {
            let statuses = [429, 500, 503];
            return Answer::refused(at, statuses[rng.below(3) as usize]);
        }
        let cut_short = faults.strikes(Fault::RestTruncate, rng);
        let Some((mut body, tag)) = self.whole_book(path) else { return Answer::refused(at, 400) };
        self.remember(&body, tag);
        if cut_short {
            body.truncate(body.len() / 2);
        }
        Answer { at, status: 200, body }
    }
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
