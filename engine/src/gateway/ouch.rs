//! Nasdaq OUCH 5.0 over SoupBinTCP 3.00: orders in, bytes and the time in; bytes to send, reports and controls out. No I/O and
//! no clock: whoever owns the connection does what [`Ouch::next_action`] says. `OUCH.md` is the digest of the specifications
//! and has the rules in words.
//!
//! The venue numbers what it says, and says it again from any number: that is the reconciliation. A gateway that begins hears
//! the session from its first message, one that lost its connection from the next one on. It is up when it has heard all that
//! was said before it came back; what came after that is settled by an account query, which the venue answers behind
//! everything that was sent before it.

mod book;
mod chain;
mod extras;
pub mod frame;
mod id;
mod link;
pub mod wire;
mod words;

use std::collections::{BTreeSet, VecDeque};

use feeds::new_york_midnight;
use feeds::session::SessionId;
use feeds::session::soup::{Client, Received};
use model::{
    Control, HaltCause, HaltLevel, HaltScope, Instrument, Note, Order, OrderId, Report, ReportKind,
    Side, Tif, Ts, Why,
};

use super::Send;
use book::{Book, Terms};
use extras::Extras;
use frame::{Change, Enter, Frame};
use link::Link;
use wire::{Message, WireError};

pub use book::{Known, Standing};
pub use id::Name;
pub use words::{Action, Counters, Firm, Options, OuchError, Told};

const BLANK: SessionId = SessionId([b' '; 10]);
/// How far ahead of ours the venue's clock may be, for a session that begins at midnight.
const AHEAD_NS: u64 = 60_000_000_000;

/// What a query is to settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Round(u32),
    Order(OrderId),
}

/// A gateway to one port.
#[derive(Debug)]
pub struct Ouch {
    options: Options,
    client: Client,
    link: Link,
    book: Book,
    /// The session that is heard.
    session: Option<SessionId>,
    /// Sequence of its message that is heard next.
    next: u64,
    /// What the venue was going to say next when this connection was made; `None`: it has to be asked.
    barrier: Option<u64>,
    /// The known session is not to be had; the current one is asked for.
    forget: bool,
    is_up: bool,
    /// Queries on their way, in order.
    asked: VecDeque<(u64, Asked)>,
    /// Queries sent.
    queries: u64,
    /// Orders of ours, and changes of them, that sell what is not held.
    shorts: BTreeSet<(OrderId, u16)>,
    actions: VecDeque<Action>,
    told: VecDeque<Told>,
    counters: Counters,
    error_last: Option<OuchError>,
    error_told: Option<OuchError>,
}

impl Ouch {
    /// A gateway that connects as soon as time passes. `known` are the orders of the engine so far.
    pub fn new(options: Options, known: Vec<Known>) -> Ouch {
        Ouch {
            client: Client::new(options.login, options.client),
            link: Link::new(&options),
            book: Book::new(options.firms.clone(), known, options.executions_max),
            session: None,
            next: 1,
            barrier: None,
            forget: false,
            is_up: false,
            asked: VecDeque::new(),
            queries: 0,
            shorts: BTreeSet::new(),
            actions: VecDeque::new(),
            told: VecDeque::new(),
            counters: Counters::default(),
            error_last: None,
            error_told: None,
            options,
        }
    }

    /// Learns of an instrument. Orders in others are given back.
    pub fn list(&mut self, instrument: Instrument) {
        self.book.list(instrument);
    }

    /// This order, or this change of it, sells what its account does not hold.
    pub fn mark_short(&mut self, order: OrderId, change: u16) {
        self.shorts.insert((order, change));
    }

    /// This order, or this change of it, is not sent at all.
    pub fn forget(&mut self, order: OrderId, change: u16) {
        self.shorts.remove(&(order, change));
    }

    /// Whether orders may be sent.
    pub fn is_up(&self) -> bool {
        self.is_up
    }

    /// The session that is heard; `None`: none yet.
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// What the engine is to hear next.
    pub fn next_told(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    /// Whether the engine is to hear nothing more.
    pub fn is_told(&self) -> bool {
        self.told.is_empty()
    }

    /// What the transport is to do next; each is said once. Ask until there is none, after every call.
    pub fn next_action(&mut self) -> Option<Action> {
        while let Some(outgoing) = self.client.next_outgoing() {
            if let Some(frame) = Frame::plain(outgoing.bytes()) {
                return Some(Action::Send(frame));
            }
        }
        if let Some(action) = self.actions.pop_front() {
            return Some(action);
        }
        let open = self.link.next_open();
        self.counters.connects += u64::from(open);
        open.then_some(Action::Open)
    }

    /// Why the last connection was given up, if it is another reason than was told before.
    pub fn next_error(&mut self) -> Option<OuchError> {
        let error = self.error_last.filter(|error| self.error_told.as_ref() != Some(error))?;
        self.error_told = Some(error);
        Some(error)
    }

    /// What was done.
    pub fn counters(&self) -> Counters {
        Counters { foreign: self.book.foreign, ..self.counters }
    }

    /// The connection of [`Action::Open`] stands. The first one asks where the venue is, the second goes on from where we are.
    pub fn on_opened(&mut self, now: Ts) {
        if !self.link.on_opened(now) {
            return;
        }
        let fixed = self.options.login.session;
        let known = self.session.filter(|_| !self.forget).unwrap_or(BLANK);
        let session = if fixed == BLANK { known } else { fixed };
        let next = if self.barrier.is_some() { self.next } else { 0 };
        self.client.ask_for(session, next);
        self.client.on_opened(now);
    }

    /// The connection is down, or could not be opened.
    pub fn on_closed(&mut self, now: Ts) {
        if self.link.is_under_way() {
            self.fail(OuchError::Closed, now);
            self.actions.clear(); // There is nothing to close.
        }
    }

    /// Takes what the venue sent.
    pub fn on_bytes(&mut self, bytes: &[u8], now: Ts) {
        if !self.link.is_open() {
            return;
        }
        let unused = Client::new(self.options.login, self.options.client);
        let mut client = std::mem::replace(&mut self.client, unused);
        let mut fault = None;
        let taken = client.on_bytes(bytes, now, &mut |received| {
            if fault.is_none() && self.link.is_open() {
                fault = self.hear(received, now).err();
            }
        });
        self.client = client;
        match fault.or(taken.err().map(OuchError::Soup)) {
            Some(error) => self.fail(error, now),
            None if self.link.is_turning() => self.turn(now),
            None => self.come_up(now),
        }
    }

    /// Lets time pass: call it at [`Ouch::wake_at`], or more often.
    pub fn on_time(&mut self, now: Ts) {
        if !self.link.on_time(now) {
            self.fail(OuchError::Closed, now);
        } else if self.link.is_open()
            && let Err(error) = self.client.on_time(now)
        {
            self.fail(OuchError::Soup(error), now);
        }
    }

    /// When [`Ouch::on_time`] is due next.
    pub fn wake_at(&self) -> Option<Ts> {
        let client = if self.link.is_open() { self.client.wake_at() } else { None };
        [self.link.wake_at(), client].into_iter().flatten().min()
    }

    /// Sends what a [`super::Gateway`] gave. Only while it is up.
    pub fn send(&mut self, send: Send, now: Ts) {
        let before = self.actions.len();
        match send {
            Send::New(cleared) => self.enter(cleared.order()),
            Send::Replace(cleared, change) => self.replace(cleared.order(), change),
            Send::Cancel(order, change) => self.cancel(order, change),
            Send::Status(order) => self.ask(Asked::Order(order)),
            Send::Reconcile(round) => self.ask(Asked::Round(round)),
        }
        if self.actions.len() > before {
            self.client.on_sent(now); // What is given back is no sign of life.
        }
    }

    /// Cancels at the venue whatever may be open there, without being asked by the engine; how many cancels that takes.
    pub fn cancel_all(&mut self, now: Ts) -> usize {
        let cancels = if self.is_up { self.book.cancellable() } else { Vec::new() };
        self.actions.extend(cancels.iter().map(|refnum| Action::Send(frame::cancel(*refnum))));
        self.counters.cancels += cancels.len() as u64;
        if !cancels.is_empty() {
            self.client.on_sent(now);
        }
        cancels.len()
    }

    fn enter(&mut self, order: &Order) {
        let is_short = self.shorts.remove(&(order.id, 0));
        let (Some(terms), Some((tif, cross)), Some(refnum)) =
            (self.book.terms(order), times(order.tif), self.book.next_ref())
        else {
            return self.give_back(order.id, 0);
        };
        let side = match order.side {
            Side::Buy => b'B',
            Side::Sell if is_short => b'T',
            Side::Sell => b'S',
        };
        let Terms { symbol, qty, px, display } = terms;
        let (name, capacity) = (Name::of(order.id, 0), self.options.capacity);
        let extras = Extras {
            firm: self.book.firm(order.account),
            max_floor: display.filter(|display| *display < qty), // One that shows all of it is a plain order.
            ..asked(order, qty)
        };
        let enter = Enter { refnum, side, qty, symbol, px, tif, capacity, cross, name, extras };
        self.book.sent(order, refnum, is_short, self.queries);
        self.counters.orders += 1;
        self.actions.push_back(Action::Send(enter.frame()));
    }

    fn replace(&mut self, order: &Order, change: u16) {
        let is_short = self.shorts.remove(&(order.id, change));
        let live =
            self.book.chain(order.id).filter(|chain| chain.accepted && chain.ended.is_none());
        // A replacement keeps the mark, and what is not marked may not sell short (Regulation SHO, rule 200(g)).
        let live = live.filter(|chain| chain.is_short || !is_short);
        let live = live.map(|chain| chain.replacing.unwrap_or(chain.live));
        let (Some(old), Some(terms), Some((tif, _)), Some(refnum)) =
            (live, self.book.terms(order), times(order.tif), self.book.next_ref())
        else {
            return self.give_back(order.id, change);
        };
        let Terms { qty, px, display, .. } = terms;
        let max_floor = display.map(|display| if display < qty { display } else { 0 });
        let extras = Extras { max_floor, ..asked(order, qty) };
        let name = Name::of(order.id, change);
        let frame = Change { old, refnum, qty, px, tif, name, extras }.frame();
        self.book.sent_replace(order.id, refnum, change, self.queries);
        self.counters.replaces += 1;
        self.actions.push_back(Action::Send(frame));
    }

    /// Cancels an order, and the replacement of it that is not answered: one of the two is there.
    fn cancel(&mut self, order: OrderId, change: u16) {
        let Some(chain) = self.book.chain(order).filter(|chain| chain.ended.is_none()) else {
            return;
        };
        if change > 0 {
            chain.cancelling = Some(change);
            chain.ask(change, self.queries);
        }
        for refnum in chain.replacing.into_iter().chain([chain.live]) {
            self.counters.cancels += 1;
            self.actions.push_back(Action::Send(frame::cancel(refnum)));
        }
    }

    fn ask(&mut self, asked: Asked) {
        self.queries += 1;
        self.asked.push_back((self.queries, asked));
        self.actions.push_back(Action::Send(frame::query()));
    }

    /// It never left, and never will.
    fn give_back(&mut self, order: OrderId, change: u16) {
        self.counters.unsayable += 1;
        let report = Report { change, ..Report::of(ReportKind::NotSent, order) };
        self.told.push_back(Told::Report(report));
    }

    fn hear(&mut self, received: Received<'_>, now: Ts) -> Result<(), OuchError> {
        match received {
            Received::Accepted { session, next } => self.accepted(session, next),
            Received::Rejected { reason } => {
                self.forget = reason == b'S' && !self.forget;
                Err(OuchError::Rejected(reason))
            }
            Received::Sequenced { seq, message, .. } if !self.link.is_turning() => {
                self.message(seq, message, now)
            }
            Received::Ended => Err(OuchError::Over),
            _ => Ok(()),
        }
    }

    fn accepted(&mut self, session: SessionId, next: u64) -> Result<(), OuchError> {
        let fixed = self.options.login.session;
        if fixed != BLANK && fixed.0.trim_ascii() != session.0.trim_ascii() {
            return Err(OuchError::Elsewhere);
        }
        if self.barrier.is_some() {
            let as_asked = self.session == Some(session) && next == self.next;
            return if as_asked { Ok(()) } else { Err(OuchError::Elsewhere) };
        }
        if self.session != Some(session) {
            (self.session, self.next, self.forget) = (Some(session), 1, false);
            self.book.begin();
        }
        self.barrier = Some(next);
        self.link.begin_turn();
        Ok(())
    }

    fn message(&mut self, seq: u64, bytes: &[u8], now: Ts) -> Result<(), OuchError> {
        self.counters.messages += 1;
        let message = match wire::decode(bytes) {
            Err(WireError::Unknown(_)) => {
                self.counters.unknown += 1; // What is added to the protocol later changes no order of ours.
                Message::Other { kind: 0 }
            }
            Err(error) => return Err(OuchError::Message { seq, error }),
            Ok(message) => message,
        };
        if seq == 1 {
            self.book.begin_at(began_at(wire::time(bytes).unwrap_or_default(), now));
        }
        self.book.take(seq, &message, self.is_up, &mut self.told)?;
        self.next = seq.saturating_add(1);
        if let Message::Account { next } = message {
            self.book.raise(next);
            self.settle(seq);
        }
        Ok(())
    }

    /// The venue answers a query, if it is one of this connection.
    fn settle(&mut self, seq: u64) {
        let barrier = self.barrier.unwrap_or(u64::MAX);
        if seq <= barrier {
            if seq == barrier && !self.asked.is_empty() {
                // It may be the answer to what a connection before asked.
                self.actions.push_back(Action::Send(frame::query()));
            }
            return;
        }
        match self.asked.pop_front() {
            None => {}
            Some((query, Asked::Order(order))) => self.book.say(order, query, &mut self.told),
            Some((query, Asked::Round(round))) => {
                let orders = self.book.restate(round, query, &mut self.told);
                self.told.push_back(Told::Control(Control::ReconcileEnd { round, orders }));
            }
        }
    }

    /// The venue said where it is: another connection goes on from where we are.
    fn turn(&mut self, now: Ts) {
        self.client.log_out();
        while let Some(outgoing) = self.client.next_outgoing() {
            self.actions.extend(Frame::plain(outgoing.bytes()).map(Action::Send));
        }
        self.client.on_closed();
        self.actions.push_back(Action::Close);
        self.link.turn(now);
    }

    /// Whether all is heard that was said before this connection.
    fn come_up(&mut self, now: Ts) {
        let caught_up = self.barrier.is_some_and(|barrier| self.next >= barrier);
        if !self.is_up && caught_up && self.client.is_logged_in() {
            self.is_up = true;
            self.link.succeeded(now);
            self.error_told = None;
            self.counters.sessions += 1;
            self.told.push_back(Told::Control(Control::VenueSession(true)));
            // They may have traded, and nobody will say it: somebody has to look.
            for account in self.book.take_unspoken() {
                let note = Note::lossy("a session ended with orders open");
                let why = Why { note, ..Why::of(HaltCause::PositionMismatch) };
                let (scope, level) = (HaltScope::Account(account), HaltLevel::Halted);
                self.told.push_back(Told::Control(Control::Halt { scope, level, why }));
            }
        }
    }

    fn fail(&mut self, error: OuchError, now: Ts) {
        self.error_last = Some(error);
        self.client.on_closed();
        self.actions.clear();
        self.asked.clear();
        self.actions.push_back(Action::Close);
        self.link.rest(now);
        self.barrier = None;
        if std::mem::take(&mut self.is_up) {
            self.told.push_back(Told::Control(Control::VenueSession(false)));
        }
    }
}

/// How the venue is told of a time in force, and for which cross the order is; `None`: it is not told, and the gate refuses
/// such an order. What ends by the clock is the engine's to cancel. Whatever the type, what is sent is a limit: market orders
/// and triggered stops have a price.
fn times(tif: Tif) -> Option<(u8, u8)> {
    match tif {
        Tif::Day | Tif::Gtd => Some((b'0', b'N')),
        Tif::Ioc | Tif::Fok => Some((b'3', b'N')),
        // In the cross alone: what is for the day might rest behind it.
        Tif::AtOpen => Some((b'3', b'O')),
        Tif::AtClose => Some((b'3', b'C')),
        Tif::Gtc => None,
    }
}

/// What is asked of `qty` shares of an order beyond its terms.
fn asked(order: &Order, qty: u32) -> Extras {
    Extras {
        min_qty: (order.tif == Tif::Fok).then_some(qty),
        post_only: order.conditions.post_only.then_some(true),
        ..Extras::default()
    }
}

/// Seconds since the UNIX epoch when it was `time` in New York last, so that a gateway that begins after midnight says the same
/// of a session as one that began before.
fn began_at(time: u64, now: Ts) -> u64 {
    let midnight = new_york_midnight(now);
    let today = midnight.0.saturating_add(time) <= now.0.saturating_add(AHEAD_NS);
    let midnight =
        if today { midnight } else { new_york_midnight(Ts(midnight.0.saturating_sub(1))) };
    midnight.0.saturating_add(time) / 1_000_000_000
}

#[cfg(test)]
mod tests;
