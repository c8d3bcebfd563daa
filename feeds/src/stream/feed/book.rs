//! The life of one book, from subscription to the first doubt.

use model::{Cause, Event, Flags, Integrity, Kind, Ts};

use super::refusal::Refusal;
use super::waiting::Waitings;
use super::{Action, Core, HttpFailure, Phase, number_of};
use crate::stream::message::{BookHead, BookKind, Parsed};
use crate::stream::venue::{Judgement, Position, SECOND, SnapshotBy, Venue};

/// A book that was live for so long starts anew without a pause.
const PROVEN_NS: u64 = 60 * SECOND;

/// One book.
#[derive(Debug)]
pub(super) struct Book {
    pub phase: Phase,
    pub position: Position,
    /// What was said of it last.
    pub said: (Integrity, Cause),
    /// When the next thing about it is due: to ask again, to give up waiting, or to doubt it for its silence.
    pub due: Option<Ts>,
    /// The request whose answer is awaited.
    pub request: u32,
    /// When it was last subscribed to, its snapshot asked for, or one that was asked for applied.
    pub asked: Ts,
    failures: u32,
    /// How often the venue has refused to subscribe to it, and since when it may be asked again.
    pub refusal: Refusal,
    live_since: Ts,
    /// The highest number that has come on this connection, and since when all that came was below it.
    highest: (u64, Option<Ts>),
    /// The sequence that the venue said last of it apart from its messages; zero: none yet.
    named: u64,
}

impl Default for Book {
    fn default() -> Book {
        Book {
            phase: Phase::Down,
            position: Position { last: 0, bridged: false },
            said: (Integrity::Incomplete, Cause::NotStarted),
            due: None,
            request: 0,
            asked: Ts(0),
            failures: 0,
            refusal: Refusal::default(),
            live_since: Ts(0),
            highest: (0, None),
            named: 0,
        }
    }
}

impl Book {
    /// The connection is down.
    pub fn shut(&mut self) {
        (self.phase, self.due, self.named) = (Phase::Down, None, 0);
        self.highest = (0, None);
    }

    /// A message has come that ends with this number. What all that came for `patience` ns was below was no number of this book.
    fn see(&mut self, last: u64, now: Ts, patience: u64) {
        let (highest, below) = self.highest;
        let since = below.unwrap_or(now);
        let is_below = last < highest && now.since(since) <= patience;
        self.highest = if is_below { (highest, Some(since)) } else { (last, None) };
    }

    /// Whether the book has reached what is known to be: it may have been joined to messages that had been overtaken.
    fn is_up_to_date(&self) -> bool {
        self.position.last >= self.highest.0
    }
}

impl<V: Venue> Core<V> {
    pub(super) fn book(&mut self, symbol: u16) -> Option<&mut Book> {
        self.books.get_mut(usize::from(symbol))
    }

    pub(super) fn asks_for_snapshots(&self) -> bool {
        matches!(self.rules.snapshot, SnapshotBy::Rest { .. })
    }

    /// A connection has opened and the book is subscribed to.
    pub(super) fn subscribed(&mut self, symbol: u16, now: Ts) {
        let (phase, wait) = if self.asks_for_snapshots() {
            (Phase::Buffering, SECOND)
        } else {
            (Phase::Snapshot, self.rules.snapshot_ns)
        };
        if let Some(book) = self.book(symbol) {
            (book.phase, book.due) = (phase, Some(Ts(now.0.saturating_add(wait))));
            book.asked = now;
        }
    }

    pub(super) fn on_book(
        &mut self,
        head: &BookHead,
        parsed: &mut Parsed,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        let asks = self.asks_for_snapshots();
        let patience = self.rules.snapshot_ns;
        let Some(book) = self.book(head.symbol) else { return };
        let phase = book.phase;
        if asks && head.kind == BookKind::Delta {
            book.see(head.last, now, patience);
        }
        match (head.kind, phase) {
            (_, Phase::Down) => self.counters.early += 1,
            (BookKind::Snapshot, Phase::Live) if self.venue.goes_on(head, parsed) => {
                self.apply(head, parsed, now, emit);
            }
            (BookKind::Snapshot, _) => self.on_snapshot(head, parsed, now, emit),
            (BookKind::Delta, Phase::Live | Phase::Bridging) => {
                self.on_delta(head, parsed, now, emit);
            }
            (BookKind::Delta, _) if asks => self.wait(head, parsed, now),
            (BookKind::Delta, _) => self.counters.early += 1,
        }
        // A trade that no order of the book has told of.
        if !parsed.trades.is_empty() {
            self.on_trades(parsed, now, emit);
        }
    }

    fn on_delta(
        &mut self,
        head: &BookHead,
        parsed: &mut Parsed,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        let Some(position) = self.book(head.symbol).map(|book| book.position) else { return };
        match self.venue.judge(head, position) {
            Judgement::Old => {
                self.counters.old += 1;
                self.on_no_bridge(head.symbol, now, emit);
            }
            Judgement::Next => self.apply(head, parsed, now, emit),
            Judgement::Gap => {
                self.counters.gaps += 1;
                self.doubt(head.symbol, Cause::Gap, now, emit);
                if self.asks_for_snapshots() {
                    self.wait(head, parsed, now);
                }
            }
        }
    }

    /// What came of a book was in its snapshot already. If that lasts, the snapshot was never of this stream's numbers. A book
    /// of which nothing comes may be bridged at any time.
    fn on_no_bridge(&mut self, symbol: u16, now: Ts, emit: &mut impl FnMut(Event)) {
        let patience = self.rules.snapshot_ns;
        let Some(book) = self.book(symbol) else { return };
        if book.phase == Phase::Bridging && now.since(book.asked) > patience {
            self.counters.snapshots_failed += 1;
            self.doubt(symbol, Cause::Snapshot, now, emit);
        }
    }

    fn apply(
        &mut self,
        head: &BookHead,
        parsed: &mut Parsed,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        if let Err(mismatch) = self.venue.apply(head, parsed) {
            self.counters.mismatches += 1;
            return self.doubt(head.symbol, mismatch.cause(), now, emit);
        }
        self.counters.applied += 1;
        let silent = self.silent_at(now);
        let Some(book) = self.book(head.symbol) else { return };
        book.position = Position { last: head.last, bridged: true };
        if book.phase == Phase::Live {
            book.due = silent;
        }
        let bridged = book.phase == Phase::Bridging && book.is_up_to_date();
        self.say_changes(head.symbol, head.ts_venue, parsed, Flags::NONE, now, emit);
        if bridged {
            self.live(head.symbol, now, emit);
        }
    }

    /// When a live book of which nothing more is said is in doubt.
    fn silent_at(&self, now: Ts) -> Option<Ts> {
        let ns = self.rules.book_idle_ns;
        (ns > 0).then(|| Ts(now.0.saturating_add(ns)))
    }

    fn live(&mut self, symbol: u16, now: Ts, emit: &mut impl FnMut(Event)) {
        let silent = self.silent_at(now);
        if let Some(book) = self.book(symbol) {
            (book.phase, book.due, book.live_since) = (Phase::Live, silent, now);
        }
        self.believe(Some(symbol), (Integrity::Live, Cause::None), now, emit);
    }

    /// A whole book: by the stream, which makes it live, or asked for, which has to be joined to the stream first.
    fn on_snapshot(
        &mut self,
        head: &BookHead,
        parsed: &mut Parsed,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        let symbol = head.symbol;
        self.venue.forget(symbol);
        if let Err(mismatch) = self.venue.apply(head, parsed) {
            self.counters.mismatches += 1;
            return self.doubt(symbol, mismatch.cause(), now, emit);
        }
        self.counters.snapshots += 1;
        self.believe(Some(symbol), (Integrity::Recovering, Cause::Snapshot), now, emit);
        let clear = Event { number: number_of(symbol), ..Event::empty(Kind::Clear) };
        self.say(Event { flags: Flags::SNAPSHOT, ..clear }, now, emit);
        self.say_changes(symbol, head.ts_venue, parsed, Flags::SNAPSHOT, now, emit);
        let asked = self.asks_for_snapshots();
        let Some(book) = self.book(symbol) else { return };
        book.position = Position { last: head.last, bridged: !asked };
        if asked {
            (book.phase, book.due, book.asked) = (Phase::Bridging, None, now);
            self.play_waiting(symbol, parsed, now, emit);
        } else {
            self.live(symbol, now, emit);
        }
    }

    /// Plays what waited for the snapshot.
    fn play_waiting(
        &mut self,
        symbol: u16,
        parsed: &mut Parsed,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        for _ in 0..Waitings::MESSAGES_MAX {
            let Some(book) = self.book(symbol) else { return };
            if !matches!(book.phase, Phase::Bridging | Phase::Live) {
                return;
            }
            let Some(head) = self.waiting.pop(symbol, parsed) else { return };
            self.on_delta(&head, parsed, now, emit);
        }
    }

    /// Keeps a message until there is a snapshot. What is kept has no hole: a hole means to begin behind it.
    fn wait(&mut self, head: &BookHead, parsed: &Parsed, now: Ts) {
        let Some(phase) = self.book(head.symbol).map(|book| book.phase) else { return };
        if let Some(last) = self.waiting.last(head.symbol) {
            let position = Position { last, bridged: true };
            match self.venue.judge(head, position) {
                Judgement::Old => return,
                Judgement::Next => {}
                Judgement::Gap => {
                    self.counters.gaps += 1;
                    self.waiting.clear(head.symbol);
                }
            }
        }
        self.counters.overflows += self.waiting.push(head, parsed, phase == Phase::Snapshot);
        if phase == Phase::Buffering {
            self.pursue(head.symbol, now);
        }
    }

    /// Does what time has made due for a book.
    pub(super) fn on_book_due(&mut self, symbol: u16, now: Ts, emit: &mut impl FnMut(Event)) {
        if self.book(symbol).is_some_and(|book| book.phase == Phase::Live) {
            return self.doubt(symbol, Cause::Silent, now, emit);
        }
        self.pursue(symbol, now);
    }

    /// Does what is due for a book: asks for its snapshot, or gives the asking up and tries later.
    pub(super) fn pursue(&mut self, symbol: u16, now: Ts) {
        let Some(book) = self.book(symbol) else { return };
        match book.phase {
            Phase::Buffering | Phase::Resync => self.ask(symbol, now),
            Phase::Snapshot => self.fail(symbol, now),
            Phase::Down | Phase::Bridging | Phase::Live => book.due = None,
        }
    }

    /// Asks for the snapshot of a book, as soon as the venue's limit allows.
    fn ask(&mut self, symbol: u16, now: Ts) {
        let per_minute = match self.rules.snapshot {
            SnapshotBy::Rest { per_minute } => per_minute,
            SnapshotBy::Stream => self.rules.attempts_per_minute,
        };
        let free = self.gets.take(now, per_minute);
        self.request = self.request.wrapping_add(1);
        let (request, until) = (self.request, Ts(now.0.saturating_add(self.rules.snapshot_ns)));
        let Some(book) = self.books.get_mut(usize::from(symbol)) else { return };
        if let Err(at) = free {
            book.due = Some(at);
            return;
        }
        let (is_again, is_apart) = (book.phase == Phase::Resync, book.refusal.is_apart());
        (book.phase, book.request, book.due) = (Phase::Snapshot, request, Some(until));
        book.asked = now;
        if !self.asks_for_snapshots() {
            return self.resubscribe(symbol);
        }
        if is_again && (is_apart || self.rules.subscribes_again) {
            self.subscribe(&[symbol]);
        }
        if let Some(known) = self.symbols.get(symbol) {
            let base = self.config.rest_url.as_deref();
            let url = self.venue.snapshot_url(base, known, self.config.depth);
            self.actions.push_back(Action::Get {
                request,
                symbol: known.venue_symbol.clone(),
                url,
            });
        }
    }

    fn resubscribe(&mut self, symbol: u16) {
        let Core { venue, symbols, config, texts, actions, .. } = self;
        venue.unsubscribe(symbols, &[symbol], config.depth, texts);
        actions.extend(texts.drain(..).map(|text| Action::Send { text }));
        self.subscribe(&[symbol]);
    }

    /// Sends what subscribes to these.
    pub(super) fn subscribe(&mut self, which: &[u16]) {
        let Core { venue, symbols, config, texts, actions, .. } = self;
        venue.subscribe(symbols, which, config.depth, texts);
        actions.extend(texts.drain(..).map(|text| Action::Send { text }));
    }

    /// A snapshot did not come, or was of no use: later again.
    pub(super) fn fail(&mut self, symbol: u16, now: Ts) {
        self.counters.snapshots_failed += 1;
        let Core { books, back_off, rules, .. } = self;
        if let Some(book) = books.get_mut(usize::from(symbol)) {
            let pause = back_off.pause(rules.retry_ns, rules.retry_max_ns, book.failures);
            book.failures = book.failures.saturating_add(1);
            (book.phase, book.due) = (Phase::Resync, Some(Ts(now.0.saturating_add(pause))));
        }
    }

    pub(super) fn on_body(
        &mut self,
        symbol: u16,
        body: Result<&[u8], HttpFailure>,
        parsed: &mut Parsed,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        let Ok(body) = body else { return self.fail(symbol, now) };
        self.counters.bytes += body.len() as u64;
        parsed.clear();
        match self.venue.parse_snapshot(symbol, body, &self.symbols, parsed) {
            Ok(head) if self.joins(&head) => self.on_snapshot(&head, parsed, now, emit),
            _ => self.fail(symbol, now),
        }
    }

    /// Whether what waits follows a snapshot without a hole: if it begins too late, the snapshot is too old.
    fn joins(&self, head: &BookHead) -> bool {
        let position = Position { last: head.last, bridged: false };
        let mut judged =
            self.waiting.heads(head.symbol).map(|head| self.venue.judge(head, position));
        judged.find(|judgement| *judgement != Judgement::Old) != Some(Judgement::Gap)
    }

    /// A book may be wrong: says so, and starts it anew, the sooner the longer it was right. If that is to be done already, it
    /// stays due: else a text of nonsense now and then would put it off for ever.
    pub(super) fn doubt(
        &mut self,
        symbol: u16,
        cause: Cause,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        self.venue.forget(symbol);
        self.waiting.clear(symbol);
        let Core { books, back_off, rules, .. } = self;
        let Some(book) = books.get_mut(usize::from(symbol)) else { return };
        if book.phase == Phase::Down {
            return;
        }
        let proven = book.phase == Phase::Live && now.since(book.live_since) >= PROVEN_NS;
        if proven {
            book.refusal = Refusal::default();
        }
        if book.phase != Phase::Resync || book.due.is_none() {
            let pause = if proven {
                0
            } else {
                back_off.pause(rules.retry_ns, rules.retry_max_ns, book.failures)
            };
            book.failures = if proven { 0 } else { book.failures.saturating_add(1) };
            (book.phase, book.due) = (Phase::Resync, Some(Ts(now.0.saturating_add(pause))));
        }
        self.believe(Some(symbol), (Integrity::Incomplete, cause), now, emit);
        if proven {
            self.pursue(symbol, now);
        }
    }

    /// The venue says where the sequence of a book stands, by a channel of its own that may run ahead of the book's: what it
    /// had named the time before and has not come by now is lost.
    pub(super) fn on_sequence(
        &mut self,
        symbol: u16,
        sequence: u64,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        let Some(book) = self.book(symbol) else { return };
        let (before, last) = (std::mem::replace(&mut book.named, sequence), book.position.last);
        let is_there = last == before && last == sequence && book.is_up_to_date();
        match book.phase {
            // Numbers that run backwards have begun anew: by the old ones, all that comes would be old.
            Phase::Live | Phase::Bridging if last < before || sequence < before => {
                self.counters.gaps += 1;
                self.doubt(symbol, Cause::Gap, now, emit);
            }
            // Nothing has followed the snapshot, and nothing can be on its way.
            Phase::Bridging if is_there => self.live(symbol, now, emit),
            Phase::Bridging if sequence < last => self.on_no_bridge(symbol, now, emit),
            _ => {}
        }
    }
}
