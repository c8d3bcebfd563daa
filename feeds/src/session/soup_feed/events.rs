//! Messages become events, and what is missing is told before anything else.

use model::{Cause, Event, Flags, Integrity, Kind, Ts, VenueNumber};

use super::{SoupFeedCounters, SoupFeedOptions};
use crate::nasdaq::itch::{DecodeError, Decoder, ShardDecoder};
use crate::session::BEAT_NS_MIN;

/// Decoder, place in the session, and what was last said of the books.
#[derive(Clone, Debug)]
pub(super) struct Events {
    decoder: ShardDecoder,
    /// A message no older than this is current.
    lag_ns_max: u64,
    /// The decoder's midnight when the session began: the session may be told again.
    midnight: Ts,
    /// Sequence that the books stand at.
    pub(super) seq: u64,
    /// Sequence up to which the session was told before: it comes again, and happened then.
    told: u64,
    /// Why the books cannot be whole before another session.
    pub(super) lost: Option<Cause>,
    pub(super) announced: Option<(Integrity, Cause)>,
    /// Venue time of the last message.
    last: Ts,
    /// When a heartbeat was last passed on.
    beaten: Ts,
}

impl Events {
    pub(super) fn new(options: &SoupFeedOptions) -> Events {
        Events {
            decoder: ShardDecoder::new(
                Decoder { feed: options.feed, midnight: options.midnight },
                options.shard,
            ),
            lag_ns_max: options.lag_ns_max,
            midnight: options.midnight,
            seq: 0,
            told: 0,
            lost: None,
            announced: None,
            last: Ts(0),
            beaten: Ts(0),
        }
    }

    /// Whether the last message was current.
    pub(super) fn is_current(&self, now: Ts) -> bool {
        now.0.abs_diff(self.last.0) <= self.lag_ns_max
    }

    /// Whether what comes next was told before.
    pub(super) fn is_told_again(&self) -> bool {
        self.told > 0
    }

    /// Says what the next message says; whether it was not said before.
    #[inline]
    pub(super) fn publish(
        &mut self,
        message: &[u8],
        now: Ts,
        counters: &mut SoupFeedCounters,
        emit: &mut impl FnMut(Event),
    ) -> Result<bool, DecodeError> {
        let seq = self.seq.saturating_add(1);
        if self.last == Ts(0) && self.told == 0 && self.decoder.plain.roll_midnight(now) {
            self.midnight = self.decoder.plain.midnight;
        }
        let again = seq <= self.told;
        let flags = if again { Flags::SNAPSHOT } else { Flags::NONE };
        let flags = flags.with(Flags::LAST_OF_PACKET);
        let mut event = match self.decoder.decode(message, seq, flags) {
            Ok(event) => event,
            Err(DecodeError::UnknownType { .. } | DecodeError::Empty) => {
                counters.unknown += 1;
                self.notice(message, seq, flags)
            }
            Err(error @ (DecodeError::Length { .. } | DecodeError::Field { .. })) => {
                return Err(error);
            }
        };
        event.ts_recv = now;
        if event.ts_venue < self.last {
            self.step_back(&mut event, counters, emit);
        }
        let is_late = now.0.abs_diff(event.ts_venue.0) > self.lag_ns_max;
        if is_late && self.announced == Some((Integrity::Live, Cause::None)) {
            self.announce(Integrity::Recovering, Cause::Gap, now, emit);
        }
        counters.messages += 1;
        counters.repeated += u64::from(again);
        (self.last, self.seq) = (event.ts_venue, seq);
        emit(event);
        if again && seq == self.told {
            self.catch_up(now, emit);
        }
        Ok(!again)
    }

    /// A notice at the place where the books stand: whoever hears nothing for long takes a feed for dead.
    #[cold]
    pub(super) fn beat(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        if !self.is_told_again() && now.since(self.beaten) >= BEAT_NS_MIN {
            self.beaten = now;
            emit(self.framed(Event::empty(Kind::Notice), now, Flags::LAST_OF_PACKET));
        }
    }

    /// A message without an event of its own keeps the sequence whole.
    #[cold]
    fn notice(&self, message: &[u8], seq: u64, flags: Flags) -> Event {
        Event {
            ts_venue: self.last,
            seq,
            aux: message.first().copied().unwrap_or(0).into(),
            flags,
            feed: self.decoder.plain.feed,
            ..Event::empty(Kind::Notice)
        }
    }

    #[cold]
    fn step_back(
        &mut self,
        event: &mut Event,
        counters: &mut SoupFeedCounters,
        emit: &mut impl FnMut(Event),
    ) {
        if event.kind != Kind::Session || event.aux != u64::from(b'O') {
            counters.backwards += 1;
            return;
        }
        event.ts_venue.0 =
            event.ts_venue.0.saturating_add(self.decoder.plain.next_day(event.ts_recv));
        if event.flags.has(Flags::SNAPSHOT) {
            // A start of the day that comes again starts nothing, but the orders of the day before are void.
            self.clear(event.ts_recv, emit);
        }
    }

    /// All that was told before has come again: the sequence goes on from here.
    #[cold]
    fn catch_up(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        self.told = 0;
        if let Some((integrity, cause)) = self.announced {
            self.announce(integrity, cause, now, emit);
        }
    }

    /// Messages up to `seq` are missing for good; how many.
    #[cold]
    pub(super) fn lose(
        &mut self,
        seq: u64,
        cause: Cause,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) -> u64 {
        let count = seq.saturating_sub(self.seq);
        self.seq = seq;
        if self.told <= seq {
            self.told = 0;
        }
        self.lost.get_or_insert(cause);
        self.announce(Integrity::Incomplete, cause, now, emit);
        count
    }

    /// A session begins at its start, `again` if it is the same as before.
    #[cold]
    pub(super) fn begin(
        &mut self,
        follows: bool,
        again: bool,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        self.told = if again { self.told.max(self.seq) } else { 0 };
        (self.seq, self.lost) = (0, None);
        let cause = match (follows, again) {
            (false, _) => Cause::NotStarted,
            (true, false) => Cause::SessionEnd,
            (true, true) => Cause::BadEvent,
        };
        self.announce(Integrity::Incomplete, cause, now, emit);
        if again {
            self.decoder.plain.midnight = self.midnight;
        }
        self.last = Ts(0);
        // The first time, too: whoever listens may hold what an earlier run left.
        self.clear(now, emit);
    }

    /// Says how far the books may be believed.
    #[cold]
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
}
