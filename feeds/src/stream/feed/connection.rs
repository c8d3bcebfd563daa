//! The connection: opened, kept alive, renewed before the venue cuts it, and tried again when it breaks.

use model::{Cause, Event, Integrity, Ts};

use super::{Action, Core};
use crate::stream::retry::Attempts;
use crate::stream::venue::{Rules, SECOND, Venue};

/// A connection that stood for so long is tried again without a pause.
const PROVEN_NS: u64 = 60 * SECOND;

/// Where the connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Never asked for.
    #[default]
    Idle,
    /// Down until then.
    Closed(Ts),
    /// Asked for since then.
    Opening(Ts),
    /// It stands since then.
    Open(Ts),
}

/// The connection of a feed.
#[derive(Debug, Default)]
pub(super) struct Connection {
    state: State,
    /// When the venue last said anything.
    pub heard: Ts,
    /// When we last asked whether it is there.
    pinged: Ts,
    failures: u32,
    attempts: Attempts,
}

impl Connection {
    /// Whether it stands.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }
}

impl<V: Venue> Core<V> {
    /// Asks for a connection, as soon as the bound allows.
    pub(super) fn connect(&mut self, now: Ts) {
        self.connection.state =
            match self.connection.attempts.take(now, self.rules.attempts_per_minute) {
                Err(at) => State::Closed(at),
                Ok(()) => {
                    let url = self.venue.ws_url(self.config.ws_url.as_deref(), &self.symbols);
                    self.actions.push_back(Action::Connect { url });
                    State::Opening(now)
                }
            };
    }

    pub(super) fn opened(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        if self.connection.is_open() {
            self.closed(now, emit); // Another one, without a word of the end of the last.
        }
        self.counters.connects += 1;
        self.connection.state = State::Open(now);
        (self.connection.heard, self.connection.pinged) = (now, now);
        self.venue.opened();
        let together = self.not_apart();
        self.subscribe(&together);
        for symbol in 0..self.books.len() as u16 {
            self.venue.forget(symbol);
            if !self.leave_out(symbol, now) {
                self.subscribed(symbol, now);
            }
        }
    }

    pub(super) fn closed(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        let proven = match self.connection.state {
            State::Idle | State::Closed(_) => return,
            State::Opening(_) => false,
            State::Open(since) => now.since(since) >= PROVEN_NS,
        };
        self.counters.closes += 1;
        let failures = if proven { 0 } else { self.connection.failures };
        let pause = if proven {
            0
        } else {
            self.back_off.pause(self.rules.retry_ns, self.rules.retry_max_ns, failures)
        };
        self.connection.failures = failures.saturating_add(1);
        self.connection.state = State::Closed(Ts(now.0.saturating_add(pause)));
        self.believe(None, (Integrity::Incomplete, Cause::Disconnected), now, emit);
        self.books.iter_mut().for_each(super::Book::shut);
        self.waiting.clear_all();
        // Whatever was to be sent belonged to the connection that is gone.
        self.actions.retain(|action| !matches!(action, Action::Send { .. } | Action::Get { .. }));
    }

    /// Gives the connection up and asks for another.
    pub(super) fn reconnect(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        self.closed(now, emit);
        self.actions.push_back(Action::Close);
    }

    /// When something about the connection is due.
    pub(super) fn connection_due(&self) -> Option<Ts> {
        let after = |since: Ts, ns: u64| (ns > 0).then(|| Ts(since.0.saturating_add(ns)));
        let Rules { connect_ns, idle_ns, ping_ns, ping_always, age_ns, .. } = self.rules;
        match self.connection.state {
            State::Idle => None,
            State::Closed(until) => Some(until),
            State::Opening(since) => after(since, connect_ns),
            State::Open(since) => {
                let Connection { heard, pinged, .. } = self.connection;
                let last = if ping_always { pinged } else { heard.max(pinged) };
                let due = [after(heard, idle_ns), after(last, ping_ns), after(since, age_ns)];
                due.into_iter().flatten().min()
            }
        }
    }

    pub(super) fn on_time(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        if self.connection_due().is_some_and(|due| due <= now) {
            self.on_connection_due(now, emit);
        }
        let books = (0..).zip(&self.books);
        let due = books.filter(|(_, book)| book.due.is_some_and(|due| due <= now));
        let mut due: Vec<(Ts, u16)> = due.map(|(symbol, book)| (book.asked, symbol)).collect();
        // Who was asked for longest ago comes first: the bound may not allow them all.
        due.sort_unstable();
        for (_, symbol) in due {
            self.on_book_due(symbol, now, emit);
        }
    }

    fn on_connection_due(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        let passed = |since: Ts, ns: u64| ns > 0 && now.since(since) >= ns;
        let Rules { idle_ns, age_ns, .. } = self.rules;
        match self.connection.state {
            State::Idle => {}
            State::Closed(_) => self.connect(now),
            State::Opening(_) => self.reconnect(now, emit),
            State::Open(since) => {
                if passed(self.connection.heard, idle_ns) || passed(since, age_ns) {
                    return self.reconnect(now, emit);
                }
                self.connection.pinged = now;
                let ping = self.venue.ping(now);
                self.actions.extend(ping.map(|text| Action::Send { text }));
            }
        }
    }
}
