//! ITCH over a SoupBinTCP connection: bytes and the time in, [`Event`]s out.
//!
//! A session is heard from its first message, so that its books are exact without a snapshot; a connection
//! that is lost is opened again and goes on where the last one ended. The books are said to be live only
//! while the connection stands and the stream has caught up. `SOUPBINTCP.md` has the rules.

mod events;
mod link;
mod words;

use model::{Cause, Event, Integrity, Ts};

use super::SessionId;
use super::soup::{Client, Received};
use events::Events;
use link::Link;

pub use words::{Action, SoupFeedCounters, SoupFeedError, SoupFeedOptions};

const BLANK: SessionId = SessionId([b' '; 10]);

/// One feed over one connection at a time.
#[derive(Clone, Debug)]
pub struct SoupFeed {
    options: SoupFeedOptions,
    client: Client,
    link: Link,
    events: Events,
    counters: SoupFeedCounters,
    /// The session whose messages up to [`Events::seq`] the books hold.
    session: Option<SessionId>,
    /// The next login asks for the session from its start: what the books hold is not believed.
    restart: bool,
    /// The next login names no session: the one that was named is not to be had.
    forget: bool,
    /// Sequence that the login asked for.
    asked: u64,
    /// Logins in a row that were accepted with another sequence, and that were rejected.
    misplaced: u32,
    rejected: u32,
    /// A message that could not be decoded, and how often it came.
    suspect: (u64, u32),
    /// A message came by this connection; one that was not known before.
    told: bool,
    news: bool,
    caught_up: bool,
    /// The server is there, and has said nothing for too long.
    quiet: bool,
    ended: bool,
    /// When the server last said something, and last a message.
    heard: Ts,
    messaged: Ts,
    error_last: Option<SoupFeedError>,
    error_told: Option<SoupFeedError>,
}

impl SoupFeed {
    /// A feed that connects as soon as time passes.
    pub fn new(options: SoupFeedOptions) -> SoupFeed {
        SoupFeed {
            client: Client::new(options.login, options.client),
            link: Link::new(&options),
            events: Events::new(&options),
            counters: SoupFeedCounters::default(),
            session: None,
            restart: false,
            forget: false,
            asked: 1,
            misplaced: 0,
            rejected: 0,
            suspect: (0, 0),
            told: false,
            news: false,
            caught_up: false,
            quiet: false,
            ended: false,
            heard: Ts(0),
            messaged: Ts(0),
            error_last: None,
            error_told: None,
            options,
        }
    }

    /// The connection of [`Action::Open`] stands.
    pub fn on_opened(&mut self, now: Ts) {
        if !self.link.on_opened(now) {
            return;
        }
        let fixed = self.options.login.session != BLANK;
        let known = self.session.filter(|_| !self.forget);
        let session = if fixed { self.options.login.session } else { known.unwrap_or(BLANK) };
        self.asked = match known {
            Some(_) if !self.restart => self.events.seq.saturating_add(1),
            _ => 1,
        };
        self.client.ask_for(session, self.asked);
        self.client.on_opened(now);
        (self.heard, self.messaged) = (now, now);
        (self.told, self.news, self.caught_up, self.quiet) = (false, false, false, false);
    }

    /// The connection is down, or could not be opened.
    pub fn on_closed(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        if self.link.is_under_way() {
            self.fail(SoupFeedError::Closed, now);
            self.settle(now, emit);
        }
    }

    /// Takes what the server sent, received at `now`.
    pub fn on_bytes(&mut self, bytes: &[u8], now: Ts, emit: &mut impl FnMut(Event)) {
        self.on_bytes_kept(bytes, now, &mut |_, _, _| {}, emit);
    }

    /// The same; `keep` is given every message that is believed, or lost for good, once: its session, its
    /// sequence, its bytes.
    pub fn on_bytes_kept(
        &mut self,
        bytes: &[u8],
        now: Ts,
        keep: &mut impl FnMut(SessionId, u64, &[u8]),
        emit: &mut impl FnMut(Event),
    ) {
        if !self.link.is_open() {
            return;
        }
        // Nobody may have had the time to see that it was quiet.
        self.caught_up &= now.since(self.heard) < self.options.quiet_ns_max;
        // Out of the way of its own callback. An unused client holds no memory.
        let unused = Client::new(self.options.login, self.options.client);
        let mut client = std::mem::replace(&mut self.client, unused);
        let mut fault = None;
        let taken = client.on_bytes(bytes, now, &mut |received| {
            (self.heard, self.quiet) = (now, false);
            if fault.is_none() {
                fault = self.take(received, now, keep, emit).err();
            }
        });
        self.client = client;
        if let Some(error) = fault.or(taken.err().map(SoupFeedError::Soup)) {
            self.refuse(error, now);
        } else if self.client.has_ended() {
            self.rest(now);
        }
        self.settle(now, emit);
    }

    /// Lets time pass: call it at [`SoupFeed::wake_at`], or more often.
    pub fn on_time(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        if let Err(error) = self.link.on_time(now) {
            self.fail(error, now);
        } else if self.link.is_open() {
            if let Err(error) = self.client.on_time(now) {
                self.fail(SoupFeedError::Soup(error), now);
            } else if now.since(self.heard) >= self.options.quiet_ns_max {
                (self.quiet, self.caught_up) = (true, false);
            }
        }
        self.settle(now, emit);
    }

    /// When [`SoupFeed::on_time`] is due next.
    pub fn wake_at(&self) -> Option<Ts> {
        let link = self.link.wake_at();
        if !self.link.is_open() {
            return link;
        }
        let quiet = Ts(self.heard.0.saturating_add(self.options.quiet_ns_max));
        let quiet = (!self.quiet).then_some(quiet);
        [link, self.client.wake_at(), quiet].into_iter().flatten().min()
    }

    /// What the transport is to do next; every action is said once. Ask until there is none, after every
    /// call that brings something.
    pub fn next_action(&mut self) -> Option<Action> {
        if let Some(outgoing) = self.client.next_outgoing() {
            return Some(Action::Send(outgoing));
        }
        if self.link.next_close() {
            return Some(Action::Close);
        }
        let open = self.link.next_open();
        self.counters.connects += u64::from(open);
        open.then_some(Action::Open)
    }

    /// Why the last connection was given up, if it is another reason than was told before; said once, until
    /// a connection has brought something new.
    pub fn next_error(&mut self) -> Option<SoupFeedError> {
        let error = self.error_last.filter(|error| self.error_told.as_ref() != Some(error))?;
        self.error_told = Some(error);
        Some(error)
    }

    /// What was seen.
    pub const fn counters(&self) -> SoupFeedCounters {
        self.counters
    }

    /// The session that is heard, and the sequence that its books stand at.
    pub fn position(&self) -> Option<(SessionId, u64)> {
        Some((self.session?, self.events.seq))
    }

    /// Whether the server has accepted the login and said something lately: who passes a session on may say that it lives.
    pub fn is_heard(&self) -> bool {
        self.link.is_open() && self.client.is_logged_in() && !self.quiet
    }

    /// Whether the venue has said that the session is over, and nothing since.
    pub const fn is_over(&self) -> bool {
        self.ended
    }

    /// What was last said of all books.
    pub const fn believed(&self) -> Option<(Integrity, Cause)> {
        self.events.announced
    }

    fn take(
        &mut self,
        received: Received<'_>,
        now: Ts,
        keep: &mut impl FnMut(SessionId, u64, &[u8]),
        emit: &mut impl FnMut(Event),
    ) -> Result<(), SoupFeedError> {
        match received {
            Received::Sequenced { offset, message, .. } => {
                self.message((message, offset), now, keep, emit)?;
            }
            Received::Accepted { session, next } => self.accept(session, next, now, emit)?,
            Received::Rejected { reason } => {
                self.counters.rejections += 1;
                // The current session is asked for in turn with the one that is known: that may be gone. Not at
                // once: what is begun anew takes its time.
                self.rejected = self.rejected.saturating_add(1);
                self.forget =
                    reason == b'S' && self.rejected.is_multiple_of(2) && self.session.is_some();
                return Err(SoupFeedError::Rejected(reason));
            }
            // A server that keeps its heart beating beside its messages proves nothing by it.
            Received::Heartbeat => {
                let idle = now.since(self.messaged) >= self.options.client.heartbeat_ns / 2;
                self.caught_up |= idle && self.events.seq > 0 && !self.events.is_told_again();
                if self.session.is_some() {
                    self.events.beat(now, emit);
                }
            }
            Received::Ended => self.ended = true,
            Received::Unsequenced(_) | Received::Debug(_) => {}
        }
        Ok(())
    }

    /// What the server accepts decides where the books stand.
    #[cold]
    fn accept(
        &mut self,
        session: SessionId,
        next: u64,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) -> Result<(), SoupFeedError> {
        self.counters.logins += 1;
        (self.messaged, self.caught_up) = (now, false);
        let same = self.session == Some(session);
        let only = self.options.login.session;
        if only != BLANK && only.0.trim_ascii() != session.0.trim_ascii() {
            self.misplaced = self.misplaced.saturating_add(1);
            self.counters.misplaced += 1;
            return Err(SoupFeedError::Session);
        }
        let follows = same && !self.restart && next == self.events.seq.saturating_add(1);
        // A session of which nothing was heard is not joined behind its start: it begins the day, and lists what is traded.
        let give_up = same
            && next > self.asked
            && self.misplaced.saturating_add(1) >= self.options.attempts_max;
        if follows {
            // As asked, or as good as that.
        } else if !self.restart && self.asked > 1 && give_up {
            self.lose(next - 1, Cause::Gap, now, emit);
        } else if next == 1 || give_up {
            self.begin(session, next, now, emit);
        } else {
            self.misplaced = self.misplaced.saturating_add(1);
            self.counters.misplaced += 1;
            self.events.announce(Integrity::Incomplete, Cause::Gap, now, emit);
            self.restart |= same && next < self.asked;
            self.forget |= !same && self.session.is_some();
            return Err(SoupFeedError::Sequence { asked: self.asked, got: next });
        }
        (self.misplaced, self.rejected, self.forget) = (0, 0, false);
        Ok(())
    }

    fn lose(&mut self, seq: u64, cause: Cause, now: Ts, emit: &mut impl FnMut(Event)) {
        let count = self.events.lose(seq, cause, now, emit);
        self.counters.lost = self.counters.lost.saturating_add(count);
    }

    /// A session begins: another one, the first, or the same once more.
    fn begin(&mut self, session: SessionId, first: u64, now: Ts, emit: &mut impl FnMut(Event)) {
        let again = self.session == Some(session);
        self.events.begin(self.session.is_some(), again, now, emit);
        self.counters.sessions += 1;
        if first > 1 {
            self.lose(first - 1, Cause::Gap, now, emit);
        }
        if !again {
            self.suspect = (0, 0);
        }
        (self.session, self.restart, self.ended) = (Some(session), false, false);
    }

    #[inline]
    fn message(
        &mut self,
        (message, offset): (&[u8], u64),
        now: Ts,
        keep: &mut impl FnMut(SessionId, u64, &[u8]),
        emit: &mut impl FnMut(Event),
    ) -> Result<(), SoupFeedError> {
        let seq = self.events.seq.saturating_add(1);
        (self.messaged, self.told, self.ended) = (now, true, false);
        match self.events.publish(message, now, &mut self.counters, emit) {
            Ok(false) => return Ok(()),
            Ok(true) => self.news = true,
            Err(error) => {
                self.counters.bad += 1;
                let times = if self.suspect.0 == seq { self.suspect.1 + 1 } else { 1 };
                self.suspect = (seq, times);
                // It is asked for again, in case the connection spoiled it; until it is the venue's own.
                if self.events.lost.is_none() && times < self.options.attempts_max {
                    return Err(SoupFeedError::Message { offset, seq, error });
                }
                self.lose(seq, Cause::BadEvent, now, emit);
            }
        }
        // What is old is said to be before it is heard; what comes behind it may be current again.
        self.caught_up &= self.events.is_current(now);
        keep(self.session.unwrap_or(BLANK), seq, message);
        Ok(())
    }

    /// The connection is given up because of what the server said on it.
    #[cold]
    fn refuse(&mut self, error: SoupFeedError, now: Ts) {
        if matches!(error, SoupFeedError::Soup(_) | SoupFeedError::Message { .. }) {
            self.counters.faults += 1;
            // Where framing was lost is not known: no message of this connection is believed any more.
            self.restart |= self.told;
        }
        self.fail(error, now);
    }

    #[cold]
    fn fail(&mut self, error: SoupFeedError, now: Ts) {
        self.error_last = Some(error);
        self.rest(now);
    }

    /// The connection goes, and another comes after a pause.
    fn rest(&mut self, now: Ts) {
        // What comes over and over, because it breaks at one place, is no progress.
        if self.news || self.told && !self.restart {
            self.error_told = None;
            self.link.succeeded();
        }
        (self.told, self.news) = (false, false);
        self.client.on_closed();
        self.link.rest(now);
        (self.caught_up, self.quiet) = (false, false);
    }

    /// Says what has changed of how far the books may be believed.
    #[inline]
    fn settle(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        let logged_in = self.link.is_open() && self.client.is_logged_in();
        if logged_in && !self.caught_up && self.told && !self.quiet {
            self.caught_up = self.events.is_current(now) && !self.events.is_told_again();
        }
        let verdict = if self.session.is_none() {
            return;
        } else if self.restart {
            (Integrity::Incomplete, Cause::BadEvent)
        } else if let Some(cause) = self.events.lost {
            (Integrity::Incomplete, cause)
        } else if self.misplaced > 0 {
            (Integrity::Incomplete, Cause::Gap)
        } else if self.ended {
            (Integrity::Stale, Cause::SessionEnd)
        } else if !logged_in {
            (Integrity::Stale, Cause::Disconnected)
        } else if self.quiet {
            (Integrity::Stale, Cause::Silent)
        } else if !self.caught_up {
            (Integrity::Recovering, Cause::Gap)
        } else {
            (Integrity::Live, Cause::None)
        };
        if self.events.announced != Some(verdict) {
            self.events.announce(verdict.0, verdict.1, now, emit);
        }
    }
}

#[cfg(test)]
mod tests;
