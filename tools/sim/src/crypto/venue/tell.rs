//! What happens, put into the words of the venue.

use super::{CryptoVenue, SessionId, Tag};
use crate::crypto::dialect::{Effect, Ids, Told, Topic};
use crate::crypto::faults::Fault;
use crate::crypto::truth::{Changes, Levels};

/// What is to be written about a book.
struct Message<'a> {
    ids: Ids,
    levels: &'a Changes,
    whole: bool,
    view: &'a Levels,
}

impl CryptoVenue {
    /// A client says something.
    pub fn on_text(&mut self, session: SessionId, text: &str, now: u64) {
        self.advance(now);
        let id = session.0;
        if self.config.faults.strikes(Fault::RefuseRequest, &mut self.rng)
            && let Some(refusal) = self.dialect.refusal(text)
        {
            return self.say(id, refusal, None);
        }
        let topics = self.sessions.get(&id).map_or(&[][..], |session| &session.topics);
        if let Some(list) = self.dialect.subscriptions(text, topics, &self.config.listings) {
            return self.say(id, list, None);
        }
        for effect in self.dialect.request(text, &self.config.listings, now) {
            match effect {
                Effect::Say(text) => self.say(id, text, None),
                Effect::Subscribe(topic, symbol) => self.subscribe(id, topic, symbol),
                Effect::Unsubscribe(topic, symbol) => {
                    if let Some(session) = self.sessions.get_mut(&id) {
                        session.topics.retain(|known| *known != (topic, symbol));
                    }
                }
            }
        }
    }

    fn subscribe(&mut self, id: u64, topic: Topic, symbol: usize) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if !session.topics.contains(&(topic, symbol)) {
            session.topics.push((topic, symbol));
        }
        match topic {
            Topic::Book(depth) => {
                let place = self.channel(symbol, depth);
                if self.dialect.begins_whole() {
                    let text = self.whole_text(place);
                    let tag = self.tag(symbol, true);
                    self.say(id, text, Some(tag));
                    if self.config.faults.strikes(Fault::CutInBridge, &mut self.rng) {
                        self.cut_soon(id);
                    }
                }
            }
            Topic::Trades => {
                let (listing, trade) =
                    (&self.config.listings[symbol], self.truths[symbol].last_trade());
                if let Some(text) = self.dialect.last_trade(listing, trade, self.now) {
                    self.say(id, text, None);
                }
            }
            Topic::Ticker | Topic::Heartbeat => {}
        }
    }

    fn tag(&self, symbol: usize, whole: bool) -> Tag {
        Tag { symbol, version: self.truths[symbol].version(), whole }
    }

    fn write<T>(
        &self,
        place: usize,
        message: &Message<'_>,
        write: impl FnOnce(&dyn super::Dialect, &Told<'_>) -> T,
    ) -> T {
        let channel = &self.channels[place];
        let Message { ids, levels, whole, view } = *message;
        let listing = &self.config.listings[channel.symbol];
        let now = self.stamped;
        let told = Told { listing, depth: channel.depth, ids, levels, whole, view, now };
        write(&*self.dialect, &told)
    }

    /// The whole book as the stream begins with it.
    fn whole_text(&mut self, place: usize) -> String {
        self.stamp();
        let channel = &self.channels[place];
        let (last, view) = (channel.last, self.truths[channel.symbol].now().top(channel.depth));
        let ids = Ids { first: last, last, prev: last };
        let message = Message { ids, levels: &view.all(), whole: true, view: &view };
        self.write(place, &message, |dialect, told| dialect.book(told))
    }

    /// The body of a whole book at an address.
    pub(super) fn whole_book(&mut self, path: &str) -> Option<(String, Tag)> {
        self.stamp();
        let asked = self.dialect.asked(path, &self.config.listings)?;
        let place = self.channel(asked.symbol, usize::MAX);
        let truth = &self.truths[asked.symbol];
        let (newest, oldest) = (truth.version(), truth.oldest());
        let version = self.stale(newest).max(oldest);
        let log = &self.channels[place].log;
        let entry = log.partition_point(|(_, of)| *of <= version).checked_sub(1)?;
        let (last, version) = log[entry];
        let body = match self.orders(asked.symbol, version) {
            Some(orders) => {
                let listing = &self.config.listings[asked.symbol];
                self.dialect.order_body(listing, last, &orders, self.stamped)
            }
            None => {
                let view = self.truths[asked.symbol].at(version)?.top(asked.depth);
                let ids = Ids { first: last, last, prev: last };
                let message = Message { ids, levels: &view.all(), whole: true, view: &view };
                self.write(place, &message, |dialect, told| dialect.body(told))
            }
        };
        if self.config.faults.strikes(Fault::CutInBridge, &mut self.rng) {
            let all: Vec<u64> = self.sessions.keys().copied().collect();
            all.into_iter().for_each(|id| self.cut_soon(id));
        }
        Some((body, Tag { symbol: asked.symbol, version, whole: true }))
    }

    /// No two moments are the same, or two texts might be.
    pub(super) fn stamp(&mut self) {
        self.stamped = self.now.max(self.stamped + 1_000);
    }

    /// A book changes.
    pub(super) fn evolve(&mut self, symbol: usize) {
        if self.config.protocol.tells_orders() {
            return self.evolve_orders(symbol);
        }
        let (print, changed) = self.truths[symbol].evolve(&mut self.market);
        self.stamp();
        if let Some(print) = print {
            let listing = &self.config.listings[symbol];
            let text = self.dialect.trade(listing, &print, self.stamped);
            for id in self.hearers(Topic::Trades, symbol) {
                self.say(id, text.clone(), None);
            }
        }
        if !changed {
            return;
        }
        self.counters.versions += 1;
        for place in 0..self.channels.len() {
            if self.channels[place].symbol == symbol {
                self.update(place);
            }
        }
    }

    /// Tells those who hear a channel what changed for them, if anything did.
    fn update(&mut self, place: usize) {
        let (symbol, depth) = (self.channels[place].symbol, self.channels[place].depth);
        let truth = &self.truths[symbol];
        let (view, version, oldest) = (truth.now().top(depth), truth.version(), truth.oldest());
        let mut changes = truth.before().top(depth).changes(&view);
        if !self.dialect.tells_fallen() {
            let now = truth.now();
            changes.bids.retain(|(px, qty)| *qty > 0 || !now.bids.contains_key(px));
            changes.asks.retain(|(px, qty)| *qty > 0 || !now.asks.contains_key(px));
        }
        if changes.is_empty() {
            return;
        }
        let (ids, whole) = self.dialect.number(self.channels[place].last, &mut self.market);
        let channel = &mut self.channels[place];
        channel.last = ids.last;
        channel.log.push_back((ids.last, version));
        while channel.log.front().is_some_and(|(_, version)| *version < oldest) {
            channel.log.pop_front();
        }
        let levels = if whole { view.all() } else { changes };
        let message = Message { ids, levels: &levels, whole, view: &view };
        let hearers = self.hearers(Topic::Book(depth), symbol);
        if !hearers.is_empty() {
            let text = self.write(place, &message, |dialect, told| dialect.book(told));
            let tag = self.tag(symbol, whole);
            hearers.into_iter().for_each(|id| self.say(id, text.clone(), Some(tag)));
        }
        let hearers = self.hearers(Topic::Ticker, symbol);
        if !hearers.is_empty()
            && let Some(text) = self.write(place, &message, |dialect, told| dialect.ticker(told))
        {
            hearers.into_iter().for_each(|id| self.say(id, text.clone(), None));
        }
    }

    /// What is said each second, whatever happens.
    pub(super) fn every_second(&mut self, id: u64) {
        if let Some(text) = self.dialect.heartbeat(None, self.now) {
            self.say(id, text, None);
        }
        for symbol in 0..self.truths.len() {
            if self.hears(id, Topic::Heartbeat, symbol) {
                let last = self.channels.iter().find(|channel| channel.symbol == symbol);
                let last = last.map_or(0, |channel| channel.last);
                let (listing, trade) =
                    (&self.config.listings[symbol], self.truths[symbol].last_trade());
                if let Some(text) = self.dialect.beat(listing, trade, last, self.now) {
                    self.say(id, text, None);
                }
            }
            let is_it = |channel: &super::Channel| {
                channel.symbol == symbol && self.hears(id, Topic::Book(channel.depth), symbol)
            };
            let Some(place) = self.channels.iter().position(is_it) else { continue };
            if self.rng.per_mille(30) {
                self.keep_alive(id, place);
            }
        }
    }

    fn hears(&self, id: u64, topic: Topic, symbol: usize) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.hears(topic, symbol))
    }

    /// That a book has not changed since the last message, which is named again.
    fn keep_alive(&mut self, id: u64, place: usize) {
        let channel = &self.channels[place];
        let (symbol, last) = (channel.symbol, channel.last);
        let view = self.truths[symbol].now().top(channel.depth);
        let ids = Ids { first: last, last, prev: last };
        let levels = Changes::default();
        let message = Message { ids, levels: &levels, whole: false, view: &view };
        if let Some(text) = self.write(place, &message, |dialect, told| dialect.keep_alive(told)) {
            let tag = self.tag(symbol, false);
            self.say(id, text, Some(tag));
        }
    }
}
