//! Which segments are taken, and in what order: sessions, beginnings of the numbers, gaps.

use model::{Cause, Event, Flags, Integrity, Kind, Ts};

use super::IexFeed;
use super::hold::Put;
use super::transport::{DEEP, Segment, TOPS};
use crate::session::BEAT_NS_MIN;

/// A send time farther than this from the time of receipt is none, where the clocks are comparable.
const SKEW_NS_MAX: u64 = 60_000_000_000;
/// So many late segments in a row, and it is what we took for newer that was wrong.
const LATE_MAX: u32 = 256;
/// How long the other line may take to bring what is missing.
const GAP_WAIT_NS: u64 = 2_000_000;
/// Sequences that one segment alone may be ahead. What lies farther waits for a second one that tells the same: a datagram has no
/// sender that can be trusted, and a jump makes all that follows the past.
const FAR: u64 = 1 << 16;

impl IexFeed {
    /// Takes the payload of a datagram, received at `now`.
    pub fn on_segment(&mut self, payload: &[u8], now: Ts, emit: impl FnMut(Event)) {
        self.on_received(payload, (now, now), emit);
    }

    /// Takes the payload of a datagram that somebody else, such as the kernel, stamped as `received`. Its messages bear that;
    /// what waits is judged by `now` alone. It gives up nothing that its time has come for: lines are read in turn, and the
    /// other one's segments may lie there unread.
    pub fn on_received(
        &mut self,
        payload: &[u8],
        (received, now): (Ts, Ts),
        mut emit: impl FnMut(Event),
    ) {
        let Some(segment) = self.accept(payload, received) else { return };
        if !self.follow(&segment, received, &mut emit) {
            return;
        }
        if segment.first > self.next && !self.is_borne_out(segment.first) {
            return;
        }
        self.sent_ns = self.sent_ns.max(segment.sent_ns);
        if segment.first > self.next && !self.wait(&segment, payload, (received, now), &mut emit) {
            self.lose(segment.first, received, &mut emit);
        }
        if segment.first <= self.next {
            self.deliver(&segment, received, &mut emit);
            self.drain(&mut emit);
            if segment.count == 0 {
                self.beat(&segment, received, &mut emit);
            }
        }
    }

    /// Lets time pass: call it at [`IexFeed::wake_at`], or more often, when what has come by all lines was taken.
    #[inline]
    pub fn on_time(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        while self.wake_at().is_some_and(|due| due <= now) {
            self.give_up(now, emit);
        }
    }

    /// When [`IexFeed::on_time`] is due next.
    #[inline]
    pub fn wake_at(&self) -> Option<Ts> {
        let held = self.hold.as_ref().and_then(|hold| hold.since());
        let told = self.told.map(|(_, since)| since);
        let since = [held, told].into_iter().flatten().min()?;
        Some(Ts(since.0.saturating_add(GAP_WAIT_NS)))
    }

    /// A segment of this feed, sent at a time that can be.
    fn accept<'a>(&mut self, payload: &'a [u8], now: Ts) -> Option<Segment<'a>> {
        let segment = match Segment::new(payload) {
            Ok(segment) if [DEEP, TOPS].contains(&segment.protocol) => segment,
            refused => {
                self.counters.refused += 1;
                if let Err(error) = refused {
                    self.counters.first_refused.get_or_insert(error);
                }
                return None;
            }
        };
        let stream = (segment.protocol, segment.channel);
        if *self.stream.get_or_insert(stream) != stream {
            self.counters.foreign += 1;
            return None;
        }
        let is_near = now.0.abs_diff(segment.sent_ns) <= SKEW_NS_MAX;
        if *self.is_timed.get_or_insert(is_near) && !is_near {
            self.counters.untimely += 1;
            return None;
        }
        self.counters.segments += 1;
        self.counters.heartbeats += u64::from(segment.count == 0);
        Some(segment)
    }

    /// Whether a segment belongs to the numbers that count now, which it may begin.
    fn follow(&mut self, segment: &Segment<'_>, now: Ts, emit: &mut impl FnMut(Event)) -> bool {
        let is_later = segment.sent_ns > self.sent_ns;
        let is_other = self.session != Some(segment.session);
        let is_late = if is_other {
            self.session_before == Some(segment.session) && !is_later
        } else {
            segment.sent_ns < self.since_ns
        };
        self.late_run = if is_late { self.late_run + 1 } else { 0 };
        if is_late && self.late_run < LATE_MAX {
            self.counters.late += 1;
            return false;
        }
        // What is sent later and says less: the numbers began again. A copy of what came has no later send time.
        if is_late || is_other || (segment.first.max(1) < self.next && is_later) {
            while self.wake_at().is_some() {
                self.give_up(now, emit);
            }
            self.begin(segment, is_late, now, emit);
        }
        true
    }

    /// A notice at the place where the books stand: whoever hears nothing for long takes a feed for dead.
    #[cold]
    fn beat(&mut self, segment: &Segment<'_>, now: Ts, emit: &mut impl FnMut(Event)) {
        if segment.first.max(1) == self.next && now.since(self.beaten) >= BEAT_NS_MIN {
            self.beaten = now;
            emit(Event {
                feed: self.feed,
                ts_recv: now,
                ts_venue: Ts(segment.sent_ns),
                seq: self.next - 1,
                flags: Flags::LAST_OF_PACKET,
                ..Event::empty(Kind::Notice)
            });
        }
    }

    /// Whether a jump to `first` is believed: one out of all reach only if the last such was to near there.
    #[cold]
    fn is_borne_out(&mut self, first: u64) -> bool {
        if first.saturating_sub(self.next) <= FAR {
            return true;
        }
        let before = self.far.replace(first);
        let is_borne_out = before.is_some_and(|before| before.abs_diff(first) <= FAR);
        self.counters.disbelieved += u64::from(!is_borne_out);
        is_borne_out
    }

    /// A session begins, as far as we see it: from its first message on, or somewhere within. A heartbeat alone proves nothing,
    /// nor does a session that comes back.
    #[cold]
    fn begin(
        &mut self,
        segment: &Segment<'_>,
        is_back: bool,
        now: Ts,
        emit: &mut impl FnMut(Event),
    ) {
        if self.session != Some(segment.session) {
            self.session_before = self.session.replace(segment.session);
        }
        self.counters.sessions += 1;
        (self.late_run, self.far) = (0, None);
        (self.since_ns, self.sent_ns) = (segment.sent_ns, segment.sent_ns);
        // A session's first number is 1; before it has one, heartbeats may say 0.
        self.next = segment.first.max(1);
        let is_whole = segment.first <= 1 && !is_back;
        self.is_unproven = is_whole && segment.count == 0;
        let is_live = is_whole && !self.is_unproven;
        if !is_live {
            self.say(Integrity::Incomplete, Cause::NotStarted, segment.sent_ns, now, emit);
        }
        self.clear(segment.sent_ns, now, emit);
        if is_live {
            self.say(Integrity::Live, Cause::None, segment.sent_ns, now, emit);
        }
    }

    /// Lets a segment wait for what is missing before it, if there is another line and room; `false`: there is not.
    #[cold]
    fn wait(
        &mut self,
        segment: &Segment<'_>,
        payload: &[u8],
        (received, now): (Ts, Ts),
        emit: &mut impl FnMut(Event),
    ) -> bool {
        let Some(hold) = &mut self.hold else { return false };
        if segment.count == 0 {
            let (first, since) = self.told.unwrap_or((0, now));
            self.told = Some((first.max(segment.first), since));
            return true;
        }
        let sequence = (segment.first, segment.first + u64::from(segment.count));
        match hold.put(sequence, payload, (received, now)) {
            Put::Kept => self.counters.held += 1,
            Put::Duplicate => self.counters.duplicates += u64::from(segment.count),
            Put::Full => {
                while self.wake_at().is_some() {
                    self.give_up(received, emit);
                }
                return false;
            }
        }
        true
    }

    /// Goes on behind the first of what is missing.
    #[cold]
    fn give_up(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        let held = self.hold.as_ref().and_then(|hold| hold.first()).map(|slot| slot.sequence.0);
        let told = self.told.map(|(first, _)| first);
        if let Some(first) = [held, told].into_iter().flatten().min() {
            self.lose(first, now, emit);
        }
        self.drain(emit);
    }

    /// What comes before `first` is lost.
    #[cold]
    fn lose(&mut self, first: u64, now: Ts, emit: &mut impl FnMut(Event)) {
        if first > self.next {
            self.counters.gaps += 1;
            self.counters.lost = self.counters.lost.saturating_add(first - self.next);
            self.next = first;
            self.is_unproven = false;
            self.say(Integrity::Incomplete, Cause::Gap, self.sent_ns, now, emit);
        }
    }

    /// Says what waited and is due now.
    #[inline]
    fn drain(&mut self, emit: &mut impl FnMut(Event)) {
        if let Some(mut hold) = self.hold.take() {
            while hold.first().is_some_and(|slot| slot.sequence.0 <= self.next)
                && let Some(slot) = hold.pop()
            {
                if let Ok(segment) = Segment::new(hold.payload(&slot)) {
                    self.deliver(&segment, slot.ts_recv, emit);
                }
            }
            self.hold = Some(hold);
        }
        self.told = self.told.filter(|(first, _)| *first > self.next);
    }
}
