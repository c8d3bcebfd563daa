//! What is said of the books: messages become events, and what is missing is told before anything else.

use model::{Cause, DAY_NS, Event, Flags, Integrity, Kind, Ts, VenueNumber};

use super::ChannelOptions;
use super::bridge::Bridge;
use super::counters::{BadMessage, ChannelCounters};
use crate::nasdaq::itch::{DecodeError, Decoder, ShardDecoder};
use crate::session::arbiter::{Arbitrated, Line, Message};
use crate::session::glimpse::{GlimpseError, Piece};
use crate::session::{BEAT_NS_MIN, SESSION_JOINED, SessionId};

/// What the books are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No session yet.
    None,
    /// All messages up to now.
    Whole,
    /// Something is missing, and nothing brings it back before the next session.
    Incomplete,
    /// A snapshot is wanted, and may be coming in; the messages of the lines wait.
    Snapshot,
    /// It is whole; its first message from the lines is `next`, which they may still have to reach.
    Bridging { next: u64 },
}

/// Decoder, phase and what was last said of the books.
#[derive(Debug)]
pub(super) struct Events {
    decoder: ShardDecoder,
    /// Midnight moves on by the receive time.
    follows_clock: bool,
    snapshots: bool,
    same_session: bool,
    /// The lines' session.
    session: SessionId,
    pub(super) phase: Phase,
    /// Why the books are not whole.
    pub(super) cause: Cause,
    pub(super) announced: Option<(Integrity, Cause)>,
    /// A snapshot has replaced what the books held.
    pub(super) streaming: bool,
    /// The snapshot under way is of no use.
    pub(super) fault: Option<GlimpseError>,
    /// The snapshot under way belongs to another session.
    pub(super) cancel: bool,
    /// Sequence that the books stand at.
    pub(super) seq: u64,
    /// What is to be said of the day before anything else of the session is: its code of a system event.
    day: Option<u64>,
    /// The session whose day that was said of last.
    day_of: Option<SessionId>,
    /// Venue time of the last message.
    last: Ts,
    /// When a heartbeat was last passed on.
    beaten: Ts,
    pub(super) bridge: Bridge,
    pub(super) counters: ChannelCounters,
}

impl Events {
    pub(super) fn new(options: &ChannelOptions) -> Events {
        let snapshots = options.glimpse.is_some();
        Events {
            decoder: ShardDecoder::new(
                Decoder { feed: options.feed, midnight: options.midnight },
                options.shard,
            ),
            follows_clock: options.follows_clock,
            snapshots,
            same_session: options.glimpse.is_some_and(|glimpse| glimpse.same_session),
            session: SessionId::default(),
            phase: Phase::None,
            cause: Cause::NotStarted,
            announced: None,
            streaming: false,
            fault: None,
            cancel: false,
            seq: 0,
            day: None,
            day_of: None,
            last: Ts(0),
            beaten: Ts(0),
            bridge: Bridge::new(if snapshots { options.bridge_bytes_max } else { 0 }),
            counters: ChannelCounters::NONE,
        }
    }

    /// What comes out of the lines.
    #[inline]
    pub(super) fn take(&mut self, out: &Arbitrated<'_>, emit: &mut impl FnMut(Event)) {
        match out {
            Arbitrated::Message(message) => {
                self.counters.messages += 1;
                match self.phase {
                    Phase::Whole | Phase::Incomplete => self.publish(message, emit),
                    Phase::Snapshot | Phase::Bridging { .. } => self.wait(message, emit),
                    Phase::None => {}
                }
            }
            Arbitrated::Lost { first, count, now } => {
                self.counters.lost = self.counters.lost.saturating_add(*count);
                self.lose(first + (count - 1), Cause::Gap, *now, emit);
            }
            Arbitrated::Session { session, first, now } => {
                self.session = *session;
                self.begin(*first, *now, emit);
            }
            Arbitrated::Heartbeat { now } => self.beat(*now, emit),
            Arbitrated::Ended => {}
        }
    }

    /// Says that a day begins: what a session that was joined late did not hear. A name alone begins none.
    #[cold]
    fn begin_day(&mut self, says_so: bool, now: Ts, emit: &mut impl FnMut(Event)) {
        let Some(aux) = self.day.take() else { return };
        self.day_of = Some(self.session);
        if !says_so {
            let event = Event { aux, ..Event::empty(Kind::Session) };
            emit(Event { ts_venue: now, ..self.framed(event, now, Flags::LAST_OF_PACKET) });
        }
    }

    /// A notice at the place where the books stand: whoever hears nothing for long takes a feed for dead.
    #[cold]
    fn beat(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        if now.since(self.beaten) >= BEAT_NS_MIN {
            self.beaten = now;
            emit(self.framed(Event::empty(Kind::Notice), now, Flags::LAST_OF_PACKET));
        }
    }

    /// Says what a message says.
    #[inline]
    pub(super) fn publish(&mut self, message: &Message<'_>, emit: &mut impl FnMut(Event)) {
        if self.last == Ts(0) {
            self.roll_midnight(message.ts_recv); // It may have been announced the evening before.
        }
        if self.day.is_some() {
            let says_so =
                message.bytes.first() == Some(&b'S') && message.bytes.get(11) == Some(&b'O');
            self.begin_day(says_so, message.ts_recv, emit);
        }
        match self.decoder.decode(message.bytes, message.seq, flags(message)) {
            Ok(mut event) => {
                event.ts_recv = message.ts_recv;
                if event.ts_venue < self.last {
                    self.step_back(&mut event);
                }
                if event.ts_venue.since(self.decoder.plain.midnight) >= DAY_NS {
                    self.counters.past_midnight += 1;
                }
                self.last = event.ts_venue;
                self.seq = message.seq;
                emit(event);
            }
            Err(error) => self.undecoded(message, error, emit),
        }
    }

    #[cold]
    fn step_back(&mut self, event: &mut Event) {
        if event.kind != Kind::Session || event.aux != u64::from(b'O') {
            self.counters.backwards += 1;
            return;
        }
        let now = if self.follows_clock { event.ts_recv } else { self.decoder.plain.midnight };
        event.ts_venue.0 = event.ts_venue.0.saturating_add(self.decoder.plain.next_day(now));
    }

    /// Another session is a day of its own.
    fn roll_midnight(&mut self, now: Ts) {
        if self.follows_clock {
            self.decoder.plain.roll_midnight(now);
        }
    }

    /// A message without an event of its own: a notice keeps the sequence whole, a bad one breaks the books.
    #[cold]
    fn undecoded(
        &mut self,
        message: &Message<'_>,
        error: DecodeError,
        emit: &mut impl FnMut(Event),
    ) {
        match error {
            DecodeError::UnknownType { kind } => self.count_unknown(kind),
            DecodeError::Empty => self.counters.empty += 1,
            DecodeError::Length { .. } | DecodeError::Field { .. } => {
                self.bad(message.seq, error);
                return self.lose(message.seq, Cause::BadEvent, message.ts_recv, emit);
            }
        }
        self.seq = message.seq;
        emit(Event {
            ts_venue: self.last,
            ts_recv: message.ts_recv,
            seq: message.seq,
            aux: message.bytes.first().copied().unwrap_or(0).into(),
            flags: flags(message),
            feed: self.decoder.plain.feed,
            ..Event::empty(Kind::Notice)
        });
    }

    fn count_unknown(&mut self, kind: u8) {
        if let Some(count) = self.counters.unknown.get_mut(usize::from(kind)) {
            *count += 1;
        }
    }

    fn bad(&mut self, seq: u64, error: DecodeError) {
        self.counters.bad += 1;
        self.counters.first_bad.get_or_insert(BadMessage { seq, error });
    }

    /// Keeps a message until the snapshot says whether it holds it. A halt of the market is said at once: a
    /// snapshot need not repeat it.
    #[cold]
    fn wait(&mut self, message: &Message<'_>, emit: &mut impl FnMut(Event)) {
        self.begin_day(false, message.ts_recv, emit);
        let flags = flags(message).with(Flags::SNAPSHOT);
        match self.decoder.plain.decode(message.bytes, self.seq, flags) {
            Ok(event) if event.kind == Kind::MarketHalt => {
                emit(Event { ts_recv: message.ts_recv, ..event });
            }
            Ok(_) | Err(DecodeError::UnknownType { .. } | DecodeError::Empty) => {}
            Err(error) => {
                self.bad(message.seq, error);
                return self.bridge.restart_at(message.seq.saturating_add(1));
            }
        }
        if !self.bridge.push(message) {
            self.counters.overflows += 1;
            self.bridge.restart_at(message.seq);
            self.fault = Some(GlimpseError::Overflow);
            if !self.bridge.push(message) {
                self.bridge.restart_at(message.seq.saturating_add(1));
            }
        }
        let bytes = self.bridge.bytes() as u64;
        self.counters.bridge_bytes_max = self.counters.bridge_bytes_max.max(bytes);
    }

    /// Messages up to `seq` are missing from here on.
    #[cold]
    pub(super) fn lose(&mut self, seq: u64, cause: Cause, now: Ts, emit: &mut impl FnMut(Event)) {
        let waiting = matches!(self.phase, Phase::Snapshot | Phase::Bridging { .. });
        self.bridge.restart_at(seq.saturating_add(1));
        if waiting {
            return;
        }
        (self.seq, self.cause) = (seq, cause);
        self.announce(Integrity::Incomplete, cause, now, emit);
        self.phase = if self.snapshots { Phase::Snapshot } else { Phase::Incomplete };
        self.streaming = false;
    }

    /// Another session, or the first.
    #[cold]
    fn begin(&mut self, first: u64, now: Ts, emit: &mut impl FnMut(Event)) {
        let follows = self.phase != Phase::None;
        self.seq = first - 1;
        self.cause = if follows { Cause::SessionEnd } else { Cause::NotStarted };
        self.announce(Integrity::Incomplete, self.cause, now, emit);
        self.roll_midnight(now);
        // Another numbering is another day; what comes back goes on. Of the first session that is heard only who remembers can
        // tell.
        let is_other = first == 1 || self.day_of != Some(self.session);
        self.day = is_other.then(|| if follows { b'O'.into() } else { SESSION_JOINED });
        if follows {
            self.last = Ts(0);
            self.clear(now, emit);
        }
        self.phase = Phase::Whole;
        (self.streaming, self.cancel, self.fault) = (false, true, None);
        self.bridge.restart_at(first);
        if first > 1 {
            self.lose(first - 1, Cause::Gap, now, emit);
        }
    }

    /// Says how far the books may be believed.
    pub(super) fn announce(
        &mut self,
        integrity: Integrity,
        cause: Cause,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        self.announced = Some((integrity, cause));
        let event = Event::integrity(VenueNumber(0), integrity, cause);
        emit(self.framed(event, now, Flags::LAST_OF_PACKET));
    }

    fn clear(&self, now: Ts, emit: &mut impl FnMut(Event)) {
        emit(self.framed(Event::empty(Kind::Clear), now, Flags::SNAPSHOT));
    }

    fn framed(&self, event: Event, now: Ts, flags: Flags) -> Event {
        let (seq, feed) = (self.seq, self.decoder.plain.feed);
        Event { ts_venue: self.last, ts_recv: now, seq, flags, feed, ..event }
    }

    /// A piece of a snapshot.
    pub(super) fn piece(&mut self, piece: &Piece<'_>, now: Ts, emit: &mut impl FnMut(Event)) {
        if self.phase != Phase::Snapshot || self.fault.is_some() {
            return;
        }
        match piece {
            Piece::Begin { session } => {
                if self.same_session && !session.is_called(&self.session) {
                    self.fault = Some(GlimpseError::OtherSession);
                    return;
                }
                self.counters.snapshots += 1;
                self.streaming = true;
                self.begin_day(false, now, emit);
                self.announce(Integrity::Recovering, Cause::Snapshot, now, emit);
                self.clear(now, emit);
            }
            Piece::Message(message) => {
                self.counters.snapshot_messages += 1;
                match self.decoder.decode(message, self.seq, Flags::SNAPSHOT) {
                    Ok(event) => emit(Event { ts_recv: now, ..event }),
                    Err(DecodeError::UnknownType { kind }) => self.count_unknown(kind),
                    Err(error) => {
                        self.bad(self.seq, error);
                        self.fault = Some(GlimpseError::BadMessage);
                    }
                }
            }
            Piece::End { next } => self.phase = Phase::Bridging { next: *next },
        }
    }
}

#[inline]
fn flags(message: &Message<'_>) -> Flags {
    let last = if message.last_of_packet { Flags::LAST_OF_PACKET } else { Flags::NONE };
    if message.line == Line::B { last.with(Flags::LINE_B) } else { last }
}
